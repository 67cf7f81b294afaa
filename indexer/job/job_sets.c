#include "job_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/set_file.h"
#include "job_state.h"
#include "packet/address_list_bytes.h"

static const struct index_set *stored_find(const struct index_sets *stored, const char *name)
{
	for (size_t i = 0; i < stored->count; i++)
		if (strcmp(stored->items[i].name, name) == 0)
			return &stored->items[i];
	return NULL;
}

/* The connection that reads what is stored; NULL where nothing is. */
static sqlite3 *stored_database(const struct job *job)
{
	return job->file && job->found.source.layout.table ? index_file_database(job->file) : NULL;
}

/* Counts the entries that came and went, where the stored list can be read: else all came. */
static void changes_count(struct job *job, struct job_set *set, const struct address_list *list)
{
	struct address_list before = {0};
	sqlite3 *database = stored_database(job);
	struct message ignored;
	bool found = false;

	if (set->stored && database &&
	    index_set_load(database, "main", job->found.source.id, set->name, &before, &found,
			   &ignored) != STATUS_OK) {
		/* One that is damaged is replaced. */
		address_list_free(&before);
		before = (struct address_list){0};
	}
	address_list_compare(&before, list, &set->came, &set->went);
	address_list_free(&before);
}

/* Whether what is stored are the very bytes: a digest does not tell damage. */
static bool stored_is_same(struct job *job, const struct job_set *set)
{
	sqlite3 *database = stored_database(job);
	struct message ignored;
	uint8_t *bytes = NULL;
	size_t size = 0;
	bool found = false;
	bool same;

	if (!set->stored || strcmp(set->stored->digest, set->digest) != 0)
		return false;
	/* --check has no connection, and writes nothing. */
	if (!database)
		return true;
	same = index_set_bytes(database, "main", job->found.source.id, set->name, &bytes, &size,
			       &found, &ignored) == STATUS_OK &&
	       found && size == set->size && memcmp(bytes, set->bytes, size) == 0;
	free(bytes);
	return same;
}

/* What is stored stays, since the file has gone; where nothing is, that is a mistake. */
static void set_leave(struct job *job, struct job_set *set, const struct message *cause)
{
	if (!set->stored) {
		diagnostics_add(job->diagnostics, set->given->line, "set '%.100s': %.500s",
				set->name, cause->text);
		return;
	}
	memcpy(set->digest, set->stored->digest, DIGEST_TEXT_SIZE);
	set->digest[DIGEST_TEXT_SIZE - 1] = '\0';
	set->entries = set->stored->entries;
	job->summary->sets_gone++;
	diagnostics_add(&job->summary->warnings, set->given->line,
			"set '%.100s': %.500s; the %llu entries that were read at %s stay in force",
			set->name, cause->text, (unsigned long long)set->entries,
			set->stored->read_at);
}

/* Takes a list that was read: its bytes are kept where they are not what is stored. */
static enum status list_take(struct job *job, struct job_set *set, const struct address_list *list)
{
	digest_state state = digest_begin();
	enum status status = address_list_encode(list, &set->bytes, &set->size, job->message);

	if (status != STATUS_OK)
		return status;
	digest_bytes(&state, set->bytes, set->size);
	digest_write('s', state, set->digest);
	set->entries = address_list_entries(list);
	set->seen = true;
	if (set->entries == 0) {
		/* What an emptied feed takes away is not looked for. */
		job->summary->sets_gone += set->stored && set->stored->entries;
		diagnostics_add(&job->summary->warnings, set->given->line,
				"set '%.100s' has no entries", set->name);
	}
	if (stored_is_same(job, set)) {
		free(set->bytes);
		set->bytes = NULL;
		return STATUS_OK;
	}
	changes_count(job, set, list);
	/* Another list with the same digest, which somebody has made so. */
	if (set->came + set->went && set->stored && strcmp(set->stored->digest, set->digest) == 0)
		digest_write('t', state, set->digest);
	return STATUS_OK;
}

static enum status file_take(struct job *job, struct job_set *set)
{
	const struct set_section *given = set->given;
	const struct set_file file = {
		.path = given->path, .column = given->column, .key = given->key};
	struct message cause = {.code = 0};
	struct address_list list;
	bool gone;
	enum status status = set_file_read(&file, &list, job->diagnostics, &gone, &cause);

	if (gone) {
		set_leave(job, set, &cause);
		status = STATUS_OK;
	} else if (status == STATUS_USAGE) {
		diagnostics_add(job->diagnostics, given->line, "set '%.100s': %.500s", set->name,
				cause.text);
		status = STATUS_OK;
	} else if (status != STATUS_OK) {
		*job->message = cause;
	} else if (diagnostics_empty(job->diagnostics)) {
		status = list_take(job, set, &list);
	}
	address_list_free(&list);
	return status;
}

static enum status given_take(struct job *job, const struct set_section *given)
{
	struct job_sets *sets = &job->sets;
	struct job_set *set = &sets->items[sets->count++];

	*set = (struct job_set){.name = given->name,
				.given = given,
				.stored = stored_find(&sets->found, given->name)};
	return given->path ? file_take(job, set) : list_take(job, set, &given->list);
}

static void stored_take(struct job *job, const struct index_set *stored)
{
	struct job_sets *sets = &job->sets;
	struct job_set *set = &sets->items[sets->count];

	for (size_t i = 0; i < sets->count; i++)
		if (sets->items[i].stored == stored)
			return;
	if (job->options->prune) {
		sets->pruned[sets->pruned_count++] = (struct set_entry){.name = stored->name};
		return;
	}
	*set = (struct job_set){.name = stored->name, .stored = stored, .entries = stored->entries};
	memcpy(set->digest, stored->digest, DIGEST_TEXT_SIZE);
	set->digest[DIGEST_TEXT_SIZE - 1] = '\0';
	sets->count++;
}

enum status job_sets_load(struct job *job)
{
	struct job_sets *sets = &job->sets;
	const struct catalogue *catalogue = &job->catalogue;
	const size_t most = catalogue->set_count + sets->found.count + 1;
	enum status status = STATUS_OK;

	sets->items = calloc(most, sizeof(*sets->items));
	sets->entries = calloc(most, sizeof(*sets->entries));
	sets->pruned = calloc(most, sizeof(*sets->pruned));
	if (!sets->items || !sets->entries || !sets->pruned)
		return message_out_of_memory(job->message);
	for (size_t i = 0; status == STATUS_OK && i < catalogue->set_count; i++)
		status = given_take(job, &catalogue->sets[i]);
	for (size_t i = 0; status == STATUS_OK && i < sets->found.count; i++)
		stored_take(job, &sets->found.items[i]);
	for (size_t i = 0; i < sets->count; i++)
		sets->entries[i] = (struct set_entry){sets->items[i].name, sets->items[i].digest};
	job->filters.sets = sets->entries;
	job->filters.set_count = sets->count;
	job->filters.pruned_sets = sets->pruned;
	job->filters.pruned_set_count = sets->pruned_count;
	return status;
}

enum status job_sets_note(struct job *job)
{
	const char **names = calloc(job->sets.count + 1, sizeof(*names));
	size_t count = 0;
	enum status status;

	if (!names)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < job->sets.count; i++)
		if (job->sets.items[i].seen)
			names[count++] = job->sets.items[i].name;
	status = index_write_sets_seen(index_file_database(job->file), job->found.source.id, names,
				       count, job->message);
	free((void *)names);
	return status;
}

enum status job_sets_keep(struct job *job)
{
	sqlite3 *database = stored_database(job);
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < job->sets.count; i++) {
		struct job_set *set = &job->sets.items[i];
		bool found = false;

		if (set->bytes || !database)
			continue;
		status = index_set_bytes(database, "main", job->found.source.id, set->name,
					 &set->bytes, &set->size, &found, job->message);
		if (status == STATUS_OK && !found)
			status = message_set(job->message, STATUS_FAILED,
					     "the address set '%.100s' is no longer in the index; "
					     "run again",
					     set->name);
	}
	return status;
}

enum status job_set_make(struct job *job, size_t number, struct address_set **made)
{
	const struct job_set *set = &job->sets.items[number];
	bool found = false;
	enum status status;

	*made = NULL;
	if (set->bytes)
		return index_set_judge(set->name,
				       address_set_read(set->bytes, set->size, made, job->message),
				       job->message);
	status = index_set_make(stored_database(job), "main", job->found.source.id, set->name, made,
				&found, job->message);
	if (status == STATUS_OK && !found)
		return message_set(job->message, STATUS_FAILED,
				   "the address set '%.100s' is no longer in the index; run again",
				   set->name);
	return status;
}

bool job_set_writes_make(const struct job_sets *sets, struct job_set_writes *writes)
{
	size_t written = 0;

	*writes = (struct job_set_writes){
		.written = calloc(sets->count + 1, sizeof(*writes->written)),
		.removed = calloc(sets->pruned_count + 1, sizeof(*writes->removed))};
	if (!writes->written || !writes->removed)
		return false;
	for (size_t i = 0; i < sets->count; i++) {
		const struct job_set *set = &sets->items[i];

		if (set->bytes)
			writes->written[written++] = (struct index_write_set){
				set->name, set->digest, set->entries, set->bytes, set->size};
	}
	for (size_t i = 0; i < sets->pruned_count; i++)
		writes->removed[i] = sets->pruned[i].name;
	writes->sets = (struct index_write_sets){writes->written, written, writes->removed,
						 sets->pruned_count};
	return true;
}

/* Whether a filter asks for a set, itself or through one of those that were looked at before. */
static bool asks_set(const struct filter_entry *entry, size_t set, const bool *asking, size_t count)
{
	const struct rows_filter *rows = entry->rows;

	for (size_t i = 0; rows && i < rows->expression.name_count; i++) {
		const enum expression_leaf leaf = rows->expression.names[i].leaf;

		if (expression_leaf_has_set(leaf) && rows->operands[i] == set)
			return true;
		if (leaf == LEAF_STORED && rows->operands[i] < count && asking[rows->operands[i]])
			return true;
	}
	return false;
}

/* Marks the filters that depend on a set. */
static void askers_find(const struct filter_set *filters, size_t set, bool *asking)
{
	memset(asking, 0, filters->count * sizeof(*asking));
	for (size_t i = 0; i < filters->order_count; i++)
		asking[filters->order[i]] =
			asks_set(&filters->items[filters->order[i]], set, asking, filters->count);
}

static void change_fill(const struct job_set *set, struct job_set_change *change)
{
	*change = (struct job_set_change){.is_new = !set->stored,
					  .entries = set->entries,
					  .came = set->came,
					  .went = set->went};
	snprintf(change->name, sizeof(change->name), "%s", set->name);
}

enum status job_sets_report(struct job *job, const struct index_write_filter *filters,
			    const struct filter_entry *const *entries, size_t count)
{
	struct job_summary *summary = job->summary;
	struct job_set_change *changes;
	bool *asking;

	summary->sets_removed = job->sets.pruned_count;
	if (job->sets.count == 0)
		return STATUS_OK;
	changes = calloc(job->sets.count, sizeof(*changes));
	asking = calloc(job->filters.count + 1, sizeof(*asking));
	if (!changes || !asking) {
		free(changes);
		free(asking);
		return message_out_of_memory(job->message);
	}
	free(summary->set_changes);
	summary->set_changes = changes;
	summary->set_change_count = 0;
	for (size_t i = 0; i < job->sets.count; i++) {
		struct job_set_change *change;

		if (!job->sets.items[i].came && !job->sets.items[i].went &&
		    job->sets.items[i].stored)
			continue;
		change = &changes[summary->set_change_count];
		change_fill(&job->sets.items[i], change);
		summary->set_change_count++;
		askers_find(&job->filters, i, asking);
		for (size_t j = 0; j < count; j++) {
			if (!asking[entries[j] - job->filters.items])
				continue;
			change->filters++;
			change->rows += filters[j].changed;
		}
	}
	free(asking);
	return STATUS_OK;
}

void job_set_writes_free(struct job_set_writes *writes)
{
	free(writes->written);
	free((void *)writes->removed);
}

void job_sets_free(struct job_sets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		free(sets->items[i].bytes);
	free(sets->items);
	free(sets->entries);
	free(sets->pruned);
	index_sets_free(&sets->found);
	*sets = (struct job_sets){0};
}

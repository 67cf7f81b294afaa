#include "answer_cache.h"

#include <stdlib.h>
#include <string.h>

#include "database_state.h"
#include "engine/optimiser_check.h"
#include "expression/expression.h"
#include "host_stop.h"

/* Statements that go to and fro between so many tables find each only once. */
enum { INDEXES_MAX = 4 };

struct entry {
	char *database_name;
	char *expression;
	char *identity; /* of the index's build */
	struct shared_set *answer;
	uint64_t used; /* the cache's clock when it was asked last */
};

/* An index that was asked: finding and checking it anew costs a lot of small statements. */
struct known_index {
	bool valid;
	uint64_t used; /* the cache's clock when it was asked last */
	char *wanted;  /* as answer_index_find was asked, with the table; may be NULL */
	char *table;
	struct answer_index index;
	struct file_state
		states[DATABASES_MAX]; /* of all databases but temp: any may have the log */
	int database_count;
};

struct answer_cache {
	sqlite3 *database;
	struct known_index indexes[INDEXES_MAX];
	struct known_index *known; /* the one that is asked now */
	struct entry entries[ANSWER_CACHE_COUNT];
	uint64_t clock;
	uint64_t evaluated;
	uint64_t filters_read;
	size_t references;
	struct message miscompiled; /* of the question that was asked last */
	struct host_stop host;	    /* of the question that is asked now */
};

bool answer_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

struct answer_cache *answer_cache_new(sqlite3 *database)
{
	struct answer_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->database = database;
	cache->known = cache->indexes;
	cache->references = 1;
	return cache;
}

static void entry_clear(struct entry *entry)
{
	free(entry->database_name);
	free(entry->expression);
	free(entry->identity);
	shared_set_release(entry->answer);
	*entry = (struct entry){0};
}

static void known_forget(struct known_index *known)
{
	if (known->valid)
		answer_index_free(&known->index);
	free(known->wanted);
	free(known->table);
	*known = (struct known_index){.used = known->used};
}

static void cache_forget(struct answer_cache *cache)
{
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++)
		entry_clear(&cache->entries[i]);
	for (size_t i = 0; i < INDEXES_MAX; i++)
		known_forget(&cache->indexes[i]);
}

struct answer_cache *answer_cache_retain(struct answer_cache *cache)
{
	cache->references++;
	return cache;
}

void answer_cache_release(void *reference)
{
	struct answer_cache *cache = reference;

	if (--cache->references > 0)
		return;
	cache_forget(cache);
	free(cache);
}

static struct entry *entry_find(struct answer_cache *cache, const struct answer_index *index,
				const char *expression)
{
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++) {
		struct entry *entry = &cache->entries[i];

		if (entry->answer && strcmp(entry->database_name, index->database_name) == 0 &&
		    strcmp(entry->identity, index->source.identity) == 0 &&
		    strcmp(entry->expression, expression) == 0)
			return entry;
	}
	return NULL;
}

static struct entry *entry_oldest(struct answer_cache *cache, size_t *bytes)
{
	struct entry *oldest = NULL;

	*bytes = 0;
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++) {
		struct entry *entry = &cache->entries[i];

		if (!entry->answer)
			continue;
		*bytes += entry->answer->rows.bytes;
		if (!oldest || entry->used < oldest->used)
			oldest = entry;
	}
	return oldest;
}

static struct entry *entry_free(struct answer_cache *cache)
{
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++)
		if (!cache->entries[i].answer)
			return &cache->entries[i];
	return NULL;
}

/* Makes room for one more answer of that size and returns its place. */
static struct entry *entry_make_room(struct answer_cache *cache, size_t needed)
{
	size_t bytes;
	struct entry *oldest = entry_oldest(cache, &bytes);

	while (oldest && (!entry_free(cache) || bytes + needed > ANSWER_CACHE_BYTES)) {
		entry_clear(oldest);
		oldest = entry_oldest(cache, &bytes);
	}
	return entry_free(cache);
}

/* What cannot be kept for want of memory is simply not kept. */
static void entry_keep(struct answer_cache *cache, const struct answer_index *index,
		       const char *expression, struct shared_set *answer)
{
	struct entry *entry = entry_make_room(cache, answer->rows.bytes);

	*entry = (struct entry){
		.database_name = strdup(index->database_name),
		.expression = strdup(expression),
		.identity = strdup(index->source.identity),
		.used = ++cache->clock,
	};
	if (!entry->database_name || !entry->expression || !entry->identity) {
		entry_clear(entry);
		return;
	}
	answer->references++;
	entry->answer = answer;
}

static struct shared_set *entry_use(struct answer_cache *cache, struct entry *entry)
{
	entry->used = ++cache->clock;
	entry->answer->references++;
	return entry->answer;
}

/* A filter's name is an expression like any other: struct operand_memory, on the known index. */
static struct shared_set *memory_find(void *context, const char *name)
{
	struct answer_cache *cache = context;
	struct entry *entry = entry_find(cache, &cache->known->index, name);

	return entry ? entry_use(cache, entry) : NULL;
}

static void memory_keep(void *context, const char *name, struct shared_set *answer)
{
	struct answer_cache *cache = context;

	cache->filters_read++;
	entry_keep(cache, &cache->known->index, name, answer);
}

static struct answer_question question_of(struct answer_cache *cache, const char *expression,
					  const struct operand_memory *memory, bool *moves)
{
	cache->evaluated++;
	return (struct answer_question){
		.database = cache->database,
		.index = &cache->known->index,
		.expression = expression,
		.memory = memory,
		.untrusted = true,
		.bounds = &cache->host.bounds,
		.miscompiled = &cache->miscompiled,
		.moves = moves,
	};
}

/* SQL has no other place for a warning than SQLite's log. */
static void warning_tell(const struct answer_cache *cache, enum status status)
{
	if (status == STATUS_OK && *cache->miscompiled.text)
		sqlite3_log(SQLITE_WARNING, OPTIMISER_WARNING_BRIEF, cache->miscompiled.text);
}

static struct operand_memory memory_of(struct answer_cache *cache)
{
	/* So much that what two filters have in common can be kept too. */
	return (struct operand_memory){.context = cache,
				       .bytes = ANSWER_CACHE_BYTES / 4,
				       .find = memory_find,
				       .keep = memory_keep};
}

static enum status answer_make(struct answer_cache *cache, const char *expression,
			       struct shared_set **answer, struct message *message)
{
	const struct operand_memory memory = memory_of(cache);
	bool moves = false;
	const struct answer_question question = question_of(cache, expression, &memory, &moves);
	struct entry *entry;
	enum status status;

	*answer = shared_set_new();
	if (!*answer)
		return message_out_of_memory(message);
	host_stop_begin(&cache->host, cache->database);
	status = answer_run(&question, &(*answer)->rows, message);
	host_stop_end(&cache->host);
	warning_tell(cache, status);
	/* A name alone was kept on the way. */
	entry = status == STATUS_OK ? entry_find(cache, question.index, expression) : NULL;
	if (status != STATUS_OK || entry) {
		shared_set_release(*answer);
		*answer = entry ? entry_use(cache, entry) : NULL;
		return status;
	}
	if (!moves)
		entry_keep(cache, question.index, expression, *answer);
	return STATUS_OK;
}

/* The place of an index that was asked before, or the one that was asked longest ago. */
static struct known_index *known_place(struct answer_cache *cache, const char *schema,
				       const char *table)
{
	struct known_index *oldest = &cache->indexes[0];

	for (size_t i = 0; i < INDEXES_MAX; i++) {
		struct known_index *known = &cache->indexes[i];

		if (known->valid && answer_same_text(known->wanted, schema) &&
		    answer_same_text(known->table, table))
			return known;
		if (known->used < oldest->used)
			oldest = known;
	}
	return oldest;
}

/* True if that index is asked again and neither it nor any log has changed. */
static bool known_resume(struct answer_cache *cache, const char *schema, const char *table)
{
	struct known_index *known = cache->known;
	struct file_state states[DATABASES_MAX];
	struct message ignored;
	int count;
	bool same;

	if (!known->valid || !answer_same_text(known->wanted, schema) ||
	    !answer_same_text(known->table, table) ||
	    !file_states_read(cache->database, known->index.source.layout.table, states, &count) ||
	    count != known->database_count)
		return false;
	for (int i = 0; i < count; i++)
		if (!file_state_same(&states[i], &known->states[i]))
			return false;
	return answer_index_resume(cache->database, &known->index, &same, &ignored) == STATUS_OK &&
	       same;
}

/* Whether an answer is of another table's build, which was found too and is looked at in its turn.
 */
static bool is_of_another(const struct answer_cache *cache, const struct entry *entry)
{
	if (strcmp(cache->known->index.source.identity, entry->identity) == 0)
		return false;
	for (size_t i = 0; i < INDEXES_MAX; i++) {
		const struct known_index *known = &cache->indexes[i];

		if (known->valid && strcmp(known->index.database_name, entry->database_name) == 0 &&
		    strcmp(known->index.source.identity, entry->identity) == 0)
			return true;
	}
	return false;
}

static enum status known_find(struct answer_cache *cache, const char *schema, const char *table,
			      struct message *message)
{
	struct known_index *known = cache->known;
	enum status status;

	known_forget(known);
	known->wanted = schema ? strdup(schema) : NULL;
	known->table = table ? strdup(table) : NULL;
	if ((schema && !known->wanted) || (table && !known->table))
		return message_out_of_memory(message);
	status = answer_index_find(cache->database, schema, NULL, table, &known->index, message);
	if (status != STATUS_OK)
		return status;
	known->valid = true;
	/*
	 * Whatever made it necessary to look anew may have changed the bitmaps too. Those of
	 * other tables are looked at when they are asked.
	 */
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++)
		if (cache->entries[i].answer &&
		    strcmp(cache->entries[i].database_name, known->index.database_name) == 0 &&
		    !is_of_another(cache, &cache->entries[i]))
			entry_clear(&cache->entries[i]);
	if (!file_states_read(cache->database, known->index.source.layout.table, known->states,
			      &known->database_count))
		known->database_count = -1;
	return STATUS_OK;
}

/* What is asked of the index that is held. */
struct request {
	const char *expression;
	struct shared_set **answer; /* or else */
	uint64_t *rows;		    /* or else only */
	char **table;
	struct facet *facet;
	enum facet_by by;
};

/* Counts the rows of an answer that is kept, or made now. */
static enum status request_facet(struct answer_cache *cache, const struct request *request,
				 struct entry *entry, struct message *message)
{
	struct shared_set *answer = entry ? entry_use(cache, entry) : NULL;
	struct facet_question question = {.database = cache->database,
					  .index = &cache->known->index,
					  .by = request->by,
					  .limit = UINT64_MAX,
					  .stop = &cache->host.stop};
	enum status status =
		answer ? STATUS_OK : answer_make(cache, request->expression, &answer, message);

	if (status != STATUS_OK)
		return status;
	question.rows = &answer->rows;
	host_stop_begin(&cache->host, cache->database);
	status = facet_count(&question, request->facet, message);
	host_stop_end(&cache->host);
	shared_set_release(answer);
	return status;
}

static enum status request_answer(struct answer_cache *cache, const struct request *request,
				  struct message *message)
{
	struct entry *entry = entry_find(cache, &cache->known->index, request->expression);
	struct answer_question question;
	struct operand_memory memory;
	enum status status;

	if (request->table) {
		*request->table = strdup(cache->known->index.source.layout.table);
		return *request->table ? STATUS_OK : message_out_of_memory(message);
	}
	if (request->facet)
		return request_facet(cache, request, entry, message);
	if (request->answer && entry) {
		*request->answer = entry_use(cache, entry);
		return STATUS_OK;
	}
	if (request->answer)
		return answer_make(cache, request->expression, request->answer, message);
	if (entry) {
		entry->used = ++cache->clock;
		*request->rows = entry->answer->rows.rows;
		return STATUS_OK;
	}
	memory = memory_of(cache);
	question = question_of(cache, request->expression, &memory, NULL);
	host_stop_begin(&cache->host, cache->database);
	status = answer_count(&question, request->rows, message);
	host_stop_end(&cache->host);
	warning_tell(cache, status);
	return status;
}

/* Finds and holds the index, asks, and lets go again. */
static enum status cache_ask(struct answer_cache *cache, const char *schema,
			     const struct request *request, struct message *message)
{
	struct request rest = *request;
	struct snapshots snapshots;
	char *table;
	enum status status =
		expression_table(request->expression, &table, &rest.expression, message);

	if (status != STATUS_OK)
		return status;
	status = snapshots_hold(cache->database, &snapshots, message);
	cache->known = known_place(cache, schema, table);
	cache->known->used = ++cache->clock;
	if (status == STATUS_OK && !known_resume(cache, schema, table))
		status = known_find(cache, schema, table, message);
	if (status != STATUS_OK)
		goto cleanup;
	status = request_answer(cache, &rest, message);
	answer_index_rest(&cache->known->index);
	if (cache->known->database_count < 0)
		cache_forget(cache);
cleanup:
	free(table);
	snapshots_release(&snapshots);
	return status;
}

enum status answer_cache_get(struct answer_cache *cache, const char *schema, const char *expression,
			     struct shared_set **answer, struct message *message)
{
	const struct request request = {.expression = expression, .answer = answer};

	*answer = NULL;
	return cache_ask(cache, schema, &request, message);
}

enum status answer_cache_count(struct answer_cache *cache, const char *schema,
			       const char *expression, uint64_t *rows, struct message *message)
{
	const struct request request = {.expression = expression, .rows = rows};

	*rows = 0;
	return cache_ask(cache, schema, &request, message);
}

enum status answer_cache_facet(struct answer_cache *cache, const char *schema,
			       const char *expression, enum facet_by by, struct facet *facet,
			       struct message *message)
{
	const struct request request = {.expression = expression, .facet = facet, .by = by};

	*facet = (struct facet){0};
	return cache_ask(cache, schema, &request, message);
}

enum status answer_cache_table(struct answer_cache *cache, const char *schema,
			       const char *expression, char **table, struct message *message)
{
	const struct request request = {.expression = expression, .table = table};

	*table = NULL;
	return cache_ask(cache, schema, &request, message);
}

double answer_cache_guess(struct answer_cache *cache)
{
	struct answer_index index;
	struct message ignored;
	double rows = 1000;

	if (answer_index_find(cache->database, NULL, NULL, NULL, &index, &ignored) != STATUS_OK)
		return rows;
	index_filters_average(cache->database, index.database_name, index.source.id, &rows);
	answer_index_free(&index);
	return rows;
}

void answer_cache_look(const struct answer_cache *cache, struct answer_cache_state *state)
{
	*state = (struct answer_cache_state){.evaluated = cache->evaluated,
					     .filters_read = cache->filters_read};
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++) {
		if (!cache->entries[i].answer)
			continue;
		state->answers++;
		state->bytes += cache->entries[i].answer->rows.bytes;
	}
}

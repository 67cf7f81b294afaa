#include "answer_cache.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "database.h"

struct entry {
	char *database_name;
	char *expression;
	char *identity; /* of the index's build */
	struct answer *answer;
	uint64_t used; /* the cache's clock when it was asked last */
};

/* By which a file is known to be the one seen before, and unchanged. */
struct file_state {
	void *file;
	uint32_t version;
	int64_t changes; /* by this connection: those not committed yet have no version */
};

/* The index that was asked last: finding and checking it anew costs a lot of small statements. */
struct known_index {
	bool valid;
	char *wanted; /* as answer_index_find was asked; may be NULL */
	struct answer_index index;
	struct file_state index_state;
	struct file_state main_state; /* the log is there, or in the index's file */
};

struct answer_cache {
	sqlite3 *database;
	struct known_index known;
	struct entry entries[ANSWER_CACHE_COUNT];
	uint64_t clock;
	size_t references;
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
	cache->references = 1;
	return cache;
}

void answer_release(struct answer *answer)
{
	if (!answer || --answer->references > 0)
		return;
	row_set_free(&answer->rows);
	free(answer);
}

static void entry_clear(struct entry *entry)
{
	free(entry->database_name);
	free(entry->expression);
	free(entry->identity);
	answer_release(entry->answer);
	*entry = (struct entry){0};
}

static void known_forget(struct known_index *known)
{
	if (known->valid)
		answer_index_free(&known->index);
	free(known->wanted);
	*known = (struct known_index){0};
}

static void cache_forget(struct answer_cache *cache)
{
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++)
		entry_clear(&cache->entries[i]);
	known_forget(&cache->known);
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
		       const char *expression, struct answer *answer)
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

static enum status answer_make(struct answer_cache *cache, const struct answer_index *index,
			       const char *expression, struct answer **answer,
			       struct message *message)
{
	enum status status;

	*answer = calloc(1, sizeof(**answer));
	if (!*answer)
		return message_out_of_memory(message);
	(*answer)->references = 1;
	status = answer_run(cache->database, index, expression, &(*answer)->rows, message);
	if (status != STATUS_OK) {
		free(*answer);
		*answer = NULL;
		return status;
	}
	entry_keep(cache, index, expression, *answer);
	return STATUS_OK;
}

/* False where SQLite cannot tell. Current as of the read transaction that is open. */
static bool file_state_read(sqlite3 *database, const char *database_name, struct file_state *state)
{
	state->changes = sqlite3_total_changes64(database);
	return sqlite3_file_control(database, database_name, SQLITE_FCNTL_FILE_POINTER,
				    &state->file) == SQLITE_OK &&
	       sqlite3_file_control(database, database_name, SQLITE_FCNTL_DATA_VERSION,
				    &state->version) == SQLITE_OK;
}

static bool file_state_same(const struct file_state *a, const struct file_state *b)
{
	return a->file == b->file && a->version == b->version && a->changes == b->changes;
}

/* Begins to read main, so that its data version is the current one. */
static enum status main_hold(sqlite3 *database, sqlite3_stmt **statement, struct message *message)
{
	int row;
	enum status status =
		database_prepare(database, statement, message, "SELECT 1 FROM main.sqlite_master");

	if (status == STATUS_OK)
		status = database_step(*statement, &row, message);
	return status;
}

/*
 * Whether it can be told later that nothing has changed: not where this
 * connection has written what it may still roll back, nor where the log may be
 * in a third database, whose changes are not watched.
 */
static bool state_can_be_known(sqlite3 *database, const char *index_name)
{
	const char *name;

	if (sqlite3_txn_state(database, NULL) == SQLITE_TXN_WRITE)
		return false;
	for (int i = 0; (name = sqlite3_db_name(database, i)); i++)
		if (sqlite3_stricmp(name, "main") != 0 && sqlite3_stricmp(name, "temp") != 0 &&
		    sqlite3_stricmp(name, index_name) != 0)
			return false;
	return true;
}

/* True if the index asked last is asked again and neither it nor its log has changed. */
static bool known_resume(struct answer_cache *cache, const char *schema)
{
	struct known_index *known = &cache->known;
	struct file_state index_state;
	struct file_state main_state;
	struct message ignored;
	bool same;

	if (!known->valid || !answer_same_text(known->wanted, schema) ||
	    !state_can_be_known(cache->database, known->index.database_name))
		return false;
	if (answer_index_resume(cache->database, &known->index, &same, &ignored) != STATUS_OK ||
	    !same)
		return false;
	if (file_state_read(cache->database, known->index.database_name, &index_state) &&
	    file_state_read(cache->database, "main", &main_state) &&
	    file_state_same(&index_state, &known->index_state) &&
	    file_state_same(&main_state, &known->main_state))
		return true;
	answer_index_rest(&known->index);
	return false;
}

static enum status known_find(struct answer_cache *cache, const char *schema,
			      struct message *message)
{
	struct known_index *known = &cache->known;
	enum status status;

	known_forget(known);
	known->wanted = schema ? strdup(schema) : NULL;
	if (schema && !known->wanted)
		return message_out_of_memory(message);
	status = answer_index_find(cache->database, schema, &known->index, message);
	if (status != STATUS_OK)
		return status;
	known->valid = true;
	/* Whatever made it necessary to look anew may have changed the bitmaps too. */
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++)
		if (cache->entries[i].answer &&
		    strcmp(cache->entries[i].database_name, known->index.database_name) == 0)
			entry_clear(&cache->entries[i]);
	if (!file_state_read(cache->database, known->index.database_name, &known->index_state) ||
	    !file_state_read(cache->database, "main", &known->main_state))
		known->index_state.file = NULL;
	return STATUS_OK;
}

enum status answer_cache_get(struct answer_cache *cache, const char *schema, const char *expression,
			     struct answer **answer, struct message *message)
{
	const struct answer_index *index = &cache->known.index;
	sqlite3_stmt *main_snapshot = NULL;
	struct entry *entry;
	enum status status = main_hold(cache->database, &main_snapshot, message);

	*answer = NULL;
	if (status == STATUS_OK && !known_resume(cache, schema))
		status = known_find(cache, schema, message);
	if (status != STATUS_OK)
		goto cleanup;
	entry = entry_find(cache, index, expression);
	if (entry) {
		entry->used = ++cache->clock;
		entry->answer->references++;
		*answer = entry->answer;
	} else {
		status = answer_make(cache, index, expression, answer, message);
	}
	answer_index_rest(&cache->known.index);
	if (!state_can_be_known(cache->database, index->database_name))
		cache_forget(cache);
cleanup:
	sqlite3_finalize(main_snapshot);
	return status;
}

#include "answer_cache.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"

struct entry {
	char *database_name;
	char *expression;
	char *indexed_at;
	int64_t source; /* an index that was built again has another id */
	struct answer *answer;
	uint64_t used; /* the cache's clock when it was asked last */
};

struct answer_cache {
	sqlite3 *database;
	struct entry entries[ANSWER_CACHE_COUNT];
	uint64_t clock;
	size_t references;
};

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
	free(entry->indexed_at);
	answer_release(entry->answer);
	*entry = (struct entry){0};
}

struct answer_cache *answer_cache_retain(struct answer_cache *cache)
{
	cache->references++;
	return cache;
}

void answer_cache_release(struct answer_cache *cache)
{
	if (--cache->references > 0)
		return;
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++)
		entry_clear(&cache->entries[i]);
	free(cache);
}

static struct entry *entry_find(struct answer_cache *cache, const struct answer_index *index,
				const char *expression)
{
	for (size_t i = 0; i < ANSWER_CACHE_COUNT; i++) {
		struct entry *entry = &cache->entries[i];

		if (entry->answer && entry->source == index->source.id &&
		    strcmp(entry->database_name, index->database_name) == 0 &&
		    strcmp(entry->indexed_at, index->source.indexed_at) == 0 &&
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
		.indexed_at = strdup(index->source.indexed_at),
		.source = index->source.id,
		.used = ++cache->clock,
	};
	if (!entry->database_name || !entry->expression || !entry->indexed_at) {
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

enum status answer_cache_get(struct answer_cache *cache, const char *schema, const char *expression,
			     struct answer **answer, struct message *message)
{
	struct answer_index index;
	struct entry *entry;
	enum status status = answer_index_find(cache->database, schema, &index, message);

	*answer = NULL;
	if (status != STATUS_OK)
		return status;
	entry = entry_find(cache, &index, expression);
	if (entry) {
		entry->used = ++cache->clock;
		entry->answer->references++;
		*answer = entry->answer;
	} else {
		status = answer_make(cache, &index, expression, answer, message);
	}
	answer_index_free(&index);
	return status;
}

#include "program_cache.h"

#include <stdlib.h>
#include <string.h>

#include "database/sqlite.h"
#include "engine/optimiser_check.h"
#include "filter/host_name_guard.h"
#include "filter/soundness.h"

/* Programs by their last use, the latest first. */
struct program_cache {
	struct shared_program *programs[PROGRAM_CACHE_COUNT];
	size_t count;
	size_t references;
};

struct program_cache *program_cache_new(void)
{
	struct program_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		cache->references = 1;
	return cache;
}

struct program_cache *program_cache_retain(struct program_cache *cache)
{
	cache->references++;
	return cache;
}

void shared_program_release(void *reference)
{
	struct shared_program *program = reference;

	if (!program || --program->references > 0)
		return;
	program_free(&program->program);
	free(program->expression);
	free(program);
}

void program_cache_release(void *reference)
{
	struct program_cache *cache = reference;

	if (--cache->references > 0)
		return;
	for (size_t i = 0; i < cache->count; i++)
		shared_program_release(cache->programs[i]);
	free(cache);
}

/* SQL has no other place for a warning than SQLite's log, and a host's process does not fork for
 * it.
 */
static enum status optimiser_warn(const char *expression, const struct program *program,
				  struct message *message)
{
	bool differs;
	enum status status = optimiser_check(expression, program, true, &differs, message);

	if (status == STATUS_OK && differs)
		sqlite3_log(SQLITE_WARNING, OPTIMISER_WARNING_BRIEF, expression);
	return status;
}

/* What no connection can answer compiles all the same, if it compiles at all. */
static enum status program_make(const char *expression, const struct program_bounds *bounds,
				struct shared_program *program, struct message *message)
{
	struct message cause;
	enum status status = host_name_guard_check(expression, message);

	if (status != STATUS_OK)
		return status;
	status = soundness_compile(expression, bounds, &program->program, &cause);
	if (status == STATUS_OK)
		return optimiser_warn(expression, &program->program, message);
	program_free(&program->program);
	program->program = (struct program){0};
	if (status != STATUS_USAGE) {
		*message = cause;
		return status;
	}
	program->unanswerable = cause;
	return program_compile_bounded(expression, bounds, &program->program, message);
}

static enum status shared_program_new(const char *expression, const struct program_bounds *bounds,
				      struct shared_program **program, struct message *message)
{
	struct shared_program *made = calloc(1, sizeof(*made));
	enum status status = STATUS_OK;

	*program = NULL;
	if (!made)
		return message_out_of_memory(message);
	made->references = 1;
	made->expression = strdup(expression);
	status = made->expression ? program_make(expression, bounds, made, message)
				  : message_out_of_memory(message);
	if (status != STATUS_OK) {
		shared_program_release(made);
		return status;
	}
	*program = made;
	return STATUS_OK;
}

/* Puts a program first; what stood at `place` goes to make room. */
static void program_first(struct program_cache *cache, struct shared_program *program, size_t place)
{
	memmove(cache->programs + 1, cache->programs, place * sizeof(*cache->programs));
	cache->programs[0] = program;
}

enum status program_cache_get(struct program_cache *cache, const char *expression,
			      const struct program_bounds *bounds, struct shared_program **program,
			      struct message *message)
{
	enum status status;

	for (size_t i = 0; i < cache->count; i++) {
		if (strcmp(cache->programs[i]->expression, expression) != 0)
			continue;
		*program = cache->programs[i];
		(*program)->references++;
		program_first(cache, *program, i);
		return STATUS_OK;
	}
	status = shared_program_new(expression, bounds, program, message);
	if (status != STATUS_OK)
		return status;
	if (cache->count == PROGRAM_CACHE_COUNT)
		shared_program_release(cache->programs[--cache->count]);
	(*program)->references++;
	program_first(cache, *program, cache->count++);
	return STATUS_OK;
}

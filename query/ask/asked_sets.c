#include "asked_sets.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "expression/suggestion.h"
#include "index/set_reader.h"
#include "search_threads.h"

enum {
	MAKERS_MAX = 16,
	LARGE = 1 << 18, /* bytes of a set for which a thread is worth starting */
};

struct loaded_set {
	size_t name; /* its place in the expression */
	const struct address_set *set;
	struct address_set *own; /* NULL of one that was given */
	uint8_t *bytes;		 /* of the index, before it is made ready */
	size_t size;
};

static enum status unknown_set(const struct set_source *source, const struct expression_name *name,
			       struct message *message)
{
	struct suggestion suggestion = {.wanted = name->text};
	struct index_sets stored = {0};
	struct message ignored;
	enum status status;

	if (index_sets_read(source->database, source->index->database_name,
			    source->index->source.id, &stored, &ignored) == STATUS_OK)
		for (size_t i = 0; i < stored.count; i++)
			suggestion_consider(&suggestion, stored.items[i].name);
	for (size_t i = 0; i < source->given_count; i++)
		suggestion_consider(&suggestion, source->given[i].name);
	if (suggestion.nearest)
		status = expression_error(source->text, name->at, message,
					  "no address set '%.100s'; did you mean '%.100s'?",
					  name->text, suggestion.nearest);
	else
		status = expression_error(source->text, name->at, message,
					  "no address set '%.100s'; a catalogue has them as [set "
					  "%.100s], connbits-query takes --set %.100s=FILE",
					  name->text, name->text, name->text);
	index_sets_free(&stored);
	return status;
}

/* The place of the set of a name, which is noted where it is not there yet. */
static size_t set_note(const struct set_source *source, const struct expression *expression,
		       size_t number, struct asked_sets *sets)
{
	const struct expression_name *name = &expression->names[number];
	struct loaded_set *loaded;

	for (size_t i = 0; i < sets->loaded_count; i++)
		if (strcmp(expression->names[sets->loaded[i].name].text, name->text) == 0)
			return i;
	loaded = &sets->loaded[sets->loaded_count++];
	*loaded = (struct loaded_set){.name = number};
	for (size_t i = 0; i < source->given_count; i++)
		if (strcmp(source->given[i].name, name->text) == 0)
			loaded->set = source->given[i].set;
	return sets->loaded_count - 1;
}

/* Sets that threads make ready as they are read. */
struct making {
	struct asked_sets *sets;
	pthread_mutex_t lock;
	pthread_cond_t more;
	size_t read; /* sets that can be made; guarded, as all that follows is */
	size_t next;
	bool closed; /* no more will be read */
	enum status status;
	size_t failed; /* the set that the status is of */
	struct message message;
};

/* The next set to be made; NULL where none will come. */
static struct loaded_set *making_next(struct making *making)
{
	struct loaded_set *loaded = NULL;

	pthread_mutex_lock(&making->lock);
	while (making->next == making->read && !making->closed)
		pthread_cond_wait(&making->more, &making->lock);
	if (making->next < making->read && making->status == STATUS_OK)
		loaded = &making->sets->loaded[making->next++];
	pthread_mutex_unlock(&making->lock);
	return loaded;
}

static void *maker_run(void *context)
{
	struct making *making = context;
	struct loaded_set *loaded;

	while ((loaded = making_next(making))) {
		struct message message = {.code = 0};
		enum status status;

		if (loaded->set)
			continue;
		status = address_set_read(loaded->bytes, loaded->size, &loaded->own, &message);
		loaded->set = loaded->own;
		free(loaded->bytes);
		loaded->bytes = NULL;
		pthread_mutex_lock(&making->lock);
		if (status != STATUS_OK && making->status == STATUS_OK) {
			making->status = status;
			making->failed = (size_t)(loaded - making->sets->loaded);
			making->message = message;
		}
		pthread_mutex_unlock(&making->lock);
	}
	return NULL;
}

/* Says that one more set was read, or that no more will be. */
static void making_tell(struct making *making, bool closed)
{
	pthread_mutex_lock(&making->lock);
	making->read += !closed;
	making->closed = closed;
	pthread_cond_broadcast(&making->more);
	pthread_mutex_unlock(&making->lock);
}

/* Reads the bytes of a set that was not given. */
static enum status set_read(const struct set_source *source, const struct expression_name *name,
			    struct loaded_set *loaded, struct message *message)
{
	bool found = true;
	enum status status;

	if (loaded->set)
		return STATUS_OK;
	status = index_set_bytes(source->database, source->index->database_name,
				 source->index->source.id, name->text, &loaded->bytes,
				 &loaded->size, &found, message);
	return status == STATUS_OK && !found ? unknown_set(source, name, message) : status;
}

/* This thread reads the sets, since the connection is its own, and others make them ready. */
static enum status sets_read(const struct set_source *source, const struct expression *expression,
			     struct asked_sets *sets, struct message *message)
{
	struct making making = {.sets = sets,
				.lock = PTHREAD_MUTEX_INITIALIZER,
				.more = PTHREAD_COND_INITIALIZER,
				.status = STATUS_OK};
	const size_t most = search_threads() < MAKERS_MAX ? search_threads() : MAKERS_MAX;
	pthread_t threads[MAKERS_MAX];
	size_t started = 0;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < sets->loaded_count; i++) {
		status = set_read(source, &expression->names[sets->loaded[i].name],
				  &sets->loaded[i], message);
		if (status != STATUS_OK)
			break;
		making_tell(&making, false);
		/* What takes no time to make is made here. */
		if (sets->loaded[i].size >= LARGE && i + 1 < sets->loaded_count &&
		    started + 1 < most &&
		    search_thread_start(&threads[started], maker_run, &making))
			started++;
	}
	making_tell(&making, true);
	maker_run(&making);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_cond_destroy(&making.more);
	pthread_mutex_destroy(&making.lock);
	if (status != STATUS_OK || making.status == STATUS_OK)
		return status;
	*message = making.message;
	return index_set_judge(expression->names[sets->loaded[making.failed].name].text,
			       making.status, message);
}

enum status asked_sets_load(const struct set_source *source, const struct expression *expression,
			    struct asked_sets *sets, struct message *message)
{
	const size_t names = expression->name_count;
	enum status status;

	*sets = (struct asked_sets){0};
	sets->loaded = calloc(names + 1, sizeof(*sets->loaded));
	sets->questions = calloc(names + 1, sizeof(*sets->questions));
	sets->set_of = calloc(names + 1, sizeof(*sets->set_of));
	if (!sets->loaded || !sets->questions || !sets->set_of)
		return message_out_of_memory(message);
	for (size_t i = 0; i < names; i++) {
		const struct expression_name *name = &expression->names[i];

		if (!expression_leaf_has_set(name->leaf))
			continue;
		sets->questions[sets->question_count].destination =
			name->leaf == LEAF_DESTINATION_IN;
		sets->set_of[sets->question_count++] = set_note(source, expression, i, sets);
	}
	status = sets_read(source, expression, sets, message);
	for (size_t i = 0; status == STATUS_OK && i < sets->question_count; i++)
		sets->questions[i].set = sets->loaded[sets->set_of[i]].set;
	return status;
}

void asked_sets_free(struct asked_sets *sets)
{
	for (size_t i = 0; i < sets->loaded_count; i++) {
		address_set_free(sets->loaded[i].own);
		free(sets->loaded[i].bytes);
	}
	free(sets->loaded);
	free(sets->questions);
	free(sets->set_of);
	*sets = (struct asked_sets){0};
}

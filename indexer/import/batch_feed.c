#include "batch_feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "head_digest.h"

enum {
	BATCHES = 4,
	WAIT_SECONDS = 1,
	TEXT_SIZE = 1 << 18, /* of a batch */
	TAIL_SIZE = 1 << 12,
};

struct batch_feed {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool started;
	struct parser *parser;
	struct input *input;
	struct intake *intake;
	struct feed_start start;
	struct row_batch batches[BATCHES]; /* a ring: */
	size_t made;			   /* batches that the parser has given */
	size_t taken;			   /* and of those, that were given to the writer */
	size_t done;			   /* and those that it has given back */
	bool end;			   /* no more will be made */
	bool cancelled;			   /* nobody wants more */
	enum status status;
	struct message message;
	/* Of the thread: */
	char *carried; /* the beginning of a row whose end has not come */
	size_t carried_size;
	size_t carried_capacity;
	uint64_t offset; /* of its first byte */
	bool input_end;
	enum status input_status; /* why it ended */
	struct message input_message;
	bool skipping; /* within a line that is too long */
};

/* Waits for a batch that is free; NULL where nobody wants more. */
static struct row_batch *batch_free_take(struct batch_feed *feed)
{
	struct row_batch *batch = NULL;

	pthread_mutex_lock(&feed->lock);
	while (!feed->cancelled && feed->made - feed->done == BATCHES)
		pthread_cond_wait(&feed->changed, &feed->lock);
	if (!feed->cancelled)
		batch = &feed->batches[feed->made % BATCHES];
	pthread_mutex_unlock(&feed->lock);
	if (batch)
		batch_clear(batch);
	return batch;
}

static void batch_give(struct batch_feed *feed)
{
	pthread_mutex_lock(&feed->lock);
	feed->made++;
	pthread_cond_broadcast(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
}

static enum status text_reserve(struct row_batch *batch, size_t capacity, struct message *message)
{
	char *larger;

	if (batch->text_capacity >= capacity)
		return STATUS_OK;
	larger = realloc(batch->text, capacity);
	if (!larger)
		return message_out_of_memory(message);
	batch->text = larger;
	batch->text_capacity = capacity;
	return STATUS_OK;
}

/* Fills the text of a batch: what was carried, and what comes behind. */
static enum status text_fill(struct batch_feed *feed, struct row_batch *batch,
			     struct message *message)
{
	const size_t capacity = feed->carried_size + TEXT_SIZE;
	enum status status = text_reserve(batch, capacity, message);

	if (status != STATUS_OK)
		return status;
	if (feed->carried_size)
		memcpy(batch->text, feed->carried, feed->carried_size);
	batch->text_size = feed->carried_size;
	feed->carried_size = 0;
	while (status == STATUS_OK && !feed->input_end && batch->text_size < capacity) {
		size_t got;

		feed->input_status =
			input_read(feed->input, batch->text + batch->text_size,
				   capacity - batch->text_size, &got, &feed->input_message);
		/* What came before a failure is well. */
		if (feed->input_status != STATUS_OK)
			got = 0;
		batch->text_size += got;
		feed->input_end = got == 0;
		/* What comes slowly, through a pipe, is not waited for. */
		if (got < TEXT_SIZE / 4 && batch->text_size >= TEXT_SIZE / 4)
			break;
	}
	return status;
}

/* Keeps the bytes behind `used` for the next batch. */
static enum status text_carry(struct batch_feed *feed, const struct row_batch *batch, size_t used,
			      struct message *message)
{
	const size_t size = batch->text_size - used;

	if (size > feed->carried_capacity) {
		char *larger = realloc(feed->carried, size);

		if (!larger)
			return message_out_of_memory(message);
		feed->carried = larger;
		feed->carried_capacity = size;
	}
	if (size)
		memcpy(feed->carried, batch->text + used, size);
	feed->carried_size = size;
	feed->offset += used;
	return STATUS_OK;
}

/* Says in the batch where the input is behind it. */
static void batch_mark(const struct batch_feed *feed, struct row_batch *batch, size_t used)
{
	batch->offset = feed->offset;
	batch->lines = feed->intake->line;
	batch->open = false;
	batch->tail_size = used < TAIL_SIZE ? used : TAIL_SIZE;
	head_digest(batch->text + used - batch->tail_size, batch->tail_size, batch->tail);
}

/* Drops what is left of a line that is too long; returns the bytes. */
static size_t line_skip(struct batch_feed *feed, const struct row_batch *batch)
{
	const char *end = memchr(batch->text, '\n', batch->text_size);

	feed->skipping = end == NULL;
	return end ? (size_t)(end - batch->text) + 1 : batch->text_size;
}

/* A last line without an end: its rows count until the line has one. */
static enum status rest_take(struct batch_feed *feed, struct row_batch *batch,
			     struct message *message)
{
	struct intake before = *feed->intake;
	size_t used;
	enum status status;

	batch->text_size = 0;
	status = text_fill(feed, batch, message);
	if (status != STATUS_OK || batch->text_size == 0)
		return status;
	/* As it was before: the parser changes what it reads. */
	batch->lines = feed->intake->line;
	batch->offset = feed->offset;
	batch->tail_size = 0;
	status = feed->parser->take(feed->parser->state, feed->intake, batch->text,
				    batch->text_size, true, &used, message);
	batch->open = true;
	if (status == STATUS_OK && batch->row_count == 0 && feed->start.grows) {
		memcpy(feed->intake->faults, before.faults, sizeof(before.faults));
		feed->intake->named_count = before.named_count;
		feed->intake->incomplete = true;
		return STATUS_OK;
	}
	if (status == STATUS_OK)
		batch_give(feed);
	return status;
}

/* Takes the rows of one text. */
static enum status text_take(struct batch_feed *feed, struct row_batch *batch,
			     struct message *message)
{
	size_t used = 0;
	enum status status = text_fill(feed, batch, message);

	if (status == STATUS_OK && feed->skipping)
		used = line_skip(feed, batch);
	else if (status == STATUS_OK)
		status = feed->parser->take(feed->parser->state, feed->intake, batch->text,
					    batch->text_size, false, &used, message);
	if (status != STATUS_OK)
		return status;
	if (used == 0 && batch->text_size > LINE_MAX_BYTES) {
		feed->intake->line++;
		intake_fault(feed->intake, FAULT_LONG);
		used = line_skip(feed, batch);
	}
	status = text_carry(feed, batch, used, message);
	if (status == STATUS_OK && (used > 0 || batch->table_count || batch->column_count)) {
		batch_mark(feed, batch, used);
		batch_give(feed);
	}
	return status;
}

/* Gives the parser the header of an input that is gone on with. */
static enum status header_take(struct batch_feed *feed, struct message *message)
{
	struct row_batch *batch = batch_free_take(feed);
	const struct intake before = *feed->intake;
	const size_t size = feed->start.header_size;
	size_t used;
	enum status status;

	if (!batch)
		return STATUS_OK;
	status = text_reserve(batch, size, message);
	if (status != STATUS_OK)
		return status;
	memcpy(batch->text, feed->start.header, size);
	feed->intake->batch = batch;
	feed->intake->line = 0;
	status = feed->parser->take(feed->parser->state, feed->intake, batch->text, size, false,
				    &used, message);
	feed->intake->line = before.line;
	memcpy(feed->intake->faults, before.faults, sizeof(before.faults));
	feed->intake->named_count = before.named_count;
	if (status == STATUS_OK) {
		batch_mark(feed, batch, 0);
		batch_give(feed);
	}
	return status;
}

static enum status text_run(struct batch_feed *feed, struct message *message)
{
	enum status status = STATUS_OK;

	if (feed->offset > 0 && feed->start.header_size)
		status = header_take(feed, message);
	while (status == STATUS_OK && !feed->input_end) {
		struct row_batch *batch = batch_free_take(feed);

		if (!batch)
			return STATUS_OK;
		feed->intake->batch = batch;
		status = text_take(feed, batch, message);
	}
	if (status == STATUS_OK && feed->input_status != STATUS_OK) {
		*message = feed->input_message;
		return feed->input_status;
	}
	if (status == STATUS_OK && feed->carried_size > 0 && !feed->skipping) {
		struct row_batch *batch = batch_free_take(feed);

		feed->intake->batch = batch;
		status = batch ? rest_take(feed, batch, message) : STATUS_OK;
	}
	return status;
}

static enum status fill_run(struct batch_feed *feed, struct message *message)
{
	enum status status = STATUS_OK;
	bool done = false;

	while (status == STATUS_OK && !done) {
		struct row_batch *batch = batch_free_take(feed);

		if (!batch)
			return STATUS_OK;
		batch->offset = feed->offset;
		feed->intake->batch = batch;
		status = feed->parser->fill(feed->parser, feed->intake, &done, message);
		feed->offset = batch->offset;
		batch->lines = batch->offset;
		batch->open = false;
		if (input_stream_status(feed->input, message) != STATUS_OK)
			status = STATUS_FAILED;
		/* What came before a failure is well, but not where it is of another file. */
		if (!feed->parser->differs)
			batch_give(feed);
	}
	return status;
}

static void *feed_run(void *context)
{
	struct batch_feed *feed = context;
	struct message message;
	const enum status status =
		feed->parser->fill ? fill_run(feed, &message) : text_run(feed, &message);

	pthread_mutex_lock(&feed->lock);
	feed->end = true;
	feed->status = status;
	if (status != STATUS_OK)
		feed->message = message;
	pthread_cond_broadcast(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
	return NULL;
}

enum status batch_feed_open(struct parser *parser, struct input *input, struct intake *intake,
			    const struct feed_start *start, struct batch_feed **feed,
			    struct message *message)
{
	struct batch_feed *made = calloc(1, sizeof(*made));

	*feed = NULL;
	if (!made)
		return message_out_of_memory(message);
	made->parser = parser;
	made->input = input;
	made->intake = intake;
	made->start = *start;
	made->offset = start->offset;
	if (!parser->fill)
		intake->line = start->lines;
	pthread_mutex_init(&made->lock, NULL);
	pthread_cond_init(&made->changed, NULL);
	if (pthread_create(&made->thread, NULL, feed_run, made) != 0) {
		batch_feed_close(made);
		return message_set(message, STATUS_FAILED, "cannot start a thread");
	}
	made->started = true;
	*feed = made;
	return STATUS_OK;
}

enum status batch_feed_next(struct batch_feed *feed, const struct row_batch **batch, bool *waits,
			    struct message *message)
{
	enum status status = STATUS_OK;
	struct timespec until;
	int code = 0;

	*batch = NULL;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_SECONDS;
	pthread_mutex_lock(&feed->lock);
	feed->done = feed->taken;
	pthread_cond_broadcast(&feed->changed);
	while (feed->taken == feed->made && !feed->end && code == 0)
		code = pthread_cond_timedwait(&feed->changed, &feed->lock, &until);
	*waits = feed->taken == feed->made && !feed->end;
	if (feed->taken < feed->made) {
		*batch = &feed->batches[feed->taken++ % BATCHES];
	} else if (feed->end && feed->status != STATUS_OK) {
		status = feed->status;
		*message = feed->message;
	}
	pthread_mutex_unlock(&feed->lock);
	return status;
}

void batch_feed_close(struct batch_feed *feed)
{
	if (!feed)
		return;
	pthread_mutex_lock(&feed->lock);
	feed->cancelled = true;
	pthread_cond_broadcast(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
	input_cancel(feed->input);
	if (feed->started)
		pthread_join(feed->thread, NULL);
	pthread_mutex_destroy(&feed->lock);
	pthread_cond_destroy(&feed->changed);
	for (size_t i = 0; i < BATCHES; i++)
		batch_free(&feed->batches[i]);
	free(feed->carried);
	free(feed);
}

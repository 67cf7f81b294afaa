#include "header_search.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/segment_encoder.h"
#include "search_threads.h"

enum {
	/* Segments that wait for a thread, half a megabyte each: enough that none runs dry. */
	QUEUE_LENGTH = 8,
};

/* A segment as it is stored, copied out of SQLite's hands. */
struct packed_segment {
	int64_t number;
	struct packed_columns packed;
};

/*
 * One thread reads, since a connection is of one thread, and hands segments to
 * the others; it helps out where they do not keep up. Threads are made for one
 * search and not kept: a host program may fork, or unload the extension.
 */
struct header_search {
	struct encoder_options encoder;
	struct row_set *rows;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct packed_segment queue[QUEUE_LENGTH]; /* a ring */
	size_t first;
	size_t queued;
	bool closed;			  /* nothing more will be queued */
	const struct stop *stop;	  /* NULL, or asked by the thread that reads, */
	const struct search_pause *pause; /* NULL, or called by the same */
	atomic_bool cancelled;		  /* which tells the others */
	size_t running;			  /* of them */
	pthread_cond_t ended;		  /* one of them has */
	struct chunk_table chunks;
	uint64_t headers; /* evaluated so far */
	enum status status;
	struct message message;
};

/* What a thread evaluates with. */
struct searcher {
	struct encoder_options options;
	struct segment_columns *columns;
	struct segment_encoder *encoder;
};

static void searcher_close(struct searcher *searcher)
{
	segment_columns_free(searcher->columns);
	segment_encoder_free(searcher->encoder);
}

/* stop is asked on the searcher's thread. */
static enum status searcher_open(struct searcher *searcher, const struct header_search *search,
				 const struct stop *stop, struct message *message)
{
	*searcher = (struct searcher){.options = search->encoder, .columns = segment_columns_new()};
	searcher->options.stop = stop;
	if (!searcher->columns)
		return message_out_of_memory(message);
	return segment_encoder_new(&searcher->options, &searcher->encoder, message);
}

static bool is_cancelled(void *context)
{
	const struct header_search *search = context;

	return atomic_load_explicit(&search->cancelled, memory_order_relaxed);
}

/* The lock is held. */
static void search_fail(struct header_search *search, enum status status,
			const struct message *message)
{
	if (search->status == STATUS_OK) {
		search->status = status;
		search->message = *message;
	}
	pthread_cond_broadcast(&search->filled);
}

/* Evaluates one segment; the lock is not held. */
static void segment_search(struct header_search *search, struct searcher *searcher,
			   const struct packed_segment *segment)
{
	const struct column_supply supply = packed_columns_supply(&segment->packed);
	struct segment_result result = {0};
	struct message cause;
	struct message message;
	enum status status;

	segment_columns_begin(searcher->columns, &supply);
	status = segment_encoder_run_columns(searcher->encoder, segment->number, searcher->columns,
					     &result, &cause);
	free(segment->packed.bytes);
	if (status != STATUS_OK)
		column_reader_damaged(segment->number, &cause, &message);
	pthread_mutex_lock(&search->lock);
	if (status == STATUS_OK) {
		search->headers += result.outcomes[OUTCOME_HEADER];
		chunk_table_take(&search->chunks, segment->number, &result);
	} else {
		search_fail(search, status, &message);
	}
	pthread_mutex_unlock(&search->lock);
}

/*
 * Takes the segment that waits longest, with `wait` as soon as there is one.
 * False at the end, and once the search has failed.
 */
static bool queue_take(struct header_search *search, bool wait, struct packed_segment *packed)
{
	bool taken;

	pthread_mutex_lock(&search->lock);
	while (wait && search->queued == 0 && !search->closed && search->status == STATUS_OK)
		pthread_cond_wait(&search->filled, &search->lock);
	taken = search->queued > 0 && search->status == STATUS_OK;
	if (taken) {
		*packed = search->queue[search->first];
		search->first = (search->first + 1) % QUEUE_LENGTH;
		search->queued--;
	}
	pthread_mutex_unlock(&search->lock);
	return taken;
}

/* What nobody took any more. No thread is left. */
static void queue_free(struct header_search *search)
{
	for (; search->queued > 0; search->queued--) {
		free(search->queue[search->first].packed.bytes);
		search->first = (search->first + 1) % QUEUE_LENGTH;
	}
}

static void *thread_run(void *context)
{
	struct header_search *search = context;
	const struct stop stop = {.asked = is_cancelled, .context = search};
	struct searcher searcher;
	struct packed_segment packed;
	struct message message;
	enum status status = searcher_open(&searcher, search, &stop, &message);

	if (status != STATUS_OK) {
		pthread_mutex_lock(&search->lock);
		search_fail(search, status, &message);
		pthread_mutex_unlock(&search->lock);
	}
	while (status == STATUS_OK && queue_take(search, true, &packed))
		segment_search(search, &searcher, &packed);
	searcher_close(&searcher);
	pthread_mutex_lock(&search->lock);
	search->running--;
	pthread_cond_signal(&search->ended);
	pthread_mutex_unlock(&search->lock);
	return NULL;
}

/* Queues a segment. *full says that it has to wait, and *packed is still the caller's. */
static enum status queue_put(struct header_search *search, const struct packed_segment *packed,
			     bool *full, struct message *message)
{
	enum status status;

	pthread_mutex_lock(&search->lock);
	status = search->status;
	if (status != STATUS_OK)
		*message = search->message;
	*full = status == STATUS_OK && search->queued == QUEUE_LENGTH;
	if (status == STATUS_OK && !*full) {
		search->queue[(search->first + search->queued++) % QUEUE_LENGTH] = *packed;
		pthread_cond_signal(&search->filled);
	}
	pthread_mutex_unlock(&search->lock);
	return status;
}

/* Notes that a segment is on its way, so that its chunk waits for it. */
static enum status segment_announce(struct header_search *search, int64_t number,
				    struct message *message)
{
	bool noted;

	pthread_mutex_lock(&search->lock);
	noted = chunk_table_give(&search->chunks, number);
	pthread_mutex_unlock(&search->lock);
	return noted ? STATUS_OK : message_out_of_memory(message);
}

static enum status chunk_answer(struct header_search *search, const struct chunk_work *work,
				struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t place = 0; place < CHUNK_SEGMENTS; place++)
		for (size_t i = 0; status == STATUS_OK && work->segments[place].given &&
				   i < search->encoder.program_count;
		     i++)
			status = row_set_append(&search->rows[i],
						&work->segments[place].containers[i], message);
	return status;
}

/* Answers the chunks that are complete. Called by one thread, chunks come in their order. */
static enum status chunks_answer(struct header_search *search, struct message *message)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		struct chunk_work *work;

		pthread_mutex_lock(&search->lock);
		work = chunk_table_complete(&search->chunks);
		pthread_mutex_unlock(&search->lock);
		if (!work)
			break;
		status = chunk_answer(search, work, message);
		chunk_work_free(work);
	}
	return status;
}

/* Waits for the other threads, while asking whether to: what they are at may take long. */
static void threads_wait(struct header_search *search)
{
	enum { ASK_NANOSECONDS = 5000000 };
	struct timespec until;

	pthread_mutex_lock(&search->lock);
	while (search->running > 0 && !is_cancelled(search)) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += ASK_NANOSECONDS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		if (pthread_cond_timedwait(&search->ended, &search->lock, &until) == 0)
			continue;
		pthread_mutex_unlock(&search->lock);
		if (stop_asked(search->stop))
			atomic_store(&search->cancelled, true);
		pthread_mutex_lock(&search->lock);
	}
	pthread_mutex_unlock(&search->lock);
}

/* Reads all segments, and evaluates one whenever the queue is full. */
static enum status segments_read(struct header_search *search, struct column_reader *reader,
				 struct searcher *searcher, struct message *message)
{
	int64_t next = INT64_MIN;
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		struct packed_segment packed;
		bool found;
		bool full = false;

		if (stop_asked(search->stop))
			return search_interrupted(message);
		status = search_pause_run(search->pause, reader, message);
		if (status != STATUS_OK)
			break;
		status = column_reader_next(reader, next, &packed.number, &found, message);
		if (status != STATUS_OK || !found)
			break;
		next = packed.number + 1;
		status = column_reader_copy(reader, packed.number, &packed.packed, message);
		if (status != STATUS_OK)
			break;
		status = segment_announce(search, packed.number, message);
		if (status == STATUS_OK)
			status = queue_put(search, &packed, &full, message);
		if (status != STATUS_OK)
			free(packed.packed.bytes);
		else if (full)
			segment_search(search, searcher, &packed);
		if (status == STATUS_OK)
			status = chunks_answer(search, message);
	}
	return status;
}

static bool thread_start(struct header_search *search, pthread_t *thread)
{
	bool started;

	pthread_mutex_lock(&search->lock);
	started = search_thread_start(thread, thread_run, search);
	search->running += started;
	pthread_mutex_unlock(&search->lock);
	return started;
}

/* Reads, helps to evaluate what is queued, and waits for the others. */
static enum status search_all(struct header_search *search, struct column_reader *reader,
			      struct message *message)
{
	const size_t helpers = search_threads() - 1;
	pthread_t threads[SEARCH_THREADS_MAX];
	size_t started = 0;
	struct searcher searcher;
	struct packed_segment packed;
	enum status status = searcher_open(&searcher, search, search->stop, message);

	/* Threads that cannot be had are done without. */
	while (status == STATUS_OK && started < helpers && thread_start(search, &threads[started]))
		started++;
	if (status == STATUS_OK)
		status = segments_read(search, reader, &searcher, message);
	pthread_mutex_lock(&search->lock);
	search->closed = true;
	chunk_table_close(&search->chunks);
	pthread_cond_broadcast(&search->filled);
	pthread_mutex_unlock(&search->lock);
	while (status == STATUS_OK && queue_take(search, false, &packed))
		segment_search(search, &searcher, &packed);
	if (status != STATUS_OK)
		atomic_store(&search->cancelled, true);
	threads_wait(search);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	queue_free(search);
	if (status == STATUS_OK && search->status != STATUS_OK) {
		status = search->status;
		*message = search->message;
	}
	if (status == STATUS_OK && is_cancelled(search))
		status = search_interrupted(message);
	if (status == STATUS_OK)
		status = chunks_answer(search, message);
	searcher_close(&searcher);
	return status;
}

enum status header_search_run(struct column_reader *reader, const struct evaluation *evaluation,
			      size_t count, const struct stop *stop,
			      const struct search_pause *pause, struct row_set *rows,
			      uint64_t *headers, struct message *message)
{
	struct header_search search = {
		.encoder = {.evaluation = evaluation, .program_count = count},
		.rows = rows,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.filled = PTHREAD_COND_INITIALIZER,
		.ended = PTHREAD_COND_INITIALIZER,
		.stop = stop,
		.pause = pause,
		.status = STATUS_OK,
	};
	enum status status = search_all(&search, reader, message);

	*headers += search.headers;
	chunk_table_free(&search.chunks);
	pthread_mutex_destroy(&search.lock);
	pthread_cond_destroy(&search.filled);
	pthread_cond_destroy(&search.ended);
	return status;
}

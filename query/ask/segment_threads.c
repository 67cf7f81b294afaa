#include "segment_threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/rowid.h"
#include "index/column_file.h"
#include "index/column_reader.h"
#include "search_threads.h"

enum {
	/* Segments that a thread takes at once: few, so that all end together. */
	SEGMENTS_AT_ONCE = 4,
	/* Segments that are worth one more thread, which takes some of them as long to begin. */
	SEGMENTS_A_THREAD = 16,
};

/* Shared by all threads of a run. */
struct sharing {
	const struct segment_threads *run;
	struct column_file *file; /* the running thread's own, and what the others' are of */
	pthread_mutex_t lock;
	size_t next; /* the first segment that nobody has taken; guarded, as all that follows is */
	enum status status;
	struct message message;
	atomic_bool cancelled;
};

static bool is_cancelled(void *context)
{
	const struct sharing *sharing = context;

	return atomic_load_explicit(&sharing->cancelled, memory_order_relaxed);
}

static enum status run_through_sqlite(const struct segment_threads *run, struct message *message)
{
	const struct segment_work *work = run->work;
	struct column_reader *reader = NULL;
	void *own = NULL;
	enum status status = work->open(work->shared, run->stop, &own, message);

	if (status != STATUS_OK)
		return status;
	status = column_reader_open(run->database, run->index->database_name, &run->index->source,
				    &reader, message);
	if (status == STATUS_OK)
		status = segment_walk(reader, run->span, run->stop, run->pause, work->visit, own,
				      message);
	if (status == STATUS_OK)
		status = work->give(work->shared, own, 0, message);
	work->close(work->shared, own);
	column_reader_close(reader);
	return status;
}

/* Takes the next segments; false at the end. */
static bool part_take(struct sharing *sharing, size_t *first, size_t *end)
{
	const size_t segments = column_file_segments(sharing->file);
	bool taken;

	pthread_mutex_lock(&sharing->lock);
	taken = sharing->status == STATUS_OK && sharing->next < segments;
	if (taken) {
		const size_t left = segments - sharing->next;

		*first = sharing->next;
		sharing->next += left < SEGMENTS_AT_ONCE ? left : SEGMENTS_AT_ONCE;
		*end = sharing->next;
	}
	pthread_mutex_unlock(&sharing->lock);
	return taken;
}

static enum status part_run(struct sharing *sharing, struct column_file *file, void *own,
			    const struct stop *stop, size_t first, size_t end,
			    struct message *message)
{
	const struct segment_work *work = sharing->run->work;
	const struct segment_span *span = sharing->run->span;
	enum status status = STATUS_OK;

	for (size_t place = first; status == STATUS_OK && place < end; place++) {
		int64_t number;
		struct segment_columns *columns = column_file_begin(file, place, &number);

		if (stop_asked(stop))
			return search_interrupted(message);
		if (!span || (number >= span->first && number <= span->last))
			status = work->visit(own, number, columns, message);
	}
	if (status != STATUS_OK)
		return status;
	pthread_mutex_lock(&sharing->lock);
	status = work->give(work->shared, own, first, message);
	pthread_mutex_unlock(&sharing->lock);
	return status;
}

/* What a thread found counts from now on. */
static void thread_end(struct sharing *sharing, void *own, enum status status,
		       const struct message *message)
{
	const struct segment_work *work = sharing->run->work;

	pthread_mutex_lock(&sharing->lock);
	if (own)
		work->close(work->shared, own);
	if (status != STATUS_OK && sharing->status == STATUS_OK) {
		sharing->status = status;
		sharing->message = *message;
	}
	pthread_mutex_unlock(&sharing->lock);
	if (status != STATUS_OK)
		atomic_store(&sharing->cancelled, true);
}

static void parts_run(struct sharing *sharing, struct column_file *file, const struct stop *stop)
{
	const struct segment_work *work = sharing->run->work;
	struct message message = {.code = 0};
	void *own = NULL;
	enum status status = work->open(work->shared, stop, &own, &message);
	size_t first;
	size_t end;

	while (status == STATUS_OK && part_take(sharing, &first, &end))
		status = part_run(sharing, file, own, stop, first, end, &message);
	thread_end(sharing, own, status, &message);
}

/* One that cannot begin leaves everything to the others. */
static void *helper_run(void *context)
{
	struct sharing *sharing = context;
	const struct stop stop = {.asked = is_cancelled, .context = sharing};
	struct column_file *file = column_file_again(sharing->file);

	if (file)
		parts_run(sharing, file, &stop);
	column_file_close(file);
	return NULL;
}

static size_t helpers_wanted(const struct sharing *sharing)
{
	const size_t worth = column_file_segments(sharing->file) / SEGMENTS_A_THREAD;
	const size_t threads = search_threads() - 1;

	return worth < threads ? worth : threads;
}

static enum status run_through_file(const struct segment_threads *run, struct column_file *file,
				    struct message *message)
{
	struct sharing sharing = {
		.run = run, .file = file, .lock = PTHREAD_MUTEX_INITIALIZER, .status = STATUS_OK};
	const size_t wanted = helpers_wanted(&sharing);
	pthread_t helpers[SEARCH_THREADS_MAX];
	size_t started = 0;

	/* Threads that cannot be had are done without. */
	while (started < wanted && search_thread_start(&helpers[started], helper_run, &sharing))
		started++;
	parts_run(&sharing, file, run->stop);
	for (size_t i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
	pthread_mutex_destroy(&sharing.lock);
	if (sharing.status != STATUS_OK)
		*message = sharing.message;
	else if (column_file_moved(file))
		return message_set(message, STATUS_FAILED,
				   "the index was replaced while it was read; run again");
	return sharing.status;
}

/* Whether a run ends within a few hundredths of a second, so that it need not pause. */
static bool is_short(const struct index_source *source)
{
	enum { SEGMENTS_MAX = 512 };
	const uint64_t span = (uint64_t)source->last_row - (uint64_t)source->first_row;

	return source->first_row <= source->last_row && span / SEGMENT_ROWS < SEGMENTS_MAX;
}

/* Whether so few segments are asked for that to find them takes longer than to read them. */
static bool is_narrow(const struct segment_span *span)
{
	return span && (uint64_t)span->last - (uint64_t)span->first < SEGMENTS_A_THREAD;
}

enum status segment_threads_run(const struct segment_threads *run, struct message *message)
{
	struct column_file *file = NULL;
	enum status status = STATUS_OK;

	if (!is_narrow(run->span) && (!run->pause || is_short(&run->index->source)))
		status = column_file_open(run->database, run->index->database_name,
					  &run->index->source, &file, message);
	if (status != STATUS_OK)
		return status;
	if (file) {
		status = run_through_file(run, file, message);
		column_file_close(file);
		/* Whatever else was wrong with the file, SQLite is to say. */
		if (status == STATUS_OK || message_is_passing(message))
			return status;
		run->work->reset(run->work->shared);
	}
	return run_through_sqlite(run, message);
}

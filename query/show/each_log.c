#include "each_log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ask/answer.h"
#include "ask/search_threads.h"
#include "asked_log.h"
#include "database/database.h"
#include "database/immutable.h"
#include "moment.h"
#include "rows_behind.h"

struct each_work {
	const struct each_question *question;
	struct each_log *logs;
	size_t count;
	atomic_size_t next;
};

static enum status rows_count(const struct each_question *each, struct asked_log *asked,
			      struct answer_index *index, struct each_log *log)
{
	struct moment moment = {0};
	const struct search_pause pause = moment_search_pause(&moment);
	const struct answer_question question = {.database = asked->database,
						 .index = index,
						 .pause = &pause,
						 .expression = each->expression,
						 .since = each->since,
						 .before = each->before,
						 .given = each->given,
						 .given_count = each->given_count};
	enum status status = rows_behind_count(asked->database, index, EACH_BEHIND_MAX,
					       &log->behind, &log->message);

	if (status == STATUS_OK)
		status = moment_begin(asked->database, index, log->path, &moment, &log->message);
	/* A log of a file of its own is not asked meanwhile. */
	moment_rest(&moment, ANSWER_HOLD_LOG);
	if (status == STATUS_OK)
		status = answer_count(&question, &log->rows, &log->message);
	if (status == STATUS_OK)
		status = immutable_check(asked->database, &log->message);
	moment_end(&moment);
	return status;
}

static enum status log_ask(const struct each_question *question, struct each_log *log)
{
	const char *slash = strrchr(log->path, '/');
	const char *name = slash ? slash + 1 : log->path;
	struct answer_index index = {0};
	struct asked_log asked = {0};
	char *index_path = NULL;
	enum status status;

	if (question->index_folder &&
	    asprintf(&index_path, "%s/%s.idx", question->index_folder, name) < 0)
		return message_out_of_memory(&log->message);
	status = asked_log_open(log->path, index_path, &asked, &log->message);
	if (status == STATUS_OK)
		status = asked_log_find(&asked, question->table, &index, &log->message);
	if (status == STATUS_OK)
		status = rows_count(question, &asked, &index, log);
	answer_index_free(&index);
	asked_log_close(&asked);
	free(index_path);
	return status;
}

static void *logs_ask(void *context)
{
	struct each_work *work = context;
	size_t next;

	while ((next = atomic_fetch_add(&work->next, 1)) < work->count)
		work->logs[next].status = log_ask(work->question, &work->logs[next]);
	return NULL;
}

void each_log_ask(const struct each_question *question, struct each_log *logs, size_t count)
{
	struct each_work work = {.question = question, .logs = logs, .count = count};
	pthread_t threads[SEARCH_THREADS_MAX];
	const size_t wanted = search_threads();
	size_t started = 0;

	/* This thread is one of them. */
	while (started + 1 < wanted && started + 1 < count &&
	       search_thread_start(&threads[started], logs_ask, &work))
		started++;
	logs_ask(&work);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}

static enum status line_write(sqlite3_stmt *line, struct row_output *output, const char *name,
			      bool failed, uint64_t rows, const char *state,
			      struct message *message)
{
	int row;
	enum status status = database_bind_text(line, 1, name, message);

	if (failed)
		sqlite3_bind_null(line, 2);
	else
		sqlite3_bind_int64(line, 2, (int64_t)rows);
	if (status == STATUS_OK)
		status = database_bind_text(line, 3, state, message);
	if (status == STATUS_OK)
		status = database_step(line, &row, message);
	if (status == STATUS_OK)
		status = row_output_write(output, line, message);
	sqlite3_reset(line);
	return status;
}

static enum status lines_write(const struct each_log *logs, size_t count, sqlite3_stmt *line,
			       struct row_output *output, struct message *message)
{
	size_t failed = 0;
	size_t behind = 0;
	uint64_t rows = 0;
	char state[100];
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		const bool is_failed = logs[i].status != STATUS_OK;

		failed += is_failed;
		behind += !is_failed && logs[i].behind;
		rows += is_failed ? 0 : logs[i].rows;
		status = line_write(line, output, logs[i].path, is_failed, logs[i].rows,
				    is_failed	     ? "failed"
				    : logs[i].behind ? "behind"
						     : "current",
				    message);
	}
	snprintf(state, sizeof(state), "%zu current, %zu behind, %zu failed",
		 count - failed - behind, behind, failed);
	if (status == STATUS_OK)
		status = line_write(line, output, "(all)", failed == count, rows, state, message);
	return status;
}

enum status each_log_write(const struct each_log *logs, size_t count, enum row_format format,
			   FILE *stream, struct message *message)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *line = NULL;
	struct row_output *output = NULL;
	enum status status = STATUS_OK;

	/* SQLite holds each line while it is written. */
	if (sqlite3_open(":memory:", &database) != SQLITE_OK)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = database_prepare(database, &line, message,
					  "SELECT ?1 AS log, ?2 AS rows, ?3 AS state");
	if (status == STATUS_OK && !(output = row_output_open(stream, format, line)))
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = lines_write(logs, count, line, output, message);
	if (status == STATUS_OK)
		status = row_output_close(output, message);
	else if (output)
		row_output_abandon(output);
	sqlite3_finalize(line);
	sqlite3_close(database);
	return status;
}

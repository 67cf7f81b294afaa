#include "stage_sql.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "database/database.h"
#include "database/database_open.h"
#include "packet/header.h"

enum { PATH_MAX_HERE = 4096 };

/* The extension where the build leaves it: beside this program. */
static bool extension_path(char path[static PATH_MAX_HERE])
{
	char program[PATH_MAX_HERE];
	const ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (length <= 0)
		return false;
	program[length] = '\0';
	return snprintf(path, PATH_MAX_HERE, "%s/connbits.so", dirname(program)) < PATH_MAX_HERE &&
	       access(path, R_OK) == 0;
}

bool stage_sql_possible(const struct stages *stages)
{
	const struct reading dionaea = {.direction = DIRECTION_TYPE};

	char path[PATH_MAX_HERE];

	return reading_same(&stages->log->layout.reading, &dionaea) &&
	       !layout_has_expressions(&stages->log->layout) && stages->filters->count > 0 &&
	       extension_path(path);
}

static enum status connection_open(const struct stages *stages, sqlite3 **log,
				   struct message *message)
{
	char path[PATH_MAX_HERE];
	char *error = NULL;
	enum status status = database_open(stages->log->path, DATABASE_READ, log, message);

	if (status != STATUS_OK)
		return status;
	sqlite3_db_config(*log, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
	if (!extension_path(path) || sqlite3_load_extension(*log, path, NULL, &error) != SQLITE_OK)
		status = message_set(message, STATUS_FAILED, "connbits.so: %s",
				     error ? error : "not found");
	sqlite3_free(error);
	return status;
}

/* SELECT count(*) ... WHERE bpf_filter(...), its columns in the function's order. */
static enum status statement_prepare(const struct stages *stages, sqlite3 *log,
				     sqlite3_stmt **statement, struct message *message)
{
	static const enum role order[] = {
		ROLE_TYPE,	  ROLE_SOURCE_HOST,	 ROLE_DESTINATION_HOST,
		ROLE_SOURCE_PORT, ROLE_DESTINATION_PORT, ROLE_TRANSPORT,
	};
	const struct layout *layout = &stages->log->layout;
	sqlite3_str *columns = sqlite3_str_new(NULL);
	char *list;
	enum status status;

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		sqlite3_str_appendf(columns, ", \"%w\"", layout->columns[order[i]]);
	list = sqlite3_str_finish(columns);
	if (!list)
		return message_out_of_memory(message);
	status = database_prepare(log, statement, message,
				  "SELECT count(*) FROM main.\"%w\" WHERE bpf_filter(%Q%s)",
				  layout->table, stages->filters->items[0].expression, list);
	sqlite3_free(list);
	return status;
}

static enum status sql_count(const struct stages *stages, double *seconds, uint64_t *rows,
			     struct message *message)
{
	sqlite3 *log = NULL;
	sqlite3_stmt *statement = NULL;
	double start;
	int row;
	enum status status = connection_open(stages, &log, message);

	if (status == STATUS_OK)
		status = statement_prepare(stages, log, &statement, message);
	start = clock_seconds();
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*seconds = clock_seconds() - start;
	if (status == STATUS_OK)
		*rows = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(log);
	return status;
}

static uint64_t headers_count(const struct program *program, const struct packed_headers *headers)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < headers->rows; i++) {
		const uint8_t *header = headers->bytes + i * headers->stride;

		rows += program_matches(program, header, header_wire_length(header),
					headers->captured[i]);
	}
	return rows;
}

/* bpf_filter on every header that is held, and the time that all of the log's would take. */
static uint64_t held_count(const struct stages *stages, double *seconds)
{
	const struct program *program = &stages->filters->items[0].program;
	const double start = clock_seconds();
	uint64_t rows = 0;

	for (size_t i = 0; i < stages->segment_count; i++)
		for (int version = 0; version < SEGMENT_VERSIONS; version++)
			rows += headers_count(program, &stages->segments[i]->headers[version]);
	*seconds = (clock_seconds() - start) * (double)stages->number_count /
		   (double)stages->segment_count;
	return rows;
}

enum status stage_sql(struct stages *stages, double *seconds, double *floor_seconds,
		      struct message *message)
{
	const int threads = stages->threads;
	uint64_t by_sql = 0;
	uint64_t by_headers;
	double filtering;
	enum status status = sql_count(stages, seconds, &by_sql, message);

	by_headers = held_count(stages, &filtering);
	stages->threads = 1;
	if (status == STATUS_OK)
		status = stages_read_floor(stages, floor_seconds, message);
	stages->threads = threads;
	*floor_seconds += filtering;
	if (status == STATUS_OK && stages->segment_count == stages->number_count &&
	    by_sql != by_headers)
		status = message_set(message, STATUS_FAILED,
				     "bpf_filter() in SQL counts %llu rows, bpf_filter %llu",
				     (unsigned long long)by_sql, (unsigned long long)by_headers);
	return status;
}

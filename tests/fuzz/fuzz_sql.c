/*
 * Statements made of the extension's functions, nested in each other, with
 * arguments of every type: whatever they are, an answer or an error, and no
 * crash. Bytes choose functions and arguments, and are blobs and texts too.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/job.h"

enum { DEPTH_MAX = 3, STEPS_MAX = 200000, ROWS_MAX = 2000, LENGTH_MAX = 1 << 20 };

static sqlite3 *database;

struct bytes {
	const uint8_t *next;
	size_t left;
};

static unsigned take(struct bytes *bytes, unsigned below)
{
	if (bytes->left == 0)
		return 0;
	bytes->left--;
	return *bytes->next++ % below;
}

static const struct {
	const char *name;
	unsigned least;
	unsigned most;
} functions[] = {
	{"bitmap_count", 1, 2},
	{"bitmap_contains", 2, 3},
	{"bitmap_blob", 1, 2},
	{"bitmap_cache", 0, 0},
	{"bpf_filter", 7, 7},
	{"bpf_filter", 2, 2},
	{"bpf_connection", 6, 6},
	{"connbits_version", 0, 0},
	{"rb_build", 0, 4},
	{"rb_to_array", 1, 1},
	{"rb_statistics", 1, 1},
	{"rb_to_clickhouse", 1, 2},
	{"rb_from_clickhouse", 1, 1},
	{"rb_and", 2, 2},
	{"rb_or", 2, 2},
	{"rb_xor", 2, 2},
	{"rb_andnot", 2, 2},
	{"rb_and_cardinality", 2, 2},
	{"rb_or_cardinality", 2, 2},
	{"rb_xor_cardinality", 2, 2},
	{"rb_equals", 2, 2},
	{"rb_not_equals", 2, 2},
	{"rb_intersect", 2, 2},
	{"rb_contains", 2, 2},
	{"rb_containedby", 2, 2},
	{"rb_jaccard_dist", 2, 2},
	{"rb_cardinality", 1, 1},
	{"rb_is_empty", 1, 1},
	{"rb_min", 1, 1},
	{"rb_max", 1, 1},
	{"rb_rank", 2, 2},
	{"rb_index", 2, 2},
	{"rb_add", 2, 2},
	{"rb_remove", 2, 2},
	{"rb_range", 3, 3},
	{"rb_range_cardinality", 3, 3},
	{"rb_fill", 3, 3},
	{"rb_clear", 3, 3},
	{"rb_flip", 3, 3},
	{"rb_select", 2, 6},
	{"rb_shiftright", 2, 2},
	{"rb_shiftleft", 2, 2},
};

static const char *const aggregates[] = {
	"rb_build_agg",
	"rb_and_agg",
	"rb_or_agg",
	"rb_xor_agg",
	"rb_and_cardinality_agg",
	"rb_or_cardinality_agg",
	"rb_xor_cardinality_agg",
};

static const char *const numbers[] = {
	"0",
	"1",
	"-1",
	"7",
	"65535",
	"65536",
	"4294967295",
	"4294967296",
	"9223372036854775807",
	"-9223372036854775807-1",
	"1048575",
	"1048576",
	"1.5",
	"1e300",
	"-1e300",
	"1000000000000",
};

static const char *const texts[] = {
	"smb",
	"@all",
	"@skipped",
	"smb and not {udp}",
	"not smb or (udp)",
	"{port 53}",
	"{",
	"main",
	"temp",
	"[1,2,3]",
	"[]",
	"[-5,4294967296]",
	"[1,",
	"tcp dst port 445",
	"host ::1",
	"len > 5",
	"accept",
	"connect",
	"listen",
	"10.0.0.1",
	"2001:db8::1",
	"udp",
	"",
	"445",
	"tcp[tcpflags] & tcp-syn != 0",
	"host example.org",
};

static void append_bytes(sqlite3_str *sql, struct bytes *bytes)
{
	size_t length = take(bytes, 64);

	sqlite3_str_appendall(sql, "x'");
	for (; length && bytes->left; length--)
		sqlite3_str_appendf(sql, "%02x", take(bytes, 256));
	sqlite3_str_appendall(sql, "'");
}

static void append_text(sqlite3_str *sql, struct bytes *bytes)
{
	char text[40];
	size_t length = 0;

	while (length < sizeof(text) - 1 && bytes->left && *bytes->next)
		text[length++] = (char)take(bytes, 256);
	text[length] = '\0';
	sqlite3_str_appendf(sql, "CAST(CAST(%Q AS BLOB) AS TEXT)", text);
}

static void append_function(sqlite3_str *sql, struct bytes *bytes, int depth);

static void append_argument(sqlite3_str *sql, struct bytes *bytes, int depth)
{
	switch (take(bytes, depth < DEPTH_MAX ? 9 : 6)) {
	case 0:
		sqlite3_str_appendall(sql,
				      numbers[take(bytes, sizeof(numbers) / sizeof(*numbers))]);
		break;
	case 1:
	case 2:
		sqlite3_str_appendf(sql, "%Q", texts[take(bytes, sizeof(texts) / sizeof(*texts))]);
		break;
	case 3:
		append_bytes(sql, bytes);
		break;
	case 4:
		append_text(sql, bytes);
		break;
	case 5:
		sqlite3_str_appendall(sql, take(bytes, 2) ? "NULL" : "n");
		break;
	default:
		append_function(sql, bytes, depth + 1);
	}
}

static void append_function(sqlite3_str *sql, struct bytes *bytes, int depth)
{
	const size_t which = take(bytes, sizeof(functions) / sizeof(*functions));
	const unsigned count = functions[which].least +
			       take(bytes, functions[which].most - functions[which].least + 1);

	sqlite3_str_appendf(sql, "%s(", functions[which].name);
	for (unsigned i = 0; i < count; i++) {
		sqlite3_str_appendall(sql, i ? ", " : "");
		append_argument(sql, bytes, depth);
	}
	sqlite3_str_appendall(sql, ")");
}

static void append_table(sqlite3_str *sql, struct bytes *bytes)
{
	static const char *const operators[] = {"<", "<=", ">", ">=", "=", "IS NOT", "IN"};
	const bool two = take(bytes, 2);

	sqlite3_str_appendall(sql, "SELECT value FROM (SELECT 5 AS n), ");
	sqlite3_str_appendall(sql, two ? "bitmap(" : "rb_iterate(");
	append_argument(sql, bytes, 1);
	sqlite3_str_appendf(sql, ") WHERE value %s (", operators[take(bytes, 7)]);
	append_argument(sql, bytes, 1);
	sqlite3_str_appendf(sql, ") ORDER BY value %s LIMIT 50", take(bytes, 2) ? "DESC" : "");
}

static void append_statement(sqlite3_str *sql, struct bytes *bytes)
{
	const unsigned kind = take(bytes, 6);

	if (kind == 0) {
		append_table(sql, bytes);
		return;
	}
	sqlite3_str_appendall(sql, "SELECT ");
	if (kind == 1) {
		sqlite3_str_appendf(
			sql, "%s(",
			aggregates[take(bytes, sizeof(aggregates) / sizeof(*aggregates))]);
		append_argument(sql, bytes, 1);
		sqlite3_str_appendf(sql, ") %s", take(bytes, 2) ? "OVER (ORDER BY n)" : "");
	} else {
		append_function(sql, bytes, 0);
	}
	sqlite3_str_appendall(sql, " FROM (SELECT 3 AS n UNION ALL SELECT -70000 UNION ALL SELECT "
				   "NULL UNION ALL SELECT 1 << 33)");
}

static int stop_long(void *context)
{
	(void)context;
	return 1;
}

static void run(const char *sql)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
		return;
	sqlite3_progress_handler(database, STEPS_MAX, stop_long, NULL);
	for (int row = 0; row < ROWS_MAX && sqlite3_step(statement) == SQLITE_ROW; row++)
		(void)sqlite3_column_text(statement, 0);
	sqlite3_finalize(statement);
}

static void log_make(const char *path)
{
	if (sqlite3_open(path, &database) != SQLITE_OK ||
	    sqlite3_exec(database,
			 "CREATE TABLE connections (connection INTEGER PRIMARY KEY, "
			 "connection_type, connection_transport, local_host, local_port, "
			 "remote_host, remote_port);"
			 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
			 "200) INSERT INTO connections SELECT i * i * 4000 - 70000, 'accept', "
			 "iif(i % 3, 'tcp', 'udp'), '192.0.2.1', iif(i % 2, 445, 53), '10.0.0.' || "
			 "i, i FROM n",
			 NULL, NULL, NULL) != SQLITE_OK)
		abort();
	sqlite3_close(database);
}

static void index_make(const char *path, const char *catalogue)
{
	const struct job_options options = {
		.log_path = path, .catalogue_path = catalogue, .threads = 1};
	struct job_summary summary;
	struct diagnostics diagnostics = {0};
	struct message message;
	FILE *file = fopen(catalogue, "w");

	if (!file)
		abort();
	fputs("[filter smb]\nexpression = tcp dst port 445\n[filter udp]\nexpression = udp\n",
	      file);
	fclose(file);
	if (job_run(&options, &summary, &diagnostics, &message) != STATUS_OK)
		abort();
	diagnostics_free(&summary.warnings);
	diagnostics_free(&diagnostics);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char folder[] = "/tmp/connbits-fuzz-XXXXXX";
	char log[64];
	char catalogue[64];
	char *error = NULL;

	(void)argc;
	(void)argv;
	if (!mkdtemp(folder))
		abort();
	snprintf(log, sizeof(log), "%s/log.sqlite", folder);
	snprintf(catalogue, sizeof(catalogue), "%s/filters.conf", folder);
	log_make(log);
	index_make(log, catalogue);
	if (sqlite3_open_v2(log, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		abort();
	unlink(log);
	unlink(catalogue);
	rmdir(folder);
	sqlite3_limit(database, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
	if (sqlite3_load_extension(database, EXTENSION, NULL, &error) != SQLITE_OK) {
		fprintf(stderr, "%s\n", error);
		abort();
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {.next = data, .left = size};
	sqlite3_str *sql = sqlite3_str_new(NULL);
	char *text;

	append_statement(sql, &bytes);
	text = sqlite3_str_finish(sql);
	if (text)
		run(text);
	sqlite3_free(text);
	return 0;
}

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "paths.h"

void paths_make(struct paths *paths)
{
	const char *parent = getenv("TMPDIR");

	snprintf(paths->folder, sizeof(paths->folder), "%s/connbits-test-XXXXXX",
		 parent ? parent : "/tmp");
	assert_non_null(mkdtemp(paths->folder));
	snprintf(paths->log, sizeof(paths->log), "%s/log.sqlite", paths->folder);
	snprintf(paths->index, sizeof(paths->index), "%s/index.sqlite", paths->folder);
	snprintf(paths->catalogue, sizeof(paths->catalogue), "%s/filters.conf", paths->folder);
}

void paths_remove(const struct paths *paths)
{
	unlink(paths->log);
	unlink(paths->index);
	unlink(paths->catalogue);
	rmdir(paths->folder);
}

void must(sqlite3 *database, int code)
{
	if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
		fail_msg("%s", sqlite3_errmsg(database));
}

void must_run(sqlite3 *database, const char *sql)
{
	must(database, sqlite3_exec(database, sql, NULL, NULL, NULL));
}

int64_t must_ask(sqlite3 *database, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t answer;

	must(database, sqlite3_prepare_v2(database, sql, -1, &statement, NULL));
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	answer = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return answer;
}

sqlite3 *must_make(const char *path, const char *sql)
{
	sqlite3 *database;

	must(NULL, sqlite3_open(path, &database));
	must_run(database, sql);
	return database;
}

void must_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/*
 * A host program that survives whatever fails, to see that the extension does:
 * runs one statement twice, each time on a connection of its own.
 * usage: fault_host LOG EXTENSION SQL
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static bool fail(sqlite3 *database, const char *what)
{
	fprintf(stderr, "host: %s: %s\n", what,
		database ? sqlite3_errmsg(database) : "out of memory");
	sqlite3_close(database);
	return false;
}

/* SQLite has no memory for a value where the connection says so. */
static bool row_print(sqlite3_stmt *statement)
{
	for (int column = 0; column < sqlite3_column_count(statement); column++) {
		const char *text = (const char *)sqlite3_column_text(statement, column);

		printf("%s\t", text ? text : "NULL");
	}
	putchar('\n');
	return sqlite3_errcode(sqlite3_db_handle(statement)) != SQLITE_NOMEM;
}

static bool run(const char *log, const char *extension, const char *sql)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	char *error = NULL;
	int code = sqlite3_open(log, &database);

	if (code != SQLITE_OK)
		return fail(database, "open");
	sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
	if (sqlite3_load_extension(database, extension, NULL, &error) != SQLITE_OK) {
		sqlite3_free(error);
		return fail(database, "load");
	}
	code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW && !row_print(statement))
			code = SQLITE_NOMEM;
	}
	sqlite3_finalize(statement);
	if (code != SQLITE_DONE)
		return fail(database, "step");
	sqlite3_close(database);
	return true;
}

int main(int argc, char **argv)
{
	static char out[1 << 16];
	bool first;
	bool second;

	if (argc != 4)
		return EXIT_FAILURE;
	setvbuf(stdout, out, _IOFBF, sizeof(out));
	first = run(argv[1], argv[2], argv[3]);
	second = run(argv[1], argv[2], argv[3]);
	return first && second ? EXIT_SUCCESS : EXIT_FAILURE;
}

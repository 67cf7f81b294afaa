/*
 * A program in C, built with what pkg-config says of connbits.
 * usage: client LOG STATEMENTS
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static void row_print(sqlite3_stmt *statement)
{
	for (int column = 0; column < sqlite3_column_count(statement); column++) {
		const char *text = (const char *)sqlite3_column_text(statement, column);

		printf("%s%s", column ? "\t" : "", text ? text : "NULL");
	}
	putchar('\n');
}

static int statement_run(sqlite3 *database, const char *sql)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			row_print(statement);
	}
	if (code != SQLITE_DONE)
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(database));
	sqlite3_finalize(statement);
	return code == SQLITE_DONE;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t capacity = 0;
	sqlite3 *database;
	char *error = NULL;
	FILE *statements = argc == 3 ? fopen(argv[2], "r") : NULL;
	int status = EXIT_SUCCESS;

	if (!statements || sqlite3_open(argv[1], &database) != SQLITE_OK)
		return EXIT_FAILURE;
	sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
	if (sqlite3_load_extension(database, EXTENSION, NULL, &error) != SQLITE_OK) {
		fprintf(stderr, "%s\n", error);
		return EXIT_FAILURE;
	}
	while (status == EXIT_SUCCESS && getline(&line, &capacity, statements) > 0)
		if (!statement_run(database, line))
			status = EXIT_FAILURE;
	free(line);
	fclose(statements);
	sqlite3_close(database);
	return status;
}

/* A folder of a test's own, with the names of the files it may make there. */
#ifndef CONNBITS_TESTS_PATHS_H
#define CONNBITS_TESTS_PATHS_H

#include <sqlite3.h>
#include <stdint.h>

struct paths {
	char folder[64];
	char log[96];
	char index[96];
	char catalogue[96];
};

void paths_make(struct paths *paths);

/* Removes the folder with those files. */
void paths_remove(const struct paths *paths);

/* Fails the test with SQLite's message unless the code is one of success. */
void must(sqlite3 *database, int code);

/* Runs statements that return no rows. */
void must_run(sqlite3 *database, const char *sql);

/* The one integer that SQL gives. */
int64_t must_ask(sqlite3 *database, const char *sql);

/* Makes a file at path from SQL, and opens it. */
sqlite3 *must_make(const char *path, const char *sql);

/* Writes a file. */
void must_write(const char *path, const char *text);

#endif

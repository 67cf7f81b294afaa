/* Connections of our own: what they open, and what a file's schema cannot do to them. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "database/database.h"
#include "database/database_open.h"
#include "paths.h"

static void what_is_no_database_is_said_so_at_once(void **state)
{
	struct paths paths;
	struct message message;
	sqlite3 *database;

	(void)state;
	paths_make(&paths);
	assert_int_equal(database_open(paths.log, DATABASE_READ, &database, &message),
			 STATUS_FAILED);
	assert_null(database);
	assert_non_null(strstr(message.text, "No such file"));
	assert_int_equal(database_open(paths.folder, DATABASE_READ, &database, &message),
			 STATUS_FAILED);
	assert_non_null(strstr(message.text, "not a regular file"));
	must_write(paths.log,
		   "text that is longer than the head of a page: 100 bytes are what SQLite "
		   "reads first of a file and what tells it whether this is one of its own");
	assert_int_equal(database_open(paths.log, DATABASE_READ, &database, &message),
			 STATUS_FAILED);
	assert_null(database);
	assert_non_null(strstr(message.text, "is it a SQLite file?"));
	assert_non_null(strstr(message.text, paths.log));
	paths_remove(&paths);
}

static void what_people_give_in_a_logs_place_is_named(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *kind;
	} files[] = {
		{"\xd4\xc3\xb2\xa1\x02\0\x04\0", 8, "is a capture"},
		{"\x0a\x0d\x0d\x0a\x1c\0\0\0", 8, "is a capture"},
		{"\x1f\x8b\x08", 3, "is compressed with gzip"},
		{"#separator \\x09\n#fields\tts\n", 27, "is a log of Zeek as text"},
		{"{\"src_ip\": \"10.0.0.1\"}\n", 23, "is JSON"},
		{"src,dst\n10.0.0.1,10.0.0.2\n", 26, "is text with commas"},
		{"\n  [\n{\"src_ip\": 1}\n", 19, "is JSON"},
		{"src;dst\n10.0.0.1;10.0.0.2\n", 26, "is text with semicolons"},
		{"src\tdst\n", 8, "is text with tabs"},
		{"# a, b\n\n[filter smb]\nexpression = ip\n", 37, "is a catalogue of filters"},
		{"[source]\n", 9, "is a catalogue of filters"},
		{"hello\n", 6, "is it a SQLite file?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct paths paths;
		struct message message;
		sqlite3 *database;
		FILE *file;

		paths_make(&paths);
		file = fopen(paths.log, "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(files[i].text, 1, files[i].length, file), files[i].length);
		/* SQLite takes a file of less than a page's head for an empty one. */
		for (int filler = 0; filler < 2000; filler++)
			fputc('x', file);
		fclose(file);
		assert_int_equal(database_open(paths.log, DATABASE_READ, &database, &message),
				 STATUS_FAILED);
		if (!strstr(message.text, files[i].kind) || !strstr(message.text, paths.log))
			fail_msg("'%s' does not say '%s'", message.text, files[i].kind);
		paths_remove(&paths);
	}
}

static void reading_writes_nothing_and_sees_one_moment(void **state)
{
	struct paths paths;
	struct message message;
	sqlite3 *writer;
	sqlite3 *reader;

	(void)state;
	paths_make(&paths);
	writer = must_make(paths.log, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
	assert_int_equal(database_open_moment(paths.log, &reader, &message), STATUS_OK);
	assert_int_equal(must_ask(reader, "SELECT count(*) FROM t"), 0);
	must_run(writer, "INSERT INTO t VALUES (1)");
	assert_int_equal(must_ask(reader, "SELECT count(*) FROM t"), 0);
	assert_int_equal(database_execute(reader, "INSERT INTO t VALUES (2)", &message),
			 STATUS_FAILED);
	sqlite3_close(reader);
	assert_int_equal(must_ask(writer, "SELECT count(*) FROM t"), 1);
	sqlite3_close(writer);
	paths_remove(&paths);
}

static void views_and_triggers_of_the_file_do_not_run(void **state)
{
	struct paths paths;
	struct message message;
	sqlite3 *database;

	(void)state;
	paths_make(&paths);
	database = must_make(paths.log, "CREATE TABLE t (x); CREATE TABLE seen (x);"
					"CREATE VIEW v AS SELECT 1;"
					"CREATE TRIGGER e AFTER INSERT ON t BEGIN INSERT INTO seen "
					"VALUES (1); END");
	sqlite3_close(database);
	assert_int_equal(database_open(paths.log, DATABASE_WRITE, &database, &message), STATUS_OK);
	assert_int_equal(database_execute(database, "INSERT INTO t VALUES (1)", &message),
			 STATUS_OK);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM seen"), 0);
	assert_int_equal(database_execute(database, "SELECT * FROM v", &message), STATUS_FAILED);
	sqlite3_close(database);
	paths_remove(&paths);
}

static void a_schema_may_use_json(void **state)
{
	static const char *const schemas[] = {
		"CREATE TABLE t (j, x AS (j ->> '$.a') STORED, y AS (json_type(j)))",
		"CREATE TABLE t (j); CREATE INDEX i ON t (json_extract(j, '$.a')); CREATE INDEX p "
		"ON t "
		"(j) WHERE json_valid(j)",
		"CREATE TABLE t (j CHECK (json_valid(j)), d DEFAULT (json_array(1)))",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(schemas) / sizeof(*schemas); i++) {
		struct paths paths;
		struct message message;
		sqlite3 *database;

		paths_make(&paths);
		sqlite3_close(must_make(paths.log, schemas[i]));
		assert_int_equal(database_open(paths.log, DATABASE_WRITE, &database, &message),
				 STATUS_OK);
		if (database_execute(database, "INSERT INTO t (j) VALUES ('{\"a\": 7}')",
				     &message) != STATUS_OK)
			fail_msg("%s: %s", schemas[i], message.text);
		assert_int_equal(must_ask(database, "SELECT count(*) FROM t"), 1);
		sqlite3_close(database);
		paths_remove(&paths);
	}
}

/* Of SQLite's extensions nothing can be called, from a schema that is trusted for its JSON. */
static void a_schema_may_use_no_function_of_an_extension(void **state)
{
	struct paths paths;
	struct message message;
	sqlite3 *database;

	(void)state;
	paths_make(&paths);
	database = must_make(paths.log, "CREATE TABLE t (j CHECK (json_valid(j)))");
	must_run(database, "CREATE TABLE u (x CHECK (rtreedepth(x) IS NULL))");
	sqlite3_close(database);
	assert_int_equal(database_open(paths.log, DATABASE_WRITE, &database, &message), STATUS_OK);
	assert_int_equal(database_execute(database, "INSERT INTO u VALUES (NULL)", &message),
			 STATUS_FAILED);
	assert_non_null(strstr(message.text, "rtreedepth"));
	sqlite3_close(database);
	paths_remove(&paths);
}

static void one_file_is_known_by_every_name(void **state)
{
	struct paths paths;

	(void)state;
	paths_make(&paths);
	sqlite3_close(must_make(paths.log, "CREATE TABLE t (x)"));
	assert_int_equal(symlink(paths.log, paths.index), 0);
	assert_true(database_same_file(paths.log, paths.index));
	assert_false(database_same_file(paths.log, paths.folder));
	assert_false(database_same_file(paths.log, paths.catalogue));
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_database_is_said_so_at_once),
		cmocka_unit_test(what_people_give_in_a_logs_place_is_named),
		cmocka_unit_test(reading_writes_nothing_and_sees_one_moment),
		cmocka_unit_test(views_and_triggers_of_the_file_do_not_run),
		cmocka_unit_test(a_schema_may_use_json),
		cmocka_unit_test(a_schema_may_use_no_function_of_an_extension),
		cmocka_unit_test(one_file_is_known_by_every_name),
	};

	return cmocka_run_group_tests_name("database_open", tests, NULL, NULL);
}

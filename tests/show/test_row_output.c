/* Rows as text: what a reader of CSV and JSON gets back, and what never reaches a terminal. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/output_file.h"
#include "paths.h"
#include "show/row_output.h"

/* What a query prints; the caller frees it. */
static char *printed(const char *sql, enum row_format format)
{
	sqlite3 *database = must_make(":memory:", "");
	struct row_output *output;
	struct message message;
	sqlite3_stmt *statement;
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	must(database, sqlite3_prepare_v2(database, sql, -1, &statement, NULL));
	output = row_output_open(stream, format, statement);
	assert_non_null(output);
	while (sqlite3_step(statement) == SQLITE_ROW)
		assert_int_equal(row_output_write(output, statement, &message), STATUS_OK);
	assert_int_equal(row_output_close(output, &message), STATUS_OK);
	sqlite3_finalize(statement);
	sqlite3_close(database);
	fclose(stream);
	return text;
}

static void expect(const char *sql, enum row_format format, const char *expected)
{
	char *text = printed(sql, format);

	assert_string_equal(text, expected);
	free(text);
}

static void csv_quotes_what_has_to_be_quoted(void **state)
{
	(void)state;
	expect("SELECT 1 AS a, 'x,y' AS \"b\"\"c\", 'say \"no\"' AS d, NULL AS e", ROW_CSV,
	       "a,\"b\"\"c\",d,e\r\n1,\"x,y\",\"say \"\"no\"\"\",\r\n");
}

static void json_is_json(void **state)
{
	(void)state;
	expect("SELECT 1 AS a, 'q\"' || char(10) AS b, NULL AS c, 0.5 AS d", ROW_JSON,
	       "[\n{\"a\": 1, \"b\": \"q\\\"\\n\", \"c\": null, \"d\": 0.5}\n]\n");
	expect("SELECT 1 AS a WHERE 0", ROW_JSON, "[]\n");
}

static void a_table_has_no_control_characters(void **state)
{
	char *text = printed("SELECT 'a' || char(27) || '[31m' || char(7) || 'b' AS x", ROW_TABLE);

	(void)state;
	assert_null(strchr(text, 27));
	assert_null(strchr(text, 7));
	assert_non_null(strstr(text, "[31m"));
	free(text);
}

static void a_file_is_there_whole_or_not_at_all(void **state)
{
	struct paths paths;
	struct output_file file;
	struct message message;

	(void)state;
	paths_make(&paths);
	assert_int_equal(output_file_open(paths.index, &file, &message), STATUS_OK);
	fputs("half", file.stream);
	fflush(file.stream);
	assert_null(fopen(paths.index, "r"));
	output_file_abandon(&file);
	assert_null(fopen(paths.index, "r"));
	must_write(paths.index, "before");
	assert_int_equal(output_file_open(paths.index, &file, &message), STATUS_OK);
	fputs("whole", file.stream);
	assert_int_equal(output_file_close(&file, &message), STATUS_OK);
	{
		char text[16] = "";
		FILE *made = fopen(paths.index, "r");

		assert_non_null(made);
		assert_non_null(fgets(text, sizeof(text), made));
		assert_string_equal(text, "whole");
		fclose(made);
	}
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_quotes_what_has_to_be_quoted),
		cmocka_unit_test(json_is_json),
		cmocka_unit_test(a_table_has_no_control_characters),
		cmocka_unit_test(a_file_is_there_whole_or_not_at_all),
	};

	return cmocka_run_group_tests_name("row_output", tests, NULL, NULL);
}

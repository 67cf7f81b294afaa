/* What clearing up removes from an index, and what it leaves. */
#include "unit.h"

#include <string.h>

#include "index/index_cleanup.h"
#include "index/index_format.h"
#include "paths.h"

/* An index of two tables, rows 1 to 3,000,000 (chunks 0 to 2, segments 0 to 45), with one filter
 * each. */
static const char whole[] =
	"INSERT INTO connbits_source (id, table_name, schema, columns, first_row, last_row, "
	"identity, "
	"packed, inside, tracked) VALUES (1, 'a', 's', '{}', 1, 3000000, 'x', 1, 0, 0), "
	"(2, 'b', 's', '{}', 1, 3000000, 'y', 1, 0, 0);"
	"INSERT INTO connbits_filter (id, source, name, expression, description, position) VALUES "
	"(10, 1, 'f', '', '', 0), (20, 2, 'f', '', '', 0);"
	"WITH c(i) AS (VALUES (0), (1), (2)), f(id) AS (VALUES (10), (20)) "
	"INSERT INTO connbits_bitmap SELECT id, i, 1, x'00' FROM c, f;"
	"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 45) "
	"INSERT INTO connbits_header SELECT s.id, i, 1, x'00' FROM n, connbits_source s;"
	"INSERT INTO connbits_column SELECT source, segment, 1, x'01' FROM connbits_header;";

static struct reader_gate gate;

static sqlite3 *index_make(void)
{
	struct message message;
	sqlite3 *database = must_make(":memory:", "");

	assert_int_equal(index_format_make(database, 0, "UTF-8", &message), STATUS_OK);
	must_run(database, whole);
	reader_gate_init(&gate);
	return database;
}

static void index_drop(sqlite3 *database)
{
	reader_gate_destroy(&gate);
	sqlite3_close(database);
}

static void clean(sqlite3 *database, int64_t source, const char *table)
{
	struct message message;

	assert_int_equal(index_cleanup_run(database, "index", &(struct index_kept){source, table},
					   &gate, NULL, &message),
			 STATUS_OK);
}

/* Sources, filters, bitmaps, headers, columns. */
static void expect(sqlite3 *database, int sources, int filters, int bitmaps, int headers,
		   int columns)
{
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_source"), sources);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_filter"), filters);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_bitmap"), bitmaps);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_header"), headers);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_column"), columns);
}

static void a_whole_index_is_left_and_not_written_to(void **state)
{
	sqlite3 *database = index_make();
	const int changes = sqlite3_total_changes(database);

	(void)state;
	clean(database, 0, NULL);
	expect(database, 2, 2, 6, 92, 92);
	assert_int_equal(sqlite3_total_changes(database), changes);
	index_drop(database);
}

static void an_unfinished_source_goes_with_all_it_has_unless_it_is_kept(void **state)
{
	static const char begun[] =
		"INSERT INTO connbits_source (id, building, schema, columns, first_row, last_row, "
		"identity, packed, inside, tracked) VALUES (3, 'a', 's', '{}', 1, 3000000, 'z', 1, "
		"0, "
		"0);"
		"INSERT INTO connbits_filter (id, source, name, expression, description, position) "
		"VALUES (30, 3, 'f', '', '', 0);"
		"INSERT INTO connbits_bitmap VALUES (30, 0, 1, x'00');"
		"INSERT INTO connbits_header VALUES (3, 0, 1, x'00');"
		"INSERT INTO connbits_column VALUES (3, 0, 1, x'01');";
	sqlite3 *database = index_make();

	(void)state;
	must_run(database, begun);
	clean(database, 3, "a");
	expect(database, 3, 3, 7, 93, 93);
	/* It is the next job's of that table. */
	clean(database, 0, "b");
	expect(database, 3, 3, 7, 93, 93);
	clean(database, 0, "A");
	expect(database, 2, 2, 6, 92, 92);
	must_run(database, begun);
	clean(database, 0, NULL);
	expect(database, 2, 2, 6, 92, 92);
	index_drop(database);
}

static void what_nobody_owns_goes(void **state)
{
	sqlite3 *database = index_make();

	(void)state;
	/* Pending filters, bitmaps of no filter on all sides of the others, headers of no source.
	 */
	must_run(
		database,
		"INSERT INTO connbits_filter (id, source, name, expression, description, position) "
		"VALUES (40, -1, 'g', '', '', 0), (41, 7, 'h', '', '', 0);"
		"WITH f(id) AS (VALUES (-5), (5), (15), (25), (40), (9223372036854775807)) "
		"INSERT INTO connbits_bitmap SELECT id, 0, 1, x'00' FROM f;"
		"INSERT INTO connbits_bitmap VALUES ('text', 0, 1, x'00');"
		"INSERT INTO connbits_header VALUES (9, 0, 1, x'00'), (-1, 0, 1, x'00');"
		"INSERT INTO connbits_column VALUES (9, 0, 1, x'01'), (12, 3, 1, x'01')");
	clean(database, 0, NULL);
	expect(database, 2, 2, 6, 92, 92);
	index_drop(database);
}

static void what_lies_behind_the_watermark_goes(void **state)
{
	sqlite3 *database = index_make();

	(void)state;
	must_run(database, "UPDATE connbits_source SET last_row = 65536 * 17 WHERE id = 1");
	clean(database, 0, NULL);
	assert_int_equal(
		must_ask(database, "SELECT max(chunk) FROM connbits_bitmap WHERE filter = 10"), 1);
	assert_int_equal(
		must_ask(database, "SELECT max(segment) FROM connbits_header WHERE source = 1"),
		17);
	expect(database, 2, 2, 5, 64, 64);
	/* Nothing is indexed of an empty log, below 0 neither. */
	must_run(database, "UPDATE connbits_source SET first_row = 1, last_row = 0 WHERE id = 1;"
			   "INSERT INTO connbits_bitmap VALUES (10, -3, 1, x'00')");
	clean(database, 0, NULL);
	expect(database, 2, 2, 3, 46, 46);
	index_drop(database);
}

static void columns_go_from_an_index_that_does_without(void **state)
{
	sqlite3 *database = index_make();

	(void)state;
	must_run(database, "UPDATE connbits_source SET packed = 0 WHERE id = 2");
	clean(database, 0, NULL);
	expect(database, 2, 2, 6, 92, 46);
	index_drop(database);
}

static void a_megabyte_goes_at_a_time_and_a_stop_counts_between(void **state)
{
	static const volatile sig_atomic_t stop = 1;
	struct message message;
	sqlite3 *database = index_make();

	(void)state;
	must_run(database,
		 "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
		 "INSERT INTO connbits_bitmap SELECT 99, i, 1, zeroblob(100000) FROM n");
	assert_int_equal(index_cleanup_run(database, "index", &(struct index_kept){0}, &gate, &stop,
					   &message),
			 STATUS_FAILED);
	assert_string_equal(message.text, "interrupted");
	expect(database, 2, 2, 47, 92, 92);
	clean(database, 0, NULL);
	expect(database, 2, 2, 6, 92, 92);
	index_drop(database);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_index_is_left_and_not_written_to),
		cmocka_unit_test(an_unfinished_source_goes_with_all_it_has_unless_it_is_kept),
		cmocka_unit_test(what_nobody_owns_goes),
		cmocka_unit_test(what_lies_behind_the_watermark_goes),
		cmocka_unit_test(columns_go_from_an_index_that_does_without),
		cmocka_unit_test(a_megabyte_goes_at_a_time_and_a_stop_counts_between),
	};

	return cmocka_run_group_tests_name("index_cleanup", tests, NULL, NULL);
}

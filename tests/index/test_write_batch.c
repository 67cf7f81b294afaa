/* Batches: what waits for a commit is written whole, or not at all. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "index/index_format.h"
#include "index/write_batch.h"
#include "paths.h"
#include "random.h"

static sqlite3 *index_make(const char *path)
{
	struct message message;
	sqlite3 *database = must_make(path, "");

	assert_int_equal(index_format_make(database, 0, "UTF-8", &message), STATUS_OK);
	return database;
}

static void what_was_added_last_is_what_is_stored(void **state)
{
	enum { FILTERS = 5, CHUNKS = 7, BYTES_MAX = 40 };
	uint8_t expected[FILTERS][CHUNKS][BYTES_MAX];
	size_t sizes[FILTERS][CHUNKS] = {{0}};
	sqlite3 *database = index_make(":memory:");
	struct write_batch batch = {0};
	struct message message;
	uint64_t seed = 11;

	(void)state;
	for (size_t round = 0; round < random_rounds(300); round++) {
		struct write_commit commit = {.source = 1};
		const unsigned items = random_below(&seed, 30);

		for (unsigned i = 0; i < items; i++) {
			const unsigned filter = random_below(&seed, FILTERS);
			const unsigned chunk = random_below(&seed, CHUNKS);
			uint8_t bytes[BYTES_MAX];
			struct write_bitmap bitmap = {.filter = filter + 1,
						      .chunk = (int64_t)chunk - 3,
						      .rows = 1,
						      .bytes = bytes,
						      .size = random_below(&seed, BYTES_MAX)};

			for (size_t j = 0; j < bitmap.size; j++)
				bytes[j] = (uint8_t)random_below(&seed, 256);
			assert_int_equal(write_batch_add_bitmap(&batch, &bitmap, &message),
					 STATUS_OK);
			memcpy(expected[filter][chunk], bytes, bitmap.size);
			sizes[filter][chunk] = bitmap.size;
			/* The batch has a copy. */
			memset(bytes, 0xaa, sizeof(bytes));
			if (random_below(&seed, 12) == 0)
				assert_int_equal(write_batch_part(&batch, database, commit.source,
								  NULL, &message),
						 STATUS_OK);
		}
		assert_int_equal(write_batch_commit(&batch, database, &commit, NULL, &message),
				 STATUS_OK);
		assert_int_equal(batch.bitmap_count, 0);
		for (unsigned filter = 0; filter < FILTERS; filter++)
			for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
				char sql[160];
				sqlite3_stmt *row;

				snprintf(sql, sizeof(sql),
					 "SELECT bitmap FROM connbits_bitmap WHERE filter = %u AND "
					 "chunk = %d",
					 filter + 1, (int)chunk - 3);
				must(database, sqlite3_prepare_v2(database, sql, -1, &row, NULL));
				if (sizes[filter][chunk] == 0) {
					assert_int_equal(sqlite3_step(row), SQLITE_DONE);
				} else {
					assert_int_equal(sqlite3_step(row), SQLITE_ROW);
					assert_int_equal(sqlite3_column_bytes(row, 0),
							 sizes[filter][chunk]);
					assert_memory_equal(sqlite3_column_blob(row, 0),
							    expected[filter][chunk],
							    sizes[filter][chunk]);
				}
				sqlite3_finalize(row);
			}
	}
	write_batch_free(&batch);
	sqlite3_close(database);
}

static void a_batch_that_is_freed_has_written_nothing(void **state)
{
	static const uint8_t byte[1] = {1};
	const struct write_bitmap bitmap = {.filter = 1, .rows = 1, .bytes = byte, .size = 1};
	sqlite3 *database = index_make(":memory:");
	struct write_batch batch = {0};
	struct message message;

	(void)state;
	assert_int_equal(write_batch_add_bitmap(&batch, &bitmap, &message), STATUS_OK);
	assert_int_equal(write_batch_part(&batch, database, 1, NULL, &message), STATUS_OK);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_bitmap"), 1);
	assert_int_equal(sqlite3_get_autocommit(database), 0);
	write_batch_free(&batch);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_bitmap"), 0);
	assert_int_equal(sqlite3_get_autocommit(database), 1);
	sqlite3_close(database);
}

static void a_segment_without_rows_goes_and_one_without_headers_stays(void **state)
{
	static uint8_t packed[] = {1, 2, 3};
	sqlite3 *database = index_make(":memory:");
	struct write_batch batch = {0};
	struct write_commit commit = {.source = 4};
	struct message message;

	(void)state;
	for (int64_t segment = -1; segment <= 1; segment++)
		assert_int_equal(
			write_batch_add_header(
				&batch,
				&(struct write_header){
					.segment = segment,
					.outcomes = {[OUTCOME_HEADER] = 7, [OUTCOME_PORT] = 2},
					.packed = {.bytes = segment ? packed : NULL,
						   .sizes = {[STORED_SHAPE] = segment ? 1 : 0,
							     [STORED_SOURCE] = segment ? 2 : 0}}},
				&message),
			STATUS_OK);
	assert_int_equal(write_batch_commit(&batch, database, &commit, NULL, &message), STATUS_OK);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_header WHERE source = 4 "
					    "AND rows = 7 AND length(outcomes) = 28"),
			 3);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_column WHERE source = 4 "
					    "AND segment <> 0 AND (column, bytes) IN "
					    "(VALUES (1, x'01'), (4, x'0203'))"),
			 4);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_column"), 4);
	write_batch_add_header(&batch, &(struct write_header){.segment = 1}, &message);
	assert_int_equal(write_batch_commit(&batch, database, &commit, NULL, &message), STATUS_OK);
	assert_int_equal(must_ask(database, "SELECT max(segment) FROM connbits_header"), 0);
	assert_int_equal(must_ask(database, "SELECT max(segment) FROM connbits_column"), -1);
	write_batch_free(&batch);
	sqlite3_close(database);
}

static void a_batch_is_full_by_bytes_or_by_items(void **state)
{
	static uint8_t bytes[WRITE_BATCH_BYTES / 2];
	const struct write_bitmap large = {.bytes = bytes, .size = sizeof(bytes)};
	const struct write_bitmap gone = {.filter = 1};
	struct write_batch batch = {0};
	struct message message;

	(void)state;
	write_batch_add_bitmap(&batch, &large, &message);
	assert_false(write_batch_is_full(&batch));
	write_batch_add_bitmap(&batch, &large, &message);
	assert_true(write_batch_is_full(&batch));
	write_batch_free(&batch);
	for (int i = 0; i < WRITE_BATCH_ITEMS; i++) {
		assert_false(write_batch_is_full(&batch));
		write_batch_add_bitmap(&batch, &gone, &message);
	}
	assert_true(write_batch_is_full(&batch));
	write_batch_free(&batch);
}

/* A trigger stands for whatever may fail in the middle. */
static void nothing_of_a_commit_that_fails_is_there(void **state)
{
	static const uint8_t bytes[] = {1};
	struct paths paths;
	struct write_batch batch = {0};
	struct write_commit commit = {.source = 1};
	struct message message;
	sqlite3 *database;

	(void)state;
	paths_make(&paths);
	database = index_make(paths.index);
	must_run(database,
		 "CREATE TRIGGER full BEFORE INSERT ON connbits_header WHEN NEW.segment = 1 "
		 "BEGIN SELECT RAISE(ABORT, 'no room'); END");
	write_batch_add_bitmap(
		&batch, &(struct write_bitmap){.filter = 1, .rows = 1, .bytes = bytes, .size = 1},
		&message);
	for (int64_t segment = 0; segment < 2; segment++)
		write_batch_add_header(&batch,
				       &(struct write_header){.segment = segment,
							      .outcomes = {[OUTCOME_HEADER] = 1}},
				       &message);
	assert_int_equal(write_batch_commit(&batch, database, &commit, NULL, &message),
			 STATUS_FAILED);
	assert_non_null(strstr(message.text, "no room"));
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_bitmap"), 0);
	assert_int_equal(must_ask(database, "SELECT count(*) FROM connbits_header"), 0);
	assert_int_equal(sqlite3_get_autocommit(database), 1);
	write_batch_free(&batch);
	sqlite3_close(database);
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_last_is_what_is_stored),
		cmocka_unit_test(a_batch_that_is_freed_has_written_nothing),
		cmocka_unit_test(a_segment_without_rows_goes_and_one_without_headers_stays),
		cmocka_unit_test(a_batch_is_full_by_bytes_or_by_items),
		cmocka_unit_test(nothing_of_a_commit_that_fails_is_there),
	};

	return cmocka_run_group_tests_name("write_batch", tests, NULL, NULL);
}

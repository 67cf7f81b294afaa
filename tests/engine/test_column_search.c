/* What a search of stored columns reads, counted in bytes. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "column/segment_packing.h"
#include "engine/evaluate.h"
#include "random.h"

/* 60,000 connections: ports that repeat, hosts that do, and some that do not. */
static void segment_make(struct packed_columns *packed)
{
	struct segment *segment = segment_new();
	struct segment_packing *packing = segment_packing_new();
	struct message message;
	uint64_t seed = 71;

	assert_non_null(segment);
	assert_non_null(packing);
	segment_reset(segment, 0);
	for (unsigned row = 0; row < 60000; row++) {
		struct connection connection = {.version = 4,
						.protocol = random_below(&seed, 9) ? 6 : 17,
						.source_port = (uint16_t)random_next(&seed)};

		connection.destination_port = (uint16_t)(random_below(&seed, 20) * 100 + 1);
		connection.source[0] = (uint8_t)(1 + random_below(&seed, 200));
		connection.source[3] = (uint8_t)random_next(&seed);
		connection.destination[0] = 192;
		connection.destination[3] = (uint8_t)random_below(&seed, 4);
		segment_append(segment, (uint16_t)row, OUTCOME_HEADER, &connection);
	}
	assert_int_equal(segment_packing_run(packing, segment, kernels_best(), packed, &message),
			 STATUS_OK);
	segment_packing_free(packing);
	segment_free(segment);
}

/* A supply that notes which columns were opened. */
struct noting {
	struct column_supply supply;
	bool opened[STORED_COLUMNS];
};

static enum status noting_open(void *context, enum stored_column column, column_read *read,
			       void **read_context, size_t *size, struct message *message)
{
	struct noting *noting = context;

	noting->opened[column] = true;
	return noting->supply.open(noting->supply.context, column, read, read_context, size,
				   message);
}

/* Asks a filter; returns the bytes that were read, and how many rows it has. */
static uint64_t ask(const struct packed_columns *packed, const char *text, bool counts,
		    struct noting *noting, uint32_t *rows)
{
	static struct segment_bits bits;
	struct segment_columns *columns = segment_columns_new();
	struct column_supply supply = {.open = noting_open, .context = noting};
	struct evaluation *evaluation;
	struct evaluator *evaluator;
	struct program program;
	const struct program *pointer = &program;
	struct message message;
	uint64_t bytes;

	*noting = (struct noting){.supply = packed_columns_supply(packed)};
	assert_int_equal(program_compile_directly(text, false, &program, &message), STATUS_OK);
	assert_int_equal(evaluation_new_search(&pointer, 1, NULL, &evaluation, &message),
			 STATUS_OK);
	assert_true(evaluation_searches(evaluation));
	assert_int_equal(evaluator_new(evaluation, &evaluator, &message), STATUS_OK);
	segment_columns_begin(columns, &supply);
	assert_int_equal(evaluator_read_columns(evaluator, 0, columns, &message), STATUS_OK);
	*rows = 0;
	if (counts)
		assert_int_equal(evaluator_column_count(evaluator, 0, rows, &message), STATUS_OK);
	else
		assert_int_equal(evaluator_column_bits(evaluator, 0, &bits, &message), STATUS_OK);
	bytes = segment_columns_bytes_read(columns);
	evaluator_free(evaluator);
	evaluation_free(evaluation);
	program_free(&program);
	segment_columns_free(columns);
	return bytes;
}

static void a_question_reads_the_columns_that_it_names_and_no_other(void **state)
{
	static const struct {
		const char *text;
		bool opened[STORED_COLUMNS];
	} asked[] = {
		{"tcp", {[STORED_SHAPE] = true}},
		{"tcp dst port 101", {[STORED_SHAPE] = true, [STORED_DESTINATION_PORT] = true}},
		{"udp and src net 1.0.0.0/8", {[STORED_SHAPE] = true, [STORED_SOURCE] = true}},
		{"dst host 192.0.0.1", {[STORED_SHAPE] = true, [STORED_DESTINATION] = true}},
	};
	struct packed_columns packed;
	struct noting noting;

	(void)state;
	segment_make(&packed);
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		uint32_t rows;
		size_t named = 0;
		const uint64_t bytes = ask(&packed, asked[i].text, true, &noting, &rows);

		assert_true(rows > 0);
		assert_memory_equal(noting.opened, asked[i].opened, sizeof(noting.opened));
		for (size_t column = 0; column < STORED_COLUMNS; column++)
			named += asked[i].opened[column] ? packed.sizes[column] : 0;
		assert_true(bytes <= named + COLUMN_BYTES_PART * (size_t)2);
		/* Whoever wants the row ids reads which they are too. */
		ask(&packed, asked[i].text, false, &noting, &rows);
		assert_true(noting.opened[STORED_ROWS]);
	}
	free(packed.bytes);
}

static void where_a_segment_has_no_such_value_no_code_is_read(void **state)
{
	static const char *const texts[] = {"dst port 102", "src net 240.0.0.0/4",
					    "dst host 192.0.0.9 or dst host 10.0.0.1", "icmp",
					    "ip6 and dst port 101"};
	struct packed_columns packed;
	struct noting noting;
	uint32_t rows;

	(void)state;
	segment_make(&packed);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		/* Heads and a block or two of each list. */
		assert_true(ask(&packed, texts[i], true, &noting, &rows) <=
			    COLUMN_BYTES_PART * (size_t)8);
		assert_int_equal(rows, 0);
		assert_false(noting.opened[STORED_ROWS]);
		assert_false(noting.opened[STORED_SOURCE_PORT]);
	}
	free(packed.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_reads_the_columns_that_it_names_and_no_other),
		cmocka_unit_test(where_a_segment_has_no_such_value_no_code_is_read),
	};

	return cmocka_run_group_tests_name("column_search", tests, NULL, NULL);
}

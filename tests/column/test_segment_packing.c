#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap/kernel.h"
#include "column/segment_packing.h"
#include "packet/instant.h"
#include "random.h"

enum { OTHER_NUMBER = -7 };

static void random_bytes(uint64_t *seed, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)random_next(seed);
}

static struct connection random_connection(uint64_t *seed)
{
	static const uint8_t protocols[] = {6, 6, 6, 17, 17, 132, 1, 58, 0, 44, 47, 255};
	struct connection connection = {
		.version = random_below(seed, 4) ? 4 : 6,
		.protocol = protocols[random_below(seed, sizeof(protocols))],
		.has_icmp = random_below(seed, 2),
		.icmp_type = (uint8_t)random_next(seed),
		.icmp_code = (uint8_t)random_next(seed),
		.source_port = (uint16_t)random_next(seed),
		.destination_port = (uint16_t)random_next(seed),
	};

	random_bytes(seed, connection.source, sizeof(connection.source));
	random_bytes(seed, connection.destination, sizeof(connection.destination));
	return connection;
}

/* Rows of every outcome, with gaps of one of several sizes. */
static void segment_fill(struct segment *segment, uint64_t *seed)
{
	const unsigned gap = (unsigned[]){1, 1, 2, 40, 9000}[random_below(seed, 5)];
	unsigned low = random_below(seed, 3);

	segment_reset(segment, OTHER_NUMBER);
	segment->timed = random_below(seed, 2);
	for (; low < SEGMENT_ROWS; low += 1 + random_below(seed, gap)) {
		const struct connection connection = random_connection(seed);
		const enum outcome outcome =
			random_below(seed, 9) ? OUTCOME_HEADER
					      : (enum outcome)random_below(seed, OUTCOME_COUNT);

		segment->times[low] =
			random_below(seed, 9) ? (int64_t)random_next(seed) >> 9 : INSTANT_NONE;
		segment_append(segment, (uint16_t)low, outcome, &connection);
	}
}

static void assert_same_headers(const struct segment *a, const struct segment *b)
{
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->outcomes[OUTCOME_HEADER], b->outcomes[OUTCOME_HEADER]);
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++) {
		const struct packed_headers *x = &a->headers[i];
		const struct packed_headers *y = &b->headers[i];

		assert_int_equal(x->rows, y->rows);
		assert_memory_equal(x->low, y->low, x->rows * sizeof(*x->low));
		assert_memory_equal(x->captured, y->captured, x->rows);
		assert_memory_equal(x->bytes, y->bytes, x->rows * x->stride);
		for (size_t row = 0; a->timed && row < x->rows; row++)
			assert_int_equal(a->times[x->low[row]], b->times[x->low[row]]);
	}
	assert_int_equal(a->timed, b->timed);
}

static void pack(const struct segment *segment, struct packed_columns *packed)
{
	struct segment_packing *packing = segment_packing_new();
	struct message message;

	assert_non_null(packing);
	assert_int_equal(segment_packing_run(packing, segment, kernels_best(), packed, &message),
			 STATUS_OK);
	segment_packing_free(packing);
}

static enum status unpack(const struct packed_columns *packed, bool with_times,
			  struct segment *segment, struct message *message)
{
	const struct column_supply supply = packed_columns_supply(packed);
	struct segment_columns *columns = segment_columns_new();
	enum status status;

	assert_non_null(columns);
	segment_columns_begin(columns, &supply);
	status = segment_columns_headers(columns, kernels_best(), OTHER_NUMBER, segment, message);
	if (status == STATUS_OK && with_times)
		status = segment_columns_times(columns, segment, message);
	segment_columns_free(columns);
	return status;
}

static void what_is_packed_is_unpacked_byte_for_byte(void **state)
{
	struct segment *segment = segment_new();
	struct segment *back = segment_new();
	uint64_t seed = 4;
	size_t rounds = random_rounds(60);

	(void)state;
	assert_non_null(segment);
	assert_non_null(back);
	for (size_t round = 0; round < rounds; round++) {
		struct packed_columns packed;
		struct message message;

		segment_fill(segment, &seed);
		pack(segment, &packed);
		if (unpack(&packed, segment->timed, back, &message) != STATUS_OK)
			fail_msg("%s", message.text);
		assert_same_headers(segment, back);
		free(packed.bytes);
	}
	segment_free(segment);
	segment_free(back);
}

/* Services, and hosts that come back, as logs have them. */
static void what_comes_back_takes_a_few_bits(void **state)
{
	struct segment *segment = segment_new();
	struct packed_columns packed;
	uint64_t seed = 1;

	(void)state;
	segment_reset(segment, 0);
	for (unsigned low = 0; low < SEGMENT_ROWS; low++) {
		struct connection connection = {.version = 4, .protocol = 6};

		connection.source_port = (uint16_t)random_next(&seed);
		connection.destination_port = (uint16_t)(random_below(&seed, 60) * 17);
		connection.source[3] = (uint8_t)random_next(&seed);
		connection.destination[2] = (uint8_t)random_below(&seed, 4);
		segment_append(segment, (uint16_t)low, low % 2 ? OUTCOME_HEADER : OUTCOME_LISTEN,
			       &connection);
	}
	pack(segment, &packed);
	/* 16, 6, 8, 2 and 0 bits. */
	assert_true(packed_columns_size(&packed) <=
		    SEGMENT_ROWS / 2 / 8 * (16 + 6 + 8 + 2) + CONTAINER_BYTES_MAX + 1500);
	free(packed.bytes);
	segment_free(segment);
}

static void a_segment_without_headers_has_no_columns(void **state)
{
	struct segment *segment = segment_new();
	struct packed_columns packed;

	(void)state;
	segment_reset(segment, OTHER_NUMBER);
	pack(segment, &packed);
	assert_int_equal(packed_columns_size(&packed), 0);
	assert_null(packed.bytes);
	segment_free(segment);
}

/* Columns of two segments, mixed: of other rows, or of other versions of IP. */
static void columns_that_do_not_belong_together_are_refused(void **state)
{
	struct segment *segment = segment_new();
	struct packed_columns packed[2];
	struct message message;

	(void)state;
	for (int version = 0; version < 2; version++) {
		segment_reset(segment, 0);
		segment->timed = true;
		for (uint16_t low = 0; low < 40; low++) {
			segment->times[low] = low;
			segment_append(
				segment, low, OUTCOME_HEADER,
				&(struct connection){.version = version ? 6 : 4, .protocol = 6});
		}
		pack(segment, &packed[version]);
	}
	for (int column = 0; column < STORED_COLUMNS; column++) {
		struct packed_columns mixed = {.bytes = malloc(packed_columns_size(&packed[0]) +
							       packed_columns_size(&packed[1]))};
		uint8_t *next = mixed.bytes;

		for (int i = 0; i < STORED_COLUMNS; i++) {
			const struct packed_columns *from = &packed[i == column];
			const uint8_t *bytes = from->bytes;

			for (int j = 0; j < i; j++)
				bytes += from->sizes[j];
			mixed.sizes[i] = from->sizes[i];
			memcpy(next, bytes, from->sizes[i]);
			next += from->sizes[i];
		}
		assert_int_equal(unpack(&mixed, true, segment, &message),
				 column == STORED_SHAPE || column == STORED_SOURCE ||
						 column == STORED_DESTINATION
					 ? STATUS_FAILED
					 : STATUS_OK);
		mixed.sizes[column] = 0;
		assert_int_equal(unpack(&mixed, true, segment, &message), STATUS_FAILED);
		assert_non_null(strstr(message.text, "damaged column"));
		free(mixed.bytes);
	}
	free(packed[0].bytes);
	free(packed[1].bytes);
	segment_free(segment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_is_unpacked_byte_for_byte),
		cmocka_unit_test(what_comes_back_takes_a_few_bits),
		cmocka_unit_test(a_segment_without_headers_has_no_columns),
		cmocka_unit_test(columns_that_do_not_belong_together_are_refused),
	};

	return cmocka_run_group_tests_name("packing", tests, NULL, NULL);
}

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "bitmap/kernel.h"
#include "packet/segment_packing.h"
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
	for (; low < SEGMENT_ROWS; low += 1 + random_below(seed, gap)) {
		const struct connection connection = random_connection(seed);
		const enum outcome outcome =
			random_below(seed, 9) ? OUTCOME_HEADER
					      : (enum outcome)random_below(seed, OUTCOME_COUNT);

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
	}
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
		struct message message;
		uint8_t *bytes;
		size_t size;

		segment_fill(segment, &seed);
		assert_int_equal(
			segment_packing_encode(segment, kernels_best(), &bytes, &size, &message),
			STATUS_OK);
		if (segment_packing_decode(bytes, size, OTHER_NUMBER, back, &message) != STATUS_OK)
			fail_msg("%s", message.text);
		assert_same_headers(segment, back);
		free(bytes);
	}
	segment_free(segment);
	segment_free(back);
}

static void an_ipv4_header_takes_about_13_bytes(void **state)
{
	struct segment *segment = segment_new();
	struct message message;
	uint64_t seed = 1;
	uint8_t *bytes;
	size_t size;

	(void)state;
	segment_reset(segment, 0);
	for (unsigned low = 0; low < SEGMENT_ROWS; low++) {
		struct connection connection = random_connection(&seed);

		connection.version = 4;
		segment_append(segment, (uint16_t)low, low % 2 ? OUTCOME_HEADER : OUTCOME_LISTEN,
			       &connection);
	}
	assert_int_equal(segment_packing_encode(segment, kernels_best(), &bytes, &size, &message),
			 STATUS_OK);
	assert_true(size <= SEGMENT_ROWS / 2 * 13 + 8192 + 16);
	free(bytes);
	segment_free(segment);
}

static void an_empty_segment_is_eight_bytes(void **state)
{
	struct segment *segment = segment_new();
	struct message message;
	uint8_t *bytes;
	size_t size;

	(void)state;
	segment_reset(segment, OTHER_NUMBER);
	assert_int_equal(segment_packing_encode(segment, kernels_best(), &bytes, &size, &message),
			 STATUS_OK);
	assert_int_equal(size, 8);
	assert_int_equal(segment_packing_decode(bytes, size, OTHER_NUMBER, segment, &message),
			 STATUS_OK);
	assert_int_equal(segment->outcomes[OUTCOME_HEADER], 0);
	free(bytes);
	segment_free(segment);
}

static void cut_or_longer_bytes_are_refused(void **state)
{
	struct segment *segment = segment_new();
	struct segment *back = segment_new();
	struct message message;
	uint64_t seed = 9;
	uint8_t *bytes;
	uint8_t *copy;
	size_t size;

	(void)state;
	segment_reset(segment, OTHER_NUMBER);
	for (unsigned low = 0; low < 20; low++) {
		const struct connection connection = random_connection(&seed);

		segment_append(segment, (uint16_t)(low * 3), OUTCOME_HEADER, &connection);
	}
	assert_int_equal(segment_packing_encode(segment, kernels_best(), &bytes, &size, &message),
			 STATUS_OK);
	for (size_t length = 0; length < size; length++) {
		/* In memory of its own, so that a read behind the end is seen. */
		copy = malloc(length + 1);
		memcpy(copy, bytes, length);
		assert_int_equal(segment_packing_decode(copy, length, OTHER_NUMBER, back, &message),
				 STATUS_FAILED);
		free(copy);
	}
	copy = malloc(size + 1);
	memcpy(copy, bytes, size);
	copy[size] = 0;
	assert_int_equal(segment_packing_decode(copy, size + 1, OTHER_NUMBER, back, &message),
			 STATUS_FAILED);
	free(copy);
	free(bytes);
	segment_free(segment);
	segment_free(back);
}

static void one_row_id_in_both_versions_is_refused(void **state)
{
	/* One IPv4 and one IPv6 header, both of row id 5. */
	uint8_t bytes[2 * (4 + 3 + 2 + 1) + 12 + 36] = {0};
	struct segment *segment = segment_new();
	struct message message;
	uint8_t *next = bytes;

	(void)state;
	for (unsigned version = 0; version < 2; version++) {
		write_little_endian_32(next, 1);
		write_little_endian_16(next + 5, 2);
		write_little_endian_16(next + 7, version ? 5 : 4);
		next[9] = 6;
		next += 10 + (version ? 36 : 12);
	}
	assert_int_equal(next - bytes, sizeof(bytes));
	assert_int_equal(segment_packing_decode(bytes, sizeof(bytes), 0, segment, &message),
			 STATUS_OK);
	write_little_endian_16(bytes + 7, 5);
	assert_int_equal(segment_packing_decode(bytes, sizeof(bytes), 0, segment, &message),
			 STATUS_FAILED);
	assert_non_null(strstr(message.text, "one row id has two"));
	segment_free(segment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_is_unpacked_byte_for_byte),
		cmocka_unit_test(an_ipv4_header_takes_about_13_bytes),
		cmocka_unit_test(an_empty_segment_is_eight_bytes),
		cmocka_unit_test(cut_or_longer_bytes_are_refused),
		cmocka_unit_test(one_row_id_in_both_versions_is_refused),
	};

	return cmocka_run_group_tests_name("packing", tests, NULL, NULL);
}

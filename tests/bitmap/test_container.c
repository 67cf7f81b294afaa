/* Containers against CRoaring: what one holds, and what two of them make. */
#include "unit.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap/container_algebra.h"
#include "bitmap/roaring_format.h"
#include "random.h"

enum { SEGMENT = 5 };

/* The same rows for us and for CRoaring. */
struct subject {
	uint8_t bytes[CONTAINER_BYTES_MAX];
	struct container container;
	roaring_bitmap_t *rows;
};

/* Rows of every density, single ones and runs; now and then at the ends of a segment. */
static void subject_make(struct subject *subject, uint64_t *seed)
{
	const unsigned kind = random_below(seed, 6);
	struct segment_bits bits;

	subject->rows = roaring_bitmap_create();
	if (kind < 2)
		for (unsigned i = random_below(seed, kind ? 9000 : 60) + 1; i > 0; i--)
			roaring_bitmap_add(subject->rows, random_below(seed, SEGMENT_ROWS));
	if (kind >= 2 && kind < 5)
		for (unsigned i = random_below(seed, kind == 2 ? 4 : 2000) + 1; i > 0; i--) {
			const uint32_t first = random_below(seed, SEGMENT_ROWS);
			const uint32_t end =
				first + 1 + random_below(seed, kind == 3 ? 20 : SEGMENT_ROWS / 2);

			roaring_bitmap_add_range(subject->rows, first,
						 end < SEGMENT_ROWS ? end : SEGMENT_ROWS);
			if (kind == 4)
				break;
		}
	if (kind == 5)
		roaring_bitmap_add_range(subject->rows, 0, SEGMENT_ROWS);
	if (random_below(seed, 3) == 0)
		roaring_bitmap_add(subject->rows, random_below(seed, 2) ? SEGMENT_ROWS - 1 : 0);
	segment_bits_clear(&bits);
	for (uint32_t place = 0; place < SEGMENT_ROWS; place++)
		if (roaring_bitmap_contains(subject->rows, place))
			segment_bits_add(&bits, (uint16_t)place);
	container_encode(SEGMENT, &bits, kernels_best(), subject->bytes, &subject->container);
}

static void must_hold(const struct container *container, const roaring_bitmap_t *rows,
		      const char *what)
{
	static uint16_t places[SEGMENT_ROWS];
	static uint32_t values[SEGMENT_ROWS];

	if (container->cardinality != roaring_bitmap_get_cardinality(rows))
		fail_msg("%s: %u rows where there are %u", what, container->cardinality,
			 (unsigned)roaring_bitmap_get_cardinality(rows));
	if (container->cardinality == 0)
		return;
	container_places(container, 0, container->cardinality, places);
	roaring_bitmap_to_uint32_array(rows, values);
	for (uint32_t i = 0; i < container->cardinality; i++)
		if (places[i] != values[i])
			fail_msg("%s: row %u is %u, not %u", what, i, places[i], values[i]);
}

static void must_be_settled(const struct container *container, const char *what)
{
	uint8_t bytes[CONTAINER_BYTES_MAX];
	uint8_t again[CONTAINER_BYTES_MAX];
	struct container settled;
	struct container encoded;
	struct segment_bits bits;

	container_settle(container, bytes, &settled);
	container_bits(container, &bits);
	container_encode(container->segment, &bits, kernels_best(), again, &encoded);
	if (settled.size != encoded.size || settled.is_run != encoded.is_run ||
	    memcmp(settled.bytes, encoded.bytes, encoded.size) != 0)
		fail_msg("%s: settled, it is not what its bits make", what);
}

static void a_container_has_the_rows_that_croaring_has(void **state)
{
	uint64_t seed = 41;

	(void)state;
	for (size_t round = 0; round < random_rounds(400); round++) {
		struct subject subject;

		subject_make(&subject, &seed);
		must_hold(&subject.container, subject.rows, "encoded");
		must_be_settled(&subject.container, "encoded");
		for (unsigned i = 0; i < 200; i++) {
			const uint16_t place = (uint16_t)random_next(&seed);
			const uint32_t below = place ? place - 1U : 0;
			const uint32_t number = random_below(&seed, subject.container.cardinality);
			uint32_t value;

			assert_int_equal(container_has(&subject.container, place),
					 roaring_bitmap_contains(subject.rows, place));
			assert_int_equal(container_rows_before(&subject.container, place),
					 place ? roaring_bitmap_rank(subject.rows, below) : 0);
			assert_true(roaring_bitmap_select(subject.rows, number, &value));
			assert_int_equal(container_place(&subject.container, number), value);
		}
		roaring_bitmap_free(subject.rows);
	}
}

/* CRoaring 0.2.66 cannot do so itself: it writes past the end of runs that end a segment. */
static void without_runs(struct subject *subject)
{
	static uint32_t values[SEGMENT_ROWS];
	const uint64_t count = roaring_bitmap_get_cardinality(subject->rows);

	roaring_bitmap_to_uint32_array(subject->rows, values);
	roaring_bitmap_free(subject->rows);
	subject->rows = roaring_bitmap_create();
	for (uint64_t i = 0; i < count; i++)
		roaring_bitmap_add(subject->rows, values[i]);
}

/* What CRoaring has as runs and what it has as it came are both read, and settle to the same. */
static void every_form_settles_to_the_same_bytes(void **state)
{
	static uint8_t out[1 << 18];
	uint64_t seed = 43;

	(void)state;
	for (size_t round = 0; round < random_rounds(200); round++) {
		struct subject subject;
		struct container all[CHUNK_SEGMENTS];
		struct message message;
		uint64_t rows;
		size_t size;

		subject_make(&subject, &seed);
		if (random_below(&seed, 2))
			without_runs(&subject);
		else
			roaring_bitmap_run_optimize(subject.rows);
		size = roaring_bitmap_portable_serialize(subject.rows, (char *)out);
		assert_int_equal(chunk_decode(0, out, size, all, &rows, &message), STATUS_OK);
		must_hold(&all[0], subject.rows, "decoded");
		must_be_settled(&all[0], "decoded");
		roaring_bitmap_free(subject.rows);
	}
}

static roaring_bitmap_t *croaring_combine(const roaring_bitmap_t *a, const roaring_bitmap_t *b,
					  enum set_operation operation)
{
	return operation == SET_AND   ? roaring_bitmap_and(a, b)
	       : operation == SET_OR  ? roaring_bitmap_or(a, b)
	       : operation == SET_XOR ? roaring_bitmap_xor(a, b)
				      : roaring_bitmap_andnot(a, b);
}

static void two_containers_make_what_croaring_makes(void **state)
{
	static const char *const names[] = {"and", "or", "xor", "andnot"};
	uint64_t seed = 47;

	(void)state;
	for (size_t round = 0; round < random_rounds(1500); round++) {
		struct subject a;
		struct subject b;

		subject_make(&a, &seed);
		subject_make(&b, &seed);
		assert_int_equal(container_common(&a.container, &b.container),
				 roaring_bitmap_and_cardinality(a.rows, b.rows));
		for (enum set_operation operation = SET_AND; operation <= SET_ANDNOT; operation++) {
			uint8_t out[CONTAINER_BYTES_MAX];
			struct container made;
			roaring_bitmap_t *rows = croaring_combine(a.rows, b.rows, operation);

			container_combine(&a.container, &b.container, operation, out, &made);
			must_hold(&made, rows, names[operation]);
			assert_int_equal(made.segment, SEGMENT);
			if (made.cardinality)
				must_be_settled(&made, names[operation]);
			roaring_bitmap_free(rows);
		}
		roaring_bitmap_free(a.rows);
		roaring_bitmap_free(b.rows);
	}
}

static void a_range_has_all_rows_from_its_first_to_its_last(void **state)
{
	uint64_t seed = 53;

	(void)state;
	for (size_t round = 0; round < random_rounds(300); round++) {
		const uint32_t x = random_below(&seed, SEGMENT_ROWS);
		const uint32_t more =
			random_below(&seed, random_below(&seed, 2) ? 6 : SEGMENT_ROWS);
		const uint32_t last = x + more < SEGMENT_ROWS ? x + more : SEGMENT_ROWS - 1;
		roaring_bitmap_t *rows = roaring_bitmap_from_range(x, last + UINT64_C(1), 1);
		uint8_t out[CONTAINER_BYTES_MAX];
		struct container range;

		container_encode_range(SEGMENT, (uint16_t)x, (uint16_t)last, out, &range);
		must_hold(&range, rows, "range");
		must_be_settled(&range, "range");
		assert_ptr_equal(range.bytes, out);
		roaring_bitmap_free(rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_has_the_rows_that_croaring_has),
		cmocka_unit_test(every_form_settles_to_the_same_bytes),
		cmocka_unit_test(two_containers_make_what_croaring_makes),
		cmocka_unit_test(a_range_has_all_rows_from_its_first_to_its_last),
	};

	return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}

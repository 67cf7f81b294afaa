/* Expressions over sets at hand, against the same with a bit for each row. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "ask/operand.h"
#include "expression/segment_stack.h"
#include "random.h"
#include "set/row_set.h"

enum { NAMES = 4, SEGMENTS = 3, LOWS = 64, TEXT_MAX = 512 };

/* Bit `low` of bits[name][segment] is a row of the segment; the last name is @all. */
struct universe {
	uint64_t bits[NAMES + 1][SEGMENTS];
	struct row_set sets[NAMES + 1];
};

static void universe_make(struct universe *universe, uint64_t *seed)
{
	*universe = (struct universe){0};
	for (size_t segment = 0; segment < SEGMENTS; segment++) {
		universe->bits[NAMES][segment] = random_next(seed) | random_next(seed);
		for (size_t name = 0; name < NAMES; name++)
			if (random_below(seed, 3))
				universe->bits[name][segment] =
					random_next(seed) & universe->bits[NAMES][segment];
	}
	for (size_t name = 0; name <= NAMES; name++)
		for (size_t segment = 0; segment < SEGMENTS; segment++) {
			uint8_t out[CONTAINER_BYTES_MAX];
			struct segment_bits bits;
			struct container container;
			struct message message;

			segment_bits_clear(&bits);
			for (uint16_t low = 0; low < LOWS; low++)
				if (universe->bits[name][segment] >> low & 1)
					segment_bits_add(&bits, low);
			container_encode((int64_t)segment, &bits, kernels_best(), out, &container);
			assert_int_equal(
				row_set_append(&universe->sets[name], &container, &message),
				STATUS_OK);
		}
}

static void universe_free(struct universe *universe)
{
	for (size_t name = 0; name <= NAMES; name++)
		row_set_free(&universe->sets[name]);
}

/* Writes a random expression and works out its bits. */
static void random_expression(uint64_t *seed, const struct universe *universe, int depth,
			      char *text, uint64_t bits[SEGMENTS])
{
	const unsigned shape = depth ? random_below(seed, 4) : 0;
	uint64_t right[SEGMENTS];
	unsigned name;

	switch (shape) {
	case 0:
		name = random_below(seed, NAMES);
		sprintf(text + strlen(text), "f%u", name);
		memcpy(bits, universe->bits[name], SEGMENTS * sizeof(*bits));
		return;
	case 1:
		strcat(text, "not ");
		random_expression(seed, universe, depth - 1, text, bits);
		for (size_t i = 0; i < SEGMENTS; i++)
			bits[i] = universe->bits[NAMES][i] & ~bits[i];
		return;
	default:
		strcat(text, "(");
		random_expression(seed, universe, depth - 1, text, bits);
		strcat(text, shape == 2 ? " and " : " or ");
		random_expression(seed, universe, depth - 1, text, right);
		strcat(text, ")");
		for (size_t i = 0; i < SEGMENTS; i++)
			bits[i] = shape == 2 ? bits[i] & right[i] : bits[i] | right[i];
	}
}

/* Runs the expression over all segments, to a set or to a count. */
static void compare(const struct universe *universe, const char *text,
		    const uint64_t bits[SEGMENTS], bool counts)
{
	struct expression expression;
	struct operand operands[NAMES + 1] = {{0}};
	struct segment_stack stack;
	struct message message;
	uint64_t expected = 0;

	assert_int_equal(expression_parse(text, &expression, &message), STATUS_OK);
	for (size_t i = 0; i < expression.name_count; i++)
		operand_lend(&operands[i], &universe->sets[expression.names[i].text[1] - '0']);
	operand_lend(&operands[expression.name_count], &universe->sets[NAMES]);
	assert_true(segment_stack_init(&stack, &expression, operand_lent, operands, counts));
	for (int64_t segment = 0; segment < SEGMENTS; segment++) {
		struct container result;
		uint64_t found = 0;

		assert_true(segment_stack_run(&stack, segment));
		segment_stack_take(&stack, &result);
		for (uint16_t low = 0; result.cardinality && low < LOWS; low++)
			found |= (uint64_t)container_has(&result, low) << low;
		if (!counts && found != bits[segment])
			fail_msg("%s, segment %d", text, (int)segment);
		expected += (uint64_t)__builtin_popcountll(bits[segment]);
		for (size_t i = 0; i <= expression.name_count; i++)
			if (operands[i].container && operands[i].container->segment == segment)
				assert_int_equal(operand_next(&operands[i], &message), STATUS_OK);
	}
	if (counts && stack.count != expected)
		fail_msg("%s: %d rows where %d are expected", text, (int)stack.count,
			 (int)expected);
	segment_stack_free(&stack);
	for (size_t i = 0; i <= expression.name_count; i++)
		operand_free(&operands[i]);
	expression_free(&expression);
}

static void an_expression_is_what_its_bits_are(void **state)
{
	uint64_t seed = 31;

	(void)state;
	for (size_t round = 0; round < random_rounds(2000); round++) {
		struct universe universe;
		uint64_t bits[SEGMENTS];
		char text[TEXT_MAX] = "";

		universe_make(&universe, &seed);
		random_expression(&seed, &universe, (int)random_below(&seed, 5), text, bits);
		compare(&universe, text, bits, false);
		compare(&universe, text, bits, true);
		universe_free(&universe);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_expression_is_what_its_bits_are),
	};

	return cmocka_run_group_tests_name("segment_stack", tests, NULL, NULL);
}

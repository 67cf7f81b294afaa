/* Conditions as decision diagrams: what they answer, and that equal ones are one. */
#include "unit.h"

#include <string.h>

#include "condition/condition.h"
#include "random.h"

enum { COLUMNS = 4, PIECES_MAX = 5, POINTS = 40 };

/* Columns of the test, in their order, and numbers where something may change. */
static const uint32_t columns[COLUMNS] = {COLUMN_SHAPE, COLUMN_SOURCE_PORT, COLUMN_SOURCE,
					  COLUMN_COUNT};

struct point {
	uint32_t numbers[COLUMN_COUNT + 1];
};

static bool answer(const struct conditions *conditions, uint32_t condition,
		   const struct point *point)
{
	while (condition > CONDITION_ACCEPT) {
		const struct condition_node *node = &conditions->nodes[condition];
		const struct piece *piece = condition_pieces(conditions, condition);

		while (point->numbers[node->column] > piece->last)
			piece++;
		condition = piece->next;
	}
	return condition == CONDITION_ACCEPT;
}

static uint32_t some_number(uint64_t *seed, uint32_t column)
{
	const uint32_t last = condition_column_last(column);

	switch (random_below(seed, 4)) {
	case 0:
		return 0;
	case 1:
		return last;
	default:
		return last < 16 ? random_below(seed, last + 1)
				 : last / 16 * random_below(seed, 16);
	}
}

/* A condition on the columns from `depth` on. */
static uint32_t random_condition(struct conditions *conditions, uint64_t *seed, size_t depth)
{
	struct piece pieces[PIECES_MAX];
	uint32_t column;
	size_t count = 0;

	if (depth == COLUMNS || random_below(seed, 4) == 0)
		return random_below(seed, 2) ? CONDITION_ACCEPT : CONDITION_REJECT;
	if (random_below(seed, 3) == 0)
		return random_condition(conditions, seed, depth + 1);
	column = columns[depth];
	for (size_t i = 0; i + 1 < PIECES_MAX; i++) {
		const uint32_t last = some_number(seed, column);

		if (last < condition_column_last(column) &&
		    (count == 0 || last > pieces[count - 1].last))
			pieces[count++] = (struct piece){
				.last = last,
				.next = random_condition(conditions, seed, depth + 1)};
	}
	pieces[count++] = (struct piece){.last = condition_column_last(column),
					 .next = random_condition(conditions, seed, depth + 1)};
	return condition_make(conditions, column, pieces, count);
}

static struct point random_point(uint64_t *seed)
{
	struct point point = {{0}};

	for (size_t i = 0; i < COLUMNS; i++) {
		const uint32_t number = some_number(seed, columns[i]);
		const uint32_t last = condition_column_last(columns[i]);
		const unsigned beside = random_below(seed, 3);

		point.numbers[columns[i]] = beside == 0 && number < last ? number + 1
					    : beside == 1 && number > 0	 ? number - 1
									 : number;
	}
	return point;
}

static void a_choice_is_made_row_by_row(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (size_t round = 0; round < random_rounds(2000); round++) {
		struct conditions conditions = {0};
		const uint32_t question = random_condition(&conditions, &seed, 0);
		const uint32_t yes = random_condition(&conditions, &seed, 0);
		const uint32_t no = random_condition(&conditions, &seed, 0);
		const uint32_t chosen = condition_choose(&conditions, question, yes, no);

		assert_false(conditions.failed || conditions.limited);
		for (size_t i = 0; i < POINTS; i++) {
			const struct point point = random_point(&seed);

			assert_int_equal(answer(&conditions, chosen, &point),
					 answer(&conditions,
						answer(&conditions, question, &point) ? yes : no,
						&point));
		}
		conditions_free(&conditions);
	}
}

static void equal_conditions_are_one(void **state)
{
	uint64_t seed = 6;

	(void)state;
	for (size_t round = 0; round < random_rounds(2000); round++) {
		struct conditions conditions = {0};
		const uint32_t a = random_condition(&conditions, &seed, 0);
		const uint32_t b = random_condition(&conditions, &seed, 0);
		const uint32_t both = condition_choose(&conditions, a, b, CONDITION_REJECT);
		const uint32_t not_a =
			condition_choose(&conditions, a, CONDITION_REJECT, CONDITION_ACCEPT);
		const uint32_t not_b =
			condition_choose(&conditions, b, CONDITION_REJECT, CONDITION_ACCEPT);
		/* not (not a or not b) */
		const uint32_t either =
			condition_choose(&conditions, not_a, CONDITION_ACCEPT, not_b);

		assert_int_equal(both, condition_choose(&conditions, b, a, CONDITION_REJECT));
		assert_int_equal(both, condition_choose(&conditions, either, CONDITION_REJECT,
							CONDITION_ACCEPT));
		assert_int_equal(
			a, condition_choose(&conditions, a, CONDITION_ACCEPT, CONDITION_REJECT));
		assert_int_equal(a, condition_choose(&conditions, b, a, a));
		conditions_free(&conditions);
	}
}

static void neighbours_that_go_on_alike_are_joined(void **state)
{
	const uint32_t last = condition_column_last(COLUMN_SOURCE_PORT);
	const struct piece same[] = {{100, CONDITION_ACCEPT}, {last, CONDITION_ACCEPT}};
	const struct piece three[] = {
		{10, CONDITION_REJECT}, {20, CONDITION_REJECT}, {last, CONDITION_ACCEPT}};
	const struct piece two[] = {{20, CONDITION_REJECT}, {last, CONDITION_ACCEPT}};
	struct conditions conditions = {0};

	(void)state;
	assert_int_equal(condition_make(&conditions, COLUMN_SOURCE_PORT, same, 2),
			 CONDITION_ACCEPT);
	assert_int_equal(condition_make(&conditions, COLUMN_SOURCE_PORT, three, 3),
			 condition_make(&conditions, COLUMN_SOURCE_PORT, two, 2));
	conditions_free(&conditions);
}

static void a_copy_answers_alike(void **state)
{
	const uint32_t formulas[] = {COLUMN_COUNT};
	uint64_t seed = 7;

	(void)state;
	for (size_t round = 0; round < random_rounds(500); round++) {
		struct conditions from = {0};
		struct conditions to = {0};
		const uint32_t condition = random_condition(&from, &seed, 0);
		const uint32_t copy = condition_copy(&to, &from, condition, formulas);

		for (size_t i = 0; i < POINTS; i++) {
			const struct point point = random_point(&seed);

			assert_int_equal(answer(&from, condition, &point),
					 answer(&to, copy, &point));
		}
		conditions_free(&from);
		conditions_free(&to);
	}
}

static void work_is_bounded(void **state)
{
	struct conditions conditions = {.work_limit = 20};
	uint64_t seed = 8;

	(void)state;
	for (size_t i = 0; i < 1000 && !conditions.limited; i++)
		condition_choose(&conditions, random_condition(&conditions, &seed, 0),
				 random_condition(&conditions, &seed, 0),
				 random_condition(&conditions, &seed, 0));
	assert_true(conditions.limited);
	assert_false(conditions.failed);
	conditions_free(&conditions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_choice_is_made_row_by_row),
		cmocka_unit_test(equal_conditions_are_one),
		cmocka_unit_test(neighbours_that_go_on_alike_are_joined),
		cmocka_unit_test(a_copy_answers_alike),
		cmocka_unit_test(work_is_bounded),
	};

	return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}

/*
 * One test of an exact abstract run as a condition: an interval of one column,
 * a set of numbers of a small column, or a formula.
 */
#ifndef CONNBITS_CONDITION_TEST_CONDITION_H
#define CONNBITS_CONDITION_TEST_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "condition.h"
#include "filter/abstract_graph.h"
#include "formula.h"

/*
 * *condition is where the test holds for headers of the class; for others it
 * means nothing. *expressible is false where the test is too long for a
 * formula. A formula is added to formulas. STATUS_FAILED only without memory.
 */
enum status test_condition_make(struct conditions *conditions, struct formulas *formulas,
				const struct abstract_values *values,
				const struct abstract_class *class, const struct test *test,
				uint32_t *condition, bool *expressible, struct message *message);

#endif

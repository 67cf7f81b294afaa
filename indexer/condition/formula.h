/*
 * A comparison of columns that is no interval of one column, such as
 * tcp[0:2] = tcp[2:2] or a mask with holes: arithmetic in postfix order, whose
 * result is compared with a constant.
 */
#ifndef CONNBITS_CONDITION_FORMULA_H
#define CONNBITS_CONDITION_FORMULA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "filter/abstract_graph.h"
#include "packet/header_column.h"

enum {
	FORMULA_STEPS_MAX = 64,
	FORMULA_STACK_MAX = 16, /* numbers that wait for an operation */
	FORMULA_ROWS = 256,	/* rows that are computed at a time */
};

struct formula_step {
	enum { FORMULA_CONSTANT, FORMULA_COLUMN, FORMULA_OPERATION } kind;
	uint32_t value; /* the constant, the column, or a BPF opcode as in abstract_value_operation
			 */
};

struct formula {
	struct formula_step steps[FORMULA_STEPS_MAX];
	uint32_t count;
	uint32_t height;    /* numbers that the steps leave: 1 */
	uint32_t operation; /* BPF_JEQ, BPF_JGT or BPF_JGE */
	uint32_t constant;
	uint32_t columns; /* a bit for each column that is asked for */
};

/*
 * The formula of a test of an exact abstract run. False where it would have too
 * many steps.
 */
bool formula_of_test(const struct abstract_values *values, const struct abstract_class *class,
		     const struct test *test, struct formula *formula);

/*
 * Where does it hold? columns has COLUMN_COUNT arrays, a number for each row;
 * those of columns it does not ask for are not looked at. holds gets 1 or 0.
 */
void formula_hold(const struct formula *formula, const uint32_t (*columns)[FORMULA_ROWS],
		  uint32_t holds[static FORMULA_ROWS]);

/* Formulas without duplicates. Zero-initialise; free with formulas_free. */
struct formulas {
	struct formula *items;
	size_t count;
	size_t capacity;
};

/* Adds a formula, or finds the equal one. *number is its place in items. */
enum status formulas_add(struct formulas *formulas, const struct formula *formula, uint32_t *number,
			 struct message *message);

void formulas_free(struct formulas *formulas);

#endif

#include "program_difference.h"

#include <stdbool.h>
#include <stdlib.h>

#include "condition.h"
#include "filter/abstract_value.h"
#include "formula.h"
#include "packet/protocol.h"
#include "program_condition.h"

enum {
	WORK_MAX = 1 << 20, /* pieces: some hundredths of a second */
	SAMPLES = 16,	    /* times FORMULA_ROWS points, where conditions alone do not decide */
};

/* The two conditions on the headers of one class. */
struct compared {
	struct conditions *conditions;
	const struct formulas *formulas;
	uint32_t a;
	uint32_t b;
};

/* Numbers of every column, and what each formula says of them, for FORMULA_ROWS points. */
struct points {
	uint32_t columns[COLUMN_COUNT][FORMULA_ROWS];
	uint32_t holds[PROGRAM_CONDITION_FORMULAS_MAX][FORMULA_ROWS];
};

/* splitmix64, by Sebastiano Vigna (public domain). */
static uint64_t random_next(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

static bool asks_formula(const struct conditions *conditions, uint32_t condition, bool *seen)
{
	const struct condition_node *node;
	const struct piece *pieces;

	if (condition <= CONDITION_ACCEPT || seen[condition])
		return false;
	seen[condition] = true;
	node = &conditions->nodes[condition];
	pieces = condition_pieces(conditions, condition);
	if (node->column >= COLUMN_COUNT)
		return true;
	for (size_t i = 0; i < node->count; i++)
		if (asks_formula(conditions, pieces[i].next, seen))
			return true;
	return false;
}

/* A number in or beside a piece of the node, so that each side of a bound is met. */
static uint32_t number_near(const struct conditions *conditions, const struct condition_node *node,
			    uint64_t random)
{
	const struct piece *pieces = conditions->pieces + node->first;
	const struct piece *piece = &pieces[random % node->count];
	const uint32_t last = condition_column_last(node->column);

	switch (random >> 32 & 3) {
	case 0:
		return piece->last;
	case 1:
		return piece->last < last ? piece->last + 1 : last;
	default:
		return (uint32_t)((random >> 34) % ((uint64_t)last + 1));
	}
}

/*
 * Random points, most of whose numbers are near the bounds that the conditions
 * have; both ports and both addresses are often the same, as comparisons of
 * columns ask.
 */
static void points_make(const struct compared *compared, uint64_t *random, struct points *points)
{
	const struct conditions *conditions = compared->conditions;

	for (uint32_t column = 0; column < COLUMN_COUNT; column++)
		for (size_t row = 0; row < FORMULA_ROWS; row++)
			points->columns[column][row] =
				(uint32_t)(random_next(random) %
					   ((uint64_t)condition_column_last(column) + 1));
	for (size_t i = CONDITION_ACCEPT + 1; i < conditions->count; i++)
		for (size_t row = 0; row < FORMULA_ROWS; row++)
			if (conditions->nodes[i].column < COLUMN_COUNT && random_next(random) & 1)
				points->columns[conditions->nodes[i].column][row] = number_near(
					conditions, &conditions->nodes[i], random_next(random));
	for (size_t row = 0; row < FORMULA_ROWS; row++) {
		if (random_next(random) & 1)
			points->columns[COLUMN_DESTINATION_PORT][row] =
				points->columns[COLUMN_SOURCE_PORT][row];
		if (random_next(random) & 1)
			points->columns[COLUMN_DESTINATION][row] =
				points->columns[COLUMN_SOURCE][row];
	}
	for (size_t i = 0; i < compared->formulas->count; i++)
		formula_hold(&compared->formulas->items[i],
			     (const uint32_t(*)[FORMULA_ROWS])points->columns, points->holds[i]);
}

static bool point_meets(const struct conditions *conditions, uint32_t condition,
			const struct points *points, size_t row)
{
	while (condition > CONDITION_ACCEPT) {
		const uint32_t column = conditions->nodes[condition].column;
		const struct piece *piece = condition_pieces(conditions, condition);
		const uint32_t number = column < COLUMN_COUNT
						? points->columns[column][row]
						: points->holds[column - COLUMN_COUNT][row];

		while (piece->last < number)
			piece++;
		condition = piece->next;
	}
	return condition == CONDITION_ACCEPT;
}

/* Formulas that are written otherwise may say the same: only a point that tells them apart counts.
 */
static enum status samples_compare(const struct compared *compared,
				   enum program_difference *difference, struct message *message)
{
	struct points *points = malloc(sizeof(*points));
	uint64_t random = 1;

	*difference = PROGRAMS_UNDECIDED;
	if (!points)
		return message_out_of_memory(message);
	for (size_t i = 0; i < SAMPLES && *difference == PROGRAMS_UNDECIDED; i++) {
		points_make(compared, &random, points);
		for (size_t row = 0; row < FORMULA_ROWS; row++)
			if (point_meets(compared->conditions, compared->a, points, row) !=
			    point_meets(compared->conditions, compared->b, points, row))
				*difference = PROGRAMS_DIFFER;
	}
	free(points);
	return STATUS_OK;
}

static enum status conditions_compare(const struct compared *compared,
				      enum program_difference *difference, struct message *message)
{
	bool *seen;
	bool formulas;

	*difference = PROGRAMS_AGREE;
	if (compared->a == compared->b)
		return STATUS_OK;
	*difference = PROGRAMS_DIFFER;
	seen = calloc(compared->conditions->count, sizeof(*seen));
	if (!seen)
		return message_out_of_memory(message);
	formulas = asks_formula(compared->conditions, compared->a, seen) ||
		   asks_formula(compared->conditions, compared->b, seen);
	free(seen);
	return formulas ? samples_compare(compared, difference, message) : STATUS_OK;
}

/*
 * Does the program load from where the header's own numbers say? Wherever that
 * is, a packet may end before it, and is then rejected.
 */
static enum status loads_anywhere(const struct program *program, const struct abstract_class *class,
				  bool *anywhere, struct message *message)
{
	struct abstract_result result;
	enum status status = abstract_run(program, class, &result, message);

	*anywhere = false;
	for (size_t i = 0; status == STATUS_OK && result.values && i < result.values->count; i++)
		*anywhere |= result.values->items[i].kind == VALUE_INDIRECT;
	abstract_result_free(&result);
	return status;
}

/* The plain program never does where the expression does not: such a load is a mistake. */
static enum status loads_compare(const struct program *a, const struct program *b,
				 const struct abstract_class *class,
				 enum program_difference *difference, struct message *message)
{
	bool of_a;
	bool of_b;
	enum status status = loads_anywhere(a, class, &of_a, message);

	if (status == STATUS_OK)
		status = loads_anywhere(b, class, &of_b, message);
	if (status == STATUS_OK && of_b && !of_a)
		*difference = PROGRAMS_DIFFER;
	return status;
}

static enum status class_compare(const struct program *a, const struct program *b,
				 const struct abstract_class *class, struct conditions *conditions,
				 enum program_difference *difference, struct message *message)
{
	struct formulas formulas = {0};
	struct compared compared = {.conditions = conditions, .formulas = &formulas};
	enum program_condition_limit limit;
	enum status status = program_condition_of_class(a, class, conditions, &formulas,
							&compared.a, &limit, message);

	*difference = PROGRAMS_UNDECIDED;
	if (status != STATUS_OK || limit != PROGRAM_CONDITION_DONE)
		goto cleanup;
	status = program_condition_of_class(b, class, conditions, &formulas, &compared.b, &limit,
					    message);
	if (status == STATUS_OK && limit == PROGRAM_CONDITION_CHECKSUM)
		*difference = PROGRAMS_DIFFER;
	else if (status == STATUS_OK && limit == PROGRAM_CONDITION_DONE)
		status = conditions_compare(&compared, difference, message);
cleanup:
	formulas_free(&formulas);
	return status;
}

enum status program_difference_find(const struct program *a, const struct program *b,
				    enum program_difference *difference, struct message *message)
{
	static const uint8_t protocols[] = {PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP,
					    PROTOCOL_ICMP, PROTOCOL_ICMP6};
	enum status status = STATUS_OK;

	*difference = PROGRAMS_AGREE;
	for (size_t i = 0; status == STATUS_OK && *difference != PROGRAMS_DIFFER &&
			   i < 2 * (sizeof(protocols) + 1);
	     i++) {
		const struct abstract_class class = {
			.version = i % 2 ? 6 : 4,
			.other = i / 2 == sizeof(protocols),
			.protocol = i / 2 < sizeof(protocols) ? protocols[i / 2] : 0,
		};
		struct conditions conditions = {.work_limit = WORK_MAX};
		enum program_difference of_class;

		status = class_compare(a, b, &class, &conditions, &of_class, message);
		conditions_free(&conditions);
		if (status == STATUS_OK && of_class == PROGRAMS_AGREE)
			status = loads_compare(a, b, &class, &of_class, message);
		if (of_class > *difference || of_class == PROGRAMS_DIFFER)
			*difference = of_class;
	}
	return status;
}

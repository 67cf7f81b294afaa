#include "program_condition.h"

#include <stdlib.h>
#include <string.h>

#include "filter/abstract_graph.h"
#include "filter/abstract_value.h"
#include "packet/connection.h"
#include "packet/protocol.h"
#include "test_condition.h"

enum { NOT_DONE = -1 };

/* The graph of one class on its way to a condition. */
struct reduction {
	struct conditions *conditions;
	struct formulas *formulas;
	const struct abstract_class *class;
	const struct abstract_values *values;
	const struct abstract_graph *graph;
	int64_t *done;	    /* the condition of each node, or NOT_DONE */
	uint32_t *literals; /* one behind the other, to be joined */
	size_t literal_count;
	size_t literal_capacity;
	enum program_condition_limit limit;
	enum status status;
	struct message *message;
};

const char *program_condition_limit_text(enum program_condition_limit limit)
{
	switch (limit) {
	case PROGRAM_CONDITION_TOO_LONG:
		return "it loops as long as the header says, or has too many cases";
	case PROGRAM_CONDITION_INDIRECT:
		return "it loads from an offset that depends on the header";
	case PROGRAM_CONDITION_UNDEFINED:
		return "its answer is left to the machine: scratch memory is read before it is "
		       "written, or bits are shifted too far";
	case PROGRAM_CONDITION_CHECKSUM:
		return "it asks for the header checksum";
	case PROGRAM_CONDITION_FORMULA:
		return "its arithmetic, or that of all filters together, is too long";
	case PROGRAM_CONDITION_LARGE:
		return "its condition, or that of all filters together, is too large";
	default:
		return "";
	}
}

static bool reduction_stopped(const struct reduction *reduction)
{
	return reduction->status != STATUS_OK || reduction->limit != PROGRAM_CONDITION_DONE ||
	       reduction->conditions->failed || reduction->conditions->limited;
}

static uint32_t node_literal(struct reduction *reduction, int32_t number)
{
	const struct node *node = &reduction->graph->nodes[number];
	uint32_t literal = CONDITION_REJECT;
	bool expressible;

	if (reduction->values->items[node->test.value].unheld) {
		reduction->limit = PROGRAM_CONDITION_CHECKSUM;
		return literal;
	}
	reduction->status = test_condition_make(reduction->conditions, reduction->formulas,
						reduction->values, reduction->class, &node->test,
						&literal, &expressible, reduction->message);
	if (!expressible || reduction->formulas->count > PROGRAM_CONDITION_FORMULAS_MAX)
		reduction->limit = PROGRAM_CONDITION_FORMULA;
	return literal;
}

static void literals_add(struct reduction *reduction, uint32_t condition)
{
	if (reduction->literal_count == reduction->literal_capacity) {
		const size_t capacity = reduction->literal_capacity * 2 + 64;
		uint32_t *larger =
			realloc(reduction->literals, capacity * sizeof(*reduction->literals));

		if (!larger) {
			reduction->status = message_out_of_memory(reduction->message);
			return;
		}
		reduction->literals = larger;
		reduction->literal_capacity = capacity;
	}
	reduction->literals[reduction->literal_count++] = condition;
}

/* Any of the literals, joined two by two: a list of a thousand grows in ten steps. */
static uint32_t literals_join(struct reduction *reduction)
{
	uint32_t *literals = reduction->literals;
	size_t count = reduction->literal_count;

	if (count == 0)
		return CONDITION_REJECT;
	while (count > 1) {
		size_t half = 0;

		for (size_t i = 0; i + 1 < count; i += 2)
			literals[half++] = condition_choose(reduction->conditions, literals[i],
							    CONDITION_ACCEPT, literals[i + 1]);
		if (count % 2)
			literals[half++] = literals[count - 1];
		count = half;
	}
	return literals[0];
}

/*
 * A block of tests of which all have to hold: from a node on along `yes`, as
 * long as `no` stays the same. *end is where it leads.
 */
static uint32_t block_condition(struct reduction *reduction, int32_t first, int32_t *end)
{
	const struct node *nodes = reduction->graph->nodes;
	const int32_t no = nodes[first].no;
	uint32_t condition = node_literal(reduction, first);
	int32_t number = nodes[first].yes;

	while (number > NODE_ACCEPT && nodes[number].no == no && !reduction_stopped(reduction)) {
		condition = condition_choose(reduction->conditions, condition,
					     node_literal(reduction, number), CONDITION_REJECT);
		number = nodes[number].yes;
	}
	*end = number;
	return condition;
}

static int32_t block_end(const struct node *nodes, int32_t first)
{
	int32_t number = nodes[first].yes;

	while (number > NODE_ACCEPT && nodes[number].no == nodes[first].no)
		number = nodes[number].yes;
	return number;
}

/* The two ends of a chain of blocks that lead to the same node: a list of alternatives. */
static void chain_ends(const struct node *nodes, int32_t first, int32_t *yes, int32_t *no)
{
	*yes = block_end(nodes, first);
	*no = nodes[first].no;
	while (*no > NODE_ACCEPT && block_end(nodes, *no) == *yes)
		*no = nodes[*no].no;
}

static uint32_t chain_condition(struct reduction *reduction, int32_t first)
{
	const struct node *nodes = reduction->graph->nodes;
	int32_t yes;
	int32_t no;
	int32_t end;

	chain_ends(nodes, first, &yes, &no);
	reduction->literal_count = 0;
	for (int32_t number = first; number != no && !reduction_stopped(reduction);
	     number = nodes[number].no)
		literals_add(reduction, block_condition(reduction, number, &end));
	return condition_choose(reduction->conditions, literals_join(reduction),
				(uint32_t)reduction->done[yes], (uint32_t)reduction->done[no]);
}

/* Every node only behind its ends, without recursion: graphs may be deep. */
static uint32_t graph_condition(struct reduction *reduction, int32_t root)
{
	int32_t *stack = malloc((reduction->graph->count + 2) * 3 * sizeof(*stack));
	size_t height = 0;

	if (!stack) {
		reduction->status = message_out_of_memory(reduction->message);
		return CONDITION_REJECT;
	}
	stack[height++] = root;
	while (height > 0 && !reduction_stopped(reduction)) {
		const int32_t number = stack[height - 1];
		int32_t yes;
		int32_t no;

		if (reduction->done[number] != NOT_DONE) {
			height--;
			continue;
		}
		chain_ends(reduction->graph->nodes, number, &yes, &no);
		if (reduction->done[yes] == NOT_DONE)
			stack[height++] = yes;
		else if (reduction->done[no] == NOT_DONE)
			stack[height++] = no;
		else
			reduction->done[number] = chain_condition(reduction, number);
	}
	free(stack);
	return (uint32_t)reduction->done[root];
}

static enum program_condition_limit limit_of(enum abstract_limit limit)
{
	switch (limit) {
	case ABSTRACT_TOO_LONG:
		return PROGRAM_CONDITION_TOO_LONG;
	case ABSTRACT_INDIRECT:
		return PROGRAM_CONDITION_INDIRECT;
	case ABSTRACT_UNDEFINED:
		return PROGRAM_CONDITION_UNDEFINED;
	default:
		return PROGRAM_CONDITION_DONE;
	}
}

/* The condition for the headers of one class; what it says of others means nothing. */
static enum status class_condition(const struct program *program, struct reduction *reduction,
				   uint32_t *condition)
{
	struct abstract_result result;

	*condition = CONDITION_REJECT;
	reduction->status = abstract_run(program, reduction->class, &result, reduction->message);
	reduction->limit = limit_of(result.limit);
	if (reduction_stopped(reduction) || result.root <= NODE_ACCEPT) {
		if (!reduction_stopped(reduction) && result.root == NODE_ACCEPT)
			*condition = CONDITION_ACCEPT;
		goto cleanup;
	}
	reduction->values = result.values;
	reduction->graph = result.graph;
	reduction->done = malloc(result.graph->count * sizeof(*reduction->done));
	if (!reduction->done) {
		reduction->status = message_out_of_memory(reduction->message);
		goto cleanup;
	}
	for (size_t i = 0; i < result.graph->count; i++)
		reduction->done[i] = i <= NODE_ACCEPT ? (int64_t)i : NOT_DONE;
	*condition = graph_condition(reduction, result.root);
	free(reduction->done);
cleanup:
	abstract_result_free(&result);
	if (reduction->conditions->failed)
		reduction->status = message_out_of_memory(reduction->message);
	if (reduction->conditions->limited)
		reduction->limit = PROGRAM_CONDITION_LARGE;
	return reduction->status;
}

/* What is left of a condition of the class where the shape is known. */
static uint32_t condition_of_shape(const struct conditions *conditions, uint32_t condition,
				   uint32_t shape)
{
	const struct piece *piece;

	if (condition <= CONDITION_ACCEPT || conditions->nodes[condition].column != COLUMN_SHAPE)
		return condition;
	piece = condition_pieces(conditions, condition);
	while (piece->last < shape)
		piece++;
	return piece->next;
}

/* Gives the shapes of a class's headers its condition. */
static void class_place(const struct conditions *conditions, const struct abstract_class *class,
			uint32_t condition, struct piece pieces[SHAPE_LAST + 1])
{
	uint32_t shape = shape_of(class->version, class->protocol, class->captured);

	if (!class->other) {
		pieces[shape].next = condition_of_shape(conditions, condition, shape);
		return;
	}
	for (unsigned protocol = 0; protocol <= UINT8_MAX; protocol++) {
		shape = shape_of(class->version, (uint8_t)protocol, 0);
		if (!protocol_has_ports((uint8_t)protocol) && !protocol_is_icmp((uint8_t)protocol))
			pieces[shape].next = condition_of_shape(conditions, condition, shape);
	}
}

/* Joins the conditions of the classes: the first question is always for the shape. */
static uint32_t classes_join(struct conditions *conditions, const struct abstract_class *classes,
			     const uint32_t *of_class, size_t count)
{
	struct piece pieces[SHAPE_LAST + 1];

	if (conditions->failed || conditions->limited)
		return CONDITION_REJECT;
	for (uint32_t shape = 0; shape <= SHAPE_LAST; shape++)
		pieces[shape] = (struct piece){shape, CONDITION_REJECT};
	for (size_t i = 0; i < count; i++)
		class_place(conditions, &classes[i], of_class[i], pieces);
	return condition_make(conditions, COLUMN_SHAPE, pieces, SHAPE_LAST + 1);
}

enum { CLASSES_PER_VERSION = 8, CLASSES = 2 * CLASSES_PER_VERSION };

static void classes_of_version(uint8_t version, struct abstract_class *classes)
{
	classes[0] = abstract_class_exact(version, PROTOCOL_TCP, false);
	classes[1] = abstract_class_exact(version, PROTOCOL_UDP, false);
	classes[2] = abstract_class_exact(version, PROTOCOL_SCTP, false);
	classes[3] = abstract_class_exact(version, PROTOCOL_ICMP, false);
	classes[4] = abstract_class_exact(version, PROTOCOL_ICMP, true);
	classes[5] = abstract_class_exact(version, PROTOCOL_ICMP6, false);
	classes[6] = abstract_class_exact(version, PROTOCOL_ICMP6, true);
	classes[7] = abstract_class_exact_other(version);
}

enum status program_condition_run(const struct program *program, struct conditions *conditions,
				  struct formulas *formulas, uint32_t *condition,
				  enum program_condition_limit *limit, struct message *message)
{
	struct reduction reduction = {
		.conditions = conditions, .formulas = formulas, .message = message};
	struct abstract_class classes[CLASSES];
	uint32_t of_class[CLASSES];

	*condition = CONDITION_REJECT;
	classes_of_version(4, classes);
	classes_of_version(6, classes + CLASSES_PER_VERSION);
	for (size_t i = 0; i < CLASSES && !reduction_stopped(&reduction); i++) {
		reduction.class = &classes[i];
		class_condition(program, &reduction, &of_class[i]);
	}
	if (!reduction_stopped(&reduction))
		*condition = classes_join(conditions, classes, of_class, CLASSES);
	free(reduction.literals);
	*limit = conditions->limited ? PROGRAM_CONDITION_LARGE : reduction.limit;
	return conditions->failed ? message_out_of_memory(message) : reduction.status;
}

enum status program_condition_of_class(const struct program *program,
				       const struct abstract_class *class,
				       struct conditions *conditions, struct formulas *formulas,
				       uint32_t *condition, enum program_condition_limit *limit,
				       struct message *message)
{
	struct reduction reduction = {
		.conditions = conditions, .formulas = formulas, .class = class, .message = message};

	class_condition(program, &reduction, condition);
	free(reduction.literals);
	*limit = reduction.limit;
	return reduction.status;
}

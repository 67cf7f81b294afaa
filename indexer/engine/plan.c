#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "plan_column.h"

enum {
	/*
	 * Pieces that conditions may cost to make, of one program and of all: tenths of
	 * a second, and seconds. What is dearer is left to bpf_filter; a simple program
	 * is reduced even where dear ones before it have used everything up.
	 */
	PROGRAM_WORK_MAX = 20 * 1000 * 1000,
	PLAN_WORK_MAX = 100 * 1000 * 1000,
	SIMPLE_WORK_MAX = 50 * 1000,
	/* Pieces and formulas that all filters together may have: 128 and 32 MiB. */
	PLAN_PIECES_MAX = 1 << 24,
	PLAN_FORMULAS_MAX = 4096,
};

/* The number of a predicate by the condition that is its set. */
struct predicate_numbers {
	uint32_t *numbers; /* 0 where there is none, else number + 1 */
	size_t count;
};

/* The work that one more program may cost where so much was done before it. */
static size_t work_allowed(size_t work)
{
	const size_t left = work < PLAN_WORK_MAX ? PLAN_WORK_MAX - work : 0;

	if (left < SIMPLE_WORK_MAX)
		return SIMPLE_WORK_MAX;
	return left < PROGRAM_WORK_MAX ? left : PROGRAM_WORK_MAX;
}

/* *work is what all programs before have cost, and this one too after that. */
static enum status filter_reduce(struct plan *plan, const struct program *program,
				 struct plan_filter *filter, size_t *work, struct message *message)
{
	struct conditions own = {.work_limit = work_allowed(*work)};
	struct formulas formulas = {0};
	uint32_t *numbers = NULL;
	uint32_t condition;
	enum status status = program_condition_run(program, &own, &formulas, &condition,
						   &filter->limit, message);

	*work += own.work;
	if (status == STATUS_OK && plan->conditions.piece_count + own.piece_count > PLAN_PIECES_MAX)
		filter->limit = PROGRAM_CONDITION_LARGE;
	if (status == STATUS_OK && plan->formulas.count + formulas.count > PLAN_FORMULAS_MAX)
		filter->limit = PROGRAM_CONDITION_FORMULA;
	if (status != STATUS_OK || filter->limit != PROGRAM_CONDITION_DONE)
		goto cleanup;
	numbers = calloc(formulas.count + 1, sizeof(*numbers));
	if (!numbers) {
		status = message_out_of_memory(message);
		goto cleanup;
	}
	for (size_t i = 0; status == STATUS_OK && i < formulas.count; i++) {
		status = formulas_add(&plan->formulas, &formulas.items[i], &numbers[i], message);
		numbers[i] += COLUMN_COUNT;
	}
	if (status == STATUS_OK)
		filter->condition = condition_copy(&plan->conditions, &own, condition, numbers);
	if (plan->conditions.failed)
		status = message_out_of_memory(message);
cleanup:
	free(numbers);
	formulas_free(&formulas);
	conditions_free(&own);
	return status;
}

/* How many numbers of its column a condition of answers accepts. */
static uint64_t accepted_numbers(const struct conditions *conditions, uint32_t condition)
{
	const struct condition_node *node = &conditions->nodes[condition];
	const struct piece *pieces = condition_pieces(conditions, condition);
	uint64_t numbers = 0;
	uint64_t from = 0;

	for (size_t i = 0; i < node->count; i++) {
		if (pieces[i].next == CONDITION_ACCEPT)
			numbers += pieces[i].last + UINT64_C(1) - from;
		from = pieces[i].last + UINT64_C(1);
	}
	return numbers;
}

/* The set of numbers with which a node goes on with `next`, or the set of all others. */
static uint32_t set_of(struct conditions *conditions, uint32_t condition, uint32_t next,
		       bool inverted, struct piece *scratch)
{
	const struct condition_node node = conditions->nodes[condition];
	const struct piece *pieces = condition_pieces(conditions, condition);

	for (size_t i = 0; i < node.count; i++)
		scratch[i] = (struct piece){pieces[i].last, (pieces[i].next == next) != inverted
								    ? CONDITION_ACCEPT
								    : CONDITION_REJECT};
	return condition_make(conditions, node.column, scratch, node.count);
}

static enum status predicate_number(struct plan *plan, struct predicate_numbers *known,
				    uint32_t condition, uint32_t *number, struct message *message)
{
	if (condition >= known->count) {
		const size_t count = plan->conditions.capacity;
		uint32_t *larger = realloc(known->numbers, count * sizeof(*larger));

		if (!larger)
			return message_out_of_memory(message);
		memset(larger + known->count, 0, (count - known->count) * sizeof(*larger));
		known->numbers = larger;
		known->count = count;
	}
	if (!known->numbers[condition]) {
		if (plan->predicate_count == plan->predicate_capacity) {
			const size_t capacity = plan->predicate_capacity * 2 + 64;
			struct plan_predicate *predicates =
				realloc(plan->predicates, capacity * sizeof(*predicates));

			if (!predicates)
				return message_out_of_memory(message);
			plan->predicates = predicates;
			plan->predicate_capacity = capacity;
		}
		plan->predicates[plan->predicate_count++] = (struct plan_predicate){
			.condition = condition, .column = plan->conditions.nodes[condition].column};
		known->numbers[condition] = (uint32_t)plan->predicate_count;
	}
	*number = known->numbers[condition] - 1;
	plan->predicates[*number].uses++;
	return STATUS_OK;
}

static enum status branch_add(struct plan *plan, const struct plan_branch *branch,
			      struct message *message)
{
	if (plan->branch_count == plan->branch_capacity) {
		const size_t capacity = plan->branch_capacity * 2 + 64;
		struct plan_branch *branches =
			realloc(plan->branches, capacity * sizeof(*branches));

		if (!branches)
			return message_out_of_memory(message);
		plan->branches = branches;
		plan->branch_capacity = capacity;
	}
	plan->branches[plan->branch_count++] = *branch;
	return STATUS_OK;
}

/* The conditions behind a node, without duplicates and rejection; returns how many. */
static size_t nexts_of(const struct conditions *conditions, uint32_t condition, uint32_t *nexts)
{
	const struct condition_node *node = &conditions->nodes[condition];
	const struct piece *pieces = condition_pieces(conditions, condition);
	size_t count = 0;

	for (size_t i = 0; i < node->count; i++)
		if (pieces[i].next != CONDITION_REJECT)
			nexts[count++] = pieces[i].next;
	return plan_sort_distinct(nexts, count);
}

/*
 * Of a set and its complement the smaller one is the predicate; but never of
 * shapes, where row ids without a header are in neither.
 */
static bool better_inverted(const struct conditions *conditions, uint32_t set)
{
	const struct condition_node *node = &conditions->nodes[set];

	if (node->column == COLUMN_SHAPE)
		return false;
	if (node->column >= COLUMN_COUNT)
		return condition_pieces(conditions, set)->next == CONDITION_ACCEPT;
	return accepted_numbers(conditions, set) >
	       ((uint64_t)condition_column_last(node->column) + 1) / 2;
}

static enum status node_branch(struct plan *plan, struct predicate_numbers *known,
			       uint32_t condition, struct message *message)
{
	const struct condition_node node = plan->conditions.nodes[condition];
	uint32_t *nexts = malloc(node.count * sizeof(*nexts));
	struct piece *scratch = malloc(node.count * sizeof(*scratch));
	enum status status = nexts && scratch ? STATUS_OK : message_out_of_memory(message);
	size_t count = status == STATUS_OK ? nexts_of(&plan->conditions, condition, nexts) : 0;

	plan->nodes[condition].first_branch = plan->branch_count;
	plan->nodes[condition].branch_count = (uint32_t)count;
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		struct plan_branch branch = {.next = nexts[i]};
		uint32_t set = set_of(&plan->conditions, condition, nexts[i], false, scratch);

		if (!plan->conditions.failed && better_inverted(&plan->conditions, set)) {
			set = set_of(&plan->conditions, condition, nexts[i], true, scratch);
			branch.inverted = true;
		}
		if (plan->conditions.failed)
			status = message_out_of_memory(message);
		else
			status = predicate_number(plan, known, set, &branch.predicate, message);
		if (status == STATUS_OK)
			status = branch_add(plan, &branch, message);
		if (nexts[i] > CONDITION_ACCEPT)
			plan->nodes[nexts[i]].uses++;
	}
	free(nexts);
	free(scratch);
	return status;
}

static enum status nodes_branch(struct plan *plan, struct message *message)
{
	struct predicate_numbers known = {0};
	/* Making predicates makes conditions; those are no nodes of any filter. */
	const size_t count = plan->conditions.count;
	enum status status = STATUS_OK;

	plan->nodes = calloc(count + 1, sizeof(*plan->nodes));
	if (!plan->nodes)
		return message_out_of_memory(message);
	plan->node_count = count;
	for (size_t i = 0; i < plan->filter_count; i++)
		plan->nodes[plan->filters[i].condition].uses++;
	for (size_t i = CONDITION_ACCEPT + 1; status == STATUS_OK && i < count; i++)
		status = node_branch(plan, &known, (uint32_t)i, message);
	free(known.numbers);
	return status;
}

enum status plan_make(const struct program *const *programs, size_t count, const struct stop *stop,
		      struct plan **plan, struct message *message)
{
	struct plan *made = calloc(1, sizeof(*made));
	size_t work = 0;
	enum status status = made ? STATUS_OK : message_out_of_memory(message);

	*plan = NULL;
	if (status == STATUS_OK) {
		made->filter_count = count;
		made->filters = calloc(count + 1, sizeof(*made->filters));
		if (!made->filters)
			status = message_out_of_memory(message);
	}
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		status = filter_reduce(made, programs[i], &made->filters[i], &work, message);
		if (status == STATUS_OK && stop_asked(stop))
			status = message_wrap(message, STATUS_FAILED, MESSAGE_CODE_INTERRUPT,
					      "interrupted; the index is as it was");
	}
	if (status == STATUS_OK)
		status = nodes_branch(made, message);
	if (status != STATUS_OK) {
		plan_free(made);
		return status;
	}
	*plan = made;
	return STATUS_OK;
}

enum status plan_look_up(struct plan *plan, struct message *message)
{
	return plan_columns_make(plan, message);
}

bool plan_never(const struct plan *plan, size_t filter)
{
	return plan->filters[filter].limit == PROGRAM_CONDITION_DONE &&
	       plan->filters[filter].condition == CONDITION_REJECT;
}

bool plan_always(const struct plan *plan, size_t filter)
{
	const uint32_t condition = plan->filters[filter].condition;
	const struct piece *piece;

	if (plan->filters[filter].limit != PROGRAM_CONDITION_DONE ||
	    condition <= CONDITION_ACCEPT ||
	    plan->conditions.nodes[condition].column != COLUMN_SHAPE)
		return false;
	piece = condition_pieces(&plan->conditions, condition);
	for (uint32_t shape = 0; shape <= SHAPE_LAST; shape++) {
		if (shape_valid(shape) && piece->next != CONDITION_ACCEPT)
			return false;
		piece += shape == piece->last;
	}
	return true;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	plan_columns_free(plan);
	conditions_free(&plan->conditions);
	formulas_free(&plan->formulas);
	free(plan->filters);
	free(plan->nodes);
	free(plan->branches);
	free(plan->predicates);
	free(plan);
}

#include "predicate_use.h"

#include <stdlib.h>
#include <string.h>

static uint8_t shape_kind(uint32_t shape)
{
	if (shape & SHAPE_ICMP)
		return MET_ICMP;
	return shape_version(shape) == 4 ? MET_IPV4 : MET_IPV6;
}

/* The kinds of headers in a set of shapes. */
static uint8_t set_kinds(const struct conditions *conditions, uint32_t set)
{
	const struct piece *piece = condition_pieces(conditions, set);
	uint8_t kinds = 0;

	for (uint32_t shape = 0; shape <= SHAPE_LAST; shape++) {
		if (piece->next == CONDITION_ACCEPT && shape_valid(shape))
			kinds |= shape_kind(shape);
		piece += shape == piece->last;
	}
	return kinds;
}

/* Marks the predicates that a condition asks of some kinds of headers. */
static void predicates_meet(const struct plan *plan, uint32_t condition, uint8_t kinds,
			    uint8_t *met, uint8_t *seen)
{
	const struct plan_node *node = &plan->nodes[condition];

	if (condition <= CONDITION_ACCEPT || (seen[condition] & kinds) == kinds)
		return;
	seen[condition] |= kinds;
	for (uint32_t i = 0; i < node->branch_count; i++) {
		const struct plan_branch *branch = &plan->branches[node->first_branch + i];
		const struct plan_predicate *asked = &plan->predicates[branch->predicate];
		uint8_t kinds_behind = kinds;

		if (asked->column == COLUMN_SHAPE)
			kinds_behind &= set_kinds(&plan->conditions, asked->condition);
		met[branch->predicate] |= kinds_behind;
		predicates_meet(plan, branch->next, kinds_behind, met, seen);
	}
}

size_t predicate_use_find(struct predicate_use *use, size_t filter)
{
	size_t count = 0;

	memset(use->seen, 0, use->plan->node_count);
	memset(use->met, 0, use->plan->predicate_count);
	predicates_meet(use->plan, use->plan->filters[filter].condition,
			MET_IPV4 | MET_IPV6 | MET_ICMP, use->met, use->seen);
	for (size_t i = 0; i < use->plan->predicate_count; i++)
		count += use->met[i] != 0;
	return count;
}

enum status predicate_use_open(struct predicate_use *use, const struct plan *plan,
			       struct message *message)
{
	*use = (struct predicate_use){
		.plan = plan,
		.met = malloc(plan->predicate_count + 1),
		.askers = calloc(plan->predicate_count + 1, sizeof(*use->askers)),
		.seen = malloc(plan->node_count + 1),
	};
	if (!use->met || !use->askers || !use->seen)
		return message_out_of_memory(message);
	for (size_t i = 0; i < plan->filter_count; i++) {
		predicate_use_find(use, i);
		for (size_t j = 0; j < plan->predicate_count; j++)
			use->askers[j] += use->met[j] != 0;
	}
	return STATUS_OK;
}

void predicate_use_close(struct predicate_use *use)
{
	free(use->met);
	free(use->askers);
	free(use->seen);
}

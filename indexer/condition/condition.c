#include "condition.h"

#include <stdlib.h>
#include <string.h>

enum { CHOICES = 1 << 11, SLOTS_FIRST = 1 << 8 };

/* A remembered result; later ones take the place of earlier ones. */
struct condition_choice {
	uint32_t question;
	uint32_t yes;
	uint32_t no;
	uint32_t result;
	bool used;
};

uint32_t condition_column_last(uint32_t column)
{
	return column < COLUMN_COUNT ? column_last(column) : 1;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static size_t node_hash(uint32_t column, const struct piece *pieces, size_t count)
{
	uint64_t hash = column;

	for (size_t i = 0; i < count; i++)
		hash = mix(hash, (uint64_t)pieces[i].last << 32 | pieces[i].next);
	return (size_t)hash;
}

static uint32_t *node_slot(const struct conditions *conditions, uint32_t column,
			   const struct piece *pieces, size_t count)
{
	const size_t mask = conditions->slot_count - 1;
	size_t i = node_hash(column, pieces, count) & mask;

	while (conditions->slots[i]) {
		const struct condition_node *node = &conditions->nodes[conditions->slots[i]];

		if (node->column == column && node->count == count &&
		    memcmp(conditions->pieces + node->first, pieces, count * sizeof(*pieces)) == 0)
			break;
		i = (i + 1) & mask;
	}
	return &conditions->slots[i];
}

static bool nodes_grow(struct conditions *conditions)
{
	const size_t capacity = conditions->capacity ? conditions->capacity * 2 : SLOTS_FIRST;
	struct condition_node *nodes;
	uint32_t *slots;

	if (conditions->count < conditions->capacity)
		return true;
	nodes = realloc(conditions->nodes, capacity * sizeof(*nodes));
	if (!nodes)
		return false;
	conditions->nodes = nodes;
	slots = calloc(capacity * 2, sizeof(*slots));
	if (!slots)
		return false;
	free(conditions->slots);
	conditions->slots = slots;
	conditions->slot_count = capacity * 2;
	conditions->capacity = capacity;
	if (conditions->count == 0) {
		memset(nodes, 0, 2 * sizeof(*nodes));
		conditions->count = CONDITION_ACCEPT + 1;
	}
	for (size_t i = CONDITION_ACCEPT + 1; i < conditions->count; i++)
		*node_slot(conditions, nodes[i].column, conditions->pieces + nodes[i].first,
			   nodes[i].count) = (uint32_t)i;
	return true;
}

static bool pieces_reserve(struct piece **pieces, size_t *capacity, size_t needed)
{
	size_t larger = *capacity ? *capacity : 1024;
	struct piece *grown;

	if (needed <= *capacity)
		return true;
	while (larger < needed)
		larger *= 2;
	grown = realloc(*pieces, larger * sizeof(*grown));
	if (!grown)
		return false;
	*pieces = grown;
	*capacity = larger;
	return true;
}

/* Puts a piece behind the pending ones, or lengthens the last of those from `base` on. */
static bool pending_add(struct conditions *conditions, size_t base, uint32_t last, uint32_t next)
{
	const size_t count = conditions->pending_count;

	if (count > base && conditions->pending[count - 1].next == next) {
		conditions->pending[count - 1].last = last;
		return true;
	}
	if (!pieces_reserve(&conditions->pending, &conditions->pending_capacity, count + 1)) {
		conditions->failed = true;
		return false;
	}
	conditions->pending[conditions->pending_count++] = (struct piece){last, next};
	return true;
}

/* The node of the pending pieces from `base` on, which are taken away. */
static uint32_t pending_take(struct conditions *conditions, uint32_t column, size_t base)
{
	const size_t count = conditions->pending_count - base;
	const struct piece *pieces;
	uint32_t *slot;

	conditions->pending_count = base;
	if (conditions->failed || conditions->limited || count == 0)
		return CONDITION_REJECT;
	pieces = conditions->pending + base;
	if (count == 1)
		return pieces[0].next;
	if (!nodes_grow(conditions)) {
		conditions->failed = true;
		return CONDITION_REJECT;
	}
	slot = node_slot(conditions, column, pieces, count);
	if (*slot)
		return *slot;
	if (!pieces_reserve(&conditions->pieces, &conditions->piece_capacity,
			    conditions->piece_count + count)) {
		conditions->failed = true;
		return CONDITION_REJECT;
	}
	memcpy(conditions->pieces + conditions->piece_count, pieces, count * sizeof(*pieces));
	conditions->nodes[conditions->count] = (struct condition_node){
		.column = column, .count = (uint32_t)count, .first = conditions->piece_count};
	conditions->piece_count += count;
	*slot = (uint32_t)conditions->count;
	return (uint32_t)conditions->count++;
}

static void work_add(struct conditions *conditions, size_t pieces)
{
	conditions->work += pieces;
	if (conditions->work_limit && conditions->work >= conditions->work_limit)
		conditions->limited = true;
}

uint32_t condition_make(struct conditions *conditions, uint32_t column, const struct piece *pieces,
			size_t count)
{
	const size_t base = conditions->pending_count;

	work_add(conditions, count);
	for (size_t i = 0; i < count; i++)
		if (!pending_add(conditions, base, pieces[i].last, pieces[i].next))
			break;
	return pending_take(conditions, column, base);
}

static uint32_t top_column(const struct conditions *conditions, uint32_t condition)
{
	return condition <= CONDITION_ACCEPT ? UINT32_MAX : conditions->nodes[condition].column;
}

/* One of the three conditions that are walked through side by side. */
struct cursor {
	uint32_t condition;
	size_t piece; /* in conditions.pieces: the array may move */
	bool moves;   /* it asks for the column that is walked through */
};

static struct cursor cursor_start(const struct conditions *conditions, uint32_t condition,
				  uint32_t column)
{
	const bool moves = top_column(conditions, condition) == column;

	return (struct cursor){.condition = condition,
			       .moves = moves,
			       .piece = moves ? conditions->nodes[condition].first : 0};
}

static uint32_t cursor_next(const struct conditions *conditions, const struct cursor *cursor)
{
	return cursor->moves ? conditions->pieces[cursor->piece].next : cursor->condition;
}

static uint32_t minimum(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t choose_by_pieces(struct conditions *conditions, const uint32_t operands[3])
{
	const uint32_t column = minimum(
		top_column(conditions, operands[0]),
		minimum(top_column(conditions, operands[1]), top_column(conditions, operands[2])));
	const uint32_t end = condition_column_last(column);
	const size_t base = conditions->pending_count;
	struct cursor cursors[3];

	for (size_t i = 0; i < 3; i++)
		cursors[i] = cursor_start(conditions, operands[i], column);
	for (;;) {
		uint32_t last = end;
		uint32_t next = condition_choose(conditions, cursor_next(conditions, &cursors[0]),
						 cursor_next(conditions, &cursors[1]),
						 cursor_next(conditions, &cursors[2]));

		work_add(conditions, 1);
		for (size_t i = 0; i < 3; i++)
			if (cursors[i].moves)
				last = minimum(last, conditions->pieces[cursors[i].piece].last);
		if (conditions->failed || conditions->limited ||
		    !pending_add(conditions, base, last, next) || last == end)
			break;
		for (size_t i = 0; i < 3; i++)
			if (cursors[i].moves && conditions->pieces[cursors[i].piece].last == last)
				cursors[i].piece++;
	}
	return pending_take(conditions, column, base);
}

/* NULL without memory. */
static struct condition_choice *choice_slot(struct conditions *conditions,
					    const uint32_t operands[3])
{
	uint64_t hash = mix(mix(operands[0], operands[1]), operands[2]);

	if (!conditions->choices) {
		conditions->choices = calloc(CHOICES, sizeof(*conditions->choices));
		if (!conditions->choices) {
			conditions->failed = true;
			return NULL;
		}
	}
	return &conditions->choices[hash % CHOICES];
}

uint32_t condition_choose(struct conditions *conditions, uint32_t question, uint32_t yes,
			  uint32_t no)
{
	const uint32_t operands[3] = {question, yes, no};
	struct condition_choice *choice;
	uint32_t result;

	if (conditions->failed || conditions->limited)
		return CONDITION_REJECT;
	if (question == CONDITION_ACCEPT || yes == no)
		return yes;
	if (question == CONDITION_REJECT)
		return no;
	if (yes == CONDITION_ACCEPT && no == CONDITION_REJECT)
		return question;
	choice = choice_slot(conditions, operands);
	if (!choice)
		return CONDITION_REJECT;
	if (choice->used && choice->question == question && choice->yes == yes && choice->no == no)
		return choice->result;
	/* No deeper than there are columns and formulas, since every step leaves one behind. */
	result = choose_by_pieces(conditions, operands);
	*choice = (struct condition_choice){question, yes, no, result, true};
	return result;
}

static uint32_t copy_node(struct conditions *to, const struct conditions *from, uint32_t condition,
			  const uint32_t *formulas, uint32_t *copies)
{
	const struct condition_node *node = &from->nodes[condition];
	const struct piece *pieces = condition_pieces(from, condition);
	const size_t base = to->pending_count;
	uint32_t column = node->column;

	if (condition <= CONDITION_ACCEPT)
		return condition;
	if (copies[condition])
		return copies[condition];
	for (size_t i = 0; i < node->count; i++) {
		uint32_t next = copy_node(to, from, pieces[i].next, formulas, copies);

		if (!pending_add(to, base, pieces[i].last, next))
			break;
	}
	if (column >= COLUMN_COUNT)
		column = formulas[column - COLUMN_COUNT];
	copies[condition] = pending_take(to, column, base);
	return copies[condition];
}

uint32_t condition_copy(struct conditions *to, const struct conditions *from, uint32_t condition,
			const uint32_t *formulas)
{
	uint32_t *copies;
	uint32_t copy;

	if (condition <= CONDITION_ACCEPT)
		return condition;
	copies = calloc(from->count, sizeof(*copies));
	if (!copies) {
		to->failed = true;
		return CONDITION_REJECT;
	}
	copy = copy_node(to, from, condition, formulas, copies);
	free(copies);
	return copy;
}

void conditions_free(struct conditions *conditions)
{
	free(conditions->nodes);
	free(conditions->pieces);
	free(conditions->slots);
	free(conditions->choices);
	free(conditions->pending);
	*conditions = (struct conditions){0};
}

#include "program_digest.h"

#include <pcap/pcap.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/digest.h"
#include "condition.h"
#include "formula.h"
#include "program_condition.h"

/* A bound of work alone, so that the same program has the same digest on every machine. */
enum { WORK_MAX = 1 << 22 };

/* The nodes in the order in which a walk first meets them. */
struct walk {
	const struct conditions *conditions;
	const struct formulas *formulas;
	uint32_t *places; /* of each node, from 1 on; 0 where it was not met */
	uint32_t met;
	digest_state hash;
};

static void formula_walk(struct walk *walk, const struct formula *formula)
{
	for (uint32_t i = 0; i < formula->count; i++) {
		digest_number(&walk->hash, (uint32_t)formula->steps[i].kind);
		digest_number(&walk->hash, formula->steps[i].value);
	}
	digest_number(&walk->hash, formula->operation);
	digest_number(&walk->hash, formula->constant);
}

/* Recurs no deeper than there are columns and formulas. */
static void condition_walk(struct walk *walk, uint32_t condition)
{
	const struct condition_node *node;
	const struct piece *pieces;

	if (condition <= CONDITION_ACCEPT) {
		digest_number(&walk->hash, condition);
		return;
	}
	digest_number(&walk->hash, 2);
	if (walk->places[condition]) {
		digest_number(&walk->hash, walk->places[condition]);
		return;
	}
	walk->places[condition] = ++walk->met;
	node = &walk->conditions->nodes[condition];
	pieces = condition_pieces(walk->conditions, condition);
	digest_number(&walk->hash, node->column < COLUMN_COUNT ? node->column : COLUMN_COUNT);
	if (node->column >= COLUMN_COUNT)
		formula_walk(walk, &walk->formulas->items[node->column - COLUMN_COUNT]);
	digest_number(&walk->hash, node->count);
	for (uint32_t i = 0; i < node->count; i++) {
		digest_number(&walk->hash, pieces[i].last);
		condition_walk(walk, pieces[i].next);
	}
}

static digest_state instructions_hash(const struct program *program)
{
	digest_state state = digest_begin();

	for (size_t i = 0; i < program->length; i++) {
		const struct bpf_insn *instruction = &program->instructions[i];

		digest_number(&state, instruction->code);
		digest_number(&state, (uint32_t)instruction->jt << 8 | instruction->jf);
		digest_number(&state, instruction->k);
	}
	return state;
}

enum status program_digest(const struct program *program, char text[static PROGRAM_DIGEST_SIZE],
			   struct message *message)
{
	struct conditions conditions = {.work_limit = WORK_MAX};
	struct formulas formulas = {0};
	struct walk walk = {
		.conditions = &conditions, .formulas = &formulas, .hash = digest_begin()};
	enum program_condition_limit limit;
	uint32_t condition;
	enum status status =
		program_condition_run(program, &conditions, &formulas, &condition, &limit, message);

	if (status == STATUS_OK && limit != PROGRAM_CONDITION_DONE)
		digest_write('p', instructions_hash(program), text);
	if (status != STATUS_OK || limit != PROGRAM_CONDITION_DONE)
		goto cleanup;
	walk.places = calloc(conditions.count + 1, sizeof(*walk.places));
	if (!walk.places) {
		status = message_out_of_memory(message);
		goto cleanup;
	}
	condition_walk(&walk, condition);
	digest_write('c', walk.hash, text);
	free(walk.places);
cleanup:
	conditions_free(&conditions);
	formulas_free(&formulas);
	return status;
}

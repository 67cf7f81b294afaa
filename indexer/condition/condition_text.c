#include "condition_text.h"

#include <stdlib.h>
#include <string.h>

#include "formula_text.h"
#include "number_text.h"
#include "packet/connection.h"

enum {
	ATOMS_MAX = 100, /* sets that are written of one condition */
	BLOCK_MAX = COLUMN_COUNT + FORMULA_STEPS_MAX,
};

struct text {
	FILE *stream;
	const struct conditions *conditions;
	const struct formulas *formulas;
	unsigned version;
	bool icmp; /* the first port is an ICMP type and code */
	size_t atoms;
};

/* The numbers with which a node goes on with `next`. */
struct atom {
	uint32_t node;
	uint32_t next;
};

/* What stands beside a part, and so whether it needs parentheses. */
enum beside { BESIDE_NOTHING, BESIDE_AND, BESIDE_OR };

static void write_condition(struct text *text, uint32_t condition, enum beside beside);

static const struct condition_node *node_of(const struct text *text, uint32_t condition)
{
	return &text->conditions->nodes[condition];
}

/* Whether a column's atom is one run of numbers: first to last. */
static bool atom_is_run(const struct text *text, const struct atom *atom, uint32_t *first,
			uint32_t *last)
{
	const struct condition_node *node = node_of(text, atom->node);
	const struct piece *pieces = condition_pieces(text->conditions, atom->node);
	size_t runs = 0;

	for (size_t i = 0; i < node->count; i++) {
		if (pieces[i].next != atom->next)
			continue;
		*first = i ? pieces[i - 1].last + 1 : 0;
		*last = pieces[i].last;
		runs++;
	}
	return runs == 1;
}

static void write_atom(struct text *text, const struct atom *atom)
{
	const struct condition_node *node = node_of(text, atom->node);
	const struct piece *pieces = condition_pieces(text->conditions, atom->node);

	text->atoms++;
	if (node->column >= COLUMN_COUNT) {
		const bool holds = pieces[1].next == atom->next;

		formula_text_write(text->stream,
				   &text->formulas->items[node->column - COLUMN_COUNT], holds);
		return;
	}
	number_text_write(text->stream, (enum column)node->column, text->version, text->icmp,
			  pieces, node->count, atom->next);
}

/*
 * How many of the first atoms together are an IPv6 address or prefix, which is
 * given as 32-bit words and a length in bits. 0 if they are none.
 */
static size_t ipv6_atoms(const struct text *text, const struct atom *atoms, size_t count,
			 uint32_t words[4], int *bits)
{
	const uint32_t base = node_of(text, atoms[0].node)->column;
	size_t i = 0;

	*bits = 0;
	memset(words, 0, 4 * sizeof(*words));
	if (text->version != 6 || (base != COLUMN_SOURCE && base != COLUMN_DESTINATION))
		return 0;
	while (i < count && i < 4 && *bits == (int)i * 32) {
		uint32_t first;
		uint32_t last;
		int more;

		if (node_of(text, atoms[i].node)->column != base + i ||
		    !atom_is_run(text, &atoms[i], &first, &last))
			break;
		more = number_text_prefix_length(first, last);
		if (more < 0)
			break;
		words[i++] = first;
		*bits += more;
	}
	return i;
}

static void write_atoms(struct text *text, const struct atom *atoms, size_t count)
{
	for (size_t i = 0; i < count;) {
		const uint32_t column = node_of(text, atoms[i].node)->column;
		uint32_t words[4];
		int bits;
		const size_t together = ipv6_atoms(text, atoms + i, count - i, words, &bits);

		if (i > 0)
			fputs(" and ", text->stream);
		if (together > 0) {
			fputs(column == COLUMN_SOURCE ? "source " : "destination ", text->stream);
			number_text_write_ipv6(text->stream, words, bits);
			text->atoms++;
			i += together;
		} else {
			write_atom(text, &atoms[i++]);
		}
	}
}

/* Do the atoms need parentheses beside an "or"? */
static bool atoms_are_several(const struct text *text, const struct atom *atoms, size_t count)
{
	uint32_t words[4];
	int bits;

	return count > 1 && ipv6_atoms(text, atoms, count, words, &bits) != count;
}

/* The conditions behind a node, without duplicates; at most `most` of them. */
static size_t nexts_of(const struct text *text, uint32_t condition, uint32_t *nexts, size_t most)
{
	const struct condition_node *node = node_of(text, condition);
	const struct piece *pieces = condition_pieces(text->conditions, condition);
	size_t count = 0;

	for (size_t i = 0; i < node->count && count < most; i++) {
		size_t j = 0;

		while (j < count && nexts[j] != pieces[i].next)
			j++;
		if (j == count)
			nexts[count++] = pieces[i].next;
	}
	return count;
}

/* Is it a node with two ends, of which one is `other`? Then *next is the second. */
static bool leads_to(const struct text *text, uint32_t condition, uint32_t other, uint32_t *next)
{
	uint32_t nexts[3];

	if (condition <= CONDITION_ACCEPT || nexts_of(text, condition, nexts, 3) != 2)
		return false;
	if (nexts[0] != other && nexts[1] != other)
		return false;
	*next = nexts[0] == other ? nexts[1] : nexts[0];
	return true;
}

/* Atoms that have to hold all, from a node on, or else `other` decides. Returns where they lead. */
static uint32_t block_of(const struct text *text, uint32_t condition, uint32_t other,
			 struct atom *atoms, size_t *count)
{
	uint32_t next = CONDITION_REJECT;

	*count = 0;
	while (*count < BLOCK_MAX && leads_to(text, condition, other, &next)) {
		atoms[(*count)++] = (struct atom){condition, next};
		condition = next;
	}
	return condition;
}

/* Which of the two ends of a node is the one that decides where a block does not hold? */
static uint32_t other_end(const struct text *text, uint32_t condition, const uint32_t nexts[2])
{
	uint32_t words[4];
	uint32_t unused;
	int bits;

	for (size_t i = 0; i < 2; i++)
		if (nexts[i] == CONDITION_REJECT)
			return nexts[i];
	for (size_t i = 0; i < 2; i++) {
		const struct atom atom = {condition, nexts[1 - i]};

		/* Not (an IPv6 address) reads better than any of its words being another. */
		if (nexts[i] == CONDITION_ACCEPT)
			return text->version == 6 && ipv6_atoms(text, &atom, 1, words, &bits) &&
					       leads_to(text, nexts[1 - i], nexts[i], &unused)
				       ? nexts[i]
				       : nexts[1 - i];
	}
	for (size_t i = 0; i < 2; i++)
		if (leads_to(text, nexts[1 - i], nexts[i], &unused))
			return nexts[i];
	return nexts[1];
}

static void write_open(const struct text *text, bool parentheses)
{
	if (parentheses)
		putc('(', text->stream);
}

static void write_close(const struct text *text, bool parentheses)
{
	if (parentheses)
		putc(')', text->stream);
}

/* Where one of the atoms does not hold, so that `other` decides. */
static void write_negated(struct text *text, const struct atom *atoms, size_t count, uint32_t other,
			  enum beside beside)
{
	uint32_t words[4];
	int bits;

	if (ipv6_atoms(text, atoms, count, words, &bits) == count) {
		fputs(node_of(text, atoms[0].node)->column == COLUMN_SOURCE ? "source "
									    : "destination ",
		      text->stream);
		fputs(bits == 128 ? "!" : "not ", text->stream);
		number_text_write_ipv6(text->stream, words, bits);
		return;
	}
	write_open(text, count > 1 && beside == BESIDE_AND);
	for (size_t i = 0; i < count; i++) {
		const struct atom complement = {atoms[i].node, other};

		if (i > 0)
			fputs(" or ", text->stream);
		write_atom(text, &complement);
	}
	write_close(text, count > 1 && beside == BESIDE_AND);
}

/* All of the atoms, and what follows. */
static void write_conjunction(struct text *text, const struct atom *atoms, size_t count,
			      uint32_t end, enum beside beside)
{
	const bool parentheses = beside == BESIDE_OR &&
				 (end != CONDITION_ACCEPT || atoms_are_several(text, atoms, count));

	write_open(text, parentheses);
	write_atoms(text, atoms, count);
	if (end != CONDITION_ACCEPT) {
		fputs(" and ", text->stream);
		write_condition(text, end, BESIDE_AND);
	}
	write_close(text, parentheses);
}

/* Not all of the atoms, and what decides then. */
static void write_exclusion(struct text *text, const struct atom *atoms, size_t count,
			    uint32_t other, enum beside beside)
{
	const bool parentheses = beside == BESIDE_OR && other != CONDITION_ACCEPT;

	if (other == CONDITION_ACCEPT) {
		write_negated(text, atoms, count, other, beside);
		return;
	}
	write_open(text, parentheses);
	write_negated(text, atoms, count, other, BESIDE_AND);
	fputs(" and ", text->stream);
	write_condition(text, other, BESIDE_AND);
	write_close(text, parentheses);
}

/* A node with two ends. */
static void write_block(struct text *text, uint32_t condition, const uint32_t nexts[2],
			enum beside beside)
{
	const uint32_t other = other_end(text, condition, nexts);
	struct atom atoms[BLOCK_MAX] = {{0}};
	size_t count;
	const uint32_t end = block_of(text, condition, other, atoms, &count);

	if (other == CONDITION_REJECT) {
		write_conjunction(text, atoms, count, end, beside);
		return;
	}
	if (end == CONDITION_REJECT) {
		write_exclusion(text, atoms, count, other, beside);
		return;
	}
	write_open(text, beside == BESIDE_AND);
	write_conjunction(text, atoms, count, end, BESIDE_OR);
	fputs(" or ", text->stream);
	if (end == CONDITION_ACCEPT)
		write_condition(text, other, BESIDE_OR);
	else
		write_exclusion(text, atoms, count, other, BESIDE_OR);
	write_close(text, beside == BESIDE_AND);
}

/* A node with any number of ends: where each holds, what follows. */
static void write_cases(struct text *text, uint32_t condition, enum beside beside)
{
	const struct condition_node *node = node_of(text, condition);
	uint32_t *nexts = malloc(node->count * sizeof(*nexts));
	const size_t count = nexts ? nexts_of(text, condition, nexts, node->count) : 0;
	bool any = false;

	write_open(text, beside == BESIDE_AND);
	for (size_t i = 0; i < count; i++) {
		const struct atom atom = {condition, nexts[i]};

		if (nexts[i] == CONDITION_REJECT)
			continue;
		if (any)
			fputs(" or ", text->stream);
		any = true;
		if (text->atoms > ATOMS_MAX) {
			fputs("...", text->stream);
			break;
		}
		putc('(', text->stream);
		write_atom(text, &atom);
		if (nexts[i] != CONDITION_ACCEPT) {
			fputs(" and ", text->stream);
			write_condition(text, nexts[i], BESIDE_AND);
		}
		putc(')', text->stream);
	}
	write_close(text, beside == BESIDE_AND);
	free(nexts);
}

static void write_condition(struct text *text, uint32_t condition, enum beside beside)
{
	uint32_t nexts[3];

	if (text->atoms > ATOMS_MAX)
		fputs("...", text->stream);
	else if (nexts_of(text, condition, nexts, 3) == 2)
		write_block(text, condition, nexts, beside);
	else
		write_cases(text, condition, beside);
}

/* The shapes of one version with which the root goes on with one condition. */
static void shapes_mark(const struct conditions *conditions, uint32_t root, uint32_t next,
			unsigned version, bool marked[SHAPE_LAST + 1])
{
	const struct piece *piece = condition_pieces(conditions, root);

	for (uint32_t shape = 0; shape <= SHAPE_LAST; shape++) {
		marked[shape] = piece->next == next && shape_valid(shape) &&
				(version == 0 || shape_version(shape) == version);
		piece += shape == piece->last;
	}
}

static bool shapes_any(const bool marked[SHAPE_LAST + 1])
{
	return memchr(marked, true, SHAPE_LAST + 1) != NULL;
}

/* Are all of them headers with an ICMP type and code? */
static bool shapes_are_icmp(const bool marked[SHAPE_LAST + 1])
{
	for (uint32_t shape = 0; shape <= SHAPE_LAST; shape++)
		if (marked[shape] && !(shape & SHAPE_ICMP))
			return false;
	return true;
}

/* One group of protocols, and what is asked of their headers. */
static void write_group(struct text *text, const bool marked[SHAPE_LAST + 1], uint32_t next,
			enum beside beside)
{
	const bool all = number_text_all_protocols(marked, text->version);
	const bool parentheses = beside == BESIDE_OR && !all && next != CONDITION_ACCEPT;

	text->icmp = shapes_are_icmp(marked);
	write_open(text, parentheses);
	if (!all)
		number_text_write_protocols(text->stream, marked, text->version,
					    next != CONDITION_ACCEPT);
	if (!all && next != CONDITION_ACCEPT)
		fputs(" and ", text->stream);
	if (next != CONDITION_ACCEPT)
		write_condition(text, next, all ? beside : BESIDE_AND);
	else if (all)
		fputs("every header", text->stream);
	write_close(text, parentheses);
}

void condition_text_write(FILE *stream, const struct conditions *conditions,
			  const struct formulas *formulas, uint32_t condition, unsigned version)
{
	struct text text = {.stream = stream,
			    .conditions = conditions,
			    .formulas = formulas,
			    .version = version};
	bool marked[SHAPE_LAST + 1];
	uint32_t groups[SHAPE_LAST + 1];
	size_t count = 0;
	size_t all;

	if (condition <= CONDITION_ACCEPT) {
		fputs("no header", stream);
		return;
	}
	all = nexts_of(&text, condition, groups, SHAPE_LAST + 1);
	for (size_t i = 0; i < all; i++) {
		shapes_mark(conditions, condition, groups[i], version, marked);
		if (groups[i] != CONDITION_REJECT && shapes_any(marked))
			groups[count++] = groups[i];
	}
	for (size_t i = 0; i < count; i++) {
		shapes_mark(conditions, condition, groups[i], version, marked);
		if (i > 0)
			fputs(" or ", stream);
		write_group(&text, marked, groups[i], count > 1 ? BESIDE_OR : BESIDE_NOTHING);
	}
	if (count == 0)
		fputs("no header", stream);
}

void condition_text_write_set(FILE *stream, const struct conditions *conditions,
			      const struct formulas *formulas, uint32_t condition, unsigned version,
			      bool icmp)
{
	struct text text = {.stream = stream,
			    .conditions = conditions,
			    .formulas = formulas,
			    .version = version,
			    .icmp = icmp};
	const struct atom atom = {condition, CONDITION_ACCEPT};
	bool marked[SHAPE_LAST + 1];

	if (node_of(&text, condition)->column != COLUMN_SHAPE) {
		write_atoms(&text, &atom, 1);
		return;
	}
	shapes_mark(conditions, condition, CONDITION_ACCEPT, 0, marked);
	number_text_write_shapes(stream, marked);
}

#include "vector.h"

#include <stdlib.h>
#include <string.h>

#include "column_lookup.h"

enum {
	LONG_LIST = 1024, /* rows from which on it is not asked which words are empty */
	CACHED_MAX = 256, /* predicates whose bits are kept for the next filter */
	/* A program's nodes ask for each column and formula once at most. */
	DEPTH_MAX = COLUMN_COUNT + PROGRAM_CONDITION_FORMULAS_MAX + 2,
};

/* The bits of a predicate that several filters ask, block by block as they are wanted. */
struct cached {
	uint32_t blocks; /* dense: a bit for each block that is there; listed: 1 if all are */
	struct segment_bits bits;
};

struct vector {
	const struct plan *plan;
	const struct kernels *kernels;
	struct column_lookup lookup;
	struct cached *cached;
	uint32_t *cached_of; /* of each predicate: number + 1 in cached, or 0 */
	size_t cached_count;
	struct segment_bits *spare; /* DEPTH_MAX of them, and one for lists */
};

/* The most used predicates are kept, if more than one branch asks them. */
static void cached_choose(struct vector *vector)
{
	const struct plan *plan = vector->plan;
	uint32_t uses = UINT32_MAX;

	while (uses > 1 && vector->cached_count < CACHED_MAX) {
		uint32_t next = 0;

		for (size_t i = 0; i < plan->predicate_count; i++) {
			const uint32_t of = plan->predicates[i].uses;

			if (of == uses && vector->cached_count < CACHED_MAX)
				vector->cached_of[i] = (uint32_t)++vector->cached_count;
			if (of < uses && of > next)
				next = of;
		}
		uses = next;
	}
}

enum status vector_new(const struct plan *plan, const struct kernels *kernels,
		       struct vector **vector, struct message *message)
{
	struct vector *made = calloc(1, sizeof(*made));
	enum status status;

	*vector = made;
	if (!made)
		return message_out_of_memory(message);
	made->plan = plan;
	made->kernels = kernels;
	made->cached_of = calloc(plan->predicate_count + 1, sizeof(*made->cached_of));
	made->spare = malloc((DEPTH_MAX + 1) * sizeof(*made->spare));
	status = column_lookup_open(plan, kernels, &made->lookup, message);
	if (made->cached_of)
		cached_choose(made);
	made->cached = malloc((made->cached_count + 1) * sizeof(*made->cached));
	if (status == STATUS_OK && (!made->cached_of || !made->spare || !made->cached))
		status = message_out_of_memory(message);
	if (status != STATUS_OK) {
		vector_free(made);
		*vector = NULL;
	}
	return status;
}

void vector_free(struct vector *vector)
{
	if (!vector)
		return;
	column_lookup_free(&vector->lookup);
	free(vector->cached);
	free(vector->cached_of);
	free(vector->spare);
	free(vector);
}

enum status vector_read(struct vector *vector, const struct segment *segment,
			struct message *message)
{
	for (size_t i = 0; i < vector->cached_count; i++)
		vector->cached[i].blocks = 0;
	return column_lookup_read(&vector->lookup, segment, message);
}

enum status vector_read_columns(struct vector *vector, struct segment_columns *columns,
				struct message *message)
{
	for (size_t i = 0; i < vector->cached_count; i++)
		vector->cached[i].blocks = 0;
	return column_lookup_read_columns(&vector->lookup, columns, message);
}

static void list_bits(const struct vector *vector, uint32_t predicate, struct segment_bits *bits)
{
	const uint16_t *low = vector->lookup.lows + vector->lookup.first_low[predicate];
	const uint16_t *end = vector->lookup.lows + vector->lookup.first_low[predicate + 1];

	if (end - low < LONG_LIST) {
		segment_bits_clear(bits);
		for (; low < end; low++)
			segment_bits_add(bits, *low);
		return;
	}
	memset(bits->occupied, 0xff, sizeof(bits->occupied));
	memset(bits->words, 0, sizeof(bits->words));
	for (; low < end; low++)
		bits->words[*low / 64] |= UINT64_C(1) << (*low % 64);
}

static void dense_block(const struct vector *vector, uint32_t predicate, size_t block,
			uint64_t *words)
{
	const struct arranged_predicate *asked = &vector->lookup.arrangement.predicates[predicate];
	const struct class_range *range = vector->lookup.arrangement.ranges + asked->first_range;
	const uint8_t *classes = vector->lookup.classes + asked->bin * (size_t)CLASSES_BYTES;

	for (uint32_t i = 0; i < asked->range_count; i++, range++)
		vector->kernels->classes_in(classes, block, range->first, range->last, i > 0,
					    words);
	if (asked->range_count == 0)
		memset(words, 0, BLOCK_WORDS * sizeof(*words));
}

/* The words of one block of a dense predicate: kept ones, or made in spare. */
static const uint64_t *dense_words(struct vector *vector, uint32_t predicate, size_t block,
				   uint64_t *spare)
{
	const uint32_t column = vector->plan->predicates[predicate].column;
	struct cached *cached;

	if (column >= COLUMN_COUNT)
		return vector->lookup.formula_words +
		       (size_t)(column - COLUMN_COUNT) * SEGMENT_WORDS + block * BLOCK_WORDS;
	if (!vector->cached_of[predicate]) {
		dense_block(vector, predicate, block, spare);
		return spare;
	}
	cached = &vector->cached[vector->cached_of[predicate] - 1];
	if (!(cached->blocks >> block & 1)) {
		dense_block(vector, predicate, block, cached->bits.words + block * BLOCK_WORDS);
		cached->blocks |= UINT32_C(1) << block;
	}
	return cached->bits.words + block * BLOCK_WORDS;
}

/* The rows of a listed predicate as bits: kept ones, or made in spare. */
static const struct segment_bits *listed_bits(struct vector *vector, uint32_t predicate,
					      struct segment_bits *spare)
{
	struct cached *cached;

	if (!vector->cached_of[predicate]) {
		list_bits(vector, predicate, spare);
		return spare;
	}
	cached = &vector->cached[vector->cached_of[predicate] - 1];
	if (!cached->blocks) {
		list_bits(vector, predicate, &cached->bits);
		cached->blocks = 1;
	}
	return &cached->bits;
}

/* words &= other (or its complement) for those of the block that are occupied. */
static void block_and(const struct vector *vector, struct segment_bits *bits, size_t block,
		      const uint64_t *other, bool inverted)
{
	uint64_t *words = bits->words + block * BLOCK_WORDS;
	uint64_t *occupied = &bits->occupied[block];

	if (*occupied == UINT64_MAX) {
		if (!vector->kernels->words_and(words, other, inverted))
			*occupied = 0;
		return;
	}
	for (uint64_t left = *occupied; left; left &= left - 1) {
		const size_t word = (size_t)__builtin_ctzll(left);

		words[word] &= inverted ? ~other[word] : other[word];
		if (!words[word])
			*occupied &= ~(UINT64_C(1) << word);
	}
}

static void bits_and_dense(struct vector *vector, struct segment_bits *bits, uint32_t predicate,
			   bool inverted, struct segment_bits *spare)
{
	for (size_t block = 0; block < SEGMENT_BLOCKS; block++)
		if (bits->occupied[block])
			block_and(vector, bits, block,
				  dense_words(vector, predicate, block, spare->words), inverted);
}

static void bits_and_listed(struct vector *vector, struct segment_bits *bits, uint32_t predicate,
			    bool inverted, struct segment_bits *spare)
{
	const struct segment_bits *listed;

	if (inverted) {
		for (uint32_t i = vector->lookup.first_low[predicate];
		     i < vector->lookup.first_low[predicate + 1]; i++)
			segment_bits_remove(bits, vector->lookup.lows[i]);
		return;
	}
	listed = listed_bits(vector, predicate, spare);
	for (size_t block = 0; block < SEGMENT_BLOCKS; block++) {
		bits->occupied[block] &= listed->occupied[block];
		if (bits->occupied[block])
			block_and(vector, bits, block, listed->words + block * BLOCK_WORDS, false);
	}
}

static void bits_copy(struct segment_bits *bits, const struct segment_bits *other)
{
	memcpy(bits->occupied, other->occupied, sizeof(bits->occupied));
	for (size_t block = 0; block < SEGMENT_BLOCKS; block++)
		if (bits->occupied[block])
			memcpy(bits->words + block * BLOCK_WORDS,
			       other->words + block * BLOCK_WORDS,
			       BLOCK_WORDS * sizeof(*bits->words));
}

static void predicate_bits(struct vector *vector, const struct plan_branch *branch,
			   struct segment_bits *bits, struct segment_bits *spare)
{
	if (branch->inverted) {
		memset(bits, 0xff, sizeof(*bits));
		if (vector->lookup.arrangement.predicates[branch->predicate].dense)
			bits_and_dense(vector, bits, branch->predicate, true, spare);
		else
			bits_and_listed(vector, bits, branch->predicate, true, spare);
	} else if (!vector->lookup.arrangement.predicates[branch->predicate].dense) {
		const struct segment_bits *made = listed_bits(vector, branch->predicate, bits);

		if (made != bits)
			bits_copy(bits, made);
	} else {
		memset(bits->occupied, 0xff, sizeof(bits->occupied));
		for (size_t block = 0; block < SEGMENT_BLOCKS; block++) {
			uint64_t *words = bits->words + block * BLOCK_WORDS;
			const uint64_t *made = dense_words(vector, branch->predicate, block, words);

			if (made != words)
				memcpy(words, made, BLOCK_WORDS * sizeof(*words));
		}
	}
}

static void bits_or(const struct vector *vector, struct segment_bits *bits,
		    const struct segment_bits *other)
{
	for (size_t block = 0; block < SEGMENT_BLOCKS; block++) {
		uint64_t *words = bits->words + block * BLOCK_WORDS;
		const uint64_t *more = other->words + block * BLOCK_WORDS;
		const uint64_t both = bits->occupied[block] & other->occupied[block];

		if (both == UINT64_MAX) {
			vector->kernels->words_or(words, more);
			continue;
		}
		for (uint64_t left = other->occupied[block]; left; left &= left - 1) {
			const size_t word = (size_t)__builtin_ctzll(left);

			words[word] = (both >> word & 1 ? words[word] : 0) | more[word];
		}
		bits->occupied[block] |= other->occupied[block];
	}
}

static void node_bits(struct vector *vector, uint32_t condition, struct segment_bits *bits,
		      size_t depth);

/* The rows that take a branch and are accepted behind it. */
static void branch_bits(struct vector *vector, const struct plan_branch *branch,
			struct segment_bits *bits, size_t depth)
{
	struct segment_bits *spare = &vector->spare[DEPTH_MAX];

	if (branch->next == CONDITION_ACCEPT) {
		predicate_bits(vector, branch, bits, spare);
		return;
	}
	node_bits(vector, branch->next, bits, depth + 1);
	if (vector->lookup.arrangement.predicates[branch->predicate].dense)
		bits_and_dense(vector, bits, branch->predicate, branch->inverted, spare);
	else
		bits_and_listed(vector, bits, branch->predicate, branch->inverted, spare);
}

/* Recurs at most DEPTH_MAX times. */
static void node_bits(struct vector *vector, uint32_t condition, struct segment_bits *bits,
		      size_t depth)
{
	const struct plan_node *node = &vector->plan->nodes[condition];
	const struct plan_branch *branches = vector->plan->branches + node->first_branch;

	branch_bits(vector, &branches[0], bits, depth);
	for (uint32_t i = 1; i < node->branch_count; i++) {
		branch_bits(vector, &branches[i], &vector->spare[depth], depth);
		bits_or(vector, bits, &vector->spare[depth]);
	}
}

void vector_bits(struct vector *vector, uint32_t condition, struct segment_bits *bits)
{
	segment_bits_clear(bits);
	if (condition > CONDITION_ACCEPT)
		node_bits(vector, condition, bits, 0);
}

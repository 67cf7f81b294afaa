#include "vector.h"

#include <stdlib.h>
#include <string.h>

#include "arrangement.h"
#include "header.h"

enum {
	TILE_ROWS = FORMULA_ROWS, /* all columns of them stay in the first cache */
	HOT_SHARE = 256,	  /* a predicate that one row in so many meets is hot */
	HOT_ROWS = 4096,	  /* in a segment with as many rows at least */
	LONG_LIST = 1024,	  /* rows from which on it is not asked which words are empty */
	CACHED_MAX = 256,	  /* predicates whose bits are kept for the next filter */
	/* Nodes ask for columns in their order, so no path is longer. */
	DEPTH_MAX = COLUMN_COUNT + FORMULA_STEPS_MAX + 2,
};

/* Some headers of one version, taken apart. */
struct tile {
	size_t rows;
	const uint16_t *lows;
	uint32_t places[TILE_ROWS]; /* of each row in the planes of a bin */
	uint32_t numbers[COLUMN_COUNT][TILE_ROWS];
};

/* A row that meets a listed predicate. */
struct hit {
	uint32_t predicate;
	uint16_t low;
};

/* The bits of a predicate that several filters ask, block by block as they are wanted. */
struct cached {
	uint32_t blocks; /* a bit for each block that is there */
	struct segment_bits bits;
};

struct vector {
	const struct plan *plan;
	const struct kernels *kernels;
	struct arrangement arrangement;
	bool *hot;	  /* predicates that many rows met */
	uint8_t *classes; /* CLASSES_BYTES for each bin */
	struct tile tile;
	struct hit *hits; /* in the order of the rows */
	size_t hit_count;
	size_t hit_capacity;
	uint32_t *first_low; /* of each predicate, and one more: in lows */
	size_t rows;	     /* of the segment read last */
	uint16_t *lows;	     /* rows of the listed predicates, one list behind the other */
	size_t low_capacity;
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

/* Arranges the predicates by what is known of them so far. */
static enum status vector_arrange(struct vector *vector, struct message *message)
{
	enum status status;

	arrangement_free(&vector->arrangement);
	status = arrangement_make(vector->plan, vector->hot, &vector->arrangement, message);
	if (status != STATUS_OK)
		return status;
	free(vector->classes);
	vector->classes = calloc(vector->arrangement.bin_count + 1, CLASSES_BYTES);
	return vector->classes ? STATUS_OK : message_out_of_memory(message);
}

enum status vector_new(const struct plan *plan, const struct kernels *kernels,
		       struct vector **vector, struct message *message)
{
	struct vector *made = calloc(1, sizeof(*made));
	enum status status = STATUS_OK;

	*vector = made;
	if (!made)
		return message_out_of_memory(message);
	made->plan = plan;
	made->kernels = kernels;
	made->hot = calloc(plan->predicate_count + 1, sizeof(*made->hot));
	made->first_low = malloc((plan->predicate_count + 2) * sizeof(*made->first_low));
	made->cached_of = calloc(plan->predicate_count + 1, sizeof(*made->cached_of));
	made->spare = malloc((DEPTH_MAX + 1) * sizeof(*made->spare));
	if (made->cached_of)
		cached_choose(made);
	made->cached = malloc((made->cached_count + 1) * sizeof(*made->cached));
	if (!made->hot || !made->first_low || !made->cached_of || !made->spare || !made->cached)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = vector_arrange(made, message);
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
	arrangement_free(&vector->arrangement);
	free(vector->hot);
	free(vector->classes);
	free(vector->hits);
	free(vector->first_low);
	free(vector->lows);
	free(vector->cached);
	free(vector->cached_of);
	free(vector->spare);
	free(vector);
}

static bool hits_reserve(struct vector *vector, size_t more)
{
	size_t capacity = vector->hit_capacity ? vector->hit_capacity : SEGMENT_ROWS;
	struct hit *hits;

	if (vector->hit_capacity - vector->hit_count >= more)
		return true;
	while (capacity - vector->hit_count < more)
		capacity *= 2;
	hits = realloc(vector->hits, capacity * sizeof(*hits));
	if (!hits)
		return false;
	vector->hits = hits;
	vector->hit_capacity = capacity;
	return true;
}

static uint32_t read_big_endian(const uint8_t *in, size_t size)
{
	if (size == 2)
		return (uint32_t)in[0] << 8 | in[1];
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static uint32_t header_shape(const uint8_t *header, uint8_t captured, unsigned version)
{
	return shape_of(version, header[version == 4 ? 9 : 6], captured);
}

/* What a loop over rows writes to. Without restrict, bytes might be anything. */
struct row_writer {
	const uint8_t *restrict entries;
	const uint32_t *restrict indices; /* into entries, of each row */
	const uint32_t *restrict places;
	uint8_t *restrict classes; /* of the first bin */
	uint16_t *restrict listed; /* rows that some listed predicate meets */
};

/*
 * Writes the classes of the rows and lists those that listed predicates meet.
 * Most groups have none of these, so they are asked for only once a group.
 */
static size_t rows_write(const struct row_writer writer, size_t rows)
{
	size_t count = 0;

	for (size_t first = 0; first < rows; first += RANK_GROUP) {
		const size_t end = rows - first < RANK_GROUP ? rows : first + RANK_GROUP;
		unsigned any = 0;

		for (size_t row = first; row < end; row++) {
			const unsigned entry = writer.entries[writer.indices[row]];

			writer.classes[writer.places[row]] = (uint8_t)(entry & ENTRY_CLASS);
			any |= entry;
		}
		if (!(any & ENTRY_LISTED))
			continue;
		for (size_t row = first; row < end; row++) {
			writer.listed[count] = (uint16_t)row;
			count += writer.entries[writer.indices[row]] / ENTRY_LISTED;
		}
	}
	return count;
}

/* Puts rows of the tile on the lists that their interval names. */
static bool hits_note(struct vector *vector, const struct tile *tile, enum column column,
		      const uint16_t *listed, size_t count)
{
	const struct plan_column *planned = &vector->plan->columns[column];
	const uint32_t *first_hit = vector->arrangement.columns[column].first_hit;
	const uint32_t *hits = vector->arrangement.columns[column].hits;

	for (size_t i = 0; i < count; i++) {
		const uint32_t interval = plan_interval(planned, tile->numbers[column][listed[i]]);

		if (!hits_reserve(vector, first_hit[interval + 1] - first_hit[interval]))
			return false;
		for (uint32_t j = first_hit[interval]; j < first_hit[interval + 1]; j++)
			vector->hits[vector->hit_count++] =
				(struct hit){hits[j], tile->lows[listed[i]]};
	}
	return true;
}

/* Writes the classes of a bin that is not its column's first. */
static void bin_write(struct vector *vector, const struct tile *tile, enum column column,
		      uint32_t bin)
{
	const struct plan_column *planned = &vector->plan->columns[column];
	uint8_t *classes = vector->classes + bin * (size_t)CLASSES_BYTES;
	const uint8_t *of_interval = vector->arrangement.bins[bin].classes;

	for (size_t row = 0; row < tile->rows; row++)
		classes[tile->places[row]] =
			of_interval[plan_interval(planned, tile->numbers[column][row])];
}

/* Reads one column of the rows of a tile. */
static bool column_read(struct vector *vector, const struct tile *tile, enum column column)
{
	const struct plan_column *planned = &vector->plan->columns[column];
	const struct arranged_column *arranged = &vector->arrangement.columns[column];
	/* Behind all bins is room for a column that has none. */
	const size_t bin =
		arranged->bin_count ? arranged->first_bin : vector->arrangement.bin_count;
	const size_t rounded = (tile->rows + RANK_GROUP - 1) / RANK_GROUP * RANK_GROUP;
	const uint32_t *numbers = tile->numbers[column];
	uint32_t intervals[TILE_ROWS];
	uint16_t listed[TILE_ROWS + 1];
	struct row_writer writer = {.entries = arranged->entries,
				    .indices = numbers,
				    .places = tile->places,
				    .classes = vector->classes + bin * CLASSES_BYTES,
				    .listed = listed};

	if (!arranged->entries_by_number) {
		writer.indices = intervals;
		if (planned->interval_count <= RANK_INTERVALS_MAX)
			vector->kernels->numbers_rank(numbers, rounded, planned->lasts,
						      planned->interval_count - 1, intervals);
		else
			for (size_t row = 0; row < tile->rows; row++)
				intervals[row] = plan_interval_32(planned, numbers[row]);
	}
	for (uint32_t i = 1; i < arranged->bin_count; i++)
		bin_write(vector, tile, column, arranged->first_bin + i);
	return hits_note(vector, tile, column, listed, rows_write(writer, tile->rows));
}

static bool column_in_version(enum column column, unsigned version)
{
	return version == 6 || column <= COLUMN_SOURCE || column == COLUMN_DESTINATION;
}

/* Takes the columns of IPv4 headers apart, all at once. */
static void tile_gather_ipv4(struct tile *restrict tile, const uint8_t *restrict header,
			     const uint8_t *restrict captured)
{
	for (size_t row = 0; row < tile->rows; row++, header += HEADER_IPV4_SIZE) {
		const uint32_t ports = read_big_endian(header + 20, 4);

		tile->numbers[COLUMN_SHAPE][row] = header_shape(header, captured[row], 4);
		tile->numbers[COLUMN_SOURCE_PORT][row] = ports >> 16;
		tile->numbers[COLUMN_DESTINATION_PORT][row] = ports & UINT16_MAX;
		tile->numbers[COLUMN_SOURCE][row] = read_big_endian(header + 12, 4);
		tile->numbers[COLUMN_DESTINATION][row] = read_big_endian(header + 16, 4);
	}
}

static void tile_gather_ipv6(struct tile *restrict tile, const uint8_t *restrict header,
			     const uint8_t *restrict captured)
{
	for (size_t row = 0; row < tile->rows; row++, header += HEADER_IPV6_SIZE) {
		const uint32_t ports = read_big_endian(header + 40, 4);

		tile->numbers[COLUMN_SHAPE][row] = header_shape(header, captured[row], 6);
		tile->numbers[COLUMN_SOURCE_PORT][row] = ports >> 16;
		tile->numbers[COLUMN_DESTINATION_PORT][row] = ports & UINT16_MAX;
		for (size_t i = 0; i < 8; i++)
			tile->numbers[COLUMN_SOURCE + i][row] =
				read_big_endian(header + 8 + i * 4, 4);
	}
}

/* Tries a formula on every row of the tile. */
static bool formula_read(struct vector *vector, uint32_t predicate, const struct tile *tile)
{
	const struct plan_predicate *asked = &vector->plan->predicates[predicate];
	const struct formula *formula = &vector->plan->formulas.items[asked->column - COLUMN_COUNT];
	uint32_t holds[FORMULA_ROWS];

	/* One more, since a row is noted before it counts. */
	if (!hits_reserve(vector, tile->rows + 1))
		return false;
	formula_hold(formula, tile->numbers, holds);
	for (size_t row = 0; row < tile->rows; row++) {
		vector->hits[vector->hit_count] = (struct hit){predicate, tile->lows[row]};
		vector->hit_count += holds[row];
	}
	return true;
}

static bool tile_read(struct vector *vector, struct tile *tile, unsigned version)
{
	const struct plan *plan = vector->plan;

	for (size_t row = 0; row < tile->rows; row++)
		tile->places[row] =
			tile->lows[row] % PLANES * (uint32_t)PLANE_BYTES + tile->lows[row] / PLANES;
	for (enum column column = COLUMN_SHAPE; column < COLUMN_COUNT; column++)
		if (plan->columns[column].used && column_in_version(column, version) &&
		    !column_read(vector, tile, column))
			return false;
	for (size_t i = 0; i < plan->formula_predicate_count; i++)
		if (!formula_read(vector, plan->formula_predicates[i], tile))
			return false;
	return true;
}

static bool headers_read(struct vector *vector, const struct packed_headers *headers,
			 unsigned version)
{
	struct tile *tile = &vector->tile;

	for (size_t first = 0; first < headers->rows; first += TILE_ROWS) {
		const uint8_t *header = headers->bytes + first * headers->stride;

		tile->rows = headers->rows - first < TILE_ROWS ? headers->rows - first : TILE_ROWS;
		tile->lows = headers->low + first;
		if (version == 4)
			tile_gather_ipv4(tile, header, headers->captured + first);
		else
			tile_gather_ipv6(tile, header, headers->captured + first);
		if (!tile_read(vector, tile, version))
			return false;
	}
	return true;
}

/* From hits in the order of rows to a list of rows for each predicate. */
static bool hits_sort(struct vector *vector)
{
	const size_t count = vector->plan->predicate_count;
	uint32_t *first = vector->first_low;

	if (vector->hit_count > vector->low_capacity) {
		uint16_t *lows = realloc(vector->lows, vector->hit_capacity * sizeof(*lows));

		if (!lows)
			return false;
		vector->lows = lows;
		vector->low_capacity = vector->hit_capacity;
	}
	/* Counted two places further on, so that filling moves each start to its place. */
	memset(first, 0, (count + 2) * sizeof(*first));
	for (size_t i = 0; i < vector->hit_count; i++)
		first[vector->hits[i].predicate + 2]++;
	for (size_t i = 2; i < count + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < vector->hit_count; i++)
		vector->lows[first[vector->hits[i].predicate + 1]++] = vector->hits[i].low;
	return true;
}

/* Row ids without a header have the class of the shape that no header has. */
static void shapes_clear(struct vector *vector)
{
	const struct arranged_column *arranged = &vector->arrangement.columns[COLUMN_SHAPE];

	for (uint32_t i = arranged->first_bin; i < arranged->first_bin + arranged->bin_count; i++) {
		const uint16_t none = vector->plan->columns[COLUMN_SHAPE].of_number[SHAPE_NONE];

		memset(vector->classes + i * (size_t)CLASSES_BYTES,
		       vector->arrangement.bins[i].classes[none], CLASSES_BYTES);
	}
}

/* Have predicates become hot in the segment that was read last? They stay so. */
static bool hot_find(struct vector *vector)
{
	const struct plan *plan = vector->plan;
	bool found = false;

	if (vector->rows < HOT_ROWS)
		return false;
	for (size_t i = 0; i < plan->predicate_count; i++) {
		const uint32_t met = vector->first_low[i + 1] - vector->first_low[i];

		if (met <= vector->rows / HOT_SHARE || vector->hot[i] ||
		    plan->predicates[i].column >= COLUMN_COUNT)
			continue;
		vector->hot[i] = true;
		found = true;
	}
	return found;
}

enum status vector_read(struct vector *vector, const struct segment *segment,
			struct message *message)
{
	if (hot_find(vector)) {
		enum status status = vector_arrange(vector, message);

		if (status != STATUS_OK)
			return status;
	}
	vector->rows = segment->headers[SEGMENT_IPV4].rows + segment->headers[SEGMENT_IPV6].rows;
	vector->hit_count = 0;
	for (size_t i = 0; i < vector->cached_count; i++)
		vector->cached[i].blocks = 0;
	shapes_clear(vector);
	if (!headers_read(vector, &segment->headers[SEGMENT_IPV4], 4) ||
	    !headers_read(vector, &segment->headers[SEGMENT_IPV6], 6) || !hits_sort(vector))
		return message_out_of_memory(message);
	return STATUS_OK;
}

static void list_bits(const struct vector *vector, uint32_t predicate, struct segment_bits *bits)
{
	const uint16_t *low = vector->lows + vector->first_low[predicate];
	const uint16_t *end = vector->lows + vector->first_low[predicate + 1];

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
	const struct arranged_predicate *asked = &vector->arrangement.predicates[predicate];
	const struct class_range *range = vector->arrangement.ranges + asked->first_range;
	const uint8_t *classes = vector->classes + asked->bin * (size_t)CLASSES_BYTES;

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
	struct cached *cached;

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
		for (uint32_t i = vector->first_low[predicate];
		     i < vector->first_low[predicate + 1]; i++)
			segment_bits_remove(bits, vector->lows[i]);
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
		if (vector->arrangement.predicates[branch->predicate].dense)
			bits_and_dense(vector, bits, branch->predicate, true, spare);
		else
			bits_and_listed(vector, bits, branch->predicate, true, spare);
	} else if (!vector->arrangement.predicates[branch->predicate].dense) {
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
	if (vector->arrangement.predicates[branch->predicate].dense)
		bits_and_dense(vector, bits, branch->predicate, branch->inverted, spare);
	else
		bits_and_listed(vector, bits, branch->predicate, branch->inverted, spare);
}

/* Recurs at most DEPTH_MAX times: every node asks for a later column. */
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

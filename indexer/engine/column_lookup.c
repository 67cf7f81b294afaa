#include "column_lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/big_endian.h"
#include "base/rowid.h"
#include "condition/formula.h"
#include "packet/header.h"
#include "packet/header_column.h"
#include "stored_lookup.h"

enum {
	HOT_SHARE = 256, /* a predicate that one row in so many meets is hot */
	HOT_ROWS = 4096, /* in a segment with as many rows at least */
	HIT_LIMIT = 2 * SEGMENT_ROWS,
};

/* Rows that are looked up at a time: all columns of them stay in the first cache. */
enum { TILE_ROWS = FORMULA_ROWS };

/* Some headers of one version, taken apart. */
struct tile {
	size_t rows;
	const uint16_t *lows;
	uint32_t places[TILE_ROWS]; /* of each row in the planes of a bin */
	uint32_t numbers[COLUMN_COUNT][TILE_ROWS];
};

/* Arranges the predicates by what is known of them so far. */
static enum status lookup_arrange(struct column_lookup *lookup, struct message *message)
{
	enum status status;

	arrangement_free(&lookup->arrangement);
	status = arrangement_make(lookup->plan, lookup->hot, &lookup->arrangement, message);
	if (status != STATUS_OK)
		return status;
	free(lookup->classes);
	lookup->classes = calloc(lookup->arrangement.bin_count + 1, CLASSES_BYTES);
	return lookup->classes ? STATUS_OK : message_out_of_memory(message);
}

enum status column_lookup_open(const struct plan *plan, const struct kernels *kernels,
			       struct column_lookup *lookup, struct message *message)
{
	*lookup = (struct column_lookup){
		.plan = plan,
		.kernels = kernels,
		.hot = calloc(plan->predicate_count + 1, sizeof(*lookup->hot)),
		.first_low = calloc(plan->predicate_count + 2, sizeof(*lookup->first_low)),
		.lows = malloc(SEGMENT_ROWS * sizeof(*lookup->lows)),
		.low_capacity = SEGMENT_ROWS,
		.tile = calloc(1, sizeof(*lookup->tile)),
		.formula_words = malloc((plan->formulas.count + 1) * SEGMENT_WORDS *
					sizeof(*lookup->formula_words)),
		.hit_limit = HIT_LIMIT,
	};
	if (!lookup->hot || !lookup->first_low || !lookup->lows || !lookup->tile ||
	    !lookup->formula_words)
		return message_out_of_memory(message);
	return lookup_arrange(lookup, message);
}

void column_lookup_free(struct column_lookup *lookup)
{
	arrangement_free(&lookup->arrangement);
	free(lookup->hot);
	free(lookup->classes);
	free(lookup->first_low);
	free(lookup->lows);
	free(lookup->tile);
	free(lookup->formula_words);
	free(lookup->hits);
	free(lookup->row_lows);
	free(lookup->row_places);
	free(lookup->entries);
	free(lookup->intervals);
	free(lookup->ipv6_rows);
	free(lookup->listed_rows);
	formula_rows_free(&lookup->formulas);
	free(lookup->row_bits);
	*lookup = (struct column_lookup){0};
}

bool column_lookup_hits_reserve(struct column_lookup *lookup, size_t more)
{
	size_t capacity = lookup->hit_capacity ? lookup->hit_capacity : SEGMENT_ROWS;
	struct hit *hits;

	if (lookup->hit_capacity - lookup->hit_count >= more)
		return true;
	while (capacity - lookup->hit_count < more)
		capacity *= 2;
	hits = realloc(lookup->hits, capacity * sizeof(*hits));
	if (!hits)
		return false;
	lookup->hits = hits;
	lookup->hit_capacity = capacity;
	return true;
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
static bool hits_note(struct column_lookup *lookup, const struct tile *tile, enum column column,
		      const uint16_t *listed, size_t count)
{
	const struct plan_column *planned = &lookup->plan->columns[column];
	const uint32_t *first_hit = lookup->arrangement.columns[column].first_hit;
	const uint32_t *hits = lookup->arrangement.columns[column].hits;

	for (size_t i = 0; i < count; i++) {
		const uint32_t interval = plan_interval(planned, tile->numbers[column][listed[i]]);

		if (!column_lookup_hits_reserve(lookup,
						first_hit[interval + 1] - first_hit[interval]))
			return false;
		for (uint32_t j = first_hit[interval]; j < first_hit[interval + 1]; j++)
			lookup->hits[lookup->hit_count++] =
				(struct hit){hits[j], tile->lows[listed[i]]};
	}
	return true;
}

/* Writes the classes of a bin that is not its column's first. */
static void bin_write(struct column_lookup *lookup, const struct tile *tile, enum column column,
		      uint32_t bin)
{
	const struct plan_column *planned = &lookup->plan->columns[column];
	uint8_t *classes = lookup->classes + bin * (size_t)CLASSES_BYTES;
	const uint8_t *of_interval = lookup->arrangement.bins[bin].classes;

	for (size_t row = 0; row < tile->rows; row++)
		classes[tile->places[row]] =
			of_interval[plan_interval(planned, tile->numbers[column][row])];
}

/* Reads one column of the rows of a tile. */
static bool tile_column_read(struct column_lookup *lookup, const struct tile *tile,
			     enum column column)
{
	const struct plan_column *planned = &lookup->plan->columns[column];
	const struct arranged_column *arranged = &lookup->arrangement.columns[column];
	/* Behind all bins is room for a column that has none. */
	const size_t bin =
		arranged->bin_count ? arranged->first_bin : lookup->arrangement.bin_count;
	const size_t rounded = (tile->rows + RANK_GROUP - 1) / RANK_GROUP * RANK_GROUP;
	const uint32_t *numbers = tile->numbers[column];
	uint32_t intervals[TILE_ROWS];
	uint16_t listed[TILE_ROWS + 1] = {0};
	struct row_writer writer = {.entries = arranged->entries,
				    .indices = numbers,
				    .places = tile->places,
				    .classes = lookup->classes + bin * CLASSES_BYTES,
				    .listed = listed};

	if (!arranged->entries_by_number) {
		writer.indices = intervals;
		if (planned->interval_count <= RANK_INTERVALS_MAX)
			lookup->kernels->numbers_rank(numbers, rounded, planned->lasts,
						      planned->interval_count - 1, intervals);
		else
			for (size_t row = 0; row < tile->rows; row++)
				intervals[row] = plan_interval_32(planned, numbers[row]);
	}
	for (uint32_t i = 1; i < arranged->bin_count; i++)
		bin_write(lookup, tile, column, arranged->first_bin + i);
	return hits_note(lookup, tile, column, listed, rows_write(writer, tile->rows));
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
		const uint32_t ports = read_big_endian_32(header + 20);

		tile->numbers[COLUMN_SHAPE][row] = header_shape(header, captured[row], 4);
		tile->numbers[COLUMN_SOURCE_PORT][row] = ports >> 16;
		tile->numbers[COLUMN_DESTINATION_PORT][row] = ports & UINT16_MAX;
		tile->numbers[COLUMN_SOURCE][row] = read_big_endian_32(header + 12);
		tile->numbers[COLUMN_DESTINATION][row] = read_big_endian_32(header + 16);
	}
}

static void tile_gather_ipv6(struct tile *restrict tile, const uint8_t *restrict header,
			     const uint8_t *restrict captured)
{
	for (size_t row = 0; row < tile->rows; row++, header += HEADER_IPV6_SIZE) {
		const uint32_t ports = read_big_endian_32(header + 40);

		tile->numbers[COLUMN_SHAPE][row] = header_shape(header, captured[row], 6);
		tile->numbers[COLUMN_SOURCE_PORT][row] = ports >> 16;
		tile->numbers[COLUMN_DESTINATION_PORT][row] = ports & UINT16_MAX;
		for (size_t i = 0; i < 8; i++)
			tile->numbers[COLUMN_SOURCE + i][row] =
				read_big_endian_32(header + 8 + i * 4);
	}
}

/* Tries a formula on every row of the tile. */
static void formula_try(struct column_lookup *lookup, size_t number, const struct tile *tile)
{
	uint64_t *words = lookup->formula_words + number * SEGMENT_WORDS;
	uint32_t holds[FORMULA_ROWS];

	formula_hold(&lookup->plan->formulas.items[number], tile->numbers, holds);
	for (size_t row = 0; row < tile->rows; row++)
		words[tile->lows[row] / 64] |= (uint64_t)holds[row] << (tile->lows[row] % 64);
}

static bool tile_read(struct column_lookup *lookup, struct tile *tile, unsigned version)
{
	const struct plan *plan = lookup->plan;

	for (size_t row = 0; row < tile->rows; row++)
		tile->places[row] =
			tile->lows[row] % PLANES * (uint32_t)PLANE_BYTES + tile->lows[row] / PLANES;
	for (enum column column = COLUMN_SHAPE; column < COLUMN_COUNT; column++)
		if (plan->columns[column].used && column_in_version(column, version) &&
		    !tile_column_read(lookup, tile, column))
			return false;
	for (size_t i = 0; i < plan->formulas.count; i++)
		formula_try(lookup, i, tile);
	lookup->rows += tile->rows;
	return true;
}

static bool headers_read(struct column_lookup *lookup, const struct packed_headers *headers,
			 unsigned version)
{
	struct tile *tile = lookup->tile;

	for (size_t first = 0; first < headers->rows; first += TILE_ROWS) {
		const uint8_t *header = headers->bytes + first * headers->stride;

		tile->rows = headers->rows - first < TILE_ROWS ? headers->rows - first : TILE_ROWS;
		tile->lows = headers->low + first;
		if (version == 4)
			tile_gather_ipv4(tile, header, headers->captured + first);
		else
			tile_gather_ipv6(tile, header, headers->captured + first);
		if (!tile_read(lookup, tile, version))
			return false;
		if (lookup->hit_count > lookup->hit_limit)
			break;
	}
	return true;
}

/* From hits in the order of rows to a list of rows for each predicate. */
static bool hits_sort(struct column_lookup *lookup)
{
	const size_t count = lookup->plan->predicate_count;
	uint32_t *first = lookup->first_low;

	if (lookup->hit_count > lookup->low_capacity) {
		uint16_t *lows = realloc(lookup->lows, lookup->hit_capacity * sizeof(*lows));

		if (!lows)
			return false;
		lookup->lows = lows;
		lookup->low_capacity = lookup->hit_capacity;
	}
	/* Counted two places further on, so that filling moves each start to its place. */
	memset(first, 0, (count + 2) * sizeof(*first));
	for (size_t i = 0; i < lookup->hit_count; i++)
		first[lookup->hits[i].predicate + 2]++;
	for (size_t i = 2; i < count + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < lookup->hit_count; i++)
		lookup->lows[first[lookup->hits[i].predicate + 1]++] = lookup->hits[i].low;
	return true;
}

/* Row ids without a header have the class of the shape that no header has. */
static void shapes_clear(struct column_lookup *lookup)
{
	const struct arranged_column *arranged = &lookup->arrangement.columns[COLUMN_SHAPE];

	for (uint32_t i = arranged->first_bin; i < arranged->first_bin + arranged->bin_count; i++) {
		const uint16_t none = lookup->plan->columns[COLUMN_SHAPE].of_number[SHAPE_NONE];

		memset(lookup->classes + i * (size_t)CLASSES_BYTES,
		       lookup->arrangement.bins[i].classes[none], CLASSES_BYTES);
	}
}

/* Have more predicates become hot in the rows that were read? They stay so. */
static bool hot_find(struct column_lookup *lookup)
{
	bool found = false;

	for (size_t i = 0; i < lookup->plan->predicate_count; i++) {
		const uint32_t met = lookup->first_low[i + 1] - lookup->first_low[i];

		if (met <= lookup->rows / HOT_SHARE || lookup->hot[i])
			continue;
		lookup->hot[i] = true;
		found = true;
	}
	return found;
}

static void read_begin(struct column_lookup *lookup)
{
	lookup->rows = 0;
	lookup->hit_count = 0;
	shapes_clear(lookup);
	memset(lookup->formula_words, 0,
	       lookup->plan->formulas.count * SEGMENT_WORDS * sizeof(*lookup->formula_words));
}

/* Reads the segment up to its end, or until there are too many hits. */
static enum status headers_look_up(struct column_lookup *lookup, const void *source,
				   struct message *message)
{
	const struct segment *segment = source;

	if (headers_read(lookup, &segment->headers[SEGMENT_IPV4], 4) &&
	    (lookup->hit_count > lookup->hit_limit ||
	     headers_read(lookup, &segment->headers[SEGMENT_IPV6], 6)))
		return STATUS_OK;
	return message_out_of_memory(message);
}

static enum status look_up(struct column_lookup *lookup, const void *source,
			   enum status (*read)(struct column_lookup *, const void *,
					       struct message *),
			   struct message *message)
{
	enum status status = STATUS_OK;

	if (lookup->rows >= HOT_ROWS && hot_find(lookup))
		status = lookup_arrange(lookup, message);
	while (status == STATUS_OK) {
		read_begin(lookup);
		status = read(lookup, source, message);
		if (status == STATUS_OK && !hits_sort(lookup))
			status = message_out_of_memory(message);
		if (status != STATUS_OK || lookup->hit_count <= lookup->hit_limit)
			break;
		/* Once more, without lists of those that caused it; or else with longer lists. */
		if (hot_find(lookup))
			status = lookup_arrange(lookup, message);
		else
			lookup->hit_limit *= 2;
	}
	return status;
}

enum status column_lookup_read(struct column_lookup *lookup, const struct segment *segment,
			       struct message *message)
{
	return look_up(lookup, segment, headers_look_up, message);
}

enum status column_lookup_read_columns(struct column_lookup *lookup,
				       struct segment_columns *columns, struct message *message)
{
	return look_up(lookup, columns, stored_look_up, message);
}

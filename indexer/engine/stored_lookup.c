#include "stored_lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "predicate_codes.h"

/* The stored column that has a plan's, and which of its 32 bits are asked. */
static bool lies_in(uint32_t column, enum stored_column stored)
{
	return predicate_stored_in(column) == stored;
}

/* True for the parts of IPv6 addresses that no IPv4 address has. */
static bool is_inner(uint32_t column)
{
	return column > COLUMN_SOURCE && column != COLUMN_DESTINATION;
}

/* What rows with each distinct value write: their class, and whether they are listed. */
static bool entries_of_values(struct column_lookup *lookup, const struct column_values *values,
			      uint32_t column)
{
	const struct plan_column *planned = &lookup->plan->columns[column];
	const struct arranged_column *arranged = &lookup->arrangement.columns[column];
	const bool inner = is_inner(column);
	unsigned any = 0;

	for (size_t i = 0; i < values->count; i++) {
		uint32_t number;

		if (inner && !values->is_address[i])
			continue;
		number = column_value_number(values, i, column);
		lookup->intervals[i] = plan_interval(planned, number);
		lookup->entries[i] =
			arranged->entries[arranged->entries_by_number ? number
								      : lookup->intervals[i]];
		any |= lookup->entries[i];
	}
	return any & ENTRY_LISTED;
}

/* The rows of a stored column that are to be looked at: all, or those with an IPv6 address. */
struct asked_rows {
	const uint16_t *rows; /* NULL for all */
	size_t count;
};

static struct asked_rows rows_asked(struct column_lookup *lookup,
				    const struct column_values *values, uint32_t column)
{
	if (!is_inner(column))
		return (struct asked_rows){NULL, lookup->rows};
	if (!lookup->ipv6_known) {
		lookup->ipv6_count = 0;
		for (size_t row = 0; row < lookup->rows; row++) {
			lookup->ipv6_rows[lookup->ipv6_count] = (uint16_t)row;
			lookup->ipv6_count += values->is_address[values->places[row]];
		}
		lookup->ipv6_known = true;
	}
	return (struct asked_rows){lookup->ipv6_rows, lookup->ipv6_count};
}

/* Puts the rows that listed values have on the lists of these. */
static bool listed_note(struct column_lookup *lookup, const struct column_values *values,
			uint32_t column, const struct asked_rows *asked)
{
	const struct arranged_column *arranged = &lookup->arrangement.columns[column];
	size_t count = 0;

	for (size_t i = 0; i < asked->count; i++) {
		const size_t row = asked->rows ? asked->rows[i] : i;

		lookup->listed_rows[count] = (uint16_t)row;
		count += lookup->entries[values->places[row]] / ENTRY_LISTED;
	}
	for (size_t i = 0; i < count; i++) {
		const uint16_t row = lookup->listed_rows[i];
		const uint32_t interval = lookup->intervals[values->places[row]];
		const uint32_t end = arranged->first_hit[interval + 1];

		if (!column_lookup_hits_reserve(lookup, end - arranged->first_hit[interval]))
			return false;
		for (uint32_t j = arranged->first_hit[interval]; j < end; j++)
			lookup->hits[lookup->hit_count++] =
				(struct hit){arranged->hits[j], lookup->row_lows[row]};
	}
	return true;
}

/* Writes the classes of one bin. */
static void classes_write(struct column_lookup *lookup, const struct column_values *values,
			  size_t bin, const struct asked_rows *asked)
{
	uint8_t *restrict classes = lookup->classes + bin * (size_t)CLASSES_BYTES;
	const uint8_t *restrict entries = lookup->entries;
	const uint32_t *restrict places = values->places;
	const uint32_t *restrict to = lookup->row_places;

	if (asked->rows)
		for (size_t i = 0; i < asked->count; i++)
			classes[to[asked->rows[i]]] = entries[places[asked->rows[i]]] & ENTRY_CLASS;
	else
		for (size_t row = 0; row < asked->count; row++)
			classes[to[row]] = entries[places[row]] & ENTRY_CLASS;
}

/* Reads one of a plan's columns, which is used, from the distinct values of the segment. */
static bool values_read(struct column_lookup *lookup, const struct column_values *values,
			uint32_t column, bool listed)
{
	const struct arranged_column *arranged = &lookup->arrangement.columns[column];
	const struct asked_rows asked = rows_asked(lookup, values, column);

	if (listed && !listed_note(lookup, values, column, &asked))
		return false;
	for (uint32_t i = 0; i < arranged->bin_count; i++) {
		const uint8_t *of_interval =
			lookup->arrangement.bins[arranged->first_bin + i].classes;

		for (size_t j = 0; i > 0 && j < values->count; j++)
			lookup->entries[j] = of_interval[lookup->intervals[j]];
		classes_write(lookup, values, arranged->first_bin + i, &asked);
	}
	return true;
}

/* Where formulas hold, in the order of row ids. */
static enum status formulas_read(struct column_lookup *lookup, struct segment_columns *columns,
				 struct message *message)
{
	enum status status = STATUS_OK;

	formula_rows_begin(&lookup->formulas);
	for (size_t i = 0; status == STATUS_OK && i < lookup->plan->formulas.count; i++) {
		status = formula_rows_bits(&lookup->formulas, &lookup->plan->formulas.items[i],
					   columns, lookup->kernels, lookup->row_bits, message);
		if (status == STATUS_OK)
			lookup->kernels->bits_deposit(lookup->row_bits, columns->present.words,
						      SEGMENT_WORDS,
						      lookup->formula_words + i * SEGMENT_WORDS);
	}
	return status;
}

/* Reads what a stored column has of the plan's. */
static enum status stored_read(struct column_lookup *lookup, struct segment_columns *columns,
			       enum stored_column stored, struct message *message)
{
	const struct column_values *values = NULL;
	enum status status = STATUS_OK;

	lookup->ipv6_known = false;
	for (uint32_t column = 0; status == STATUS_OK && column < COLUMN_COUNT; column++) {
		bool listed;

		if (!lies_in(column, stored) || !lookup->plan->columns[column].used)
			continue;
		status = segment_columns_values(columns, lookup->kernels, stored, &values, message);
		if (status != STATUS_OK)
			break;
		listed = entries_of_values(lookup, values, column);
		if (!values_read(lookup, values, column, listed))
			status = message_out_of_memory(message);
	}
	return status;
}

/* Where each row of a stored segment is. */
static enum status rows_place(struct column_lookup *lookup, struct segment_columns *columns,
			      struct message *message)
{
	enum status status = segment_columns_rows(columns, message);
	size_t row = 0;

	if (status != STATUS_OK)
		return status;
	for (size_t word = 0; word < SEGMENT_WORDS; word++)
		for (uint64_t left = columns->present.words[word]; left; left &= left - 1) {
			const uint32_t low =
				(uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);

			lookup->row_lows[row] = (uint16_t)low;
			lookup->row_places[row++] =
				low % PLANES * (uint32_t)PLANE_BYTES + low / PLANES;
		}
	lookup->rows = row;
	return STATUS_OK;
}

static bool stored_reserve(struct column_lookup *lookup)
{
	if (lookup->listed_rows)
		return true;
	lookup->row_lows = malloc(SEGMENT_ROWS * sizeof(*lookup->row_lows));
	lookup->row_places = malloc(SEGMENT_ROWS * sizeof(*lookup->row_places));
	lookup->entries = malloc(COLUMN_VALUES_MAX);
	lookup->intervals = malloc(COLUMN_VALUES_MAX * sizeof(*lookup->intervals));
	lookup->ipv6_rows = malloc((SEGMENT_ROWS + 1) * sizeof(*lookup->ipv6_rows));
	lookup->listed_rows = malloc((SEGMENT_ROWS + 1) * sizeof(*lookup->listed_rows));
	/* One word more is read of them. */
	lookup->row_bits = calloc(SEGMENT_WORDS + 1, sizeof(*lookup->row_bits));
	return lookup->row_lows && lookup->row_places && lookup->entries && lookup->intervals &&
	       lookup->ipv6_rows && lookup->listed_rows && lookup->row_bits;
}

enum status stored_look_up(struct column_lookup *lookup, const void *source,
			   struct message *message)
{
	/* Reading makes room and keeps what was read; nothing is told by it. */
	struct segment_columns *columns = (struct segment_columns *)source;
	enum status status = stored_reserve(lookup) ? STATUS_OK : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = rows_place(lookup, columns, message);
	for (int stored = STORED_SHAPE;
	     status == STATUS_OK && stored < STORED_TIME && lookup->hit_count <= lookup->hit_limit;
	     stored++)
		status = stored_read(lookup, columns, (enum stored_column)stored, message);
	if (status == STATUS_OK && lookup->hit_count <= lookup->hit_limit)
		status = formulas_read(lookup, columns, message);
	return status;
}

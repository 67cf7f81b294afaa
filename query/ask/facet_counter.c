#include "facet_counter.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap/container_algebra.h"
#include "packet/header_column.h"
#include "packet/instant.h"
#include "packet/protocol.h"

#define MICROSECONDS INT64_C(1000000) /* in a second */

struct facet_counter {
	enum facet_by by;
	const struct value_counts *only; /* NULL for all values */
	struct value_counts counts;
	uint64_t counted;
	struct segment_bits bits;	    /* of the container */
	uint64_t wanted[SEGMENT_WORDS + 1]; /* the same in the order of rows with a header */
	uint64_t wanted_rows;
	bool *has_ports;      /* by value of the shape */
	uint32_t *tallies[2]; /* by value of a column: rows that have it */
};

struct facet_counter *facet_counter_new(enum facet_by by, const struct value_counts *only)
{
	struct facet_counter *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	made->by = by;
	made->only = only;
	made->has_ports = calloc(COLUMN_VALUES_MAX, sizeof(*made->has_ports));
	for (size_t i = 0; i < 2; i++)
		made->tallies[i] = calloc(COLUMN_VALUES_MAX, sizeof(*made->tallies[i]));
	if (made->has_ports && made->tallies[0] && made->tallies[1])
		return made;
	facet_counter_free(made);
	return NULL;
}

void facet_counter_free(struct facet_counter *counter)
{
	if (!counter)
		return;
	value_counts_free(&counter->counts);
	free(counter->has_ports);
	free(counter->tallies[0]);
	free(counter->tallies[1]);
	free(counter);
}

const struct value_counts *facet_counter_counts(const struct facet_counter *counter)
{
	return &counter->counts;
}

uint64_t facet_counter_rows(const struct facet_counter *counter)
{
	return counter->counted;
}

/* Moves the bits that a mask has together, to the low end. */
static uint64_t bits_gather(uint64_t bits, uint64_t mask)
{
	uint64_t gathered = 0;
	unsigned at = 0;

	if (mask == UINT64_MAX)
		return bits;
	for (uint64_t left = mask; left; left &= left - 1)
		gathered |= (uint64_t)((bits & left & -left) != 0) << at++;
	return gathered;
}

/* Finds the rows of the container among those with a header. */
static enum status wanted_find(struct facet_counter *counter, const struct container *container,
			       struct segment_columns *columns, struct message *message)
{
	size_t at = 0;
	enum status status = segment_columns_rows(columns, message);

	if (status != STATUS_OK)
		return status;
	container_bits(container, &counter->bits);
	memset(counter->wanted, 0, sizeof(counter->wanted));
	counter->wanted_rows = 0;
	for (size_t word = 0; word < SEGMENT_WORDS; word++) {
		const uint64_t present = columns->present.words[word];
		const uint64_t asked = counter->bits.words[word] & present;
		const uint64_t gathered = asked ? bits_gather(asked, present) : 0;

		counter->wanted[at / 64] |= gathered << (at % 64);
		if (at % 64)
			counter->wanted[at / 64 + 1] |= gathered >> (64 - at % 64);
		at += (size_t)__builtin_popcountll(present);
		counter->wanted_rows += (uint64_t)__builtin_popcountll(asked);
	}
	return STATUS_OK;
}

/* Counts the wanted rows by the place of their value. */
static void tally(const struct facet_counter *counter, const struct column_values *values,
		  size_t rows, uint32_t *tallies)
{
	const uint32_t *places = values->places;

	memset(tallies, 0, values->count * sizeof(*tallies));
	if (counter->wanted_rows == rows) {
		for (size_t row = 0; row < rows; row++)
			tallies[places[row]]++;
		return;
	}
	for (size_t word = 0; word * 64 < rows; word++)
		for (uint64_t left = counter->wanted[word]; left; left &= left - 1)
			tallies[places[word * 64 + (size_t)__builtin_ctzll(left)]]++;
}

/* Of what was tallied, those values alone that are looked for. */
static bool tallies_add_only(struct facet_counter *counter, const struct column_values *values,
			     const uint32_t *tallies)
{
	bool room = true;

	for (size_t i = 0; room && i < values->count; i++) {
		if (tallies[i] == 0)
			continue;
		if (values->is_address[i] &&
		    value_counts_has_address(counter->only, values->addresses[i]))
			room = value_counts_add_address(&counter->counts, values->addresses[i],
							tallies[i]);
		else if (!values->is_address[i] &&
			 value_counts_has(counter->only, values->numbers[i]))
			room = value_counts_add(&counter->counts, values->numbers[i], tallies[i]);
	}
	return room;
}

/* What was tallied goes to the counts of the values. */
static enum status tallies_add(struct facet_counter *counter, const struct column_values *values,
			       const uint32_t *tallies, struct message *message)
{
	bool room = true;
	size_t end = 0;

	if (counter->only)
		return tallies_add_only(counter, values, tallies) ? STATUS_OK
								  : message_out_of_memory(message);
	/* Numbers lie beside each other, and so do addresses. */
	for (size_t begin = 0; room && begin < values->count; begin = end) {
		const bool is_address = values->is_address[begin];

		for (end = begin; end < values->count && values->is_address[end] == is_address;
		     end++)
			if (is_address && tallies[end] && room)
				room = value_counts_add_address(
					&counter->counts, values->addresses[end], tallies[end]);
		if (!is_address)
			room = value_counts_add_all(&counter->counts, values->numbers + begin,
						    tallies + begin, end - begin);
	}
	return room ? STATUS_OK : message_out_of_memory(message);
}

static enum status values_of(struct segment_columns *columns, enum stored_column column,
			     const struct column_values **values, struct message *message)
{
	return segment_columns_values(columns, kernels_best(), column, values, message);
}

static enum status end_count(struct facet_counter *counter, struct segment_columns *columns,
			     enum stored_column column, struct message *message)
{
	const struct column_values *values;
	enum status status = values_of(columns, column, &values, message);

	if (status != STATUS_OK)
		return status;
	tally(counter, values, columns->rows, counter->tallies[0]);
	counter->counted += counter->wanted_rows;
	return tallies_add(counter, values, counter->tallies[0], message);
}

static bool same_value(const struct column_values *a, uint32_t in_a, const struct column_values *b,
		       uint32_t in_b)
{
	if (a->is_address[in_a] != b->is_address[in_b])
		return false;
	return a->is_address[in_a]
		       ? memcmp(a->addresses[in_a], b->addresses[in_b], VALUE_ADDRESS_SIZE) == 0
		       : a->numbers[in_a] == b->numbers[in_b];
}

/* Rows with the same address at both ends count once. */
static enum status hosts_count(struct facet_counter *counter, struct segment_columns *columns,
			       struct message *message)
{
	const struct column_values *source;
	const struct column_values *destination = NULL;
	enum status status = values_of(columns, STORED_SOURCE, &source, message);

	if (status == STATUS_OK)
		status = values_of(columns, STORED_DESTINATION, &destination, message);
	if (status != STATUS_OK)
		return status;
	tally(counter, source, columns->rows, counter->tallies[0]);
	tally(counter, destination, columns->rows, counter->tallies[1]);
	for (size_t word = 0; word * 64 < columns->rows; word++)
		for (uint64_t left = counter->wanted[word]; left; left &= left - 1) {
			const size_t row = word * 64 + (size_t)__builtin_ctzll(left);

			counter->tallies[1][destination->places[row]] -= same_value(
				source, source->places[row], destination, destination->places[row]);
		}
	counter->counted += counter->wanted_rows;
	status = tallies_add(counter, source, counter->tallies[0], message);
	return status == STATUS_OK ? tallies_add(counter, destination, counter->tallies[1], message)
				   : status;
}

static enum status protocols_count(struct facet_counter *counter, struct segment_columns *columns,
				   struct message *message)
{
	const struct column_values *shapes;
	enum status status = values_of(columns, STORED_SHAPE, &shapes, message);
	bool room = true;

	if (status != STATUS_OK)
		return status;
	tally(counter, shapes, columns->rows, counter->tallies[0]);
	for (size_t i = 0; room && i < shapes->count; i++)
		if (counter->tallies[0][i])
			room = value_counts_add(&counter->counts,
						shape_protocol(shapes->numbers[i]),
						counter->tallies[0][i]);
	counter->counted += counter->wanted_rows;
	return room ? STATUS_OK : message_out_of_memory(message);
}

/* Takes the rows out whose protocol has no ports. */
static void portless_drop(struct facet_counter *counter, const struct column_values *shapes,
			  size_t rows)
{
	bool any = false;

	for (size_t i = 0; i < shapes->count; i++) {
		counter->has_ports[i] = protocol_has_ports(shape_protocol(shapes->numbers[i]));
		any |= !counter->has_ports[i];
	}
	for (size_t word = 0; any && word * 64 < rows; word++)
		for (uint64_t left = counter->wanted[word]; left; left &= left - 1) {
			const size_t row = word * 64 + (size_t)__builtin_ctzll(left);

			if (counter->has_ports[shapes->places[row]])
				continue;
			counter->wanted[word] &= ~(left & -left);
			counter->wanted_rows--;
		}
}

static enum status ports_count(struct facet_counter *counter, struct segment_columns *columns,
			       struct message *message)
{
	const struct column_values *shapes;
	enum status status = values_of(columns, STORED_SHAPE, &shapes, message);

	if (status != STATUS_OK)
		return status;
	portless_drop(counter, shapes, columns->rows);
	return end_count(counter, columns, STORED_DESTINATION_PORT, message);
}

static enum status times_count(struct facet_counter *counter, struct segment_columns *columns,
			       struct message *message)
{
	const int64_t unit = (counter->by == FACET_DAY ? 86400 : 3600) * MICROSECONDS;
	struct time_column *time;
	const int64_t *times;
	enum status status = segment_columns_time(columns, &time, message);
	bool room = true;

	if (status == STATUS_OK && time->without == 0 &&
	    instant_floor(time->earliest, unit) == instant_floor(time->latest, unit)) {
		counter->counted += counter->wanted_rows;
		room = counter->wanted_rows == 0 ||
		       value_counts_add(&counter->counts,
					(uint64_t)instant_floor(time->earliest, unit),
					counter->wanted_rows);
		return room ? STATUS_OK : message_out_of_memory(message);
	}
	if (status == STATUS_OK)
		status = time_column_read(time, &times, message);
	for (size_t word = 0; status == STATUS_OK && room && word * 64 < columns->rows; word++)
		for (uint64_t left = counter->wanted[word]; room && left; left &= left - 1) {
			const int64_t at = times[word * 64 + (size_t)__builtin_ctzll(left)];

			if (at == INSTANT_NONE)
				continue;
			counter->counted++;
			room = value_counts_add(&counter->counts, (uint64_t)instant_floor(at, unit),
						1);
		}
	return room ? status : message_out_of_memory(message);
}

enum status facet_counter_run(struct facet_counter *counter, const struct container *container,
			      struct segment_columns *columns, struct message *message)
{
	enum status status = wanted_find(counter, container, columns, message);

	if (status != STATUS_OK || counter->wanted_rows == 0)
		return status;
	switch (counter->by) {
	case FACET_HOST:
		return hosts_count(counter, columns, message);
	case FACET_SOURCE:
		return end_count(counter, columns, STORED_SOURCE, message);
	case FACET_DESTINATION:
		return end_count(counter, columns, STORED_DESTINATION, message);
	case FACET_PORT:
		return ports_count(counter, columns, message);
	case FACET_PROTOCOL:
		return protocols_count(counter, columns, message);
	default:
		return times_count(counter, columns, message);
	}
}

#include "arrangement.h"

#include <stdlib.h>
#include <string.h>

enum {
	BIN_CLASSES_MAX = ENTRY_CLASS + 1,
	/* A set with more of its column's numbers than one in so many is dense. */
	LISTED_SHARE = 4096,
	/* List entries that the intervals of one column may have. */
	HITS_MAX = 1 << 22,
};

/* One column while it is arranged. */
struct arrangement_maker {
	const struct plan *plan;
	const struct plan_column *column;
	struct arrangement *arrangement;
	struct arranged_column *arranged;
	const bool *hot;
	uint32_t number;
	uint32_t *predicates; /* those of the column, the dense ones first */
	size_t count;
	uint16_t *classes; /* of each interval in the bin that is being filled */
	uint32_t class_count;
	uint32_t class_sizes[BIN_CLASSES_MAX]; /* intervals of each class */
	size_t bin_first;		       /* in predicates: the first of the bin */
};

/* The intervals of one piece of a predicate's set. */
struct span {
	uint32_t first;
	uint32_t last;
};

/* The next piece that is in the set, from *piece on; false behind the last one. */
static bool span_next(const struct arrangement_maker *maker, uint32_t predicate, size_t *piece,
		      struct span *span)
{
	const struct conditions *conditions = &maker->plan->conditions;
	const uint32_t condition = maker->plan->predicates[predicate].condition;
	const struct piece *pieces = condition_pieces(conditions, condition);
	const size_t count = conditions->nodes[condition].count;

	while (*piece < count && pieces[*piece].next != CONDITION_ACCEPT)
		++*piece;
	if (*piece == count)
		return false;
	span->first = *piece ? plan_interval(maker->column, pieces[*piece - 1].last + 1) : 0;
	span->last = plan_interval(maker->column, pieces[*piece].last);
	++*piece;
	return true;
}

/* How many intervals and how many numbers a predicate's set has. */
static void set_size(const struct arrangement_maker *maker, uint32_t predicate, size_t *intervals,
		     uint64_t *numbers)
{
	const uint32_t *lasts = maker->column->lasts;
	struct span span;

	*intervals = 0;
	*numbers = 0;
	for (size_t piece = 0; span_next(maker, predicate, &piece, &span);) {
		*intervals += span.last - span.first + (size_t)1;
		*numbers += lasts[span.last] + UINT64_C(1) -
			    (span.first ? lasts[span.first - 1] + UINT64_C(1) : 0);
	}
}

/* Puts the dense predicates of the column first; returns how many there are. */
static size_t predicates_part(struct arrangement_maker *maker)
{
	const uint64_t numbers = (uint64_t)column_last(maker->number) + 1;
	size_t dense = 0;
	size_t hits = 0;

	for (size_t i = 0; i < maker->count; i++) {
		const uint32_t predicate = maker->predicates[i];
		size_t intervals;
		uint64_t size;

		set_size(maker, predicate, &intervals, &size);
		if (maker->number != COLUMN_SHAPE && size <= numbers / LISTED_SHARE &&
		    hits + intervals <= HITS_MAX && !(maker->hot && maker->hot[predicate])) {
			hits += intervals;
			continue;
		}
		maker->arrangement->predicates[predicate].dense = true;
		maker->predicates[i] = maker->predicates[dense];
		maker->predicates[dense++] = predicate;
	}
	return dense;
}

static enum status hits_list(struct arrangement_maker *maker, size_t first, struct message *message)
{
	struct arranged_column *column = maker->arranged;
	const uint32_t intervals = maker->column->interval_count;
	struct span span;
	uint32_t *next;

	column->first_hit = calloc(intervals + (size_t)2, sizeof(*column->first_hit));
	if (!column->first_hit)
		return message_out_of_memory(message);
	/* Counted two places further on, so that filling moves each start to its place. */
	next = column->first_hit + 1;
	for (size_t i = first; i < maker->count; i++)
		for (size_t piece = 0; span_next(maker, maker->predicates[i], &piece, &span);)
			for (uint32_t interval = span.first; interval <= span.last; interval++)
				column->first_hit[interval + 2]++;
	for (uint32_t i = 2; i <= intervals + 1; i++)
		column->first_hit[i] += column->first_hit[i - 1];
	column->hits =
		malloc((column->first_hit[intervals + 1] + (size_t)1) * sizeof(*column->hits));
	if (!column->hits)
		return message_out_of_memory(message);
	for (size_t i = first; i < maker->count; i++)
		for (size_t piece = 0; span_next(maker, maker->predicates[i], &piece, &span);)
			for (uint32_t interval = span.first; interval <= span.last; interval++)
				column->hits[next[interval]++] = maker->predicates[i];
	return STATUS_OK;
}

static enum status range_add(struct arrangement *arrangement, unsigned first, unsigned last,
			     struct message *message)
{
	if (arrangement->range_count == arrangement->range_capacity) {
		const size_t capacity = arrangement->range_capacity * 2 + 64;
		struct class_range *ranges =
			realloc(arrangement->ranges, capacity * sizeof(*ranges));

		if (!ranges)
			return message_out_of_memory(message);
		arrangement->ranges = ranges;
		arrangement->range_capacity = capacity;
	}
	arrangement->ranges[arrangement->range_count++] =
		(struct class_range){(uint8_t)first, (uint8_t)last};
	return STATUS_OK;
}

static enum status predicate_ranges(struct arrangement_maker *maker, uint32_t number,
				    struct message *message)
{
	struct arrangement *arrangement = maker->arrangement;
	struct arranged_predicate *predicate = &arrangement->predicates[number];
	bool in[BIN_CLASSES_MAX] = {false};
	enum status status = STATUS_OK;
	struct span span;

	for (size_t piece = 0; span_next(maker, number, &piece, &span);)
		for (uint32_t i = span.first; i <= span.last; i++)
			in[maker->classes[i]] = true;
	predicate->bin = (uint32_t)arrangement->bin_count;
	predicate->first_range = arrangement->range_count;
	for (unsigned first = 0; status == STATUS_OK && first < BIN_CLASSES_MAX; first++) {
		unsigned last = first;

		if (!in[first])
			continue;
		while (last + 1 < BIN_CLASSES_MAX && in[last + 1])
			last++;
		status = range_add(arrangement, first, last, message);
		first = last;
	}
	predicate->range_count = (uint32_t)(arrangement->range_count - predicate->first_range);
	return status;
}

/* The bin takes the predicates before `end` and is closed. */
static enum status bin_close(struct arrangement_maker *maker, size_t end, struct message *message)
{
	struct arrangement *arrangement = maker->arrangement;
	const uint32_t intervals = maker->column->interval_count;
	struct bin *bins = realloc(arrangement->bins, (arrangement->bin_count + 1) * sizeof(*bins));
	uint8_t *classes = malloc(intervals);
	enum status status = STATUS_OK;

	if (bins)
		arrangement->bins = bins;
	if (!bins || !classes) {
		free(classes);
		return message_out_of_memory(message);
	}
	for (uint32_t i = 0; i < intervals; i++)
		classes[i] = (uint8_t)maker->classes[i];
	for (size_t i = maker->bin_first; status == STATUS_OK && i < end; i++)
		status = predicate_ranges(maker, maker->predicates[i], message);
	bins[arrangement->bin_count++] = (struct bin){.classes = classes};
	maker->arranged->bin_count++;
	maker->bin_first = end;
	return status;
}

/* Begins a bin: one class, which has all intervals. */
static void classes_reset(struct arrangement_maker *maker)
{
	memset(maker->classes, 0, maker->column->interval_count * sizeof(*maker->classes));
	maker->class_count = 1;
	maker->class_sizes[0] = maker->column->interval_count;
}

/*
 * Splits the classes that a predicate cuts in two. False, and nothing changed,
 * if there would be too many.
 */
static bool classes_refine(struct arrangement_maker *maker, uint32_t predicate)
{
	uint32_t within[BIN_CLASSES_MAX] = {0};
	uint16_t split[BIN_CLASSES_MAX];
	uint32_t count = maker->class_count;
	struct span span;

	for (size_t piece = 0; span_next(maker, predicate, &piece, &span);)
		for (uint32_t i = span.first; i <= span.last; i++)
			within[maker->classes[i]]++;
	for (uint32_t i = 0; i < maker->class_count; i++) {
		split[i] = (uint16_t)i;
		if (within[i] > 0 && within[i] < maker->class_sizes[i])
			split[i] = (uint16_t)count++;
	}
	if (count > BIN_CLASSES_MAX)
		return false;
	for (uint32_t i = 0; i < maker->class_count; i++) {
		if (split[i] == i)
			continue;
		maker->class_sizes[i] -= within[i];
		maker->class_sizes[split[i]] = within[i];
	}
	maker->class_count = count;
	for (size_t piece = 0; span_next(maker, predicate, &piece, &span);)
		for (uint32_t i = span.first; i <= span.last; i++)
			maker->classes[i] = split[maker->classes[i]];
	return true;
}

static enum status bins_fill(struct arrangement_maker *maker, size_t dense, struct message *message)
{
	enum status status = STATUS_OK;

	if (dense == 0)
		return STATUS_OK;
	maker->classes = malloc(maker->column->interval_count * sizeof(*maker->classes));
	if (!maker->classes)
		return message_out_of_memory(message);
	classes_reset(maker);
	for (size_t i = 0; status == STATUS_OK && i < dense; i++) {
		if (classes_refine(maker, maker->predicates[i]))
			continue;
		status = bin_close(maker, i, message);
		classes_reset(maker);
		classes_refine(maker, maker->predicates[i]);
	}
	if (status == STATUS_OK)
		status = bin_close(maker, dense, message);
	free(maker->classes);
	return status;
}

static uint8_t entry_of(const struct arrangement_maker *maker, uint32_t interval)
{
	const struct arranged_column *arranged = maker->arranged;
	const bool listed = arranged->first_hit[interval + 1] > arranged->first_hit[interval];
	const uint8_t class =
		arranged->bin_count
			? maker->arrangement->bins[arranged->first_bin].classes[interval]
			: 0;

	return (uint8_t)(class | (listed ? ENTRY_LISTED : 0));
}

/* All that most rows ask, in one look-up. */
static enum status entries_make(struct arrangement_maker *maker, struct message *message)
{
	const struct plan_column *column = maker->column;
	const bool by_number = column->of_number && (maker->number == COLUMN_SHAPE ||
						     column->interval_count > RANK_INTERVALS_MAX);
	const size_t count =
		by_number ? column_last(maker->number) + (size_t)1 : column->interval_count;

	maker->arranged->entries_by_number = by_number;
	maker->arranged->entries = malloc(count * sizeof(*maker->arranged->entries));
	if (!maker->arranged->entries)
		return message_out_of_memory(message);
	for (size_t i = 0; i < count; i++)
		maker->arranged->entries[i] =
			entry_of(maker, by_number ? column->of_number[i] : (uint32_t)i);
	return STATUS_OK;
}

static enum status column_arrange(struct arrangement_maker *maker, struct message *message)
{
	enum status status;
	size_t dense;

	maker->arranged->first_bin = (uint32_t)maker->arrangement->bin_count;
	for (size_t i = 0; i < maker->plan->predicate_count; i++)
		if (maker->plan->predicates[i].column == maker->number)
			maker->predicates[maker->count++] = (uint32_t)i;
	if (maker->count == 0)
		return STATUS_OK;
	dense = predicates_part(maker);
	status = hits_list(maker, dense, message);
	if (status == STATUS_OK)
		status = bins_fill(maker, dense, message);
	if (status == STATUS_OK)
		status = entries_make(maker, message);
	return status;
}

enum status arrangement_make(const struct plan *plan, const bool *hot,
			     struct arrangement *arrangement, struct message *message)
{
	uint32_t *predicates = malloc((plan->predicate_count + 1) * sizeof(*predicates));
	enum status status = STATUS_OK;

	*arrangement = (struct arrangement){
		.predicates = calloc(plan->predicate_count + 1, sizeof(*arrangement->predicates)),
	};
	if (!predicates || !arrangement->predicates)
		status = message_out_of_memory(message);
	for (uint32_t column = 0; status == STATUS_OK && column < COLUMN_COUNT; column++) {
		struct arrangement_maker maker = {.plan = plan,
						  .column = &plan->columns[column],
						  .arrangement = arrangement,
						  .arranged = &arrangement->columns[column],
						  .hot = hot,
						  .number = column,
						  .predicates = predicates};

		status = column_arrange(&maker, message);
	}
	for (size_t i = 0; status == STATUS_OK && i < plan->predicate_count; i++)
		if (plan->predicates[i].column >= COLUMN_COUNT)
			arrangement->predicates[i].dense = true;
	free(predicates);
	return status;
}

void arrangement_free(struct arrangement *arrangement)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		free(arrangement->columns[i].entries);
		free(arrangement->columns[i].first_hit);
		free(arrangement->columns[i].hits);
	}
	for (size_t i = 0; i < arrangement->bin_count; i++)
		free(arrangement->bins[i].classes);
	free(arrangement->bins);
	free(arrangement->ranges);
	free(arrangement->predicates);
	*arrangement = (struct arrangement){0};
}

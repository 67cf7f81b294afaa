#include "predicate_codes.h"

#include <string.h>

/* One look-up. */
struct finding {
	const struct plan *plan;
	uint32_t condition; /* the predicate's set */
	uint32_t column;    /* an enum column */
	struct coded_column *coded;
	struct predicate_codes *codes;
	struct message *message;
};

enum stored_column predicate_stored_in(uint32_t column)
{
	if (column == COLUMN_SHAPE)
		return STORED_SHAPE;
	if (column == COLUMN_SOURCE_PORT)
		return STORED_SOURCE_PORT;
	if (column == COLUMN_DESTINATION_PORT)
		return STORED_DESTINATION_PORT;
	return column < COLUMN_DESTINATION ? STORED_SOURCE : STORED_DESTINATION;
}

/* True for the columns whose numbers do not ascend with the addresses that they are a part of. */
static bool is_inner(uint32_t column)
{
	return column > COLUMN_SOURCE && column != COLUMN_DESTINATION;
}

/* Adds the codes from first on and before end. False where there are too many ranges. */
static bool codes_add(struct layer_codes *codes, size_t first, size_t end)
{
	if (first >= end)
		return true;
	if (codes->count && codes->ranges[codes->count - 1].last + 1 == first) {
		codes->ranges[codes->count - 1].last = (uint32_t)(end - 1);
		return true;
	}
	if (codes->count == CODE_RANGES_MAX)
		return false;
	codes->ranges[codes->count++] = (struct code_range){(uint32_t)first, (uint32_t)(end - 1)};
	return true;
}

/* Where numbers from `first` up to `last` lie among the codes of a layer. */
static enum status interval_find(const struct finding *finding, size_t number, uint32_t first,
				 uint32_t last, bool addresses, size_t *from, size_t *to)
{
	const struct column_layer *layer = &finding->coded->layers[number];
	struct column_bytes *bytes = &finding->coded->bytes;
	enum status (*rank)(const struct value_list *, struct column_bytes *, uint64_t, size_t *,
			    struct message *) =
		addresses ? value_list_rank_address : value_list_rank;
	enum status status;

	if (layer->every) {
		const size_t values = column_layer_values(layer);

		*from = first < values ? first : values;
		*to = (size_t)last + 1 < values ? (size_t)last + 1 : values;
		return STATUS_OK;
	}
	status = rank(&layer->list, bytes, first, from, finding->message);
	if (status == STATUS_OK)
		status = rank(&layer->list, bytes, last + UINT64_C(1), to, finding->message);
	if (status == STATUS_OK && addresses) {
		*from += layer->list.numbers;
		*to += layer->list.numbers;
	}
	return status;
}

/* Whether the first layer has all of these numbers: then none is a rare one. */
static enum status all_common(const struct finding *finding, uint32_t first, uint32_t last,
			      bool *common)
{
	size_t from;
	size_t to;
	const enum status status = interval_find(finding, 0, first, last, false, &from, &to);

	*common = status == STATUS_OK && to - from == last - (size_t)first + 1;
	return status;
}

/* Adds what the layer has of the set, among its numbers or its addresses. */
static enum status pieces_find(struct finding *finding, size_t number, bool addresses, bool *fits)
{
	const struct conditions *conditions = &finding->plan->conditions;
	const struct piece *pieces = condition_pieces(conditions, finding->condition);
	const size_t count = conditions->nodes[finding->condition].count;
	const struct column_layer *layer = &finding->coded->layers[number];
	uint32_t first = 0;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && *fits && i < count; i++) {
		if (pieces[i].next == CONDITION_ACCEPT) {
			size_t from;
			size_t to;

			bool common = false;

			status = interval_find(finding, number, first, pieces[i].last, addresses,
					       &from, &to);
			if (status == STATUS_OK && number > 0 && layer->every)
				status = all_common(finding, first, pieces[i].last, &common);
			if (status == STATUS_OK && !common)
				*fits = codes_add(&finding->codes->layers[number], from, to);
		}
		first = pieces[i].last + 1;
	}
	return status;
}

static enum status layer_find(struct finding *finding, size_t number, bool *fits)
{
	const struct column_layer *layer = &finding->coded->layers[number];
	struct layer_codes *codes = &finding->codes->layers[number];
	enum status status = STATUS_OK;

	*codes = (struct layer_codes){0};
	if (layer->every || layer->list.numbers)
		status = pieces_find(finding, number, false, fits);
	if (status == STATUS_OK && *fits && layer->list.addresses)
		status = pieces_find(finding, number, true, fits);
	codes->all = codes->count == 1 && codes->ranges[0].first == 0 &&
		     codes->ranges[0].last + (size_t)1 == column_layer_values(layer);
	return status;
}

/* A column that it asks for is opened all the same: whoever goes on knows how many rows there are.
 */
static enum status formula_find(const struct formula *formula, struct segment_columns *columns,
				struct predicate_codes *codes, struct message *message)
{
	struct coded_column *opened;
	uint32_t column = 0;

	codes->meets = PREDICATE_FORMULA;
	while (column + 1 < COLUMN_COUNT && !(formula->columns >> column & 1))
		column++;
	return segment_columns_open(columns, predicate_stored_in(column), &opened, message);
}

enum status predicate_codes_find(const struct plan *plan, uint32_t predicate,
				 struct segment_columns *columns, struct predicate_codes *codes,
				 struct message *message)
{
	struct finding finding = {.plan = plan,
				  .condition = plan->predicates[predicate].condition,
				  .column = plan->predicates[predicate].column,
				  .codes = codes,
				  .message = message};
	bool fits = true;
	bool none = true;
	bool all = true;
	enum status status;

	if (finding.column >= COLUMN_COUNT)
		return formula_find(&plan->formulas.items[finding.column - COLUMN_COUNT], columns,
				    codes, message);
	codes->column = predicate_stored_in(finding.column);
	status = segment_columns_open(columns, codes->column, &finding.coded, message);
	if (status != STATUS_OK)
		return status;
	if (is_inner(finding.column)) {
		codes->meets = PREDICATE_MANY;
		return STATUS_OK;
	}
	for (size_t i = 0; status == STATUS_OK && fits && i < finding.coded->layer_count; i++) {
		status = layer_find(&finding, i, &fits);
		none &= codes->layers[i].count == 0;
		all &= codes->layers[i].all;
	}
	codes->meets = !fits  ? PREDICATE_MANY
		       : none ? PREDICATE_NONE
		       : all  ? PREDICATE_ALL
			      : PREDICATE_SOME;
	return status;
}

static bool set_has(const struct conditions *conditions, uint32_t condition, uint32_t number)
{
	const struct piece *pieces = condition_pieces(conditions, condition);
	size_t low = 0;
	size_t high = conditions->nodes[condition].count - 1;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (pieces[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return pieces[low].next == CONDITION_ACCEPT;
}

enum status predicate_codes_bits(const struct plan *plan, uint32_t predicate,
				 struct segment_columns *columns, const struct kernels *kernels,
				 uint64_t *bits, struct message *message)
{
	const uint32_t column = plan->predicates[predicate].column;
	const struct column_values *values;
	enum status status = segment_columns_values(columns, kernels, predicate_stored_in(column),
						    &values, message);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < values->count; i++)
		columns->holds[i] =
			set_has(&plan->conditions, plan->predicates[predicate].condition,
				column_value_number(values, i, column));
	for (size_t word = 0; word * 64 < columns->rows; word++) {
		const size_t left = columns->rows - word * 64;
		const uint32_t *places = values->places + word * 64;
		uint64_t made = 0;

		for (size_t i = 0; i < (left < 64 ? left : 64); i++)
			made |= (uint64_t)columns->holds[places[i]] << i;
		bits[word] = made;
	}
	return STATUS_OK;
}

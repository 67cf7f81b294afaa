#include "column_search.h"

#include <stdlib.h>
#include <string.h>

#include "formula_rows.h"
#include "predicate_codes.h"

enum {
	PREDICATES_MAX = 512,
	PREDICATES_MAX_NARROW = 64, /* where rows are taken by 128 or fewer */
	CACHED_MAX = 64,	    /* predicates whose bits are kept for the next filter */
	/* A program's nodes ask for each column once at most. */
	DEPTH_MAX = COLUMN_COUNT + 2,
	WORDS = SEGMENT_WORDS + PLANE_GROUP, /* of bits: some behind the last are read, not used */
};

/* One bit for each row of the segment that has a header, in the order of row ids. */
struct row_bits {
	uint64_t words[WORDS];
};

/* Whether any row can be accepted, as far as distinct values tell. */
enum possible { POSSIBLE_UNKNOWN, POSSIBLE_NO, POSSIBLE_YES };

struct column_search {
	const struct plan *plan;
	const struct kernels *kernels;
	struct segment_columns *columns;
	struct predicate_codes *codes; /* by predicate */
	uint8_t *possible;	       /* by condition: enum possible */
	struct row_bits *spare;	       /* two for each depth, and one for the result */
	struct row_bits rare;	       /* of a second layer, */
	struct row_bits mask;	       /* and of the rows that it has */
	struct rare_rows {
		bool known;  /* of this segment: the mask, */
		bool listed; /* and the rows */
		size_t sets; /* of values that were asked for */
		uint16_t *rows;
		struct row_bits mask; /* the same as bits */
	} rare_rows[STORED_TIME];     /* those of a column's second layer */
	struct row_bits *cached;
	uint32_t *cached_of; /* by predicate: number + 1 in cached, or 0 */
	bool *is_cached;     /* by number: of this segment */
	size_t cached_count;
	struct formula_rows formulas;
	struct message *message;
};

bool column_search_serves(const struct plan *plan, const struct kernels *kernels)
{
	for (size_t i = 0; i < plan->filter_count; i++)
		if (plan->filters[i].limit != PROGRAM_CONDITION_DONE)
			return false;
	return plan->predicate_count <= (kernels->wide ? PREDICATES_MAX : PREDICATES_MAX_NARROW);
}

enum status column_search_new(const struct plan *plan, const struct kernels *kernels,
			      struct column_search **search, struct message *message)
{
	struct column_search *made = calloc(1, sizeof(*made));

	*search = made;
	if (!made)
		return message_out_of_memory(message);
	made->plan = plan;
	made->kernels = kernels;
	made->codes = calloc(plan->predicate_count + 1, sizeof(*made->codes));
	made->possible = calloc(plan->node_count + 1, sizeof(*made->possible));
	made->spare = malloc((2 * DEPTH_MAX + 1) * sizeof(*made->spare));
	made->cached_of = calloc(plan->predicate_count + 1, sizeof(*made->cached_of));
	made->is_cached = calloc(CACHED_MAX, sizeof(*made->is_cached));
	for (size_t i = 0; made->cached_of && i < plan->predicate_count; i++)
		if (plan->predicates[i].uses > 1 && made->cached_count < CACHED_MAX)
			made->cached_of[i] = (uint32_t)++made->cached_count;
	made->cached = malloc((made->cached_count + 1) * sizeof(*made->cached));
	if (made->codes && made->possible && made->spare && made->cached_of && made->is_cached &&
	    made->cached)
		return STATUS_OK;
	column_search_free(made);
	*search = NULL;
	return message_out_of_memory(message);
}

void column_search_free(struct column_search *search)
{
	if (!search)
		return;
	free(search->codes);
	free(search->possible);
	free(search->spare);
	free(search->cached);
	free(search->cached_of);
	free(search->is_cached);
	formula_rows_free(&search->formulas);
	for (size_t i = 0; i < STORED_TIME; i++)
		free(search->rare_rows[i].rows);
	free(search);
}

void column_search_begin(struct column_search *search, struct segment_columns *columns)
{
	search->columns = columns;
	formula_rows_begin(&search->formulas);
	for (size_t i = 0; i < STORED_TIME; i++) {
		search->rare_rows[i].known = search->rare_rows[i].listed = false;
		search->rare_rows[i].sets = 0;
	}
	for (size_t i = 0; i < search->plan->predicate_count; i++)
		search->codes[i].meets = PREDICATE_UNKNOWN;
	memset(search->possible, POSSIBLE_UNKNOWN, search->plan->node_count);
	memset(search->is_cached, 0, CACHED_MAX * sizeof(*search->is_cached));
}

static size_t words_of(const struct column_search *search)
{
	return (search->columns->rows + 63) / 64;
}

/* There are no rows behind the last one. */
static void bits_trim(const struct column_search *search, struct row_bits *bits)
{
	const size_t rows = search->columns->rows;

	if (rows % 64)
		bits->words[rows / 64] &= (UINT64_C(1) << rows % 64) - 1;
}

/* Which codes of its column a predicate holds; asked once a segment. */
static enum status codes_find(struct column_search *search, uint32_t predicate,
			      struct predicate_codes **codes)
{
	*codes = &search->codes[predicate];
	if ((*codes)->meets != PREDICATE_UNKNOWN)
		return STATUS_OK;
	return predicate_codes_find(search->plan, predicate, search->columns, *codes,
				    search->message);
}

/* True for a branch that no row of the segment takes. */
static bool branch_is_dead(const struct plan_branch *branch, const struct predicate_codes *codes)
{
	return codes->meets == (branch->inverted ? PREDICATE_ALL : PREDICATE_NONE);
}

static enum status branch_possible(struct column_search *search, const struct plan_branch *branch,
				   bool *possible);

/* Recurs at most DEPTH_MAX times. */
static enum status node_possible(struct column_search *search, uint32_t condition, bool *possible)
{
	const struct plan_node *node = &search->plan->nodes[condition];
	const struct plan_branch *branches;
	enum status status = STATUS_OK;

	*possible = condition == CONDITION_ACCEPT;
	if (condition <= CONDITION_ACCEPT)
		return STATUS_OK;
	branches = search->plan->branches + node->first_branch;
	if (search->possible[condition] != POSSIBLE_UNKNOWN) {
		*possible = search->possible[condition] == POSSIBLE_YES;
		return STATUS_OK;
	}
	for (uint32_t i = 0; status == STATUS_OK && !*possible && i < node->branch_count; i++)
		status = branch_possible(search, &branches[i], possible);
	search->possible[condition] = *possible ? POSSIBLE_YES : POSSIBLE_NO;
	return status;
}

static enum status branch_possible(struct column_search *search, const struct plan_branch *branch,
				   bool *possible)
{
	struct predicate_codes *codes;
	enum status status = codes_find(search, branch->predicate, &codes);

	*possible = false;
	if (status != STATUS_OK || branch_is_dead(branch, codes))
		return status;
	return node_possible(search, branch->next, possible);
}

/* The rows of a layer whose codes are in its ranges. */
static void layer_bits(const struct column_search *search, const struct column_layer *layer,
		       const struct layer_codes *codes, struct row_bits *bits)
{
	if (codes->count == 0)
		memset(bits->words, 0, layer->words * sizeof(*bits->words));
	for (size_t i = 0; i < codes->count; i++)
		search->kernels->planes_between(layer->planes, layer->stride, layer->words,
						layer->bits, codes->ranges[i].first,
						codes->ranges[i].last, i > 0, bits->words);
}

/* Finds which rows are in the second layer of a column, once a segment. */
static void rare_find(struct column_search *search, const struct coded_column *column,
		      struct rare_rows *rare)
{
	const struct column_layer *common = &column->layers[0];
	const uint32_t escape = (1U << common->bits) - 1;

	search->kernels->planes_between(common->planes, common->stride, common->words, common->bits,
					escape, escape, false, rare->mask.words);
	bits_trim(search, &rare->mask);
	rare->known = true;
}

/* Lists them: worth while for whoever asks for more than one set of values. */
static enum status rare_list(struct column_search *search, struct rare_rows *rare)
{
	size_t count = 0;

	if (!rare->rows && !(rare->rows = malloc(SEGMENT_ROWS * sizeof(*rare->rows))))
		return message_out_of_memory(search->message);
	for (size_t word = 0; word < words_of(search); word++)
		for (uint64_t left = rare->mask.words[word]; left; left &= left - 1)
			rare->rows[count++] = (uint16_t)(word * 64 + (size_t)__builtin_ctzll(left));
	rare->listed = true;
	return STATUS_OK;
}

static void bits_join(const struct column_search *search, const struct row_bits *more,
		      struct row_bits *bits)
{
	for (size_t i = 0; i < words_of(search); i++)
		bits->words[i] |= more->words[i];
}

/* Puts the bits of a second layer where its rows are. */
static enum status rare_deposit(struct column_search *search, const struct rare_rows *rare,
				size_t count, struct row_bits *bits)
{
	if (search->kernels->bits_deposit(search->rare.words, rare->mask.words, words_of(search),
					  search->mask.words) != count)
		return column_bytes_damaged(search->message,
					    "it has no right number of rare values");
	bits_join(search, &search->mask, bits);
	return STATUS_OK;
}

/* Sets the rows of a second layer's bits one by one. False where they are too many for that. */
static bool rare_set(const struct column_search *search, const struct rare_rows *rare, size_t count,
		     struct row_bits *bits)
{
	enum { SET_MAX = 1024 };
	size_t set = 0;

	for (size_t word = 0; word * 64 < count; word++)
		for (uint64_t left = search->rare.words[word]; left; left &= left - 1) {
			const size_t place = word * 64 + (size_t)__builtin_ctzll(left);

			if (place >= count)
				return true;
			if (set++ == SET_MAX)
				return false;
			bits->words[rare->rows[place] / 64] |= UINT64_C(1)
							       << (rare->rows[place] % 64);
		}
	return true;
}

/* Joins the rows whose values are in the second layer. */
static enum status rare_join(struct column_search *search, struct coded_column *column,
			     enum stored_column stored, const struct layer_codes *codes,
			     struct row_bits *bits)
{
	const struct column_layer *layer = &column->layers[1];
	struct rare_rows *rare = &search->rare_rows[stored];
	enum status status = STATUS_OK;

	if (!rare->known)
		rare_find(search, column, rare);
	if (codes->all) {
		bits_join(search, &rare->mask, bits);
		return STATUS_OK;
	}
	status = coded_column_load(column, 1, search->message);
	if (status != STATUS_OK)
		return status;
	layer_bits(search, layer, codes, &search->rare);
	/* The first set of values also shows that there are as many rows as there have to be. */
	if (rare->sets++ == 0)
		return rare_deposit(search, rare, layer->rows, bits);
	if (!rare->listed)
		status = rare_list(search, rare);
	if (status != STATUS_OK || rare_set(search, rare, layer->rows, bits))
		return status;
	return rare_deposit(search, rare, layer->rows, bits);
}

/* The rows whose codes a predicate holds, which are some. */
static enum status some_bits(struct column_search *search, const struct predicate_codes *codes,
			     struct row_bits *bits)
{
	struct coded_column *column;
	enum status status =
		segment_columns_open(search->columns, codes->column, &column, search->message);

	if (status == STATUS_OK)
		status = coded_column_load(column, 0, search->message);
	if (status != STATUS_OK)
		return status;
	layer_bits(search, &column->layers[0], &codes->layers[0], bits);
	bits_trim(search, bits);
	if (column->layer_count > 1 && codes->layers[1].count)
		status = rare_join(search, column, codes->column, &codes->layers[1], bits);
	return status;
}

static enum status formula_bits(struct column_search *search, uint32_t predicate,
				struct row_bits *bits)
{
	const uint32_t number = search->plan->predicates[predicate].column - COLUMN_COUNT;
	enum status status =
		formula_rows_bits(&search->formulas, &search->plan->formulas.items[number],
				  search->columns, search->kernels, bits->words, search->message);

	if (status == STATUS_OK)
		bits_trim(search, bits);
	return status;
}

/* The rows in the set of a predicate. */
static enum status set_bits(struct column_search *search, uint32_t predicate, struct row_bits *bits)
{
	struct predicate_codes *codes;
	enum status status = codes_find(search, predicate, &codes);

	if (status != STATUS_OK)
		return status;
	switch (codes->meets) {
	case PREDICATE_SOME:
		return some_bits(search, codes, bits);
	case PREDICATE_FORMULA:
		return formula_bits(search, predicate, bits);
	case PREDICATE_MANY:
		return predicate_codes_bits(search->plan, predicate, search->columns,
					    search->kernels, bits->words, search->message);
	default:
		memset(bits->words, codes->meets == PREDICATE_ALL ? 0xff : 0,
		       words_of(search) * sizeof(*bits->words));
		bits_trim(search, bits);
		return STATUS_OK;
	}
}

static enum status predicate_bits(struct column_search *search, const struct plan_branch *branch,
				  struct row_bits *bits)
{
	const uint32_t number = search->cached_of[branch->predicate];
	struct row_bits *kept = number ? &search->cached[number - 1] : NULL;
	const size_t words = words_of(search);
	enum status status = STATUS_OK;

	if (!kept || !search->is_cached[number - 1])
		status = set_bits(search, branch->predicate, kept ? kept : bits);
	if (status != STATUS_OK)
		return status;
	if (kept) {
		search->is_cached[number - 1] = true;
		memcpy(bits->words, kept->words, words * sizeof(*bits->words));
	}
	if (!branch->inverted)
		return STATUS_OK;
	for (size_t i = 0; i < words; i++)
		bits->words[i] = ~bits->words[i];
	bits_trim(search, bits);
	return STATUS_OK;
}

static bool bits_any(const struct row_bits *bits, size_t words)
{
	uint64_t any = 0;

	for (size_t i = 0; i < words; i++)
		any |= bits->words[i];
	return any != 0;
}

static enum status node_bits(struct column_search *search, uint32_t condition,
			     struct row_bits *bits, size_t depth);

/* The rows that take a branch and are accepted behind it. */
static enum status branch_bits(struct column_search *search, const struct plan_branch *branch,
			       struct row_bits *bits, size_t depth)
{
	const size_t words = words_of(search);
	struct row_bits *behind = &search->spare[2 * depth];
	enum status status = predicate_bits(search, branch, bits);

	if (status != STATUS_OK || branch->next == CONDITION_ACCEPT || !bits_any(bits, words))
		return status;
	status = node_bits(search, branch->next, behind, depth + 1);
	for (size_t i = 0; status == STATUS_OK && i < words; i++)
		bits->words[i] &= behind->words[i];
	return status;
}

/* Recurs at most DEPTH_MAX times; two of the spare bits are in use at each depth. */
static enum status node_bits(struct column_search *search, uint32_t condition,
			     struct row_bits *bits, size_t depth)
{
	const struct plan_node *node = &search->plan->nodes[condition];
	const struct plan_branch *branches = search->plan->branches + node->first_branch;
	const size_t words = words_of(search);
	enum status status = STATUS_OK;
	bool any = false;

	for (uint32_t i = 0; status == STATUS_OK && i < node->branch_count; i++) {
		struct row_bits *made = any ? &search->spare[2 * depth + 1] : bits;
		bool possible;

		status = branch_possible(search, &branches[i], &possible);
		if (status != STATUS_OK || !possible)
			continue;
		status = branch_bits(search, &branches[i], made, depth);
		for (size_t word = 0; status == STATUS_OK && any && word < words; word++)
			bits->words[word] |= made->words[word];
		any = true;
	}
	if (!any)
		memset(bits->words, 0, words * sizeof(*bits->words));
	return status;
}

/* Puts bits in the order of rows where their row ids are. */
static enum status bits_place(struct column_search *search, const struct row_bits *rows,
			      struct segment_bits *bits)
{
	enum status status = segment_columns_rows(search->columns, search->message);

	if (status != STATUS_OK)
		return status;
	memset(bits->occupied, 0xff, sizeof(bits->occupied));
	if (search->columns->rows == SEGMENT_ROWS)
		memcpy(bits->words, rows->words, sizeof(bits->words));
	else
		search->kernels->bits_deposit(rows->words, search->columns->present.words,
					      SEGMENT_WORDS, bits->words);
	return STATUS_OK;
}

/* Gives the rows in their order; *any is false where there are none. */
static enum status rows_find(struct column_search *search, uint32_t condition,
			     struct row_bits **rows, bool *any, struct message *message)
{
	enum status status;

	*rows = &search->spare[(size_t)2 * DEPTH_MAX];
	*any = false;
	search->message = message;
	status = node_possible(search, condition, any);
	if (status != STATUS_OK || !*any)
		return status;
	status = node_bits(search, condition, *rows, 0);
	*any = status == STATUS_OK && bits_any(*rows, words_of(search));
	return status;
}

enum status column_search_bits(struct column_search *search, uint32_t condition,
			       struct segment_bits *bits, struct message *message)
{
	struct row_bits *rows;
	bool any;
	enum status status = rows_find(search, condition, &rows, &any, message);

	segment_bits_clear(bits);
	return status == STATUS_OK && any ? bits_place(search, rows, bits) : status;
}

enum status column_search_count(struct column_search *search, uint32_t condition, uint32_t *count,
				struct message *message)
{
	struct row_bits *rows;
	uint32_t runs = 0;
	bool any;
	enum status status = rows_find(search, condition, &rows, &any, message);

	*count = 0;
	if (status != STATUS_OK || !any)
		return status;
	memset(rows->words + words_of(search), 0,
	       (SEGMENT_WORDS - words_of(search)) * sizeof(*rows->words));
	for (size_t word = 0; word < words_of(search); word += BLOCK_WORDS)
		search->kernels->words_count(rows->words + word, 0, count, &runs);
	return STATUS_OK;
}

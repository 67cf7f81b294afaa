#include "address_search.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "address_memo.h"
#include "bitmap/bit_matrix.h"

enum {
	TOGETHER = 8,	      /* questions of one column that share a byte of each row */
	MEMO_LEAST = 1 << 18, /* bytes of sets from which on it is less work to remember */
	MEMOS_MAX = 8,
	ASKED_AT_ONCE = 4096,
};

/* Questions of one column that are answered together. */
struct group {
	enum stored_column column;
	size_t count;
	size_t questions[TOGETHER];
	struct address_memo *memo; /* NULL where it would not pay */
};

struct address_search {
	const struct column_question *questions;
	size_t count;
	const struct kernels *kernels;
	struct segment_columns *columns;
	struct group *groups;
	size_t group_count;
	size_t *group_of;     /* by question */
	size_t answered;      /* the group whose answers are at hand; group_count for none */
	uint8_t found;	      /* a bit for each question of it that some value has */
	uint8_t *answers;     /* by value, a bit for each question of the group */
	uint8_t *row_answers; /* likewise by row */
	/* The bits of each, in the order of rows; a word more is read of them. */
	uint64_t (*bits)[SEGMENT_WORDS + 1];
};

/* Puts each question into a group of its column. */
static void groups_make(struct address_search *search)
{
	size_t open[2] = {SIZE_MAX, SIZE_MAX};

	for (size_t i = 0; i < search->count; i++) {
		const bool destination = search->questions[i].destination;
		struct group *group;

		if (!search->questions[i].set)
			continue;
		if (open[destination] == SIZE_MAX ||
		    search->groups[open[destination]].count == TOGETHER) {
			open[destination] = search->group_count++;
			search->groups[open[destination]].column =
				destination ? STORED_DESTINATION : STORED_SOURCE;
		}
		group = &search->groups[open[destination]];
		search->group_of[i] = open[destination];
		group->questions[group->count++] = i;
	}
}

static const struct address_set *set_of(const struct address_search *search,
					const struct group *group, size_t question)
{
	return search->questions[group->questions[question]].set;
}

/* The bytes of all sets of a group. */
static size_t sets_size(const struct address_search *search, const struct group *group)
{
	size_t size = 0;

	for (size_t i = 0; i < group->count; i++)
		size += address_set_size(set_of(search, group, i));
	return size;
}

enum status address_search_new(const struct column_question *questions, size_t count,
			       const struct kernels *kernels, struct address_search **search,
			       struct message *message)
{
	struct address_search *made = calloc(1, sizeof(*made));

	*search = made;
	if (!made)
		return message_out_of_memory(message);
	made->questions = questions;
	made->count = count;
	made->kernels = kernels;
	made->groups = calloc(count + 1, sizeof(*made->groups));
	made->group_of = calloc(count + 1, sizeof(*made->group_of));
	made->answers = malloc(COLUMN_VALUES_MAX);
	made->row_answers = malloc(SEGMENT_ROWS);
	made->bits = malloc(TOGETHER * sizeof(*made->bits));
	if (!made->groups || !made->group_of || !made->answers || !made->row_answers ||
	    !made->bits) {
		address_search_free(made);
		*search = NULL;
		return message_out_of_memory(message);
	}
	groups_make(made);
	/* Without memory nothing is remembered. */
	for (size_t i = 0; i < made->group_count && i < MEMOS_MAX; i++)
		if (sets_size(made, &made->groups[i]) >= MEMO_LEAST)
			made->groups[i].memo = address_memo_new();
	return STATUS_OK;
}

void address_search_free(struct address_search *search)
{
	if (!search)
		return;
	for (size_t i = 0; search->groups && i < search->group_count; i++)
		address_memo_free(search->groups[i].memo);
	free(search->groups);
	free(search->group_of);
	free(search->answers);
	free(search->row_answers);
	free(search->bits);
	free(search);
}

void address_search_begin(struct address_search *search, struct segment_columns *columns)
{
	search->columns = columns;
	search->answered = search->group_count;
}

/* Asks all sets of the group for ascending addresses, which are no more than fit at once. */
static void sets_ask_ipv4(const struct address_search *search, const struct group *group,
			  const uint32_t *numbers, size_t count, uint8_t *answers)
{
	uint8_t has[ASKED_AT_ONCE];

	memset(answers, 0, count);
	for (size_t i = 0; i < group->count; i++) {
		if (address_set_has_ipv4(set_of(search, group, i), numbers, count, has) == 0)
			continue;
		for (size_t j = 0; j < count; j++)
			answers[j] |= (uint8_t)(has[j] << i);
	}
}

static void sets_ask_ipv6(const struct address_search *search, const struct group *group,
			  const uint8_t (*addresses)[VALUE_ADDRESS_SIZE], size_t count,
			  uint8_t *answers)
{
	uint8_t has[ASKED_AT_ONCE];

	memset(answers, 0, count);
	for (size_t i = 0; i < group->count; i++) {
		if (address_set_has_ipv6(set_of(search, group, i), addresses, count, has) == 0)
			continue;
		for (size_t j = 0; j < count; j++)
			answers[j] |= (uint8_t)(has[j] << i);
	}
}

/* The same for addresses of which many were asked for before. */
static void memo_ask(const struct address_search *search, const struct group *group,
		     const uint32_t *numbers, size_t count, uint8_t *answers)
{
	uint32_t unknown[ASKED_AT_ONCE];
	uint32_t asked[ASKED_AT_ONCE];
	uint8_t found[ASKED_AT_ONCE];
	const size_t missing = address_memo_recall(group->memo, numbers, count, answers, unknown);

	for (size_t i = 0; i < missing; i++)
		asked[i] = numbers[unknown[i]];
	sets_ask_ipv4(search, group, asked, missing, found);
	for (size_t i = 0; i < missing; i++)
		answers[unknown[i]] = found[i];
	address_memo_keep(group->memo, numbers, answers, unknown, missing);
}

/* Looks all distinct values of a column up in all sets: those of each layer ascend. */
static void values_ask(const struct address_search *search, const struct group *group,
		       const struct coded_column *column, const struct column_values *values)
{
	size_t at = 0;

	for (size_t i = 0; i < column->layer_count; i++) {
		const struct column_layer *layer = &column->layers[i];
		const size_t end = at + column_layer_values(layer);
		const size_t ipv6 = layer->every ? end : at + layer->list.numbers;

		while (at < end) {
			const size_t behind = at < ipv6 ? ipv6 : end;
			const size_t count =
				behind - at < ASKED_AT_ONCE ? behind - at : ASKED_AT_ONCE;

			if (at >= ipv6)
				sets_ask_ipv6(search, group, values->addresses + at, count,
					      search->answers + at);
			else if (group->memo)
				memo_ask(search, group, values->numbers + at, count,
					 search->answers + at);
			else
				sets_ask_ipv4(search, group, values->numbers + at, count,
					      search->answers + at);
			at += count;
		}
	}
}

/* Spreads the answers of the values over the rows, and those over the questions. */
static void rows_answer(struct address_search *search, const struct group *group,
			const struct column_values *values)
{
	const size_t rows = search->columns->rows;
	uint8_t *out = search->row_answers;

	for (size_t row = 0; row < rows; row++)
		out[row] = search->answers[values->places[row]];
	memset(out + rows, 0, SEGMENT_ROWS - rows);
	for (size_t word = 0; word * 64 < rows; word++) {
		uint64_t questions[TOGETHER] = {0};

		for (size_t i = 0; i < 8; i++) {
			uint64_t matrix;

			memcpy(&matrix, out + word * 64 + i * 8, sizeof(matrix));
			matrix = bit_matrix_transpose(le64toh(matrix));
			for (size_t j = 0; j < TOGETHER; j++)
				questions[j] |= (matrix >> 8 * j & 0xff) << 8 * i;
		}
		for (size_t j = 0; j < group->count; j++)
			search->bits[j][word] = questions[j];
	}
}

static enum status group_answer(struct address_search *search, size_t number,
				struct message *message)
{
	const struct group *group = &search->groups[number];
	const struct column_values *values;
	struct coded_column *column;
	uint8_t found = 0; /* of all values */
	enum status status = segment_columns_values(search->columns, search->kernels, group->column,
						    &values, message);

	if (status == STATUS_OK)
		status = segment_columns_open(search->columns, group->column, &column, message);
	if (status != STATUS_OK)
		return status;
	values_ask(search, group, column, values);
	for (size_t i = 0; i < values->count; i++)
		found |= search->answers[i];
	if (found)
		rows_answer(search, group, values);
	search->answered = number;
	search->found = found;
	return STATUS_OK;
}

enum status address_search_rows(struct address_search *search, size_t question,
				const uint64_t **bits, struct message *message)
{
	const size_t number = search->group_of[question];
	const struct group *group = &search->groups[number];
	enum status status = STATUS_OK;

	*bits = NULL;
	if (search->answered != number)
		status = group_answer(search, number, message);
	for (size_t i = 0; status == STATUS_OK && i < group->count; i++)
		if (group->questions[i] == question && search->found >> i & 1)
			*bits = search->bits[i];
	return status;
}

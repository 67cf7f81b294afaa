#include "column_question.h"

#include <stdlib.h>
#include <string.h>

#include "address_search.h"

struct column_questions {
	const struct column_question *questions;
	const struct kernels *kernels;
	struct segment_columns *columns;
	struct address_search *addresses;
	uint64_t found[SEGMENT_WORDS + 1]; /* in the order of rows; a word more is read */
};

enum status column_questions_new(const struct column_question *questions, size_t count,
				 const struct kernels *kernels, struct column_questions **made,
				 struct message *message)
{
	struct column_questions *opened = calloc(1, sizeof(*opened));
	enum status status;

	*made = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->questions = questions;
	opened->kernels = kernels;
	status = address_search_new(questions, count, kernels, &opened->addresses, message);
	if (status == STATUS_OK)
		*made = opened;
	else
		free(opened);
	return status;
}

void column_questions_free(struct column_questions *questions)
{
	if (!questions)
		return;
	address_search_free(questions->addresses);
	free(questions);
}

void column_questions_begin(struct column_questions *questions, struct segment_columns *columns)
{
	questions->columns = columns;
	address_search_begin(questions->addresses, columns);
}

enum status column_questions_rows(struct column_questions *questions, size_t number,
				  const uint64_t **rows, struct message *message)
{
	const struct column_question *question = &questions->questions[number];
	struct time_column *time;
	enum status status;

	*rows = NULL;
	if (question->set)
		return address_search_rows(questions->addresses, number, rows, message);
	status = segment_columns_time(questions->columns, &time, message);
	if (status != STATUS_OK || time_column_none_in(time, question->first, question->last))
		return status;
	*rows = questions->found;
	return time_column_between(time, question->first, question->last, questions->found,
				   message);
}

enum status column_questions_bits(struct column_questions *questions, size_t question,
				  struct segment_bits *bits, struct message *message)
{
	struct segment_columns *columns = questions->columns;
	const uint64_t *rows;
	enum status status = column_questions_rows(questions, question, &rows, message);

	segment_bits_clear(bits);
	if (status != STATUS_OK || !rows)
		return status;
	status = segment_columns_rows(columns, message);
	if (status != STATUS_OK)
		return status;
	memset(bits->occupied, 0xff, sizeof(bits->occupied));
	if (columns->rows == SEGMENT_ROWS)
		memcpy(bits->words, rows, sizeof(bits->words));
	else
		questions->kernels->bits_deposit(rows, columns->present.words, SEGMENT_WORDS,
						 bits->words);
	return STATUS_OK;
}

enum status column_questions_count(struct column_questions *questions, size_t question,
				   uint32_t *count, struct message *message)
{
	const uint64_t *rows;
	enum status status = column_questions_rows(questions, question, &rows, message);

	*count = 0;
	if (status != STATUS_OK || !rows)
		return status;
	for (size_t word = 0; word * 64 < questions->columns->rows; word++)
		*count += (uint32_t)__builtin_popcountll(rows[word]);
	return STATUS_OK;
}

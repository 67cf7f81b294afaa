#include "answer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "bitmap/roaring_format.h"
#include "database/database.h"
#include "expression/expression.h"
#include "filter/host_name_guard.h"
#include "filter/soundness.h"
#include "filter_search.h"
#include "index/bitmap_reader.h"
#include "suggestion.h"

/* One name of the expression while the chunks go by. */
struct operand {
	struct stored_bitmaps *cursor; /* of a stored filter that is read chunk by chunk */
	struct answer *answer;	       /* or its set, from memory */
	const struct row_set *set;     /* that set, or what a {pcap filter} found */
	size_t next_in_set;	       /* the chunk of it that comes next */
	int64_t chunk;
	roaring_bitmap_t *bits; /* of that chunk; NULL behind the last one. The set's, if any */
	uint64_t declared;	/* rows of the filter as a whole */
	uint64_t read;
};

struct evaluation {
	const struct answer_question *question;
	sqlite3 *database;
	const struct answer_index *index;
	const char *text;
	struct expression expression;
	struct operand *operands; /* one a name, then one for @all */
	size_t operand_count;
	struct program *programs; /* of the {pcap filters}, in their order */
	struct row_set *found;	  /* by them */
	size_t filter_count;
	bool needs_all;
	/* The stack: borrowed says that an operand owns the bitmap. NULL is the empty set. */
	roaring_bitmap_t **stack;
	bool *borrowed;
	size_t height;
	bool counts; /* the last step only counts, and so adds to count */
	uint64_t count;
	struct message *message;
};

struct answer *answer_new(void)
{
	struct answer *answer = calloc(1, sizeof(*answer));

	if (answer)
		answer->references = 1;
	return answer;
}

void answer_release(struct answer *answer)
{
	if (!answer || --answer->references > 0)
		return;
	row_set_free(&answer->rows);
	free(answer);
}

static enum status unknown_name(const struct evaluation *evaluation,
				const struct expression_name *name)
{
	char *nearest = suggestion_find(evaluation->database, evaluation->index, name->text);
	enum status status;

	if (nearest)
		status = expression_error(evaluation->text, name->at, evaluation->message,
					  "no filter '%.100s'; did you mean '%.100s'?", name->text,
					  nearest);
	else
		status = expression_error(evaluation->text, name->at, evaluation->message,
					  "no filter '%.100s'; connbits-query LOG --list shows all",
					  name->text);
	free(nearest);
	return status;
}

/* Lends the next chunk of a set. */
static void operand_next_in_set(struct operand *operand)
{
	const struct row_set *set = operand->set;

	operand->bits = NULL;
	if (operand->next_in_set == set->count)
		return;
	operand->chunk = set->chunks[operand->next_in_set].chunk;
	operand->bits = set->chunks[operand->next_in_set].bits;
	operand->next_in_set++;
}

/* Reads the operand's next chunk. Chunks that are missing show in the rows that are. */
static enum status operand_next(struct evaluation *evaluation, struct operand *operand)
{
	enum status status;

	if (operand->set) {
		operand_next_in_set(operand);
		return STATUS_OK;
	}
	status = stored_bitmaps_next(operand->cursor, &operand->chunk, &operand->bits,
				     evaluation->message);
	if (status != STATUS_OK)
		return status;
	if (operand->bits)
		operand->read += roaring_bitmap_get_cardinality(operand->bits);
	else if (operand->read != operand->declared)
		return message_set(evaluation->message, STATUS_FAILED,
				   "the index is damaged: a filter of %llu rows has bitmaps of "
				   "%llu; build it again with connbits-index --rebuild",
				   (unsigned long long)operand->declared,
				   (unsigned long long)operand->read);
	return STATUS_OK;
}

static void operand_drop(struct operand *operand)
{
	if (operand->bits && !operand->set)
		roaring_bitmap_free(operand->bits);
	operand->bits = NULL;
}

/* True if all of a filter is small enough to be kept, however its bits lie. */
static bool worth_keeping(const struct evaluation *evaluation, uint64_t rows)
{
	const struct answer_memory *memory = evaluation->question->memory;
	const struct stored_source *source = &evaluation->index->source;
	const uint64_t chunks = (uint64_t)chunk_of_row(source->last_row) -
				(uint64_t)chunk_of_row(source->first_row) + 1;

	return memory && (rows <= memory->bytes / 64 || chunks <= memory->bytes / CHUNK_BYTES_MAX);
}

/* Reads all of an operand that stands on its first chunk, and offers it to the memory. */
static enum status operand_load(struct evaluation *evaluation, struct operand *operand,
				const char *name)
{
	const struct answer_memory *memory = evaluation->question->memory;
	struct answer *answer = answer_new();
	enum status status = answer ? STATUS_OK : message_out_of_memory(evaluation->message);

	while (status == STATUS_OK && operand->bits) {
		roaring_bitmap_t *bits = operand->bits;

		operand->bits = NULL;
		status = row_set_append(&answer->rows, operand->chunk, bits, evaluation->message);
		if (status == STATUS_OK)
			status = operand_next(evaluation, operand);
	}
	if (status != STATUS_OK) {
		answer_release(answer);
		return status;
	}
	memory->keep(memory->context, name, answer);
	operand->answer = answer;
	operand->set = &answer->rows;
	operand_next_in_set(operand);
	return STATUS_OK;
}

/* True if the filter's set is at hand. */
static bool operand_recall(struct evaluation *evaluation, struct operand *operand, const char *name)
{
	const struct answer_memory *memory = evaluation->question->memory;

	operand->answer = memory ? memory->find(memory->context, name) : NULL;
	if (!operand->answer)
		return false;
	operand->set = &operand->answer->rows;
	operand_next_in_set(operand);
	return true;
}

static enum status operand_open(struct evaluation *evaluation, struct operand *operand,
				const struct expression_name *name)
{
	const struct answer_index *index = evaluation->index;
	int64_t id;
	bool found;
	enum status status;

	if (operand_recall(evaluation, operand, name->text))
		return STATUS_OK;
	status = stored_filter_find(evaluation->database, index->database_name, index->source.id,
				    name->text, &id, &operand->declared, &found,
				    evaluation->message);
	if (status == STATUS_OK && !found)
		return unknown_name(evaluation, name);
	if (status == STATUS_OK)
		status = stored_bitmaps_open(evaluation->database, index->database_name,
					     &operand->cursor, evaluation->message);
	if (status != STATUS_OK)
		return status;
	stored_bitmaps_seek(operand->cursor, id, chunk_of_row(index->source.first_row),
			    chunk_of_row(index->source.last_row));
	status = operand_next(evaluation, operand);
	if (status == STATUS_OK && worth_keeping(evaluation, operand->declared))
		status = operand_load(evaluation, operand, name->text);
	return status;
}

/* Compiles the {pcap filters} of the expression. */
static enum status filters_compile(struct evaluation *evaluation)
{
	const struct expression *expression = &evaluation->expression;
	enum status status = STATUS_OK;

	evaluation->programs = calloc(expression->name_count + 1, sizeof(*evaluation->programs));
	if (!evaluation->programs)
		return message_out_of_memory(evaluation->message);
	for (size_t i = 0; status == STATUS_OK && i < expression->name_count; i++) {
		const struct expression_name *name = &expression->names[i];
		struct message cause;

		if (!name->is_filter)
			continue;
		if (evaluation->question->untrusted)
			status = vocabulary_check(name->text, &cause);
		if (status == STATUS_OK)
			status = soundness_compile(
				name->text, &evaluation->programs[evaluation->filter_count++],
				&cause);
		if (status == STATUS_USAGE)
			status = expression_error(evaluation->text, name->at, evaluation->message,
						  "%.400s", cause.text);
		else if (status != STATUS_OK)
			*evaluation->message = cause;
	}
	return status;
}

/* Evaluates all {pcap filters} of the expression in one pass. */
static enum status filters_search(struct evaluation *evaluation)
{
	const size_t count = evaluation->filter_count;
	const struct program **programs = calloc(count + 1, sizeof(*programs));
	enum status status;

	evaluation->found = calloc(count + 1, sizeof(*evaluation->found));
	if (!programs || !evaluation->found) {
		free((void *)programs);
		return message_out_of_memory(evaluation->message);
	}
	for (size_t i = 0; i < count; i++)
		programs[i] = &evaluation->programs[i];
	status = search_run(evaluation->database, evaluation->index, programs, count,
			    evaluation->found, evaluation->message);
	free((void *)programs);
	return status;
}

static enum status operands_open(struct evaluation *evaluation)
{
	size_t filter = 0;
	static const struct expression_name all = {.text = (char *)STORED_ALL};
	const struct expression *expression = &evaluation->expression;
	enum status status = STATUS_OK;

	for (size_t i = 0; i < expression->step_count; i++)
		evaluation->needs_all |= expression->steps[i].kind == EXPRESSION_NOT;
	evaluation->operands = calloc(expression->name_count + 1, sizeof(*evaluation->operands));
	evaluation->stack = calloc(expression->depth + 1, sizeof(*evaluation->stack));
	evaluation->borrowed = calloc(expression->depth + 1, sizeof(*evaluation->borrowed));
	if (!evaluation->operands || !evaluation->stack || !evaluation->borrowed)
		return message_out_of_memory(evaluation->message);
	evaluation->operand_count = expression->name_count + 1;
	status = filters_compile(evaluation);
	/* Names before filters: a misspelt one need not wait for a search. */
	for (size_t i = 0; status == STATUS_OK && i < expression->name_count; i++)
		if (!expression->names[i].is_filter)
			status = operand_open(evaluation, &evaluation->operands[i],
					      &expression->names[i]);
	if (status == STATUS_OK && evaluation->filter_count)
		status = filters_search(evaluation);
	for (size_t i = 0; status == STATUS_OK && i < expression->name_count; i++) {
		if (!expression->names[i].is_filter)
			continue;
		evaluation->operands[i].set = &evaluation->found[filter++];
		status = operand_next(evaluation, &evaluation->operands[i]);
	}
	if (status == STATUS_OK && evaluation->needs_all)
		status = operand_open(evaluation, &evaluation->operands[expression->name_count],
				      &all);
	return status;
}

/* The lowest chunk on which an operand stands. */
static bool next_chunk(const struct evaluation *evaluation, int64_t *chunk)
{
	bool any = false;

	for (size_t i = 0; i < evaluation->operand_count; i++) {
		const struct operand *operand = &evaluation->operands[i];

		if (operand->bits && (!any || operand->chunk < *chunk)) {
			*chunk = operand->chunk;
			any = true;
		}
	}
	return any;
}

static void push(struct evaluation *evaluation, roaring_bitmap_t *bits, bool borrowed)
{
	evaluation->stack[evaluation->height] = bits;
	evaluation->borrowed[evaluation->height++] = borrowed;
}

static void drop(struct evaluation *evaluation)
{
	evaluation->height--;
	if (!evaluation->borrowed[evaluation->height] && evaluation->stack[evaluation->height])
		roaring_bitmap_free(evaluation->stack[evaluation->height]);
}

static void push_operand(struct evaluation *evaluation, size_t operand, int64_t chunk)
{
	struct operand *from = &evaluation->operands[operand];

	push(evaluation, from->chunk == chunk ? from->bits : NULL, true);
}

/* Replaces the two topmost bitmaps by their combination. False without memory. */
static bool combine(struct evaluation *evaluation, enum expression_kind kind)
{
	roaring_bitmap_t *right = evaluation->stack[evaluation->height - 1];
	roaring_bitmap_t *left = evaluation->stack[evaluation->height - 2];
	roaring_bitmap_t *result = NULL;
	bool failed = false;

	if (left && right) {
		result = kind == EXPRESSION_AND	 ? roaring_bitmap_and(left, right)
			 : kind == EXPRESSION_OR ? roaring_bitmap_or(left, right)
						 : roaring_bitmap_andnot(left, right);
		failed = !result;
	} else if (kind == EXPRESSION_OR || kind == EXPRESSION_NOT) {
		const roaring_bitmap_t *only = kind == EXPRESSION_OR && !left ? right : left;

		if (only) {
			result = roaring_bitmap_copy(only);
			failed = !result;
		}
	}
	drop(evaluation);
	drop(evaluation);
	push(evaluation, result, false);
	return !failed;
}

static void swap_topmost(struct evaluation *evaluation)
{
	size_t top = evaluation->height - 1;
	roaring_bitmap_t *bits = evaluation->stack[top];
	bool borrowed = evaluation->borrowed[top];

	evaluation->stack[top] = evaluation->stack[top - 1];
	evaluation->borrowed[top] = evaluation->borrowed[top - 1];
	evaluation->stack[top - 1] = bits;
	evaluation->borrowed[top - 1] = borrowed;
}

/* Adds to the count what combining the two topmost bitmaps, which go, would leave. */
static void combine_count(struct evaluation *evaluation, enum expression_kind kind)
{
	const roaring_bitmap_t *right = evaluation->stack[evaluation->height - 1];
	const roaring_bitmap_t *left = evaluation->stack[evaluation->height - 2];
	const uint64_t in_left = left ? roaring_bitmap_get_cardinality(left) : 0;
	const uint64_t in_right = right ? roaring_bitmap_get_cardinality(right) : 0;
	const uint64_t in_both = left && right ? roaring_bitmap_and_cardinality(left, right) : 0;

	evaluation->count += kind == EXPRESSION_AND  ? in_both
			     : kind == EXPRESSION_OR ? in_left - in_both + in_right
						     : in_left - in_both;
	drop(evaluation);
	drop(evaluation);
}

/* The last step of a count: what it would leave is counted, and nothing is left. */
static bool step_counts(const struct evaluation *evaluation, size_t step)
{
	return evaluation->counts && step + 1 == evaluation->expression.step_count;
}

/* Runs all steps for one chunk. The result is what is left on the stack. */
static bool chunk_evaluate(struct evaluation *evaluation, int64_t chunk)
{
	const struct expression *expression = &evaluation->expression;

	for (size_t i = 0; i < expression->step_count; i++) {
		const struct expression_step *step = &expression->steps[i];

		if (step->kind == EXPRESSION_NAME) {
			push_operand(evaluation, step->name, chunk);
			continue;
		}
		if (step->kind == EXPRESSION_NOT) {
			push_operand(evaluation, expression->name_count, chunk);
			swap_topmost(evaluation);
		}
		if (step_counts(evaluation, i))
			combine_count(evaluation, step->kind);
		else if (!combine(evaluation, step->kind))
			return false;
	}
	return true;
}

static enum status operands_advance(struct evaluation *evaluation, int64_t chunk)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < evaluation->operand_count; i++) {
		struct operand *operand = &evaluation->operands[i];

		if (!operand->bits || operand->chunk != chunk)
			continue;
		operand_drop(operand);
		status = operand_next(evaluation, operand);
	}
	return status;
}

/* Takes what is left on the stack: adds its rows to the count, or itself to rows. */
static enum status result_take(struct evaluation *evaluation, int64_t chunk, struct row_set *rows)
{
	roaring_bitmap_t *result;

	if (evaluation->height == 0)
		return STATUS_OK;
	result = evaluation->stack[0];
	if (!result || evaluation->counts) {
		evaluation->count += result ? roaring_bitmap_get_cardinality(result) : 0;
		drop(evaluation);
		return STATUS_OK;
	}
	if (evaluation->borrowed[0])
		result = roaring_bitmap_copy(result);
	evaluation->height = 0;
	return result ? row_set_append(rows, chunk, result, evaluation->message)
		      : message_out_of_memory(evaluation->message);
}

static enum status chunks_evaluate(struct evaluation *evaluation, struct row_set *rows)
{
	int64_t chunk = 0;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && next_chunk(evaluation, &chunk)) {
		if (!chunk_evaluate(evaluation, chunk))
			return message_out_of_memory(evaluation->message);
		status = result_take(evaluation, chunk, rows);
		if (status == STATUS_OK)
			status = operands_advance(evaluation, chunk);
	}
	return status;
}

static void evaluation_free(struct evaluation *evaluation)
{
	while (evaluation->height > 0)
		drop(evaluation);
	for (size_t i = 0; i < evaluation->operand_count; i++) {
		operand_drop(&evaluation->operands[i]);
		stored_bitmaps_close(evaluation->operands[i].cursor);
		answer_release(evaluation->operands[i].answer);
	}
	for (size_t i = 0; i < evaluation->filter_count; i++) {
		program_free(&evaluation->programs[i]);
		if (evaluation->found)
			row_set_free(&evaluation->found[i]);
	}
	free(evaluation->programs);
	free(evaluation->found);
	free(evaluation->operands);
	free(evaluation->stack);
	free(evaluation->borrowed);
	expression_free(&evaluation->expression);
}

static enum status question_answer(struct evaluation *evaluation, struct row_set *rows)
{
	enum status status =
		expression_parse(evaluation->text, &evaluation->expression, evaluation->message);

	if (status == STATUS_OK)
		status = operands_open(evaluation);
	if (status == STATUS_OK)
		status = chunks_evaluate(evaluation, rows);
	evaluation_free(evaluation);
	return status;
}

static struct evaluation evaluation_of(const struct answer_question *question,
				       struct message *message)
{
	return (struct evaluation){
		.question = question,
		.database = question->database,
		.index = question->index,
		.text = question->expression,
		.message = message,
	};
}

enum status answer_run(const struct answer_question *question, struct row_set *rows,
		       struct message *message)
{
	struct evaluation evaluation = evaluation_of(question, message);
	enum status status;

	*rows = (struct row_set){0};
	status = question_answer(&evaluation, rows);
	if (status != STATUS_OK)
		row_set_free(rows);
	return status;
}

enum status answer_count(const struct answer_question *question, uint64_t *count,
			 struct message *message)
{
	struct evaluation evaluation = evaluation_of(question, message);
	enum status status;

	evaluation.counts = true;
	status = question_answer(&evaluation, NULL);
	*count = evaluation.count;
	return status;
}

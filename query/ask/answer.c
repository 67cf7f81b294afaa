#include "answer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bare_filter.h"
#include "condition/program_digest.h"
#include "engine/optimiser_check.h"
#include "expression/expression.h"
#include "expression/segment_stack.h"
#include "filter/host_name_guard.h"
#include "filter/mistake_place.h"
#include "filter/soundness.h"
#include "filter_search.h"
#include "operand.h"
#include "set/row_set_range.h"
#include "time_search.h"

struct asking {
	const struct answer_question *question;
	struct expression expression;
	struct operand *operands; /* one a name, then one for @all */
	size_t operand_count;
	struct program *programs; /* of the {pcap filters}, in their order */
	size_t filter_count;
	struct asked_sets sets;
	struct row_set *found; /* by name: what a {pcap filter}, a set or a time has found */
	struct segment_stack stack;
	bool counts; /* no set is wanted, only how many rows it has */
	struct message *message;
};

/* Where in the expression the mistake of a {pcap filter} is. */
static size_t filter_mistake(const char *expression, const struct expression_name *name,
			     const struct message *cause)
{
	const char *text = strstr(expression + name->at, name->text);
	size_t place;

	return text && mistake_place_find(name->text, cause, &place)
		       ? (size_t)(text - expression) + place
		       : name->at;
}

/* Tells of the first {pcap filter} that plain tcpdump answers otherwise. */
static enum status optimiser_warn(const struct asking *asking, const char *filter,
				  const struct program *program)
{
	const struct answer_question *question = asking->question;
	bool differs;
	enum status status;

	if (!question->miscompiled || *question->miscompiled->text)
		return STATUS_OK;
	status = optimiser_check(filter, program, question->untrusted, &differs, asking->message);
	if (status == STATUS_OK && differs)
		message_set(question->miscompiled, STATUS_OK, "%.500s", filter);
	return status;
}

/*
 * Takes the filter in place of a {pcap filter} that asks for the same, if one is stored:
 * its bitmap is the answer, whatever its text.
 */
static enum status stored_take(struct asking *asking, struct expression_name *name)
{
	const struct answer_question *question = asking->question;
	const struct answer_index *index = question->index;
	struct program *program = &asking->programs[asking->filter_count - 1];
	char digest[PROGRAM_DIGEST_SIZE];
	char *stored = NULL;
	enum status status = program_digest(program, digest, asking->message);

	if (status == STATUS_OK && index->source.packed)
		status = index_filter_same(question->database, index->database_name,
					   index->source.id, digest, &stored, asking->message);
	if (status != STATUS_OK || !stored)
		return status;
	free(name->text);
	name->text = stored;
	name->leaf = LEAF_STORED;
	program_free(program);
	asking->filter_count--;
	return STATUS_OK;
}

/* Compiles the {pcap filters} of the expression. */
static enum status filters_compile(struct asking *asking)
{
	const struct header_gaps gaps = layout_gaps(&asking->question->index->source.layout);
	const struct expression *expression = &asking->expression;
	enum status status = STATUS_OK;

	if (asking->question->miscompiled)
		asking->question->miscompiled->text[0] = '\0';
	asking->programs = calloc(expression->name_count + 1, sizeof(*asking->programs));
	if (!asking->programs)
		return message_out_of_memory(asking->message);
	for (size_t i = 0; status == STATUS_OK && i < expression->name_count; i++) {
		struct expression_name *name = &expression->names[i];
		struct message cause;
		bool gap;

		if (name->leaf != LEAF_PCAP)
			continue;
		if (asking->question->untrusted)
			status = host_name_guard_check(name->text, &cause);
		if (status == STATUS_OK)
			status = soundness_compile_table(
				name->text, &gaps, asking->question->bounds,
				&asking->programs[asking->filter_count++], &gap, &cause);
		if (status == STATUS_USAGE)
			status = expression_error(
				asking->question->expression,
				filter_mistake(asking->question->expression, name, &cause),
				asking->message, "%.400s", cause.text);
		else if (status != STATUS_OK)
			*asking->message = cause;
		else
			status = optimiser_warn(asking, name->text,
						&asking->programs[asking->filter_count - 1]);
		if (status == STATUS_OK)
			status = stored_take(asking, name);
	}
	return status;
}

/* True for a question that is how many rows one {pcap filter} or set has. */
static bool counts_one_leaf(const struct asking *asking)
{
	return asking->counts && asking->expression.step_count == 1 &&
	       asking->filter_count + asking->sets.question_count == 1;
}

static const struct stop *stop_of(const struct asking *asking)
{
	const struct program_bounds *bounds = asking->question->bounds;

	return bounds ? bounds->stop : NULL;
}

enum found_kind { FOUND_STORED, FOUND_FILTER, FOUND_SET, FOUND_TIME };

static enum found_kind found_kind(enum expression_leaf leaf)
{
	if (leaf == LEAF_STORED)
		return FOUND_STORED;
	if (leaf == LEAF_PCAP)
		return FOUND_FILTER;
	return expression_leaf_has_set(leaf) ? FOUND_SET : FOUND_TIME;
}

/* What was found for the leaves of a kind, in their order, goes to their names. */
static void found_take(struct asking *asking, struct row_set *found, enum found_kind kind)
{
	const struct expression *expression = &asking->expression;

	for (size_t i = 0; i < expression->name_count; i++)
		if (found_kind(expression->names[i].leaf) == kind)
			asking->found[i] = *found++;
}

static enum status sets_load(struct asking *asking)
{
	const struct answer_question *question = asking->question;
	const struct set_source source = {.database = question->database,
					  .index = question->index,
					  .given = question->given,
					  .given_count = question->given_count,
					  .text = question->expression};

	return asked_sets_load(&source, &asking->expression, &asking->sets, asking->message);
}

/* What is searched for in one pass. The caller frees the programs with free. */
static enum status search_begin(struct asking *asking, struct filter_search *search)
{
	const struct program **programs = calloc(asking->filter_count + 1, sizeof(*programs));

	*search = (struct filter_search){.database = asking->question->database,
					 .index = asking->question->index,
					 .programs = programs,
					 .program_count = asking->filter_count,
					 .questions = asking->sets.questions,
					 .question_count = asking->sets.question_count,
					 .stop = stop_of(asking),
					 .pause = asking->question->pause};
	if (!programs)
		return message_out_of_memory(asking->message);
	for (size_t i = 0; i < asking->filter_count; i++)
		programs[i] = &asking->programs[i];
	return STATUS_OK;
}

/* Evaluates all {pcap filters} and address sets of the expression in one pass. */
static enum status columns_search(struct asking *asking)
{
	const size_t count = asking->filter_count + asking->sets.question_count;
	struct row_set *found = calloc(count + 1, sizeof(*found));
	struct filter_search search;
	enum status status = search_begin(asking, &search);

	if (status == STATUS_OK && !found)
		status = message_out_of_memory(asking->message);
	if (status == STATUS_OK)
		status = filter_search_run(&search, found, asking->message);
	if (status == STATUS_OK) {
		found_take(asking, found, FOUND_FILTER);
		found_take(asking, found + asking->filter_count, FOUND_SET);
	}
	free((void *)search.programs);
	free(found);
	return status;
}

static int64_t microseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The ranges of all `since` and `before`, whose "now" is the same. */
static size_t ranges_gather(const struct asking *asking, struct time_range *ranges)
{
	const struct expression *expression = &asking->expression;
	const int64_t now = microseconds_now();
	size_t count = 0;

	for (size_t i = 0; i < expression->name_count; i++) {
		const struct expression_name *name = &expression->names[i];
		const int64_t time = name->back ? now - name->time : name->time;

		if (name->leaf == LEAF_SINCE)
			ranges[count++] = (struct time_range){time, INT64_MAX};
		else if (name->leaf == LEAF_BEFORE)
			ranges[count++] = (struct time_range){INT64_MIN, time - 1};
		if (name->back && asking->question->moves)
			*asking->question->moves = true;
	}
	return count;
}

/* Searches for all times of the expression in one pass. */
static enum status times_search(struct asking *asking)
{
	const struct answer_question *question = asking->question;
	const size_t names = asking->expression.name_count;
	struct time_range *ranges = calloc(names + 1, sizeof(*ranges));
	struct row_set *found = calloc(names + 1, sizeof(*found));
	uint64_t timeless = 0;
	enum status status = ranges && found ? STATUS_OK : message_out_of_memory(asking->message);

	if (status == STATUS_OK)
		status = time_search_run(question->database, question->index, ranges,
					 ranges_gather(asking, ranges), stop_of(asking),
					 question->pause, found, &timeless, asking->message);
	if (status == STATUS_OK)
		found_take(asking, found, FOUND_TIME);
	if (status == STATUS_OK && question->timeless)
		*question->timeless = timeless;
	free(ranges);
	free(found);
	return status;
}

static bool asks_times(const struct expression *expression)
{
	for (size_t i = 0; i < expression->name_count; i++)
		if (expression->names[i].leaf == LEAF_SINCE ||
		    expression->names[i].leaf == LEAF_BEFORE)
			return true;
	return false;
}

static enum status operands_alloc(struct asking *asking)
{
	const size_t names = asking->expression.name_count;

	asking->operands = calloc(names + 1, sizeof(*asking->operands));
	asking->found = calloc(names + 1, sizeof(*asking->found));
	if (!asking->operands || !asking->found)
		return message_out_of_memory(asking->message);
	asking->operand_count = names + 1;
	return segment_stack_init(&asking->stack, &asking->expression, operand_lent,
				  asking->operands, asking->counts)
		       ? STATUS_OK
		       : message_out_of_memory(asking->message);
}

static enum status operands_open(struct asking *asking)
{
	static const struct expression_name all = {.text = (char *)INDEX_ALL};
	const struct expression *expression = &asking->expression;
	const struct answer_question *question = asking->question;
	const struct operand_source source = {
		.database = question->database,
		.index = question->index,
		.memory = question->memory,
		.text = question->expression,
		.lacking = question->lacking,
	};
	enum status status = operands_alloc(asking);

	if (question->lacking)
		question->lacking->text[0] = '\0';

	/* Names before filters: a misspelt one need not wait for a search. */
	for (size_t i = 0; status == STATUS_OK && i < expression->name_count; i++)
		if (expression->names[i].leaf == LEAF_STORED)
			status = operand_open(&source, &expression->names[i], &asking->operands[i],
					      asking->message);
	/* But they are read behind it, since a search may let go of the index for a moment. */
	if (status == STATUS_OK && asking->filter_count + asking->sets.question_count)
		status = columns_search(asking);
	if (status == STATUS_OK && asks_times(expression))
		status = times_search(asking);
	for (size_t i = 0; status == STATUS_OK && i < expression->name_count; i++)
		if (expression->names[i].leaf != LEAF_STORED)
			operand_lend(&asking->operands[i], &asking->found[i]);
		else
			status = operand_start(&source, &expression->names[i], &asking->operands[i],
					       asking->message);
	if (status == STATUS_OK && expression_needs_all(expression))
		status = operand_open(&source, &all, &asking->operands[expression->name_count],
				      asking->message);
	if (status == STATUS_OK && expression_needs_all(expression))
		status = operand_start(&source, &all, &asking->operands[expression->name_count],
				       asking->message);
	return status;
}

/* The lowest segment on which an operand stands. */
static bool next_segment(const struct asking *asking, int64_t *segment)
{
	bool any = false;

	for (size_t i = 0; i < asking->operand_count; i++) {
		const struct container *container = asking->operands[i].container;

		if (container && (!any || container->segment < *segment)) {
			*segment = container->segment;
			any = true;
		}
	}
	return any;
}

static enum status operands_advance(struct asking *asking, int64_t segment)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < asking->operand_count; i++) {
		struct operand *operand = &asking->operands[i];

		if (operand->container && operand->container->segment == segment)
			status = operand_next(operand, asking->message);
	}
	return status;
}

static enum status segments_evaluate(struct asking *asking, struct row_set *rows)
{
	int64_t segment = 0;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && next_segment(asking, &segment)) {
		struct container left;

		if (!segment_stack_run(&asking->stack, segment))
			return message_out_of_memory(asking->message);
		segment_stack_take(&asking->stack, &left);
		status =
			left.cardinality ? row_set_append(rows, &left, asking->message) : STATUS_OK;
		if (status == STATUS_OK)
			status = operands_advance(asking, segment);
	}
	return status;
}

static void asking_free(struct asking *asking)
{
	segment_stack_free(&asking->stack);
	for (size_t i = 0; i < asking->operand_count; i++)
		operand_free(&asking->operands[i]);
	for (size_t i = 0; i < asking->filter_count; i++)
		program_free(&asking->programs[i]);
	asked_sets_free(&asking->sets);
	for (size_t i = 0; asking->found && i < asking->expression.name_count; i++)
		row_set_free(&asking->found[i]);
	free(asking->programs);
	free(asking->found);
	free(asking->operands);
	expression_free(&asking->expression);
}

/* True if every word of the question is a filter that is stored, or joins two. */
static bool words_are_filters(const struct asking *asking)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-.";
	const struct answer_question *question = asking->question;
	const struct answer_index *index = question->index;
	const char *text = question->expression;
	bool is_filter = true;

	for (text += strcspn(text, name); is_filter && *text; text += strcspn(text, name)) {
		const size_t length = strspn(text, name);
		char *word = strndup(text, length);
		struct message ignored;
		struct index_filter_place place;

		if (!word)
			return false;
		if (!expression_is_operator(word, length))
			index_filter_find(question->database, index->database_name,
					  index->source.id, word, &place, &is_filter, &ignored);
		free(word);
		text += length;
	}
	return is_filter;
}

/* Answers a question that is one {pcap filter} or set, whose rows are not wanted. */
static enum status leaf_count(struct asking *asking)
{
	const struct answer_question *question = asking->question;
	struct filter_search search;
	enum status status = search_begin(asking, &search);

	if (question->lacking)
		question->lacking->text[0] = '\0';
	if (status == STATUS_OK)
		status = filter_search_count(&search, &asking->stack.count, asking->message);
	free((void *)search.programs);
	asking_free(asking);
	return status;
}

static enum status question_parse(struct asking *asking)
{
	const struct answer_question *question = asking->question;
	struct expression *expression = &asking->expression;
	enum status status = expression_parse(question->expression, expression, asking->message);

	if (question->timeless)
		*question->timeless = 0;
	if (question->moves)
		*question->moves = false;
	if (status == STATUS_OK && question->since)
		status =
			expression_narrow(expression, LEAF_SINCE, question->since, asking->message);
	if (status == STATUS_OK && question->before)
		status = expression_narrow(expression, LEAF_BEFORE, question->before,
					   asking->message);
	return status;
}

static enum status question_answer(struct asking *asking, struct row_set *rows)
{
	enum status status = question_parse(asking);

	if (status == STATUS_OK)
		status = filters_compile(asking);
	if (status == STATUS_OK)
		status = sets_load(asking);
	if (status == STATUS_OK && counts_one_leaf(asking))
		return leaf_count(asking);
	if (status == STATUS_OK)
		status = operands_open(asking);
	if (status == STATUS_USAGE && !words_are_filters(asking))
		bare_filter_tell(asking->question->expression, asking->message);
	if (status == STATUS_OK)
		status = segments_evaluate(asking, rows);
	asking_free(asking);
	return status;
}

enum status answer_run(const struct answer_question *question, struct row_set *rows,
		       struct message *message)
{
	struct asking asking = {.question = question, .message = message};
	uint64_t before;
	enum status status;

	*rows = (struct row_set){0};
	status = question_answer(&asking, rows);
	before = rows->rows;
	if (status == STATUS_OK)
		status = row_set_drop_before(rows, question->index->log_first, message);
	if (question->gone)
		*question->gone = before - rows->rows;
	if (status != STATUS_OK)
		row_set_free(rows);
	return status;
}

enum status answer_count(const struct answer_question *question, uint64_t *count,
			 struct message *message)
{
	struct asking asking = {.question = question, .counts = true, .message = message};
	struct row_set rows;
	enum status status;

	if (question->index->log_first != INT64_MIN) {
		status = answer_run(question, &rows, message);
		*count = rows.rows;
		row_set_free(&rows);
		return status;
	}
	status = question_answer(&asking, NULL);
	*count = asking.stack.count;
	return status;
}

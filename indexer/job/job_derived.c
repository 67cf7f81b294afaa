#include "job_state.h"

#include <stdlib.h>

/*
 * What derived filters need besides the bitmaps of other filters: programs of their {pcap
 * filters}, and questions about sets and times, each once.
 */
struct gathering {
	struct job *job;
	struct job_derived *derived;
	const struct job_bitmaps *bitmaps;
	size_t helper_room;
	struct derived_operand *next; /* of all filters' operands, one behind the other */
};

/* Counts what has to be allocated: operands, helpers, and questions at the most. */
static void derived_count(const struct job *job, const struct job_bitmaps *bitmaps,
			  size_t *operands, size_t *helpers, size_t *questions)
{
	*operands = *helpers = *questions = 0;
	for (size_t i = 0; i < job->filters.order_count; i++) {
		const size_t filter = job->filters.order[i];
		const struct expression *expression = &job->filters.items[filter].rows->expression;

		if (bitmaps->places[filter] == JOB_BITMAP_STORED)
			continue;
		*operands += expression->name_count + 1;
		for (size_t j = 0; j < expression->name_count; j++) {
			*helpers += expression->names[j].leaf == LEAF_PCAP;
			*questions += expression->names[j].leaf != LEAF_PCAP &&
				      expression->names[j].leaf != LEAF_STORED;
		}
	}
}

static enum status derived_alloc(struct gathering *gathering)
{
	struct job_derived *derived = gathering->derived;
	const struct job *job = gathering->job;
	size_t operands;
	size_t questions;

	derived_count(job, gathering->bitmaps, &operands, &gathering->helper_room, &questions);
	derived->items = calloc(job->filters.order_count + 1, sizeof(*derived->items));
	derived->operands = calloc(operands + 1, sizeof(*derived->operands));
	derived->helpers = calloc(gathering->helper_room + 1, sizeof(*derived->helpers));
	derived->questions = calloc(questions + 1, sizeof(*derived->questions));
	derived->sets = calloc(job->sets.count + 1, sizeof(*derived->sets));
	derived->set_count = job->sets.count;
	gathering->next = derived->operands;
	return derived->items && derived->operands && derived->helpers && derived->questions &&
			       derived->sets
		       ? STATUS_OK
		       : message_out_of_memory(job->message);
}

static struct derived_operand built_in_operand(const struct job_bitmaps *bitmaps, size_t which)
{
	if (bitmaps->built_in_made)
		return (struct derived_operand){.source = OPERAND_MADE, .number = which};
	return (struct derived_operand){.source = OPERAND_STORED,
					.filter = bitmaps->built_in[which],
					.name = which == ENCODER_ALL ? INDEX_ALL : INDEX_SKIPPED};
}

/* Where the rows of another filter come from. */
static struct derived_operand filter_operand(const struct gathering *gathering, size_t filter)
{
	const struct filter_entry *entry = &gathering->job->filters.items[filter];
	const struct job_bitmaps *bitmaps = gathering->bitmaps;

	if (bitmaps->places[filter] == JOB_BITMAP_STORED)
		return (struct derived_operand){
			.source = OPERAND_STORED, .filter = entry->stored->id, .name = entry->name};
	if (entry->kind != FILTER_ROWS)
		return (struct derived_operand){.source = OPERAND_MADE,
						.number = bitmaps->places[filter]};
	for (size_t i = 0; i < gathering->derived->filters.count; i++)
		if (gathering->derived->items[i].filter == bitmaps->places[filter])
			return (struct derived_operand){.source = OPERAND_DERIVED, .number = i};
	return built_in_operand(bitmaps, ENCODER_ALL);
}

static enum status question_of(struct gathering *gathering, const struct rows_filter *rows,
			       size_t name, struct column_question *question)
{
	struct job_derived *derived = gathering->derived;
	const struct expression_name *asked = &rows->expression.names[name];
	const size_t set = rows->operands[name];
	enum status status = STATUS_OK;

	*question = (struct column_question){.first = INT64_MIN, .last = INT64_MAX};
	if (asked->leaf == LEAF_SINCE)
		question->first = asked->time;
	if (asked->leaf == LEAF_BEFORE)
		question->last = asked->time - 1;
	if (!expression_leaf_has_set(asked->leaf))
		return STATUS_OK;
	if (!derived->sets[set])
		status = job_set_make(gathering->job, set, &derived->sets[set]);
	question->set = derived->sets[set];
	question->destination = asked->leaf == LEAF_DESTINATION_IN;
	return status;
}

/* The number of a question, which is asked once. */
static size_t question_number(struct job_derived *derived, const struct column_question *question)
{
	for (size_t i = 0; i < derived->question_count; i++) {
		const struct column_question *asked = &derived->questions[i];

		if (asked->set == question->set && asked->destination == question->destination &&
		    asked->first == question->first && asked->last == question->last)
			return i;
	}
	derived->questions[derived->question_count] = *question;
	return derived->question_count++;
}

static enum status operand_gather(struct gathering *gathering, const struct rows_filter *rows,
				  size_t name, struct derived_operand *operand)
{
	struct job_derived *derived = gathering->derived;
	const size_t helpers = gathering->bitmaps->helpers;
	const size_t filter = rows->operands[name];
	struct column_question question;
	enum status status;

	switch (rows->expression.names[name].leaf) {
	case LEAF_STORED:
		if (filter == ROWS_FILTER_ALL || filter == ROWS_FILTER_SKIPPED)
			*operand = built_in_operand(gathering->bitmaps, filter == ROWS_FILTER_ALL
										? ENCODER_ALL
										: ENCODER_SKIPPED);
		else
			*operand = filter_operand(gathering, filter);
		return STATUS_OK;
	case LEAF_PCAP:
		*operand = (struct derived_operand){.source = OPERAND_MADE,
						    .number = helpers + derived->helper_count};
		/* One whose name is not found stays as it is stored. */
		derived->helpers[derived->helper_count++] =
			rows->programs[name].instructions ? &rows->programs[name] : program_never();
		return STATUS_OK;
	default:
		status = question_of(gathering, rows, name, &question);
		if (status == STATUS_OK)
			*operand = (struct derived_operand){
				.source = OPERAND_MADE,
				.number = helpers + gathering->helper_room +
					  question_number(derived, &question)};
		return status;
	}
}

static enum status filter_gather(struct gathering *gathering, size_t filter)
{
	struct job_derived *derived = gathering->derived;
	const struct rows_filter *rows = gathering->job->filters.items[filter].rows;
	const size_t names = rows->expression.name_count;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < names; i++)
		status = operand_gather(gathering, rows, i, &gathering->next[i]);
	gathering->next[names] = built_in_operand(gathering->bitmaps, ENCODER_ALL);
	derived->items[derived->filters.count++] =
		(struct derived_filter){.expression = &rows->expression,
					.operands = gathering->next,
					.filter = gathering->bitmaps->places[filter]};
	gathering->next += names + 1;
	return status;
}

enum status job_derived_make(struct job *job, const struct job_bitmaps *bitmaps,
			     struct job_derived *derived)
{
	struct gathering gathering = {.job = job, .derived = derived, .bitmaps = bitmaps};
	enum status status = derived_alloc(&gathering);

	derived->filters.items = derived->items;
	for (size_t i = 0; status == STATUS_OK && i < job->filters.order_count; i++)
		if (bitmaps->places[job->filters.order[i]] != JOB_BITMAP_STORED)
			status = filter_gather(&gathering, job->filters.order[i]);
	return status;
}

void job_derived_free(struct job_derived *derived)
{
	free(derived->items);
	free(derived->operands);
	free((void *)derived->helpers);
	free(derived->questions);
	for (size_t i = 0; derived->sets && i < derived->set_count; i++)
		address_set_free(derived->sets[i]);
	free(derived->sets);
	*derived = (struct job_derived){0};
}

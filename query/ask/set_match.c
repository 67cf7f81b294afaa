#include "set_match.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "engine/column_question.h"
#include "index/column_reader.h"
#include "index/set_reader.h"
#include "packet/instant.h"
#include "segment_threads.h"

enum { SOURCE, DESTINATION, ENDS };

/* Shared by all threads. */
struct matching {
	const struct match_question *question;
	struct set_matches *matches;
	struct address_set **own;	   /* by match; NULL of those that are given */
	struct column_question *questions; /* two a set */
	bool timed;
};

/* What one thread works with. */
struct matcher {
	const struct matching *matching;
	struct column_questions *questions;
	struct end_match *ends; /* by question */
};

static enum status matcher_open(void *shared, const struct stop *stop, void **own,
				struct message *message)
{
	const struct matching *matching = shared;
	const size_t count = ENDS * matching->matches->count;
	struct matcher *matcher = calloc(1, sizeof(*matcher));
	enum status status = STATUS_OK;

	(void)stop; /* segments are short */
	if (!matcher)
		return message_out_of_memory(message);
	matcher->matching = matching;
	matcher->ends = calloc(count + 1, sizeof(*matcher->ends));
	status = matcher->ends ? column_questions_new(matching->questions, count, kernels_best(),
						      &matcher->questions, message)
			       : message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < count; i++)
		matcher->ends[i].first = matcher->ends[i].last = INSTANT_NONE;
	if (status != STATUS_OK) {
		free(matcher->ends);
		free(matcher);
		return status;
	}
	*own = matcher;
	return STATUS_OK;
}

static void end_extend(struct end_match *end, int64_t first, int64_t last)
{
	if (first == INSTANT_NONE)
		return;
	if (end->first == INSTANT_NONE || first < end->first)
		end->first = first;
	if (end->last == INSTANT_NONE || last > end->last)
		end->last = last;
}

/* Adds the rows of a question from place `from` on. times is NULL where there are none. */
static void rows_add(const uint64_t *bits, size_t rows, size_t from, const int64_t *times,
		     struct end_match *end)
{
	for (size_t word = from / 64; word * 64 < rows; word++) {
		uint64_t left = bits[word];

		if (word == from / 64)
			left &= UINT64_MAX << (from % 64);
		end->rows += (uint64_t)__builtin_popcountll(left);
		for (; times && left; left &= left - 1) {
			const int64_t time = times[word * 64 + (size_t)__builtin_ctzll(left)];

			end_extend(end, time, time);
		}
	}
}

/* The place, among the rows with a header, of the first one that the log still has. */
static enum status first_place(const struct matching *matching, int64_t number,
			       struct segment_columns *columns, size_t *place,
			       struct message *message)
{
	const int64_t first = matching->question->index->log_first;
	enum status status;

	*place = 0;
	if (first == INT64_MIN || number > segment_of(first))
		return STATUS_OK;
	*place = SEGMENT_ROWS;
	if (number < segment_of(first))
		return STATUS_OK;
	status = segment_columns_rows(columns, message);
	if (status == STATUS_OK)
		*place = container_rows_before(&columns->present_as, segment_place(first));
	return status;
}

static enum status segment_match(struct matcher *matcher, size_t from,
				 struct segment_columns *columns, struct message *message)
{
	const size_t count = ENDS * matcher->matching->matches->count;
	struct time_column *time;
	const int64_t *times = NULL;
	enum status status = STATUS_OK;

	column_questions_begin(matcher->questions, columns);
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		const uint64_t *bits;

		status = column_questions_rows(matcher->questions, i, &bits, message);
		if (status != STATUS_OK || !bits)
			continue;
		if (matcher->matching->timed && !times) {
			status = segment_columns_time(columns, &time, message);
			if (status == STATUS_OK)
				status = time_column_read(time, &times, message);
		}
		if (status == STATUS_OK)
			rows_add(bits, columns->rows, from, times, &matcher->ends[i]);
	}
	return status;
}

static enum status segment_visit(void *own, int64_t number, struct segment_columns *columns,
				 struct message *message)
{
	struct matcher *matcher = own;
	struct message cause = {.code = 0};
	size_t from;
	enum status status = first_place(matcher->matching, number, columns, &from, &cause);

	if (status == STATUS_OK && from < SEGMENT_ROWS)
		status = segment_match(matcher, from, columns, &cause);
	return status == STATUS_OK ? STATUS_OK : column_reader_damaged(number, &cause, message);
}

static enum status nothing_give(void *shared, void *own, size_t first, struct message *message)
{
	(void)shared;
	(void)own;
	(void)first;
	(void)message;
	return STATUS_OK;
}

static void matcher_close(void *shared, void *own)
{
	struct set_matches *matches = ((struct matching *)shared)->matches;
	struct matcher *matcher = own;

	for (size_t i = 0; i < ENDS * matches->count; i++) {
		struct end_match *end = &matches->items[i / ENDS].ends[i % ENDS];

		end->rows += matcher->ends[i].rows;
		end_extend(end, matcher->ends[i].first, matcher->ends[i].last);
	}
	column_questions_free(matcher->questions);
	free(matcher->ends);
	free(matcher);
}

static void matches_reset(void *shared)
{
	struct set_matches *matches = ((struct matching *)shared)->matches;

	for (size_t i = 0; i < ENDS * matches->count; i++)
		matches->items[i / ENDS].ends[i % ENDS] =
			(struct end_match){.first = INSTANT_NONE, .last = INSTANT_NONE};
}

/* Adds a set, which is NULL where it is the index's. */
static enum status set_add(struct matching *matching, const char *name, uint64_t entries,
			   const struct address_set *set, struct message *message)
{
	const struct match_question *question = matching->question;
	const size_t place = matching->matches->count;
	struct set_match *match = &matching->matches->items[place];
	bool found = true;
	enum status status = STATUS_OK;

	*match = (struct set_match){.name = strdup(name), .entries = entries};
	if (!match->name)
		return message_out_of_memory(message);
	matching->matches->count++;
	if (!set)
		status = index_set_make(question->database, question->index->database_name,
					question->index->source.id, name, &matching->own[place],
					&found, message);
	if (status == STATUS_OK && !found)
		status = message_set(message, STATUS_FAILED, "the index was changed; run again");
	for (size_t i = 0; i < ENDS; i++)
		matching->questions[ENDS * place + i] = (struct column_question){
			.set = set ? set : matching->own[place], .destination = i == DESTINATION};
	return status;
}

static bool is_given(const struct match_question *question, const char *name)
{
	for (size_t i = 0; i < question->given_count; i++)
		if (strcmp(question->given[i].name, name) == 0)
			return true;
	return false;
}

static enum status sets_gather(struct matching *matching, const struct index_sets *stored,
			       struct message *message)
{
	const struct match_question *question = matching->question;
	const size_t most = stored->count + question->given_count;
	enum status status = STATUS_OK;

	matching->matches->items = calloc(most + 1, sizeof(*matching->matches->items));
	matching->own = calloc(most + 1, sizeof(*matching->own));
	matching->questions = calloc(ENDS * most + 1, sizeof(*matching->questions));
	if (!matching->matches->items || !matching->own || !matching->questions)
		return message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < question->given_count; i++)
		status = set_add(matching, question->given[i].name, question->given_entries[i],
				 question->given[i].set, message);
	for (size_t i = 0; status == STATUS_OK && i < stored->count; i++)
		if (!is_given(question, stored->items[i].name))
			status = set_add(matching, stored->items[i].name, stored->items[i].entries,
					 NULL, message);
	return status;
}

enum status set_matches_find(const struct match_question *question, struct set_matches *matches,
			     struct message *message)
{
	const struct answer_index *index = question->index;
	struct matching matching = {.question = question,
				    .matches = matches,
				    .timed = index->source.layout.timestamp != NULL};
	const struct segment_work work = {.shared = &matching,
					  .open = matcher_open,
					  .visit = segment_visit,
					  .give = nothing_give,
					  .close = matcher_close,
					  .reset = matches_reset};
	const struct segment_threads run = {.database = question->database,
					    .index = index,
					    .work = &work,
					    .pause = question->pause};
	struct index_sets stored = {0};
	enum status status = index_sets_read(question->database, index->database_name,
					     index->source.id, &stored, message);

	if (status == STATUS_OK && !index->source.packed)
		status = message_set(message, STATUS_FAILED,
				     "address sets need stored columns, which this index was made "
				     "without; build it again with connbits-index --rebuild, and "
				     "without --no-headers");
	if (status == STATUS_OK)
		status = sets_gather(&matching, &stored, message);
	matches_reset(&matching);
	if (status == STATUS_OK && matches->count)
		status = segment_threads_run(&run, message);
	for (size_t i = 0; matching.own && i < matches->count; i++)
		address_set_free(matching.own[i]);
	free(matching.own);
	free(matching.questions);
	index_sets_free(&stored);
	return status;
}

void set_matches_free(struct set_matches *matches)
{
	for (size_t i = 0; i < matches->count; i++)
		free(matches->items[i].name);
	free(matches->items);
	*matches = (struct set_matches){0};
}

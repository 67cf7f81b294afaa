#include "morning.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask/answer.h"
#include "base/rowid.h"
#include "bitmap/container_algebra.h"
#include "catalogue/catalogue.h"
#include "index/bitmap_reader.h"
#include "index/day_reader.h"
#include "packet/day_text.h"

enum { SECONDS_A_DAY = 86400 };

const char *morning_state_name(enum morning_state state)
{
	static const char *const names[] = {"new", "above", "gone", "usual"};

	return names[state];
}

/* What is at work while a morning is gathered. */
struct morning_work {
	const struct morning_question *question;
	struct morning *morning;
	struct day_reader *days;
	struct bitmap_reader *bitmaps;
	struct row_set day;	  /* rows of the last day */
	char last[DAY_TEXT_SIZE]; /* the last day, and the one behind it */
	char behind[DAY_TEXT_SIZE];
	struct message *message;
};

static enum status days_are(const struct morning_work *work, bool found)
{
	const struct answer_index *index = work->question->index;

	if (found)
		return STATUS_OK;
	return message_set(
		work->message, STATUS_FAILED, "%s",
		!index->source.packed
			? "the index has no days: it was made without stored columns; build it "
			  "again with connbits-index --rebuild, and without --no-headers"
		: !index->source.layout.timestamp
			? "the index has no days: no column of the log is known to hold times; "
			  "name it in the catalogue's [source]: timestamp = COLUMN"
			: "the index has no rows with a time up to today that can be read");
}

/* Names are asked for as expressions, and shown as they are: an enemy's index may have any. */
static enum status name_check(const struct morning_work *work, const char *name)
{
	if (catalogue_name_valid(name, strlen(name)))
		return STATUS_OK;
	return message_set(work->message, STATUS_FAILED,
			   "the index is damaged: it has a filter or a set of a name that none can "
			   "have; build it again with connbits-index --rebuild");
}

/* RFC 3339, and nothing that could pass for another line. */
static enum status time_check(const struct morning_work *work, const char *text)
{
	if (text[strspn(text, "0123456789-:TZ")] == '\0')
		return STATUS_OK;
	return message_set(
		work->message, STATUS_FAILED,
		"the index is damaged: the time of indexing is none; build it again with "
		"connbits-index --rebuild");
}

/* Says how the last day stands to those before. */
static void filter_judge(struct morning_filter *filter, size_t days)
{
	const uint64_t last = filter->days[days - 1];
	uint64_t before = 0;

	filter->least = UINT64_MAX;
	for (size_t i = 0; i + 1 < days; i++) {
		before += filter->days[i];
		filter->most = filter->days[i] > filter->most ? filter->days[i] : filter->most;
		filter->least = filter->days[i] < filter->least ? filter->days[i] : filter->least;
	}
	filter->mean = days > 1 ? (double)before / (double)(days - 1) : 0;
	filter->change = fabs((double)last - filter->mean) / sqrt(filter->mean + 1);
	filter->state = MORNING_USUAL;
	if (days <= MORNING_JUDGED)
		return;
	if (last && before == 0)
		filter->state = MORNING_NEW;
	else if (last > filter->most && (double)last >= 2 * filter->mean)
		filter->state = MORNING_ABOVE;
	else if (last == 0 && filter->least > 0)
		filter->state = MORNING_GONE;
}

static enum status filter_read(struct morning_work *work, const struct index_filter *stored,
			       struct morning_filter *filter)
{
	const struct morning *morning = work->morning;
	enum status status;

	*filter = (struct morning_filter){.id = stored->id,
					  .name = stored->name,
					  .description = stored->description,
					  .rows = stored->rows,
					  .days = calloc(morning->days, sizeof(*filter->days))};
	if (!filter->days)
		return message_out_of_memory(work->message);
	status = day_reader_counts(work->days, stored->id, morning->last, filter->days,
				   morning->days, work->message);
	filter_judge(filter, morning->days);
	return status;
}

static enum status filters_read(struct morning_work *work)
{
	const struct answer_index *index = work->question->index;
	struct morning *morning = work->morning;
	enum status status = index_filters_read(work->question->database, index->database_name,
						index->source.id, &morning->filters, work->message);

	if (status != STATUS_OK)
		return status;
	morning->items = calloc(morning->filters.count + 1, sizeof(*morning->items));
	if (!morning->items)
		return message_out_of_memory(work->message);
	for (size_t i = 0; status == STATUS_OK && i < morning->filters.count; i++) {
		const struct index_filter *stored = &morning->filters.items[i];

		if (strcmp(stored->name, INDEX_SKIPPED) == 0)
			continue;
		if (strcmp(stored->name, INDEX_ALL) == 0)
			status = filter_read(work, stored, &morning->all);
		else if ((status = name_check(work, stored->name)) == STATUS_OK)
			status = filter_read(work, stored, &morning->items[morning->count++]);
	}
	return status == STATUS_OK && !morning->all.days
		       ? message_set(work->message, STATUS_FAILED,
				     "the index is damaged (no " INDEX_ALL
				     "); build it again with connbits-index --rebuild")
		       : status;
}

static int compare_change(const void *a, const void *b)
{
	const struct morning_filter *x = a;
	const struct morning_filter *y = b;

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	if (x->change != y->change)
		return x->change < y->change ? 1 : -1;
	if (x->rows != y->rows)
		return x->rows < y->rows ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* All rows with a header in a span of time; since is NULL from the log's begin on. */
static enum status rows_ask(const struct morning_work *work, const char *since, const char *before,
			    struct row_set *rows)
{
	const struct answer_question question = {.database = work->question->database,
						 .index = work->question->index,
						 .expression = INDEX_ALL,
						 .since = since,
						 .before = before,
						 .pause = work->question->pause};

	return answer_run(&question, rows, work->message);
}

static enum status facet_ask(const struct morning_work *work, enum facet_by by,
			     const struct row_set *rows, const struct row_set *known,
			     uint64_t limit, struct facet *facet)
{
	const struct facet_question question = {.database = work->question->database,
						.index = work->question->index,
						.rows = rows,
						.known = known,
						.by = by,
						.limit = limit,
						.pause = work->question->pause};

	return facet_count(&question, facet, work->message);
}

/* Adds what a chunk of a filter has in common with the last day. */
static enum status chunk_add(const struct row_set *day, const struct stored_chunk *stored,
			     struct row_set *rows, struct message *message)
{
	uint8_t common[CONTAINER_BYTES_MAX];
	uint8_t settled[CONTAINER_BYTES_MAX];
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < day->count; i++) {
		const struct container *of_day = &day->containers[i];
		const int64_t segment = of_day->segment;
		const struct container *container;
		struct container result;

		if (chunk_of_segment(segment) != stored->chunk)
			continue;
		container = &stored->containers[segment - chunk_first_segment(stored->chunk)];
		if (container->cardinality == 0)
			continue;
		container_combine(of_day, container, SET_AND, common, &result);
		result.segment = segment;
		if (result.cardinality == 0)
			continue;
		container_settle(&result, settled, &result);
		status = row_set_append(rows, &result, message);
	}
	return status;
}

/* The rows of a filter on the last day. */
static enum status filter_rows(const struct morning_work *work, int64_t filter,
			       struct row_set *rows)
{
	const struct row_set *day = &work->day;
	struct stored_chunk stored;
	enum status status = STATUS_OK;

	if (day->count == 0)
		return STATUS_OK;
	bitmap_reader_seek(work->bitmaps, filter, chunk_of_segment(day->containers[0].segment),
			   chunk_of_segment(day->containers[day->count - 1].segment));
	while (status == STATUS_OK) {
		status = bitmap_reader_next(work->bitmaps, &stored, work->message);
		if (status != STATUS_OK || !stored.bytes)
			break;
		status = chunk_add(day, &stored, rows, work->message);
	}
	return status;
}

/* The first sources and ports of a filter's last day. */
static enum status filter_top(const struct morning_work *work, struct morning_filter *filter,
			      uint64_t limit)
{
	struct row_set rows = {0};
	enum status status;

	if (filter->days[work->morning->days - 1] == 0)
		return STATUS_OK;
	status = filter_rows(work, filter->id, &rows);
	if (status == STATUS_OK)
		status = facet_ask(work, FACET_SOURCE, &rows, NULL, limit, &filter->sources);
	if (status == STATUS_OK)
		status = facet_ask(work, FACET_PORT, &rows, NULL, limit, &filter->ports);
	row_set_free(&rows);
	return status;
}

/* What no row before the last day has. */
static enum status new_find(const struct morning_work *work)
{
	struct morning *morning = work->morning;
	const struct row_set *day = &work->day;
	struct row_set known = {0};
	enum status status = rows_ask(work, NULL, work->last, &known);

	if (status == STATUS_OK)
		status = facet_ask(work, FACET_SOURCE, day, &known, MORNING_TOP,
				   &morning->new_sources);
	if (status == STATUS_OK)
		status = facet_ask(work, FACET_PORT, day, &known, MORNING_TOP, &morning->new_ports);
	row_set_free(&known);
	return status;
}

static enum status all_gather(struct morning_work *work)
{
	const struct morning_question *question = work->question;
	const struct answer_index *index = question->index;
	struct morning *morning = work->morning;
	const struct match_question sets = {
		.database = question->database, .index = index, .pause = question->pause};
	struct day_span span = {0};
	bool found;
	enum status status = day_reader_span(question->database, index->database_name,
					     &index->source, &span, &found, work->message);

	if (status == STATUS_OK)
		status = days_are(work, found);
	if (status != STATUS_OK)
		return status;
	morning->last = span.last;
	morning->later = span.later;
	morning->age = (int64_t)(time(NULL) / SECONDS_A_DAY) - span.last;
	if (span.last - span.first < (int64_t)morning->days)
		morning->days = (size_t)(span.last - span.first) + 1;
	day_text(morning->last, work->last);
	day_text(morning->last + 1, work->behind);
	status = day_reader_open(question->database, index->database_name, &work->days,
				 work->message);
	if (status == STATUS_OK)
		status = time_check(work, index->source.indexed_at);
	if (status == STATUS_OK)
		status = filters_read(work);
	if (status == STATUS_OK)
		status = bitmap_reader_open(question->database, index->database_name,
					    &work->bitmaps, work->message);
	if (status == STATUS_OK)
		status = rows_ask(work, work->last, work->behind, &work->day);
	if (status == STATUS_OK && morning->count)
		qsort(morning->items, morning->count, sizeof(*morning->items), compare_change);
	if (status == STATUS_OK)
		status = filter_top(work, &morning->all, MORNING_TOP);
	for (size_t i = 0; status == STATUS_OK && i < morning->count; i++)
		status = filter_top(work, &morning->items[i], MORNING_TOP_OF_FILTER);
	if (status == STATUS_OK)
		status = new_find(work);
	if (status == STATUS_OK)
		status = set_matches_find(&sets, &morning->sets, work->message);
	for (size_t i = 0; status == STATUS_OK && i < morning->sets.count; i++)
		status = name_check(work, morning->sets.items[i].name);
	return status;
}

enum status morning_gather(const struct morning_question *question, struct morning *morning,
			   struct message *message)
{
	struct morning_work work = {.question = question, .morning = morning, .message = message};
	enum status status;

	morning->days = question->days;
	status = all_gather(&work);
	day_reader_close(work.days);
	bitmap_reader_close(work.bitmaps);
	row_set_free(&work.day);
	return status;
}

static void filter_free(struct morning_filter *filter)
{
	free(filter->days);
	facet_free(&filter->sources);
	facet_free(&filter->ports);
}

void morning_free(struct morning *morning)
{
	filter_free(&morning->all);
	for (size_t i = 0; i < morning->count; i++)
		filter_free(&morning->items[i]);
	free(morning->items);
	facet_free(&morning->new_sources);
	facet_free(&morning->new_ports);
	set_matches_free(&morning->sets);
	index_filters_free(&morning->filters);
	*morning = (struct morning){0};
}

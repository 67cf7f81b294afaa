#include "facet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facet_counter.h"
#include "index/column_reader.h"
#include "packet/day_text.h"
#include "packet/instant.h"
#include "packet/protocol.h"
#include "segment_threads.h"
#include "time_search.h"

static const char *const words[FACETS] = {
	[FACET_HOST] = "host", [FACET_SOURCE] = "src",	   [FACET_DESTINATION] = "dst",
	[FACET_PORT] = "port", [FACET_PROTOCOL] = "proto", [FACET_DAY] = "day",
	[FACET_HOUR] = "hour",
};

bool facet_find(const char *word, enum facet_by *by)
{
	for (int i = 0; i < FACETS; i++) {
		if (strcmp(words[i], word) == 0) {
			*by = (enum facet_by)i;
			return true;
		}
	}
	return false;
}

/* Shared by all threads of a count. */
struct counting {
	const struct facet_question *question;
	const struct row_set *rows;
	const struct value_counts *only; /* NULL, or the values that are looked for */
	struct value_counts counts;
	uint64_t counted; /* rows that have a value */
};

/* What one thread works with. */
struct counting_thread {
	const struct row_set *rows;
	struct facet_counter *counter;
};

static enum status thread_open(void *shared, const struct stop *stop, void **own,
			       struct message *message)
{
	const struct counting *counting = shared;
	struct counting_thread *thread = calloc(1, sizeof(*thread));

	(void)stop; /* segments are short */
	if (!thread)
		return message_out_of_memory(message);
	thread->rows = counting->rows;
	thread->counter = facet_counter_new(counting->question->by, counting->only);
	if (!thread->counter) {
		free(thread);
		return message_out_of_memory(message);
	}
	*own = thread;
	return STATUS_OK;
}

/* The set's container of a segment; NULL where it has no rows. */
static const struct container *container_find(const struct row_set *rows, int64_t segment)
{
	size_t low = 0;
	size_t high = rows->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (rows->containers[middle].segment < segment)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rows->count && rows->containers[low].segment == segment
		       ? &rows->containers[low]
		       : NULL;
}

static enum status segment_count(void *own, int64_t number, struct segment_columns *columns,
				 struct message *message)
{
	const struct counting_thread *thread = own;
	const struct container *container = container_find(thread->rows, number);
	struct message cause = {.code = 0};

	if (!container ||
	    facet_counter_run(thread->counter, container, columns, &cause) == STATUS_OK)
		return STATUS_OK;
	return column_reader_damaged(number, &cause, message);
}

static enum status nothing_give(void *shared, void *own, size_t first, struct message *message)
{
	(void)shared;
	(void)own;
	(void)first;
	(void)message;
	return STATUS_OK;
}

static void thread_close(void *shared, void *own)
{
	struct counting *counting = shared;
	struct counting_thread *thread = own;
	const uint64_t rows = facet_counter_rows(thread->counter);

	/* Rows that are not joined show in the sum. */
	if (value_counts_join(&counting->counts, facet_counter_counts(thread->counter)))
		counting->counted += rows;
	else
		counting->counted = UINT64_MAX / 2;
	facet_counter_free(thread->counter);
	free(thread);
}

static void counting_reset(void *shared)
{
	struct counting *counting = shared;

	value_counts_free(&counting->counts);
	counting->counted = 0;
}

static bool is_time(enum facet_by by)
{
	return by == FACET_DAY || by == FACET_HOUR;
}

static int compare_numbers(const struct facet_value *a, const struct facet_value *b)
{
	if (a->is_ipv6 != b->is_ipv6)
		return a->is_ipv6 ? 1 : -1;
	if (a->is_ipv6)
		return memcmp(a->address, b->address, sizeof(a->address));
	return (a->number > b->number) - (a->number < b->number);
}

static int compare_values(const void *a, const void *b)
{
	return compare_numbers(a, b);
}

/* Most rows first, and then the lesser value. */
static int compare_rows(const void *a, const void *b)
{
	const struct facet_value *x = a;
	const struct facet_value *y = b;

	if (x->rows != y->rows)
		return x->rows < y->rows ? 1 : -1;
	return compare_numbers(x, y);
}

typedef int (*value_order)(const void *a, const void *b);

/* Those that come first in an order, up to a limit: a heap with the last one of them on top. */
struct firsts {
	struct facet_value *values;
	size_t count;
	size_t limit;
	value_order order;
};

static void heap_sink(struct firsts *firsts)
{
	struct facet_value *values = firsts->values;
	size_t at = 0;

	for (;;) {
		size_t below = 2 * at + 1;
		struct facet_value swapped;

		if (below >= firsts->count)
			return;
		if (below + 1 < firsts->count &&
		    firsts->order(&values[below + 1], &values[below]) > 0)
			below++;
		if (firsts->order(&values[below], &values[at]) <= 0)
			return;
		swapped = values[at];
		values[at] = values[below];
		values[below] = swapped;
		at = below;
	}
}

static void heap_rise(struct firsts *firsts)
{
	struct facet_value *values = firsts->values;
	size_t at = firsts->count - 1;

	while (at > 0 && firsts->order(&values[at], &values[(at - 1) / 2]) > 0) {
		const struct facet_value swapped = values[at];

		values[at] = values[(at - 1) / 2];
		values[(at - 1) / 2] = swapped;
		at = (at - 1) / 2;
	}
}

static void first_offer(struct firsts *firsts, const struct facet_value *value)
{
	if (firsts->count < firsts->limit) {
		firsts->values[firsts->count++] = *value;
		heap_rise(firsts);
	} else if (firsts->limit && firsts->order(value, &firsts->values[0]) < 0) {
		firsts->values[0] = *value;
		heap_sink(firsts);
	}
}

static enum status facet_order(const struct counting *counting, const struct value_counts *known,
			       struct facet *facet, struct message *message)
{
	const struct value_counts *counts = &counting->counts;
	const struct facet_question *question = counting->question;
	const size_t all = counts->number_count + counts->address_count;
	struct firsts firsts = {.limit = question->limit < all ? (size_t)question->limit : all,
				.order = is_time(question->by) ? compare_values : compare_rows};

	firsts.values = calloc(firsts.limit + 1, sizeof(*firsts.values));
	facet->values = firsts.values;
	if (!firsts.values)
		return message_out_of_memory(message);
	for (size_t i = 0; i < counts->number_slots; i++) {
		if (counts->numbers[i].rows == 0 ||
		    value_counts_has(known, counts->numbers[i].number))
			continue;
		first_offer(&firsts,
			    &(struct facet_value){.rows = counts->numbers[i].rows,
						  .number = (int64_t)counts->numbers[i].number});
		facet->distinct++;
	}
	for (size_t i = 0; i < counts->address_slots; i++) {
		struct facet_value value = {.rows = counts->addresses[i].rows, .is_ipv6 = true};

		memcpy(value.address, counts->addresses[i].address, sizeof(value.address));
		if (value.rows == 0 || value_counts_has_address(known, value.address))
			continue;
		first_offer(&firsts, &value);
		facet->distinct++;
	}
	facet->count = firsts.count;
	if (firsts.count)
		qsort(firsts.values, firsts.count, sizeof(*firsts.values), firsts.order);
	return STATUS_OK;
}

static enum status columns_must_be(const struct facet_question *question, struct message *message)
{
	if (is_time(question->by))
		return times_must_be(question->index, message);
	if (question->index->source.packed)
		return STATUS_OK;
	return message_set(
		message, STATUS_FAILED,
		"counting by %s needs stored columns, which this index was made without; "
		"build it again with connbits-index --rebuild, and without --no-headers",
		words[question->by]);
}

/* Counts the values of rows. */
static enum status rows_count(const struct facet_question *question, const struct row_set *rows,
			      const struct value_counts *only, struct counting *counting,
			      struct message *message)
{
	const struct segment_work work = {.shared = counting,
					  .open = thread_open,
					  .visit = segment_count,
					  .give = nothing_give,
					  .close = thread_close,
					  .reset = counting_reset};
	struct segment_span span;
	const struct segment_threads run = {.database = question->database,
					    .span = &span,
					    .index = question->index,
					    .work = &work,
					    .stop = question->stop,
					    .pause = question->pause};
	enum status status = STATUS_OK;

	*counting = (struct counting){.question = question, .rows = rows, .only = only};
	if (rows->count) {
		span.first = rows->containers[0].segment;
		span.last = rows->containers[rows->count - 1].segment;
		status = segment_threads_run(&run, message);
	}
	return status == STATUS_OK && counting->counted > rows->rows
		       ? message_out_of_memory(message)
		       : status;
}

enum status facet_count(const struct facet_question *question, struct facet *facet,
			struct message *message)
{
	struct counting counting = {0};
	struct counting known = {0};
	enum status status = columns_must_be(question, message);

	if (status == STATUS_OK)
		status = rows_count(question, question->rows, NULL, &counting, message);
	if (status == STATUS_OK && question->known)
		status = rows_count(question, question->known, &counting.counts, &known, message);
	if (status == STATUS_OK) {
		facet->without = question->rows->rows - counting.counted;
		status = facet_order(&counting, &known.counts, facet, message);
	}
	value_counts_free(&counting.counts);
	value_counts_free(&known.counts);
	return status;
}

static void time_text(enum facet_by by, int64_t value, char text[static FACET_TEXT_SIZE])
{
	const int64_t day = by == FACET_DAY ? value : instant_floor(value, 24);
	const size_t length = day_text(day, text);

	if (by == FACET_HOUR)
		snprintf(text + length, FACET_TEXT_SIZE - length, "T%02d:00",
			 (int)(value - day * 24));
}

void facet_value_text(enum facet_by by, const struct facet_value *value,
		      char text[static FACET_TEXT_SIZE])
{
	const uint32_t ipv4 = htonl((uint32_t)value->number);

	if (is_time(by)) {
		time_text(by, value->number, text);
	} else if (value->is_ipv6) {
		inet_ntop(AF_INET6, value->address, text, FACET_TEXT_SIZE);
	} else if (by == FACET_PORT) {
		snprintf(text, FACET_TEXT_SIZE, "%lld", (long long)value->number);
	} else if (by == FACET_PROTOCOL) {
		const char *name = protocol_name((uint8_t)value->number);

		if (name)
			snprintf(text, FACET_TEXT_SIZE, "%s", name);
		else
			snprintf(text, FACET_TEXT_SIZE, "%lld", (long long)value->number);
	} else {
		inet_ntop(AF_INET, &ipv4, text, FACET_TEXT_SIZE);
	}
}

void facet_free(struct facet *facet)
{
	free(facet->values);
	*facet = (struct facet){0};
}

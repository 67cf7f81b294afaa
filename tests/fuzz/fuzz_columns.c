/*
 * Any bytes as stored columns: each is read as the page says that describes them, what headers
 * are made are proper ones, and these pack to columns of the same.
 */
#include <stdlib.h>
#include <string.h>

#include "bitmap/kernel.h"
#include "column/segment_days.h"
#include "column/segment_packing.h"
#include "engine/evaluate.h"
#include "packet/header.h"
#include "packet/instant.h"
#include "plain_column.h"
#include "plain_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Room that is used again and again: to make it anew would take most of the time. */
static struct segment *segment;
static struct segment *back;
static struct segment_packing *packing;
static struct segment_columns *columns;

static void room_make(void)
{
	if (columns)
		return;
	segment = segment_new();
	back = segment_new();
	packing = segment_packing_new();
	columns = segment_columns_new();
	if (!segment || !back || !packing || !columns)
		abort();
}

static void header_check(const struct packed_headers *headers, size_t row)
{
	const uint8_t *header = headers->bytes + row * headers->stride;
	const size_t fixed = headers->stride - 4;
	const size_t captured = headers->captured[row];

	if (captured != fixed && captured != fixed + 2 && captured != fixed + 4)
		abort();
	if (header[0] != (fixed == 20 ? 0x45 : 0x60) || header_wire_length(header) < fixed)
		abort();
	for (size_t i = captured; i < headers->stride; i++)
		if (header[i])
			abort();
	if (row && headers->low[row] <= headers->low[row - 1])
		abort();
}

/* Sizes of the columns, and behind them their bytes. */
static bool input_read(const uint8_t *data, size_t size, struct packed_columns *packed)
{
	const uint8_t *bytes = data + 2 * STORED_COLUMNS;
	size_t left;

	if (size < 2 * STORED_COLUMNS)
		return false;
	left = size - 2 * STORED_COLUMNS;
	for (size_t i = 0; i < STORED_COLUMNS; i++) {
		const size_t wanted = data[2 * i] | (size_t)data[2 * i + 1] << 8;

		packed->sizes[i] = wanted < left ? wanted : left;
		left -= packed->sizes[i];
	}
	packed->bytes = malloc(size + 1);
	if (!packed->bytes)
		abort();
	memcpy(packed->bytes, bytes, size - 2 * STORED_COLUMNS);
	return true;
}

/* The numbers of rows without their distinct values: refused as well, and where there are
 * addresses. */
static void numbers_check(enum stored_column column, bool known, const struct plain_column *plain)
{
	static uint32_t numbers[SEGMENT_ROWS];
	struct message message;
	const bool read = segment_columns_numbers(columns, kernels_best(), column, numbers,
						  &message) == STATUS_OK;
	bool any = false;

	for (size_t row = 0; known && row < plain->rows; row++)
		any |= plain->values[row].is_address;
	if (read && (!known || any))
		abort();
	for (size_t row = 0; read && row < plain->rows; row++) {
		const uint8_t *bytes = plain->values[row].bytes + 12;

		if (numbers[row] != ((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
				     (uint32_t)bytes[2] << 8 | bytes[3]))
			abort();
	}
}

/* Every column by itself: as the page says, or refused as it says. */
static void columns_check(const struct packed_columns *packed)
{
	const struct column_supply supply = packed_columns_supply(packed);
	const uint8_t *bytes = packed->bytes + packed->sizes[STORED_ROWS];
	struct message message;

	for (int column = STORED_SHAPE; column < STORED_TIME; column++) {
		const struct column_values *values;
		struct plain_column plain;
		const bool known = plain_column_read(bytes, packed->sizes[column], &plain);

		segment_columns_begin(columns, &supply);
		if (known !=
		    (segment_columns_values(columns, kernels_best(), (enum stored_column)column,
					    &values, &message) == STATUS_OK))
			abort();
		if (known && !plain_column_equals(&plain, values, columns->rows))
			abort();
		numbers_check((enum stored_column)column, known, &plain);
		plain_column_free(&plain);
		bytes += packed->sizes[column];
	}
}

/* The same for the times. */
static void times_check(const struct packed_columns *packed)
{
	static int64_t plain[SEGMENT_ROWS];
	static uint64_t found[SEGMENT_WORDS];
	const struct column_supply supply = packed_columns_supply(packed);
	const size_t size = packed->sizes[STORED_TIME];
	const uint8_t *bytes = packed->bytes + packed_columns_size(packed) - size;
	struct time_column *time;
	const int64_t *times;
	struct message message;
	size_t rows;
	const bool known = plain_time_read(bytes, size, plain, &rows);

	segment_columns_begin(columns, &supply);
	if (known != (segment_columns_time(columns, &time, &message) == STATUS_OK &&
		      time_column_read(time, &times, &message) == STATUS_OK))
		abort();
	if (!known)
		return;
	if (rows != time->rows || memcmp(times, plain, rows * sizeof(*times)) != 0 ||
	    time_column_between(time, times[0], times[rows - 1], found, &message) != STATUS_OK)
		abort();
	if (times[0] <= times[rows - 1] && times[0] != INSTANT_NONE && !(found[0] & 1))
		abort();
}

/* Questions to columns that come from anywhere. */
static void columns_search(const struct packed_columns *packed)
{
	static const char *const texts[] = {"udp port 53", "host 10.0.0.1 or host 2001:db8::1",
					    "not src net 10.0.0.0/8 and dst portrange 5-99"};
	const struct column_supply supply = packed_columns_supply(packed);
	static struct segment_bits bits;
	struct message message;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct program program;
		const struct program *pointer = &program;
		struct evaluation *evaluation = NULL;
		struct evaluator *evaluator = NULL;

		if (program_compile_directly(texts[i], false, &program, &message) != STATUS_OK ||
		    evaluation_new_search(&pointer, 1, NULL, &evaluation, &message) != STATUS_OK ||
		    evaluator_new(evaluation, &evaluator, &message) != STATUS_OK)
			abort();
		segment_columns_begin(columns, &supply);
		if (evaluator_read_columns(evaluator, 0, columns, &message) == STATUS_OK)
			evaluator_column_bits(evaluator, 0, &bits, &message);
		evaluator_free(evaluator);
		evaluation_free(evaluation);
		program_free(&program);
	}
}

/* Every row that has a time is on a day, where the times can be read. */
static void days_check(const struct packed_columns *packed)
{
	static struct segment_days days;
	static size_t numbers[SEGMENT_ROWS];
	const struct column_supply supply = packed_columns_supply(packed);
	struct time_column *time;
	const int64_t *times;
	struct message message;
	int64_t rows = 0;

	segment_columns_begin(columns, &supply);
	if (segment_days_read(&days, columns, &message) != STATUS_OK ||
	    segment_columns_rows(columns, &message) != STATUS_OK ||
	    segment_columns_time(columns, &time, &message) != STATUS_OK ||
	    time_column_read(time, &times, &message) != STATUS_OK)
		return;
	segment_days_count(&days, &columns->present_as, false, numbers, 1, &rows);
	if ((size_t)rows != time->rows - time->without)
		abort();
}

static bool headers_make(const struct packed_columns *packed, struct segment *out)
{
	const struct column_supply supply = packed_columns_supply(packed);
	struct message message;

	segment_columns_begin(columns, &supply);
	return segment_columns_headers(columns, kernels_best(), 0, out, &message) == STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packed_columns packed = {0};
	struct packed_columns again = {0};
	struct message message;

	room_make();
	if (!input_read(data, size, &packed))
		goto cleanup;
	columns_check(&packed);
	times_check(&packed);
	days_check(&packed);
	columns_search(&packed);
	if (!headers_make(&packed, segment))
		goto cleanup;
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
		for (size_t row = 0; row < segment->headers[i].rows; row++)
			header_check(&segment->headers[i], row);
	if (segment_packing_run(packing, segment, kernels_best(), &again, &message) != STATUS_OK ||
	    !headers_make(&again, back))
		abort();
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
		if (segment->headers[i].rows != back->headers[i].rows ||
		    memcmp(segment->headers[i].bytes, back->headers[i].bytes,
			   segment->headers[i].rows * segment->headers[i].stride) != 0)
			abort();
cleanup:
	free(packed.bytes);
	free(again.bytes);
	return 0;
}

#include "segment_columns.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "bitmap/roaring_format.h"
#include "packet/header.h"
#include "rows_format.h"

struct segment_columns *segment_columns_new(void)
{
	return calloc(1, sizeof(struct segment_columns));
}

void segment_columns_free(struct segment_columns *columns)
{
	if (!columns)
		return;
	for (size_t i = 0; i < STORED_TIME; i++)
		coded_column_free(&columns->columns[i]);
	time_column_free(&columns->time);
	column_bytes_free(&columns->rows_bytes);
	for (size_t i = 0; i < 2; i++)
		column_values_free(columns->kept[i].values);
	free(columns->holds);
	free(columns);
}

void segment_columns_begin(struct segment_columns *columns, const struct column_supply *supply)
{
	columns->supply = supply;
	columns->rows = 0;
	columns->has_present = false;
	for (size_t i = 0; i < 2; i++)
		columns->kept[i].of = STORED_ROWS;
	memset(columns->opened, 0, sizeof(columns->opened));
}

uint64_t segment_columns_bytes_read(const struct segment_columns *columns)
{
	uint64_t bytes = columns->rows_bytes.bytes_read + columns->time.bytes.bytes_read;

	for (size_t i = 0; i < STORED_TIME; i++)
		bytes += columns->columns[i].bytes.bytes_read;
	return bytes;
}

static enum status supply_open(const struct segment_columns *columns, enum stored_column column,
			       column_read *read, void **context, size_t *size,
			       struct message *message)
{
	enum status status = columns->supply->open(columns->supply->context, column, read, context,
						   size, message);

	if (status == STATUS_OK && *size == 0)
		return column_bytes_damaged(message, "it is missing");
	return status;
}

/* All columns of a segment have as many rows. */
static enum status rows_agree(struct segment_columns *columns, size_t rows, struct message *message)
{
	if (columns->rows && columns->rows != rows)
		return column_bytes_damaged(message, "it has other rows than another one");
	columns->rows = rows;
	return STATUS_OK;
}

enum status segment_columns_open(struct segment_columns *columns, enum stored_column column,
				 struct coded_column **opened, struct message *message)
{
	column_read read;
	void *context;
	size_t size;
	enum status status;

	*opened = &columns->columns[column];
	if (columns->opened[column])
		return STATUS_OK;
	status = supply_open(columns, column, &read, &context, &size, message);
	if (status == STATUS_OK)
		status = coded_column_open(*opened, read, context, size, message);
	if (status == STATUS_OK)
		status = rows_agree(columns, (*opened)->layers[0].rows, message);
	columns->opened[column] = status == STATUS_OK;
	return status;
}

enum status segment_columns_time(struct segment_columns *columns, struct time_column **time,
				 struct message *message)
{
	column_read read;
	void *context;
	size_t size;
	enum status status;

	*time = &columns->time;
	if (columns->opened[STORED_TIME])
		return STATUS_OK;
	status = supply_open(columns, STORED_TIME, &read, &context, &size, message);
	if (status == STATUS_OK)
		status = time_column_open(*time, read, context, size, message);
	if (status == STATUS_OK)
		status = rows_agree(columns, (*time)->rows, message);
	columns->opened[STORED_TIME] = status == STATUS_OK;
	return status;
}

static enum status rows_read(struct segment_columns *columns, struct container *container,
			     struct message *message)
{
	const uint8_t *bytes;
	column_read read;
	void *context;
	size_t size;
	enum status status = supply_open(columns, STORED_ROWS, &read, &context, &size, message);

	if (status == STATUS_OK)
		status = column_bytes_begin(&columns->rows_bytes, read, context, size, message);
	if (status == STATUS_OK)
		status = column_bytes_get(&columns->rows_bytes, 0, size, &bytes, message);
	if (status != STATUS_OK)
		return status;
	if (size <= ROWS_HEAD_SIZE || bytes[4] > 1 || read_little_endian_32(bytes) > SEGMENT_ROWS)
		return column_bytes_damaged(message, "its rows are none that there can be");
	*container = (struct container){.cardinality = read_little_endian_32(bytes),
					.is_run = bytes[4],
					.size = (uint32_t)(size - ROWS_HEAD_SIZE),
					.bytes = bytes + ROWS_HEAD_SIZE};
	status = container_check(container, message);
	return status == STATUS_OK ? rows_agree(columns, container->cardinality, message) : status;
}

enum status segment_columns_rows(struct segment_columns *columns, struct message *message)
{
	enum status status;

	if (columns->has_present)
		return STATUS_OK;
	status = rows_read(columns, &columns->present_as, message);
	if (status != STATUS_OK)
		return status;
	container_bits(&columns->present_as, &columns->present);
	columns->has_present = true;
	return STATUS_OK;
}

enum status segment_columns_values(struct segment_columns *columns, const struct kernels *kernels,
				   enum stored_column column, const struct column_values **values,
				   struct message *message)
{
	struct kept_values *kept = &columns->kept[0];
	struct coded_column *opened;
	enum status status;

	if (kept->of != column) {
		const struct kept_values last = *kept;

		*kept = columns->kept[1];
		columns->kept[1] = last;
	}
	if (!kept->values)
		kept->values = column_values_new();
	if (!columns->holds)
		columns->holds = malloc(COLUMN_VALUES_MAX * sizeof(*columns->holds));
	if (!kept->values || !columns->holds)
		return message_out_of_memory(message);
	*values = kept->values;
	if (kept->of == column)
		return STATUS_OK;
	kept->of = STORED_ROWS;
	status = segment_columns_open(columns, column, &opened, message);
	if (status == STATUS_OK)
		status = coded_column_values(opened, kernels, kept->values, message);
	if (status == STATUS_OK)
		kept->of = column;
	return status;
}

enum status segment_columns_numbers(struct segment_columns *columns, const struct kernels *kernels,
				    enum stored_column column, uint32_t *numbers,
				    struct message *message)
{
	struct kept_values *scratch = &columns->kept[1];
	struct coded_column *opened;
	enum status status = segment_columns_open(columns, column, &opened, message);

	scratch->of = STORED_ROWS;
	if (!scratch->values && !(scratch->values = column_values_new()))
		return message_out_of_memory(message);
	if (status == STATUS_OK)
		status = coded_column_numbers(opened, kernels, scratch->values, numbers, message);
	return status;
}

/* Where the header of each row goes. */
struct header_places {
	uint32_t at[SEGMENT_ROWS]; /* offset in the headers of its version */
	uint16_t low[SEGMENT_ROWS];
	uint16_t shape[SEGMENT_ROWS];
	struct header_template templates[SHAPE_LAST + 1];
	bool made[SHAPE_LAST + 1];
};

static uint8_t *header_of(const struct segment *segment, const struct header_places *places,
			  size_t row)
{
	const bool is_ipv6 = places->shape[row] & SHAPE_IPV6;

	return segment->headers[is_ipv6 ? SEGMENT_IPV6 : SEGMENT_IPV4].bytes + places->at[row];
}

/* Gives every row a header of its shape. */
static enum status headers_place(struct segment_columns *columns, const struct kernels *kernels,
				 struct segment *segment, struct header_places *places,
				 struct message *message)
{
	const struct column_values *values;
	enum status status =
		segment_columns_values(columns, kernels, STORED_SHAPE, &values, message);

	if (status == STATUS_OK)
		status = segment_columns_rows(columns, message);
	if (status == STATUS_OK)
		status = container_decode(&columns->present_as, places->low, message);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < values->count; i++)
		if (values->is_address[i] || values->numbers[i] > SHAPE_LAST ||
		    !shape_valid(values->numbers[i]))
			return column_bytes_damaged(message, "a shape is that of no header");
	for (size_t row = 0; row < columns->rows; row++) {
		const uint32_t shape = values->numbers[values->places[row]];
		struct packed_headers *headers =
			&segment->headers[shape_version(shape) == 4 ? SEGMENT_IPV4 : SEGMENT_IPV6];

		places->shape[row] = (uint16_t)shape;
		places->at[row] = (uint32_t)(headers->rows * headers->stride);
		headers->low[headers->rows++] = places->low[row];
	}
	segment->outcomes[OUTCOME_HEADER] = columns->rows;
	return STATUS_OK;
}

static enum status ports_place(struct segment_columns *columns, const struct kernels *kernels,
			       enum stored_column column, const struct segment *segment,
			       const struct header_places *places, struct message *message)
{
	const enum column of =
		column == STORED_SOURCE_PORT ? COLUMN_SOURCE_PORT : COLUMN_DESTINATION_PORT;
	const uint32_t offsets[] = {column_offset(of, 4), column_offset(of, 6)};
	const struct column_values *values;
	enum status status = segment_columns_values(columns, kernels, column, &values, message);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < values->count; i++)
		if (values->is_address[i] || values->numbers[i] > UINT16_MAX)
			return column_bytes_damaged(message, "a port is none that there can be");
	for (size_t row = 0; row < columns->rows; row++) {
		const uint32_t port = values->numbers[values->places[row]];
		uint8_t *out =
			header_of(segment, places, row) + offsets[places->shape[row] / SHAPE_IPV6];

		out[0] = (uint8_t)(port >> 8);
		out[1] = (uint8_t)port;
	}
	return STATUS_OK;
}

static enum status addresses_place(struct segment_columns *columns, const struct kernels *kernels,
				   enum stored_column column, const struct segment *segment,
				   const struct header_places *places, struct message *message)
{
	const enum column of = column == STORED_SOURCE ? COLUMN_SOURCE : COLUMN_DESTINATION;
	const uint32_t offsets[] = {column_offset(of, 4), column_offset(of, 6)};
	const struct column_values *values;
	enum status status = segment_columns_values(columns, kernels, column, &values, message);

	if (status != STATUS_OK)
		return status;
	for (size_t row = 0; row < columns->rows; row++) {
		const uint32_t place = values->places[row];
		const unsigned is_ipv6 = places->shape[row] / SHAPE_IPV6;
		uint8_t *out = header_of(segment, places, row) + offsets[is_ipv6];

		if (values->is_address[place] != is_ipv6)
			return column_bytes_damaged(message, "an address is not of its header's "
							     "version");
		if (is_ipv6) {
			memcpy(out, values->addresses[place], VALUE_ADDRESS_SIZE);
			continue;
		}
		for (unsigned i = 0; i < 4; i++)
			out[i] = (uint8_t)(values->numbers[place] >> (24 - 8 * i));
	}
	return STATUS_OK;
}

/* Adds what follows from shape, addresses and ports. */
static void headers_complete(const struct segment_columns *columns, struct header_places *places,
			     struct segment *segment)
{
	struct header_template *templates = places->templates;
	size_t rows[SEGMENT_VERSIONS] = {0};

	for (size_t row = 0; row < columns->rows; row++) {
		const uint32_t shape = places->shape[row];
		const unsigned version = shape_version(shape);
		const size_t which = version == 4 ? SEGMENT_IPV4 : SEGMENT_IPV6;
		uint8_t body[HEADER_IPV6_BODY_SIZE];
		uint8_t *header = header_of(segment, places, row);

		if (!places->made[shape]) {
			header_template_make(version, shape_protocol(shape), shape & SHAPE_ICMP,
					     &templates[shape]);
			places->made[shape] = true;
		}
		if (version == 4) {
			memcpy(body, header + HEADER_IPV4_BODY, HEADER_IPV4_BODY_SIZE);
			header_fill_ipv4(&templates[shape], body, header);
		} else {
			memcpy(body, header + HEADER_IPV6_BODY, HEADER_IPV6_BODY_SIZE);
			header_fill_ipv6(&templates[shape], body, header);
		}
		segment->headers[which].captured[rows[which]++] =
			(uint8_t)(segment->headers[which].stride - 4 + templates[shape].behind);
	}
}

enum status segment_columns_headers(struct segment_columns *columns, const struct kernels *kernels,
				    int64_t number, struct segment *segment,
				    struct message *message)
{
	struct header_places *places = calloc(1, sizeof(*places));
	enum status status = places ? STATUS_OK : message_out_of_memory(message);

	segment_reset(segment, number);
	if (status == STATUS_OK)
		status = headers_place(columns, kernels, segment, places, message);
	for (int column = STORED_SOURCE_PORT;
	     status == STATUS_OK && column <= STORED_DESTINATION_PORT; column++)
		status = ports_place(columns, kernels, (enum stored_column)column, segment, places,
				     message);
	for (int column = STORED_SOURCE; status == STATUS_OK && column <= STORED_DESTINATION;
	     column++)
		status = addresses_place(columns, kernels, (enum stored_column)column, segment,
					 places, message);
	if (status == STATUS_OK)
		headers_complete(columns, places, segment);
	free(places);
	return status;
}

enum status segment_columns_times(struct segment_columns *columns, struct segment *segment,
				  struct message *message)
{
	struct time_column *time;
	const int64_t *times;
	enum status status = segment_columns_time(columns, &time, message);

	if (status == STATUS_OK)
		status = time_column_read(time, &times, message);
	if (status == STATUS_OK)
		status = segment_columns_rows(columns, message);
	for (size_t word = 0; status == STATUS_OK && word < SEGMENT_WORDS; word++)
		for (uint64_t left = columns->present.words[word]; left; left &= left - 1)
			segment->times[word * 64 + (size_t)__builtin_ctzll(left)] = *times++;
	segment->timed = status == STATUS_OK;
	return status;
}

size_t packed_columns_size(const struct packed_columns *packed)
{
	size_t size = 0;

	for (size_t i = 0; i < STORED_COLUMNS; i++)
		size += packed->sizes[i];
	return size;
}

static enum status packed_read(void *context, size_t at, size_t size, uint8_t *out,
			       struct message *message)
{
	(void)message;
	memcpy(out, (const uint8_t *)context + at, size);
	return STATUS_OK;
}

static enum status packed_open(void *context, enum stored_column column, column_read *read,
			       void **read_context, size_t *size, struct message *message)
{
	const struct packed_columns *packed = context;
	uint8_t *bytes = packed->bytes;

	(void)message;
	for (int i = 0; i < (int)column; i++)
		bytes += packed->sizes[i];
	*read = packed_read;
	*read_context = bytes;
	*size = packed->sizes[column];
	return STATUS_OK;
}

struct column_supply packed_columns_supply(const struct packed_columns *packed)
{
	return (struct column_supply){.open = packed_open, .context = (void *)packed};
}

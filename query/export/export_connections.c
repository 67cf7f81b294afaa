#include "export_connections.h"

#include <stdlib.h>
#include <string.h>

#include "base/big_endian.h"
#include "base/rowid.h"
#include "column/segment_columns.h"
#include "index/column_reader.h"
#include "packet/header.h"
#include "packet/instant.h"

const struct native_column export_connection_columns[EXPORT_CONNECTION_COLUMNS] = {
	TABLE_EXPORT_HEAD,
	{"segment", "Int64", false},
	{"rowid", "Int64", false},
	{"time", "Nullable(DateTime64(6, 'UTC'))", true},
	{"protocol", "UInt8", false},
	{"source", "IPv6", false},
	{"destination", "IPv6", false},
	{"source_port", "UInt16", false},
	{"destination_port", "UInt16", false},
	{"icmp_type", "Nullable(UInt8)", true},
	{"icmp_code", "Nullable(UInt8)", true},
	{"gone", "UInt8", false},
};

struct connections_export {
	const struct table_export *table;
	struct column_reader *reader;
	struct segment_columns *columns;
	struct segment *segment;
	struct exported_connections *exported;
	struct message *message;
};

/* A connection as its header has it. */
struct header_values {
	uint8_t protocol;
	uint8_t addresses[2][16]; /* an IPv4 address as ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2 */
	uint16_t ports[2];
	bool has_icmp;
	uint8_t icmp[2];
};

static void header_read(const uint8_t *header, size_t captured, unsigned version,
			struct header_values *values)
{
	const size_t size = version == 4 ? 20 : 40;
	const size_t width = version == 4 ? 4 : 16;

	*values = (struct header_values){.protocol = header[version == 4 ? 9 : 6]};
	for (size_t i = 0; i < 2; i++) {
		if (version == 4)
			values->addresses[i][10] = values->addresses[i][11] = 0xff;
		memcpy(values->addresses[i] + 16 - width, header + size - (2 - i) * width, width);
	}
	if (captured == size + 4) {
		values->ports[0] = read_big_endian_16(header + size);
		values->ports[1] = read_big_endian_16(header + size + 2);
	}
	values->has_icmp = captured == size + 2;
	if (values->has_icmp)
		memcpy(values->icmp, header + size, 2);
}

static enum status connection_row(const struct connections_export *export, int64_t rowid,
				  int64_t time, const struct header_values *values, bool gone)
{
	struct native_file *file = export->table->file;

	table_export_head(export->table);
	native_file_number(file, (uint64_t)segment_of(rowid), 8);
	native_file_number(file, (uint64_t)rowid, 8);
	if (time == INSTANT_NONE)
		native_file_null(file, 8);
	else
		native_file_number(file, (uint64_t)time, 8);
	native_file_number(file, values->protocol, 1);
	native_file_bytes(file, values->addresses[0], 16);
	native_file_bytes(file, values->addresses[1], 16);
	native_file_number(file, values->ports[0], 2);
	native_file_number(file, values->ports[1], 2);
	for (size_t i = 0; i < 2; i++)
		if (values->has_icmp)
			native_file_number(file, values->icmp[i], 1);
		else
			native_file_null(file, 1);
	native_file_number(file, gone, 1);
	return native_file_row(file, export->message);
}

static enum status segment_write(struct connections_export *export)
{
	const struct segment *segment = export->segment;
	const int64_t log_first = export->table->moment->index->log_first;
	enum status status = STATUS_OK;

	for (size_t version = 0; version < SEGMENT_VERSIONS; version++) {
		const struct packed_headers *headers = &segment->headers[version];

		for (size_t i = 0; status == STATUS_OK && i < headers->rows; i++) {
			const int64_t rowid = segment_first_row(segment->number) | headers->low[i];
			struct header_values values;

			if (rowid < log_first)
				continue;
			header_read(headers->bytes + i * headers->stride, headers->captured[i],
				    version == SEGMENT_IPV4 ? 4 : 6, &values);
			status = connection_row(export, rowid,
						segment->timed ? segment->times[headers->low[i]]
							       : INSTANT_NONE,
						&values, false);
			export->exported->written++;
		}
	}
	return status;
}

/* Rows of the segment that the log still has. */
static uint64_t segment_rows(const struct connections_export *export)
{
	const struct segment *segment = export->segment;
	uint64_t rows = 0;

	for (size_t version = 0; version < SEGMENT_VERSIONS; version++)
		for (size_t i = 0; i < segment->headers[version].rows; i++)
			rows += (segment_first_row(segment->number) |
				 segment->headers[version].low[i]) >=
				export->table->moment->index->log_first;
	return rows;
}

static enum status segment_unpack(struct connections_export *export, int64_t number,
				  const struct packed_columns *packed)
{
	const struct column_supply supply = packed_columns_supply(packed);
	struct message cause;
	enum status status;

	segment_columns_begin(export->columns, &supply);
	status = segment_columns_headers(export->columns, kernels_best(), number, export->segment,
					 &cause);
	if (status == STATUS_OK && packed->sizes[STORED_TIME])
		status = segment_columns_times(export->columns, export->segment, &cause);
	return status == STATUS_OK ? status
				   : column_reader_damaged(number, &cause, export->message);
}

/* What the rows of a segment follow from. */
static void segment_digest(const struct packed_columns *packed, int64_t number, int64_t log_first,
			   char digest[static DIGEST_SHORT_SIZE])
{
	SHA2_CTX state;

	SHA256Init(&state);
	for (size_t i = 0; i < STORED_COLUMNS; i++) {
		uint8_t size[4];

		write_big_endian_32(size, (uint32_t)packed->sizes[i]);
		SHA256Update(&state, size, sizeof(size));
	}
	SHA256Update(&state, packed->bytes, packed_columns_size(packed));
	if (log_first > segment_first_row(number)) {
		uint8_t place[4];

		write_big_endian_32(place, segment_place(log_first));
		SHA256Update(&state, place, sizeof(place));
	}
	export_digest_end_short(&state, digest);
}

static enum status segment_export(struct connections_export *export, int64_t number)
{
	const int64_t log_first = export->table->moment->index->log_first;
	struct manifest_item item = {.place = number};
	struct packed_columns packed = {0};
	const struct manifest_item *known;
	bool changed;
	enum status status = column_reader_copy(export->reader, number, &packed, export->message);

	if (status != STATUS_OK)
		return status;
	segment_digest(&packed, number, log_first, item.digest);
	/* One that is the same has as many rows as were exported. */
	known = table_export_same(export->table, &item);
	if (!known)
		status = segment_unpack(export, number, &packed);
	free(packed.bytes);
	item.rows = known ? known->rows : segment_rows(export);
	if (status != STATUS_OK || item.rows == 0)
		return status;
	export->exported->rows += item.rows;
	status = table_export_item(export->table, &item, &changed, export->message);
	if (status == STATUS_OK && changed)
		status = segment_write(export);
	return status;
}

/* Tells of segments that have no rows any more. */
static enum status gone_write(struct connections_export *export)
{
	static const struct header_values none = {0};
	const struct manifest_items *before = export->table->before;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && before && i < before->count; i++)
		if (!before->items[i].filter && !before->items[i].seen)
			status = connection_row(export, segment_first_row(before->items[i].place),
						INSTANT_NONE, &none, true);
	return status;
}

static enum status segments_export(struct connections_export *export)
{
	struct moment *moment = export->table->moment;
	const struct answer_index *index = moment->index;
	int64_t number = segment_of(index->log_first);
	bool found;
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		status = column_reader_next(export->reader, number, &number, &found,
					    export->message);
		if (status != STATUS_OK || !found)
			break;
		status = segment_export(export, number++);
		if (status == STATUS_OK && moment_pause_due(moment)) {
			column_reader_rest(export->reader);
			status = moment_pause(moment, export->message);
		}
	}
	if (status == STATUS_OK && index->log_first == INT64_MIN)
		status = column_reader_complete(&index->source, export->exported->rows,
						export->message);
	return status;
}

enum status export_connections_write(const struct table_export *table,
				     struct exported_connections *exported, struct message *message)
{
	const struct answer_index *index = table->moment->index;
	struct connections_export export = {.table = table,
					    .columns = segment_columns_new(),
					    .segment = segment_new(),
					    .exported = exported,
					    .message = message};
	enum status status =
		export.columns && export.segment ? STATUS_OK : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = column_reader_open(table->moment->database, index->database_name,
					    &index->source, &export.reader, message);
	if (status == STATUS_OK)
		status = segments_export(&export);
	column_reader_close(export.reader);
	if (status == STATUS_OK)
		status = gone_write(&export);
	segment_columns_free(export.columns);
	segment_free(export.segment);
	return status;
}

#include "stored_headers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "column_reader.h"
#include "packet/instant.h"
#include "packet/segment.h"

/* The header of a row id in a segment. */
struct placed {
	const uint8_t *header; /* NULL where it has none */
	size_t captured;
};

struct stored_headers {
	struct column_reader *reader;
	struct segment *segment; /* read last, with any */
	bool any;
	bool with_times;
	int64_t time;	       /* of the row that was found last */
	struct placed *placed; /* its headers by the lower 16 bits of the row id */
};

enum status stored_headers_open(sqlite3 *database, const char *database_name,
				const struct index_source *source, bool with_times,
				struct stored_headers **headers, struct message *message)
{
	struct stored_headers *opened = calloc(1, sizeof(*opened));
	enum status status = STATUS_OK;

	*headers = opened;
	if (!opened)
		return message_out_of_memory(message);
	opened->with_times = with_times;
	opened->segment = segment_new();
	opened->placed = calloc(SEGMENT_ROWS, sizeof(*opened->placed));
	if (!opened->segment || !opened->placed)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = column_reader_open(database, database_name, source, &opened->reader,
					    message);
	if (status != STATUS_OK) {
		stored_headers_close(opened);
		*headers = NULL;
	}
	return status;
}

/* Notes where the header of each row id of the segment is; NULL for those without. */
static void headers_place(struct stored_headers *headers)
{
	const struct segment *segment = headers->segment;

	memset(headers->placed, 0, SEGMENT_ROWS * sizeof(*headers->placed));
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++) {
		const struct packed_headers *packed = &segment->headers[i];

		for (size_t row = 0; row < packed->rows; row++)
			headers->placed[packed->low[row]] = (struct placed){
				packed->bytes + row * packed->stride, packed->captured[row]};
	}
}

enum status stored_headers_find(struct stored_headers *headers, int64_t rowid,
				const uint8_t **header, size_t *captured, struct message *message)
{
	const struct placed *placed = &headers->placed[segment_place(rowid)];

	if (!headers->any || headers->segment->number != segment_of(rowid)) {
		enum status status =
			column_reader_headers(headers->reader, segment_of(rowid),
					      headers->with_times, headers->segment, message);

		if (status != STATUS_OK)
			return status;
		headers->any = true;
		headers_place(headers);
	}
	*header = placed->header;
	*captured = placed->captured;
	headers->time = placed->header && headers->segment->timed
				? headers->segment->times[segment_place(rowid)]
				: INSTANT_NONE;
	return STATUS_OK;
}

int64_t stored_headers_time(const struct stored_headers *headers)
{
	return headers->time;
}

void stored_headers_close(struct stored_headers *headers)
{
	if (!headers)
		return;
	column_reader_close(headers->reader);
	segment_free(headers->segment);
	free(headers->placed);
	free(headers);
}

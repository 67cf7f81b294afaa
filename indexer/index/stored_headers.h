/* The headers that an index has stored, by row id: those that its answers were made of. */
#ifndef CONNBITS_INDEX_STORED_HEADERS_H
#define CONNBITS_INDEX_STORED_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index_reader.h"

struct stored_headers;

/*
 * Of a source whose headers are stored; with_times its times too. The database has to
 * outlive *headers; free with stored_headers_close.
 */
enum status stored_headers_open(sqlite3 *database, const char *database_name,
				const struct index_source *source, bool with_times,
				struct stored_headers **headers, struct message *message);

/*
 * Finds the header of a row, cheaply where row ids ascend: *header is valid until
 * the next call, and NULL of a row without one.
 */
enum status stored_headers_find(struct stored_headers *headers, int64_t rowid,
				const uint8_t **header, size_t *captured, struct message *message);

/* The time of the row that was found last, INSTANT_NONE where it has none. */
int64_t stored_headers_time(const struct stored_headers *headers);

/* NULL is fine. */
void stored_headers_close(struct stored_headers *headers);

#endif

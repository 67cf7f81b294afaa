/* The headers that an index has stored, by row id: those that its answers were made of. */
#ifndef CONNBITS_SHOW_STORED_HEADERS_H
#define CONNBITS_SHOW_STORED_HEADERS_H

#include <stddef.h>
#include <stdint.h>

#include "ask/answer_index.h"
#include "base/message.h"
#include "database/sqlite.h"

struct stored_headers;

/* Of an index that has any. It has to outlive *headers; free with stored_headers_close. */
enum status stored_headers_open(sqlite3 *database, const struct answer_index *index,
				struct stored_headers **headers, struct message *message);

/*
 * Finds the header of a row, cheaply where row ids ascend: *header is valid until
 * the next call, and NULL of a row without one.
 */
enum status stored_headers_find(struct stored_headers *headers, int64_t rowid,
				const uint8_t **header, size_t *captured, struct message *message);

/* NULL is fine. */
void stored_headers_close(struct stored_headers *headers);

#endif

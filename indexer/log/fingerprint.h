/*
 * A few rows of the log, remembered by their row id and a hash of what they
 * say, to see later whether an index still fits its log.
 */
#ifndef CONNBITS_LOG_FINGERPRINT_H
#define CONNBITS_LOG_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "layout.h"

enum {
	FINGERPRINT_SAMPLES = 64,
	FINGERPRINT_BYTES = 16, /* of one sample: row id, hash; little-endian */
};

struct fingerprint {
	size_t count; /* 0 to FINGERPRINT_SAMPLES */
	uint8_t bytes[FINGERPRINT_SAMPLES * FINGERPRINT_BYTES];
};

/*
 * Samples rows spread over the row ids first to last, the first and the last
 * row among them, and the others in the middle of the widest gap each.
 * database_name is the attached name of the log ("main").
 */
enum status fingerprint_take(sqlite3 *log, const char *database_name, const struct layout *layout,
			     int64_t first, int64_t last, struct fingerprint *fingerprint,
			     struct message *message);

/*
 * STATUS_OK with *cause empty if every sampled row is as it was, or lies before
 * the log's first row: old rows may be deleted. Else *cause says what does not
 * fit. With tracked, rows that the log's triggers have noted (notes_writer.h) may be
 * anything.
 */
enum status fingerprint_check(sqlite3 *log, const char *database_name, const struct layout *layout,
			      const struct fingerprint *fingerprint, bool tracked,
			      struct message *cause, struct message *message);

#endif

/*
 * What reads one format. A parser is given bytes of its input as they come and takes as
 * many whole rows as they hold.
 */
#ifndef CONNBITS_IMPORT_PARSER_H
#define CONNBITS_IMPORT_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/message.h"
#include "head_digest.h"
#include "intake.h"

enum {
	LINE_MAX_BYTES = 1 << 20,
	BATCH_ROWS = 2048,
};

/* What the user says of a text log. */
struct parser_options {
	const char *table;     /* NULL: the format's own name for it */
	const char *file_name; /* of the input, without folders; NULL for standard input */
	const char *source; /* how the table is read already, as lines of [source]; NULL without */
	const char *source_columns; /* of the file for which that was said */
	const char *const *map;	    /* "source_host=COLUMN", ...: keys of [source] */
	size_t map_count;
};

struct parser {
	/*
	 * Takes whole rows and sets *used to the bytes that they and what was skipped take. The
	 * bytes lie in the intake's batch, and values may point to them. last: no more will come. A
	 * row that cannot be read is a fault of the intake; other than STATUS_OK ends the import.
	 */
	enum status (*take)(void *state, struct intake *intake, const char *bytes, size_t size,
			    bool last, size_t *used, struct message *message);
	/*
	 * In its place, where the format is read by a library: adds rows until the batch is
	 * worth writing; *done at the end. The offset counts packets.
	 */
	enum status (*fill)(struct parser *parser, struct intake *intake, bool *done,
			    struct message *message);
	void (*free)(void *state);
	void *state;
	/* What was skipped is not what was taken before: it is another file. */
	bool differs;
	/* Of such packets, how many there are and their digest. */
	uint64_t skipped;
	uint8_t skipped_digest[HEAD_DIGEST_SIZE];
	/* Bytes of the head that are needed also where the rows before an offset are not. */
	size_t header_size;
};

/* What is said where a parser differs and its input cannot be begun again. */
extern const char parser_differs_text[];

/* Gives one line without its end to a parser. */
typedef enum status (*line_taker)(void *state, struct intake *intake, const char *line, size_t size,
				  struct message *message);

/* `take` of a parser of lines: counts them, and skips those that are empty or too long. */
enum status parser_lines(void *state, struct intake *intake, const char *bytes, size_t size,
			 bool last, size_t *used, line_taker take, struct message *message);

#endif

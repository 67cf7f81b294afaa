/*
 * A parser on a thread of its own, ahead of whoever writes by a few batches: so parsing,
 * unpacking and reading cost no time where there is another core.
 */
#ifndef CONNBITS_IMPORT_BATCH_FEED_H
#define CONNBITS_IMPORT_BATCH_FEED_H

#include <stdint.h>

#include "base/message.h"
#include "input.h"
#include "intake.h"
#include "parser.h"

struct batch_feed;

/* Where the input is, and how it is gone on with. */
struct feed_start {
	uint64_t offset; /* of the bytes that come next, or packets that were taken */
	uint64_t lines;	 /* before them */
	bool grows;	 /* a last line without an end that cannot be read is left for later */
	/* What the parser is given first where the offset is not 0. */
	const char *header;
	size_t header_size;
};

/* Begins. All that is given has to outlive the feed. Free with batch_feed_close. */
enum status batch_feed_open(struct parser *parser, struct input *input, struct intake *intake,
			    const struct feed_start *start, struct batch_feed **feed,
			    struct message *message);

/*
 * Gives the next batch, which is the caller's until the next call; NULL at the end, or where
 * none came within a second: *waits then. Where the parser failed, what it gave before
 * comes first.
 */
enum status batch_feed_next(struct batch_feed *feed, const struct row_batch **batch, bool *waits,
			    struct message *message);

/* Ends the thread; the intake's faults can be read then. */
void batch_feed_close(struct batch_feed *feed);

#endif

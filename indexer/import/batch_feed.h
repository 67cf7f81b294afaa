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

/*
 * Begins. offset and lines: where the input is, with what was taken before. What cannot be
 * read of a last line without an end is left for later where `grows`. All that is given has
 * to outlive the feed. Free with batch_feed_close.
 */
enum status batch_feed_open(struct parser *parser, struct input *input, struct intake *intake,
			    uint64_t offset, uint64_t lines, bool grows, struct batch_feed **feed,
			    struct message *message);

/*
 * Gives the next batch, which is the caller's until the next call; NULL at the end. Where the
 * parser failed, what it gave before comes first.
 */
enum status batch_feed_next(struct batch_feed *feed, const struct row_batch **batch,
			    struct message *message);

/* Ends the thread; the intake's faults can be read then. */
void batch_feed_close(struct batch_feed *feed);

#endif

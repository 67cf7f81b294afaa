/*
 * The headers of a segment to its stored columns. The same headers are always
 * the same bytes.
 */
#ifndef CONNBITS_COLUMN_SEGMENT_PACKING_H
#define CONNBITS_COLUMN_SEGMENT_PACKING_H

#include "base/message.h"
#include "bitmap/kernel.h"
#include "packet/segment.h"
#include "segment_columns.h"

/* What one thread works with. */
struct segment_packing;

/* NULL without memory. Free with segment_packing_free. */
struct segment_packing *segment_packing_new(void);

/* Packs the headers. On success the caller frees packed->bytes with free. */
enum status segment_packing_run(struct segment_packing *packing, const struct segment *segment,
				const struct kernels *kernels, struct packed_columns *packed,
				struct message *message);

void segment_packing_free(struct segment_packing *packing);

#endif

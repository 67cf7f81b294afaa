/* Any bytes as packed headers: what unpacks is made of proper headers, and packs to the same. */
#include <stdlib.h>
#include <string.h>

#include "bitmap/kernel.h"
#include "packet/header.h"
#include "packet/segment_packing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void header_check(const struct packed_headers *headers, size_t row)
{
	const uint8_t *header = headers->bytes + row * headers->stride;
	const size_t fixed = headers->stride - 4;
	const size_t captured = headers->captured[row];

	if (captured != fixed && captured != fixed + 2 && captured != fixed + 4)
		abort();
	if (header[0] != (fixed == 20 ? 0x45 : 0x60) || header_wire_length(header) < fixed)
		abort();
	for (size_t i = captured; i < headers->stride; i++)
		if (header[i])
			abort();
	if (row && headers->low[row] <= headers->low[row - 1])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment *segment = segment_new();
	struct segment *back = segment_new();
	struct message message;
	uint8_t *bytes;
	size_t length;

	if (!segment || !back ||
	    segment_packing_decode(data, size, 0, segment, &message) != STATUS_OK)
		goto cleanup;
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
		for (size_t row = 0; row < segment->headers[i].rows; row++)
			header_check(&segment->headers[i], row);
	if (segment_packing_encode(segment, kernels_best(), &bytes, &length, &message) !=
		    STATUS_OK ||
	    segment_packing_decode(bytes, length, 0, back, &message) != STATUS_OK)
		abort();
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
		if (segment->headers[i].rows != back->headers[i].rows ||
		    memcmp(segment->headers[i].bytes, back->headers[i].bytes,
			   segment->headers[i].rows * segment->headers[i].stride) != 0)
			abort();
	free(bytes);
cleanup:
	segment_free(segment);
	segment_free(back);
	return 0;
}

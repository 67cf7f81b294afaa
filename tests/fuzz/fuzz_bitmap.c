/* Any bytes as a stored bitmap: what passes the check, CRoaring has to read as declared. */
#include <roaring/roaring.h>
#include <stdlib.h>

#include "bitmap/roaring_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message message;
	uint64_t rows;
	uint16_t first;
	uint16_t last;
	roaring_bitmap_t *bits;

	if (roaring_format_check(data, size, &rows, &first, &last, &message) != STATUS_OK)
		return 0;
	bits = roaring_bitmap_portable_deserialize_safe((const char *)data, size);
	if (!bits || roaring_bitmap_get_cardinality(bits) != rows)
		abort();
	if (rows > 0 && (roaring_bitmap_minimum(bits) >> 16 != first ||
			 roaring_bitmap_maximum(bits) >> 16 != last))
		abort();
	roaring_bitmap_free(bits);
	return 0;
}

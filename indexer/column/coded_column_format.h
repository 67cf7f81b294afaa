/* Sizes in bytes that whoever writes a column and whoever reads it share: coded_column.h. */
#ifndef CONNBITS_COLUMN_CODED_COLUMN_FORMAT_H
#define CONNBITS_COLUMN_CODED_COLUMN_FORMAT_H

#include <stddef.h>

enum {
	COLUMN_HEAD_SIZE = 1,
	COLUMN_LAYER_SIZE = 24,
};

/* Of one plane as it is stored. */
static inline size_t column_plane_size(size_t rows)
{
	return (rows + 63) / 64 * 8;
}

#endif

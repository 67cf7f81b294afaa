#include "header_column.h"

#include "connection.h"
#include "protocol.h"

bool shape_valid(uint32_t shape)
{
	return !(shape & SHAPE_ICMP) || protocol_is_icmp(shape_protocol(shape));
}

uint32_t column_last(uint32_t column)
{
	switch (column) {
	case COLUMN_SHAPE:
		return SHAPE_LAST;
	case COLUMN_SOURCE_PORT:
	case COLUMN_DESTINATION_PORT:
		return UINT16_MAX;
	default:
		return UINT32_MAX;
	}
}

uint32_t column_offset(enum column column, unsigned version)
{
	const uint32_t fixed = version == 4 ? 20 : 40;

	switch (column) {
	case COLUMN_SOURCE_PORT:
		return fixed;
	case COLUMN_DESTINATION_PORT:
		return fixed + 2;
	default:
		if (column >= COLUMN_DESTINATION)
			return (version == 4 ? 16 : 24) + (column - COLUMN_DESTINATION) * 4U;
		return (version == 4 ? 12 : 8) + (column - COLUMN_SOURCE) * 4U;
	}
}

static enum column address_at(uint32_t offset, uint32_t size, unsigned *shift)
{
	const enum column first = offset < size ? COLUMN_SOURCE : COLUMN_DESTINATION;

	*shift = 24 - 8 * (offset % 4);
	return (enum column)(first + offset % size / 4);
}

enum column column_at(unsigned version, uint32_t offset, unsigned *shift)
{
	const uint32_t fixed = version == 4 ? 20 : 40;
	const uint32_t addresses = version == 4 ? 12 : 8;

	*shift = 0;
	if (offset == (version == 4 ? 9 : 6))
		return COLUMN_SHAPE;
	if (offset >= fixed + 4 || offset < addresses)
		return COLUMN_COUNT;
	if (offset < fixed)
		return address_at(offset - addresses, version == 4 ? 4 : 16, shift);
	*shift = 8 - 8 * (offset % 2);
	return offset < fixed + 2 ? COLUMN_SOURCE_PORT : COLUMN_DESTINATION_PORT;
}

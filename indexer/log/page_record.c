#include "page_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/big_endian.h"
#include "database/page_format.h"

enum {
	HEADER_MAX = 98307,   /* bytes that SQLite allows a record's header (vdbe.c) */
	PREFIX_MAX = 1 << 20, /* bytes of a record that are gathered from overflow pages */
	TYPE_REAL = 7,
	TYPE_ZERO = 8,
	TYPE_ONE = 9,
};

struct page_record {
	struct page_file *file;
	uint8_t *prefix; /* of a record that does not lie in its leaf */
	size_t room;
	uint8_t *page; /* of overflow */
	uint32_t page_room;
};

/* Where a column's value lies in its record. */
struct value_place {
	uint32_t type;
	uint32_t size;
	uint64_t offset;
};

static bool no(const char **why, const char *reason)
{
	*why = reason;
	return false;
}

static bool damaged(const char **why)
{
	return no(why, "a row of the log is damaged, or of a kind that SQLite alone may read");
}

struct page_record *page_record_new(struct page_file *file)
{
	struct page_record *record = calloc(1, sizeof(*record));

	if (record)
		record->file = file;
	return record;
}

void page_record_free(struct page_record *record)
{
	if (!record)
		return;
	free(record->prefix);
	free(record->page);
	free(record);
}

static bool rooms_make(struct page_record *record, size_t size, uint32_t page_size,
		       const char **why)
{
	if (record->room < size) {
		free(record->prefix);
		record->prefix = malloc(size + PAGE_CELL_BEHIND);
		record->room = record->prefix ? size : 0;
	}
	if (record->page_room < page_size) {
		free(record->page);
		record->page = malloc(page_size);
		record->page_room = record->page ? page_size : 0;
	}
	if (!record->prefix || !record->page)
		return no(why, "there is not enough memory to read pages");
	return true;
}

/*
 * The first `wanted` bytes of a record, in one piece. Where a file has pointers back (auto-vacuum)
 * SQLite may find the second page of a chain by these and not by the chain.
 */
static const uint8_t *prefix_gather(struct page_record *record, const struct page_cell *cell,
				    uint64_t wanted, const char **why)
{
	const struct page_geometry *geometry = page_file_geometry(record->file);
	const size_t a_page = geometry->usable - 4;
	const size_t size = wanted < PREFIX_MAX ? (size_t)wanted : PREFIX_MAX;
	uint32_t page = cell->overflow;
	size_t have = cell->local;

	if (wanted <= have)
		return cell->bytes;
	/* As SQLite holds it against the file (sqlite3BtreeMaxRecordSize): a chain may be a circle.
	 */
	if (wanted > (uint64_t)geometry->page_size * geometry->pages) {
		damaged(why);
		return NULL;
	}
	if (wanted > PREFIX_MAX || (geometry->auto_vacuum && size - have > a_page)) {
		no(why, "a row of the log is longer than is read by page");
		return NULL;
	}
	if (!rooms_make(record, size, geometry->page_size, why))
		return NULL;
	memcpy(record->prefix, cell->bytes, have);
	while (have < size) {
		const size_t part = size - have < a_page ? size - have : a_page;

		if (!page_file_read(record->file, page, 1, record->page, why))
			return NULL;
		memcpy(record->prefix + have, record->page + 4, part);
		page = read_big_endian_32(record->page);
		have += part;
	}
	return record->prefix;
}

/*
 * Finds the values. The header has `size` bytes; *found of the columns are there. Judges as
 * OP_Column of SQLite's vdbe.c does for the last one, and is stricter with types that are reserved.
 */
static bool values_find(const uint8_t *header, uint32_t size, uint32_t payload,
			const struct page_columns *columns, struct value_place *places,
			size_t *found, const char **why)
{
	uint32_t ignored;
	size_t at = page_varint_read_31(header, size, &ignored);
	uint64_t offset = size;
	size_t item = 0;

	for (uint32_t place = 0; item < columns->count && at < size; place++) {
		uint32_t type;
		const size_t length = page_varint_read_31(header + at, size - at, &type);

		if (length == 0 || type == 10 || type == 11)
			return damaged(why);
		at += length;
		if (place == columns->items[item].place)
			places[item++] =
				(struct value_place){.type = type,
						     .size = (uint32_t)page_type_size(type),
						     .offset = offset};
		offset += page_type_size(type);
	}
	if (offset > payload || (at == size && offset != payload))
		return damaged(why);
	*found = item;
	return true;
}

/*
 * A number in two's complement, by its type: of 1, 2, 3, 4, 6 or 8 bytes, or of none, 0 and 1.
 * Eight bytes are read, whose last ones go out by the shift.
 */
static inline int64_t integer_read(const uint8_t *bytes, uint32_t type)
{
	static const uint8_t shifts[TYPE_ONE + 1] = {0, 56, 48, 40, 32, 16, 0};

	return type < TYPE_ZERO ? (int64_t)read_big_endian_64(bytes) >> shifts[type]
				: (int64_t)(type - TYPE_ZERO);
}

static void real_set(struct field *field, double real)
{
	/* SQLite has no such number: sqlite3VdbeSerialGet makes it NULL. */
	field->kind = real == real ? FIELD_REAL : FIELD_NULL;
	field->real = real;
}

static inline void integer_set(struct field *field, int64_t integer, bool real)
{
	if (real) {
		real_set(field, (double)integer);
		return;
	}
	field->kind = FIELD_INTEGER;
	field->integer = integer;
}

static void real_read(const uint8_t *bytes, struct field *field)
{
	const uint64_t bits = read_big_endian_64(bytes);
	double number;

	memcpy(&number, &bits, sizeof(number));
	real_set(field, number);
}

static inline __attribute__((always_inline)) void
value_read(const uint8_t *record, const struct value_place *place, bool real, struct field *field)
{
	const uint8_t *bytes = record + place->offset;

	if (place->type >= PAGE_TYPE_BLOB) {
		field->kind = place->type % 2 ? FIELD_TEXT : FIELD_BLOB;
		field->text = (const char *)bytes;
		field->length = place->size;
	} else if (place->type == 0) {
		field->kind = FIELD_NULL;
	} else if (place->type == TYPE_REAL) {
		real_read(bytes, field);
	} else {
		integer_set(field, integer_read(bytes, place->type), real);
	}
}

/* Sizes of values by types of one byte; QUICK_NOT for what is read at leisure. */
enum { QUICK_NOT = 0x80 };

#define SIZES_2(n) n, n
#define SIZES_8(n) SIZES_2(n), SIZES_2((n) + 1), SIZES_2((n) + 2), SIZES_2((n) + 3)
#define SIZES_32(n) SIZES_8(n), SIZES_8((n) + 4), SIZES_8((n) + 8), SIZES_8((n) + 12)

static const uint8_t quick_sizes[256] = {
	0,
	1,
	2,
	3,
	4,
	6,
	8,
	8,
	0,
	0,
	QUICK_NOT,
	QUICK_NOT,
	SIZES_2(0),
	SIZES_2(1),
	SIZES_8(2),
	SIZES_8(6),
	SIZES_32(10),
	SIZES_32(26),
	SIZES_8(42),
	SIZES_8(46),
	SIZES_8(50),
	SIZES_2(54),
	SIZES_2(55),
	SIZES_2(56),
	SIZES_2(57),
	[128 ... 255] = QUICK_NOT,
};

#undef SIZES_2
#undef SIZES_8
#undef SIZES_32

/*
 * The usual record: a header of types of one byte with every column that is wanted, and values that
 * lie in the leaf. False, and nothing said, where it is another; then the way below judges.
 */
static bool quick_read(const struct page_cell *cell, const struct page_columns *columns,
		       struct field *fields)
{
	const uint8_t *bytes = cell->bytes;
	const size_t header = bytes[0];
	const size_t count = columns->count;
	size_t offset = header;
	size_t at = 1;
	uint8_t sizes = 0;

	if (header >= QUICK_NOT || header > cell->local || count == 0 ||
	    columns->items[count - 1].place + (size_t)1 >= header)
		return false;
	for (size_t i = 0; i < count; i++) {
		const size_t end = columns->items[i].place + (size_t)1;
		struct value_place place;

		for (; at < end; at++) {
			sizes |= quick_sizes[bytes[at]];
			offset += quick_sizes[bytes[at]];
		}
		place = (struct value_place){
			.type = bytes[at], .size = quick_sizes[bytes[at]], .offset = offset};
		sizes |= quick_sizes[bytes[at++]];
		offset += place.size;
		if (sizes & QUICK_NOT || offset > cell->local)
			return false;
		value_read(bytes, &place, columns->items[i].real, &fields[columns->items[i].field]);
	}
	return at < header || offset == cell->payload;
}

bool page_record_read(struct page_record *record, const struct page_cell *cell,
		      const struct page_columns *columns, struct field *fields, size_t *present,
		      const char **why)
{
	struct value_place places[PAGE_COLUMNS_MAX];
	const uint8_t *bytes = cell->bytes;
	uint32_t header;

	*present = columns->count;
	if (cell->local > 0 && quick_read(cell, columns, fields))
		return true;
	if (page_varint_read_31(bytes, cell->local, &header) == 0 || header == 0 ||
	    header > HEADER_MAX || header > cell->payload)
		return damaged(why);
	bytes = prefix_gather(record, cell, header, why);
	if (!bytes || !values_find(bytes, header, cell->payload, columns, places, present, why))
		return false;
	if (*present > 0) {
		const struct value_place *last = &places[*present - 1];

		bytes = prefix_gather(record, cell, last->offset + last->size, why);
		if (!bytes)
			return false;
	}
	for (size_t i = 0; i < *present; i++)
		value_read(bytes, &places[i], columns->items[i].real,
			   &fields[columns->items[i].field]);
	return true;
}

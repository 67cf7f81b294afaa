/*
 * One record of separated values (RFC 4180): fields, in quotes or not, with the quotes
 * taken off. A record ends with its line unless a quote is open.
 */
#ifndef CONNBITS_TEXT_CSV_FIELDS_H
#define CONNBITS_TEXT_CSV_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

struct csv_field {
	const char *text; /* without the quotes around it */
	size_t size;
	bool quoted;
	bool doubled; /* with quotes in it, each of them twice */
};

enum csv_end {
	CSV_RECORD, /* a whole one */
	CSV_WAITS,  /* its end is not there yet */
	CSV_BROKEN, /* a quote that does not end, or text behind one: *used is its first line */
};

struct csv_record {
	size_t used;  /* bytes, with the line's end */
	size_t lines; /* that it takes */
	size_t count; /* of fields; only the first `most` are given */
	enum csv_end end;
};

/*
 * Takes a record from the beginning of bytes.
 * last: no more bytes will come. limit: the bytes that a record has at the most.
 */
struct csv_record csv_record_take(const char *bytes, size_t size, char delimiter, bool last,
				  size_t limit, struct csv_field *fields, size_t most);

/* Copies a field, of each two quotes one; out has room for its size. Returns the size. */
size_t csv_field_copy(const struct csv_field *field, char *out);

#endif

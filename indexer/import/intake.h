/*
 * What a parser gives: tables, their columns as they turn up, rows of values, and what it
 * could not read. Rows gather in a batch, which goes to whoever writes; a batch says
 * which tables and columns are new in it, so that both sides need share nothing else.
 *
 * Zero-initialise an intake and a batch; free them with intake_free and batch_free.
 */
#ifndef CONNBITS_IMPORT_INTAKE_H
#define CONNBITS_IMPORT_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "text/text_value.h"

enum {
	INTAKE_COLUMNS_MAX = 500, /* of a table; SQLite has 2,000 */
	INTAKE_TABLES_MAX = 200,
	INTAKE_NAME_MAX = 200, /* bytes of a table's or column's name */
	INTAKE_NAMED_MAX = 10, /* faults that are told with their line */
};

/* What a row or packet is not taken for. */
enum fault {
	FAULT_FIELDS,	 /* another number of fields than the header has */
	FAULT_QUOTE,	 /* a quote that does not end, or text behind one */
	FAULT_HEADER,	 /* a line of Zeek's header that cannot be read */
	FAULT_JSON,	 /* not one JSON object */
	FAULT_DEPTH,	 /* JSON nested too deeply */
	FAULT_LONG,	 /* a line longer than LINE_MAX_BYTES */
	FAULT_ZERO,	 /* a byte 0 in a text */
	FAULT_PACKET,	 /* an IP header that contradicts itself */
	FAULT_MALFORMED, /* how many of them are malformed; the rest is well, but no row: */
	FAULT_NO_ADDRESS = FAULT_MALFORMED, /* JSON without the addresses of a connection */
	FAULT_COLUMNS, /* a value beyond INTAKE_COLUMNS_MAX; its row is taken */
	FAULT_TABLES,  /* an event of a kind beyond INTAKE_TABLES_MAX */
	FAULT_NOT_IP,
	FAULT_FRAGMENT,	 /* not the first one of its packet */
	FAULT_CUT,	 /* captured too short for ports or ICMP's type */
	FAULT_EXTENSION, /* IPv6 extension headers: rows, but filters see no header of theirs */
	FAULT_COUNT
};

/* The words for a fault in JSON ("fields") and in a message ("another number of fields ..."). */
const char *fault_word(enum fault fault);
const char *fault_text(enum fault fault);

/* Whether what it is counted of is a row all the same. */
bool fault_keeps_row(enum fault fault);

/* What a table is for connbits-index and for retention. */
struct table_use {
	const char *source; /* lines of a [source] section; NULL where its columns are known */
	const char *time;   /* its column of the time; NULL without */
	bool preferred;	    /* taken where several tables of a log fit */
	const char
		*columns; /* of the file that this was said of; NULL where it is always the same */
	bool given;	  /* the user says so: it goes before what was said earlier */
};

struct new_table {
	size_t table;
	char *name;
	struct table_use use; /* its texts are owned */
};

struct new_column {
	size_t table;
	char *name;
	const char *type; /* as SQL has it; "" without; a literal */
};

struct batch_row {
	uint32_t table;
	uint32_t count; /* of values; columns behind them are NULL */
	size_t first;	/* of its values */
};

struct row_batch {
	char *text; /* what was read, into which values may point */
	size_t text_size;
	size_t text_capacity;
	struct batch_bytes *bytes; /* what was made */
	struct import_value *values;
	size_t value_count;
	size_t value_capacity;
	struct batch_row *rows;
	size_t row_count;
	size_t row_capacity;
	struct new_table *tables;
	size_t table_count;
	struct new_column *columns;
	size_t column_count;
	size_t column_capacity;
	/* Where the input is once the rows are written, in its own unit, and how many lines that
	 * were. */
	uint64_t offset;
	uint64_t lines;
	/* The header that counts from here on, where it is another one; owned. */
	char *header;
	size_t header_size;
	bool open; /* its rows are of a last line without an end, which begins at the offset */
	size_t tail_size; /* the last bytes of the text ahead of the offset, and their digest */
	uint8_t tail[16];
};

struct fault_place {
	uint64_t line; /* from 1; of packets: which one */
	enum fault fault;
};

struct intake_column {
	char *name;
	uint32_t hash;
};

struct intake_table {
	char *name;
	struct intake_column *columns;
	size_t column_count;
	size_t column_capacity;
};

struct intake {
	struct row_batch *batch; /* the one that is filled; not owned */
	struct intake_table *tables;
	size_t table_count;
	uint64_t line; /* the one that is read, from 1 */
	uint64_t faults[FAULT_COUNT];
	struct fault_place named[INTAKE_NAMED_MAX];
	size_t named_count;
	bool incomplete; /* the input ends within a line or packet, which is not taken */
};

/*
 * Finds or makes a table. Names are compared as SQLite compares them. *table is
 * INTAKE_TABLES_MAX where there are too many.
 */
enum status intake_table(struct intake *intake, const char *name, size_t name_size,
			 const struct table_use *use, size_t *table, struct message *message);

/*
 * Finds or makes a column. guess: where it may be. *column is INTAKE_COLUMNS_MAX
 * where there are too many.
 */
enum status intake_column(struct intake *intake, size_t table, const char *name, size_t name_size,
			  const char *type, size_t guess, size_t *column, struct message *message);

/*
 * Room for the values of a row, which are NULL. They count once intake_row_take is called;
 * until then another call begins anew.
 */
struct import_value *intake_row(struct intake *intake, size_t count, struct message *message);
void intake_row_take(struct intake *intake, size_t table, size_t count);

/* Bytes that live as long as the batch; NULL without memory. */
char *intake_bytes(struct intake *intake, size_t size, struct message *message);

/* Notes the header with which the rest of the input can be read. */
enum status intake_header(struct intake *intake, const char *header, size_t size,
			  struct message *message);

/* Counts a fault of the line. */
void intake_fault(struct intake *intake, enum fault fault);

/* Makes the batch empty, and keeps its memory. */
void batch_clear(struct row_batch *batch);
void batch_free(struct row_batch *batch);
void intake_free(struct intake *intake);

#endif

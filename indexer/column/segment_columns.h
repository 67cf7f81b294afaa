/*
 * A segment as it is stored: one column for which rows there are, and one for
 * each part of their headers. All else in a header follows from these, so that
 * headers made of them are the same bytes again. Columns are opened one by one
 * as they are asked for, and come from anywhere: nothing in them is trusted.
 */
#ifndef CONNBITS_COLUMN_SEGMENT_COLUMNS_H
#define CONNBITS_COLUMN_SEGMENT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/rowid.h"
#include "bitmap/container.h"
#include "bitmap/kernel.h"
#include "bitmap/segment_bits.h"
#include "coded_column.h"
#include "packet/header_column.h"
#include "packet/segment.h"
#include "time_column.h"

/* The numbers are those of connbits_column.column. */
enum stored_column {
	/*
	 * 32 bits how many rows, 8 bits 1 if the container is runs and else 0, and the rows'
	 * places in their segment as a Roaring container.
	 */
	STORED_ROWS,
	STORED_SHAPE,	    /* as in header_column.h */
	STORED_SOURCE_PORT, /* of ICMP type times 256, and code; 0 where there is none */
	STORED_DESTINATION_PORT,
	STORED_SOURCE,
	STORED_DESTINATION,
	STORED_TIME, /* as in time_column.h; missing where the log has no times */
	STORED_COLUMNS,
};

/* Where the columns of a segment come from. */
struct column_supply {
	/*
	 * Opens a column: its size in bytes, and what reads it until the next segment.
	 * *size is 0 where there is none.
	 */
	enum status (*open)(void *context, enum stored_column column, column_read *read,
			    void **read_context, size_t *size, struct message *message);
	void *context;
};

/* Memory is kept from one segment to the next. */
struct segment_columns {
	const struct column_supply *supply;
	bool opened[STORED_COLUMNS];
	struct coded_column columns[STORED_TIME]; /* but for STORED_ROWS */
	struct time_column time;
	struct column_bytes rows_bytes;
	size_t rows; /* with a header; 0 until a column was opened */
	bool has_present;
	struct container present_as; /* in rows_bytes */
	struct segment_bits present; /* every word is occupied */
	struct kept_values {
		struct column_values *values; /* NULL before they are needed */
		enum stored_column of;	      /* STORED_ROWS: of none of this segment */
	} kept[2];   /* of two columns, the one that was asked for last first */
	bool *holds; /* room for one answer about each of them */
};

/* NULL without memory. Free with segment_columns_free. */
struct segment_columns *segment_columns_new(void);

/* Begins a segment: nothing is read yet. The supply has to outlive the use of it. */
void segment_columns_begin(struct segment_columns *columns, const struct column_supply *supply);

/* Opens a column, which is neither STORED_ROWS nor STORED_TIME, if it was not yet. */
enum status segment_columns_open(struct segment_columns *columns, enum stored_column column,
				 struct coded_column **opened, struct message *message);

/* Reads all values of a column, which are kept until those of two others are asked for. */
enum status segment_columns_values(struct segment_columns *columns, const struct kernels *kernels,
				   enum stored_column column, const struct column_values **values,
				   struct message *message);

/* The number of each row, in their order, of a column that has no addresses. */
enum status segment_columns_numbers(struct segment_columns *columns, const struct kernels *kernels,
				    enum stored_column column, uint32_t *numbers,
				    struct message *message);

/* Reads which row ids have a header, if it was not yet: one bit each in columns->present. */
enum status segment_columns_rows(struct segment_columns *columns, struct message *message);

/* Opens the column of times, if it was not yet. */
enum status segment_columns_time(struct segment_columns *columns, struct time_column **time,
				 struct message *message);

/* Makes the headers of all rows. Of the segment's outcomes only the headers are counted. */
enum status segment_columns_headers(struct segment_columns *columns, const struct kernels *kernels,
				    int64_t number, struct segment *segment,
				    struct message *message);

/* Adds the times of all rows. */
enum status segment_columns_times(struct segment_columns *columns, struct segment *segment,
				  struct message *message);

/* The bytes that were read so far, of all segments. */
uint64_t segment_columns_bytes_read(const struct segment_columns *columns);

void segment_columns_free(struct segment_columns *columns);

/* The columns of a segment in memory; sizes[0] is 0 for one without headers. */
struct packed_columns {
	uint8_t *bytes; /* one column behind the other */
	size_t sizes[STORED_COLUMNS];
};

size_t packed_columns_size(const struct packed_columns *packed);

/* A supply of them, which has to outlive it. */
struct column_supply packed_columns_supply(const struct packed_columns *packed);

#endif

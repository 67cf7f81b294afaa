/* Ahead of the container of STORED_ROWS: 32 bits how many, 8 bits whether it is runs. */
#ifndef CONNBITS_COLUMN_ROWS_FORMAT_H
#define CONNBITS_COLUMN_ROWS_FORMAT_H

enum { ROWS_HEAD_SIZE = 5 };

#endif

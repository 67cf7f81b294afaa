/*
 * The least that importing rows can cost with SQLite: a bare loop of prepared inserts of
 * values that lie in memory, in one transaction, into a table and file of the same shape.
 */
#ifndef CONNBITS_BENCH_INSERT_LOOP_H
#define CONNBITS_BENCH_INSERT_LOOP_H

#include <stdint.h>

#include "base/message.h"

/* Reads a table of the log into memory, and inserts it into the new file at scratch. */
enum status insert_loop_measure(const char *log_path, const char *table, const char *scratch,
				double *seconds, uint64_t *rows, struct message *message);

#endif

/*
 * An expression over names of filters as ClickHouse's SQL over the bitmaps of many sensors
 * (data/fleet/schema.sql): a line for each sensor and table, evaluated per chunk, since row ids
 * are a log's own and bitmaps of two sensors are never merged. Each line is ok, behind or
 * missing; rows is NULL where it is missing.
 */
#ifndef CONNBITS_EXPORT_FLEET_SQL_H
#define CONNBITS_EXPORT_FLEET_SQL_H

#include <stdio.h>

#include "base/message.h"

/*
 * Writes the statement. STATUS_USAGE, with nothing written, where the expression is wrong or has
 * what only a sensor can answer: {pcap filters}, times, address sets.
 */
enum status fleet_sql_write(const char *expression, FILE *stream, struct message *message);

#endif

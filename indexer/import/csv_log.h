/*
 * Connections as separated values with a header: nfdump's, and any whose columns can be
 * told by their names or by --map.
 *
 *   ts,te,td,sa,da,sp,dp,pr,flg,...
 *   2023-11-14 22:13:21,2023-11-14 22:13:21,0.000,10.0.0.1,10.0.0.3,0,778,ICMP,........,...
 *
 * A column is of numbers where all that the head of the file has in it are; else it is
 * text. nfdump's summary at the end is left out; of ICMP its destination port is
 * type * 256 + code, also where it writes type.code (nfdump(1)).
 */
#ifndef CONNBITS_IMPORT_CSV_LOG_H
#define CONNBITS_IMPORT_CSV_LOG_H

#include "parser.h"

/* True for a head whose first line has separators. *known: names of connections are in it. */
bool csv_log_is(const char *head, size_t size, bool *known);

/* head: as much of the beginning as there is. STATUS_USAGE where a column is not found. */
enum status csv_log_open(const struct parser_options *options, const char *head, size_t size,
			 struct parser *parser, struct message *message);

#endif

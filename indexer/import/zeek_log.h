/*
 * Zeek's text logs: lines of fields between tabs, whose names and types stand in a header.
 *
 *   #separator \x09
 *   #set_separator	,
 *   #empty_field	(empty)
 *   #unset_field	-
 *   #path	conn
 *   #fields	ts	uid	id.orig_h	...
 *   #types	time	string	addr	...
 *   1591367999.305988	CMdzit1AMNsmfAIiQc	192.168.4.76	...
 *   #close	2020-06-05-14-40-00
 *
 * Values get the types that Zeek's SQLite writer gives them. Source: docs.zeek.org, Zeek
 * Log Formats and Inspection; SQLite.cc of Zeek.
 */
#ifndef CONNBITS_IMPORT_ZEEK_LOG_H
#define CONNBITS_IMPORT_ZEEK_LOG_H

#include "parser.h"

/* True for what begins as such a log does. */
bool zeek_log_is(const char *head, size_t size);

enum status zeek_log_open(const struct parser_options *options, struct parser *parser,
			  struct message *message);

/* Stands in a header that is the first one of its log. */
#define ZEEK_FIRST_BLOCK "#block 1\n"

/* How connbits reads Zeek's tables; they are known by their columns. */
extern const struct table_use zeek_use;

#endif

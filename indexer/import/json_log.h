/*
 * Logs of one JSON object a line: Zeek's, known by id.orig_h, and Suricata's eve.json,
 * known by event_type with src_ip and dest_ip.
 *
 *   {"ts":1591367999.305988,"uid":"CMdzit1AMNsmfAIiQc","id.orig_h":"192.168.4.76",...}
 *   {"timestamp":"...","event_type":"flow","src_ip":"10.0.0.1",...,"flow":{"age":1,...}}
 *
 * A member of an object in it is a column of both names, flow.age; an array stays JSON. Zeek's
 * table has the name of the log (_path, or of the file), Suricata's is suricata_ and the
 * kind of event.
 */
#ifndef CONNBITS_IMPORT_JSON_LOG_H
#define CONNBITS_IMPORT_JSON_LOG_H

#include "parser.h"

/* True where the first line is an object. *known: it is Zeek's or Suricata's. */
bool json_log_is(const char *head, size_t size, bool *known);

enum status json_log_open(const struct parser_options *options, struct parser *parser,
			  struct message *message);

#endif

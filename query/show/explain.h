/*
 * What became of a filter: its conditions, the predicates it shares, its
 * engine, and what it costs on this log.
 */
#ifndef CONNBITS_SHOW_EXPLAIN_H
#define CONNBITS_SHOW_EXPLAIN_H

#include <stdio.h>

#include "ask/answer.h"
#include "base/message.h"

/*
 * Explains `what`: the name of a stored filter, or {a pcap filter} that is
 * compiled now. log_path is where rows are read from to measure the cost; the
 * index's layout, checked against the log before, is taken over for that.
 * STATUS_USAGE for a name that is not stored or a filter that does not compile.
 */
enum status explain_write(sqlite3 *database, struct answer_index *index, const char *log_path,
			  const char *what, FILE *stream, struct message *message);

#endif

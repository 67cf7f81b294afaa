/*
 * Rows as a capture: the headers that stand for them, as a savefile of link
 * type LINKTYPE_RAW that tcpdump and Wireshark open. Source: the pcap savefile
 * format, pcap-savefile(5).
 */
#ifndef CONNBITS_SHOW_CAPTURE_H
#define CONNBITS_SHOW_CAPTURE_H

#include <stdint.h>
#include <stdio.h>

#include "ask/answer_index.h"
#include "base/message.h"
#include "set/row_set.h"

/*
 * Writes the headers of rows to stream in the order of their row ids, with the
 * log's timestamps where it has them and 0 where it has none. The headers are
 * those that are stored; of an index without, they are made anew from the log
 * at log_path. The index's layout, checked against the log before, is taken
 * over. Rows without a header are counted in *missing.
 */
enum status capture_write(sqlite3 *database, struct answer_index *index, const char *log_path,
			  const struct row_set *rows, FILE *stream, uint64_t *missing,
			  struct message *message);

#endif

/*
 * Rows as a capture: the headers that stand for them, as a savefile of link
 * type LINKTYPE_RAW that tcpdump and Wireshark open. Source: the pcap savefile
 * format, pcap-savefile(5).
 */
#ifndef CONNBITS_SHOW_CAPTURE_H
#define CONNBITS_SHOW_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/message.h"
#include "moment.h"
#include "set/row_set.h"

/* What a capture lacks. */
struct capture_gaps {
	uint64_t headers;   /* rows that have none */
	bool no_times;	    /* the log has no column of times */
	uint64_t times;	    /* rows without a time, or with one that cannot be read or stored */
	int64_t first_time; /* the first row id of those */
};

/*
 * Writes the headers of rows to stream in the order of their row ids, with their times,
 * and 0 where a row has none. Both are those that are stored, and the log is not read; of
 * an index without them they are made anew from the log, and the index's layout, checked
 * against the log before, is taken over. *gaps, zero before, says what is not in the capture.
 */
enum status capture_write(struct moment *moment, const struct row_set *rows, FILE *stream,
			  struct capture_gaps *gaps, struct message *message);

#endif

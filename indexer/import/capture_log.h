/*
 * A capture, pcap or pcapng, to rows: one a packet, or one a connection. What is no IP packet
 * of a connection is counted by its reason.
 */
#ifndef CONNBITS_IMPORT_CAPTURE_LOG_H
#define CONNBITS_IMPORT_CAPTURE_LOG_H

#include <stdio.h>

#include "parser.h"

struct capture_options {
	const char *table; /* NULL: packets, or connections */
	bool per_connection;
	int64_t idle; /* seconds after which a connection has ended */
};

/* True for what begins as pcap or pcapng. */
bool capture_log_is(const char *head, size_t size);

/*
 * Reads the capture from the stream, which it closes in the end. skip: packets from the beginning
 * that were taken before.
 */
enum status capture_log_open(const struct capture_options *options, FILE *stream, uint64_t skip,
			     struct parser *parser, struct message *message);

#endif

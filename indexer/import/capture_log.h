/*
 * A capture, pcap or pcapng, to rows: one a packet, or one a connection. What is no IP packet
 * of a connection is counted by its reason.
 */
#ifndef CONNBITS_IMPORT_CAPTURE_LOG_H
#define CONNBITS_IMPORT_CAPTURE_LOG_H

#include <stdio.h>

#include "head_digest.h"
#include "parser.h"

struct capture_options {
	const char *table; /* NULL: packets, or connections */
	bool per_connection;
	int64_t idle; /* seconds after which a connection has ended */
};

/* True for what begins as pcap or pcapng. */
bool capture_log_is(const char *head, size_t size);

/* Packets from the beginning that were taken before; their digest is each batch's tail. */
struct capture_taken {
	uint64_t packets;
	uint8_t digest[HEAD_DIGEST_SIZE];
};

/*
 * Reads the capture from the stream, which it closes in the end. Where the packets that
 * were taken are others, the parser differs and gives no row.
 */
enum status capture_log_open(const struct capture_options *options, FILE *stream,
			     const struct capture_taken *taken, struct parser *parser,
			     struct message *message);

#endif

/*
 * The packets of a capture joined to connections: by protocol, addresses and ports, in both
 * directions; the source is whoever sent first, or whom a SYN-ACK answers. ICMP is joined in
 * one direction, by type and code. A connection ends when no packet of it came for the idle time,
 * and where a TCP connection that was closed begins anew.
 */
#ifndef CONNBITS_IMPORT_CONNECTION_JOIN_H
#define CONNBITS_IMPORT_CONNECTION_JOIN_H

#include <stdint.h>

#include "base/message.h"
#include "dissect.h"

enum { JOIN_CONNECTIONS = 1 << 18 /* open at a time; the one idle for longest makes room */ };

/* Times are nanoseconds since 1970. */
struct joined_connection {
	struct dissected_packet first; /* source and destination are the connection's */
	int64_t first_time;
	int64_t last_time;
	uint64_t packets; /* from the source, */
	uint64_t bytes;	  /* as IP has them */
	uint64_t answer_packets;
	uint64_t answer_bytes;
	uint8_t tcp_flags; /* of all packets together */
};

struct connection_join;

/* Told of each connection that has ended. */
typedef enum status (*joined_taker)(void *context, const struct joined_connection *connection,
				    struct message *message);

/* idle: nanoseconds. Free with connection_join_free. */
enum status connection_join_new(int64_t idle, joined_taker take, void *context,
				struct connection_join **join, struct message *message);

enum status connection_join_packet(struct connection_join *join,
				   const struct dissected_packet *packet, int64_t time,
				   struct message *message);

/* Ends up to `most` that are open, the one idle for longest first; *more: others are. */
enum status connection_join_end(struct connection_join *join, size_t most, bool *more,
				struct message *message);

void connection_join_free(struct connection_join *join);

#endif

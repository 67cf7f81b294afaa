/*
 * One row of a connection log to the 5-tuple of the packet that stands for it,
 * or to the reason why none does. Every row ends in exactly one outcome.
 */
#ifndef CONNBITS_PACKET_CONNECTION_H
#define CONNBITS_PACKET_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "reading.h"

enum outcome {
	OUTCOME_HEADER,	   /* the row has a header */
	OUTCOME_LISTEN,	   /* a listening socket is no connection */
	OUTCOME_TYPE,	   /* skipped: unknown connection type */
	OUTCOME_TRANSPORT, /* skipped: unknown transport */
	OUTCOME_ADDRESS,   /* skipped: a host that is no address */
	OUTCOME_FAMILY,	   /* skipped: one host IPv4, the other IPv6 */
	OUTCOME_PORT,	   /* skipped: a port (or ICMP type or code) out of range */
	OUTCOME_COUNT,
};

/* The word for an outcome in summaries: "header", "listen", "type", "transport", ... */
const char *outcome_name(enum outcome outcome);

static inline bool outcome_is_skipped(enum outcome outcome)
{
	return outcome >= OUTCOME_TYPE;
}

/* The rows of all outcomes. */
static inline uint64_t outcomes_total(const uint64_t outcomes[static OUTCOME_COUNT])
{
	uint64_t rows = 0;

	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		rows += outcomes[outcome];
	return rows;
}

/* What a column of the log can mean. A layout maps some of these to columns. */
enum role {
	ROLE_TYPE, /* what tells the direction: enum direction_encoding */
	ROLE_TRANSPORT,
	ROLE_SOURCE_HOST,      /* the local host where there is a type */
	ROLE_DESTINATION_HOST, /* the remote host where there is a type */
	ROLE_SOURCE_PORT,
	ROLE_DESTINATION_PORT,
	ROLE_ICMP_TYPE,
	ROLE_ICMP_CODE,
	ROLE_PROTOCOL,		/* a number that goes before the transport where it is there */
	ROLE_SOURCE_HOST6,	/* goes before the source host where it is there */
	ROLE_DESTINATION_HOST6, /* likewise */
	ROLE_COUNT,
};

struct connection {
	uint8_t version;  /* 4 or 6 */
	uint8_t protocol; /* IP protocol number */
	bool has_icmp;	  /* icmp_type and icmp_code are known */
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint16_t source_port; /* host byte order, as are all integers here */
	uint16_t destination_port;
	uint8_t source[16]; /* network byte order; IPv4 uses the first four */
	uint8_t destination[16];
};

/* What rows had that were read before: it serves one reading and one thread. */
struct connection_memo;

/* Of no row yet; NULL without memory. Free with connection_memo_free. */
struct connection_memo *connection_memo_new(void);
void connection_memo_free(struct connection_memo *memo);

/*
 * Reads the row. fields has ROLE_COUNT items; those that the log does not have
 * are FIELD_NULL. Fills *out only for OUTCOME_HEADER.
 */
enum outcome connection_read(const struct field fields[static ROLE_COUNT],
			     const struct reading *reading, struct connection *out);

/* The same answer; what memo has is not read again. */
enum outcome connection_read_next(struct connection_memo *memo,
				  const struct field fields[static ROLE_COUNT],
				  const struct reading *reading, struct connection *out);

#endif

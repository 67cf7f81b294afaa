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

enum protocol {
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ICMP6 = 58,
	PROTOCOL_SCTP = 132,
};

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

/* How a log writes hosts. */
enum host_encoding {
	HOST_TEXT,
	/* IPv4 as a 32-bit number: 10.0.0.1 is 167772161. Where it is signed, high ones are
	   negative. */
	HOST_INTEGER,
	/* The same with its bytes in network order, as a little-endian machine reads them:
	   16777226. */
	HOST_NETWORK,
	HOST_BLOB, /* 4 or 16 bytes in network order */
	HOST_ENCODINGS,
};

/* Which of a row's two hosts is the source. */
enum direction_encoding {
	DIRECTION_FIXED,    /* the first, in every row */
	DIRECTION_TYPE,	    /* dionaea's words: connect, accept, reject, pending, listen */
	DIRECTION_WORD,	    /* in, inbound, incoming, ingress; out, outbound, outgoing, egress */
	DIRECTION_INBOUND,  /* a flag: true for remote to local */
	DIRECTION_OUTBOUND, /* a flag: true for local to remote */
	DIRECTION_ENCODINGS,
};

/* How a log's values are read: what its columns are, beside what they mean. */
struct reading {
	enum host_encoding hosts;
	enum direction_encoding direction;
	bool any_case;	   /* names of transports in any case, and more of them than dionaea has */
	bool icmp_ports;   /* the ports of ICMP are its type and code */
	bool icmp_family;  /* ICMP between IPv6 hosts is ICMPv6 */
	bool has_protocol; /* every row is of this protocol; there is no column for it */
	uint8_t protocol;
};

/* True if the same values give the same headers. */
bool reading_same(const struct reading *a, const struct reading *b);

/* The words of an encoding: "text", "integer", "network", "blob"; "fixed", "type", "word", ... */
const char *host_encoding_name(enum host_encoding encoding);
const char *direction_encoding_name(enum direction_encoding encoding);

/* True and *encoding for such a word. */
bool host_encoding_find(const char *word, enum host_encoding *encoding);
bool direction_encoding_find(const char *word, enum direction_encoding *encoding);

/* The protocol of a name ("tcp", "ipv6-icmp", "GRE") or a decimal number; false if it is neither.
 */
bool protocol_find(const char *text, size_t length, uint8_t *protocol);

/* One value of a row, as it stands in the log. */
struct field {
	enum { FIELD_NULL, FIELD_INTEGER, FIELD_TEXT, FIELD_BLOB, FIELD_OTHER } kind;
	int64_t integer;
	const char *text; /* UTF-8, not terminated, or a blob's bytes; valid while the row is */
	size_t length;	  /* bytes */
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

/*
 * Reads the row. fields has ROLE_COUNT items; those that the log does not have
 * are FIELD_NULL. Fills *out only for OUTCOME_HEADER.
 */
enum outcome connection_read(const struct field fields[static ROLE_COUNT],
			     const struct reading *reading, struct connection *out);

/* True for the protocols whose first four bytes are the ports: TCP, UDP, SCTP. */
bool protocol_has_ports(uint8_t protocol);

/* True for ICMP and ICMPv6, whose first two bytes are type and code. */
bool protocol_is_icmp(uint8_t protocol);

#endif

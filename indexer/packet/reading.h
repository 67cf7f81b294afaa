/*
 * How the values of a log's row are read: hosts as text or numbers, which end
 * is the source, words in any case. A reading goes with a layout and is stored
 * with the index: other readings give other headers.
 */
#ifndef CONNBITS_PACKET_READING_H
#define CONNBITS_PACKET_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* One value of a row, as it stands in the log. */
struct field {
	enum { FIELD_NULL, FIELD_INTEGER, FIELD_TEXT, FIELD_BLOB, FIELD_OTHER } kind;
	int64_t integer;
	const char *text; /* UTF-8, not terminated, or a blob's bytes; valid while the row is */
	size_t length;	  /* bytes */
};

/* True for text of exactly these bytes. */
bool field_equals(const struct field *field, const char *word);

/* True for text that is word in any case of its letters (ASCII). word is in lower case. */
bool field_is_word(const struct field *field, const char *word);

/* A whole number from 0 to limit, as an integer or as decimal digits and nothing else. */
bool field_number(const struct field *field, unsigned limit, unsigned *value);

/* Which way a row's packet went. */
enum direction {
	DIRECTION_FORWARD,  /* from the first host to the second */
	DIRECTION_BACKWARD, /* from the second to the first */
	DIRECTION_NONE,	    /* a listening socket: there is no packet */
	DIRECTION_UNKNOWN,  /* a value that no encoding has */
};

enum direction direction_read(const struct field *field, enum direction_encoding encoding);

#endif

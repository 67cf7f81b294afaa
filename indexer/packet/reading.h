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

/* Where a log has the type and code of ICMP. */
enum icmp_encoding {
	ICMP_COLUMNS, /* in columns of their own, or nowhere */
	ICMP_PORTS,   /* in the source and the destination port */
	/*
	 * As Zeek has them: the type is the originator's port. The responder's is the
	 * type of the answer where there is one, whose code is then 0, and else the code
	 * (ICMP4_counterpart and ICMP6_counterpart in Zeek's ICMP.cc).
	 */
	ICMP_ZEEK,
	ICMP_NETFLOW, /* the destination port is type * 256 + code, as exporters of NetFlow write it
		       */
	ICMP_ENCODINGS,
};

/* How a log's values are read: what its columns are, beside what they mean. */
struct reading {
	enum host_encoding hosts;
	enum direction_encoding direction;
	bool any_case; /* names of transports in any case, and more of them than dionaea has */
	enum icmp_encoding icmp;
	bool icmp_family;  /* ICMP between IPv6 hosts is ICMPv6 */
	bool has_protocol; /* every row is of this protocol; there is no column for it */
	uint8_t protocol;
};

/* True if the same values give the same headers. */
bool reading_same(const struct reading *a, const struct reading *b);

/* The words of an encoding: "text", "integer", ...; "fixed", "type", ...; "ports", ... */
const char *host_encoding_name(enum host_encoding encoding);
const char *direction_encoding_name(enum direction_encoding encoding);
const char *icmp_encoding_name(enum icmp_encoding encoding);

/* True and *encoding for such a word. */
bool host_encoding_find(const char *word, enum host_encoding *encoding);
bool direction_encoding_find(const char *word, enum direction_encoding *encoding);
bool icmp_encoding_find(const char *word, enum icmp_encoding *encoding);

/* One value of a row, as it stands in the log. */
struct field {
	enum { FIELD_NULL, FIELD_INTEGER, FIELD_REAL, FIELD_TEXT, FIELD_BLOB } kind;
	union {
		int64_t integer;
		double real;
		const char *
			text; /* UTF-8, not terminated, or a blob's bytes; valid while the row is */
	};
	size_t length; /* bytes of text */
};

/* True for text of exactly these bytes. */
bool field_equals(const struct field *field, const char *word);

/* True for text that is word in any case of its letters (ASCII). word is in lower case. */
bool field_is_word(const struct field *field, const char *word);

/* True for NULL, and for empty text, which importers write in its place. */
static inline bool field_is_empty(const struct field *field)
{
	return field->kind == FIELD_NULL || (field->kind == FIELD_TEXT && field->length == 0);
}

/*
 * A whole number from 0 to limit: an integer, a real number without a fraction,
 * or text of decimal digits, behind which a point and zeros may stand.
 */
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

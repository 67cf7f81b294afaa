/*
 * How many rows of a set have each value of a column, from the stored columns: addresses, ports,
 * protocols, days and hours.
 */
#ifndef CONNBITS_ASK_FACET_H
#define CONNBITS_ASK_FACET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer_index.h"
#include "base/message.h"
#include "base/stop.h"
#include "database/sqlite.h"
#include "segment_walk.h"
#include "set/row_set.h"

enum facet_by {
	FACET_HOST, /* both ends of a row, once where they are equal */
	FACET_SOURCE,
	FACET_DESTINATION,
	FACET_PORT, /* the destination's */
	FACET_PROTOCOL,
	FACET_DAY,
	FACET_HOUR,
	FACETS,
};

/* What is expected where a word is none of facet_find's. */
#define FACET_EXPECTED "host, src, dst, port, proto, day or hour"

/* True and *by for "host", "src", "dst", "port", "proto", "day" and "hour". */
bool facet_find(const char *word, enum facet_by *by);

struct facet_value {
	uint64_t rows; /* 1 or more */
	/* An IPv4 address, a port, a protocol, or days or hours since 1970-01-01 00:00 UTC. */
	int64_t number;
	bool is_ipv6;
	uint8_t address[16]; /* then, and in network byte order */
};

struct facet {
	/* Days and hours ascend, all else is ordered by rows, most first, and then by value. */
	struct facet_value *values;
	size_t count;
	uint64_t distinct; /* values that there are, of which these are the first */
	uint64_t without;  /* rows that have no such value */
};

struct facet_question {
	sqlite3 *database;
	const struct answer_index *index; /* held */
	const struct row_set *rows;
	const struct row_set *known; /* NULL, or others, whose values are left out */
	enum facet_by by;
	uint64_t limit;			  /* values that are wanted at the most: the first ones */
	const struct stop *stop;	  /* NULL, or asked on this thread; */
	const struct search_pause *pause; /* so is this */
};

/*
 * Counts the rows. facet is zero before; free with facet_free whatever is returned.
 * STATUS_FAILED also where the index has no columns, or no times where they are asked for.
 */
enum status facet_count(const struct facet_question *question, struct facet *facet,
			struct message *message);

enum { FACET_TEXT_SIZE = 48 };

/*
 * The value as text: an address, a port, the name of a protocol or its number, or a TIME of
 * expressions, 2026-11-27 or 2026-11-27T18:00.
 */
void facet_value_text(enum facet_by by, const struct facet_value *value,
		      char text[static FACET_TEXT_SIZE]);

void facet_free(struct facet *facet);

#endif

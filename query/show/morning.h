/*
 * What the last day of a log brought, beside the days before it: gathered once, for a page, a
 * screen and a monitor alike. All of it is of the index: connbits_day, bitmaps and stored columns.
 */
#ifndef CONNBITS_SHOW_MORNING_H
#define CONNBITS_SHOW_MORNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask/answer_index.h"
#include "ask/facet.h"
#include "ask/segment_walk.h"
#include "ask/set_match.h"
#include "base/message.h"
#include "database/sqlite.h"

enum {
	MORNING_DAYS = 14, /* unless others are asked for, */
	MORNING_DAYS_MAX = 366,
	MORNING_TOP = 5,	   /* values of all rows, */
	MORNING_TOP_OF_FILTER = 3, /* and of a filter's */
};

/*
 * How the last day of a filter stands to the days before it that are looked at, where those are
 * MORNING_JUDGED or more:
 *   new       it has rows, and none of them had
 *   above     it has more rows than each of them, and at least twice their mean
 *   gone      it has no rows, and each of them had
 *   usual     all else
 */
enum { MORNING_JUDGED = 3 };

#define MORNING_RULE                                                                               \
	"new: rows on the last day, and on none before; above: more rows than on each day "        \
	"before, "                                                                                 \
	"and at least twice their mean; gone: none on the last day, and some on each before"

/* In the order in which they are shown. */
enum morning_state { MORNING_NEW, MORNING_ABOVE, MORNING_GONE, MORNING_USUAL };

/* The word for it: "new", "above", "gone", "usual". */
const char *morning_state_name(enum morning_state state);

struct morning_filter {
	int64_t id;
	const char *name; /* both of morning's filters */
	const char *description;
	uint64_t rows;	/* in all */
	uint64_t *days; /* on each day */
	uint64_t most;	/* rows on one of the days before the last, and */
	uint64_t least;
	double mean;   /* and on each on average */
	double change; /* how far the last day is from the mean, by the mean's square root */
	enum morning_state state;
	struct facet sources; /* the first ones of the last day */
	struct facet ports;
};

/* Zero-initialise; free with morning_free. */
struct morning {
	int64_t last;	/* day, since 1970-01-01; `days` of them end with it */
	size_t days;	/* 1 or more, none of them before the log's first one */
	int64_t age;	/* days from the last one to today */
	uint64_t later; /* rows of days behind it: today, which is not over, or after it */
	struct index_filters filters;
	struct morning_filter all; /* @all */
	struct morning_filter
		*items; /* the others, what stands out first, then what changed most */
	size_t count;
	struct facet new_sources; /* of the last day, and of no row before it */
	struct facet new_ports;
	struct set_matches sets; /* of the whole log */
};

/* True for a filter that has rows on none of the days. */
static inline bool morning_filter_is_quiet(const struct morning_filter *filter, size_t days)
{
	return filter->days[days - 1] == 0 && filter->most == 0;
}

struct morning_question {
	sqlite3 *database;
	const struct answer_index *index; /* held */
	size_t days;			  /* at the most: 1 to MORNING_DAYS_MAX */
	const struct search_pause *pause; /* NULL, or of a search that takes long */
};

/* STATUS_FAILED also where the index has no days: no stored columns, or no times. */
enum status morning_gather(const struct morning_question *question, struct morning *morning,
			   struct message *message);

void morning_free(struct morning *morning);

#endif

/* What connbits-query is asked to do: its options, and which of them go together. */
#ifndef CONNBITS_QUERY_MAIN_SETTINGS_H
#define CONNBITS_QUERY_MAIN_SETTINGS_H

#include <stdbool.h>

#include "ask/facet.h"
#include "base/message.h"
#include "main_sets.h"
#include "show/row_print.h"

enum action {
	ACTION_ROWS,
	ACTION_COUNT,
	ACTION_IDS,
	ACTION_BY,
	ACTION_BITMAP,
	ACTION_CAPTURE,
	ACTION_LIST,
	ACTION_EXPLAIN,
	ACTION_SETS,
	ACTION_SUMMARY,
	ACTION_REPORT,
	ACTION_EXPORT,
	ACTION_FLEET,
	ACTION_EACH,
	ACTIONS,
};

struct settings {
	const char *log_path;
	char **log_paths; /* of --each: all of them */
	size_t log_count;
	const char *index_path;
	const char *table; /* NULL where none is named, or it is in the expression */
	const char *expression;
	const char *since; /* times; NULL for any */
	const char *before;
	const char *output_path; /* of --bitmap, -w, --report; the folder of --export */
	const char *sensor;	 /* NULL where none is named */
	bool columns_too;
	const char *sets[MAIN_SETS_MAX]; /* of --set, as they were given */
	size_t set_count;
	const char *explained; /* a filter's name, or {a pcap filter} */
	enum facet_by by;
	uint64_t days; /* of --summary and --report */
	uint64_t keep; /* earlier reports */
	enum action action;
	unsigned actions; /* a bit for each that was asked for */
	unsigned taken;	  /* a bit for each option that only some actions take */
	struct row_print_options print;
};

/*
 * Reads the arguments into settings, which have their defaults. *done is true where all there
 * was to do is done: help or version. What is wrong is told on stderr.
 */
enum status settings_parse(int argc, char **argv, struct settings *settings, bool *done);

#endif

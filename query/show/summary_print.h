/* What connbits-query --summary shows: a morning on one screen, or as JSON for a monitor. */
#ifndef CONNBITS_SHOW_SUMMARY_PRINT_H
#define CONNBITS_SHOW_SUMMARY_PRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ask/answer_index.h"
#include "base/message.h"
#include "morning.h"

/* What is shown of a log, on a screen as on a page. */
struct morning_view {
	const struct morning *morning;
	const struct answer_index *index;
	const char *log_path;
	uint64_t behind;   /* rows of the log that the index lacks, */
	bool behind_least; /* or at least as many */
};

/* What the terminal can; nothing of it where there is none. */
struct summary_style {
	bool unicode; /* blocks of eighths, else digits */
	bool colour;
};

/* Writes lines of at most 80 characters, some 24 of them with the catalogue that comes along. */
enum status summary_print(const struct morning_view *view, const struct summary_style *style,
			  FILE *stream, struct message *message);

/* Writes one object, with every filter. */
enum status summary_print_json(const struct morning_view *view, FILE *stream,
			       struct message *message);

#endif

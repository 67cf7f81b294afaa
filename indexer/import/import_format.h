/*
 * The formats that can be imported: by which bytes each is known, and what reads it.
 */
#ifndef CONNBITS_IMPORT_IMPORT_FORMAT_H
#define CONNBITS_IMPORT_IMPORT_FORMAT_H

#include "base/message.h"
#include "capture_log.h"
#include "input.h"
#include "parser.h"

enum import_format { FORMAT_CAPTURE, FORMAT_ZEEK, FORMAT_JSON, FORMAT_CSV, FORMAT_COUNT };

/* The word for --format: "pcap", "zeek", "json", "csv". */
const char *import_format_name(enum import_format format);

/* The format of such a word ("pcapng", "eve", "nfdump" and "tsv" too); false for another. */
bool import_format_find(const char *word, enum import_format *format);

/*
 * Which format the input has, by its head. STATUS_FAILED says what it looks like;
 * `mapped`: the user has said what columns mean.
 */
enum status import_format_guess(const struct input *input, const char *path, bool mapped,
				enum import_format *format, struct message *message);

/* taken: before, of captures. The options have to outlive the parser. */
enum status import_format_open(enum import_format format, struct input *input,
			       const struct parser_options *options,
			       const struct capture_options *capture,
			       const struct capture_taken *taken, struct parser *parser,
			       struct message *message);

#endif

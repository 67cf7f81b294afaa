/*
 * Files of addresses: plain lists with comments as Spamhaus DROP and FireHOL's netsets have
 * them, what `ipset save` prints, a column of a CSV file, a key of JSON lines.
 */
#ifndef CONNBITS_CATALOGUE_SET_FILE_H
#define CONNBITS_CATALOGUE_SET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diagnostics.h"
#include "base/message.h"
#include "packet/address_list.h"

enum { SET_LINE_MAX = 65536 }; /* bytes of a line, its end included */

struct set_file {
	const char *path;
	const char *column; /* NULL, or it is CSV, and this the column with the addresses */
	const char *key;    /* NULL, or it is JSON lines, and this the member with them */
};

/*
 * Reads a file. Mistakes go to diagnostics with the path and their
 * lines: *list is whole only if there are none. *gone is true, and the status STATUS_FAILED,
 * where the file is not there, or may not be read. The caller frees *list, which need not be
 * initialised, with address_list_free whatever is returned; it is settled.
 */
enum status set_file_read(const struct set_file *file, struct address_list *list,
			  struct diagnostics *mistakes, bool *gone, struct message *message);

/* The same for a text in memory, as a plain list or as the file says; a fuzzer's way in. */
enum status set_text_read(const struct set_file *file, const char *text, size_t length,
			  struct address_list *list, struct diagnostics *mistakes,
			  struct message *message);

/*
 * Adds one line of a plain list, which may be empty or a comment. NULL, or what is wrong with
 * it. STATUS_FAILED only without memory.
 */
enum status set_line_add(const char *line, size_t length, struct address_list *list,
			 const char **wrong, struct message *message);

#endif

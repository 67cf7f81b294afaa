/* What a file is that SQLite does not open: what people have beside logs in SQLite. */
#ifndef CONNBITS_DATABASE_FILE_KIND_H
#define CONNBITS_DATABASE_FILE_KIND_H

#include <stddef.h>

/*
 * Words for a file that begins with these bytes, "a capture; tcpdump -r ...", which
 * go on from "is " and say what to do; NULL for one of no known kind.
 */
const char *file_kind_find(const char *bytes, size_t length);

/* The same of the file at path; NULL also where it cannot be read. */
const char *file_kind_read(const char *path);

#endif

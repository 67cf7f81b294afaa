/*
 * A file that is written as a whole or not at all: without its name until all
 * of it is there, and where the file system can, without any. A pipe or a
 * device is written to as it is.
 */
#ifndef CONNBITS_BASE_OUTPUT_FILE_H
#define CONNBITS_BASE_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "message.h"

struct output_file {
	FILE *stream;
	char *target;  /* behind symbolic links */
	char *partial; /* NULL for a pipe or a device */
	bool nameless; /* it has not even that name yet */
};

/* Opens path to be written. On success it has to be closed or abandoned. */
enum status output_file_open(const char *path, struct output_file *file, struct message *message);

/* Closes it and gives it its name. On failure nothing is left of it. */
enum status output_file_close(struct output_file *file, struct message *message);

/* Closes it and removes what was written. */
void output_file_abandon(struct output_file *file);

#endif

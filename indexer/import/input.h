/*
 * The bytes of a file that is imported, or of standard input, with gzip and zstd taken
 * off; known by their first bytes.
 */
#ifndef CONNBITS_IMPORT_INPUT_H
#define CONNBITS_IMPORT_INPUT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/message.h"

enum { INPUT_HEAD_MAX = 1 << 16 };

enum input_packing { INPUT_PLAIN, INPUT_GZIP, INPUT_ZSTD };

struct input;

/* "-" is standard input. stop: NULL, or not 0 once reading should end. Free with input_close. */
enum status input_open(const char *path, const volatile sig_atomic_t *stop, struct input **input,
		       struct message *message);

/* The first INPUT_HEAD_MAX bytes, or as many as there are. They are read once more after. */
const char *input_head(const struct input *input, size_t *size);

enum input_packing input_packing(const struct input *input);
const struct stat *input_stat(const struct input *input);

/* Standard input, a pipe, a socket: it cannot be read once more. */
bool input_is_piped(const struct input *input);

/* Whoever reads on another thread ends soon, with a failure. */
void input_cancel(struct input *input);

/* Reads up to size bytes; *got is 0 at the end. */
enum status input_read(struct input *input, char *bytes, size_t size, size_t *got,
		       struct message *message);

/* Goes to an offset of the bytes, from the beginning; *found is false where they end before. */
enum status input_skip(struct input *input, uint64_t offset, bool *found, struct message *message);

/* A stream that reads the bytes; the input has to outlive it. NULL without memory. */
FILE *input_stream(struct input *input);

/* What went wrong while the stream was read; STATUS_OK where nothing did. */
enum status input_stream_status(const struct input *input, struct message *message);

void input_close(struct input *input);

#endif

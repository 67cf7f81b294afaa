/*
 * Whether a file is the beginning of another one that was imported, such as a copy that was
 * made earlier, byte for byte; gzip and zstd taken off of both.
 */
#ifndef CONNBITS_IMPORT_COPIED_FILE_H
#define CONNBITS_IMPORT_COPIED_FILE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "head_digest.h"

enum { COPY_TAIL = 1 << 12 };

struct copied_file {
	bool is_copy;
	uint64_t offset;  /* of the end of its last whole line */
	size_t tail_size; /* the bytes ahead of it, and their digest */
	uint8_t tail[HEAD_DIGEST_SIZE];
};

/* An original that cannot be read is none. STATUS_FAILED where the file cannot be. */
enum status copied_file_check(const char *path, const char *original,
			      const volatile sig_atomic_t *stop, struct copied_file *copy,
			      struct message *message);

#endif

/*
 * What does not fit into memory while it is needed: a bound of bytes that may be
 * kept there, and blocks of what goes beyond it, in a file without a name.
 * However the process ends, nothing is left behind. Any thread may call.
 */
#ifndef CONNBITS_BASE_SPILL_H
#define CONNBITS_BASE_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

enum { SPILL_BLOCK = 1 << 22 }; /* bytes that a block has at most */

struct spill;

/*
 * memory: bytes. The file lies beside the file `beside`, which has to outlive
 * the spill, and is made when the first block is written. Free with spill_free.
 */
enum status spill_new(const char *beside, size_t memory, struct spill **spill,
		      struct message *message);

/* Takes size bytes of the memory and gives true, or false where so much is not left. */
bool spill_memory_take(struct spill *spill, size_t size);
void spill_memory_give(struct spill *spill, size_t size);

/* Writes size bytes, 1 to SPILL_BLOCK; *place is where they begin, until spill_drop. */
enum status spill_write(struct spill *spill, const uint8_t *bytes, size_t size, uint64_t *place,
			struct message *message);

/* Reads bytes of a block: `place` is where they begin. */
enum status spill_read(struct spill *spill, uint64_t place, uint8_t *out, size_t size,
		       struct message *message);

/* The block that begins at `place` is not needed any more. */
void spill_drop(struct spill *spill, uint64_t place);

void spill_free(struct spill *spill);

#endif

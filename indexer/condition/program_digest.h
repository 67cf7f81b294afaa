/*
 * A program's meaning in a few bytes: equal conditions have equal digests,
 * whatever the text was that they were compiled from, and whatever program.
 */
#ifndef CONNBITS_CONDITION_PROGRAM_DIGEST_H
#define CONNBITS_CONDITION_PROGRAM_DIGEST_H

#include "base/digest.h"
#include "base/message.h"
#include "filter/program.h"

enum { PROGRAM_DIGEST_SIZE = DIGEST_TEXT_SIZE };

/*
 * Writes the digest, a C string: of the program's condition, or where it has
 * none of its instructions. STATUS_FAILED only without memory.
 */
enum status program_digest(const struct program *program, char text[static PROGRAM_DIGEST_SIZE],
			   struct message *message);

#endif

/*
 * The outcome of a function that can fail, and the words for its user.
 * Functions return a status and fill a message that the caller owns;
 * only main*.c and base/command.c print it.
 */
#ifndef CONNBITS_BASE_MESSAGE_H
#define CONNBITS_BASE_MESSAGE_H

#include <stdbool.h>

/* The values are the exit codes of every program. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

/* The codes of SQLite (www.sqlite.org/rescode.html) that are told apart without it. */
enum {
	MESSAGE_CODE_BUSY = 5,
	MESSAGE_CODE_LOCKED = 6,
	MESSAGE_CODE_NOMEM = 7,
	MESSAGE_CODE_INTERRUPT = 9,
	MESSAGE_CODE_AUTH = 23,
};

struct message {
	char text[1024];
	int code; /* SQLite's, extended, of what failed; 0 where it was not SQLite */
};

/*
 * Formats into message->text, cut to what fits, and returns status, so that a
 * failure is one line: return message_set(message, STATUS_FAILED, "...", ...);
 */
enum status message_set(struct message *message, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether the failure is of this run, memory or a lock say, and not of what was looked at. */
static inline bool message_is_passing(const struct message *message)
{
	switch (message->code & 0xff) {
	case MESSAGE_CODE_BUSY:
	case MESSAGE_CODE_LOCKED:
	case MESSAGE_CODE_NOMEM:
	case MESSAGE_CODE_INTERRUPT:
	case MESSAGE_CODE_AUTH:
		return true;
	default:
		return false;
	}
}

/* The same for words about another failure, whose code is kept. */
enum status message_wrap(struct message *message, enum status status, int code, const char *format,
			 ...) __attribute__((format(printf, 4, 5)));

/* The same for the one failure that every allocation shares. */
static inline enum status message_out_of_memory(struct message *message)
{
	message_set(message, STATUS_FAILED, "out of memory");
	message->code = MESSAGE_CODE_NOMEM;
	return STATUS_FAILED;
}

#endif

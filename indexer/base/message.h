/*
 * The outcome of a function that can fail, and the words for its user.
 * Functions return a status and fill a message that the caller owns;
 * only main*.c and base/command.c print it.
 */
#ifndef CONNBITS_BASE_MESSAGE_H
#define CONNBITS_BASE_MESSAGE_H

/* The values are the exit codes of every program. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

struct message {
	char text[1024];
};

/*
 * Formats into message->text, cut to what fits, and returns status, so that a
 * failure is one line: return message_set(message, STATUS_FAILED, "...", ...);
 */
enum status message_set(struct message *message, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for the one failure that every allocation shares. */
static inline enum status message_out_of_memory(struct message *message)
{
	message_set(message, STATUS_FAILED, "out of memory");
	return STATUS_FAILED;
}

#endif

/*
 * What the main.c of every program does alike: print a text, complain about
 * usage, read a number.
 */
#ifndef CONNBITS_BASE_COMMAND_H
#define CONNBITS_BASE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "message.h"

/* Prints text to stdout, all of it or STATUS_FAILED: for --help and --version. */
enum status command_print(const char *text);

/*
 * Prints "PROGRAM: ", the message with its one argument, and where to find the
 * usage, on stderr.
 */
void command_usage(const char *program, const char *format, const char *what)
	__attribute__((format(printf, 2, 0)));

/* The same behind a message of getopt_long's. STATUS_USAGE. */
enum status command_usage_hint(const char *program);

/* True and *value for decimal digits, nothing else, from least to most. */
bool command_number(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/* The priorities of syslog(3) that lines on stderr have. */
enum command_level { COMMAND_ERROR = 3, COMMAND_WARNING = 4 };

/*
 * What such a line begins with where stderr is the journal, as sd-daemon(3) has it: "<3>", "<4>".
 * Empty elsewhere.
 */
const char *command_level(enum command_level level);

/* Writes text without what commands a terminal: control bytes but newlines come out as \xNN. */
void command_write_safely(FILE *stream, const char *text);

/*
 * Has `stop` called on the first SIGINT or SIGTERM; a second one ends the program. What exceeds
 * a file-size limit is from then on an error of the write.
 */
void command_handle_signals(void (*stop)(int signal_number));

/*
 * Has what is freed stay with the process for what is allocated next, up to 128 MiB a thread: each
 * segment takes blocks as large as the one before, and a page that comes anew from the system costs
 * more than what is written to it. Does nothing where the C library has no such setting.
 */
void command_keep_memory(void);

/* Flushes stdout. STATUS_FAILED if anything was not written, with a message. */
enum status command_flush(struct message *message);

/*
 * Characters in a line of the terminal that stdout is; where it does not say, the environment's
 * COLUMNS, else 80. 0 where stdout is no terminal, and any line is fine.
 */
size_t command_terminal_width(void);

#endif

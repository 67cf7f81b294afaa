/*
 * Refuses filters whose answer depends on bytes that no connection row holds:
 * TCP flags, payload, time to live, lengths. Without it they would match
 * nothing and say nothing.
 */
#ifndef CONNBITS_FILTER_SOUNDNESS_H
#define CONNBITS_FILTER_SOUNDNESS_H

#include <stdbool.h>

#include "base/message.h"
#include "packet/header_gaps.h"
#include "program.h"

/*
 * STATUS_USAGE with a message that names the bytes and the field
 * ("tcp[13], the TCP flags") if program is not answerable from a row. A program
 * too long to be decided passes. gaps is NULL for any table; the message names
 * the table where it is its gaps that decide.
 */
enum status soundness_check(const struct program *program, const struct header_gaps *gaps,
			    struct message *message);

/*
 * Compiles expression as program_compile_bounded does, and checks it. The caller frees
 * *program with program_free whatever is returned.
 */
enum status soundness_compile(const char *expression, const struct program_bounds *bounds,
			      struct program *program, struct message *message);

/*
 * The same for a table, whose gaps may be NULL for none: *gap is true where
 * another table could answer.
 */
enum status soundness_compile_table(const char *expression, const struct header_gaps *gaps,
				    const struct program_bounds *bounds, struct program *program,
				    bool *gap, struct message *message);

#endif

/*
 * One expression compiled in this process, with bounds: libpcap's own code in a
 * heap that can be given back whatever happens. What is long is compiled on a
 * thread of its own, whose stack is large enough for the generator's recursion,
 * while the caller's thread asks whether to go on.
 */
#ifndef CONNBITS_FILTER_COMPILING_H
#define CONNBITS_FILTER_COMPILING_H

#include <stdbool.h>

#include "base/message.h"
#include "program.h"

/*
 * Compiles as program_compile does; *program is freed with program_free
 * whatever is returned. bounds may be NULL.
 */
enum status compiling_run(const char *expression, bool optimise,
			  const struct program_bounds *bounds, struct program *program,
			  struct message *message);

#endif

/*
 * Whether plain tcpdump would answer otherwise: libpcap's optimiser is asked
 * for its program of an expression, and where that means something else on
 * whole packets, it has made a mistake that a user should know of.
 */
#ifndef CONNBITS_ENGINE_OPTIMISER_CHECK_H
#define CONNBITS_ENGINE_OPTIMISER_CHECK_H

#include <stdbool.h>

#include "base/message.h"
#include "filter/program.h"

/* What is to be said where it is so, behind the filter. */
#define OPTIMISER_WARNING                                                                          \
	"plain tcpdump answers otherwise: libpcap's optimiser miscompiles it (tcpdump -O does "    \
	"not, and its answer is the one that counts)"

/* The same for SQLite's log, which cuts at some 200 bytes; %s is the filter. */
#define OPTIMISER_WARNING_BRIEF                                                                    \
	"connbits: plain tcpdump answers otherwise (libpcap's optimiser is wrong): %s"

/*
 * plain is the program of expression. *differs is false also where it cannot be told; so it
 * is, in a host program, for what the optimiser would need a process of its own for.
 */
enum status optimiser_check(const char *expression, const struct program *plain, bool in_host,
			    bool *differs, struct message *message);

#endif

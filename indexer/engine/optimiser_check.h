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

/* *differs is false also where it cannot be told. plain is the program of expression. */
enum status optimiser_check(const char *expression, const struct program *plain, bool *differs,
			    struct message *message);

#endif

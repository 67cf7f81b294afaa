/*
 * Whether two programs of one expression, libpcap's plain one and the optimised
 * one, mean the same on whole packets of connections: on packets that end
 * nowhere early, for all that a connection row holds of them.
 */
#ifndef CONNBITS_CONDITION_PROGRAM_DIFFERENCE_H
#define CONNBITS_CONDITION_PROGRAM_DIFFERENCE_H

#include "base/message.h"
#include "filter/program.h"

enum program_difference {
	PROGRAMS_AGREE,
	PROGRAMS_DIFFER,
	PROGRAMS_UNDECIDED, /* no difference was found, but that there is none is not certain */
};

/*
 * b may also ask for what no row holds; where a does not, they differ.
 * STATUS_FAILED only without memory.
 */
enum status program_difference_find(const struct program *a, const struct program *b,
				    enum program_difference *difference, struct message *message);

#endif

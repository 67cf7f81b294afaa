/*
 * A segment and a program to one bit per row: the one function behind which
 * the engines stand. Every engine gives the bits of libpcap's bpf_filter.
 */
#ifndef CONNBITS_EVALUATE_H
#define CONNBITS_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"
#include "segment.h"

enum engine {
	ENGINE_BPF, /* bpf_filter for every row: the reference */
};

/* True and *engine for "bpf"; false for a name that is no engine of this version. */
bool engine_find(const char *name, enum engine *engine);

const char *engine_name(enum engine engine);

/*
 * Sets in words the bit of every row of the segment (by the lower 16 bits of
 * its row id) whose header the program accepts. words has to be all 0 before.
 * Returns how many bits were set.
 */
size_t evaluate(enum engine engine, const struct program *program, const struct segment *segment,
		uint64_t words[static SEGMENT_WORDS]);

#endif

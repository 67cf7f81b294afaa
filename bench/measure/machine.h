/*
 * What the figures were taken on: processor, cores, memory, system, compiler
 * and its flags, libraries, and the instruction set of the vector engine.
 */
#ifndef CONNBITS_MEASURE_MACHINE_H
#define CONNBITS_MEASURE_MACHINE_H

#include <stdint.h>
#include <stdio.h>

struct machine {
	char processor[96]; /* as the kernel names it */
	char system[160];
	char compiler[256]; /* with its flags */
	char libraries[256];
	const char *instructions; /* what the vector engine's loops were made for */
	int processors;		  /* that this process may run on */
	uint64_t memory;	  /* bytes */
};

void machine_read(struct machine *machine);

/* Two lines, each beginning with "# ". */
void machine_print(FILE *stream, const struct machine *machine);

/* One JSON object, without a newline. */
void machine_print_json(FILE *stream, const struct machine *machine);

#endif

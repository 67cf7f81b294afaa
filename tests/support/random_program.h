/* Random BPF programs that bpf_filter accepts and no compiler would emit. */
#ifndef CONNBITS_TESTS_RANDOM_PROGRAM_H
#define CONNBITS_TESTS_RANDOM_PROGRAM_H

#include <stdint.h>

#include "filter/program.h"

/* Makes a program of up to 40 instructions. Free with program_free. */
void random_program(uint64_t *seed, struct program *program);

#endif

/*
 * The registers of a BPF machine, and where in a program they matter.
 */
#ifndef CONNBITS_FILTER_LIVE_REGISTERS_H
#define CONNBITS_FILTER_LIVE_REGISTERS_H

#include <pcap/pcap.h>
#include <stdint.h>

enum {
	REGISTER_A = BPF_MEMWORDS,
	REGISTER_X,
	REGISTERS, /* scratch memory, A and X */
};

/*
 * For each instruction, a bit for each register that is still read before it is
 * written. Free with free; NULL without memory.
 */
uint32_t *live_registers_find(const struct bpf_insn *code, uint32_t length);

#endif

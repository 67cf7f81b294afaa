/*
 * A pcap expression as a BPF program for link type DLT_RAW. The program that
 * counts is the plain one, always: libpcap's optimiser has miscompiled, drops
 * loads that reject short packets, and can take for ever. Compiling is bounded
 * in time and memory, since libpcap's code generator takes quadratic time on
 * long lists, and can be stopped; only for libpcap's optimiser, which can
 * not, there is a child process. The netmask is a savefile's, 0, so that
 * what compiles as `tcpdump -r` compiles it does here too.
 */
#ifndef CONNBITS_FILTER_PROGRAM_H
#define CONNBITS_FILTER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/stop.h"

enum {
	PROGRAM_EXPRESSION_MAX = 65536,	    /* bytes of an expression */
	PROGRAM_OPTIMISED_DIRECT_MAX = 128, /* that are optimised without a process of their own */
};

struct bpf_insn;

struct program {
	struct bpf_insn *instructions;
	size_t length; /* instructions */
};

/*
 * Compiles expression (a C string). On success the caller frees it with
 * program_free; STATUS_USAGE means that the expression is at fault and the
 * message says how.
 */
enum status program_compile(const char *expression, struct program *program,
			    struct message *message);

/* What a compile is bound by beyond the usual. */
struct program_bounds {
	const struct stop *stop; /* asked every few milliseconds */
	size_t bytes;		 /* of memory; 0 for the usual gigabyte */
	double seconds;		 /* of processor time; 0 for the usual thirty */
};

/* The same within bounds, which may be NULL. One that is stopped is SQLite's INTERRUPT. */
enum status program_compile_bounded(const char *expression, const struct program_bounds *bounds,
				    struct program *program, struct message *message);

/*
 * What plain tcpdump would run, for comparison only. *done is false where the
 * optimiser does not end within a few seconds, or refuses: what it finds to
 * match no packet.
 */
enum status program_compile_optimised(const char *expression, struct program *program, bool *done,
				      struct message *message);

/* For tests that need exactly the optimised or exactly the plain program of a short expression. */
enum status program_compile_directly(const char *expression, bool optimise, struct program *program,
				     struct message *message);

/*
 * libpcap's answer for one packet. header points to captured bytes; wire is
 * the packet's length before it was cut. A load past captured rejects.
 */
bool program_matches(const struct program *program, const uint8_t *header, uint32_t wire,
		     uint32_t captured);

/* The program that matches no packet, where there has to be one. */
const struct program *program_never(void);

void program_free(struct program *program);

#endif

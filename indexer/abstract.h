/*
 * A BPF program, run once over an abstract header: what does its answer
 * depend on?
 *
 * A class stands for all headers of one IP version and one kind of protocol. In
 * it every byte of the header is one of three: known (version, header length,
 * no fragment, the protocol of the class), held by a connection row (addresses,
 * ports, ICMP type and code), or not held by any (all else). The run follows
 * the program with symbols in place of numbers. What does not depend on a
 * symbol folds away; a jump that does forks the run, and both ends are joined
 * by a test. Tests whose two ends are the same are dropped, and equal tests are
 * kept once, so what is left is a graph of the questions that decide. If one of
 * them asks for bytes that no row holds, the filter has no answer here.
 *
 * Runs that meet in the same instruction with the same live registers are the
 * same run, which keeps the work near one step an instruction and class.
 */
#ifndef CONNBITS_ABSTRACT_H
#define CONNBITS_ABSTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "program.h"

struct abstract_class {
	uint8_t version;  /* 4 or 6 */
	bool other;	  /* any protocol but those that have a class of their own */
	uint8_t protocol; /* where other is false */
};

enum abstract_verdict {
	ABSTRACT_SOUND,	    /* the answer depends on what a row holds */
	ABSTRACT_NOT_HELD,  /* it depends on bytes that no row holds */
	ABSTRACT_UNDECIDED, /* the run was too long; nothing is known */
};

/* The bytes that no row holds and the answer depends on. */
struct abstract_witness {
	uint32_t offset; /* from the start of the IP header; ABSTRACT_LENGTH for the packet's length
			  */
	uint32_t size;	 /* bytes */
};

enum { ABSTRACT_LENGTH = UINT16_MAX + 1 };

/* The protocols that have a class of their own. */
bool abstract_has_class(uint8_t protocol);

/*
 * Runs program over the headers of one class. *witness is set for
 * ABSTRACT_NOT_HELD. STATUS_FAILED only without memory.
 */
enum status abstract_run(const struct program *program, const struct abstract_class *class,
			 enum abstract_verdict *verdict, struct abstract_witness *witness,
			 struct message *message);

#endif

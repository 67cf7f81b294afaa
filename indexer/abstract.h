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

#include "header.h"
#include "message.h"
#include "program.h"

struct abstract_class {
	uint8_t version;  /* 4 or 6 */
	bool other;	  /* any protocol but those that have a class of their own */
	uint8_t protocol; /* where other is false */
	/*
	 * An exact class asks what bpf_filter answers on the header that header_build
	 * makes: all that is in no column is known, but for the checksum, and loads
	 * behind the captured bytes reject. Otherwise the packet is whole, and what a
	 * row does not say of it is not held.
	 */
	bool exact;
	uint8_t header[HEADER_IPV6_SIZE]; /* of an exact class: one of its headers */
	uint32_t captured;		  /* of an exact class, in bytes */
	uint32_t wire;
};

/* What a run found that has no symbol. */
enum abstract_limit {
	ABSTRACT_NO_LIMIT,
	ABSTRACT_TOO_LONG, /* too many states, or a loop whose end depends on the header */
	ABSTRACT_INDIRECT, /* an exact run: a load whose offset depends on the header */
	ABSTRACT_UNDEFINED /* an exact run: what bpf_filter leaves to the machine */
};

/* The bytes that no row holds and the answer depends on. */
struct abstract_witness {
	uint32_t offset; /* from the start of the IP header; ABSTRACT_LENGTH for the packet's length
			  */
	uint32_t size;	 /* bytes */
};

enum { ABSTRACT_LENGTH = UINT16_MAX + 1 };

struct values;
struct graph;

/* The tests that are left, and where they begin. */
struct abstract_result {
	struct values *values;
	struct graph *graph;
	int32_t root; /* a node of graph; means nothing where there is a limit */
	enum abstract_limit limit;
};

/* The protocols that have a class of their own where classes are not exact. */
bool abstract_has_class(uint8_t protocol);

/*
 * The exact class of all headers of one version and protocol. has_icmp says
 * whether type and code are there, and counts only for ICMP and ICMPv6.
 */
struct abstract_class abstract_class_exact(uint8_t version, uint8_t protocol, bool has_icmp);

/* The exact class of all headers whose protocol has no ports and is no ICMP. */
struct abstract_class abstract_class_exact_other(uint8_t version);

/*
 * Runs program over the headers of one class. STATUS_FAILED only without
 * memory. The caller frees with abstract_result_free, also on failure.
 */
enum status abstract_run(const struct program *program, const struct abstract_class *class,
			 struct abstract_result *result, struct message *message);

/*
 * True and *witness if a test that is left asks for what no row holds.
 * STATUS_FAILED only without memory.
 */
enum status abstract_witness_find(struct abstract_result *result, bool *found,
				  struct abstract_witness *witness, struct message *message);

void abstract_result_free(struct abstract_result *result);

#endif

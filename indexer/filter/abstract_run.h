/*
 * The abstract run: a BPF program, run once over a header whose bytes are
 * symbols. What does its answer depend on?
 *
 * Classes. The headers of connections differ in little. All of one IP version
 * and one protocol have the same version, header length and fragment offset;
 * addresses and ports differ from row to row. A class is such a group of
 * headers, and of each byte it says one of three things (abstract_header.h):
 * known, the same in the whole class; held, a connection row says it; or not
 * held by any row.
 *
 * Values. The run follows the program instruction by instruction, but its
 * registers hold values (abstract_value.h): a constant, a load of bytes, or an
 * operation on values. An operation on constants is a constant. Of every value
 * each bit is known or not, so `ip[0] & 0xf` is 5 although the byte has more
 * bits than that. Equal values have equal numbers.
 *
 * States. A jump asks for a value. Where known bits decide, the run just goes
 * on. Where they do not, it forks: both ends become states, each a place in the
 * program and the values of the registers that are still read there
 * (live_registers.h). A state that was met before is the same state, so the work is
 * near one step an instruction and class, however many paths there are. A state
 * that leads back to itself is a loop that the class does not end: the run
 * gives up, and so it does after very many states.
 *
 * Tests. When both ends of a fork are known they are joined to a node
 * (abstract_graph.h): is this value equal to, above, or at least that constant?
 * Two ends that are the same need no test, and equal nodes are one node. So
 * what is left is a graph of the questions that decide, whose leaves are the
 * two answers. What the program loads but nothing depends on has vanished.
 *
 * Two uses. soundness.h asks, of whole packets, whether a question that is left
 * is about bytes that no row holds: then the filter has no answer here.
 * program_condition.h runs over exact classes, for which every load behind the captured
 * bytes rejects as bpf_filter's does, and turns the questions into conditions
 * on columns: protocol, ports, addresses. Those conditions of all classes,
 * joined by the class, are bpf_filter's answer for every header that
 * header_build makes, and the vector engine needs nothing else.
 */
#ifndef CONNBITS_FILTER_ABSTRACT_RUN_H
#define CONNBITS_FILTER_ABSTRACT_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "packet/header.h"
#include "packet/header_gaps.h"
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
	const struct header_gaps *gaps; /* of a class that is not exact; NULL for none */
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
	uint32_t offset; /* from the start of the IP header, or one of the following */
	uint32_t size;	 /* bytes */
};

enum {
	ABSTRACT_LENGTH = UINT16_MAX + 1, /* the packet's length */
	ABSTRACT_VARYING,		  /* any byte: the header gives the offset */
};

struct abstract_values;
struct abstract_graph;

/* The tests that are left, and where they begin. */
struct abstract_result {
	struct abstract_values *values;
	struct abstract_graph *graph;
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

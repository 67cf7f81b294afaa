/*
 * The graph of tests that an abstract run leaves: each test has two ends,
 * further tests or one of the two answers. Equal graphs have equal numbers.
 */
#ifndef CONNBITS_FILTER_ABSTRACT_GRAPH_H
#define CONNBITS_FILTER_ABSTRACT_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abstract_run.h"
#include "abstract_value.h"

enum { NODE_REJECT = 0, NODE_ACCEPT = 1, NODE_NONE = -1 };

/* A test: is value equal to, above, or at least constant (BPF_JEQ, BPF_JGT, BPF_JGE)? */
struct test {
	uint32_t value;
	uint16_t operation;
	uint32_t constant;
};

struct node {
	struct test test;
	int32_t yes;
	int32_t no;
	bool visited;
};

/* Zero-initialise; free with abstract_graph_free. */
struct abstract_graph {
	struct node *nodes; /* the first two stand for the answers */
	size_t count;
	size_t capacity;
	uint32_t *slots; /* hash table of indices + 1 */
	size_t slot_count;
	bool failed; /* out of memory: every number since means nothing */
};

/* The node that joins two ends by a test; the end itself where they are the same. */
int32_t abstract_graph_join(struct abstract_graph *graph, const struct test *test, int32_t yes,
			    int32_t no);

/* Finds a test behind root that asks for what no row holds. Once a graph only. */
bool abstract_graph_witness(struct abstract_graph *graph, int32_t root,
			    const struct abstract_values *values, struct abstract_witness *witness);

void abstract_graph_free(struct abstract_graph *graph);

#endif

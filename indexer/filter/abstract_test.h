/*
 * The tests of an abstract run: what a jump asks, in words that are the same
 * for the same question, and whether the class of headers answers it already.
 */
#ifndef CONNBITS_FILTER_ABSTRACT_TEST_H
#define CONNBITS_FILTER_ABSTRACT_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "abstract_graph.h"
#include "abstract_value.h"

struct bpf_insn;

/*
 * The test that a jump makes, whose registers hold the values a and x. BPF_JSET
 * becomes "not equal to 0", so *inverted says that its ends change places.
 */
struct test abstract_test_of_jump(struct abstract_values *values, const struct bpf_insn *insn,
				  uint32_t a, uint32_t x, bool *inverted);

/* What a test gives for every header of the class: 1, 0, or -1 where it depends. */
int abstract_test_decide(const struct abstract_values *values, const struct abstract_class *class,
			 const struct test *test);

#endif

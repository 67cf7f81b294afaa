/*
 * Symbolic 32-bit values of an abstract run. Equal values have equal numbers.
 */
#ifndef CONNBITS_FILTER_ABSTRACT_VALUE_H
#define CONNBITS_FILTER_ABSTRACT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abstract_run.h"

enum value_kind {
	VALUE_CONSTANT, /* a */
	VALUE_LOAD,	/* b bytes at offset a */
	VALUE_INDIRECT, /* `operation` bytes at an offset that is a plus the value b */
	VALUE_LENGTH,	/* the packet's length on the wire */
	VALUE_OPERATION /* operation (a BPF opcode) of values a and b */
};

struct abstract_value {
	enum value_kind kind;
	uint16_t operation;
	uint32_t a;
	uint32_t b;
	uint32_t known;	 /* mask of bits that are the same in every header of the class */
	uint32_t bits;	 /* those bits */
	uint32_t unheld; /* mask of bits that depend on what no row holds */
	struct abstract_witness witness; /* where unheld is not 0 */
};

/* Zero-initialise; free with abstract_values_free. */
struct abstract_values {
	struct abstract_value *items;
	size_t count;
	size_t capacity;
	uint32_t *slots; /* hash table of indices + 1 */
	size_t slot_count;
	bool failed; /* out of memory: every number since is 0 */
};

uint32_t abstract_value_constant(struct abstract_values *values, uint32_t constant);

/* Loads size bytes (1, 2 or 4, big-endian) at offset of a header of the class. */
uint32_t abstract_value_load(struct abstract_values *values, const struct abstract_class *class,
			     uint32_t offset, uint32_t size);

/* Loads at an offset that varies from row to row. */
uint32_t abstract_value_indirect(struct abstract_values *values, uint32_t index, uint32_t offset,
				 uint32_t size);

uint32_t abstract_value_length(struct abstract_values *values);

/* operation is BPF_ADD, BPF_SUB, ..., BPF_NEG (of a alone). Folds where it can. */
uint32_t abstract_value_operation(struct abstract_values *values, uint16_t operation, uint32_t a,
				  uint32_t b);

/*
 * The result of an operation on two numbers. BPF_JMP | BPF_JEQ and the like
 * compare them and give 1 or 0.
 */
uint32_t abstract_value_compute(uint16_t operation, uint32_t a, uint32_t b);

/* True and *constant if the value is the same for every header of the class. */
bool abstract_value_is_constant(const struct abstract_values *values, uint32_t value,
				uint32_t *constant);

void abstract_values_free(struct abstract_values *values);

#endif

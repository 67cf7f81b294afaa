#include "abstract_value.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "abstract_header.h"

static size_t value_hash(const struct abstract_value *value)
{
	uint64_t hash = (uint64_t)value->kind << 16 | value->operation;

	hash = (hash ^ value->a) * UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ (hash >> 29) ^ value->b) * UINT64_C(0xbf58476d1ce4e5b9);
	return (size_t)(hash ^ (hash >> 32));
}

static bool value_equal(const struct abstract_value *x, const struct abstract_value *y)
{
	return x->kind == y->kind && x->operation == y->operation && x->a == y->a && x->b == y->b;
}

static uint32_t *value_slot(const struct abstract_values *values,
			    const struct abstract_value *value)
{
	size_t mask = values->slot_count - 1;
	size_t i = value_hash(value) & mask;

	while (values->slots[i] && !value_equal(&values->items[values->slots[i] - 1], value))
		i = (i + 1) & mask;
	return &values->slots[i];
}

static bool values_grow(struct abstract_values *values)
{
	size_t capacity = values->capacity ? values->capacity * 2 : 64;
	struct abstract_value *items;
	uint32_t *slots;

	if (values->count < values->capacity)
		return true;
	items = realloc(values->items, capacity * sizeof(*items));
	if (!items)
		return false;
	values->items = items;
	slots = calloc(capacity * 2, sizeof(*slots));
	if (!slots)
		return false;
	free(values->slots);
	values->slots = slots;
	values->slot_count = capacity * 2;
	values->capacity = capacity;
	for (size_t i = 0; i < values->count; i++)
		*value_slot(values, &items[i]) = (uint32_t)i + 1;
	return true;
}

static uint32_t value_intern(struct abstract_values *values, const struct abstract_value *value)
{
	uint32_t *slot;

	if (value->kind != VALUE_CONSTANT && value->known == UINT32_MAX)
		return abstract_value_constant(values, value->bits);
	if (!values_grow(values)) {
		values->failed = true;
		return 0;
	}
	slot = value_slot(values, value);
	if (!*slot) {
		values->items[values->count++] = *value;
		*slot = (uint32_t)values->count;
	}
	return *slot - 1;
}

uint32_t abstract_value_constant(struct abstract_values *values, uint32_t constant)
{
	const struct abstract_value value = {
		.kind = VALUE_CONSTANT, .a = constant, .known = UINT32_MAX, .bits = constant};

	return value_intern(values, &value);
}

uint32_t abstract_value_load(struct abstract_values *values, const struct abstract_class *class,
			     uint32_t offset, uint32_t size)
{
	struct abstract_value value = {.kind = VALUE_LOAD,
				       .a = offset,
				       .b = size,
				       .witness = {.offset = offset, .size = size}};

	for (uint32_t i = 0; i < size; i++) {
		struct abstract_byte byte = abstract_header_byte(class, offset + i);

		value.known = value.known << 8 | byte.known;
		value.bits = value.bits << 8 | byte.value;
		value.unheld = value.unheld << 8 | byte.unheld;
	}
	/* The bits above what was loaded are 0. */
	if (size < 4)
		value.known |= UINT32_MAX << (8 * size);
	return value_intern(values, &value);
}

uint32_t abstract_value_indirect(struct abstract_values *values, uint32_t index, uint32_t offset,
				 uint32_t size)
{
	struct abstract_value value = {.kind = VALUE_INDIRECT,
				       .operation = (uint16_t)size,
				       .a = offset,
				       .b = index,
				       .unheld = UINT32_MAX,
				       .witness = {.offset = ABSTRACT_VARYING}};

	if (values->failed)
		return 0;
	if (values->items[index].unheld)
		value.witness = values->items[index].witness;
	return value_intern(values, &value);
}

uint32_t abstract_value_length(struct abstract_values *values)
{
	const struct abstract_value value = {
		.kind = VALUE_LENGTH, .unheld = UINT32_MAX, .witness = {.offset = ABSTRACT_LENGTH}};

	return value_intern(values, &value);
}

bool abstract_value_is_constant(const struct abstract_values *values, uint32_t value,
				uint32_t *constant)
{
	if (values->failed || values->items[value].kind != VALUE_CONSTANT)
		return false;
	*constant = values->items[value].a;
	return true;
}

/* A division by 0 rejects the packet before it gets here. */
uint32_t abstract_value_compute(uint16_t operation, uint32_t a, uint32_t b)
{
	switch (operation) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_MOD:
		return b ? a % b : 0;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return b < 32 ? a << b : 0;
	case BPF_RSH:
		return b < 32 ? a >> b : 0;
	case BPF_JMP | BPF_JEQ:
		return a == b;
	case BPF_JMP | BPF_JGT:
		return a > b;
	case BPF_JMP | BPF_JGE:
		return a >= b;
	default: /* BPF_NEG */
		return 0U - a;
	}
}

/* What is known bit by bit of an operation with one constant. */
static void known_bits(struct abstract_value *value, const struct abstract_value *from,
		       uint32_t constant)
{
	const uint32_t shift = constant & 31;

	switch (value->operation) {
	case BPF_AND:
		value->known = from->known | ~constant;
		value->bits = from->bits & constant;
		value->unheld = from->unheld & constant;
		break;
	case BPF_OR:
		value->known = from->known | constant;
		value->bits = from->bits | constant;
		value->unheld = from->unheld & ~constant;
		break;
	case BPF_LSH:
		value->known = from->known << shift | ((UINT32_C(1) << shift) - 1);
		value->bits = from->bits << shift;
		value->unheld = from->unheld << shift;
		break;
	case BPF_RSH:
		value->known = from->known >> shift | ~(UINT32_MAX >> shift);
		value->bits = from->bits >> shift;
		value->unheld = from->unheld >> shift;
		break;
	default:
		break;
	}
}

/* libpcap emits `add #0` and the like, which must not make a new value. */
static bool changes_nothing(uint16_t operation, uint32_t constant)
{
	switch (operation) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_OR:
	case BPF_XOR:
	case BPF_LSH:
	case BPF_RSH:
		return constant == 0;
	case BPF_MUL:
	case BPF_DIV:
		return constant == 1;
	case BPF_AND:
		return constant == UINT32_MAX;
	default:
		return false;
	}
}

uint32_t abstract_value_operation(struct abstract_values *values, uint16_t operation, uint32_t a,
				  uint32_t b)
{
	struct abstract_value value = {
		.kind = VALUE_OPERATION, .operation = operation, .a = a, .b = b};
	const struct abstract_value *left;
	const struct abstract_value *right;

	if (values->failed)
		return 0;
	left = &values->items[a];
	right = &values->items[b];
	if (left->kind == VALUE_CONSTANT && right->kind == VALUE_CONSTANT)
		return abstract_value_constant(
			values, abstract_value_compute(operation, left->a, right->a));
	if (right->kind == VALUE_CONSTANT && changes_nothing(operation, right->a))
		return a;
	value.unheld = left->unheld || right->unheld ? UINT32_MAX : 0;
	value.witness = left->unheld ? left->witness : right->witness;
	if (right->kind == VALUE_CONSTANT &&
	    (right->a < 32 || operation == BPF_AND || operation == BPF_OR))
		known_bits(&value, left, right->a);
	else if (left->kind == VALUE_CONSTANT && (operation == BPF_AND || operation == BPF_OR))
		known_bits(&value, right, left->a);
	return value_intern(values, &value);
}

void abstract_values_free(struct abstract_values *values)
{
	free(values->items);
	free(values->slots);
	*values = (struct abstract_values){0};
}

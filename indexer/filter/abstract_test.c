#include "abstract_test.h"

#include <pcap/pcap.h>

/*
 * Undoes what a plain program does to compare: `a - b = 0` is a = b, and
 * `a - 7 = 0` is a = 7, so that equal questions are asked in equal words.
 */
static void equality_simplify(struct abstract_values *values, struct test *test)
{
	uint32_t operand;

	while (test->operation == BPF_JEQ && !values->failed) {
		const struct abstract_value value = values->items[test->value];

		if (value.kind != VALUE_OPERATION ||
		    (value.operation != BPF_SUB && value.operation != BPF_XOR))
			return;
		if (abstract_value_is_constant(values, value.b, &operand)) {
			test->constant = value.operation == BPF_SUB ? test->constant + operand
								    : test->constant ^ operand;
			test->value = value.a;
			continue;
		}
		if (test->constant != 0)
			return;
		test->value = abstract_value_operation(values, BPF_JMP | BPF_JEQ, value.a, value.b);
		test->constant = 1;
		return;
	}
}

struct test abstract_test_of_jump(struct abstract_values *values, const struct bpf_insn *insn,
				  uint32_t a, uint32_t x, bool *inverted)
{
	struct test test = {.value = a, .operation = BPF_OP(insn->code), .constant = insn->k};
	uint32_t operand = abstract_value_constant(values, insn->k);
	bool constant = true;

	*inverted = false;
	if (BPF_SRC(insn->code) == BPF_X) {
		operand = x;
		constant = abstract_value_is_constant(values, operand, &test.constant);
	}
	if (test.operation == BPF_JSET) {
		*inverted = true;
		return (struct test){
			.value = abstract_value_operation(values, BPF_AND, test.value, operand),
			.operation = BPF_JEQ,
			.constant = 0};
	}
	if (constant) {
		equality_simplify(values, &test);
		return test;
	}
	/* Two symbols: their comparison is one symbol, which is 1 or 0. */
	return (struct test){.value = abstract_value_operation(values,
							       (uint16_t)(BPF_JMP | test.operation),
							       test.value, operand),
			     .operation = BPF_JEQ,
			     .constant = 1};
}

int abstract_test_decide(const struct abstract_values *values, const struct abstract_class *class,
			 const struct test *test)
{
	const struct abstract_value *value = &values->items[test->value];
	const uint32_t least = value->bits & value->known;
	const uint32_t most = least | ~value->known;

	switch (test->operation) {
	case BPF_JEQ:
		if (value->known == UINT32_MAX)
			return least == test->constant;
		if ((least ^ test->constant) & value->known)
			return 0;
		break;
	case BPF_JGT:
		if (least > test->constant)
			return 1;
		if (most <= test->constant)
			return 0;
		break;
	default: /* BPF_JGE */
		if (least >= test->constant)
			return 1;
		if (most < test->constant)
			return 0;
	}
	/* Of the class of all other protocols, those with their own class are no members. */
	if (test->operation == BPF_JEQ && class->other && !class->exact &&
	    value->kind == VALUE_LOAD && value->b == 1 &&
	    value->a == (class->version == 4 ? 9U : 6U) &&
	    abstract_has_class((uint8_t)test->constant))
		return 0;
	return -1;
}

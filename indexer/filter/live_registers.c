#include "live_registers.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>

/* Registers that an instruction reads and writes, as bits. */
static void instruction_registers(const struct bpf_insn *insn, uint32_t *reads, uint32_t *writes)
{
	const uint32_t a = 1U << REGISTER_A;
	const uint32_t x = 1U << REGISTER_X;
	const uint32_t memory = insn->k < BPF_MEMWORDS ? 1U << insn->k : 0;
	const uint32_t operand = BPF_SRC(insn->code) == BPF_X ? x : 0;

	*reads = 0;
	*writes = 0;
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
		*writes = BPF_CLASS(insn->code) == BPF_LD ? a : x;
		*reads = BPF_MODE(insn->code) == BPF_IND   ? x
			 : BPF_MODE(insn->code) == BPF_MEM ? memory
							   : 0;
		break;
	case BPF_ST:
	case BPF_STX:
		*writes = memory;
		*reads = BPF_CLASS(insn->code) == BPF_ST ? a : x;
		break;
	case BPF_ALU:
		*writes = a;
		*reads = a | (BPF_OP(insn->code) == BPF_NEG ? 0 : operand);
		break;
	case BPF_JMP:
		*reads = BPF_OP(insn->code) == BPF_JA ? 0 : a | operand;
		break;
	case BPF_RET:
		*reads = BPF_RVAL(insn->code) == BPF_A ? a : 0;
		break;
	default: /* BPF_MISC */
		*writes = BPF_MISCOP(insn->code) == BPF_TAX ? x : a;
		*reads = BPF_MISCOP(insn->code) == BPF_TAX ? a : x;
	}
}

static uint32_t live_after(const struct bpf_insn *code, uint32_t length, const uint32_t *live_at,
			   uint32_t pc)
{
	const struct bpf_insn *insn = &code[pc];
	uint32_t live = 0;

	if (BPF_CLASS(insn->code) == BPF_RET)
		return 0;
	if (BPF_CLASS(insn->code) != BPF_JMP)
		return pc + 1 < length ? live_at[pc + 1] : 0;
	if (BPF_OP(insn->code) == BPF_JA)
		return pc + 1 + insn->k < length ? live_at[pc + 1 + insn->k] : 0;
	if (pc + 1 + insn->jt < length)
		live |= live_at[pc + 1 + insn->jt];
	if (pc + 1 + insn->jf < length)
		live |= live_at[pc + 1 + insn->jf];
	return live;
}

/* Backwards until nothing changes: one pass unless the program has loops. */
uint32_t *live_registers_find(const struct bpf_insn *code, uint32_t length)
{
	uint32_t *live_at = calloc(length + (size_t)1, sizeof(*live_at));
	bool changed = true;

	while (live_at && changed) {
		changed = false;
		for (uint32_t pc = length; pc-- > 0;) {
			uint32_t reads;
			uint32_t writes;
			uint32_t live;

			instruction_registers(&code[pc], &reads, &writes);
			live = reads | (live_after(code, length, live_at, pc) & ~writes);
			changed |= live != live_at[pc] && pc > 0 &&
				   BPF_CLASS(code[pc].code) == BPF_JMP &&
				   BPF_OP(code[pc].code) == BPF_JA && (int32_t)code[pc].k < 0;
			live_at[pc] = live;
		}
	}
	return live_at;
}

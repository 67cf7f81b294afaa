#include "random_program.h"

#include <pcap/pcap.h>
#include <stdlib.h>

#include "random.h"

enum { LENGTH_MAX = 40, SCRATCH = 4 };

/* A number that some header may well hold, or any. */
static uint32_t random_constant(uint64_t *seed)
{
	static const uint32_t likely[] = {0,	1,   4,	     6,		 8,	    17,	 20,
					  22,	40,  58,     0x45,	 80,	    132, 443,
					  0xff, 256, 0xffff, 0x0a000001, UINT32_MAX};

	switch (random_below(seed, 4)) {
	case 0:
		return random_below(seed, 256);
	case 1:
		return (uint32_t)random_next(seed);
	default:
		return likely[random_below(seed, sizeof(likely) / sizeof(*likely))];
	}
}

static struct bpf_insn random_load(uint64_t *seed)
{
	static const uint16_t sizes[] = {BPF_W, BPF_H, BPF_B};
	const uint16_t size = sizes[random_below(seed, 3)];
	const uint32_t offset =
		random_below(seed, 10) ? random_below(seed, 26) : random_constant(seed);

	switch (random_below(seed, 8)) {
	case 0:
		return (struct bpf_insn){.code = BPF_LD | BPF_IMM, .k = random_constant(seed)};
	case 1:
		return (struct bpf_insn){.code = BPF_LD | BPF_MEM, .k = random_below(seed, 4)};
	case 2:
		return (struct bpf_insn){.code = BPF_LD | BPF_W | BPF_LEN};
	case 3:
		return (struct bpf_insn){.code = (uint16_t)(BPF_LD | BPF_IND | size),
					 .k = random_below(seed, 24)};
	default:
		return (struct bpf_insn){.code = (uint16_t)(BPF_LD | BPF_ABS | size), .k = offset};
	}
}

static struct bpf_insn random_index(uint64_t *seed)
{
	switch (random_below(seed, 5)) {
	case 0:
		return (struct bpf_insn){.code = BPF_LDX | BPF_IMM, .k = random_below(seed, 44)};
	case 1:
		return (struct bpf_insn){.code = BPF_LDX | BPF_MEM, .k = random_below(seed, 4)};
	case 2:
		return (struct bpf_insn){.code = BPF_LDX | BPF_W | BPF_LEN};
	case 3:
		return (struct bpf_insn){.code = BPF_LDX | BPF_MSH | BPF_B,
					 .k = random_below(seed, 24)};
	default:
		return (struct bpf_insn){.code = BPF_MISC | BPF_TAX};
	}
}

static struct bpf_insn random_arithmetic(uint64_t *seed)
{
	static const uint16_t operations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD,
					      BPF_AND, BPF_AND, BPF_AND, BPF_OR,  BPF_XOR,
					      BPF_LSH, BPF_RSH, BPF_NEG};
	const uint16_t operation = operations[random_below(seed, 13)];
	struct bpf_insn insn = {.code = (uint16_t)(BPF_ALU | operation),
				.k = random_constant(seed)};

	if (random_below(seed, 4) == 0 && operation != BPF_NEG)
		insn.code |= BPF_X;
	else if (operation == BPF_LSH || operation == BPF_RSH)
		insn.k %= 32;
	else if ((operation == BPF_DIV || operation == BPF_MOD) && insn.k == 0)
		insn.k = 3;
	return insn;
}

/* `left` instructions stand behind this one, 1 or more. */
static struct bpf_insn random_jump(uint64_t *seed, unsigned left)
{
	static const uint16_t operations[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};

	if (random_below(seed, 12) == 0)
		return (struct bpf_insn){.code = BPF_JMP | BPF_JA, .k = random_below(seed, left)};
	return (struct bpf_insn){.code = (uint16_t)(BPF_JMP | operations[random_below(seed, 4)] |
						    (random_below(seed, 5) ? BPF_K : BPF_X)),
				 .jt = (uint8_t)random_below(seed, left),
				 .jf = (uint8_t)random_below(seed, left),
				 .k = random_constant(seed)};
}

static struct bpf_insn random_instruction(uint64_t *seed, unsigned left)
{
	switch (random_below(seed, 12)) {
	case 0:
	case 1:
	case 2:
		return random_load(seed);
	case 3:
		return random_index(seed);
	case 4:
	case 5:
		return random_arithmetic(seed);
	case 6:
		return (struct bpf_insn){.code = random_below(seed, 2) ? BPF_ST : BPF_STX,
					 .k = random_below(seed, 4)};
	case 7:
		if (random_below(seed, 4) == 0)
			return (struct bpf_insn){.code = BPF_RET | BPF_A};
		return (struct bpf_insn){.code = BPF_MISC | BPF_TXA};
	default:
		return random_jump(seed, left);
	}
}

void random_program(uint64_t *seed, struct program *program)
{
	const unsigned length = 3 + SCRATCH + random_below(seed, LENGTH_MAX - SCRATCH - 2);
	struct bpf_insn *code = calloc(length, sizeof(*code));

	do {
		/* bpf_filter does not clear its scratch memory, so what is read is written first.
		 */
		for (unsigned i = 0; i < SCRATCH; i++)
			code[i] = (struct bpf_insn){
				.code = random_below(seed, 2) ? BPF_ST : BPF_STX, .k = i};
		for (unsigned i = SCRATCH; i + 2 < length; i++)
			code[i] = random_instruction(seed, length - 1 - i);
		/* Two returns, so that most programs can give both answers. */
		code[length - 2] = (struct bpf_insn){
			.code = random_below(seed, 3) ? BPF_RET | BPF_K : BPF_RET | BPF_A, .k = 1};
		code[length - 1] = (struct bpf_insn){.code = BPF_RET | BPF_K};
	} while (!bpf_validate(code, (int)length));
	*program = (struct program){.instructions = code, .length = length};
}

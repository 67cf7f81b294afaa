/*
 * Bytes as a BPF program: both engines have to give the same rows. Eight bytes
 * make an instruction; jumps stay inside the program and go forward.
 */
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "engine/evaluate.h"
#include "packet/segment.h"

enum { INSTRUCTIONS_MAX = 64, ROWS = 96 };

static const uint16_t codes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_H | BPF_ABS,
	BPF_LD | BPF_B | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND,
	BPF_LD | BPF_H | BPF_IND,
	BPF_LD | BPF_B | BPF_IND,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LDX | BPF_IMM,
	BPF_LDX | BPF_MEM,
	BPF_LDX | BPF_MSH | BPF_B,
	BPF_ST,
	BPF_STX,
	BPF_ALU | BPF_ADD | BPF_K,
	BPF_ALU | BPF_SUB | BPF_K,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_MOD | BPF_K,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_OR | BPF_K,
	BPF_ALU | BPF_XOR | BPF_K,
	BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_NEG,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_MOD | BPF_X,
	BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JEQ | BPF_X,
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
};

static struct bpf_insn instruction(const uint8_t *bytes, size_t left)
{
	struct bpf_insn insn = {.code = codes[bytes[0] % (sizeof(codes) / sizeof(*codes))],
				.jt = (uint8_t)(bytes[1] % left),
				.jf = (uint8_t)(bytes[2] % left)};

	memcpy(&insn.k, bytes + 4, sizeof(insn.k));
	/* Short offsets and numbers, unless the byte between says otherwise. */
	if (!(bytes[3] & 1))
		insn.k &= 0x3f;
	if (insn.code == (BPF_JMP | BPF_JA))
		insn.k %= (uint32_t)left;
	if (BPF_CLASS(insn.code) == BPF_ST || BPF_CLASS(insn.code) == BPF_STX ||
	    insn.code == (BPF_LD | BPF_MEM) || insn.code == (BPF_LDX | BPF_MEM))
		insn.k %= BPF_MEMWORDS;
	return insn;
}

/* bpf_filter does not clear its scratch memory, so all of it is written first. */
static size_t program_of(const uint8_t *data, size_t size, struct bpf_insn *code)
{
	size_t count = size / 8 < INSTRUCTIONS_MAX ? size / 8 : INSTRUCTIONS_MAX;

	for (uint32_t i = 0; i < BPF_MEMWORDS; i++)
		code[i] = (struct bpf_insn){.code = BPF_ST, .k = i};
	for (size_t i = 0; i < count; i++)
		code[BPF_MEMWORDS + i] = instruction(data + i * 8, count - i);
	count += BPF_MEMWORDS;
	code[count++] = (struct bpf_insn){.code = BPF_RET | BPF_A};
	return count;
}

static void segment_fill(struct segment *segment)
{
	static const uint8_t protocols[] = {6, 17, 132, 1, 58, 47, 51, 0};

	segment_reset(segment, 0);
	for (unsigned i = 0; i < ROWS; i++) {
		struct connection connection = {.version = i % 2 ? 4 : 6,
						.protocol = protocols[i / 2 % 8],
						.has_icmp = i / 16 % 2,
						.icmp_type = (uint8_t)i,
						.source_port = (uint16_t)(i * 683),
						.destination_port = (uint16_t)(i * i)};

		for (unsigned j = 0; j < 16; j++) {
			connection.source[j] = (uint8_t)(i * (j + 1));
			connection.destination[j] = (uint8_t)(i >> (j % 4));
		}
		segment_append(segment, (uint16_t)(i * 3), OUTCOME_HEADER, &connection);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct segment_bits bits[2];
	struct bpf_insn code[BPF_MEMWORDS + INSTRUCTIONS_MAX + 1];
	const struct program program = {.instructions = code,
					.length = program_of(data, size, code)};
	const struct program *const programs[] = {&program};
	struct segment *segment;
	struct message message;

	if (!bpf_validate(code, (int)program.length))
		return 0;
	segment = segment_new();
	if (!segment)
		return 0;
	segment_fill(segment);
	for (size_t engine = 0; engine < 2; engine++) {
		struct evaluation *evaluation;
		struct evaluator *evaluator;

		if (evaluation_new((enum engine)engine, programs, 1, NULL, &evaluation, &message) !=
			    STATUS_OK ||
		    evaluator_new(evaluation, &evaluator, &message) != STATUS_OK ||
		    evaluator_read(evaluator, segment, &message) != STATUS_OK)
			abort();
		evaluator_bits(evaluator, 0, &bits[engine]);
		evaluator_free(evaluator);
		evaluation_free(evaluation);
	}
	for (size_t word = 0; word < SEGMENT_WORDS; word++)
		if (segment_bits_word(&bits[0], word) != segment_bits_word(&bits[1], word))
			abort();
	segment_free(segment);
	return 0;
}

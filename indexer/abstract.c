#include "abstract.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "abstract_graph.h"
#include "abstract_value.h"
#include "connection.h"

enum {
	REGISTER_A = BPF_MEMWORDS,
	REGISTER_X,
	REGISTERS, /* scratch memory, A and X */
	STATES_MAX = 200000,
};

/* A point of the program with what its live registers hold; then how it goes on. */
struct state {
	uint32_t pc;
	uint32_t registers[REGISTERS];
	bool expanded;
	struct test test;
	uint32_t yes; /* states */
	uint32_t no;
	int32_t node; /* NODE_NONE until both ends are known */
};

struct run {
	const struct bpf_insn *code;
	uint32_t length;
	const struct abstract_class *class;
	uint32_t *live; /* by instruction, a bit for each register that matters there */
	struct values values;
	struct state *states;
	size_t state_count;
	size_t state_capacity;
	uint32_t *state_slots;
	size_t state_slot_count;
	struct graph graph;
	bool failed;	/* out of memory */
	bool undecided; /* too long, or a loop without end */
};

bool abstract_has_class(uint8_t protocol)
{
	/* Extension headers of IPv6 (and AH) stand for what the row does not say. */
	static const uint8_t protocols[] = {0,	PROTOCOL_ICMP,	PROTOCOL_TCP, PROTOCOL_UDP, 43, 44,
					    51, PROTOCOL_ICMP6, 60,	      PROTOCOL_SCTP};

	return memchr(protocols, protocol, sizeof(protocols)) != NULL;
}

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

static uint32_t live_after(const struct run *run, uint32_t pc)
{
	const struct bpf_insn *insn = &run->code[pc];
	uint32_t live = 0;

	if (BPF_CLASS(insn->code) == BPF_RET)
		return 0;
	if (BPF_CLASS(insn->code) != BPF_JMP)
		return pc + 1 < run->length ? run->live[pc + 1] : 0;
	if (BPF_OP(insn->code) == BPF_JA)
		return pc + 1 + insn->k < run->length ? run->live[pc + 1 + insn->k] : 0;
	if (pc + 1 + insn->jt < run->length)
		live |= run->live[pc + 1 + insn->jt];
	if (pc + 1 + insn->jf < run->length)
		live |= run->live[pc + 1 + insn->jf];
	return live;
}

/* Backwards until nothing changes: one pass unless the program has loops. */
static void live_compute(struct run *run)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t pc = run->length; pc-- > 0;) {
			uint32_t reads;
			uint32_t writes;
			uint32_t live;

			instruction_registers(&run->code[pc], &reads, &writes);
			live = reads | (live_after(run, pc) & ~writes);
			changed |= live != run->live[pc] && pc > 0 &&
				   BPF_CLASS(run->code[pc].code) == BPF_JMP &&
				   BPF_OP(run->code[pc].code) == BPF_JA &&
				   (int32_t)run->code[pc].k < 0;
			run->live[pc] = live;
		}
	}
}

static size_t hash_words(const uint32_t *words, size_t count)
{
	uint64_t hash = count;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return (size_t)hash;
}

/* Makes room for one more item and for the hash table over all of them. */
static bool table_grow(struct run *run, void **items, size_t item_size, size_t count,
		       size_t *capacity, uint32_t **slots, size_t *slot_count, bool *rehash)
{
	size_t larger = *capacity ? *capacity * 2 : 256;
	void *new_items;
	uint32_t *new_slots;

	*rehash = count == *capacity;
	if (!*rehash)
		return true;
	new_items = realloc(*items, larger * item_size);
	if (new_items)
		*items = new_items;
	new_slots = calloc(larger * 2, sizeof(*new_slots));
	if (!new_items || !new_slots) {
		free(new_slots);
		run->failed = true;
		return false;
	}
	free(*slots);
	*slots = new_slots;
	*slot_count = larger * 2;
	*capacity = larger;
	return true;
}

static uint32_t *state_slot(const struct run *run, uint32_t pc, const uint32_t *registers)
{
	size_t mask = run->state_slot_count - 1;
	size_t i = (hash_words(registers, REGISTERS) * 31 + pc) & mask;

	while (run->state_slots[i]) {
		const struct state *state = &run->states[run->state_slots[i] - 1];

		if (state->pc == pc &&
		    memcmp(state->registers, registers, sizeof(state->registers)) == 0)
			break;
		i = (i + 1) & mask;
	}
	return &run->state_slots[i];
}

/* The state at pc, found or new. What is dead there does not tell states apart. */
static uint32_t state_at(struct run *run, uint32_t pc, const uint32_t registers[REGISTERS])
{
	uint32_t kept[REGISTERS];
	uint32_t *slot;
	bool rehash;

	if (run->state_count >= STATES_MAX || pc >= run->length) {
		run->undecided = true;
		return 0;
	}
	for (uint32_t i = 0; i < REGISTERS; i++)
		kept[i] = run->live[pc] >> i & 1 ? registers[i] : UINT32_MAX;
	if (!table_grow(run, (void **)&run->states, sizeof(*run->states), run->state_count,
			&run->state_capacity, &run->state_slots, &run->state_slot_count, &rehash))
		return 0;
	for (size_t i = 0; rehash && i < run->state_count; i++)
		*state_slot(run, run->states[i].pc, run->states[i].registers) = (uint32_t)i + 1;
	slot = state_slot(run, pc, kept);
	if (!*slot) {
		struct state *state = &run->states[run->state_count++];

		*state = (struct state){.pc = pc, .node = NODE_NONE};
		memcpy(state->registers, kept, sizeof(kept));
		*slot = (uint32_t)run->state_count;
	}
	return *slot - 1;
}

static uint32_t load_size(uint16_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_W:
		return 4;
	case BPF_H:
		return 2;
	default:
		return 1;
	}
}

static uint32_t load(struct run *run, const struct bpf_insn *insn, const uint32_t *registers)
{
	uint32_t index;

	switch (BPF_MODE(insn->code)) {
	case BPF_ABS:
		return value_load(&run->values, run->class, insn->k, load_size(insn->code));
	case BPF_IND:
		if (value_is_constant(&run->values, registers[REGISTER_X], &index))
			return value_load(&run->values, run->class, insn->k + index,
					  load_size(insn->code));
		return value_indirect(&run->values, registers[REGISTER_X], insn->k,
				      load_size(insn->code));
	case BPF_MEM:
		return registers[insn->k % BPF_MEMWORDS];
	case BPF_LEN:
		return value_length(&run->values);
	case BPF_MSH:
		return value_operation(
			&run->values, BPF_LSH,
			value_operation(&run->values, BPF_AND,
					value_load(&run->values, run->class, insn->k, 1),
					value_constant(&run->values, 0xf)),
			value_constant(&run->values, 2));
	default: /* BPF_IMM */
		return value_constant(&run->values, insn->k);
	}
}

/* Runs an instruction that neither jumps nor returns. */
static void step(struct run *run, const struct bpf_insn *insn, uint32_t registers[REGISTERS])
{
	uint32_t operand;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		registers[REGISTER_A] = load(run, insn, registers);
		break;
	case BPF_LDX:
		registers[REGISTER_X] = load(run, insn, registers);
		break;
	case BPF_ST:
		registers[insn->k % BPF_MEMWORDS] = registers[REGISTER_A];
		break;
	case BPF_STX:
		registers[insn->k % BPF_MEMWORDS] = registers[REGISTER_X];
		break;
	case BPF_ALU:
		operand = BPF_SRC(insn->code) == BPF_X ? registers[REGISTER_X]
						       : value_constant(&run->values, insn->k);
		registers[REGISTER_A] = value_operation(&run->values, BPF_OP(insn->code),
							registers[REGISTER_A], operand);
		break;
	default: /* BPF_MISC */
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			registers[REGISTER_X] = registers[REGISTER_A];
		else
			registers[REGISTER_A] = registers[REGISTER_X];
	}
}

/* What a test gives for every header of the class: 1, 0, or -1 where it depends. */
static int test_decide(const struct run *run, const struct test *test)
{
	const struct value *value = &run->values.items[test->value];
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
	if (test->operation == BPF_JEQ && run->class->other && value->kind == VALUE_LOAD &&
	    value->b == 1 && value->a == (run->class->version == 4 ? 9U : 6U) &&
	    abstract_has_class((uint8_t)test->constant))
		return 0;
	return -1;
}

/*
 * The test that a jump makes. BPF_JSET becomes "not equal to 0", so *inverted
 * says that its ends change places.
 */
static struct test jump_test(struct run *run, const struct bpf_insn *insn,
			     const uint32_t *registers, bool *inverted)
{
	struct test test = {.value = registers[REGISTER_A],
			    .operation = BPF_OP(insn->code),
			    .constant = insn->k};
	uint32_t operand = value_constant(&run->values, insn->k);
	bool constant = true;

	*inverted = false;
	if (BPF_SRC(insn->code) == BPF_X) {
		operand = registers[REGISTER_X];
		constant = value_is_constant(&run->values, operand, &test.constant);
	}
	if (test.operation == BPF_JSET) {
		*inverted = true;
		return (struct test){
			.value = value_operation(&run->values, BPF_AND, test.value, operand),
			.operation = BPF_JEQ,
			.constant = 0};
	}
	if (constant)
		return test;
	/* Two symbols: their comparison is one symbol, which is 1 or 0. */
	return (struct test){.value = value_operation(&run->values,
						      (uint16_t)(BPF_JMP | test.operation),
						      test.value, operand),
			     .operation = BPF_JEQ,
			     .constant = 1};
}

static void state_end(struct state *state, int32_t node)
{
	state->expanded = true;
	state->node = node;
}

/* The states behind a test become the two ends of this one. */
static void state_fork(struct run *run, uint32_t number, const struct test *test, uint32_t yes_pc,
		       uint32_t no_pc, const uint32_t *registers)
{
	uint32_t yes = state_at(run, yes_pc, registers);
	uint32_t no = state_at(run, no_pc, registers);
	struct state *state = &run->states[number];

	state->expanded = true;
	state->test = *test;
	state->yes = yes;
	state->no = no;
}

static void state_return(struct run *run, uint32_t number, const struct bpf_insn *insn,
			 const uint32_t *registers)
{
	struct state *state = &run->states[number];
	uint32_t constant = insn->k;

	if (BPF_RVAL(insn->code) == BPF_A &&
	    !value_is_constant(&run->values, registers[REGISTER_A], &constant)) {
		const struct test zero = {.value = registers[REGISTER_A], .operation = BPF_JEQ};

		state_end(state, graph_join(&run->graph, &zero, NODE_REJECT, NODE_ACCEPT));
		return;
	}
	state_end(state, constant ? NODE_ACCEPT : NODE_REJECT);
}

static bool run_failed(const struct run *run)
{
	return run->failed || run->values.failed || run->graph.failed;
}

/* Runs from a state to where it ends or forks. */
static void state_expand(struct run *run, uint32_t number)
{
	uint32_t registers[REGISTERS];
	uint32_t pc = run->states[number].pc;
	size_t steps = 0;

	memcpy(registers, run->states[number].registers, sizeof(registers));
	while (!run_failed(run) && !run->undecided) {
		const struct bpf_insn *insn = &run->code[pc];
		struct test test;
		bool inverted;
		int decided;

		if (pc >= run->length || ++steps > STATES_MAX) {
			run->undecided = true;
			return;
		}
		if (BPF_CLASS(insn->code) == BPF_RET) {
			state_return(run, number, insn, registers);
			return;
		}
		if (BPF_CLASS(insn->code) != BPF_JMP) {
			step(run, insn, registers);
			pc++;
			continue;
		}
		if (BPF_OP(insn->code) == BPF_JA) {
			pc += 1 + insn->k;
			continue;
		}
		test = jump_test(run, insn, registers, &inverted);
		if (run->values.failed)
			return;
		decided = test_decide(run, &test);
		if (decided < 0) {
			state_fork(run, number, &test, pc + 1 + (inverted ? insn->jf : insn->jt),
				   pc + 1 + (inverted ? insn->jt : insn->jf), registers);
			return;
		}
		pc += 1U + ((decided != 0) != inverted ? insn->jt : insn->jf);
	}
}

/* Depth first over the states, without recursion: programs may be long. */
static int32_t states_join(struct run *run, uint32_t root)
{
	size_t capacity = 1024;
	size_t height = 0;
	uint32_t *stack = malloc(capacity * sizeof(*stack));
	int32_t node = NODE_REJECT;

	if (!stack) {
		run->failed = true;
		return node;
	}
	stack[height++] = root;
	while (height > 0 && !run_failed(run) && !run->undecided) {
		uint32_t number = stack[height - 1];
		struct state *state = &run->states[number];
		uint32_t wanted;

		if (!state->expanded) {
			state_expand(run, number);
			continue;
		}
		if (state->node == NODE_NONE) {
			int32_t yes = run->states[state->yes].node;
			int32_t no = run->states[state->no].node;

			if (yes != NODE_NONE && no != NODE_NONE) {
				state->node = graph_join(&run->graph, &state->test, yes, no);
				continue;
			}
			wanted = yes == NODE_NONE ? state->yes : state->no;
			/* Expanded and without a node: it is on the stack already, a loop. */
			if (run->states[wanted].expanded || height == STATES_MAX)
				run->undecided = true;
			if (height == capacity) {
				uint32_t *larger = realloc(stack, capacity * 2 * sizeof(*stack));

				if (!larger) {
					run->failed = true;
					break;
				}
				stack = larger;
				capacity *= 2;
			}
			stack[height++] = wanted;
			continue;
		}
		node = state->node;
		height--;
	}
	free(stack);
	return node;
}

static void run_start(struct run *run)
{
	uint32_t registers[REGISTERS];
	uint32_t root;

	run->live = calloc(run->length + 1, sizeof(*run->live));
	if (!run->live) {
		run->failed = true;
		return;
	}
	live_compute(run);
	for (size_t i = 0; i < REGISTERS; i++)
		registers[i] = value_constant(&run->values, 0);
	root = state_at(run, 0, registers);
	if (!run->failed && !run->undecided)
		states_join(run, root);
}

enum status abstract_run(const struct program *program, const struct abstract_class *class,
			 enum abstract_verdict *verdict, struct abstract_witness *witness,
			 struct message *message)
{
	struct run run = {
		.code = program->instructions, .length = (uint32_t)program->length, .class = class};
	bool found = false;
	bool failed;

	run_start(&run);
	if (!run_failed(&run) && !run.undecided)
		found = graph_witness(&run.graph, run.states[0].node, &run.values, witness);
	*verdict = run.undecided ? ABSTRACT_UNDECIDED : found ? ABSTRACT_NOT_HELD : ABSTRACT_SOUND;
	failed = run_failed(&run);
	free(run.live);
	free(run.states);
	free(run.state_slots);
	graph_free(&run.graph);
	values_free(&run.values);
	return failed ? message_out_of_memory(message) : STATUS_OK;
}

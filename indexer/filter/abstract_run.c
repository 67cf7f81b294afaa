#include "abstract_run.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "abstract_graph.h"
#include "abstract_test.h"
#include "abstract_value.h"
#include "live_registers.h"
#include "packet/connection.h"
#include "packet/protocol.h"

enum { STATES_MAX = 200000 };

/* Where a state is that has rejected. */
#define PC_REJECTED UINT32_MAX

/* In place of a value: scratch memory that was not written. bpf_filter does not clear it. */
#define NOT_WRITTEN (UINT32_MAX - 1)

/* A point of the program with what its live registers hold; then how it goes on. */
struct abstract_state {
	uint32_t pc;
	uint32_t registers[REGISTERS];
	bool expanded;
	struct test test;
	uint32_t yes; /* states */
	uint32_t no;
	int32_t node; /* NODE_NONE until both ends are known */
};

struct abstract_run {
	const struct bpf_insn *code;
	uint32_t length;
	const struct abstract_class *class;
	uint32_t *live; /* by instruction, a bit for each register that matters there */
	struct abstract_values values;
	struct abstract_state *states;
	size_t state_count;
	size_t state_capacity;
	uint32_t *state_slots;
	size_t state_slot_count;
	struct abstract_graph graph;
	bool failed; /* out of memory */
	enum abstract_limit limit;
};

bool abstract_has_class(uint8_t protocol)
{
	/* Extension headers of IPv6 (and AH) stand for what the row does not say. */
	static const uint8_t protocols[] = {0,	PROTOCOL_ICMP,	PROTOCOL_TCP, PROTOCOL_UDP, 43, 44,
					    51, PROTOCOL_ICMP6, 60,	      PROTOCOL_SCTP};

	return memchr(protocols, protocol, sizeof(protocols)) != NULL;
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
static bool table_grow(struct abstract_run *run, void **items, size_t item_size, size_t count,
		       size_t *capacity, uint32_t **slots, size_t *slot_count, bool *rehash)
{
	size_t larger = *capacity ? *capacity * 2 : 32;
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

static uint32_t *state_slot(const struct abstract_run *run, uint32_t pc, const uint32_t *registers)
{
	size_t mask = run->state_slot_count - 1;
	size_t i = (hash_words(registers, REGISTERS) * 31 + pc) & mask;

	while (run->state_slots[i]) {
		const struct abstract_state *state = &run->states[run->state_slots[i] - 1];

		if (state->pc == pc &&
		    memcmp(state->registers, registers, sizeof(state->registers)) == 0)
			break;
		i = (i + 1) & mask;
	}
	return &run->state_slots[i];
}

/* The state at pc, found or new. What is dead there does not tell states apart. */
static uint32_t state_at(struct abstract_run *run, uint32_t pc, const uint32_t registers[REGISTERS])
{
	uint32_t kept[REGISTERS];
	uint32_t *slot;
	bool rehash;

	if (run->state_count >= STATES_MAX || (pc >= run->length && pc != PC_REJECTED)) {
		run->limit = ABSTRACT_TOO_LONG;
		return 0;
	}
	for (uint32_t i = 0; i < REGISTERS; i++)
		kept[i] = pc != PC_REJECTED && run->live[pc] >> i & 1 ? registers[i] : UINT32_MAX;
	if (!table_grow(run, (void **)&run->states, sizeof(*run->states), run->state_count,
			&run->state_capacity, &run->state_slots, &run->state_slot_count, &rehash))
		return 0;
	for (size_t i = 0; rehash && i < run->state_count; i++)
		*state_slot(run, run->states[i].pc, run->states[i].registers) = (uint32_t)i + 1;
	slot = state_slot(run, pc, kept);
	if (!*slot) {
		struct abstract_state *state = &run->states[run->state_count++];

		*state = (struct abstract_state){.pc = pc, .node = NODE_NONE};
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

/* Does the load reach behind the captured bytes? As libpcap asks, which never wraps around. */
static bool load_rejects(const struct abstract_run *run, const struct bpf_insn *insn,
			 uint32_t index)
{
	const uint32_t captured = run->class->captured;
	const uint32_t size = BPF_MODE(insn->code) == BPF_MSH ? 1 : load_size(insn->code);

	return run->class->exact && (insn->k > captured || index > captured - insn->k ||
				     size > captured - insn->k - index);
}

static uint32_t load_memory(struct abstract_run *run, const struct bpf_insn *insn, uint32_t index,
			    bool *rejected)
{
	uint32_t value;

	*rejected = load_rejects(run, insn, index);
	if (*rejected)
		return 0;
	if (BPF_MODE(insn->code) != BPF_MSH)
		return abstract_value_load(&run->values, run->class, insn->k + index,
					   load_size(insn->code));
	value = abstract_value_operation(&run->values, BPF_AND,
					 abstract_value_load(&run->values, run->class, insn->k, 1),
					 abstract_value_constant(&run->values, 0xf));
	return abstract_value_operation(&run->values, BPF_LSH, value,
					abstract_value_constant(&run->values, 2));
}

static uint32_t load(struct abstract_run *run, const struct bpf_insn *insn,
		     const uint32_t *registers, bool *rejected)
{
	uint32_t index = 0;

	*rejected = false;
	switch (BPF_MODE(insn->code)) {
	case BPF_IND:
		if (abstract_value_is_constant(&run->values, registers[REGISTER_X], &index))
			return load_memory(run, insn, index, rejected);
		if (run->class->exact)
			run->limit = ABSTRACT_INDIRECT;
		return abstract_value_indirect(&run->values, registers[REGISTER_X], insn->k,
					       load_size(insn->code));
	case BPF_ABS:
	case BPF_MSH:
		return load_memory(run, insn, 0, rejected);
	case BPF_MEM:
		if (registers[insn->k % BPF_MEMWORDS] != NOT_WRITTEN)
			return registers[insn->k % BPF_MEMWORDS];
		if (run->class->exact)
			run->limit = ABSTRACT_UNDEFINED;
		return abstract_value_constant(&run->values, 0);
	case BPF_LEN:
		return run->class->exact ? abstract_value_constant(&run->values, run->class->wire)
					 : abstract_value_length(&run->values);
	default: /* BPF_IMM */
		return abstract_value_constant(&run->values, insn->k);
	}
}

static uint32_t alu_operand(struct abstract_run *run, const struct bpf_insn *insn,
			    const uint32_t *registers)
{
	return BPF_SRC(insn->code) == BPF_X ? registers[REGISTER_X]
					    : abstract_value_constant(&run->values, insn->k);
}

/*
 * Runs an instruction that neither jumps nor returns. *rejected says that it
 * ends the run.
 */
static void step(struct abstract_run *run, const struct bpf_insn *insn,
		 uint32_t registers[REGISTERS], bool *rejected)
{
	uint32_t operand;
	uint32_t constant;

	*rejected = false;
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		registers[REGISTER_A] = load(run, insn, registers, rejected);
		break;
	case BPF_LDX:
		registers[REGISTER_X] = load(run, insn, registers, rejected);
		break;
	case BPF_ST:
		registers[insn->k % BPF_MEMWORDS] = registers[REGISTER_A];
		break;
	case BPF_STX:
		registers[insn->k % BPF_MEMWORDS] = registers[REGISTER_X];
		break;
	case BPF_ALU:
		operand = alu_operand(run, insn, registers);
		if ((BPF_OP(insn->code) == BPF_DIV || BPF_OP(insn->code) == BPF_MOD) &&
		    abstract_value_is_constant(&run->values, operand, &constant) && constant == 0) {
			*rejected = true;
			break;
		}
		if ((BPF_OP(insn->code) == BPF_LSH || BPF_OP(insn->code) == BPF_RSH) &&
		    BPF_SRC(insn->code) == BPF_K && insn->k >= 32 && run->class->exact)
			run->limit = ABSTRACT_UNDEFINED;
		registers[REGISTER_A] = abstract_value_operation(&run->values, BPF_OP(insn->code),
								 registers[REGISTER_A], operand);
		break;
	default: /* BPF_MISC */
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			registers[REGISTER_X] = registers[REGISTER_A];
		else
			registers[REGISTER_A] = registers[REGISTER_X];
	}
}

static void state_end(struct abstract_state *state, int32_t node)
{
	state->expanded = true;
	state->node = node;
}

/* The states behind a test become the two ends of this one. */
static void state_fork(struct abstract_run *run, uint32_t number, const struct test *test,
		       uint32_t yes_pc, uint32_t no_pc, const uint32_t *registers)
{
	uint32_t yes = state_at(run, yes_pc, registers);
	uint32_t no = state_at(run, no_pc, registers);
	struct abstract_state *state = &run->states[number];

	state->expanded = true;
	state->test = *test;
	state->yes = yes;
	state->no = no;
}

/* A division by a symbol: where that is 0 the packet is rejected. False if it is none. */
static bool state_divide(struct abstract_run *run, uint32_t number, uint32_t pc,
			 uint32_t *registers)
{
	const struct bpf_insn *insn = &run->code[pc];
	const struct test zero = {.value = registers[REGISTER_X], .operation = BPF_JEQ};
	uint32_t constant;

	if (BPF_CLASS(insn->code) != BPF_ALU || BPF_SRC(insn->code) != BPF_X ||
	    (BPF_OP(insn->code) != BPF_DIV && BPF_OP(insn->code) != BPF_MOD) ||
	    abstract_value_is_constant(&run->values, zero.value, &constant) ||
	    abstract_test_decide(&run->values, run->class, &zero) == 0)
		return false;
	registers[REGISTER_A] = abstract_value_operation(
		&run->values, BPF_OP(insn->code), registers[REGISTER_A], registers[REGISTER_X]);
	state_fork(run, number, &zero, PC_REJECTED, pc + 1, registers);
	return true;
}

static void state_return(struct abstract_run *run, uint32_t number, const struct bpf_insn *insn,
			 const uint32_t *registers)
{
	struct abstract_state *state = &run->states[number];
	uint32_t constant = insn->k;

	if (BPF_RVAL(insn->code) == BPF_A &&
	    !abstract_value_is_constant(&run->values, registers[REGISTER_A], &constant)) {
		const struct test zero = {.value = registers[REGISTER_A], .operation = BPF_JEQ};

		state_end(state, abstract_graph_join(&run->graph, &zero, NODE_REJECT, NODE_ACCEPT));
		return;
	}
	state_end(state, constant ? NODE_ACCEPT : NODE_REJECT);
}

static bool run_failed(const struct abstract_run *run)
{
	return run->failed || run->values.failed || run->graph.failed;
}

static bool run_stopped(const struct abstract_run *run)
{
	return run_failed(run) || run->limit != ABSTRACT_NO_LIMIT;
}

/* The test of a conditional jump: goes on behind it, or forks and returns false. */
static bool state_jump(struct abstract_run *run, uint32_t number, uint32_t *pc,
		       const uint32_t *registers)
{
	const struct bpf_insn *insn = &run->code[*pc];
	bool inverted;
	struct test test = abstract_test_of_jump(&run->values, insn, registers[REGISTER_A],
						 registers[REGISTER_X], &inverted);
	const uint32_t yes = *pc + 1 + (inverted ? insn->jf : insn->jt);
	const uint32_t no = *pc + 1 + (inverted ? insn->jt : insn->jf);
	int decided;

	if (run->values.failed)
		return false;
	decided = abstract_test_decide(&run->values, run->class, &test);
	if (decided < 0)
		state_fork(run, number, &test, yes, no, registers);
	else
		*pc = decided ? yes : no;
	return decided >= 0;
}

/* Runs from a state to where it ends or forks. */
static void state_expand(struct abstract_run *run, uint32_t number)
{
	uint32_t registers[REGISTERS];
	uint32_t pc = run->states[number].pc;
	size_t steps = 0;

	bool rejected = pc == PC_REJECTED;

	memcpy(registers, run->states[number].registers, sizeof(registers));
	while (!run_stopped(run) && !rejected) {
		const struct bpf_insn *insn;

		if (pc >= run->length || ++steps > STATES_MAX) {
			run->limit = ABSTRACT_TOO_LONG;
			return;
		}
		insn = &run->code[pc];
		if (BPF_CLASS(insn->code) == BPF_RET) {
			state_return(run, number, insn, registers);
			return;
		}
		if (BPF_CLASS(insn->code) == BPF_JMP) {
			if (BPF_OP(insn->code) == BPF_JA)
				pc += 1 + insn->k;
			else if (!state_jump(run, number, &pc, registers))
				return;
			continue;
		}
		if (state_divide(run, number, pc, registers))
			return;
		step(run, insn, registers, &rejected);
		pc++;
	}
	if (rejected)
		state_end(&run->states[number], NODE_REJECT);
}

/* Depth first over the states, without recursion: programs may be long. */
static int32_t states_join(struct abstract_run *run, uint32_t root)
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
	while (height > 0 && !run_stopped(run)) {
		uint32_t number = stack[height - 1];
		struct abstract_state *state = &run->states[number];
		uint32_t wanted;

		if (!state->expanded) {
			state_expand(run, number);
			continue;
		}
		if (state->node == NODE_NONE) {
			int32_t yes = run->states[state->yes].node;
			int32_t no = run->states[state->no].node;

			if (yes != NODE_NONE && no != NODE_NONE) {
				state->node =
					abstract_graph_join(&run->graph, &state->test, yes, no);
				continue;
			}
			wanted = yes == NODE_NONE ? state->yes : state->no;
			/* Expanded and without a node: it is on the stack already, a loop. */
			if (run->states[wanted].expanded || height == STATES_MAX)
				run->limit = ABSTRACT_TOO_LONG;
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

static void run_start(struct abstract_run *run)
{
	uint32_t registers[REGISTERS];
	uint32_t root;

	run->live = live_registers_find(run->code, run->length);
	if (!run->live) {
		run->failed = true;
		return;
	}
	for (size_t i = 0; i < REGISTERS; i++)
		registers[i] = NOT_WRITTEN;
	registers[REGISTER_A] = abstract_value_constant(&run->values, 0);
	registers[REGISTER_X] = registers[REGISTER_A];
	root = state_at(run, 0, registers);
	if (!run_stopped(run))
		states_join(run, root);
}

enum status abstract_run(const struct program *program, const struct abstract_class *class,
			 struct abstract_result *result, struct message *message)
{
	struct abstract_run run = {
		.code = program->instructions, .length = (uint32_t)program->length, .class = class};
	bool failed;

	*result = (struct abstract_result){
		.values = malloc(sizeof(*result->values)),
		.graph = malloc(sizeof(*result->graph)),
	};
	if (!result->values || !result->graph) {
		free(result->values);
		free(result->graph);
		*result = (struct abstract_result){0};
		return message_out_of_memory(message);
	}
	run_start(&run);
	failed = run_failed(&run);
	*result->values = run.values;
	*result->graph = run.graph;
	result->limit = run.limit;
	if (!run_stopped(&run))
		result->root = run.states[0].node;
	free(run.live);
	free(run.states);
	free(run.state_slots);
	return failed ? message_out_of_memory(message) : STATUS_OK;
}

enum status abstract_witness_find(struct abstract_result *result, bool *found,
				  struct abstract_witness *witness, struct message *message)
{
	*found = abstract_graph_witness(result->graph, result->root, result->values, witness);
	return result->graph->failed ? message_out_of_memory(message) : STATUS_OK;
}

void abstract_result_free(struct abstract_result *result)
{
	if (result->values)
		abstract_values_free(result->values);
	if (result->graph)
		abstract_graph_free(result->graph);
	free(result->values);
	free(result->graph);
	*result = (struct abstract_result){0};
}

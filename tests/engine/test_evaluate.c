#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "column/segment_packing.h"
#include "engine/evaluate.h"
#include "engine/plan.h"
#include "pcap_grammar.h"
#include "random.h"
#include "random_program.h"

enum { PROGRAMS = 48 };

static const char *const instruction_sets[] = {"baseline", "avx2", "avx512"};

/* Few networks and ports, so that what expressions ask for is met. */
static void random_address(uint64_t *seed, uint8_t version, uint8_t *address)
{
	static const uint8_t documentation[] = {0x20, 0x01, 0x0d, 0xb8};

	for (size_t i = 0; i < 16; i++)
		address[i] = (uint8_t)random_next(seed);
	if (random_below(seed, 4) == 0)
		return;
	if (version == 4) {
		address[0] = (uint8_t)(random_below(seed, 4) * 10);
		address[1] = (uint8_t)random_below(seed, 2);
		address[2] = (uint8_t)random_below(seed, 2);
		address[3] = (uint8_t)random_below(seed, 4);
	} else {
		memset(address, 0, 16);
		memcpy(address, documentation, sizeof(documentation));
		address[random_below(seed, 16)] ^= (uint8_t)random_below(seed, 4);
		address[15] = (uint8_t)random_below(seed, 4);
	}
}

static uint16_t random_port(uint64_t *seed)
{
	static const uint16_t ports[] = {0, 22, 53, 80, 445, 1023, 5060, 65535};

	return random_below(seed, 3) ? ports[random_below(seed, 8)] : (uint16_t)random_next(seed);
}

static struct connection random_connection(uint64_t *seed)
{
	static const uint8_t protocols[] = {6, 6,  6,  17, 17, 132, 1,	58,
					    2, 47, 50, 51, 0,  43,  44, 60};
	struct connection connection = {
		.version = random_below(seed, 3) ? 4 : 6,
		.protocol = random_below(seed, 8) ? protocols[random_below(seed, sizeof(protocols))]
						  : (uint8_t)random_next(seed),
		.has_icmp = random_below(seed, 2),
		.icmp_type = (uint8_t)random_below(seed, 16),
		.icmp_code = (uint8_t)random_below(seed, 4),
		.source_port = random_port(seed),
		.destination_port = random_port(seed),
	};

	random_address(seed, connection.version, connection.source);
	random_address(seed, connection.version, connection.destination);
	if (random_below(seed, 16) == 0)
		memcpy(connection.destination, connection.source, 16);
	return connection;
}

/* Rows with gaps between some of their ids; some without a header. */
static void random_segment(uint64_t *seed, struct segment *segment, size_t rows)
{
	const unsigned gap = 1 + random_below(seed, 3) * random_below(seed, 40);
	uint32_t low = random_below(seed, gap + 64);

	segment_reset(segment, (int64_t)random_below(seed, 1000) - 500);
	for (size_t i = 0; i < rows && low < SEGMENT_ROWS; i++) {
		const struct connection connection = random_connection(seed);
		const enum outcome outcome =
			random_below(seed, 50) ? OUTCOME_HEADER : OUTCOME_ADDRESS;

		segment_append(segment, (uint16_t)low, outcome, &connection);
		low += 1 + random_below(seed, gap);
	}
}

/* A program over the columns that a segment is stored as. */
static void column_bits(struct segment_columns *columns, const struct program *program,
			const struct packed_columns *packed, int64_t number,
			struct segment_bits *bits, bool *searched)
{
	const struct column_supply supply = packed_columns_supply(packed);
	struct evaluation *evaluation;
	struct evaluator *evaluator;
	struct message message;
	uint32_t count;
	size_t counted = 0;

	assert_int_equal(evaluation_new_search(&program, 1, NULL, &evaluation, &message),
			 STATUS_OK);
	assert_int_equal(evaluator_new(evaluation, &evaluator, &message), STATUS_OK);
	segment_columns_begin(columns, &supply);
	assert_int_equal(evaluator_read_columns(evaluator, number, columns, &message), STATUS_OK);
	if (evaluator_column_bits(evaluator, 0, bits, &message) != STATUS_OK)
		fail_msg("%s", message.text);
	*searched = evaluation_searches(evaluation);
	assert_int_equal(evaluator_column_count(evaluator, 0, &count, &message), STATUS_OK);
	for (size_t word = 0; word < SEGMENT_WORDS; word++)
		counted += (size_t)__builtin_popcountll(segment_bits_word(bits, word));
	assert_int_equal(count, counted);
	evaluator_free(evaluator);
	evaluation_free(evaluation);
}

struct totals {
	uint64_t comparisons;
	uint64_t accepted;
	size_t programs;
	size_t left_to_bpf;
	size_t searched; /* programs and segments whose columns were searched as they lie */
};

static void assert_same_bits(const struct segment_bits *vector, const struct segment_bits *bpf,
			     const char *what)
{
	for (size_t word = 0; word < SEGMENT_WORDS; word++)
		if (segment_bits_word(vector, word) != segment_bits_word(bpf, word))
			fail_msg("'%s': the engines disagree on rows %zu to %zu", what, word * 64,
				 word * 64 + 63);
}

static size_t bits_count(const struct segment_bits *bits)
{
	size_t count = 0;

	for (size_t word = 0; word < SEGMENT_WORDS; word++)
		count += (size_t)__builtin_popcountll(segment_bits_word(bits, word));
	return count;
}

/* All programs together over the stored columns, beside both engines over the headers. */
static void assert_columns_agree(struct evaluation *const evaluations[static 2],
				 const char *const *texts, size_t count,
				 const struct segment *segment, const struct packed_columns *packed)
{
	static struct segment_bits bits[2];
	const struct column_supply supply = packed_columns_supply(packed);
	struct segment_columns *columns = segment_columns_new();
	struct evaluator *evaluators[2];
	struct message message;

	assert_non_null(columns);
	for (size_t engine = 0; engine < 2; engine++)
		assert_int_equal(evaluator_new(evaluations[engine], &evaluators[engine], &message),
				 STATUS_OK);
	segment_columns_begin(columns, &supply);
	assert_int_equal(evaluator_read(evaluators[ENGINE_BPF], segment, &message), STATUS_OK);
	if (evaluator_read_columns(evaluators[ENGINE_VECTOR], segment->number, columns, &message) !=
	    STATUS_OK)
		fail_msg("%s", message.text);
	for (size_t program = 0; program < count; program++) {
		evaluator_bits(evaluators[ENGINE_BPF], program, &bits[0]);
		assert_int_equal(evaluator_column_bits(evaluators[ENGINE_VECTOR], program, &bits[1],
						       &message),
				 STATUS_OK);
		assert_same_bits(&bits[1], &bits[0], texts[program]);
	}
	for (size_t engine = 0; engine < 2; engine++)
		evaluator_free(evaluators[engine]);
	segment_columns_free(columns);
}

/* Evaluates programs over some segments with both engines and demands the same bits. */
static void assert_engines_agree(uint64_t *seed, const struct program *const *programs,
				 const char *const *texts, size_t count, size_t segments,
				 size_t rows, struct totals *totals)
{
	static struct segment_bits bits[2];
	static struct segment_bits stored_bits;
	struct segment *segment = segment_new();
	struct segment_packing *packing = segment_packing_new();
	struct segment_columns *columns = segment_columns_new();
	struct packed_columns packed;
	bool searched;
	struct evaluation *evaluations[2];
	struct evaluator *evaluators[2];
	struct message message;

	assert_non_null(segment);
	assert_non_null(packing);
	assert_non_null(columns);
	for (size_t engine = 0; engine < 2; engine++) {
		assert_int_equal(evaluation_new((enum engine)engine, programs, count, NULL,
						&evaluations[engine], &message),
				 STATUS_OK);
		assert_int_equal(evaluator_new(evaluations[engine], &evaluators[engine], &message),
				 STATUS_OK);
	}
	for (size_t i = 0; i < segments; i++) {
		random_segment(seed, segment, rows);
		for (size_t engine = 0; engine < 2; engine++)
			assert_int_equal(evaluator_read(evaluators[engine], segment, &message),
					 STATUS_OK);
		assert_int_equal(
			segment_packing_run(packing, segment, kernels_best(), &packed, &message),
			STATUS_OK);
		if (packed.bytes)
			assert_columns_agree(evaluations, texts, count, segment, &packed);
		for (size_t program = 0; program < count; program++) {
			for (size_t engine = 0; engine < 2; engine++)
				evaluator_bits(evaluators[engine], program, &bits[engine]);
			/* Each alone is dear; another third of them at each segment. */
			if (packed.bytes && (program + i) % 3 == 0) {
				column_bits(columns, programs[program], &packed, segment->number,
					    &stored_bits, &searched);
				assert_same_bits(&stored_bits, &bits[ENGINE_BPF], texts[program]);
				totals->searched += searched;
			}
			assert_same_bits(&bits[ENGINE_VECTOR], &bits[ENGINE_BPF], texts[program]);
			totals->accepted += bits_count(&bits[ENGINE_BPF]);
		}
		totals->comparisons += count * segment->outcomes[OUTCOME_HEADER];
		free(packed.bytes);
	}
	segment_packing_free(packing);
	segment_columns_free(columns);
	totals->programs += count;
	for (size_t program = 0; program < count; program++)
		totals->left_to_bpf +=
			evaluation_plan(evaluations[ENGINE_VECTOR])->filters[program].limit !=
			PROGRAM_CONDITION_DONE;
	for (size_t engine = 0; engine < 2; engine++) {
		evaluator_free(evaluators[engine]);
		evaluation_free(evaluations[engine]);
	}
	segment_free(segment);
}

static void totals_print(const struct totals *totals)
{
	print_message("%llu comparisons of %zu programs, %zu of them left to bpf_filter; %llu "
		      "accepted; %zu searches of columns\n",
		      (unsigned long long)totals->comparisons, totals->programs,
		      totals->left_to_bpf, (unsigned long long)totals->accepted, totals->searched);
}

/* Some random expressions, each optimised or not, in one catalogue. */
static void compare_expressions(uint64_t *seed, size_t segments, size_t rows, struct totals *totals)
{
	struct program programs[PROGRAMS];
	const struct program *pointers[PROGRAMS];
	char texts[PROGRAMS][512];
	const char *names[PROGRAMS];
	size_t count = 0;

	while (count < PROGRAMS) {
		struct message message;

		if (random_below(seed, 4))
			pcap_grammar_expression(seed, texts[count], sizeof(texts[count]));
		else
			pcap_grammar_any_expression(seed, texts[count], sizeof(texts[count]));
		if (program_compile_directly(texts[count], random_below(seed, 2), &programs[count],
					     &message) != STATUS_OK)
			continue;
		pointers[count] = &programs[count];
		names[count] = texts[count];
		count++;
	}
	assert_engines_agree(seed, pointers, names, count, segments, rows, totals);
	for (size_t i = 0; i < count; i++)
		program_free(&programs[i]);
}

static void random_expressions_give_the_same_rows(void **state)
{
	const size_t rounds = random_rounds(40);
	struct totals totals = {0};
	uint64_t seed = 31;

	(void)state;
	for (size_t round = 0; round < rounds; round++)
		compare_expressions(&seed, 2, 1500, &totals);
	totals_print(&totals);
	assert_true(totals.accepted > totals.comparisons / 20);
	/* protochain, and offsets that the header gives. */
	assert_true(totals.left_to_bpf > 0);
	assert_true(totals.left_to_bpf < totals.programs / 4);
}

static void random_programs_give_the_same_rows(void **state)
{
	const size_t rounds = random_rounds(100);
	struct totals totals = {0};
	uint64_t seed = 32;

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		struct program programs[PROGRAMS];
		const struct program *pointers[PROGRAMS];
		const char *names[PROGRAMS];

		for (size_t i = 0; i < PROGRAMS; i++) {
			random_program(&seed, &programs[i]);
			pointers[i] = &programs[i];
			names[i] = "a random program";
		}
		assert_engines_agree(&seed, pointers, names, PROGRAMS, 2, 700, &totals);
		for (size_t i = 0; i < PROGRAMS; i++)
			program_free(&programs[i]);
	}
	totals_print(&totals);
	assert_true(totals.accepted > totals.comparisons / 20);
	assert_true(totals.left_to_bpf < totals.programs / 2);
}

/* Programs that load bytes of no column and drop them again. */
static void what_is_loaded_and_dropped_does_not_count(void **state)
{
	static const char *const texts[] = {
		"ip[8:4] & 0x00ff0000 = 0x00060000",
		"ip[10:4] & 0x0000ff00 = 0x00000a00",
		"ip[10:4] & 0x00000fff > 0x0a00 and udp",
		"ip[8:2] & 0xff >= 17",
	};
	enum { COUNT = sizeof(texts) / sizeof(*texts) };
	struct program programs[COUNT];
	const struct program *pointers[COUNT];
	struct totals totals = {0};
	struct message message;
	uint64_t seed = 35;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(program_compile_directly(texts[i], false, &programs[i], &message),
				 STATUS_OK);
		pointers[i] = &programs[i];
	}
	assert_engines_agree(&seed, pointers, texts, COUNT, 2, 2000, &totals);
	assert_int_equal(totals.left_to_bpf, 0);
	for (size_t i = 0; i < COUNT; i++)
		program_free(&programs[i]);
}

/* Columns with thousands of intervals, several bins, and sets as narrow and as wide as can be. */
static void large_catalogues_give_the_same_rows(void **state)
{
	enum { COUNT = 900 };
	static struct program programs[COUNT];
	static const struct program *pointers[COUNT];
	static char texts[COUNT][96];
	static const char *names[COUNT];
	struct totals totals = {0};
	uint64_t seed = 36;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		const unsigned port = random_below(&seed, 65536);
		const unsigned bits = 1 + random_below(&seed, 32);
		const uint32_t network = (uint32_t)(random_next(&seed) & UINT32_MAX << (32 - bits));
		struct message message;

		switch (i % 3) {
		case 0:
			snprintf(texts[i], sizeof(texts[i]), "dst portrange %u-%u", port,
				 port + random_below(&seed, 65536 - port));
			break;
		case 1:
			snprintf(texts[i], sizeof(texts[i]), "src net %u.%u.%u.%u/%u",
				 network >> 24, network >> 16 & 255, network >> 8 & 255,
				 network & 255, bits);
			break;
		default:
			snprintf(texts[i], sizeof(texts[i]), "ip proto %u or src port %u",
				 random_below(&seed, 256), port);
		}
		assert_int_equal(program_compile_directly(texts[i], true, &programs[i], &message),
				 STATUS_OK);
		pointers[i] = &programs[i];
		names[i] = texts[i];
	}
	assert_engines_agree(&seed, pointers, names, COUNT, 2, 6000, &totals);
	totals_print(&totals);
	for (size_t i = 0; i < COUNT; i++)
		program_free(&programs[i]);
}

/* Every row of port 80 would be on all lists. */
static void crowded_lists_give_the_same_rows(void **state)
{
	enum { COUNT = 400 };
	static struct program programs[COUNT];
	static const struct program *pointers[COUNT];
	static char texts[COUNT][64];
	static const char *names[COUNT];
	struct totals totals = {0};
	uint64_t seed = 37;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct message message;

		snprintf(texts[i], sizeof(texts[i]), "dst port 80 or dst port %zu", 1000 + i);
		assert_int_equal(program_compile_directly(texts[i], true, &programs[i], &message),
				 STATUS_OK);
		pointers[i] = &programs[i];
		names[i] = texts[i];
	}
	assert_engines_agree(&seed, pointers, names, COUNT, 2, 20000, &totals);
	for (size_t i = 0; i < COUNT; i++)
		program_free(&programs[i]);
}

static void segments_with_hardly_a_row_give_the_same_rows(void **state)
{
	struct totals totals = {0};
	uint64_t seed = 38;

	(void)state;
	for (size_t rows = 0; rows < 3; rows++)
		compare_expressions(&seed, 4, rows, &totals);
}

/* Enough rows for predicates to become dense between segments. */
static void full_segments_give_the_same_rows(void **state)
{
	struct totals totals = {0};
	uint64_t seed = 33;

	(void)state;
	for (size_t round = 0; round < random_rounds(1); round++)
		compare_expressions(&seed, 3, SEGMENT_ROWS, &totals);
	totals_print(&totals);
}

static void every_instruction_set_gives_the_same_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(instruction_sets) / sizeof(*instruction_sets); i++) {
		struct totals totals = {0};
		uint64_t seed = 34;

		if (!kernels_find(instruction_sets[i])) {
			print_message("NOT TESTED: this processor has no %s\n",
				      instruction_sets[i]);
			continue;
		}
		setenv("CONNBITS_SIMD", instruction_sets[i], 1);
		compare_expressions(&seed, 2, 20000, &totals);
		totals_print(&totals);
	}
	unsetenv("CONNBITS_SIMD");
}

static void an_unknown_instruction_set_is_refused(void **state)
{
	struct evaluation *evaluation;
	struct message message;

	(void)state;
	setenv("CONNBITS_SIMD", "mmx", 1);
	assert_int_equal(evaluation_new(ENGINE_VECTOR, NULL, 0, NULL, &evaluation, &message),
			 STATUS_USAGE);
	assert_non_null(strstr(message.text, "CONNBITS_SIMD=mmx"));
	unsetenv("CONNBITS_SIMD");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_expressions_give_the_same_rows),
		cmocka_unit_test(random_programs_give_the_same_rows),
		cmocka_unit_test(what_is_loaded_and_dropped_does_not_count),
		cmocka_unit_test(large_catalogues_give_the_same_rows),
		cmocka_unit_test(crowded_lists_give_the_same_rows),
		cmocka_unit_test(segments_with_hardly_a_row_give_the_same_rows),
		cmocka_unit_test(full_segments_give_the_same_rows),
		cmocka_unit_test(every_instruction_set_gives_the_same_rows),
		cmocka_unit_test(an_unknown_instruction_set_is_refused),
	};

	return cmocka_run_group_tests_name("vector", tests, NULL, NULL);
}

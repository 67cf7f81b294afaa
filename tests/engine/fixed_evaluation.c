/*
 * A fixed piece of work whose instructions are counted: the columns of a segment of made-up
 * connections, read, evaluated by all filters of a catalogue, and encoded.
 * usage: fixed_evaluation CATALOGUE ROUNDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diagnostics.h"
#include "bitmap/roaring_format.h"
#include "catalogue/catalogue.h"
#include "catalogue/filter_set.h"
#include "engine/evaluate.h"
#include "packet/protocol.h"
#include "packet/segment.h"
#include "random.h"

static void fail(const char *what)
{
	fprintf(stderr, "fixed_evaluation: %s\n", what);
	exit(EXIT_FAILURE);
}

/* Ports that filters ask for, and others; hosts of a few networks; every sixteenth is IPv6. */
static struct connection connection_make(uint64_t *random)
{
	static const uint8_t protocols[] = {6, 6, 6, 6, 17, 17, 1, 47};
	static const uint16_t ports[] = {22, 23, 53, 80, 443, 445, 1433, 3306, 5060, 8080};
	struct connection connection = {
		.version = random_below(random, 16) ? 4 : 6,
		.protocol = protocols[random_below(random, sizeof(protocols))],
		.source_port = (uint16_t)random_below(random, 65536),
		.destination_port = random_below(random, 4) ? ports[random_below(random, 10)]
							    : (uint16_t)random_below(random, 65536),
	};

	for (size_t i = 0; i < 16; i++) {
		connection.source[i] = (uint8_t)random_below(random, 256);
		connection.destination[i] = (uint8_t)(i < 3 ? 192 : random_below(random, 16));
	}
	if (connection.protocol == PROTOCOL_ICMP && connection.version == 6)
		connection.protocol = PROTOCOL_ICMP6;
	return connection;
}

static void segment_fill(struct segment *segment)
{
	uint64_t random = 1;

	segment_reset(segment, 0);
	for (unsigned i = 0; i < SEGMENT_ROWS; i++) {
		const struct connection connection = connection_make(&random);

		segment_append(segment, (uint16_t)i, OUTCOME_HEADER, &connection);
	}
}

/* Returns a sum over what was encoded, so that none of it is left out. */
static uint64_t evaluate(struct evaluator *evaluator, const struct evaluation *evaluation,
			 struct segment_columns *columns, const struct column_supply *supply,
			 size_t filters)
{
	static struct segment_bits bits;
	static uint8_t encoded[CONTAINER_BYTES_MAX];
	struct message message;
	uint64_t sum = 0;

	segment_columns_begin(columns, supply);
	if (evaluator_read_columns(evaluator, 0, columns, &message) != STATUS_OK)
		fail(message.text);
	for (size_t i = 0; i < filters; i++) {
		struct container container;

		if (evaluator_column_bits(evaluator, i, &bits, &message) != STATUS_OK)
			fail(message.text);
		container_encode(0, &bits, evaluation_kernels(evaluation), encoded, &container);
		sum += container.cardinality + container.size;
	}
	return sum;
}

static const struct program **programs_load(const char *path, struct filter_set *filters)
{
	static struct catalogue catalogue;
	struct diagnostics diagnostics = {0};
	struct message message;
	const struct program **programs;

	if (catalogue_read(path, &catalogue, &diagnostics, &message) != STATUS_OK)
		fail("the catalogue cannot be read");
	catalogue_drop_rows(&catalogue);
	if (filter_set_take_catalogue(filters, &catalogue, &message) != STATUS_OK ||
	    filter_set_compile(filters, &(struct filter_compiling){.mistakes = &diagnostics},
			       &message) != STATUS_OK ||
	    !diagnostics_empty(&diagnostics))
		fail("the catalogue cannot be used");
	programs = calloc(filters->count + 1, sizeof(*programs));
	for (size_t i = 0; programs && i < filters->count; i++)
		programs[i] = &filters->items[i].program;
	return programs;
}

int main(int argc, char **argv)
{
	struct filter_set filters = {0};
	const struct program **programs = argc == 3 ? programs_load(argv[1], &filters) : NULL;
	struct segment *segment = segment_new();
	struct segment_columns *columns = segment_columns_new();
	struct packed_columns packed;
	struct column_supply supply;
	struct evaluation *evaluation;
	struct evaluator *evaluator;
	struct message message;
	uint64_t sum = 0;

	if (!programs || !segment || !columns)
		fail("usage: fixed_evaluation CATALOGUE ROUNDS");
	if (evaluation_new(ENGINE_VECTOR, programs, filters.count, NULL, &evaluation, &message) !=
		    STATUS_OK ||
	    evaluator_new(evaluation, &evaluator, &message) != STATUS_OK)
		fail(message.text);
	segment_fill(segment);
	if (evaluation_pack(segment, &packed, &message) != STATUS_OK)
		fail(message.text);
	supply = packed_columns_supply(&packed);
	for (int round = 0; round < atoi(argv[2]); round++)
		sum += evaluate(evaluator, evaluation, columns, &supply, filters.count);
	printf("%llu\n", (unsigned long long)sum);
	return EXIT_SUCCESS;
}

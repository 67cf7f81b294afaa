#include "segment_encoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bitmap/roaring_format.h"
#include "column/segment_packing.h"

/* @all: the rows that have a header. */
static void rows_with_header(const struct segment *segment, struct segment_bits *bits)
{
	segment_bits_clear(bits);
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
		for (size_t row = 0; row < segment->headers[i].rows; row++)
			segment_bits_add(bits, segment->headers[i].low[row]);
}

struct segment_encoder {
	const struct encoder_options *options;
	struct evaluator *evaluator;
	struct column_questions *questions; /* NULL where none are asked */
	struct segment_packing *packing;    /* NULL before it is needed, */
	struct segment_columns *columns;    /* and likewise: of what was packed */
	struct segment_bits *bits;	    /* of one segment and bitmap */
	uint8_t *scratch;		    /* the containers of one segment */
	size_t scratch_size;
	struct encoder_seconds seconds;
};

static size_t built_in_count(const struct segment_encoder *encoder)
{
	return encoder->options->built_in ? ENCODER_BUILT_IN : 0;
}

enum status segment_encoder_new(const struct encoder_options *options,
				struct segment_encoder **encoder, struct message *message)
{
	struct segment_encoder *made = calloc(1, sizeof(*made));
	enum status status;

	*encoder = NULL;
	if (!made)
		return message_out_of_memory(message);
	made->options = options;
	made->bits = malloc(sizeof(*made->bits));
	made->scratch_size = (size_t)16 * CONTAINER_BYTES_MAX;
	made->scratch = malloc(made->scratch_size);
	status = made->bits && made->scratch
			 ? evaluator_new(options->evaluation, &made->evaluator, message)
			 : message_out_of_memory(message);
	if (status == STATUS_OK && options->question_count)
		status = column_questions_new(options->questions, options->question_count,
					      evaluation_kernels(options->evaluation),
					      &made->questions, message);
	if (status != STATUS_OK) {
		segment_encoder_free(made);
		return status;
	}
	evaluator_heed(made->evaluator, options->stop);
	*encoder = made;
	return STATUS_OK;
}

/* A segment with its headers, or in columns, or both; with headers alone it has no columns. */
struct encoded_segment {
	int64_t number;
	const struct segment *headers;
	struct segment_columns *columns;
	bool asked; /* its columns are there for questions */
};

static size_t headers_count(const struct segment *segment)
{
	return segment->headers[SEGMENT_IPV4].rows + segment->headers[SEGMENT_IPV6].rows;
}

/* Gives the bits of one bitmap of the segment. */
static enum status bits_evaluate(struct segment_encoder *encoder,
				 const struct encoded_segment *segment, size_t bitmap,
				 struct message *message)
{
	const size_t built_in = segment->headers ? built_in_count(encoder) : 0;
	const size_t programs = built_in + encoder->options->program_count;

	if (bitmap >= programs) {
		if (segment->asked)
			return column_questions_bits(encoder->questions, bitmap - programs,
						     encoder->bits, message);
		segment_bits_clear(encoder->bits);
	} else if (bitmap >= built_in) {
		if (segment->columns)
			return evaluator_column_bits(encoder->evaluator, bitmap - built_in,
						     encoder->bits, message);
		evaluator_bits(encoder->evaluator, bitmap - built_in, encoder->bits);
	} else if (bitmap == ENCODER_ALL) {
		rows_with_header(segment->headers, encoder->bits);
	} else {
		memset(encoder->bits->occupied, 0xff, sizeof(encoder->bits->occupied));
		memcpy(encoder->bits->words, segment->headers->skipped,
		       sizeof(segment->headers->skipped));
	}
	return STATUS_OK;
}

/* The containers of a segment while they are made: the last ones of them lie in the scratch. */
struct encoding {
	struct segment_result *result;
	size_t count; /* of containers that there will be */
	size_t first; /* of those in the scratch */
	size_t used;  /* bytes of the scratch */
};

static enum status spill_begin(const struct segment_encoder *encoder,
			       const struct encoding *encoding, struct message *message)
{
	struct segment_spill *spilled = calloc(1, sizeof(*spilled));

	if (!spilled)
		return message_out_of_memory(message);
	encoding->result->spilled = spilled;
	spilled->spill = encoder->options->spill;
	spilled->places = calloc(encoding->count + 1, sizeof(*spilled->places));
	return spilled->places ? STATUS_OK : message_out_of_memory(message);
}

static bool spill_reserve(struct segment_spill *spilled)
{
	const size_t capacity = spilled->block_capacity ? spilled->block_capacity * 2 : 8;
	uint64_t *larger;

	if (spilled->block_count < spilled->block_capacity)
		return true;
	larger = realloc(spilled->blocks, capacity * sizeof(*larger));
	if (!larger)
		return false;
	spilled->blocks = larger;
	spilled->block_capacity = capacity;
	return true;
}

/* Moves the containers ahead of `end` out of the scratch. */
static enum status scratch_spill(struct segment_encoder *encoder, struct encoding *encoding,
				 size_t end, struct message *message)
{
	struct segment_spill *spilled;
	uint64_t place;
	enum status status = STATUS_OK;

	if (!encoding->result->spilled)
		status = spill_begin(encoder, encoding, message);
	spilled = encoding->result->spilled;
	if (status == STATUS_OK && !spill_reserve(spilled))
		status = message_out_of_memory(message);
	if (status == STATUS_OK && encoding->used)
		status = spill_write(spilled->spill, encoder->scratch, encoding->used, &place,
				     message);
	if (status != STATUS_OK || !encoding->used)
		return status;
	spilled->blocks[spilled->block_count++] = place;
	for (; encoding->first < end; encoding->first++) {
		struct container *container = &encoding->result->containers[encoding->first];

		spilled->places[encoding->first] = place;
		place += container->size;
		container->bytes = NULL;
	}
	encoding->used = 0;
	return STATUS_OK;
}

/* Makes room for one more container, the `next`, however large. */
static enum status scratch_reserve(struct segment_encoder *encoder, struct encoding *encoding,
				   size_t next, struct message *message)
{
	uint8_t *larger;

	if (encoder->scratch_size - encoding->used >= CONTAINER_BYTES_MAX)
		return STATUS_OK;
	if (encoder->options->spill && encoder->scratch_size == SPILL_BLOCK)
		return scratch_spill(encoder, encoding, next, message);
	larger = realloc(encoder->scratch, encoder->scratch_size * 2);
	if (!larger)
		return message_out_of_memory(message);
	encoder->scratch = larger;
	encoder->scratch_size *= 2;
	return STATUS_OK;
}

/* Gives the containers, which lie one behind the other in the scratch, memory of their own. */
static enum status containers_keep(const struct segment_encoder *encoder,
				   const struct encoding *encoding, struct message *message)
{
	struct segment_result *result = encoding->result;
	size_t used = 0;

	result->bytes = malloc(encoding->used ? encoding->used : 1);
	if (!result->bytes)
		return message_out_of_memory(message);
	if (encoding->used)
		memcpy(result->bytes, encoder->scratch, encoding->used);
	for (size_t i = 0; i < encoding->count; i++) {
		result->containers[i].bytes = result->bytes + used;
		used += result->containers[i].size;
	}
	return STATUS_OK;
}

/* All containers are made: they stay in memory where there is room for them. */
static enum status encoding_end(struct segment_encoder *encoder, struct encoding *encoding,
				struct message *message)
{
	struct spill *spill = encoder->options->spill;

	if (encoding->result->spilled || (spill && !spill_memory_take(spill, encoding->used)))
		return scratch_spill(encoder, encoding, encoding->count, message);
	encoding->result->spill = spill;
	encoding->result->size = encoding->used;
	return containers_keep(encoder, encoding, message);
}

static enum status containers_encode(struct segment_encoder *encoder,
				     const struct encoded_segment *segment, size_t count,
				     struct segment_result *result, struct message *message)
{
	const struct kernels *kernels = evaluation_kernels(encoder->options->evaluation);
	struct encoding encoding = {.result = result, .count = count};
	double last = clock_seconds();

	for (size_t i = 0; i < count; i++) {
		enum status status = scratch_reserve(encoder, &encoding, i, message);
		double now;

		if (status == STATUS_OK)
			status = bits_evaluate(encoder, segment, i, message);
		if (status != STATUS_OK)
			return status;
		if (stop_asked(encoder->options->stop))
			return message_wrap(message, STATUS_FAILED, MESSAGE_CODE_INTERRUPT,
					    "interrupted");
		now = clock_seconds();
		encoder->seconds.evaluate += now - last;
		container_encode(segment->number, encoder->bits, kernels,
				 encoder->scratch + encoding.used, &result->containers[i]);
		encoding.used += result->containers[i].size;
		last = clock_seconds();
		encoder->seconds.encode += last - now;
	}
	return encoding_end(encoder, &encoding, message);
}

/* Only how many rows each bitmap of a stored segment has. */
static enum status containers_count(struct segment_encoder *encoder, struct segment_result *result,
				    struct message *message)
{
	const size_t programs = encoder->options->program_count;
	struct container *containers = result->containers;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < programs; i++)
		status = evaluator_column_count(encoder->evaluator, i, &containers[i].cardinality,
						message);
	for (size_t i = 0; status == STATUS_OK && i < encoder->options->question_count; i++)
		status = column_questions_count(encoder->questions, i,
						&containers[programs + i].cardinality, message);
	return status;
}

static enum status result_begin(size_t count, struct segment_result *result,
				struct message *message)
{
	*result = (struct segment_result){
		.given = true, .containers = calloc(count + 1, sizeof(*result->containers))};
	return result->containers ? STATUS_OK : message_out_of_memory(message);
}

static enum status headers_pack(struct segment_encoder *encoder, const struct segment *segment,
				struct packed_columns *packed, struct message *message)
{
	if (!encoder->packing && !(encoder->packing = segment_packing_new()))
		return message_out_of_memory(message);
	return segment_packing_run(encoder->packing, segment,
				   evaluation_kernels(encoder->options->evaluation), packed,
				   message);
}

/* Begins the columns of what was packed, which has to stay as it is. */
static enum status columns_begin(struct segment_encoder *encoder,
				 const struct column_supply *supply, struct message *message)
{
	if (!encoder->columns && !(encoder->columns = segment_columns_new()))
		return message_out_of_memory(message);
	segment_columns_begin(encoder->columns, supply);
	return STATUS_OK;
}

/* Has the segment ready for the programs, and for the questions. */
static enum status segment_begin(struct segment_encoder *encoder,
				 const struct column_supply *supply,
				 struct encoded_segment *encoded, struct message *message)
{
	const struct encoder_options *options = encoder->options;
	const struct segment *segment = encoded->headers;
	/* What is packed is searched as it lies: that is less work than to look headers up. */
	const bool searches = options->pack && evaluation_searches(options->evaluation);
	const bool any = headers_count(segment) > 0;
	enum status status = STATUS_OK;

	encoded->asked = any && options->question_count;
	if (any && (searches || encoded->asked))
		status = columns_begin(encoder, supply, message);
	if (status == STATUS_OK && encoded->asked)
		column_questions_begin(encoder->questions, encoder->columns);
	if (status != STATUS_OK || !any || !searches)
		return status == STATUS_OK ? evaluator_read(encoder->evaluator, segment, message)
					   : status;
	encoded->columns = encoder->columns;
	return evaluator_read_columns(encoder->evaluator, segment->number, encoder->columns,
				      message);
}

enum status segment_encoder_run(struct segment_encoder *encoder, const struct segment *segment,
				struct segment_result *result, struct message *message)
{
	const struct encoder_options *options = encoder->options;
	const struct column_supply supply = packed_columns_supply(&result->packed);
	struct encoded_segment encoded = {.number = segment->number, .headers = segment};
	const size_t count =
		built_in_count(encoder) + options->program_count + options->question_count;
	double start = clock_seconds();
	enum status status = result_begin(count, result, message);

	if (status == STATUS_OK && (options->pack || options->question_count))
		status = headers_pack(encoder, segment, &result->packed, message);
	encoder->seconds.encode += clock_seconds() - start;
	start = clock_seconds();
	if (status == STATUS_OK)
		status = segment_begin(encoder, &supply, &encoded, message);
	encoder->seconds.evaluate += clock_seconds() - start;
	if (status == STATUS_OK)
		status = containers_encode(encoder, &encoded, count, result, message);
	if (!options->pack) {
		free(result->packed.bytes);
		result->packed = (struct packed_columns){0};
	}
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		result->outcomes[outcome] = segment->outcomes[outcome];
	if (status != STATUS_OK)
		segment_result_free(result);
	return status;
}

/* How many rows a stored segment has, whether the programs had to know or not. */
static enum status rows_count(struct segment_columns *columns, uint64_t *rows,
			      struct message *message)
{
	struct coded_column *column;
	enum status status =
		columns->rows ? STATUS_OK
			      : segment_columns_open(columns, STORED_SHAPE, &column, message);

	*rows = columns->rows;
	return status;
}

enum status segment_encoder_run_columns(struct segment_encoder *encoder, int64_t number,
					struct segment_columns *columns,
					struct segment_result *result, struct message *message)
{
	const struct encoded_segment encoded = {
		.number = number, .columns = columns, .asked = encoder->questions != NULL};
	const size_t count = encoder->options->program_count + encoder->options->question_count;
	double start = clock_seconds();
	enum status status = result_begin(count, result, message);

	if (status == STATUS_OK)
		status = evaluator_read_columns(encoder->evaluator, number, columns, message);
	if (encoder->questions)
		column_questions_begin(encoder->questions, columns);
	encoder->seconds.evaluate += clock_seconds() - start;
	if (status == STATUS_OK)
		status = encoder->options->counts
				 ? containers_count(encoder, result, message)
				 : containers_encode(encoder, &encoded, count, result, message);
	if (status == STATUS_OK)
		status = rows_count(columns, &result->outcomes[OUTCOME_HEADER], message);
	if (status != STATUS_OK)
		segment_result_free(result);
	return status;
}

struct encoder_seconds segment_encoder_seconds(const struct segment_encoder *encoder)
{
	return encoder ? encoder->seconds : (struct encoder_seconds){0};
}

void segment_encoder_free(struct segment_encoder *encoder)
{
	if (!encoder)
		return;
	evaluator_free(encoder->evaluator);
	column_questions_free(encoder->questions);
	segment_packing_free(encoder->packing);
	segment_columns_free(encoder->columns);
	free(encoder->bits);
	free(encoder->scratch);
	free(encoder);
}

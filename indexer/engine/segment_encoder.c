#include "segment_encoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bitmap/roaring_format.h"
#include "packet/segment_packing.h"

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
	struct segment_bits *bits; /* of one segment and bitmap */
	uint8_t *scratch;	   /* the containers of one segment */
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
	if (status != STATUS_OK) {
		segment_encoder_free(made);
		return status;
	}
	evaluator_heed(made->evaluator, options->stop);
	*encoder = made;
	return STATUS_OK;
}

/* Gives the bits of one bitmap of the segment. */
static void bits_evaluate(struct segment_encoder *encoder, const struct segment *segment,
			  size_t bitmap)
{
	const size_t built_in = built_in_count(encoder);

	if (bitmap >= built_in) {
		evaluator_bits(encoder->evaluator, bitmap - built_in, encoder->bits);
	} else if (bitmap == ENCODER_ALL) {
		rows_with_header(segment, encoder->bits);
	} else {
		memset(encoder->bits->occupied, 0xff, sizeof(encoder->bits->occupied));
		memcpy(encoder->bits->words, segment->skipped, sizeof(segment->skipped));
	}
}

/* Makes room for one more container, however large. */
static bool scratch_reserve(struct segment_encoder *encoder, size_t used)
{
	uint8_t *larger;

	if (encoder->scratch_size - used >= CONTAINER_BYTES_MAX)
		return true;
	larger = realloc(encoder->scratch, encoder->scratch_size * 2);
	if (!larger)
		return false;
	encoder->scratch = larger;
	encoder->scratch_size *= 2;
	return true;
}

/* Gives the containers, which lie one behind the other in the scratch, memory of their own. */
static bool containers_keep(const struct segment_encoder *encoder, size_t count, size_t size,
			    struct segment_result *result)
{
	size_t used = 0;

	result->bytes = malloc(size ? size : 1);
	if (!result->bytes)
		return false;
	memcpy(result->bytes, encoder->scratch, size);
	for (size_t i = 0; i < count; i++) {
		result->containers[i].bytes = result->bytes + used;
		used += result->containers[i].size;
	}
	return true;
}

static enum status containers_encode(struct segment_encoder *encoder, const struct segment *segment,
				     size_t count, struct segment_result *result,
				     struct message *message)
{
	const struct kernels *kernels = evaluation_kernels(encoder->options->evaluation);
	double last = clock_seconds();
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		double now;

		if (!scratch_reserve(encoder, used))
			return message_out_of_memory(message);
		bits_evaluate(encoder, segment, i);
		if (stop_asked(encoder->options->stop))
			return message_wrap(message, STATUS_FAILED, MESSAGE_CODE_INTERRUPT,
					    "interrupted");
		now = clock_seconds();
		encoder->seconds.evaluate += now - last;
		container_encode(segment->number, encoder->bits, kernels, encoder->scratch + used,
				 &result->containers[i]);
		used += result->containers[i].size;
		last = clock_seconds();
		encoder->seconds.encode += last - now;
	}
	return containers_keep(encoder, count, used, result) ? STATUS_OK
							     : message_out_of_memory(message);
}

enum status segment_encoder_run(struct segment_encoder *encoder, const struct segment *segment,
				struct segment_result *result, struct message *message)
{
	const struct encoder_options *options = encoder->options;
	const size_t count = built_in_count(encoder) + options->program_count;
	double start = clock_seconds();
	enum status status;

	*result = (struct segment_result){
		.given = true, .containers = calloc(count + 1, sizeof(*result->containers))};
	if (!result->containers)
		return message_out_of_memory(message);
	status = evaluator_read(encoder->evaluator, segment, message);
	encoder->seconds.evaluate += clock_seconds() - start;
	if (status == STATUS_OK)
		status = containers_encode(encoder, segment, count, result, message);
	start = clock_seconds();
	if (status == STATUS_OK && options->pack)
		status = segment_packing_encode(segment, evaluation_kernels(options->evaluation),
						&result->packed, &result->packed_size, message);
	encoder->seconds.encode += clock_seconds() - start;
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		result->outcomes[outcome] = segment->outcomes[outcome];
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
	free(encoder->bits);
	free(encoder->scratch);
	free(encoder);
}

#include "derived_filter.h"

#include <stdlib.h>
#include <string.h>

#include "expression/segment_stack.h"

/* The containers of an operand, or of a result that others use. */
struct loaded {
	struct container containers[CHUNK_SEGMENTS];
	struct kept_chunk kept; /* of a stored filter */
	uint8_t *bytes;		/* of what lay in no memory, or of a result */
};

struct derived_work {
	const struct derived_filters *filters;
	struct chunk_reader *stored;
	int64_t chunk;
	const struct chunk_work *made;
	struct loaded *operands; /* as many as the filter with the most has */
	size_t operand_count;
	struct loaded *results; /* by filter; without bytes where no other one uses it */
	bool *used;
	uint8_t *room; /* of the result at hand */
};

enum status derived_work_new(const struct derived_filters *filters, struct chunk_reader *stored,
			     struct derived_work **work, struct message *message)
{
	struct derived_work *made = calloc(1, sizeof(*made));

	*work = made;
	if (!made)
		return message_out_of_memory(message);
	made->filters = filters;
	made->stored = stored;
	for (size_t i = 0; i < filters->count; i++)
		if (made->operand_count <= filters->items[i].expression->name_count)
			made->operand_count = filters->items[i].expression->name_count + 1;
	made->operands = calloc(made->operand_count + 1, sizeof(*made->operands));
	made->results = calloc(filters->count + 1, sizeof(*made->results));
	made->used = calloc(filters->count + 1, sizeof(*made->used));
	made->room = malloc(CHUNK_ROOM);
	if (!made->operands || !made->results || !made->used || !made->room) {
		derived_work_free(made);
		*work = NULL;
		return message_out_of_memory(message);
	}
	for (size_t i = 0; i < filters->count; i++)
		for (size_t j = 0; j < filters->items[i].expression->name_count; j++)
			if (filters->items[i].operands[j].source == OPERAND_DERIVED)
				made->used[filters->items[i].operands[j].number] = true;
	return STATUS_OK;
}

static void results_drop(struct derived_work *work)
{
	for (size_t i = 0; i < work->filters->count; i++) {
		free(work->results[i].bytes);
		work->results[i].bytes = NULL;
	}
}

void derived_work_free(struct derived_work *work)
{
	if (!work)
		return;
	if (work->results)
		results_drop(work);
	for (size_t i = 0; work->operands && i < work->operand_count; i++) {
		kept_chunk_free(&work->operands[i].kept);
		free(work->operands[i].bytes);
	}
	free(work->operands);
	free(work->results);
	free(work->used);
	free(work->room);
	free(work);
}

void derived_work_begin(struct derived_work *work, int64_t chunk, const struct chunk_work *made)
{
	results_drop(work);
	work->chunk = chunk;
	work->made = made;
}

/* Loads a bitmap that threads made, where they made any. */
static enum status made_load(struct derived_work *work, size_t number, struct loaded *loaded,
			     struct message *message)
{
	if (!work->made)
		return STATUS_OK;
	if (!loaded->bytes && !(loaded->bytes = malloc(CHUNK_ROOM)))
		return message_out_of_memory(message);
	return chunk_work_containers(work->made, number, loaded->bytes, loaded->containers,
				     message);
}

static enum status stored_load(struct derived_work *work, const struct derived_operand *operand,
			       struct loaded *loaded, struct message *message)
{
	struct stored_chunk stored;
	enum status status = chunk_reader_read(work->stored, operand->filter, operand->name,
					       work->chunk, &stored, message);

	if (status == STATUS_OK)
		status = kept_chunk_take(&loaded->kept, &stored, message);
	if (status == STATUS_OK)
		memcpy(loaded->containers, loaded->kept.stored.containers,
		       sizeof(loaded->containers));
	return status;
}

static enum status operand_load(struct derived_work *work, const struct derived_operand *operand,
				struct loaded *loaded, struct message *message)
{
	memset(loaded->containers, 0, sizeof(loaded->containers));
	switch (operand->source) {
	case OPERAND_MADE:
		return made_load(work, operand->number, loaded, message);
	case OPERAND_STORED:
		return stored_load(work, operand, loaded, message);
	default:
		memcpy(loaded->containers, work->results[operand->number].containers,
		       sizeof(loaded->containers));
		return STATUS_OK;
	}
}

/* What the stack asks for: the containers of all operands in the segment at hand. */
struct lending {
	const struct loaded *operands;
	size_t segment;
};

static const struct container *operand_lend(const void *operands, size_t operand)
{
	const struct lending *lending = operands;
	const struct container *container =
		&lending->operands[operand].containers[lending->segment];

	return container->cardinality ? container : NULL;
}

/* Runs the steps for all segments; what they leave goes to the room. */
static enum status segments_run(struct derived_work *work, const struct expression *expression,
				struct container containers[static CHUNK_SEGMENTS],
				struct message *message)
{
	struct lending lending = {.operands = work->operands};
	struct segment_stack stack;
	bool room = segment_stack_init(&stack, expression, operand_lend, &lending, false);

	for (size_t i = 0; room && i < CHUNK_SEGMENTS; i++) {
		uint8_t *out = work->room + i * CONTAINER_BYTES_MAX;
		struct container left;

		lending.segment = i;
		room = segment_stack_run(&stack, chunk_first_segment(work->chunk) + (int64_t)i);
		if (!room)
			break;
		segment_stack_take(&stack, &left);
		containers[i] = (struct container){0};
		if (left.cardinality == 0)
			continue;
		container_settle(&left, out, &containers[i]);
		if (containers[i].bytes != out)
			memcpy(out, containers[i].bytes, containers[i].size);
		containers[i].bytes = out;
	}
	segment_stack_free(&stack);
	return room ? STATUS_OK : message_out_of_memory(message);
}

/* Keeps a result for those that use it. */
static enum status result_keep(struct derived_work *work, size_t number,
			       const struct container containers[static CHUNK_SEGMENTS],
			       struct message *message)
{
	struct loaded *result = &work->results[number];
	size_t size = 0;

	for (size_t i = 0; i < CHUNK_SEGMENTS; i++)
		size += containers[i].size;
	result->bytes = malloc(size + 1);
	if (!result->bytes)
		return message_out_of_memory(message);
	size = 0;
	for (size_t i = 0; i < CHUNK_SEGMENTS; i++) {
		result->containers[i] = containers[i];
		if (containers[i].cardinality == 0)
			continue;
		memcpy(result->bytes + size, containers[i].bytes, containers[i].size);
		result->containers[i].bytes = result->bytes + size;
		size += containers[i].size;
	}
	return STATUS_OK;
}

enum status derived_work_run(struct derived_work *work, size_t number,
			     struct container containers[static CHUNK_SEGMENTS],
			     struct message *message)
{
	const struct derived_filter *filter = &work->filters->items[number];
	const size_t operands =
		filter->expression->name_count + expression_needs_all(filter->expression);
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < operands; i++)
		status = operand_load(work, &filter->operands[i], &work->operands[i], message);
	if (status == STATUS_OK)
		status = segments_run(work, filter->expression, containers, message);
	if (status == STATUS_OK && work->used[number])
		status = result_keep(work, number, containers, message);
	return status;
}

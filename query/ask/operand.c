#include "operand.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/rowid.h"
#include "bitmap/roaring_format.h"
#include "expression/suggestion.h"
#include "index/index_reader.h"
#include "index/set_reader.h"
#include "set/row_set_range.h"

static enum status unknown_name(const struct operand_source *source,
				const struct expression_name *name, struct message *message)
{
	struct suggestion suggestion = {.wanted = name->text};
	struct index_filters filters = {0};
	struct message ignored;
	enum status status;

	if (index_filters_read(source->database, source->index->database_name,
			       source->index->source.id, &filters, &ignored) == STATUS_OK)
		for (size_t i = 0; i < filters.count; i++)
			suggestion_consider(&suggestion, filters.items[i].name);
	if (suggestion.nearest)
		status = expression_error(source->text, name->at, message,
					  "no filter '%.100s'; did you mean '%.100s'?", name->text,
					  suggestion.nearest);
	else
		status = expression_error(source->text, name->at, message,
					  "no filter '%.100s'; connbits-query LOG --list shows all",
					  name->text);
	if (index_set_exists(source->database, source->index->database_name,
			     source->index->source.id, name->text))
		status = expression_error(
			source->text, name->at, message,
			"'%.100s' is an address set, not a filter: src in %.100s, dst "
			"in %.100s or host in %.100s",
			name->text, name->text, name->text, name->text);
	index_filters_free(&filters);
	return status;
}

const struct container *operand_lent(const void *operands, size_t operand)
{
	return ((const struct operand *)operands)[operand].container;
}

/* Lends the next container of a set. */
static void next_in_set(struct operand *operand)
{
	const struct row_set *set = operand->set;

	operand->container = operand->next < set->count ? &set->containers[operand->next++] : NULL;
}

void operand_lend(struct operand *operand, const struct row_set *set)
{
	operand->set = set;
	operand->next = 0;
	next_in_set(operand);
}

/* Reads the next chunk; behind the last one all rows have to have come. */
static enum status chunk_read(struct operand *operand, struct message *message)
{
	enum status status = bitmap_reader_next(operand->cursor, &operand->chunk, message);

	operand->next = 0;
	if (status != STATUS_OK)
		return status;
	operand->read += operand->chunk.rows;
	if (!operand->chunk.bytes && operand->read != operand->declared)
		return message_set(message, STATUS_FAILED,
				   "the index is damaged: a filter of %llu rows has bitmaps of "
				   "%llu; build it again with connbits-index --rebuild",
				   (unsigned long long)operand->declared,
				   (unsigned long long)operand->read);
	return STATUS_OK;
}

/* The next container of the chunk at hand; NULL where there is none. */
static const struct container *next_in_chunk(struct operand *operand)
{
	while (operand->chunk.bytes && operand->next < CHUNK_SEGMENTS) {
		const struct container *container = &operand->chunk.containers[operand->next++];

		if (container->cardinality)
			return container;
	}
	return NULL;
}

enum status operand_next(struct operand *operand, struct message *message)
{
	if (operand->set) {
		next_in_set(operand);
		return STATUS_OK;
	}
	operand->container = next_in_chunk(operand);
	/* A stored chunk has rows. */
	if (!operand->container) {
		enum status status = chunk_read(operand, message);

		if (status != STATUS_OK)
			return status;
		operand->container = next_in_chunk(operand);
	}
	return STATUS_OK;
}

/* True if all of a filter is small enough to be kept, however its bits lie. */
static bool worth_keeping(const struct operand_source *source, uint64_t rows)
{
	const struct operand_memory *memory = source->memory;
	const struct index_source *indexed = &source->index->source;
	const uint64_t chunks = (uint64_t)chunk_of_row(indexed->last_row) -
				(uint64_t)chunk_of_row(indexed->first_row) + 1;

	return memory && (rows <= memory->bytes / 64 || chunks <= memory->bytes / CHUNK_BYTES_MAX);
}

/* Reads all of an operand that stands on its first container, and offers it to the memory. */
static enum status operand_load(const struct operand_source *source, struct operand *operand,
				const char *name, struct message *message)
{
	const struct operand_memory *memory = source->memory;
	struct shared_set *answer = shared_set_new();
	enum status status = answer ? STATUS_OK : message_out_of_memory(message);

	while (status == STATUS_OK && operand->container) {
		status = row_set_append(&answer->rows, operand->container, message);
		if (status == STATUS_OK)
			status = operand_next(operand, message);
	}
	if (status == STATUS_OK)
		status = row_set_drop_before(&answer->rows, source->index->log_first, message);
	if (status != STATUS_OK) {
		shared_set_release(answer);
		return status;
	}
	memory->keep(memory->context, name, answer);
	operand->answer = answer;
	operand_lend(operand, &answer->rows);
	return STATUS_OK;
}

/* True if the filter's set is at hand. */
static bool operand_recall(const struct operand_source *source, struct operand *operand,
			   const char *name)
{
	const struct operand_memory *memory = source->memory;

	operand->answer = memory ? memory->find(memory->context, name) : NULL;
	if (!operand->answer)
		return false;
	operand_lend(operand, &operand->answer->rows);
	return true;
}

enum status operand_open(const struct operand_source *source, const struct expression_name *name,
			 struct operand *operand, struct message *message)
{
	const struct answer_index *index = source->index;
	struct index_filter_place place;
	bool found;
	enum status status;

	if (operand_recall(source, operand, name->text))
		return STATUS_OK;
	status = index_filter_find(source->database, index->database_name, index->source.id,
				   name->text, &place, &found, message);
	if (status == STATUS_OK && !found)
		return unknown_name(source, name, message);
	if (status == STATUS_OK)
		status = bitmap_reader_open(source->database, index->database_name,
					    &operand->cursor, message);
	if (status != STATUS_OK)
		return status;
	operand->declared = place.rows;
	if (place.lacks_rows && source->lacking && !*source->lacking->text)
		message_set(source->lacking, STATUS_OK, "%.255s", name->text);
	bitmap_reader_seek(operand->cursor, place.id, chunk_of_row(index->source.first_row),
			   chunk_of_row(index->source.last_row));
	return STATUS_OK;
}

enum status operand_start(const struct operand_source *source, const struct expression_name *name,
			  struct operand *operand, struct message *message)
{
	enum status status;

	if (operand->set)
		return STATUS_OK;
	status = operand_next(operand, message);
	if (status == STATUS_OK && worth_keeping(source, operand->declared))
		status = operand_load(source, operand, name->text, message);
	return status;
}

void operand_free(struct operand *operand)
{
	bitmap_reader_close(operand->cursor);
	shared_set_release(operand->answer);
	*operand = (struct operand){0};
}

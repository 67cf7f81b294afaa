#include "verify_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "packet/address_list_bytes.h"
#include "packet/header.h"
#include "packet/instant.h"
#include "plain_set.h"

static enum status sets_alloc(struct verify_rows *rows, struct message *message)
{
	rows->entries = calloc(rows->stored.count + 1, sizeof(*rows->entries));
	rows->sets = calloc(rows->stored.count + 1, sizeof(*rows->sets));
	return rows->entries && rows->sets ? STATUS_OK : message_out_of_memory(message);
}

/* Holds what is stored of a set against the digest that filters were evaluated with. */
static enum status set_judge(const struct index_set *stored, const struct address_list *list,
			     struct message *message)
{
	digest_state state = digest_begin();
	char digest[DIGEST_TEXT_SIZE];
	uint8_t *bytes;
	size_t size;
	enum status status = address_list_encode(list, &bytes, &size, message);

	if (status != STATUS_OK)
		return status;
	digest_bytes(&state, bytes, size);
	digest_write('s', state, digest);
	free(bytes);
	/* The letter says only that two lists had one digest. */
	if (stored->entries == address_list_entries(list) &&
	    strcmp(stored->digest + (*stored->digest != '\0'), digest + 1) == 0)
		return STATUS_OK;
	return message_set(
		message, STATUS_FAILED,
		"verification failed: the address set '%.100s' has other entries than its "
		"digest says; run connbits-index with its catalogue",
		stored->name);
}

enum status verify_rows_load(struct verify_rows *rows, sqlite3 *index, int64_t source,
			     struct filter_set *filters, struct message *message)
{
	enum status status = index_sets_read(index, "main", source, &rows->stored, message);

	if (status == STATUS_OK)
		status = sets_alloc(rows, message);
	for (size_t i = 0; status == STATUS_OK && i < rows->stored.count; i++) {
		const struct index_set *stored = &rows->stored.items[i];
		struct address_list list;
		bool found;

		status =
			index_set_load(index, "main", source, stored->name, &list, &found, message);
		if (status == STATUS_OK)
			status = set_judge(stored, &list, message);
		if (status == STATUS_OK)
			status = plain_set_make(&rows->sets[i], &list, message);
		address_list_free(&list);
		rows->entries[i] = (struct set_entry){stored->name, stored->digest};
	}
	filters->sets = rows->entries;
	filters->set_count = rows->stored.count;
	return status;
}

enum status verify_rows_begin(struct verify_rows *rows, const struct filter_set *filters,
			      struct message *message)
{
	size_t deepest = 0;

	for (size_t i = 0; i < filters->order_count; i++) {
		const struct filter_entry *entry = &filters->items[filters->order[i]];

		if (entry->rows->expression.depth > deepest)
			deepest = entry->rows->expression.depth;
	}
	rows->stack = calloc(deepest + 1, sizeof(*rows->stack));
	rows->results = calloc(filters->count + 1, sizeof(*rows->results));
	return rows->stack && rows->results ? STATUS_OK : message_out_of_memory(message);
}

static bool program_says(const struct program *program, const struct compared_row *subject)
{
	return subject->outcome == OUTCOME_HEADER &&
	       program_matches(program, subject->header, header_wire_length(subject->header),
			       (uint32_t)subject->captured);
}

static bool set_says(const struct plain_set *set, bool destination,
		     const struct compared_row *subject)
{
	const bool is_ipv6 = subject->header[0] >> 4 == 6;
	const size_t size = is_ipv6 ? 16 : 4;
	const uint8_t *address = subject->header + (is_ipv6 ? 8 : 12) + (destination ? size : 0);
	address_number number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | address[i];
	return plain_set_has(set, is_ipv6 ? 6 : 4, number);
}

static bool filter_says(const struct verify_rows *rows, const struct filter_set *filters,
			size_t filter, const struct compared_row *subject)
{
	if (filter == ROWS_FILTER_ALL)
		return subject->outcome == OUTCOME_HEADER;
	if (filter == ROWS_FILTER_SKIPPED)
		return outcome_is_skipped(subject->outcome);
	if (filters->items[filter].kind == FILTER_ROWS)
		return rows->results[filter];
	return program_says(&filters->items[filter].program, subject);
}

static bool leaf_says(const struct verify_rows *rows, const struct filter_set *filters,
		      const struct rows_filter *asked, size_t name,
		      const struct compared_row *subject)
{
	const struct expression_name *leaf = &asked->expression.names[name];

	if (leaf->leaf == LEAF_STORED)
		return filter_says(rows, filters, asked->operands[name], subject);
	if (subject->outcome != OUTCOME_HEADER)
		return false;
	if (leaf->leaf == LEAF_PCAP)
		return program_says(&asked->programs[name], subject);
	if (expression_leaf_has_set(leaf->leaf))
		return set_says(&rows->sets[asked->operands[name]],
				leaf->leaf == LEAF_DESTINATION_IN, subject);
	if (subject->time == INSTANT_NONE)
		return false;
	return leaf->leaf == LEAF_SINCE ? subject->time >= leaf->time : subject->time < leaf->time;
}

static bool expression_says(const struct verify_rows *rows, const struct filter_set *filters,
			    const struct rows_filter *asked, const struct compared_row *subject)
{
	bool *stack = rows->stack;
	size_t height = 0;

	for (size_t i = 0; i < asked->expression.step_count; i++) {
		const struct expression_step *step = &asked->expression.steps[i];

		switch (step->kind) {
		case EXPRESSION_NAME:
			stack[height++] = leaf_says(rows, filters, asked, step->name, subject);
			break;
		case EXPRESSION_NOT:
			stack[height - 1] =
				subject->outcome == OUTCOME_HEADER && !stack[height - 1];
			break;
		case EXPRESSION_AND:
			height--;
			stack[height - 1] = stack[height - 1] && stack[height];
			break;
		default:
			height--;
			stack[height - 1] = stack[height - 1] || stack[height];
		}
	}
	return stack[0];
}

void verify_rows_run(struct verify_rows *rows, const struct filter_set *filters,
		     const struct compared_row *subject)
{
	for (size_t i = 0; i < filters->order_count; i++) {
		const size_t filter = filters->order[i];

		rows->results[filter] =
			expression_says(rows, filters, filters->items[filter].rows, subject);
	}
}

void verify_rows_free(struct verify_rows *rows)
{
	for (size_t i = 0; rows->sets && i < rows->stored.count; i++)
		plain_set_free(&rows->sets[i]);
	free(rows->sets);
	free(rows->entries);
	free(rows->stack);
	free(rows->results);
	index_sets_free(&rows->stored);
	*rows = (struct verify_rows){0};
}

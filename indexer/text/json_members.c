#include "json_members.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

enum {
	DEPTH_MAX = 32,
	FLATTENED = 4, /* objects within objects that become columns of their own */
	MEMBERS_MAX = 4096,
};

/*
 * What yajl takes its memory of. It does not look whether it got some, so that where there is
 * none its call is left; all that it took goes at once when the line is through.
 */
struct json_heap {
	struct heap_block *blocks; /* the newest first; the oldest one stays */
	jmp_buf no_memory;
};

struct heap_block {
	struct heap_block *next;
	size_t used;
	size_t size;
	max_align_t bytes[];
};

/* Ahead of each piece: its size, so that it can grow. */
struct heap_piece {
	size_t size;
	max_align_t bytes[];
};

enum { HEAP_BLOCK = 1 << 14 };

static void *heap_take(void *context, size_t size)
{
	struct json_heap *heap = context;
	const size_t unit = sizeof(max_align_t);
	const size_t needed = (sizeof(struct heap_piece) + size + unit - 1) / unit * unit;
	struct heap_block *block = heap->blocks;
	struct heap_piece *piece;

	if (!block || block->size - block->used < needed) {
		const size_t room = needed > HEAP_BLOCK ? needed : HEAP_BLOCK;

		block = malloc(sizeof(*block) + room);
		if (!block)
			longjmp(heap->no_memory, 1);
		*block = (struct heap_block){.next = heap->blocks, .size = room};
		heap->blocks = block;
	}
	piece = (void *)((char *)block->bytes + block->used);
	block->used += needed;
	piece->size = size;
	return piece->bytes;
}

static void *heap_grow(void *context, void *bytes, size_t size)
{
	void *larger = heap_take(context, size);

	if (bytes) {
		const struct heap_piece *piece =
			(const void *)((const char *)bytes - offsetof(struct heap_piece, bytes));

		memcpy(larger, bytes, piece->size < size ? piece->size : size);
	}
	return larger;
}

static void heap_give(void *context, void *bytes)
{
	(void)context;
	(void)bytes;
}

/* Gives all pieces back; the first block is kept for the next line. */
static void heap_clear(struct json_heap *heap)
{
	while (heap->blocks && heap->blocks->next) {
		struct heap_block *next = heap->blocks->next;

		free(heap->blocks);
		heap->blocks = next;
	}
	if (heap->blocks)
		heap->blocks->used = 0;
}

/* One line while it is read. */
struct reading_line {
	struct json_members *members;
	yajl_handle handle;
	const char *line;
	size_t size;
	size_t depth;		      /* of objects and arrays that are open */
	size_t raw;		      /* the depth at which one began that stays text; 0 without */
	size_t raw_from;	      /* where its text begins */
	size_t prefix[DEPTH_MAX + 1]; /* the size of the names before a member's, by depth */
	char name[512];
	size_t name_size;
	bool deep;
	bool zero;
	bool no_memory;
};

static bool reserve(char **bytes, size_t size, size_t *capacity, size_t more)
{
	const size_t larger = (*capacity + more) * 2;
	char *moved;

	if (*capacity - size >= more)
		return true;
	moved = realloc(*bytes, larger);
	if (!moved)
		return false;
	*bytes = moved;
	*capacity = larger;
	return true;
}

static int no_memory(struct reading_line *reading)
{
	reading->no_memory = true;
	return 0;
}

/* Adds a member of the name that was read; the value of a text in the line is that text. */
static int member_add(struct reading_line *reading, struct import_value value)
{
	struct json_members *members = reading->members;
	struct json_member *member;

	if (reading->raw)
		return 1;
	if (reading->depth == 0 || members->count == MEMBERS_MAX)
		return 0;
	if (members->count == members->capacity) {
		const size_t capacity = members->capacity ? members->capacity * 2 : 64;
		struct json_member *larger =
			realloc(members->items, capacity * sizeof(*members->items));

		if (!larger)
			return no_memory(reading);
		members->items = larger;
		members->capacity = capacity;
	}
	/* Also an empty name lies somewhere. */
	if (!reserve(&members->names, members->names_size, &members->names_capacity,
		     reading->name_size + 1))
		return no_memory(reading);
	member = &members->items[members->count++];
	*member = (struct json_member){
		.name = members->names_size, .name_size = reading->name_size, .value = value};
	memcpy(members->names + members->names_size, reading->name, reading->name_size);
	members->names_size += reading->name_size;
	if (value.kind != VALUE_TEXT)
		return 1;
	if (memchr(value.text, '\0', value.size))
		reading->zero = true;
	if (value.text >= reading->line && value.text <= reading->line + reading->size)
		return 1;
	if (!reserve(&members->texts, members->texts_size, &members->texts_capacity,
		     value.size + (size_t)1))
		return no_memory(reading);
	member->own_text = true;
	member->text = members->texts_size;
	memcpy(members->texts + members->texts_size, value.text, value.size);
	members->texts_size += value.size;
	return 1;
}

static int on_null(void *context)
{
	return member_add(context, (struct import_value){.kind = VALUE_NULL});
}

static int on_boolean(void *context, int is_true)
{
	return member_add(context, value_of_integer(is_true != 0));
}

static int on_number(void *context, const char *text, size_t size)
{
	int64_t integer;
	double real;

	if (text_integer(text, size, &integer))
		return member_add(context, value_of_integer(integer));
	if ((memchr(text, '.', size) || memchr(text, 'e', size) || memchr(text, 'E', size)) &&
	    text_real(text, size, &real))
		return member_add(context, value_of_real(real));
	return member_add(context, value_of_text(text, size));
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
	return member_add(context, value_of_text((const char *)text, size));
}

/* Names behind the prefix of their depth; what is too long is cut. */
static int on_key(void *context, const unsigned char *text, size_t size)
{
	struct reading_line *reading = context;
	const size_t prefix = reading->prefix[reading->depth];
	const size_t room = sizeof(reading->name) - prefix;

	if (reading->raw)
		return 1;
	if (memchr(text, '\0', size))
		reading->zero = true;
	if (size > room)
		size = room;
	memcpy(reading->name + prefix, text, size);
	reading->name_size = prefix + size;
	return 1;
}

/* What begins here stays text. */
static void raw_begin(struct reading_line *reading)
{
	reading->raw = reading->depth;
	reading->raw_from = yajl_get_bytes_consumed(reading->handle) - 1;
}

static int on_map_begin(void *context)
{
	struct reading_line *reading = context;

	if (++reading->depth > DEPTH_MAX) {
		reading->deep = true;
		return 0;
	}
	if (reading->raw)
		return 1;
	reading->prefix[reading->depth] = 0;
	if (reading->depth == 1)
		return 1;
	if (reading->depth > FLATTENED || reading->name_size + 1 >= sizeof(reading->name)) {
		raw_begin(reading);
		return 1;
	}
	reading->name[reading->name_size] = '.';
	reading->prefix[reading->depth] = reading->name_size + 1;
	return 1;
}

static int on_array_begin(void *context)
{
	struct reading_line *reading = context;

	if (++reading->depth > DEPTH_MAX)
		reading->deep = true;
	if (reading->deep || reading->depth == 1)
		return 0;
	if (!reading->raw)
		raw_begin(reading);
	return 1;
}

static int on_end(void *context)
{
	struct reading_line *reading = context;
	const size_t depth = reading->depth--;
	const size_t from = reading->raw_from;

	if (reading->raw != depth)
		return 1;
	reading->raw = 0;
	return member_add(reading, value_of_text(reading->line + from,
						 yajl_get_bytes_consumed(reading->handle) - from));
}

/* Has yajl take the line apart; false without memory. */
static bool line_parse(struct reading_line *reading, yajl_status *parsed)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_map_begin,
		.yajl_map_key = on_key,
		.yajl_end_map = on_end,
		.yajl_start_array = on_array_begin,
		.yajl_end_array = on_end,
	};
	struct json_heap *heap = reading->members->heap;
	yajl_alloc_funcs functions = {heap_take, heap_grow, heap_give, heap};

	if (setjmp(heap->no_memory) != 0)
		return false;
	reading->handle = yajl_alloc(&callbacks, &functions, reading);
	if (!reading->handle)
		return false;
	*parsed = yajl_parse(reading->handle, (const unsigned char *)reading->line, reading->size);
	if (*parsed == yajl_status_ok)
		*parsed = yajl_complete_parse(reading->handle);
	return !reading->no_memory;
}

enum status json_members_read(struct json_members *members, const char *line, size_t size,
			      enum json_end *end, struct message *message)
{
	struct reading_line reading = {.members = members, .line = line, .size = size};
	yajl_status parsed = yajl_status_error;
	bool done;

	members->count = 0;
	members->names_size = 0;
	members->texts_size = 0;
	if (!members->heap)
		members->heap = calloc(1, sizeof(*members->heap));
	if (!members->heap)
		return message_out_of_memory(message);
	done = line_parse(&reading, &parsed);
	heap_clear(members->heap);
	if (!done)
		return message_out_of_memory(message);
	*end = parsed == yajl_status_ok ? (reading.zero ? JSON_ZERO : JSON_OBJECT)
	       : reading.deep		? JSON_DEEP
					: JSON_BROKEN;
	return STATUS_OK;
}

struct import_value json_member_value(const struct json_members *members, size_t place)
{
	const struct json_member *member = &members->items[place];
	struct import_value value = member->value;

	if (member->own_text)
		value.text = members->texts + member->text;
	return value;
}

size_t json_member_find(const struct json_members *members, const char *name)
{
	const size_t size = strlen(name);

	for (size_t i = 0; i < members->count; i++)
		if (members->items[i].name_size == size &&
		    memcmp(members->names + members->items[i].name, name, size) == 0)
			return i;
	return members->count;
}

void json_members_free(struct json_members *members)
{
	if (members->heap) {
		heap_clear(members->heap);
		free(members->heap->blocks);
		free(members->heap);
	}
	free(members->items);
	free(members->names);
	free(members->texts);
	*members = (struct json_members){0};
}

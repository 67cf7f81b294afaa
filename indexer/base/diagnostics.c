#include "diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct diagnostic *diagnostics_grow(struct diagnostics *diagnostics)
{
	size_t capacity = diagnostics->capacity ? diagnostics->capacity * 2 : 16;
	struct diagnostic *items;

	if (diagnostics->count < diagnostics->capacity)
		return &diagnostics->items[diagnostics->count++];
	if (diagnostics->count >= DIAGNOSTICS_MAX)
		return NULL;
	items = realloc(diagnostics->items, capacity * sizeof(*items));
	if (!items)
		return NULL;
	diagnostics->items = items;
	diagnostics->capacity = capacity;
	return &diagnostics->items[diagnostics->count++];
}

void diagnostics_add(struct diagnostics *diagnostics, size_t line, const char *format, ...)
{
	struct diagnostic *item = diagnostics_grow(diagnostics);
	va_list arguments;

	if (!item) {
		diagnostics->lost++;
		return;
	}
	item->line = line;
	va_start(arguments, format);
	vsnprintf(item->message.text, sizeof(item->message.text), format, arguments);
	va_end(arguments);
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
	/* Insertion keeps the order within a line, and the list is sorted but for a few already. */
	for (size_t i = 1; i < diagnostics->count; i++) {
		struct diagnostic item = diagnostics->items[i];
		size_t j = i;

		for (; j > 0 && diagnostics->items[j - 1].line > item.line; j--)
			diagnostics->items[j] = diagnostics->items[j - 1];
		diagnostics->items[j] = item;
	}
}

int diagnostics_empty(const struct diagnostics *diagnostics)
{
	return diagnostics->count == 0 && diagnostics->lost == 0;
}

void diagnostics_free(struct diagnostics *diagnostics)
{
	free(diagnostics->items);
	*diagnostics = (struct diagnostics){0};
}

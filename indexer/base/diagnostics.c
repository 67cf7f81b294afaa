#include "diagnostics.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void diagnostics_put(struct diagnostics *diagnostics, const char *file, size_t line,
			    const char *format, va_list arguments)
{
	struct diagnostic *item = diagnostics_grow(diagnostics);

	if (!item) {
		diagnostics->lost++;
		return;
	}
	item->file = file ? strdup(file) : NULL;
	if (file && !item->file) {
		diagnostics->count--;
		diagnostics->lost++;
		return;
	}
	item->line = line;
	vsnprintf(item->message.text, sizeof(item->message.text), format, arguments);
}

void diagnostics_add(struct diagnostics *diagnostics, size_t line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	diagnostics_put(diagnostics, NULL, line, format, arguments);
	va_end(arguments);
}

void diagnostics_add_in(struct diagnostics *diagnostics, const char *file, size_t line,
			const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	diagnostics_put(diagnostics, file, line, format, arguments);
	va_end(arguments);
}

static bool comes_behind(const struct diagnostic *a, const struct diagnostic *b)
{
	if (a->file || b->file)
		return a->file && !b->file;
	return a->line > b->line;
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
	/* Insertion keeps the order within a line, and the list is sorted but for a few already. */
	for (size_t i = 1; i < diagnostics->count; i++) {
		struct diagnostic item = diagnostics->items[i];
		size_t j = i;

		for (; j > 0 && comes_behind(&diagnostics->items[j - 1], &item); j--)
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
	for (size_t i = 0; i < diagnostics->count; i++)
		free(diagnostics->items[i].file);
	free(diagnostics->items);
	*diagnostics = (struct diagnostics){0};
}

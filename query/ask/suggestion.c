#include "suggestion.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_MAX_COMPARED = 255, /* bytes */
	DISTANCE_MAX = 2,	 /* letters that differ */
};

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance; names are short. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t length = strlen(b);
	size_t row[NAME_MAX_COMPARED + 1];

	if (length > NAME_MAX_COMPARED)
		return SIZE_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t above = row[j];

			row[j] = smallest(row[j - 1] + 1, above + 1,
					  diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[length];
}

char *suggestion_find(sqlite3 *database, const struct answer_index *index, const char *name)
{
	struct stored_filters filters;
	struct message ignored;
	const char *nearest = NULL;
	char *found;
	size_t best = DISTANCE_MAX + 1;

	if (strlen(name) > NAME_MAX_COMPARED ||
	    stored_filters_read(database, index->database_name, index->source.id, &filters,
				&ignored) != STATUS_OK)
		return NULL;
	for (size_t i = 0; i < filters.count; i++) {
		const size_t distance = edit_distance(name, filters.items[i].name);

		if (distance < best) {
			best = distance;
			nearest = filters.items[i].name;
		}
	}
	found = nearest ? strdup(nearest) : NULL;
	stored_filters_free(&filters);
	return found;
}

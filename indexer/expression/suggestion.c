#include "suggestion.h"

#include <stdint.h>
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

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Levenshtein's distance, in whatever case; names are short. */
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
					  diagonal + (lower(a[i - 1]) != lower(b[j - 1])));
			diagonal = above;
		}
	}
	return row[length];
}

void suggestion_consider(struct suggestion *suggestion, const char *name)
{
	size_t distance;

	if (strlen(suggestion->wanted) > NAME_MAX_COMPARED)
		return;
	distance = edit_distance(suggestion->wanted, name);
	if (distance > DISTANCE_MAX || (suggestion->nearest && distance >= suggestion->distance))
		return;
	suggestion->nearest = name;
	suggestion->distance = distance;
}

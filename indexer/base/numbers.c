#include "numbers.h"

#include <stdlib.h>

int numbers_compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

size_t numbers_settle(int64_t *numbers, size_t count)
{
	size_t left = 0;

	if (count)
		qsort(numbers, count, sizeof(*numbers), numbers_compare);
	for (size_t i = 0; i < count; i++)
		if (left == 0 || numbers[left - 1] != numbers[i])
			numbers[left++] = numbers[i];
	return left;
}

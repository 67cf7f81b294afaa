/* Lists of 64-bit integers. */
#ifndef CONNBITS_BASE_NUMBERS_H
#define CONNBITS_BASE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* The order of two int64_t, for qsort and bsearch. */
int numbers_compare(const void *a, const void *b);

/* Sorts a list, which may be NULL with no numbers, and leaves each once. Returns how many are left.
 */
size_t numbers_settle(int64_t *numbers, size_t count);

#endif

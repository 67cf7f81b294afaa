/*
 * Any bytes as a Roaring blob of either form, as two of them, and as a state of ClickHouse's: what
 * passes is written as bytes that are read as the same set, and what is said of two sets agrees
 * with what they make.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "set/group_bitmap.h"
#include "set/row_set_algebra.h"
#include "set/row_set_blob.h"
#include "set/row_set_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_written(const struct row_set *set)
{
	struct message message;
	struct row_set again;
	uint8_t *bytes;
	uint8_t *same;
	size_t size;
	size_t same_size;

	must(row_set_export(set, &bytes, &size, &message) == STATUS_OK);
	must(row_set_import(bytes, size, &again, &message) == STATUS_OK);
	must(row_set_equals(set, &again));
	must(row_set_export(&again, &same, &same_size, &message) == STATUS_OK);
	must(size == same_size && memcmp(bytes, same, size) == 0);
	sqlite3_free(bytes);
	sqlite3_free(same);
	row_set_free(&again);
}

static void check_state(const uint8_t *data, size_t size)
{
	static const enum group_bitmap_width widths[] = {GROUP_BITMAP_32, GROUP_BITMAP_64};
	struct message message;
	struct row_set set;
	struct row_set again;
	uint8_t *bytes;
	size_t length;

	if (group_bitmap_import(data, size, &set, &message) != STATUS_OK)
		return;
	check_written(&set);
	for (size_t i = group_bitmap_width(&set) == GROUP_BITMAP_32 ? 0 : 1; i < 2; i++) {
		must(group_bitmap_export(&set, widths[i], &bytes, &length, &message) == STATUS_OK);
		must(length == group_bitmap_size(&set, widths[i]));
		must(group_bitmap_import(bytes, length, &again, &message) == STATUS_OK);
		must(row_set_equals(&set, &again));
		sqlite3_free(bytes);
		row_set_free(&again);
	}
	row_set_free(&set);
}

static void check_places(const struct row_set *set)
{
	int64_t first;
	int64_t last;

	if (!row_set_first(set, &first) || !row_set_last(set, &last)) {
		must(set->rows == 0);
		return;
	}
	must(row_set_at(set, 0) == first && row_set_at(set, set->rows - 1) == last);
	must(row_set_rank(set, last) == set->rows - 1 && row_set_contains(set, first));
	must(row_set_range_rows(set, first, last) == set->rows);
}

static void check_pair(const struct row_set *a, const struct row_set *b)
{
	const uint64_t common = row_set_combined_rows(a, b, SET_AND);

	for (enum set_operation operation = SET_AND; operation <= SET_ANDNOT; operation++) {
		struct row_set made;
		struct message message;

		must(row_set_combine(a, b, operation, &made, &message) == STATUS_OK);
		must(made.rows == row_set_combined_rows(a, b, operation));
		must(operation != SET_AND || row_set_is_subset(&made, a));
		must(operation != SET_OR || row_set_is_subset(b, &made));
		must(operation != SET_ANDNOT || !row_set_intersects(&made, b));
		check_written(&made);
		row_set_free(&made);
	}
	must(row_set_intersects(a, b) == (common > 0));
	must(row_set_is_subset(a, b) == (common == a->rows));
	must(row_set_equals(a, b) == (common == a->rows && common == b->rows));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t split = size ? data[0] : 0;
	struct row_set a;
	struct row_set b;
	struct message message;

	if (split > size)
		split = size;
	check_state(data, size);
	if (row_set_import(data, size, &a, &message) == STATUS_OK) {
		check_written(&a);
		check_places(&a);
		row_set_free(&a);
	}
	if (size < 1 || split < 1 || row_set_import(data + 1, split - 1, &a, &message) != STATUS_OK)
		return 0;
	if (row_set_import(data + split, size - split, &b, &message) == STATUS_OK) {
		check_pair(&a, &b);
		row_set_free(&b);
	}
	row_set_free(&a);
	return 0;
}

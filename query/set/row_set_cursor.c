#include "row_set_cursor.h"

#include "database/sqlite.h"

enum {
	WINDOW_FIRST = 256, /* row ids that are decoded at once, and then ever more */
	WINDOW_GROWTH = 8,
	WINDOW_MAX = SEGMENT_ROWS,
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How many rows of the set come before those of container `number`. */
static uint64_t rows_before(const struct row_set *rows, size_t number)
{
	return number == rows->count ? rows->rows : rows->before[number];
}

/* The container that has a place of the set, looked for from the one at hand on. */
static size_t container_of(const struct row_set_cursor *cursor, uint64_t place)
{
	size_t number = cursor->container;

	while (rows_before(cursor->rows, number) > place)
		number--;
	while (rows_before(cursor->rows, number + 1) <= place)
		number++;
	return number;
}

static enum status places_reserve(struct row_set_cursor *cursor, size_t count,
				  struct message *message)
{
	uint16_t *places;

	if (count <= cursor->capacity)
		return STATUS_OK;
	places = sqlite3_realloc64(cursor->places, count * sizeof(*places));
	if (!places)
		return message_out_of_memory(message);
	cursor->places = places;
	cursor->capacity = count;
	return STATUS_OK;
}

/* Decodes the next window of what is left: no more than its container has. */
static enum status window_load(struct row_set_cursor *cursor, struct message *message)
{
	const size_t number =
		container_of(cursor, cursor->descending ? cursor->end - 1 : cursor->first);
	const uint64_t before = rows_before(cursor->rows, number);
	const uint64_t first = cursor->first > before ? cursor->first : before;
	const uint64_t end = smaller(cursor->end, rows_before(cursor->rows, number + 1));
	const size_t count = (size_t)smaller(end - first, cursor->window);
	const uint64_t from = cursor->descending ? end - count : first;
	enum status status = places_reserve(cursor, count, message);

	if (status != STATUS_OK)
		return status;
	if (cursor->window < WINDOW_MAX)
		cursor->window *= WINDOW_GROWTH;
	container_places(&cursor->rows->containers[number], (uint32_t)(from - before),
			 (uint32_t)count, cursor->places);
	cursor->container = number;
	cursor->segment = cursor->rows->containers[number].segment;
	cursor->count = count;
	cursor->next = 0;
	if (cursor->descending)
		cursor->end = from;
	else
		cursor->first = first + count;
	return STATUS_OK;
}

enum status row_set_cursor_next(struct row_set_cursor *cursor, struct message *message)
{
	size_t place;

	if (cursor->next == cursor->count) {
		enum status status;

		cursor->at_end = cursor->first == cursor->end;
		if (cursor->at_end)
			return STATUS_OK;
		status = window_load(cursor, message);
		return status == STATUS_OK ? row_set_cursor_next(cursor, message) : status;
	}
	place = cursor->descending ? cursor->count - 1 - cursor->next : cursor->next;
	cursor->rowid = row_set_rowid(cursor->segment, cursor->places[place]);
	cursor->next++;
	return STATUS_OK;
}

/* A probe: nothing is decoded for one row id. */
static void one_find(struct row_set_cursor *cursor, int64_t rowid)
{
	cursor->first = 0;
	cursor->end = 0;
	cursor->rowid = rowid;
	cursor->at_end = !row_set_contains(cursor->rows, rowid);
}

enum status row_set_cursor_start(struct row_set_cursor *cursor, const struct row_set *rows,
				 int64_t low, int64_t high, bool descending,
				 struct message *message)
{
	cursor->rows = rows;
	cursor->descending = descending;
	cursor->container = 0;
	cursor->window = WINDOW_FIRST;
	cursor->next = 0;
	cursor->count = 0;
	if (low == high) {
		one_find(cursor, low);
		return STATUS_OK;
	}
	cursor->first = low > high ? 0 : row_set_rank(rows, low);
	cursor->end = low > high ? 0 : row_set_rank(rows, high) + row_set_contains(rows, high);
	return row_set_cursor_next(cursor, message);
}

void row_set_cursor_free(struct row_set_cursor *cursor)
{
	sqlite3_free(cursor->places);
	*cursor = (struct row_set_cursor){0};
}

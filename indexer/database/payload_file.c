#include "payload_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/big_endian.h"
#include "database.h"
#include "database_open.h"
#include "page_format.h"

enum {
	FILE_HEAD_SIZE = 100,
	POINTER_SIZE = 2, /* to a cell */
	CELL_START = 64,  /* bytes of a cell in which its numbers are */
	CHILDREN_MAX = 1 << 20,
	COLUMNS_MAX = 16,
	WINDOWS = 4,
	WINDOW_SIZE = 4096,
};

/* A leaf of the table: the rows up to `last` are in it. */
struct leaf {
	int64_t last;
	uint32_t page;
};

/* Bytes that were read with others: the numbers of a row lie before its value. */
struct window {
	uint64_t at;
	size_t size;
	uint8_t bytes[WINDOW_SIZE];
};

struct payload_file {
	bool is_again; /* then `leaves` are another one's, and this is for the handle alone: */
	sqlite3 *database;
	const char *path;
	sqlite3_file *file;
	uint32_t page_size;
	uint32_t usable; /* bytes of a page */
	uint32_t pages;
	struct leaf *leaves; /* in the order of their rows */
	size_t leaf_count;
	size_t leaf_capacity;
	uint8_t *page;	 /* the head and the pointers of a leaf, */
	uint32_t cached; /* of this one; 0 is none */
	uint32_t cells;	 /* that it has */
	struct window windows[WINDOWS];
	size_t oldest; /* of them */
};

static uint64_t file_size(const struct payload_file *file)
{
	return (uint64_t)file->pages * file->page_size;
}

static bool bytes_read(struct payload_file *file, uint64_t at, size_t size, uint8_t *out)
{
	return file->file->pMethods->xRead(file->file, out, (int)size, (sqlite3_int64)at) ==
	       SQLITE_OK;
}

/* A window that has the bytes, or the oldest one with them and what follows; NULL where not. */
static const struct window *window_of(struct payload_file *file, uint64_t at, size_t size)
{
	struct window *window;

	for (size_t i = 0; i < WINDOWS; i++) {
		window = &file->windows[i];
		if (at >= window->at && at + size <= window->at + window->size)
			return window;
	}
	window = &file->windows[file->oldest];
	file->oldest = (file->oldest + 1) % WINDOWS;
	window->at = at;
	window->size = file_size(file) - at < WINDOW_SIZE ? (size_t)(file_size(file) - at)
							  : (size_t)WINDOW_SIZE;
	if (bytes_read(file, at, window->size, window->bytes))
		return window;
	window->size = 0;
	return NULL;
}

static bool file_read(struct payload_file *file, uint64_t at, size_t size, uint8_t *out)
{
	const struct window *window;

	if (size > INT32_MAX || at + size > file_size(file))
		return false;
	if (size > WINDOW_SIZE)
		return bytes_read(file, at, size, out);
	window = window_of(file, at, size);
	if (window)
		memcpy(out, window->bytes + (at - window->at), size);
	return window != NULL;
}

static uint64_t page_at(const struct payload_file *file, uint32_t page)
{
	return (uint64_t)(page - 1) * file->page_size;
}

static bool page_valid(const struct payload_file *file, uint32_t page)
{
	return page >= 1 && page <= file->pages;
}

/* The file's own words about itself: no write-ahead log, and pages of a size that there is. */
static bool head_read(struct payload_file *file)
{
	uint8_t head[FILE_HEAD_SIZE];

	if (file->file->pMethods->xRead(file->file, head, sizeof(head), 0) != SQLITE_OK ||
	    memcmp(head, "SQLite format 3", 16) != 0 || head[18] != 1 || head[19] != 1)
		return false;
	file->page_size =
		read_big_endian_16(head + 16) == 1 ? 65536 : read_big_endian_16(head + 16);
	file->usable = file->page_size - head[20];
	file->pages = read_big_endian_32(head + 28);
	/* The size in the head counts only where this number is that of the last change. */
	return file->page_size >= 512 && (file->page_size & (file->page_size - 1)) == 0 &&
	       file->usable >= 480 && file->pages > 0 && memcmp(head + 24, head + 92, 4) == 0;
}

static bool leaf_add(struct payload_file *file, uint32_t page, int64_t last)
{
	if (file->leaf_count == file->leaf_capacity) {
		const size_t capacity = file->leaf_capacity * 2 + 256;
		struct leaf *larger = capacity > CHILDREN_MAX
					      ? NULL
					      : realloc(file->leaves, capacity * sizeof(*larger));

		if (!larger)
			return false;
		file->leaves = larger;
		file->leaf_capacity = capacity;
	}
	if (file->leaf_count && file->leaves[file->leaf_count - 1].last >= last &&
	    last != INT64_MAX)
		return false;
	file->leaves[file->leaf_count++] = (struct leaf){last, page};
	return true;
}

/* The pages from the root to the last leaf: all leaves are as deep. 0 where that is not so. */
static unsigned depth_find(struct payload_file *file, uint32_t page)
{
	uint8_t head[PAGE_INTERIOR_HEADER];

	for (unsigned depth = 1; depth < PAGE_DEPTH_MAX; depth++) {
		if (!page_valid(file, page) ||
		    !file_read(file, page_at(file, page), sizeof(head), head))
			return 0;
		if (head[0] == PAGE_LEAF)
			return depth;
		page = read_big_endian_32(head + 8);
		if (head[0] != PAGE_INTERIOR)
			return 0;
	}
	return 0;
}

/*
 * Notes the leaves below a page, whose rows go up to `last`: `depth` pages are on the way to
 * each, with this one. Recurs as often.
 */
static bool leaves_find(struct payload_file *file, uint32_t page, int64_t last, unsigned depth)
{
	uint8_t *cells;
	size_t count;
	bool found;

	if (depth == 1)
		return page_valid(file, page) && leaf_add(file, page, last);
	cells = malloc(file->page_size);
	found = cells && page_valid(file, page) &&
		file_read(file, page_at(file, page), file->page_size, cells) &&
		cells[0] == PAGE_INTERIOR;
	count = found ? read_big_endian_16(cells + 3) : 0;
	for (size_t i = 0; found && i < count; i++) {
		const size_t pointer = PAGE_INTERIOR_HEADER + i * POINTER_SIZE;
		const size_t at = pointer + POINTER_SIZE <= file->usable
					  ? read_big_endian_16(cells + pointer)
					  : 0;
		uint64_t key;

		found = at >= PAGE_INTERIOR_HEADER && at + 5 <= file->usable &&
			page_varint_read(cells + at + 4, file->usable - at - 4, &key) &&
			leaves_find(file, read_big_endian_32(cells + at), (int64_t)key, depth - 1);
	}
	if (found)
		found = leaves_find(file, read_big_endian_32(cells + 8), last, depth - 1);
	free(cells);
	return found;
}

static bool root_find(sqlite3 *database, const char *database_name, const char *table,
		      uint32_t *root)
{
	sqlite3_stmt *statement;
	struct message ignored;
	int row = 0;
	enum status status = database_prepare(
		database, &statement, &ignored,
		"SELECT rootpage FROM \"%w\".sqlite_master WHERE type = 'table' AND name = %Q",
		database_name, table);

	*root = 0;
	if (status == STATUS_OK)
		status = database_step(statement, &row, &ignored);
	if (status == STATUS_OK && row)
		*root = (uint32_t)sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return *root > 1;
}

struct payload_file *payload_file_open(sqlite3 *database, const char *database_name,
				       const char *table)
{
	struct payload_file *file;
	unsigned depth;
	uint32_t root;

	if (!database_can_open_beside(database, database_name) ||
	    database_reads_uncommitted(database) ||
	    !root_find(database, database_name, table, &root))
		return NULL;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->path = sqlite3_db_filename(database, database_name);
	if (sqlite3_file_control(database, database_name, SQLITE_FCNTL_FILE_POINTER, &file->file) ==
		    SQLITE_OK &&
	    file->file && file->file->pMethods && head_read(file) &&
	    (file->page = malloc(file->page_size)) && (depth = depth_find(file, root)) &&
	    leaves_find(file, root, INT64_MAX, depth))
		return file;
	payload_file_close(file);
	return NULL;
}

struct payload_file *payload_file_again(const struct payload_file *first)
{
	struct payload_file *file = calloc(1, sizeof(*file));
	struct message ignored;

	if (!file)
		return NULL;
	file->is_again = true;
	file->page_size = first->page_size;
	file->usable = first->usable;
	file->pages = first->pages;
	file->leaves = first->leaves;
	file->leaf_count = first->leaf_count;
	file->page = malloc(file->page_size);
	if (database_open_handle(first->path, &file->database, &ignored) == STATUS_OK &&
	    sqlite3_file_control(file->database, "main", SQLITE_FCNTL_FILE_POINTER, &file->file) ==
		    SQLITE_OK &&
	    file->page && file->file && file->file->pMethods && !payload_file_moved(file) &&
	    !payload_file_moved(first) && !payload_file_moved(file))
		return file;
	payload_file_close(file);
	return NULL;
}

bool payload_file_moved(const struct payload_file *file)
{
	int moved = 1;

	return file->file->pMethods->xFileControl(file->file, SQLITE_FCNTL_HAS_MOVED, &moved) !=
		       SQLITE_OK ||
	       moved;
}

void payload_file_close(struct payload_file *file)
{
	if (!file)
		return;
	if (!file->is_again)
		free(file->leaves);
	sqlite3_close(file->database);
	free(file->page);
	free(file);
}

/* The leaf that has the row if any has. */
static uint32_t leaf_of(const struct payload_file *file, int64_t rowid)
{
	size_t low = 0;
	size_t high = file->leaf_count - 1;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (file->leaves[middle].last < rowid)
			low = middle + 1;
		else
			high = middle;
	}
	return file->leaves[low].page;
}

/* Reads where the cells of a leaf are, which are few where rows are large. */
static bool leaf_load(struct payload_file *file, uint32_t page)
{
	enum { USUAL_CELLS = 16 };
	const size_t usual = PAGE_LEAF_HEADER + USUAL_CELLS * POINTER_SIZE;
	size_t size;

	if (file->cached == page)
		return true;
	file->cached = 0;
	if (!file_read(file, page_at(file, page), usual, file->page) || file->page[0] != PAGE_LEAF)
		return false;
	file->cells = read_big_endian_16(file->page + 3);
	size = PAGE_LEAF_HEADER + (size_t)file->cells * POINTER_SIZE;
	if (size > file->usable ||
	    (size > usual && !file_read(file, page_at(file, page), size, file->page)))
		return false;
	file->cached = page;
	return true;
}

/* The start of a cell: its numbers, and the first bytes of its row. */
struct cell {
	uint32_t at; /* offset in its page */
	size_t used; /* bytes of its two numbers */
	uint64_t size;
	int64_t rowid;
	uint8_t start[CELL_START];
	size_t start_size;
};

static bool cell_read(struct payload_file *file, size_t number, struct cell *cell)
{
	uint64_t rowid;
	size_t more;

	cell->at = read_big_endian_16(file->page + PAGE_LEAF_HEADER + number * POINTER_SIZE);
	if (cell->at < PAGE_LEAF_HEADER || cell->at >= file->usable)
		return false;
	cell->start_size =
		file->usable - cell->at < CELL_START ? file->usable - cell->at : (size_t)CELL_START;
	if (!file_read(file, page_at(file, file->cached) + cell->at, cell->start_size, cell->start))
		return false;
	cell->used = page_varint_read(cell->start, cell->start_size, &cell->size);
	more = page_varint_read(cell->start + cell->used, cell->start_size - cell->used, &rowid);
	cell->rowid = (int64_t)rowid;
	if (!cell->used || !more)
		return false;
	cell->used += more;
	return true;
}

static bool cell_find(struct payload_file *file, int64_t rowid, struct cell *cell)
{
	size_t low = 0;
	size_t high;

	if (!leaf_load(file, leaf_of(file, rowid)))
		return false;
	high = file->cells;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (!cell_read(file, middle, cell))
			return false;
		if (cell->rowid == rowid)
			return true;
		if (cell->rowid < rowid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Where the last column of a row begins, whose bytes end with the row. */
static bool value_find(const struct cell *cell, struct payload *payload)
{
	const uint8_t *row = cell->start + cell->used;
	const size_t left = cell->start_size - cell->used;
	uint64_t head;
	uint64_t ahead;
	uint64_t type = 0;
	size_t at = page_varint_read(row, left, &head);

	if (!at || head > left || head > cell->size)
		return false;
	ahead = head;
	for (size_t columns = 0; at < head; columns++) {
		const size_t used = page_varint_read(row + at, (size_t)head - at, &type);

		if (!used || columns == COLUMNS_MAX || page_type_size(type) > UINT32_MAX)
			return false;
		at += used;
		ahead += page_type_size(type);
	}
	/* A BLOB or text, and nothing of the row is left. */
	if (at != head || type < 12 || ahead != cell->size)
		return false;
	payload->size = (uint32_t)page_type_size(type);
	payload->skipped = (uint32_t)(ahead - payload->size);
	return true;
}

bool payload_find(struct payload_file *file, int64_t rowid, struct payload *payload)
{
	struct cell cell = {0};
	uint8_t next[4];

	if (!cell_find(file, rowid, &cell) || cell.size > INT32_MAX || !value_find(&cell, payload))
		return false;
	payload->local_at = page_at(file, file->cached) + cell.at + cell.used;
	payload->local = page_local_size(file->usable, (uint32_t)cell.size);
	payload->overflow = 0;
	if (cell.at + cell.used + payload->local > file->usable)
		return false;
	if (payload->local == cell.size)
		return payload->skipped <= payload->local;
	if (payload->skipped > payload->local ||
	    cell.at + cell.used + payload->local + sizeof(next) > file->usable ||
	    !file_read(file, payload->local_at + payload->local, sizeof(next), next))
		return false;
	payload->overflow = read_big_endian_32(next);
	return true;
}

bool payload_read(struct payload_file *file, const struct payload *payload, size_t at, size_t size,
		  uint8_t *out)
{
	const uint32_t each = file->usable - 4;
	size_t from = payload->skipped + at; /* in the row */
	size_t end = from + size;
	uint32_t page = payload->overflow;
	size_t first = payload->local; /* of the row's bytes on that page */

	if (at > payload->size || size > payload->size - at)
		return false;
	if (from < first) {
		const size_t part = (end < first ? end : first) - from;

		if (!file_read(file, payload->local_at + from, part, out))
			return false;
		out += part;
		from += part;
	}
	for (; from < end; first += each) {
		uint8_t next[4] = {0};

		if (!page_valid(file, page))
			return false;
		if (from < first + each) {
			const size_t part = (end < first + each ? end : first + each) - from;

			if (!file_read(file, page_at(file, page) + 4 + (from - first), part, out))
				return false;
			out += part;
			from += part;
		}
		if (from < end && !file_read(file, page_at(file, page), sizeof(next), next))
			return false;
		page = read_big_endian_32(next);
	}
	return true;
}

#include "page_tree.h"

#include <stdlib.h>

#include "base/big_endian.h"
#include "database/page_format.h"

enum {
	PAGE_CELLS = 3,	 /* where a page's header has the number of its cells, */
	PAGE_RIGHT = 8,	 /* and an interior one's the page behind all keys */
	CELL_MIN = 4,	 /* bytes that SQLite takes for a cell at least */
	AHEAD = 1 << 17, /* bytes that are read at once where pages lie close to each other */
};

/* An interior page: the children between keys, keys[i - 1] < row ids of child i <= keys[i]. */
struct level {
	size_t count; /* of keys; the children are one more */
	size_t next;  /* the child to visit */
	int64_t *keys;
	uint32_t *children;
	size_t room; /* keys that fit */
	/* What the parents say of all row ids below it. */
	bool bounded_below;
	int64_t below;
	bool bounded_above;
	int64_t above;
};

struct page_tree {
	struct page_file *file;
	struct level levels[PAGE_DEPTH_MAX];
	size_t depth;
	int64_t first;
	/* Pages that are in memory, one behind the other in the file. */
	uint8_t *window;
	size_t window_room;
	uint32_t window_page;
	uint32_t window_pages;
	/* The leaf at hand. */
	const uint8_t *leaf;
	size_t cells;
	size_t cell;
	uint32_t usable;
	bool bounded_below;
	int64_t below;
	bool bounded_above;
	int64_t above;
};

static bool no(const char **why, const char *reason)
{
	*why = reason;
	return false;
}

static bool damaged(const char **why)
{
	return no(why, "a page of the log is damaged, or of a kind that SQLite alone may read");
}

static bool no_memory(const char **why)
{
	return no(why, "there is not enough memory to read pages");
}

struct page_tree *page_tree_new(struct page_file *file)
{
	struct page_tree *tree = calloc(1, sizeof(*tree));

	if (tree)
		tree->file = file;
	return tree;
}

void page_tree_free(struct page_tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < PAGE_DEPTH_MAX; i++) {
		free(tree->levels[i].keys);
		free(tree->levels[i].children);
	}
	free(tree->window);
	free(tree);
}

/* How many pages from a child's on are read at once: as long as half of them will be visited. */
static uint32_t window_span(const struct level *level, size_t child, uint32_t most)
{
	const uint32_t page = level->children[child];
	uint32_t span = 1;
	uint32_t used = 1;

	for (size_t i = child + 1; i <= level->count; i++) {
		const uint32_t other = level->children[i];

		if (other <= page || other - page >= most)
			break;
		used++;
		if (used * 2 >= other - page + 1)
			span = other - page + 1;
	}
	return span;
}

/* The bytes of a page, valid until the next one is asked for; those from `span` on with it. */
static const uint8_t *page_load(struct page_tree *tree, uint32_t page, uint32_t span,
				const char **why)
{
	const struct page_geometry *geometry = page_file_geometry(tree->file);
	const size_t room = geometry->page_size > AHEAD ? geometry->page_size : AHEAD;

	if (page - tree->window_page < tree->window_pages)
		return tree->window + (size_t)(page - tree->window_page) * geometry->page_size;
	tree->window_pages = 0;
	if (tree->window_room < room) {
		free(tree->window);
		tree->window = malloc(room + PAGE_CELL_BEHIND);
		tree->window_room = tree->window ? room : 0;
	}
	if (!tree->window) {
		no_memory(why);
		return NULL;
	}
	if (page <= geometry->pages && span > geometry->pages - page + 1)
		span = geometry->pages - page + 1;
	if (!page_file_read(tree->file, page, span, tree->window, why))
		return NULL;
	tree->window_page = page;
	tree->window_pages = span;
	return tree->window;
}

static bool level_room(struct level *level, uint32_t page_size, const char **why)
{
	/* MX_CELL of SQLite's btreeInt.h. */
	const size_t most = (page_size - 8) / 6;

	if (level->room >= most)
		return true;
	free(level->keys);
	free(level->children);
	level->keys = malloc(most * sizeof(*level->keys));
	level->children = malloc((most + 1) * sizeof(*level->children));
	level->room = level->keys && level->children ? most : 0;
	return level->room || no_memory(why);
}

/* Where the cell with that number begins, or 0 where it lies outside. */
static size_t cell_at(const uint8_t *page, size_t header, size_t cells, size_t number,
		      uint32_t usable)
{
	const size_t at = read_big_endian_16(page + header + 2 * number);

	return at >= header + 2 * cells && at + CELL_MIN <= usable ? at : 0;
}

static bool interior_keys(struct level *level, const uint8_t *page, uint32_t usable,
			  const char **why)
{
	for (size_t i = 0; i < level->count; i++) {
		const size_t at = cell_at(page, PAGE_INTERIOR_HEADER, level->count, i, usable);
		uint64_t key = 0;

		if (at == 0 || page_varint_read(page + at + 4, usable - at - 4, &key) == 0)
			return damaged(why);
		level->children[i] = read_big_endian_32(page + at);
		level->keys[i] = (int64_t)key;
		if (i > 0 ? level->keys[i] <= level->keys[i - 1]
			  : level->bounded_below && level->keys[0] <= level->below)
			return damaged(why);
	}
	if (level->bounded_above && level->keys[level->count - 1] >= level->above)
		return damaged(why);
	level->children[level->count] = read_big_endian_32(page + PAGE_RIGHT);
	return true;
}

/* The first child whose key is `first` or more. */
static size_t level_seek(const struct level *level, int64_t first)
{
	size_t low = 0;
	size_t high = level->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (level->keys[middle] < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Goes down into an interior page, whose row ids are bounded as the leaf's would be. */
static bool level_push(struct page_tree *tree, const uint8_t *page, const char **why)
{
	const struct page_geometry *geometry = page_file_geometry(tree->file);
	struct level *level = &tree->levels[tree->depth];

	/* SQLite's cursor has the leaf on its stack, too. */
	if (tree->depth == PAGE_DEPTH_MAX - 1)
		return damaged(why);
	if (!level_room(level, geometry->page_size, why))
		return false;
	level->count = read_big_endian_16(page + PAGE_CELLS);
	if (level->count == 0 || level->count > level->room)
		return damaged(why);
	level->bounded_below = tree->bounded_below;
	level->below = tree->below;
	level->bounded_above = tree->bounded_above;
	level->above = tree->above;
	if (!interior_keys(level, page, geometry->usable, why))
		return false;
	level->next = level_seek(level, tree->first);
	tree->depth++;
	return true;
}

/* Takes a page of the tree: a leaf to be read, or an interior page to go down into. */
static bool page_enter(struct page_tree *tree, const uint8_t *page, bool is_root, const char **why)
{
	const struct page_geometry *geometry = page_file_geometry(tree->file);

	tree->leaf = NULL;
	if (*page == PAGE_INTERIOR)
		return level_push(tree, page, why);
	if (*page != PAGE_LEAF)
		return damaged(why);
	tree->cells = read_big_endian_16(page + PAGE_CELLS);
	tree->cell = 0;
	if ((tree->cells == 0 && !is_root) || tree->cells > (geometry->page_size - 8) / 6)
		return damaged(why);
	tree->leaf = page;
	return true;
}

bool page_tree_seek(struct page_tree *tree, uint32_t root, int64_t first, const char **why)
{
	const struct page_geometry *geometry = page_file_geometry(tree->file);
	const uint8_t *page;

	tree->depth = 0;
	tree->first = first;
	tree->bounded_below = false;
	tree->bounded_above = false;
	tree->window_pages = 0;
	tree->usable = geometry->usable;
	tree->leaf = NULL;
	/* The first page begins with the file's header: it is the schema's. */
	if (root < 2)
		return damaged(why);
	page = page_load(tree, root, 1, why);
	return page && page_enter(tree, page, true, why);
}

/* Goes to the next page in order. *end behind the last one. */
static bool page_advance(struct page_tree *tree, bool *end, const char **why)
{
	const uint32_t page_size = page_file_geometry(tree->file)->page_size;
	struct level *level;
	const uint8_t *page;
	size_t child;

	while (tree->depth > 0 &&
	       tree->levels[tree->depth - 1].next > tree->levels[tree->depth - 1].count)
		tree->depth--;
	*end = tree->depth == 0;
	tree->leaf = NULL;
	if (*end)
		return true;
	level = &tree->levels[tree->depth - 1];
	child = level->next++;
	page = page_load(tree, level->children[child],
			 window_span(level, child, AHEAD / page_size ? AHEAD / page_size : 1), why);
	if (!page)
		return false;
	tree->bounded_below = child > 0 || level->bounded_below;
	tree->below = child > 0 ? level->keys[child - 1] : level->below;
	tree->bounded_above = child < level->count || level->bounded_above;
	tree->above = child < level->count ? level->keys[child] : level->above;
	return page_enter(tree, page, false, why);
}

static bool cell_read(struct page_tree *tree, struct page_cell *cell, const char **why)
{
	size_t at = cell_at(tree->leaf, PAGE_LEAF_HEADER, tree->cells, tree->cell, tree->usable);
	uint64_t rowid = 0;
	size_t length;

	if (at == 0)
		return damaged(why);
	length = page_varint_read_31(tree->leaf + at, tree->usable - at, &cell->payload);
	at += length;
	if (length == 0)
		return damaged(why);
	length = page_varint_read(tree->leaf + at, tree->usable - at, &rowid);
	at += length;
	cell->rowid = (int64_t)rowid;
	cell->local = page_local_size(tree->usable, cell->payload);
	cell->bytes = tree->leaf + at;
	cell->overflow = 0;
	if (length == 0 || cell->local > tree->usable - at ||
	    (tree->bounded_below && cell->rowid <= tree->below) ||
	    (tree->bounded_above && cell->rowid > tree->above))
		return damaged(why);
	if (cell->local < cell->payload) {
		if (tree->usable - at - cell->local < 4)
			return damaged(why);
		cell->overflow = read_big_endian_32(cell->bytes + cell->local);
	}
	/* The next one has to be higher. */
	tree->bounded_below = true;
	tree->below = cell->rowid;
	tree->cell++;
	return true;
}

bool page_tree_next(struct page_tree *tree, struct page_cell *cell, bool *found, const char **why)
{
	bool end = false;

	while (!tree->leaf || tree->cell == tree->cells)
		if (!page_advance(tree, &end, why))
			return false;
		else if (end)
			break;
	*found = !end;
	return end || cell_read(tree, cell, why);
}

/*
 * The b-tree of a table, page by page: its leaves from a row id on, in ascending order, and the
 * cells of a leaf (sections 1.5 and 1.6 of www.sqlite.org/fileformat2.html).
 *
 *   interior page 0x05   header of 12 bytes   cells: 4 bytes left child, varint key
 *   leaf page     0x0d   header of 8 bytes    cells: varint payload bytes, varint row id, payload,
 *                                             4 bytes first overflow page where it does not fit
 *
 * Whatever SQLite might read in another way than it stands here is no: an order of keys that
 * is not strict, cells over each other's page's end, a page of no cells below the root, a tree
 * deeper than SQLite goes. Then SQLite itself is asked, and its error counts.
 */
#ifndef CONNBITS_LOG_PAGE_TREE_H
#define CONNBITS_LOG_PAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "page_file.h"

struct page_tree;

/* Reads pages of file, which outlives it. NULL without memory; else free with page_tree_free. */
struct page_tree *page_tree_new(struct page_file *file);

/* Begins before the leaf in which the first row id from `first` on would be. False with *why. */
bool page_tree_seek(struct page_tree *tree, uint32_t root, int64_t first, const char **why);

/* So that a number of fewer bytes than eight is read as one of eight. */
enum { PAGE_CELL_BEHIND = 8 };

/* One row of a leaf. */
struct page_cell {
	int64_t rowid;
	uint32_t payload;     /* bytes of the whole record */
	uint32_t local;	      /* those that lie in the leaf, */
	const uint8_t *bytes; /* here; PAGE_CELL_BEHIND bytes of anything can be read behind them */
	uint32_t overflow;    /* the page with the next ones; 0 where there are none */
};

/*
 * The next row in the order of row ids, first those of the leaf that was sought, which may have ids
 * below `first`. *found is false behind the last one. cell->bytes are valid until the next call.
 * False with *why.
 */
bool page_tree_next(struct page_tree *tree, struct page_cell *cell, bool *found, const char **why);

/* NULL is fine. */
void page_tree_free(struct page_tree *tree);

#endif

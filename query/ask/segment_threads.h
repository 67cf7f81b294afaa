/*
 * All stored segments, gone through once. Where the index is a file that can be read past
 * SQLite's page cache, several threads do. Threads are made for one run and not kept: a host
 * program may fork, or unload the extension.
 */
#ifndef CONNBITS_ASK_SEGMENT_THREADS_H
#define CONNBITS_ASK_SEGMENT_THREADS_H

#include <stddef.h>
#include <stdint.h>

#include "answer_index.h"
#include "base/message.h"
#include "base/stop.h"
#include "database/sqlite.h"
#include "segment_walk.h"

/* What is done with segments. Of the last three no two are called at the same time. */
struct segment_work {
	void *shared;
	/* Makes what a thread works with; its address is *own. stop is for that thread to ask. */
	enum status (*open)(void *shared, const struct stop *stop, void **own,
			    struct message *message);
	/* Takes a segment, whose columns are valid until it returns. */
	segment_visitor visit; /* context is the thread's own */
	/* Takes over what a thread made of some segments, of which `first` is the place. */
	enum status (*give)(void *shared, void *own, size_t first, struct message *message);
	/* Ends a thread that was opened: what it found counts. */
	void (*close)(void *shared, void *own);
	/* What was made so far does not count: all segments come again. */
	void (*reset)(void *shared);
};

struct segment_threads {
	sqlite3 *database;
	const struct answer_index *index; /* held */
	const struct segment_work *work;
	const struct segment_span *span;  /* NULL for all segments */
	const struct stop *stop;	  /* NULL, or asked on this thread */
	const struct search_pause *pause; /* NULL, or of a run that takes long */
};

/* STATUS_FAILED also where the run was stopped. */
enum status segment_threads_run(const struct segment_threads *run, struct message *message);

#endif

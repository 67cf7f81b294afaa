/*
 * What libpcap's compiler is allowed to take while it compiles one expression.
 * libpcap does not survive an allocation that fails, nor can it be stopped: its
 * generator takes quadratic time on long lists. Here every allocation, and
 * every word that its parser asks for, may end it: whatever it has taken is
 * given back, and whoever has run it goes on. It is called on one thread, and
 * holds no lock and no file while it can be ended.
 */
#ifndef CONNBITS_FILTER_LIBPCAP_HEAP_H
#define CONNBITS_FILTER_LIBPCAP_HEAP_H

#include <setjmp.h>
#include <stdatomic.h>
#include <stddef.h>

/* How a run went. */
enum libpcap_end {
	LIBPCAP_DONE,
	LIBPCAP_NO_MEMORY, /* malloc failed */
	LIBPCAP_TOO_LARGE, /* more than was allowed */
	LIBPCAP_TOO_LONG,  /* more time than was allowed */
	LIBPCAP_STOPPED,   /* stop was set */
	LIBPCAP_GAVE_UP,   /* it would have ended the process */
};

struct libpcap_block;

enum { LIBPCAP_SMALL_MAX = 1 << 12, LIBPCAP_CLASSES = LIBPCAP_SMALL_MAX / 16 + 1 };

/* Zero-initialise but for what may be taken. */
struct libpcap_heap {
	size_t bytes;	   /* that may be taken */
	double seconds;	   /* of processor time of the thread */
	atomic_bool *stop; /* NULL, or set by another thread to end it */

	struct libpcap_block *blocks;  /* the latest first */
	struct libpcap_block *shared;  /* that small allocations are taken of */
	void *unused[LIBPCAP_CLASSES]; /* small ones that were given back, each points to another */
	size_t taken;
	double begun;
	unsigned words;
	jmp_buf escape;
	enum libpcap_end end;
};

/* Calls run(context), which may call the copy of libpcap and has nothing of its own to free. */
enum libpcap_end libpcap_heap_run(struct libpcap_heap *heap, void (*run)(void *context),
				  void *context);

/* Gives back all that was taken, at last: what a run has made is valid until then. */
void libpcap_heap_free(struct libpcap_heap *heap);

#endif

#include "libpcap_heap.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libpcap_copy.h"

enum {
	ALIGNMENT = 16,
	BLOCK_BYTES = 1 << 14, /* of allocations that share a block */
	WORDS_BETWEEN = 8,     /* two looks at the clock */
};

/*
 * Small allocations share a block, and what libpcap gives back is used for the
 * next of that size; a large one has a block of its own. Each stands behind its
 * size. Giving back matters, since libpcap makes a long program again and again.
 */
struct libpcap_block {
	struct libpcap_block *earlier;
	struct libpcap_block *later;
	size_t used;
	size_t size;
	_Alignas(ALIGNMENT) uint8_t bytes[];
};

/*
 * libpcap hands its allocations no context, so that the heap of a run is known
 * by its thread. With glibc in the static part of a thread's memory, since the other one
 * is made at the first use, by an allocation whose failure ends the process; musl makes it
 * when it loads a library, and has no room in the static part.
 */
#ifdef __GLIBC__
#define STATIC_PART __attribute__((tls_model("initial-exec")))
#else
#define STATIC_PART
#endif
static _Thread_local struct libpcap_heap *current STATIC_PART;

static _Noreturn void escape(enum libpcap_end end)
{
	struct libpcap_heap *heap = current;

	heap->end = end;
	longjmp(heap->escape, 1);
}

static double thread_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void limits_check(struct libpcap_heap *heap)
{
	if (heap->stop && atomic_load_explicit(heap->stop, memory_order_relaxed))
		escape(LIBPCAP_STOPPED);
	if (heap->words++ % WORDS_BETWEEN == 0 && thread_seconds() - heap->begun > heap->seconds)
		escape(LIBPCAP_TOO_LONG);
}

enum libpcap_end libpcap_heap_run(struct libpcap_heap *heap, void (*run)(void *context),
				  void *context)
{
	struct libpcap_heap *const outer = current;

	heap->begun = thread_seconds();
	heap->end = LIBPCAP_DONE;
	current = heap;
	if (setjmp(heap->escape) == 0)
		run(context);
	current = outer;
	return heap->end;
}

static struct libpcap_block *block_new(struct libpcap_heap *heap, size_t size)
{
	struct libpcap_block *block;

	limits_check(heap);
	if (size > heap->bytes || heap->taken > heap->bytes - size)
		escape(LIBPCAP_TOO_LARGE);
	block = malloc(sizeof(*block) + size);
	if (!block)
		escape(LIBPCAP_NO_MEMORY);
	*block = (struct libpcap_block){.earlier = heap->blocks, .size = size};
	if (heap->blocks)
		heap->blocks->later = block;
	heap->blocks = block;
	heap->taken += size;
	return block;
}

static void block_free(struct libpcap_heap *heap, struct libpcap_block *block)
{
	if (block->later)
		block->later->earlier = block->earlier;
	else
		heap->blocks = block->earlier;
	if (block->earlier)
		block->earlier->later = block->later;
	if (heap->shared == block)
		heap->shared = NULL;
	heap->taken -= block->size;
	free(block);
}

void libpcap_heap_free(struct libpcap_heap *heap)
{
	struct libpcap_block *block = heap->blocks;

	while (block) {
		struct libpcap_block *earlier = block->earlier;

		free(block);
		block = earlier;
	}
	heap->blocks = NULL;
	heap->shared = NULL;
	heap->taken = 0;
	memset(heap->unused, 0, sizeof(heap->unused));
}

/* The names below are those that libpcap_copy.sh gives to what libpcap calls. */
void *libpcap_heap_malloc(size_t size);
void *libpcap_heap_calloc(size_t count, size_t size);
void *libpcap_heap_realloc(void *earlier, size_t size);
void libpcap_heap_drop(void *bytes);
char *libpcap_heap_strdup(const char *text);
int libpcap_heap_word(void *value, void *scanner);
_Noreturn void libpcap_heap_exit(int code);
_Noreturn void libpcap_heap_abort(void);
_Noreturn void libpcap_heap_absent(void);

static bool is_large(size_t size)
{
	return size > LIBPCAP_SMALL_MAX;
}

/* Small allocations of one class take the same room. */
static size_t size_class(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT;
}

void *libpcap_heap_malloc(size_t size)
{
	struct libpcap_heap *heap = current;
	struct libpcap_block *block = heap->shared;
	uint8_t *bytes;
	size_t needed;

	if (size > heap->bytes)
		escape(LIBPCAP_TOO_LARGE);
	needed = ALIGNMENT + (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!is_large(size) && heap->unused[size_class(size)]) {
		bytes = heap->unused[size_class(size)];
		memcpy(&heap->unused[size_class(size)], bytes, sizeof(void *));
		memcpy(bytes - sizeof(size), &size, sizeof(size));
		return bytes;
	}
	if (is_large(size)) {
		block = block_new(heap, needed);
	} else if (!block || block->size - block->used < needed) {
		block = block_new(heap, BLOCK_BYTES);
		heap->shared = block;
	}
	bytes = block->bytes + block->used + ALIGNMENT;
	memcpy(bytes - sizeof(size), &size, sizeof(size));
	block->used += needed;
	return bytes;
}

void *libpcap_heap_calloc(size_t count, size_t size)
{
	void *bytes;

	if (size && count > SIZE_MAX / size)
		escape(LIBPCAP_TOO_LARGE);
	bytes = libpcap_heap_malloc(count * size);
	memset(bytes, 0, count * size);
	return bytes;
}

void *libpcap_heap_realloc(void *earlier, size_t size)
{
	void *bytes = libpcap_heap_malloc(size);
	size_t held;

	if (!earlier)
		return bytes;
	memcpy(&held, (uint8_t *)earlier - sizeof(held), sizeof(held));
	memcpy(bytes, earlier, held < size ? held : size);
	libpcap_heap_drop(earlier);
	return bytes;
}

void libpcap_heap_drop(void *bytes)
{
	size_t size;

	if (!bytes)
		return;
	memcpy(&size, (uint8_t *)bytes - sizeof(size), sizeof(size));
	if (is_large(size)) {
		block_free(current,
			   (struct libpcap_block *)((uint8_t *)bytes - ALIGNMENT -
						    offsetof(struct libpcap_block, bytes)));
		return;
	}
	/* One without bytes has no room to be remembered in. */
	if (size == 0)
		return;
	memcpy(bytes, &current->unused[size_class(size)], sizeof(void *));
	current->unused[size_class(size)] = bytes;
}

char *libpcap_heap_strdup(const char *text)
{
	const size_t size = strlen(text) + 1;

	return memcpy(libpcap_heap_malloc(size), text, size);
}

int libpcap_heap_word(void *value, void *scanner)
{
	limits_check(current);
	return copied_pcap_lex(value, scanner);
}

_Noreturn void libpcap_heap_exit(int code)
{
	(void)code;
	escape(LIBPCAP_GAVE_UP);
}

_Noreturn void libpcap_heap_abort(void)
{
	escape(LIBPCAP_GAVE_UP);
}

_Noreturn void libpcap_heap_absent(void)
{
	escape(LIBPCAP_GAVE_UP);
}

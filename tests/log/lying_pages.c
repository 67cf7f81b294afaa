/*
 * A file that reads differently in long reads than in short ones: SQLite reads a page at a time,
 * and the page reader several. With it a difference can be seen, which no sound machine has.
 * LIAR_FROM and LIAR_TO are bytes of the same number: the one becomes the other.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static ssize_t lie(void *bytes, ssize_t got)
{
	const char *from = getenv("LIAR_FROM");
	const char *to = getenv("LIAR_TO");
	char *found = bytes;

	if (!from || !to || got <= 4096)
		return got;
	while ((found = memmem(found, (size_t)((char *)bytes + got - found), from, strlen(from))))
		memcpy(found, to, strlen(to));
	return got;
}

ssize_t pread64(int file, void *bytes, size_t size, off64_t at)
{
	static ssize_t (*real)(int, void *, size_t, off64_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pread64");
	return lie(bytes, real(file, bytes, size, at));
}

ssize_t pread(int file, void *bytes, size_t size, off_t at)
{
	return pread64(file, bytes, size, at);
}

/*
 * A preloaded library by which the nth call of a kind fails, in whatever
 * program it is loaded into:
 *   FAULT_KIND   memory, open, read, write, sync, cut, remove, look or thread
 *   FAULT_AT     n, from 1; 0 counts only
 *   FAULT_ON     1: all later calls fail too
 *   FAULT_COUNT  a file that is told how many calls there were, at the end
 * Calls are those of the whole process, its libraries' among them. A child is
 * not counted.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { NONE, MEMORY, OPEN, READ, WRITE, SYNC, CUT, REMOVE, LOOK, THREAD };

static enum kind kind;
static bool stays_on;
static long fails_at;
static const char *count_path;
static pid_t process;
static atomic_long calls;

/* glibc's own, which need not be looked up by what they are to replace. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *bytes, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

__attribute__((constructor)) static void begin(void)
{
	static const char *const names[] = {"",	    "memory", "open",	"read", "write",
					    "sync", "cut",    "remove", "look", "thread"};
	const char *wanted = getenv("FAULT_KIND");
	const char *at = getenv("FAULT_AT");

	stays_on = getenv("FAULT_ON") != NULL;
	fails_at = at ? strtol(at, NULL, 10) : 0;
	count_path = getenv("FAULT_COUNT");
	process = getpid();
	for (int i = 1; wanted && i <= THREAD; i++)
		if (strcmp(names[i], wanted) == 0)
			kind = (enum kind)i;
}

__attribute__((destructor)) static void end(void)
{
	const enum kind counted = kind;
	FILE *file;

	kind = NONE;
	if (counted == NONE || !count_path || getpid() != process)
		return;
	file = fopen(count_path, "we");
	if (file) {
		fprintf(file, "%ld\n", atomic_load(&calls));
		fclose(file);
	}
}

/* Counts a call; true where it is to fail, with errno set. */
static bool fails(enum kind called, int error)
{
	long call;

	if (called != kind)
		return false;
	call = atomic_fetch_add(&calls, 1) + 1;
	if (fails_at == 0 || (stays_on ? call < fails_at : call != fails_at))
		return false;
	errno = error;
	return true;
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))
#define PUBLIC __attribute__((visibility("default")))

PUBLIC void *malloc(size_t size)
{
	return fails(MEMORY, ENOMEM) ? NULL : __libc_malloc(size);
}

PUBLIC void *calloc(size_t count, size_t size)
{
	return fails(MEMORY, ENOMEM) ? NULL : __libc_calloc(count, size);
}

PUBLIC void *realloc(void *bytes, size_t size)
{
	return fails(MEMORY, ENOMEM) ? NULL : __libc_realloc(bytes, size);
}

PUBLIC int posix_memalign(void **bytes, size_t alignment, size_t size)
{
	if (fails(MEMORY, ENOMEM))
		return ENOMEM;
	*bytes = __libc_memalign(alignment, size);
	return *bytes ? 0 : ENOMEM;
}

static int open_by(const char *name, const char *path, int flags, mode_t mode)
{
	int (*next)(const char *, int, ...) =
		(int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);

	return fails(OPEN, EMFILE) ? -1 : next(path, flags, mode);
}

#define OPENS(name)                                                                                \
	PUBLIC int name(const char *path, int flags, ...)                                          \
	{                                                                                          \
		va_list arguments;                                                                 \
		mode_t mode;                                                                       \
                                                                                                   \
		va_start(arguments, flags);                                                        \
		mode = va_arg(arguments, mode_t);                                                  \
		va_end(arguments);                                                                 \
		return open_by(#name, path, flags, mode);                                          \
	}
OPENS(open)
OPENS(open64)

/* A write that fails has written the half, as on a disk that is full. */
#define POSITIONED(name, place)                                                                    \
	PUBLIC ssize_t name(int file, void *bytes, size_t size, place at)                          \
	{                                                                                          \
		return fails(READ, EIO) ? -1 : NEXT(name)(file, bytes, size, at);                  \
	}
POSITIONED(pread, off_t)
POSITIONED(pread64, off64_t)

#define WRITES(name, place)                                                                        \
	PUBLIC ssize_t name(int file, const void *bytes, size_t size, place at)                    \
	{                                                                                          \
		if (!fails(WRITE, ENOSPC))                                                         \
			return NEXT(name)(file, bytes, size, at);                                  \
		NEXT(name)(file, bytes, size / 2, at);                                             \
		errno = ENOSPC;                                                                    \
		return -1;                                                                         \
	}
WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)

PUBLIC ssize_t write(int file, const void *bytes, size_t size)
{
	return file > STDERR_FILENO && fails(WRITE, ENOSPC) ? -1 : NEXT(write)(file, bytes, size);
}

#define OF_FILE(name, kind_, error)                                                                \
	PUBLIC int name(int file)                                                                  \
	{                                                                                          \
		return fails(kind_, error) ? -1 : NEXT(name)(file);                                \
	}
OF_FILE(fsync, SYNC, EIO)
OF_FILE(fdatasync, SYNC, EIO)

PUBLIC int ftruncate(int file, off_t size)
{
	return fails(CUT, EIO) ? -1 : NEXT(ftruncate)(file, size);
}

PUBLIC int ftruncate64(int file, off64_t size)
{
	return fails(CUT, EIO) ? -1 : NEXT(ftruncate64)(file, size);
}

PUBLIC int unlink(const char *path)
{
	return fails(REMOVE, EACCES) ? -1 : NEXT(unlink)(path);
}

PUBLIC int rename(const char *from, const char *to)
{
	return fails(REMOVE, EACCES) ? -1 : NEXT(rename)(from, to);
}

PUBLIC int mkdir(const char *path, mode_t mode)
{
	return fails(REMOVE, EACCES) ? -1 : NEXT(mkdir)(path, mode);
}

PUBLIC int rmdir(const char *path)
{
	return fails(REMOVE, EACCES) ? -1 : NEXT(rmdir)(path);
}

#define LOOKS(name, what, of)                                                                      \
	PUBLIC int name(what file, struct of *found)                                               \
	{                                                                                          \
		return fails(LOOK, EACCES) ? -1 : NEXT(name)(file, found);                         \
	}
LOOKS(stat, const char *, stat)
LOOKS(fstat, int, stat)
LOOKS(lstat, const char *, stat)
LOOKS(stat64, const char *, stat64)
LOOKS(fstat64, int, stat64)

PUBLIC int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *context)
{
	return fails(THREAD, EAGAIN) ? EAGAIN
				     : NEXT(pthread_create)(thread, attributes, run, context);
}

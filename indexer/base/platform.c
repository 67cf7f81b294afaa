#include "platform.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__linux__) && !defined(CONNBITS_PORTABLE)

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>

bool platform_program_path(char *path, size_t size)
{
	const ssize_t length = readlink("/proc/self/exe", path, size - 1);

	path[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* The path by which a file without a name can be given one (open(2), O_TMPFILE). */
static void descriptor_path(int descriptor, char path[static 64])
{
	snprintf(path, 64, "/proc/self/fd/%d", descriptor);
}

int platform_nameless_open(const char *folder)
{
	const int descriptor = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	char path[64];

	if (descriptor < 0)
		return -1;
	descriptor_path(descriptor, path);
	if (access(path, F_OK) == 0)
		return descriptor;
	close(descriptor);
	return -1;
}

bool platform_file_name(int descriptor, const char *path)
{
	char from[64];

	descriptor_path(descriptor, from);
	return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

uint64_t platform_address_space(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (file && fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool platform_end_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

void platform_descriptors_close(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, UINT_MAX, 0) == 0)
		return;
#endif
	for (long i = first; i < sysconf(_SC_OPEN_MAX); i++)
		close((int)i);
}

size_t platform_cores(void)
{
	cpu_set_t cores;

	return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? (size_t)CPU_COUNT(&cores) : 1;
}

bool platform_elsewhere(pthread_attr_t *attributes)
{
	const int here = sched_getcpu();
	cpu_set_t cores;

	if (here < 0 || sched_getaffinity(0, sizeof(cores), &cores) != 0)
		return false;
	CPU_CLR((size_t)here, &cores);
	return CPU_COUNT(&cores) > 0 &&
	       pthread_attr_setaffinity_np(attributes, sizeof(cores), &cores) == 0;
}

bool platform_random(void *bytes, size_t size)
{
	return getrandom(bytes, size, GRND_NONBLOCK) == (ssize_t)size;
}

#else

bool platform_program_path(char *path, size_t size)
{
	if (size > 0)
		*path = '\0';
	return false;
}

int platform_nameless_open(const char *folder)
{
	(void)folder;
	return -1;
}

bool platform_file_name(int descriptor, const char *path)
{
	(void)descriptor;
	(void)path;
	return false;
}

uint64_t platform_address_space(void)
{
	return 0;
}

bool platform_end_with(pid_t parent)
{
	return getppid() == parent;
}

void platform_descriptors_close(int first)
{
	for (long i = first; i < sysconf(_SC_OPEN_MAX); i++)
		close((int)i);
}

size_t platform_cores(void)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 0 ? (size_t)cores : 1;
}

bool platform_elsewhere(pthread_attr_t *attributes)
{
	(void)attributes;
	return false;
}

bool platform_random(void *bytes, size_t size)
{
	const int descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	const bool read_all = descriptor >= 0 && read(descriptor, bytes, size) == (ssize_t)size;

	if (descriptor >= 0)
		close(descriptor);
	return read_all;
}

#endif

#ifdef __APPLE__
struct timespec platform_written(const struct stat *file)
{
	return file->st_mtimespec;
}

struct timespec platform_changed(const struct stat *file)
{
	return file->st_ctimespec;
}
#else
struct timespec platform_written(const struct stat *file)
{
	return file->st_mtim;
}

struct timespec platform_changed(const struct stat *file)
{
	return file->st_ctim;
}
#endif

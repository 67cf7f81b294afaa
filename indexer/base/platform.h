/*
 * What differs between systems, in one place. Linux is what is built for and tested; elsewhere, and
 * with CONNBITS_PORTABLE, each of these does what POSIX.1-2008 has, or says that it cannot. A port
 * to another system begins here and ends with what data/package/PORTING.md names.
 */
#ifndef CONNBITS_BASE_PLATFORM_H
#define CONNBITS_BASE_PLATFORM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* The path of the running program; false where nobody tells. */
bool platform_program_path(char *path, size_t size);

/*
 * Opens a file without a name in a folder, for writing; -1 where there are none, or where
 * platform_file_name could not name it later. Made by platform_file_name, it is there at once and
 * whole.
 */
int platform_nameless_open(const char *folder);
bool platform_file_name(int descriptor, const char *path);

/* The address space that this process has, in bytes; 0 where nobody tells. */
uint64_t platform_address_space(void);

/* Ends this process when `parent` ends, as far as the system can; false where it has ended already.
 */
bool platform_end_with(pid_t parent);

/* Closes every descriptor from `first` on. */
void platform_descriptors_close(int first);

/* The cores that this thread may use; 1 at least. */
size_t platform_cores(void);

/* Lets a thread run on the other cores than the one that this thread is on; false where that is not
 * to be had. */
bool platform_elsewhere(pthread_attr_t *attributes);

/* Some bytes that others cannot guess; false where there are none yet. */
bool platform_random(void *bytes, size_t size);

/* When a file was written to, and when anything about it was changed. */
struct timespec platform_written(const struct stat *file);
struct timespec platform_changed(const struct stat *file);

#endif

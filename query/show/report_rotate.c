#include "report_rotate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database/database_open.h"

enum { NAME_SIZE = 4096 };

static enum status name_make(const char *path, uint64_t number, char name[static NAME_SIZE],
			     struct message *message)
{
	const int length = snprintf(name, NAME_SIZE, "%s.%" PRIu64, path, number);

	if (length > 0 && length < NAME_SIZE)
		return STATUS_OK;
	return message_set(message, STATUS_FAILED, "%.200s...: the name is too long to be kept",
			   path);
}

static enum status failed(const char *name, struct message *message)
{
	return message_set(message, STATUS_FAILED, "%s: %s", name, strerror(errno));
}

/* Moves FILE.1 to FILE.N on, the last one first. */
static enum status kept_move(const char *path, uint64_t keep, struct message *message)
{
	char from[NAME_SIZE];
	char to[NAME_SIZE];
	enum status status = STATUS_OK;

	for (uint64_t number = keep; status == STATUS_OK && number > 1; number--) {
		status = name_make(path, number, to, message);
		if (status == STATUS_OK)
			status = name_make(path, number - 1, from, message);
		if (status == STATUS_OK && rename(from, to) != 0 && errno != ENOENT)
			status = failed(to, message);
	}
	return status;
}

static enum status names_check(const char *path, uint64_t keep, const char *log_path,
			       const char *index_path, struct message *message)
{
	char name[NAME_SIZE];
	enum status status = STATUS_OK;

	for (uint64_t number = 1; status == STATUS_OK && number <= keep; number++) {
		status = name_make(path, number, name, message);
		if (status == STATUS_OK &&
		    (database_same_file(name, log_path) || database_same_file(name, index_path)))
			status = message_set(message, STATUS_USAGE,
					     "--keep: %.1000s would be moved, and is the log or "
					     "the index",
					     name);
	}
	return status;
}

/* Two names for the file at hand, or where the file system has no such thing, only the new one. */
static bool file_keep(const char *path, const char *to)
{
	if (unlink(to) != 0 && errno != ENOENT)
		return false;
	return link(path, to) == 0 || (errno != EEXIST && rename(path, to) == 0);
}

static enum status file_rotate(const char *path, uint64_t keep, const char *log_path,
			       const char *index_path, struct message *message)
{
	char to[NAME_SIZE];
	struct stat file;
	struct stat last;
	enum status status = names_check(path, keep, log_path, index_path, message);

	if (status == STATUS_OK)
		status = name_make(path, 1, to, message);
	/* A pipe or a device has no earlier ones. */
	if (status != STATUS_OK || stat(path, &file) != 0 || !S_ISREG(file.st_mode))
		return status;
	/* A run that failed behind this has kept it already. */
	if (stat(to, &last) == 0 && last.st_dev == file.st_dev && last.st_ino == file.st_ino)
		return STATUS_OK;
	status = kept_move(path, keep, message);
	return status != STATUS_OK || file_keep(path, to) ? status : failed(to, message);
}

enum status report_rotate(const char *path, uint64_t keep, const char *log_path,
			  const char *index_path, struct message *message)
{
	char *target = keep ? realpath(path, NULL) : NULL;
	enum status status =
		target ? file_rotate(target, keep, log_path, index_path, message) : STATUS_OK;

	free(target);
	return status;
}

#include "report_rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

enum status report_rotate(const char *path, uint64_t keep, struct message *message)
{
	char from[NAME_SIZE];
	char to[NAME_SIZE];
	struct stat file;
	enum status status = STATUS_OK;

	/* A pipe or a device has no earlier ones. */
	if (keep == 0 || stat(path, &file) != 0 || !S_ISREG(file.st_mode))
		return STATUS_OK;
	for (uint64_t number = keep; status == STATUS_OK && number > 1; number--) {
		status = name_make(path, number, to, message);
		if (status == STATUS_OK)
			status = name_make(path, number - 1, from, message);
		if (status == STATUS_OK && rename(from, to) != 0 && errno != ENOENT)
			status = failed(from, message);
	}
	if (status == STATUS_OK)
		status = name_make(path, 1, to, message);
	if (status != STATUS_OK)
		return status;
	if (unlink(to) != 0 && errno != ENOENT)
		return failed(to, message);
	return linkat(AT_FDCWD, path, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0 ? STATUS_OK
									    : failed(to, message);
}

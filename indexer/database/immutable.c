#include "immutable.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/platform.h"

enum {
	/* Of the database header (www.sqlite.org/fileformat.html). */
	HEADER_BYTES = 100,
	HEADER_READ_VERSION = 19, /* 2 in WAL mode */
	HEADER_CHANGE_COUNTER = 24,
	WAL_MODE = 2,
	MARK_BYTES = 128,
};

/* False where the file cannot be read, or is not in WAL mode. */
static bool mark_take(const char *path, char mark[static MARK_BYTES])
{
	uint8_t header[HEADER_BYTES];
	const uint8_t *counter = header + HEADER_CHANGE_COUNTER;
	struct stat file;
	const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	bool taken;

	if (descriptor < 0)
		return false;
	taken = fstat(descriptor, &file) == 0 &&
		pread(descriptor, header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
		header[HEADER_READ_VERSION] == WAL_MODE;
	close(descriptor);
	if (taken)
		snprintf(mark, MARK_BYTES,
			 "%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%lx.%" PRIx64
			 ".%lx.%02x%02x%02x%02x",
			 (uint64_t)file.st_dev, (uint64_t)file.st_ino, (uint64_t)file.st_size,
			 (uint64_t)platform_written(&file).tv_sec,
			 (unsigned long)platform_written(&file).tv_nsec,
			 (uint64_t)platform_changed(&file).tv_sec,
			 (unsigned long)platform_changed(&file).tv_nsec, counter[0], counter[1],
			 counter[2], counter[3]);
	return taken;
}

/* Whether there is none; one that is empty may be a writer's who has just begun. */
static bool has_no_wal(const char *path)
{
	/* SQLite looks beside the file itself, wherever a link to it lies. */
	char *real = realpath(path, NULL);
	char *name = real ? sqlite3_mprintf("%s-wal", real) : NULL;
	struct stat file;
	const bool none = name && lstat(name, &file) != 0;

	sqlite3_free(name);
	free(real);
	return none;
}

char *immutable_name(const char *path)
{
	char mark[MARK_BYTES];
	sqlite3_str *name;

	if (!has_no_wal(path) || !mark_take(path, mark))
		return NULL;
	name = sqlite3_str_new(NULL);
	/* An empty authority, so that two slashes in front are no host's name. */
	sqlite3_str_appendall(name, *path == '/' ? "file://" : "file:./");
	for (; *path; path++)
		sqlite3_str_appendf(name, *path == '/' ? "/" : "%%%02x",
				    (unsigned)(unsigned char)*path);
	sqlite3_str_appendf(name, "?immutable=1&mark=%s", mark);
	return sqlite3_str_finish(name);
}

bool immutable_is_in_use(const char *path)
{
	char mark[MARK_BYTES];

	return mark_take(path, mark) && !has_no_wal(path);
}

const char *immutable_mark(sqlite3 *database, const char *database_name)
{
	const char *name = sqlite3_db_filename(database, database_name);

	return name ? sqlite3_uri_parameter(name, "mark") : NULL;
}

enum status immutable_check(sqlite3 *database, struct message *message)
{
	const char *name;

	for (int i = 0; (name = sqlite3_db_name(database, i)); i++) {
		const char *mark = immutable_mark(database, name);
		const char *path = sqlite3_db_filename(database, name);
		char now[MARK_BYTES];

		if (mark && (!mark_take(path, now) || strcmp(mark, now) != 0))
			return message_set(
				message, STATUS_FAILED,
				"%s: was changed while it was read; in WAL mode and a "
				"folder that cannot be written it is read without locks; "
				"run again",
				path);
	}
	return STATUS_OK;
}

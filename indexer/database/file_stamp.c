#include "file_stamp.h"

#include <string.h>
#include <sys/stat.h>

#include "base/little_endian.h"
#include "base/platform.h"
#include "database.h"
#include "database_open.h"

/* Of the file's head: from the versions that write and read it, to its count of changes. */
enum { HEAD_AT = 16, HEAD_SIZE = 12, HEAD_VERSIONS = 2, HEAD_CHANGES = 8, ROLLBACK_JOURNAL = 1 };

bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->size == FILE_STAMP_SIZE && b->size == FILE_STAMP_SIZE &&
	       memcmp(a->bytes, b->bytes, FILE_STAMP_SIZE) == 0;
}

/* Whoever takes no locks may have pages in its cache that the file no longer has. */
static bool is_unlocked(const char *path)
{
	return sqlite3_uri_boolean(path, "immutable", 0) || sqlite3_uri_boolean(path, "nolock", 0);
}

static bool head_read(sqlite3 *database, const char *database_name, uint8_t head[HEAD_SIZE])
{
	sqlite3_file *file = NULL;

	return sqlite3_file_control(database, database_name, SQLITE_FCNTL_FILE_POINTER, &file) ==
		       SQLITE_OK &&
	       file && file->pMethods &&
	       file->pMethods->xRead(file, head, HEAD_SIZE, HEAD_AT) == SQLITE_OK &&
	       head[HEAD_VERSIONS] == ROLLBACK_JOURNAL &&
	       head[HEAD_VERSIONS + 1] == ROLLBACK_JOURNAL;
}

void file_stamp_take(sqlite3 *database, const char *database_name, struct file_stamp *stamp)
{
	const char *path = sqlite3_db_filename(database, database_name);
	uint8_t head[HEAD_SIZE];
	struct stat file;

	*stamp = (struct file_stamp){.size = 0};
	if (!database_can_open_beside(database, database_name) ||
	    database_reads_uncommitted(database) || is_unlocked(path) || stat(path, &file) != 0 ||
	    !head_read(database, database_name, head))
		return;
	write_little_endian_64(stamp->bytes, (uint64_t)file.st_dev);
	write_little_endian_64(stamp->bytes + 8, (uint64_t)file.st_ino);
	write_little_endian_64(stamp->bytes + 16, (uint64_t)file.st_size);
	write_little_endian_64(stamp->bytes + 24, (uint64_t)platform_changed(&file).tv_sec);
	write_little_endian_64(stamp->bytes + 32, (uint64_t)platform_changed(&file).tv_nsec);
	write_little_endian_32(stamp->bytes + 40, 0);
	memcpy(stamp->bytes + 44, head + HEAD_CHANGES, 4);
	stamp->size = FILE_STAMP_SIZE;
}

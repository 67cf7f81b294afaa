#include "page_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/big_endian.h"
#include "base/platform.h"

enum {
	/* The file's header: fields of section 1.3 of the file format, by their offsets. */
	HEAD_SIZE = 100,
	HEAD_PAGE_SIZE = 16,
	HEAD_READ_VERSION = 19,
	HEAD_RESERVED = 20,
	HEAD_FRACTIONS = 21,
	HEAD_CHANGES = 24,
	HEAD_PAGES = 28,
	HEAD_COOKIE = 40,
	HEAD_FORMAT = 44,
	HEAD_LARGEST_ROOT = 52, /* not 0: with auto-vacuum */
	HEAD_ENCODING = 56,
	HEAD_VALID_FOR = 92,
	ENCODING_UTF8 = 1,
	FORMAT_MAX = 4,
	USABLE_MIN = 480,
	/* The wal-index: section 2.1 of its format. Its numbers are in the machine's byte order. */
	WAL_REGION = 32768,
	WAL_VERSION_AT = 0,
	WAL_VERSION = 3007000,
	WAL_IS_INIT = 12,
	WAL_MX_FRAME = 16,
	WAL_BACKFILL = 96,
};

struct page_file {
	sqlite3 *database;
	sqlite3_stmt *journal_mode;
	sqlite3_stmt *schema_version;
	const char *path;
	sqlite3_file *file;
	struct page_geometry geometry;
	uint8_t head[HEAD_SIZE];
	bool cookie_known; /* SQLite reads the same one as we do: */
	uint32_t cookie;
	struct stat before;
};

static bool no(const char **why, const char *reason)
{
	*why = reason;
	return false;
}

/* SQLite's own file, with nothing between that might change what is read. */
static const char *vfs_bars(sqlite3 *database)
{
	const char *path = sqlite3_db_filename(database, "main");
	sqlite3_vfs *vfs = NULL;

	if (!path || !*path)
		return "the log has no file";
	if (sqlite3_uri_boolean(path, "immutable", 0) || sqlite3_uri_boolean(path, "nolock", 0))
		return "the log is read without locks";
	if (sqlite3_file_control(database, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK ||
	    !vfs || vfs != sqlite3_vfs_find("unix") || strcmp(vfs->zName, "unix") != 0)
		return "the log's file is not of SQLite's own kind (vfs)";
	return NULL;
}

struct page_file *page_file_new(sqlite3 *database, const char **why)
{
	struct page_file *file = calloc(1, sizeof(*file));

	*why = NULL;
	if (!file)
		return NULL;
	file->database = database;
	file->path = sqlite3_db_filename(database, "main");
	*why = vfs_bars(database);
	if (!*why && (sqlite3_prepare_v2(database, "PRAGMA main.journal_mode", -1,
					 &file->journal_mode, NULL) != SQLITE_OK ||
		      sqlite3_prepare_v2(database, "PRAGMA main.schema_version", -1,
					 &file->schema_version, NULL) != SQLITE_OK))
		*why = "SQLite does not tell of the log's journal";
	return file;
}

/* What a number of the wal-index is now. */
static uint32_t wal_number(const volatile uint8_t *index, size_t at)
{
	return __atomic_load_n((const volatile uint32_t *)(const volatile void *)(index + at),
			       __ATOMIC_SEQ_CST);
}

/* Whether every frame of the write-ahead log that can be seen lies in the file. */
static bool wal_is_in_file(const struct page_file *file, const char **why)
{
	const sqlite3_io_methods *methods = file->file->pMethods;
	volatile void *region = NULL;
	const volatile uint8_t *index;
	uint32_t frames;

	if (methods->iVersion < 2 || !methods->xShmMap ||
	    methods->xShmMap(file->file, 0, WAL_REGION, 0, &region) != SQLITE_OK || !region)
		return no(why, "the index of the log's write-ahead log cannot be read");
	index = region;
	if (wal_number(index, WAL_VERSION_AT) != WAL_VERSION || !index[WAL_IS_INIT])
		return no(why, "the log's write-ahead log is of another version");
	frames = wal_number(index, WAL_MX_FRAME);
	if (wal_number(index, WAL_BACKFILL) < frames)
		return no(why, "a part of the log is in its write-ahead log");
	return true;
}

/* The statement's only value as text, which stays until it is reset; "" where there is none. */
static const char *value_of(sqlite3_stmt *statement)
{
	const char *text = sqlite3_step(statement) == SQLITE_ROW
				   ? (const char *)sqlite3_column_text(statement, 0)
				   : NULL;

	return text ? text : "";
}

static bool journal_allows(const struct page_file *file, const char **why)
{
	static const char *const rollback[] = {"delete", "truncate", "persist", "memory", "off"};
	const char *mode = value_of(file->journal_mode);
	const bool is_wal = strcmp(mode, "wal") == 0;
	bool allows = false;

	for (size_t i = 0; i < sizeof(rollback) / sizeof(*rollback); i++)
		allows = allows || strcmp(mode, rollback[i]) == 0;
	sqlite3_reset(file->journal_mode);
	if (is_wal)
		return wal_is_in_file(file, why);
	/* A file that says it has one, while this connection sees none, is not understood. */
	if (!allows || file->head[HEAD_READ_VERSION] != 1)
		return no(why, "the log's journal is of an unknown kind");
	return true;
}

static bool head_allows(const uint8_t head[static HEAD_SIZE], const char **why)
{
	static const uint8_t fractions[] = {64, 32, 32};

	if (memcmp(head, "SQLite format 3", 16) != 0 ||
	    memcmp(head + HEAD_FRACTIONS, fractions, sizeof(fractions)) != 0 ||
	    head[HEAD_READ_VERSION] > 2 || read_big_endian_32(head + HEAD_FORMAT) == 0 ||
	    read_big_endian_32(head + HEAD_FORMAT) > FORMAT_MAX)
		return no(why, "the log's file does not begin as SQLite's do");
	if (read_big_endian_32(head + HEAD_ENCODING) != ENCODING_UTF8)
		return no(why, "the log's text is not UTF-8");
	return true;
}

/* As lockBtree in SQLite's btree.c counts pages. */
static bool pages_count(struct page_file *file, const char **why)
{
	const uint8_t *head = file->head;
	struct page_geometry *geometry = &file->geometry;
	uint32_t size = read_big_endian_16(head + HEAD_PAGE_SIZE);
	sqlite3_int64 bytes = 0;
	int64_t pages;

	size = size == 1 ? 65536 : size;
	if (size < 512 || (size & (size - 1)) != 0 || size - head[HEAD_RESERVED] < USABLE_MIN)
		return no(why, "the log's file has pages of an unknown size");
	if (file->file->pMethods->xFileSize(file->file, &bytes) != SQLITE_OK)
		return no(why, "the size of the log's file cannot be read");
	pages = bytes / size;
	if (memcmp(head + HEAD_CHANGES, head + HEAD_VALID_FOR, 4) == 0 &&
	    read_big_endian_32(head + HEAD_PAGES) != 0) {
		if ((int64_t)read_big_endian_32(head + HEAD_PAGES) > pages)
			return no(why, "the log's file is shorter than it says");
		pages = read_big_endian_32(head + HEAD_PAGES);
	}
	if (pages > UINT32_MAX - 1)
		return no(why, "the log's file is longer than SQLite's are");
	geometry->page_size = size;
	geometry->usable = size - head[HEAD_RESERVED];
	geometry->pages = (uint32_t)pages;
	geometry->cookie = read_big_endian_32(head + HEAD_COOKIE);
	geometry->auto_vacuum = read_big_endian_32(head + HEAD_LARGEST_ROOT) != 0;
	return true;
}

/* Once for each schema: does SQLite see the number that stands in the file? */
static bool cookie_allows(struct page_file *file, const char **why)
{
	sqlite3_int64 seen = -1;

	if (file->cookie_known && file->cookie == file->geometry.cookie)
		return true;
	if (sqlite3_step(file->schema_version) == SQLITE_ROW)
		seen = sqlite3_column_int64(file->schema_version, 0);
	sqlite3_reset(file->schema_version);
	file->cookie_known = (uint32_t)seen == file->geometry.cookie;
	file->cookie = file->geometry.cookie;
	return file->cookie_known || no(why, "the log's file is not what SQLite sees of it");
}

bool page_file_begin(struct page_file *file, const char **why)
{
	file->file = NULL;
	if (sqlite3_file_control(file->database, "main", SQLITE_FCNTL_FILE_POINTER, &file->file) !=
		    SQLITE_OK ||
	    !file->file || !file->file->pMethods)
		return no(why, "SQLite does not tell of the log's file");
	if (stat(file->path, &file->before) != 0)
		return no(why, "the log's file has gone");
	if (file->file->pMethods->xRead(file->file, file->head, HEAD_SIZE, 0) != SQLITE_OK)
		return no(why, "the log's file cannot be read by page");
	return head_allows(file->head, why) && journal_allows(file, why) &&
	       pages_count(file, why) && cookie_allows(file, why);
}

const struct page_geometry *page_file_geometry(const struct page_file *file)
{
	return &file->geometry;
}

bool page_file_read(struct page_file *file, uint32_t page, uint32_t count, uint8_t *out,
		    const char **why)
{
	const struct page_geometry *geometry = &file->geometry;

	if (page < 1 || page > geometry->pages || count > geometry->pages - page + 1)
		return no(why, "a page of the log lies outside its file");
	if (file->file->pMethods->xRead(file->file, out, (int)(count * geometry->page_size),
					(sqlite3_int64)(page - 1) * geometry->page_size) !=
	    SQLITE_OK)
		return no(why, "the log's file cannot be read by page");
	return true;
}

bool page_file_end(struct page_file *file, const char **why)
{
	uint8_t head[HEAD_SIZE];
	struct stat after;

	if (stat(file->path, &after) != 0 ||
	    file->file->pMethods->xRead(file->file, head, HEAD_SIZE, 0) != SQLITE_OK ||
	    memcmp(head, file->head, HEAD_SIZE) != 0 || after.st_size != file->before.st_size ||
	    platform_written(&after).tv_sec != platform_written(&file->before).tv_sec ||
	    platform_written(&after).tv_nsec != platform_written(&file->before).tv_nsec)
		return no(why, "the log was written to under a lock that forbids it");
	return true;
}

void page_file_free(struct page_file *file)
{
	if (!file)
		return;
	sqlite3_finalize(file->journal_mode);
	sqlite3_finalize(file->schema_version);
	free(file);
}

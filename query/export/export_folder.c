#include "export_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAGING ".staging"
#define READY ".ready"
#define LOCK ".lock"

static enum status failed(const struct export_folder *folder, const char *name,
			  struct message *message)
{
	return message_set(message, STATUS_FAILED, "%.700s%s%.200s: %s", folder->path,
			   *name ? "/" : "", name, strerror(errno));
}

/* NULL without memory. */
static char *path_in(const struct export_folder *folder, const char *inner, const char *name)
{
	char *path;

	if (asprintf(&path, "%s%s%s/%s", folder->path, *inner ? "/" : "", inner, name) < 0)
		return NULL;
	return path;
}

/* A name of a folder is on the disk only once the folder is. */
static enum status folder_sync(const struct export_folder *folder, const char *inner,
			       struct message *message)
{
	char *path = path_in(folder, inner, ".");
	const int descriptor = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool synced;

	free(path);
	if (!path)
		return message_out_of_memory(message);
	if (descriptor < 0)
		return failed(folder, inner, message);
	/* Some file systems of networks have no such call for folders. */
	synced = fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP;
	close(descriptor);
	return synced ? STATUS_OK : failed(folder, inner, message);
}

static int is_file(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

static int byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A link would lead elsewhere. */
static enum status inner_check(const struct export_folder *folder, const char *inner,
			       const char *path, struct message *message)
{
	struct stat found;

	if (lstat(path, &found) != 0)
		return errno == ENOENT ? STATUS_OK : failed(folder, inner, message);
	if (S_ISDIR(found.st_mode))
		return STATUS_OK;
	return message_set(message, STATUS_FAILED,
			   "%.700s/%s is no folder, as an export makes it; remove it", folder->path,
			   inner);
}

/* The files in an inner folder, the manifest behind all numbers. *count is -1 where it is not
 * there. */
static enum status files_list(const struct export_folder *folder, const char *inner,
			      struct dirent ***entries, int *count, struct message *message)
{
	char *path = path_in(folder, "", inner);
	enum status status =
		path ? inner_check(folder, inner, path, message) : message_out_of_memory(message);

	*entries = NULL;
	*count = -1;
	if (status == STATUS_OK)
		*count = scandir(path, entries, is_file, byte_order);
	if (status == STATUS_OK && *count < 0 && errno != ENOENT)
		status = failed(folder, inner, message);
	free(path);
	return status;
}

static void files_free(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

/* Removes an inner folder with its files; whether it is there or not. */
static enum status inner_remove(const struct export_folder *folder, const char *inner,
				struct message *message)
{
	struct dirent **entries;
	int count;
	char *path = path_in(folder, "", inner);
	enum status status = path ? files_list(folder, inner, &entries, &count, message)
				  : message_out_of_memory(message);

	if (status != STATUS_OK) {
		free(path);
		return status;
	}
	for (int i = 0; status == STATUS_OK && i < count; i++) {
		char *file = path_in(folder, inner, entries[i]->d_name);

		if (!file)
			status = message_out_of_memory(message);
		else if (unlink(file) != 0)
			status = failed(folder, inner, message);
		free(file);
	}
	if (status == STATUS_OK && count >= 0 && rmdir(path) != 0)
		status = failed(folder, inner, message);
	files_free(entries, count);
	free(path);
	return status;
}

static enum status file_move(const struct export_folder *folder, const char *name,
			     struct message *message)
{
	char *from = path_in(folder, READY, name);
	char *to = path_in(folder, "", name);
	enum status status = STATUS_OK;

	if (!from || !to)
		status = message_out_of_memory(message);
	else if (rename(from, to) != 0)
		status = failed(folder, name, message);
	free(from);
	free(to);
	return status;
}

/* Moves what is ready to its names. */
static enum status ready_finish(const struct export_folder *folder, struct message *message)
{
	struct dirent **entries;
	int count;
	enum status status = files_list(folder, READY, &entries, &count, message);

	if (status != STATUS_OK || count < 0)
		return status;
	for (int i = 0; status == STATUS_OK && i < count; i++)
		status = file_move(folder, entries[i]->d_name, message);
	files_free(entries, count);
	if (status == STATUS_OK)
		status = folder_sync(folder, "", message);
	if (status == STATUS_OK)
		status = inner_remove(folder, READY, message);
	return status;
}

/* A lock of the process: it goes however the process ends. */
static enum status folder_lock(struct export_folder *folder, struct message *message)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char *path = path_in(folder, "", LOCK);

	if (!path)
		return message_out_of_memory(message);
	folder->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	free(path);
	if (folder->lock < 0)
		return failed(folder, LOCK, message);
	if (fcntl(folder->lock, F_SETLK, &lock) == 0)
		return STATUS_OK;
	if (errno == EACCES || errno == EAGAIN)
		return message_set(message, STATUS_FAILED,
				   "%.700s: another export is writing to it; run again once it is "
				   "through",
				   folder->path);
	return failed(folder, LOCK, message);
}

enum status export_folder_open(const char *path, struct export_folder *folder,
			       struct message *message)
{
	enum status status;

	*folder = (struct export_folder){.path = path, .lock = -1};
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return errno == ENOENT
			       ? message_set(message, STATUS_FAILED,
					     "%.700s: No such file or directory; make the folder "
					     "above it",
					     path)
			       : failed(folder, "", message);
	status = folder_lock(folder, message);
	if (status == STATUS_OK)
		status = inner_remove(folder, STAGING, message);
	if (status == STATUS_OK)
		status = ready_finish(folder, message);
	if (status != STATUS_OK)
		export_folder_close(folder);
	return status;
}

enum status export_folder_manifest(const struct export_folder *folder, struct manifest *manifest,
				   struct message *message)
{
	char *path = path_in(folder, "", EXPORT_MANIFEST);
	/* Not to wait for whoever writes to a pipe. */
	const int descriptor = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	FILE *stream = NULL;
	struct stat file;
	enum status status = STATUS_OK;

	*manifest = (struct manifest){0};
	if (!path)
		return message_out_of_memory(message);
	if (descriptor >= 0 && fstat(descriptor, &file) == 0 && !S_ISREG(file.st_mode))
		status = message_set(message, STATUS_FAILED, "%s: is no file; remove it", path);
	else if (descriptor >= 0)
		stream = fdopen(descriptor, "r");
	if (status == STATUS_OK && !stream && (descriptor >= 0 || errno != ENOENT))
		status = failed(folder, EXPORT_MANIFEST, message);
	if (stream)
		status = manifest_read(stream, path, manifest, message);
	if (stream)
		fclose(stream);
	else if (descriptor >= 0)
		close(descriptor);
	free(path);
	return status;
}

enum status export_folder_stage(struct export_folder *folder, struct message *message)
{
	char *path = path_in(folder, "", STAGING);

	if (!path)
		return message_out_of_memory(message);
	folder->is_staged = mkdir(path, 0755) == 0;
	free(path);
	return folder->is_staged ? STATUS_OK : failed(folder, STAGING, message);
}

char *export_folder_staged(const struct export_folder *folder, const char *name)
{
	return path_in(folder, STAGING, name);
}

bool export_folder_has(const struct export_folder *folder, const char *name)
{
	char *path = path_in(folder, "", name);
	struct stat file;
	const bool has = path && lstat(path, &file) == 0;

	free(path);
	return has;
}

enum status export_folder_publish(struct export_folder *folder, struct message *message)
{
	char *from = path_in(folder, "", STAGING);
	char *to = path_in(folder, "", READY);
	enum status status =
		from && to ? folder_sync(folder, STAGING, message) : message_out_of_memory(message);

	if (status == STATUS_OK && rename(from, to) != 0)
		status = failed(folder, READY, message);
	free(from);
	free(to);
	if (status != STATUS_OK)
		return status;
	folder->is_staged = false;
	status = folder_sync(folder, "", message);
	if (status == STATUS_OK)
		status = ready_finish(folder, message);
	return status;
}

void export_folder_close(struct export_folder *folder)
{
	struct message ignored;

	if (folder->is_staged)
		inner_remove(folder, STAGING, &ignored);
	if (folder->lock >= 0)
		close(folder->lock);
	*folder = (struct export_folder){.lock = -1};
}

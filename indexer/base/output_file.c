#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform.h"

static bool is_special(const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && !S_ISREG(file.st_mode);
}

/*
 * A file without a name, so that nothing is left of it however this process
 * ends; NULL where the system has no such files, or could not name it later.
 */
static FILE *nameless_open(const char *target)
{
	char *copy = strdup(target);
	const int descriptor = copy ? platform_nameless_open(dirname(copy)) : -1;
	FILE *stream;

	free(copy);
	if (descriptor < 0)
		return NULL;
	stream = fdopen(descriptor, "wb");
	if (!stream)
		close(descriptor);
	return stream;
}

static void stream_open(struct output_file *file)
{
	if (!file->partial) {
		file->stream = fopen(file->target, "wbe");
		return;
	}
	file->stream = nameless_open(file->target);
	file->nameless = file->stream != NULL;
	if (!file->nameless)
		file->stream = fopen(file->partial, "wxbe");
}

enum status output_file_open(const char *path, struct output_file *file, struct message *message)
{
	*file = (struct output_file){.target = realpath(path, NULL)};
	if (!file->target)
		file->target = strdup(path); /* a new file */
	if (!file->target)
		return message_out_of_memory(message);
	if (!is_special(file->target) &&
	    asprintf(&file->partial, "%s.partial-%d", file->target, (int)getpid()) < 0) {
		file->partial = NULL;
		output_file_abandon(file);
		return message_out_of_memory(message);
	}
	stream_open(file);
	if (!file->stream) {
		message_set(message, STATUS_FAILED, "%s: %s",
			    errno == EEXIST ? file->partial : path, strerror(errno));
		/* What is there under that name is not ours. */
		free(file->partial);
		file->partial = NULL;
		output_file_abandon(file);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

/* False where anything fails; errno says what. */
static bool file_finish(struct output_file *file)
{
	bool closed;

	if (fflush(file->stream) != 0)
		return false;
	if (ferror(file->stream)) {
		errno = EIO;
		return false;
	}
	if (file->nameless && !platform_file_name(fileno(file->stream), file->partial))
		return false;
	file->nameless = false;
	closed = fclose(file->stream) == 0;
	file->stream = NULL;
	if (!closed || (file->partial && rename(file->partial, file->target) != 0))
		return false;
	free(file->partial);
	file->partial = NULL;
	return true;
}

enum status output_file_close(struct output_file *file, struct message *message)
{
	enum status status = STATUS_OK;

	if (!file_finish(file))
		status = message_set(message, STATUS_FAILED, "%s: %s",
				     errno == EEXIST ? file->partial : file->target,
				     strerror(errno));
	output_file_abandon(file);
	return status;
}

void output_file_abandon(struct output_file *file)
{
	if (file->stream)
		fclose(file->stream);
	if (file->partial && !file->nameless)
		unlink(file->partial);
	free(file->target);
	free(file->partial);
	*file = (struct output_file){0};
}

#include "output_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_special(const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && !S_ISREG(file.st_mode);
}

enum status output_file_open(const char *path, struct output_file *file, struct message *message)
{
	*file = (struct output_file){.target = realpath(path, NULL)};
	if (!file->target)
		file->target = strdup(path); /* a new file */
	if (!file->target)
		return message_out_of_memory(message);
	if (is_special(file->target)) {
		file->stream = fopen(file->target, "wbe");
	} else {
		if (asprintf(&file->partial, "%s.partial-%d", file->target, (int)getpid()) < 0) {
			file->partial = NULL;
			output_file_abandon(file);
			return message_out_of_memory(message);
		}
		file->stream = fopen(file->partial, "wxbe");
	}
	if (!file->stream) {
		message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
		/* What is there under that name is not ours. */
		free(file->partial);
		file->partial = NULL;
		output_file_abandon(file);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

enum status output_file_close(struct output_file *file, struct message *message)
{
	const bool written = !ferror(file->stream);
	const bool closed = fclose(file->stream) == 0;

	file->stream = NULL;
	if (!written || !closed || (file->partial && rename(file->partial, file->target) != 0)) {
		message_set(message, STATUS_FAILED, "%s: %s", file->target, strerror(errno));
		output_file_abandon(file);
		return STATUS_FAILED;
	}
	free(file->partial);
	file->partial = NULL;
	output_file_abandon(file);
	return STATUS_OK;
}

void output_file_abandon(struct output_file *file)
{
	if (file->stream)
		fclose(file->stream);
	if (file->partial)
		unlink(file->partial);
	free(file->target);
	free(file->partial);
	*file = (struct output_file){0};
}

#include "catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static enum status file_read(const char *path, char **text, size_t *length, struct message *message)
{
	FILE *file = fopen(path, "rbe");
	size_t capacity = 1 << 16;
	struct stat properties;
	enum status status = STATUS_OK;

	*text = NULL;
	*length = 0;
	if (!file || fstat(fileno(file), &properties) != 0) {
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
		goto cleanup;
	}
	if (S_ISDIR(properties.st_mode)) {
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(EISDIR));
		goto cleanup;
	}
	do {
		char *longer = realloc(*text, capacity);

		if (!longer) {
			status = message_out_of_memory(message);
			goto cleanup;
		}
		*text = longer;
		*length += fread(*text + *length, 1, capacity - *length, file);
		if (*length < capacity)
			break;
		capacity *= 2;
	} while (capacity <= CATALOGUE_FILE_MAX);
	if (ferror(file))
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	else if (!feof(file))
		status = message_set(message, STATUS_FAILED, "%s: larger than %d MiB", path,
				     CATALOGUE_FILE_MAX >> 20);
cleanup:
	if (file)
		fclose(file);
	return status;
}

/* Whether a section begins in any line, or no line says anything. */
static bool may_be_catalogue(const char *text, size_t length)
{
	bool is_start = true;
	bool is_comment = false;
	bool says_something = false;

	for (size_t i = 0; i < length; i++) {
		const char character = text[i];

		if (is_start && character == '[')
			return true;
		if (character == '\n') {
			is_start = true;
			is_comment = false;
		} else if (!strchr(" \t\r\xef\xbb\xbf", character)) {
			is_comment |= is_start && strchr("#;", character);
			says_something |= !is_comment;
			is_start = false;
		}
	}
	return !says_something;
}

/* What is no catalogue would be a mistake in every line. */
static enum status text_check(const char *path, const char *text, size_t length,
			      struct message *message)
{
	static const char database[] = "SQLite format 3"; /* its zero byte belongs to it */

	if (length >= sizeof(database) && memcmp(text, database, sizeof(database)) == 0)
		return message_set(message, STATUS_USAGE,
				   "%s: is a file of SQLite, not a catalogue of filters; the log "
				   "comes first, then the catalogue",
				   path);
	if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
		return message_set(message, STATUS_USAGE,
				   "%s: is text in UTF-16; save it as UTF-8 and run again", path);
	if (length > 0 && memchr(text, '\0', length))
		return message_set(message, STATUS_USAGE,
				   "%s: is no text, and so no catalogue of filters", path);
	if (!may_be_catalogue(text, length))
		return message_set(message, STATUS_USAGE,
				   "%s: has no [filter NAME], and so is no catalogue of filters "
				   "(connbits-index LOG CATALOGUE)",
				   path);
	return STATUS_OK;
}

enum status catalogue_read(const char *path, struct catalogue *catalogue,
			   struct diagnostics *diagnostics, struct message *message)
{
	char *text;
	size_t length;
	enum status status = file_read(path, &text, &length, message);

	*catalogue = (struct catalogue){0};
	if (status == STATUS_OK)
		status = text_check(path, text, length, message);
	if (status == STATUS_OK)
		status = catalogue_parse(path, text, length, catalogue, diagnostics, message);
	free(text);
	return status;
}

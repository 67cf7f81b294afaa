#include "parser.h"

#include <string.h>

const char parser_differs_text[] =
	"begins like what was imported, and goes on otherwise: write it to a file, and import that";

enum status parser_lines(void *state, struct intake *intake, const char *bytes, size_t size,
			 bool last, size_t *used, line_taker take, struct message *message)
{
	enum status status = STATUS_OK;

	*used = 0;
	while (status == STATUS_OK && *used < size) {
		const char *line = bytes + *used;
		const char *end = memchr(line, '\n', size - *used);
		size_t length = end ? (size_t)(end - line) : size - *used;

		if (!end && !last)
			break;
		*used += length + (end != NULL);
		intake->line++;
		if (length > 0 && line[length - 1] == '\r')
			length--;
		if (length > LINE_MAX_BYTES)
			intake_fault(intake, FAULT_LONG);
		else if (length > 0)
			status = take(state, intake, line, length, message);
	}
	return status;
}

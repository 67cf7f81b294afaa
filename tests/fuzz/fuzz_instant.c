/* Any text as a time: what is read, printed as RFC 3339 and read again, is the same time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "packet/instant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct field field = {.kind = FIELD_TEXT, .length = size};
	char *text = malloc(size + 1); /* so that reading behind it is seen */
	int64_t first;
	int64_t second;
	char printed[64];
	char whole[32];
	struct tm parts;
	time_t seconds;

	if (!text)
		return 0;
	memcpy(text, data, size);
	field.text = text;
	if (!instant_read(&field, &first) || first < 0)
		goto cleanup;
	seconds = (time_t)(first / 1000000);
	if (!gmtime_r(&seconds, &parts) || parts.tm_year > 9999 - 1900)
		goto cleanup;
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &parts);
	field.length = (size_t)snprintf(printed, sizeof(printed), "%s.%06" PRId64 "Z", whole,
					first % 1000000);
	field.text = printed;
	if (!instant_read(&field, &second) || first != second)
		abort();
cleanup:
	free(text);
	return 0;
}

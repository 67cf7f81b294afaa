/*
 * Any bytes as the manifest of a folder of exports: what is read is written as a manifest that is
 * read as the same one. The first line is also an expression for a fleet, whose SQL is as long as
 * it is.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/fleet_sql.h"
#include "export/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static char *written(const struct manifest *manifest, size_t *size)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, size);

	must(stream != NULL);
	manifest_write(manifest, stream);
	must(fclose(stream) == 0);
	return text;
}

static void check_manifest(FILE *stream)
{
	struct manifest manifest;
	struct manifest again;
	struct message message;
	size_t sizes[2];
	char *texts[2];
	FILE *second;

	if (manifest_read(stream, "fuzz", &manifest, &message) != STATUS_OK)
		return;
	texts[0] = written(&manifest, &sizes[0]);
	second = fmemopen(texts[0], sizes[0], "r");
	must(second != NULL && manifest_read(second, "fuzz", &again, &message) == STATUS_OK);
	texts[1] = written(&again, &sizes[1]);
	must(sizes[0] == sizes[1] && memcmp(texts[0], texts[1], sizes[0]) == 0);
	fclose(second);
	free(texts[0]);
	free(texts[1]);
	manifest_free(&manifest);
	manifest_free(&again);
}

static void check_expression(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	char *text = strndup((const char *)data, end ? (size_t)(end - data) : size);
	struct message message;
	char *sql = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&sql, &length);

	must(text && stream);
	must((fleet_sql_write(text, stream, &message) == STATUS_OK) ==
	     (fflush(stream) == 0 && length > 0));
	fclose(stream);
	free(sql);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *stream;

	if (size == 0)
		return 0;
	check_expression(data, size);
	stream = fmemopen((void *)(uintptr_t)data, size, "r");
	must(stream != NULL);
	check_manifest(stream);
	fclose(stream);
	return 0;
}

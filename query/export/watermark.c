#include "watermark.h"

#include <inttypes.h>

#include "base/json.h"
#include "packet/connection.h"

static void member(FILE *stream, const char *name, const char *text)
{
	fprintf(stream, ", \"%s\": ", name);
	json_write_string(stream, text);
}

static void files_write(const struct watermark *watermark, FILE *stream)
{
	fputs(", \"files\": [", stream);
	for (size_t i = 0; i < watermark->file_count; i++) {
		const struct manifest_file *file = &watermark->files[i];

		fputs(i ? ", [" : "[", stream);
		json_write_string(stream, file->name);
		fprintf(stream, ", %" PRIu64 ", \"%s\"]", file->bytes, file->sha256);
	}
	putc(']', stream);
}

static void filters_write(const struct watermark *watermark, FILE *stream)
{
	const struct index_filters *filters = watermark->filters;
	bool any = false;

	fputs(", \"filters\": {", stream);
	for (size_t i = 0; i < filters->count; i++) {
		fputs(i ? ", " : "", stream);
		json_write_string(stream, filters->items[i].name);
		fprintf(stream, ": %" PRIu64, watermark->totals[i].rows);
	}
	fputs("}, \"checks\": {", stream);
	for (size_t i = 0; i < filters->count; i++) {
		fputs(i ? ", " : "", stream);
		json_write_string(stream, filters->items[i].name);
		fprintf(stream, ": %" PRIu64, watermark->totals[i].check);
	}
	fputs("}, \"digests\": {", stream);
	for (size_t i = 0; i < filters->count; i++) {
		if (!*filters->items[i].digest)
			continue;
		fputs(any ? ", " : "", stream);
		json_write_string(stream, filters->items[i].name);
		fputs(": ", stream);
		json_write_string(stream, filters->items[i].digest);
		any = true;
	}
	any = false;
	fputs("}, \"lacking\": [", stream);
	for (size_t i = 0; i < filters->count; i++) {
		if (!watermark->lacking[i])
			continue;
		fputs(any ? ", " : "", stream);
		json_write_string(stream, filters->items[i].name);
		any = true;
	}
	putc(']', stream);
}

static void source_write(const struct watermark *watermark, FILE *stream)
{
	const struct index_source *source = watermark->source;
	uint64_t skipped = 0;

	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		if (outcome_is_skipped((enum outcome)outcome))
			skipped += source->outcomes[outcome];
	/* A log without rows was never indexed. */
	if (*source->indexed_at)
		member(stream, "indexed_at", source->indexed_at);
	/* All that the log had is in, as of now or as of when it was indexed last. */
	member(stream, "through", watermark->behind ? source->indexed_at : watermark->exported_at);
	fprintf(stream,
		", \"first_row\": %" PRId64 ", \"last_row\": %" PRId64 ", \"rows\": %" PRIu64
		", \"headers\": %" PRIu64 ", \"skipped\": %" PRIu64 ", \"rows_behind\": %" PRIu64
		", \"bitmaps\": %" PRIu64,
		source->first_row, source->last_row, outcomes_total(source->outcomes),
		source->outcomes[OUTCOME_HEADER], skipped, watermark->behind, watermark->bitmaps);
	if (watermark->has_connections)
		fprintf(stream, ", \"connections\": %" PRIu64, watermark->connections);
}

void watermark_write(const struct watermark *watermark, FILE *stream)
{
	fputs("{\"sensor\": ", stream);
	json_write_string(stream, watermark->sensor);
	member(stream, "table_name", watermark->table);
	fprintf(stream,
		", \"series\": %" PRId64 ", \"generation\": %" PRId64 ", \"number\": %" PRIu64,
		watermark->series, watermark->generation, watermark->number);
	member(stream, "exported_at", watermark->exported_at);
	if (watermark->gone) {
		member(stream, "through", watermark->exported_at);
		fputs(", \"gone\": 1", stream);
	} else {
		source_write(watermark, stream);
		filters_write(watermark, stream);
	}
	files_write(watermark, stream);
	fputs("}\n", stream);
}

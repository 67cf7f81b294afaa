#include "verify_days.h"

#include <string.h>

#include "base/rowid.h"
#include "index/bitmap_reader.h"
#include "index/chunk_days.h"
#include "index/column_reader.h"
#include "index/write_batch.h"

struct recount {
	sqlite3 *index;
	const struct index_filters *filters;
	struct column_reader *columns;
	struct chunk_reader *chunks;
	struct chunk_days *days;
	struct write_batch batch;
	struct message *message;
};

/* Counts what all filters have in a chunk. */
static enum status chunk_recount(struct recount *recount, int64_t chunk)
{
	struct message *message = recount->message;
	enum status status;

	chunk_days_begin(recount->days);
	status = chunk_days_add_stored(recount->days, DAYS_MADE, recount->columns, chunk, message);
	if (status == STATUS_OK)
		status = chunk_days_ready(recount->days, message);
	for (size_t i = 0; status == STATUS_OK && i < recount->filters->count; i++) {
		const struct index_filter *filter = &recount->filters->items[i];
		struct stored_chunk stored;

		if (strcmp(filter->name, INDEX_SKIPPED) == 0)
			continue;
		status = chunk_reader_read(recount->chunks, filter->id, filter->name, chunk,
					   &stored, message);
		if (status != STATUS_OK)
			break;
		chunk_days_count(recount->days, DAYS_MADE, filter->kind, stored.containers);
		status = chunk_days_take(recount->days, filter->id, &recount->batch, message);
	}
	if (status == STATUS_OK)
		status = days_recount_add(recount->index, recount->batch.days,
					  recount->batch.day_count, message);
	recount->batch.day_count = 0;
	return status;
}

/* Counts chunk by chunk, as long as a filter has rows in them. */
static enum status chunks_recount(struct recount *recount, const struct index_source *source,
				  int64_t all)
{
	struct bitmap_reader *cursor = NULL;
	struct stored_chunk stored;
	enum status status = bitmap_reader_open(recount->index, "main", &cursor, recount->message);

	if (status == STATUS_OK)
		bitmap_reader_seek(cursor, all, chunk_of_row(source->first_row),
				   chunk_of_row(source->last_row));
	while (status == STATUS_OK) {
		status = bitmap_reader_next(cursor, &stored, recount->message);
		if (status != STATUS_OK || !stored.bytes)
			break;
		status = chunk_recount(recount, stored.chunk);
	}
	bitmap_reader_close(cursor);
	return status;
}

enum status verify_days_run(sqlite3 *index, const struct index_source *source,
			    const struct index_filters *filters, bool timed,
			    struct message *message)
{
	struct recount recount = {
		.index = index, .filters = filters, .days = chunk_days_new(), .message = message};
	int64_t all = 0;
	enum status status = days_recount_begin(index, message);

	for (size_t i = 0; i < filters->count; i++)
		if (strcmp(filters->items[i].name, INDEX_ALL) == 0)
			all = filters->items[i].id;
	if (status == STATUS_OK && !recount.days)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = column_reader_open(index, "main", source, &recount.columns, message);
	if (status == STATUS_OK)
		status = chunk_reader_open(index, &recount.chunks, message);
	if (status == STATUS_OK && source->packed && timed)
		status = chunks_recount(&recount, source, all);
	if (status == STATUS_OK)
		status = days_recount_compare(index, source->id, message);
	column_reader_close(recount.columns);
	chunk_reader_close(recount.chunks);
	chunk_days_free(recount.days);
	write_batch_free(&recount.batch);
	return status;
}

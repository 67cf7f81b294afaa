#include "export_bitmaps.h"

#include "base/rowid.h"
#include "index/bitmap_reader.h"
#include "set/group_bitmap.h"
#include "set/row_set_range.h"

const struct native_column export_bitmap_columns[EXPORT_BITMAP_COLUMNS] = {
	TABLE_EXPORT_HEAD,	     {"chunk", "Int64", false},
	{"filter", "String", false}, {"rows", "UInt64", false},
	{"digest", "UInt64", false}, {"bitmap", "AggregateFunction(groupBitmap, UInt32)", false},
};

struct bitmaps_export {
	const struct table_export *table;
	struct bitmap_reader *reader;
	const struct index_filter *filter; /* the one that is read */
	uint64_t read;			   /* rows of its bitmaps */
	struct exported_filter *total;
	struct exported_bitmaps *exported;
	struct message *message;
};

static enum status bitmap_row(const struct table_export *table, const struct manifest_item *item,
			      const uint8_t *state, size_t size, struct message *message)
{
	struct native_file *file = table->file;

	table_export_head(table);
	native_file_number(file, (uint64_t)item->place, 8);
	native_file_text(file, item->filter);
	native_file_number(file, item->rows, 8);
	native_file_number(file, manifest_item_check(item), 8);
	native_file_bytes(file, state, size);
	return native_file_row(file, message);
}

/* The rows of a chunk that the log still has, as the lower 32 bits of their ids. */
static enum status chunk_set(const struct bitmaps_export *export, const struct stored_chunk *stored,
			     struct row_set *set)
{
	const struct answer_index *index = export->table->moment->index;
	enum status status = STATUS_OK;

	*set = (struct row_set){0};
	for (size_t i = 0; status == STATUS_OK && i < CHUNK_SEGMENTS; i++)
		status = row_set_append(set, &stored->containers[i], export->message);
	if (status == STATUS_OK)
		status = row_set_drop_before(set, index->log_first, export->message);
	for (size_t i = 0; i < set->count; i++)
		set->containers[i].segment = segment_key(set->containers[i].segment);
	return status;
}

static enum status chunk_write(struct bitmaps_export *export, const struct stored_chunk *stored)
{
	struct manifest_item item = {.filter = export->filter->name, .place = stored->chunk};
	struct row_set set;
	uint8_t *state = NULL;
	size_t size;
	bool changed = false;
	enum status status = chunk_set(export, stored, &set);

	if (status != STATUS_OK || set.rows == 0)
		goto cleanup;
	status = group_bitmap_export(&set, GROUP_BITMAP_32, &state, &size, export->message);
	if (status != STATUS_OK) {
		state = NULL;
		goto cleanup;
	}
	item.rows = set.rows;
	export_digest_short(state, size, item.digest);
	status = table_export_item(export->table, &item, &changed, export->message);
	if (status == STATUS_OK && changed)
		status = bitmap_row(export->table, &item, state, size, export->message);
	if (status == STATUS_OK) {
		export->exported->changed += changed;
		export->total->rows += set.rows;
		export->total->check += manifest_item_check(&item);
	}
cleanup:
	sqlite3_free(state);
	row_set_free(&set);
	return status;
}

/* Writers of the index are let in between two chunks where that is due. */
static enum status writers_let_in(struct bitmaps_export *export, int64_t next)
{
	struct moment *moment = export->table->moment;
	enum status status;

	if (!moment_pause_due(moment))
		return STATUS_OK;
	bitmap_reader_seek(export->reader, export->filter->id, 0, -1);
	status = moment_pause(moment, export->message);
	bitmap_reader_seek(export->reader, export->filter->id, next, INT64_MAX);
	return status;
}

static enum status filter_write(struct bitmaps_export *export)
{
	const struct answer_index *index = export->table->moment->index;
	struct stored_chunk stored;
	enum status status = STATUS_OK;

	if (!manifest_name_valid(export->filter->name))
		return message_set(export->message, STATUS_FAILED,
				   "the name of filter %lld is not UTF-8, or has control "
				   "characters: it cannot be exported",
				   (long long)export->filter->id);
	bitmap_reader_seek(export->reader, export->filter->id, chunk_of_row(index->log_first),
			   INT64_MAX);
	while (status == STATUS_OK) {
		status = bitmap_reader_next(export->reader, &stored, export->message);
		if (status != STATUS_OK || !stored.bytes)
			break;
		export->read += stored.rows;
		status = chunk_write(export, &stored);
		if (status == STATUS_OK)
			status = writers_let_in(export, stored.chunk + 1);
	}
	/* Rows that the log has lost are not read. */
	if (status == STATUS_OK && index->log_first == INT64_MIN &&
	    export->read != export->filter->rows)
		status =
			message_set(export->message, STATUS_FAILED,
				    "the index is damaged: filter '%.100s' of %llu rows has "
				    "bitmaps of %llu; build it again with connbits-index --rebuild",
				    export->filter->name, (unsigned long long)export->filter->rows,
				    (unsigned long long)export->read);
	return status;
}

/* Tells of those that were there before and are not any more. */
static enum status gone_write(struct bitmaps_export *export)
{
	static const uint8_t empty[] = {0, 0};
	const struct manifest_items *before = export->table->before;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && before && i < before->count; i++) {
		struct manifest_item gone = before->items[i];

		if (!gone.filter || gone.seen)
			continue;
		gone.rows = 0;
		gone.digest[0] = '\0';
		status = bitmap_row(export->table, &gone, empty, sizeof(empty), export->message);
		export->exported->changed++;
		export->exported->gone++;
	}
	return status;
}

enum status export_bitmaps_write(const struct table_export *table,
				 const struct index_filters *filters,
				 struct exported_filter *totals, struct exported_bitmaps *exported,
				 struct message *message)
{
	const struct answer_index *index = table->moment->index;
	struct bitmaps_export export = {.table = table, .exported = exported, .message = message};
	enum status status = bitmap_reader_open(table->moment->database, index->database_name,
						&export.reader, message);

	for (size_t i = 0; status == STATUS_OK && i < filters->count; i++) {
		export.filter = &filters->items[i];
		export.read = 0;
		export.total = &totals[i];
		status = filter_write(&export);
	}
	bitmap_reader_close(export.reader);
	if (status == STATUS_OK)
		status = gone_write(&export);
	return status;
}

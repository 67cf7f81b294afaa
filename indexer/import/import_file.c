#include "import_file.h"

#include <string.h>

#include "base/clock.h"
#include "batch_feed.h"
#include "database/database.h"
#include "database/table.h"
#include "import_ledger.h"
#include "table_writer.h"

enum { COMMIT_SECONDS = 2 };

/* One file on its way. */
struct file_import {
	sqlite3 *log;
	const char *path;
	const struct import_file_options *options;
	struct import_file_report *report;
	struct message *message;
	struct input *input;
	enum import_format format;
	struct ledger_key key;
	char way[32];
	struct parser_options parsing;
	struct parser parser;
	struct intake intake;
	struct ledger_file ledger;
	uint64_t written_offset; /* what the ledger has */
	struct table_writer *writer;
	struct batch_feed *feed;
	bool begun; /* a transaction */
	double since;
};

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_remembered(const struct file_import *import)
{
	return !input_is_standard(import->input);
}

static enum status format_find(struct file_import *import)
{
	const struct import_file_options *options = import->options;
	size_t size;

	input_head(import->input, &size);
	import->report->empty = size == 0;
	import->format = options->format;
	if (!options->forced && size > 0)
		return import_format_guess(import->input, import->path, options->map_count > 0,
					   &import->format, import->message);
	return STATUS_OK;
}

static void key_make(struct file_import *import)
{
	const struct import_file_options *options = import->options;

	import->report->format = import_format_name(import->format);
	snprintf(import->way, sizeof(import->way), "%s%s", import->report->format,
		 import->format == FORMAT_CAPTURE && options->capture.per_connection
			 ? " per connection"
			 : "");
	import->key = (struct ledger_key){
		.path = import->path,
		.way = import->way,
		.table = options->capture.table ? options->capture.table : "",
	};
	import->parsing = (struct parser_options){
		.table = options->capture.table,
		.file_name = input_is_standard(import->input) ? NULL : name_of(import->path),
		.map = options->map,
		.map_count = options->map_count,
	};
}

/* Goes to where the file was left. *same is false where other bytes are there. */
static enum status offset_seek(struct file_import *import, bool *same)
{
	const struct ledger_file *ledger = &import->ledger;
	const uint64_t from = ledger->offset - ledger->tail_size;
	char bytes[1 << 12];
	uint8_t digest[HEAD_DIGEST_SIZE];
	size_t size = 0;
	enum status status;

	*same = false;
	if (ledger->tail_size > sizeof(bytes) || ledger->tail_size > ledger->offset)
		return STATUS_OK;
	status = input_skip(import->input, from, same, import->message);
	while (status == STATUS_OK && *same && size < ledger->tail_size) {
		size_t got;

		status = input_read(import->input, bytes + size, ledger->tail_size - size, &got,
				    import->message);
		size += got;
		*same = got > 0;
	}
	if (status != STATUS_OK || !*same || ledger->tail_size == 0)
		return status;
	head_digest(bytes, size, digest);
	*same = memcmp(digest, ledger->tail, sizeof(digest)) == 0;
	return STATUS_OK;
}

/* The input once more from its beginning. */
static enum status input_again(struct file_import *import)
{
	input_close(import->input);
	return input_open(import->path, &import->input, import->message);
}

/* Finds how far the file was taken, and goes there. */
static enum status ledger_recall(struct file_import *import)
{
	size_t size;
	const char *head = input_head(import->input, &size);
	bool same = true;
	enum status status = STATUS_OK;

	import->ledger = (struct ledger_file){.open_first = 1};
	if (is_remembered(import))
		status = import_ledger_find(import->log, &import->key, head, size, &import->ledger,
					    import->message);
	if (status == STATUS_OK && import->ledger.id && import->format != FORMAT_CAPTURE)
		status = offset_seek(import, &same);
	if (status == STATUS_OK && !same) {
		/* It only begins like one that was imported. */
		import->ledger = (struct ledger_file){.open_first = 1};
		status = input_again(import);
	}
	import->report->resumed = import->ledger.id != 0;
	import->written_offset = import->ledger.offset;
	return status;
}

static enum status parser_open(struct file_import *import)
{
	const struct stat *stat = input_stat(import->input);
	const bool grows = S_ISREG(stat->st_mode) && input_packing(import->input) == INPUT_PLAIN &&
			   is_remembered(import);
	enum status status = import_format_open(import->format, import->input, &import->parsing,
						&import->options->capture, import->ledger.offset,
						&import->parser, import->message);

	if (status == STATUS_OK)
		status = table_writer_open(import->log, &import->writer, import->message);
	if (status == STATUS_OK)
		status = batch_feed_open(&import->parser, import->input, &import->intake,
					 import->ledger.offset, import->ledger.lines, grows,
					 &import->feed, import->message);
	return status;
}

/* Rows of a line that had no end when they were imported: it is read again. */
static enum status open_rows_drop(struct file_import *import)
{
	struct ledger_file *ledger = &import->ledger;
	sqlite3_stmt *statement;
	enum table_kind kind;
	enum status status;

	if (ledger->open_first > ledger->open_last)
		return STATUS_OK;
	status = table_find(import->log, "main", ledger->open_table, &kind, NULL, import->message);
	if (status == STATUS_OK && kind == TABLE_ORDINARY) {
		status = database_prepare(
			import->log, &statement, import->message,
			"DELETE FROM main.\"%w\" WHERE rowid BETWEEN %lld AND %lld",
			ledger->open_table, (long long)ledger->open_first,
			(long long)ledger->open_last);
		if (status == STATUS_OK)
			status = database_run(statement, import->message);
		sqlite3_finalize(statement);
		ledger->rows -= (uint64_t)(ledger->open_last - ledger->open_first) + 1;
	}
	ledger->open_first = 1;
	ledger->open_last = 0;
	return status;
}

static enum status transaction_begin(struct file_import *import)
{
	enum status status;

	if (import->begun)
		return STATUS_OK;
	status = database_begin(import->log, import->message);
	import->begun = status == STATUS_OK;
	import->since = clock_seconds();
	return status == STATUS_OK ? open_rows_drop(import) : status;
}

/* The head is remembered as long as it is by now. */
static void ledger_head(struct file_import *import)
{
	size_t size;
	const char *head = input_head(import->input, &size);

	import->ledger.head_size = size;
	head_digest(head, size, import->ledger.head);
}

/* Ends the transaction; done: the file is at its end. */
static enum status transaction_end(struct file_import *import, bool done, enum status status)
{
	struct message ignored;

	if (!import->begun)
		return status;
	if (status == STATUS_OK && is_remembered(import)) {
		ledger_head(import);
		status = import_ledger_write(import->log, &import->key, &import->ledger,
					     import->written_offset, import->message);
		if (status == STATUS_OK && done)
			status = import_ledger_done(import->log, &import->key, import->ledger.id,
						    input_stat(import->input), import->message);
	}
	if (status == STATUS_OK)
		status = table_writer_ids(import->writer, import->message);
	import->begun = false;
	if (status == STATUS_OK)
		import->written_offset = import->ledger.offset;
	return database_end(import->log, status, status == STATUS_OK ? import->message : &ignored);
}

static enum status batch_write(struct file_import *import, const struct row_batch *batch)
{
	struct ledger_file *ledger = &import->ledger;
	int64_t first;
	int64_t last;
	const char *table;
	enum status status = transaction_begin(import);

	if (status == STATUS_OK)
		status = table_writer_batch(import->writer, batch, import->message);
	if (status != STATUS_OK)
		return status;
	ledger->offset = batch->offset;
	ledger->lines = batch->lines;
	ledger->rows += batch->row_count;
	import->report->rows += batch->row_count;
	if (batch->tail_size) {
		ledger->tail_size = batch->tail_size;
		memcpy(ledger->tail, batch->tail, sizeof(ledger->tail));
	}
	table = batch->open ? table_writer_last(import->writer, &first, &last) : NULL;
	if (table) {
		snprintf(ledger->open_table, sizeof(ledger->open_table), "%s", table);
		ledger->open_first = first;
		ledger->open_last = last;
	}
	return STATUS_OK;
}

/*
 * Connections that are open when the file ends are written then, so a file of those is one
 * transaction.
 */
static bool commit_is_due(const struct file_import *import)
{
	return !(import->format == FORMAT_CAPTURE && import->options->capture.per_connection) &&
	       clock_seconds() - import->since >= COMMIT_SECONDS;
}

static enum status batches_write(struct file_import *import)
{
	const struct import_file_options *options = import->options;
	struct message message;
	enum status read;
	enum status status = STATUS_OK;

	for (;;) {
		const struct row_batch *batch;

		if (options->stop && *options->stop) {
			message_set(
				&message, STATUS_FAILED,
				"interrupted; what was imported is in the log, and the next import "
				"goes on there");
			read = STATUS_FAILED;
			break;
		}
		read = batch_feed_next(import->feed, &batch, &message);
		if (read != STATUS_OK || !batch)
			break;
		status = batch_write(import, batch);
		if (status == STATUS_OK && commit_is_due(import))
			status = transaction_end(import, false, status);
		if (status != STATUS_OK)
			break;
		if (options->progress)
			options->progress(options->progress_context, import->path,
					  import->report->rows);
	}
	/* Of connections, a part of the file is none of them. */
	if (status == STATUS_OK && read != STATUS_OK && import->begun &&
	    import->format == FORMAT_CAPTURE && options->capture.per_connection) {
		*import->message = message;
		return transaction_end(import, false, STATUS_FAILED);
	}
	if (status == STATUS_OK && read == STATUS_OK && is_remembered(import))
		status = transaction_begin(import);
	status = transaction_end(import, read == STATUS_OK, status);
	if (status == STATUS_OK && read != STATUS_OK)
		*import->message = message;
	return status == STATUS_OK ? read : status;
}

static void report_fill(struct file_import *import)
{
	struct import_file_report *report = import->report;
	const struct intake *intake = &import->intake;
	struct written_rows written;

	memcpy(report->faults, intake->faults, sizeof(report->faults));
	memcpy(report->named, intake->named, sizeof(report->named));
	report->named_count = intake->named_count;
	for (size_t i = 0;
	     import->writer && (written = table_writer_rows(import->writer, i)).table != NULL;
	     i++) {
		if (written.rows == 0)
			continue;
		if (report->table_count < REPORT_TABLES) {
			snprintf(report->tables[report->table_count], INTAKE_NAME_MAX + 1, "%s",
				 written.table);
			report->table_rows[report->table_count] = written.rows;
		}
		report->table_count++;
	}
}

static enum status file_run(struct file_import *import)
{
	enum status status = input_open(import->path, &import->input, import->message);

	if (status == STATUS_OK)
		status = format_find(import);
	if (status != STATUS_OK || import->report->empty)
		return status;
	key_make(import);
	if (is_remembered(import))
		status = import_ledger_seen(import->log, &import->key, input_stat(import->input),
					    &import->report->known, import->message);
	if (status != STATUS_OK || import->report->known)
		return status;
	status = ledger_recall(import);
	if (status == STATUS_OK)
		status = parser_open(import);
	if (status == STATUS_OK)
		status = batches_write(import);
	return status;
}

/* Says which file a message is of, where it does not. */
static enum status path_add(const struct file_import *import, enum status status)
{
	struct message cause = *import->message;
	const size_t size = strlen(import->path);

	if (status == STATUS_OK || strncmp(cause.text, import->path, size) == 0)
		return status;
	return message_wrap(import->message, status, cause.code, "%.300s: %.700s", import->path,
			    cause.text);
}

enum status import_file_run(sqlite3 *log, const char *path,
			    const struct import_file_options *options,
			    struct import_file_report *report, struct message *message)
{
	struct file_import import = {
		.log = log, .path = path, .options = options, .report = report, .message = message};
	enum status status;

	*report = (struct import_file_report){0};
	status = path_add(&import, file_run(&import));
	batch_feed_close(import.feed);
	report_fill(&import);
	if (import.parser.free)
		import.parser.free(import.parser.state);
	table_writer_close(import.writer);
	intake_free(&import.intake);
	input_close(import.input);
	return status;
}

#include "import_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "batch_feed.h"
#include "copied_file.h"
#include "database/database.h"
#include "database/database_open.h"
#include "import_ledger.h"
#include "table_writer.h"
#include "zeek_log.h"

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
	char table_key[INTAKE_NAME_MAX + 1];
	char *source; /* how the table is read already; NULL without */
	char *source_columns;
	struct parser_options parsing;
	struct parser parser;
	struct intake intake;
	struct ledger_file ledger;
	struct table_writer *writer;
	struct batch_feed *feed;
	bool piped;
	size_t tried;  /* files that begin alike, and that it is none of */
	uint64_t rows; /* written, of which those of the transaction may still be lost */
	bool begun;    /* a transaction */
	double since;
};

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_per_connection(const struct file_import *import)
{
	return import->format == FORMAT_CAPTURE && import->options->capture.per_connection;
}

static bool is_piped(const struct file_import *import)
{
	return input_is_piped(import->input);
}

static enum status format_find(struct file_import *import)
{
	const struct import_file_options *options = import->options;
	enum status status = STATUS_OK;
	size_t size;

	input_head(import->input, &size);
	import->report->empty = size == 0;
	import->format = options->format;
	if (!options->forced && size > 0) {
		status = import_format_guess(import->input, import->path, options->map_count > 0,
					     &import->format, import->message);
		import->report->unknown = status != STATUS_OK;
	}
	if (status == STATUS_OK && size > 0 && options->map_count && import->format != FORMAT_CSV)
		return message_set(import->message, STATUS_USAGE,
				   "--map says what columns of CSV mean, and this is %s",
				   import_format_name(import->format));
	return status;
}

/* The table by its own name is the one without a name: neither is taken twice. */
static void table_key_make(struct file_import *import, const char *table)
{
	const char *own = import->format == FORMAT_CSV		    ? "flows"
			  : import->format != FORMAT_CAPTURE	    ? ""
			  : import->options->capture.per_connection ? "connections"
								    : "packets";
	size_t size = 0;

	for (; table && table[size] && size < INTAKE_NAME_MAX; size++) {
		import->table_key[size] = table[size];
		if (table[size] >= 'A' && table[size] <= 'Z')
			import->table_key[size] = (char)(table[size] + 32);
	}
	import->table_key[size] = '\0';
	if (strcmp(import->table_key, own) == 0)
		import->table_key[0] = '\0';
}

static enum status key_make(struct file_import *import)
{
	const struct import_file_options *options = import->options;
	const char *table = options->capture.table;

	import->report->format = import_format_name(import->format);
	snprintf(import->way, sizeof(import->way), "%s%s", import->report->format,
		 is_per_connection(import) ? " per connection" : "");
	table_key_make(import, table);
	import->key = (struct ledger_key){
		.path = import->path, .way = import->way, .table = import->table_key};
	import->parsing = (struct parser_options){
		.table = table,
		.file_name = is_piped(import) ? NULL : name_of(import->path),
		.map = options->map,
		.map_count = options->map_count,
	};
	if (import->format != FORMAT_CSV)
		return STATUS_OK;
	return import_ledger_source(import->log, table ? table : "flows", &import->source,
				    &import->source_columns, import->message);
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

/* Finds how far the file was taken, and goes there. */
static enum status ledger_recall(struct file_import *import)
{
	size_t size;
	const char *head = input_head(import->input, &size);
	bool same = true;
	enum status status = STATUS_OK;

	import->ledger = (struct ledger_file){.open_first = 1};
	status = import_ledger_find(import->log, &import->key, head, size, import->tried,
				    &import->ledger, import->message);
	if (status == STATUS_OK && import->ledger.id && import->format != FORMAT_CAPTURE)
		status = offset_seek(import, &same);
	if (status == STATUS_OK && !same) {
		import->parser.differs = true;
		return message_set(import->message, STATUS_FAILED, "%s", parser_differs_text);
	}
	import->report->resumed = import->ledger.id != 0;

	return status;
}

static enum status parser_open(struct file_import *import)
{
	struct ledger_file *ledger = &import->ledger;
	struct feed_start start = {
		.offset = ledger->offset,
		.lines = ledger->lines,
		.grows = !is_piped(import) && input_packing(import->input) == INPUT_PLAIN,
		.header = ledger->header,
		.header_size = ledger->header_size,
	};
	struct capture_taken taken = {.packets = ledger->offset};
	size_t head_size;
	const char *head = input_head(import->input, &head_size);
	enum status status;

	memcpy(taken.digest, ledger->tail, sizeof(taken.digest));
	import->parsing.source = import->source;
	import->parsing.source_columns = import->source_columns;
	status = import_format_open(import->format, import->input, &import->parsing,
				    &import->options->capture, &taken, &import->parser,
				    import->message);
	if (!start.header && import->parser.header_size <= head_size) {
		start.header = head;
		start.header_size = import->parser.header_size;
	}
	if (status == STATUS_OK)
		status = table_writer_open(import->log, &import->writer, import->message);
	if (status == STATUS_OK)
		status = batch_feed_open(&import->parser, import->input, &import->intake, &start,
					 &import->feed, import->message);
	return status;
}

/* Rows of a line that had no end when they were imported: it is read again. */
static enum status open_rows_drop(struct file_import *import)
{
	struct ledger_file *ledger = &import->ledger;
	const int64_t count = ledger->open_last - ledger->open_first + 1;
	enum status status;

	if (count <= 0)
		return STATUS_OK;
	status = table_writer_remove(import->log, ledger->open_table, ledger->open_first,
				     ledger->open_last, import->message);
	ledger->rows -= ledger->rows < (uint64_t)count ? ledger->rows : (uint64_t)count;
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
	/* Another import may have given ids since. */
	if (status == STATUS_OK)
		status = table_writer_begin(import->writer, import->message);
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
	if (status == STATUS_OK) {
		ledger_head(import);
		status = import_ledger_write(import->log, &import->key, &import->ledger,
					     import->message);
	}
	if (status == STATUS_OK && done && !is_piped(import))
		status = import_ledger_done(import->log, &import->key, import->ledger.id,
					    input_stat(import->input), import->message);
	if (status == STATUS_OK)
		status = table_writer_ids(import->writer, import->message);
	import->begun = false;
	status =
		database_end(import->log, status, status == STATUS_OK ? import->message : &ignored);
	if (status == STATUS_OK)
		import->report->rows = import->rows;
	return status;
}

/* The header that counts from this batch on. */
static enum status header_keep(struct file_import *import, const struct row_batch *batch)
{
	struct ledger_file *ledger = &import->ledger;

	if (!batch->header)
		return STATUS_OK;
	free(ledger->header);
	ledger->header = malloc(batch->header_size + 1);
	if (!ledger->header)
		return message_out_of_memory(import->message);
	memcpy(ledger->header, batch->header, batch->header_size);
	ledger->header_size = batch->header_size;
	return STATUS_OK;
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
	import->rows += batch->row_count;
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
	return header_keep(import, batch);
}

/*
 * Connections that are open when the file ends are written then, so a file of those is one
 * transaction.
 */
static bool commit_is_due(const struct file_import *import)
{
	return !is_per_connection(import) && clock_seconds() - import->since >= COMMIT_SECONDS;
}

static bool is_stopped(const struct file_import *import)
{
	return import->options->stop && *import->options->stop;
}

static enum status stopped(const struct file_import *import, struct message *message)
{
	return message_set(message, STATUS_FAILED, "%s",
			   is_per_connection(import)
				   ? "interrupted; nothing of this file is in the log"
				   : "interrupted; what was imported is in the log, and the next "
				     "import of the same goes on there");
}

/* Takes batches until none comes. read: what the parser ended with. */
static enum status batches_take(struct file_import *import, enum status *read, struct message *why)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		const struct row_batch *batch = NULL;
		bool waits = false;

		*read = is_stopped(import) ? stopped(import, why)
					   : batch_feed_next(import->feed, &batch, &waits, why);
		if (*read != STATUS_OK || (!batch && !waits))
			break;
		if (batch)
			status = batch_write(import, batch);
		/* Nobody else should wait for what comes slowly. */
		if (status == STATUS_OK && import->begun && commit_is_due(import))
			status = transaction_end(import, false, status);
		if (import->options->progress)
			import->options->progress(import->options->progress_context, import->path,
						  import->rows);
	}
	return status;
}

static enum status batches_write(struct file_import *import)
{
	struct message why;
	enum status read = STATUS_OK;
	enum status status = batches_take(import, &read, &why);

	/* Of connections, a part of the file is none of them. */
	if (status == STATUS_OK && read != STATUS_OK && is_per_connection(import)) {
		*import->message = why;
		return transaction_end(import, false, STATUS_FAILED);
	}
	if (status == STATUS_OK && read == STATUS_OK)
		status = transaction_begin(import);
	status = transaction_end(import, read == STATUS_OK, status);
	if (status == STATUS_OK && read != STATUS_OK)
		*import->message = why;
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
	report->incomplete = intake->incomplete;
	report->faults[FAULT_COLUMNS] += import->writer ? table_writer_dropped(import->writer) : 0;
	for (size_t i = 0;
	     import->writer && (written = table_writer_rows(import->writer, i)).table != NULL;
	     i++) {
		if (written.rows == 0 || report->rows == 0)
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
	enum status status =
		input_open(import->path, import->options->stop, &import->input, import->message);

	if (status == STATUS_OK)
		status = format_find(import);
	if (status != STATUS_OK || import->report->empty)
		return status;
	status = key_make(import);
	/* What the user says of columns may be new. */
	if (status == STATUS_OK && import->tried == 0 && import->options->map_count == 0 &&
	    !is_piped(import))
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

/*
 * What is shorter than the file that it begins like may be a copy of that: its rows are in the
 * log then, and it is remembered as a file of its own.
 */
static enum status copy_note(struct file_import *import, enum status status)
{
	struct ledger_file *ledger = &import->ledger;
	struct message differs = *import->message;
	struct copied_file copy;
	enum status checked;

	/* What was changed since it was imported is compared with nothing. */
	if (status == STATUS_OK || !import->parser.differs || !ledger->id || import->piped ||
	    !import_ledger_lies(ledger) || database_same_file(import->path, ledger->path) ||
	    (ledger->header && !memmem(ledger->header, ledger->header_size, ZEEK_FIRST_BLOCK,
				       strlen(ZEEK_FIRST_BLOCK))))
		return status;
	checked = copied_file_check(import->path, ledger->path, import->options->stop, &copy,
				    import->message);
	if (checked != STATUS_OK || !copy.is_copy) {
		*import->message = differs;
		return status;
	}
	import->parser.differs = false;
	if (import->options->map_count)
		return message_set(
			import->message, STATUS_FAILED,
			"%.300s: is a copy of %.300s, which was imported: give --map with "
			"that",
			import->path, ledger->path);
	ledger->id = 0;
	ledger->rows = 0;
	ledger->lines = 0;
	ledger->open_first = 1;
	ledger->open_last = 0;
	ledger->offset = copy.offset;
	ledger->tail_size = copy.tail_size;
	memcpy(ledger->tail, copy.tail, sizeof(ledger->tail));
	if (import->format == FORMAT_CAPTURE) {
		ledger->offset = import->parser.skipped;
		memcpy(ledger->tail, import->parser.skipped_digest, sizeof(ledger->tail));
	}
	import->report->known = true;
	status = database_begin(import->log, import->message);
	if (status != STATUS_OK)
		return status;
	ledger_head(import);
	status = import_ledger_write(import->log, &import->key, ledger, import->message);
	if (status == STATUS_OK)
		status = import_ledger_done(import->log, &import->key, ledger->id,
					    input_stat(import->input), import->message);
	return database_end(import->log, status, import->message);
}

static enum status file_once(struct file_import *import)
{
	enum status status = path_add(import, file_run(import));

	import->piped = import->input && is_piped(import);
	batch_feed_close(import->feed);
	import->feed = NULL;
	status = copy_note(import, status);
	report_fill(import);
	if (import->parser.free)
		import->parser.free(import->parser.state);
	table_writer_close(import->writer);
	intake_free(&import->intake);
	import_ledger_free(&import->ledger);
	free(import->source);
	free(import->source_columns);
	input_close(import->input);
	return status;
}

enum status import_file_run(sqlite3 *log, const char *path,
			    const struct import_file_options *options,
			    struct import_file_report *report, struct message *message)
{
	const struct file_import before = {
		.log = log, .path = path, .options = options, .report = report, .message = message};
	size_t tried = 0;
	struct file_import import;
	enum status status;

	/* What only begins like one that was imported may be another one. */
	do {
		*report = (struct import_file_report){0};
		import = before;
		import.tried = tried++;
		status = file_once(&import);
	} while (status != STATUS_OK && import.parser.differs && !import.piped);
	return status;
}

#include "filter_search.h"

#include <string.h>

#include "column_scan.h"
#include "engine/evaluate.h"
#include "header_search.h"
#include "index/column_reader.h"

/* Programs over all columns: what they accept, or only how many. */
static enum status search_run(struct column_scan *scan, struct message *message)
{
	const struct answer_index *index = scan->index;
	struct column_reader *reader = NULL;
	enum status status;

	if (!evaluation_needs_headers(scan->evaluation)) {
		status = column_scan_run(scan, message);
	} else {
		status = column_reader_open(scan->database, index->database_name, &index->source,
					    &reader, message);
		if (status == STATUS_OK)
			status =
				header_search_run(reader, scan->evaluation, scan->count, scan->stop,
						  scan->pause, scan->rows, &scan->headers, message);
		column_reader_close(reader);
	}
	return status == STATUS_OK ? column_reader_complete(&index->source, scan->headers, message)
				   : status;
}

static enum status columns_must_be(const struct answer_index *index, struct message *message)
{
	if (index->source.packed)
		return STATUS_OK;
	return message_set(message, STATUS_FAILED,
			   "{pcap filters} need stored headers, which this index was made "
			   "without; build it again with connbits-index --rebuild, and without "
			   "--no-headers");
}

enum status filter_search_run(sqlite3 *database, const struct answer_index *index,
			      const struct program *const *programs, size_t count,
			      const struct stop *stop, const struct search_pause *pause,
			      struct row_set *rows, struct message *message)
{
	struct column_scan scan = {.database = database,
				   .index = index,
				   .count = count,
				   .stop = stop,
				   .pause = pause,
				   .rows = rows};
	struct evaluation *evaluation = NULL;
	enum status status = columns_must_be(index, message);

	memset(rows, 0, count * sizeof(*rows));
	if (status == STATUS_OK)
		status = evaluation_new_search(programs, count, stop, &evaluation, message);
	scan.evaluation = evaluation;
	if (status == STATUS_OK)
		status = search_run(&scan, message);
	evaluation_free(evaluation);
	for (size_t i = 0; status != STATUS_OK && i < count; i++)
		row_set_free(&rows[i]);
	return status;
}

enum status filter_search_count(sqlite3 *database, const struct answer_index *index,
				const struct program *program, const struct stop *stop,
				const struct search_pause *pause, uint64_t *matches,
				struct message *message)
{
	const struct program *const programs[] = {program};
	struct row_set rows = {0};
	struct column_scan scan = {.database = database,
				   .index = index,
				   .count = 1,
				   .stop = stop,
				   .pause = pause,
				   .matches = matches};
	struct evaluation *evaluation = NULL;
	enum status status = columns_must_be(index, message);

	*matches = 0;
	if (status == STATUS_OK)
		status = evaluation_new_search(programs, 1, stop, &evaluation, message);
	scan.evaluation = evaluation;
	if (status == STATUS_OK && evaluation_needs_headers(evaluation))
		scan.rows = &rows;
	if (status == STATUS_OK)
		status = search_run(&scan, message);
	if (scan.rows)
		*matches = rows.rows;
	row_set_free(&rows);
	evaluation_free(evaluation);
	return status;
}

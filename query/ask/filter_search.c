#include "filter_search.h"

#include <stdlib.h>
#include <string.h>

#include "column_scan.h"
#include "engine/evaluate.h"
#include "header_search.h"
#include "index/column_reader.h"

static enum status columns_must_be(const struct answer_index *index, struct message *message)
{
	if (index->source.packed)
		return STATUS_OK;
	return message_set(message, STATUS_FAILED,
			   "{pcap filters} and address sets need stored columns, which this index "
			   "was made without; build it again with connbits-index --rebuild, and "
			   "without --no-headers");
}

static struct column_scan scan_of(const struct filter_search *search, struct row_set *rows,
				  uint64_t *matches)
{
	return (struct column_scan){.database = search->database,
				    .index = search->index,
				    .count = search->program_count,
				    .questions = search->questions,
				    .question_count = search->question_count,
				    .stop = search->stop,
				    .pause = search->pause,
				    .rows = rows,
				    .matches = matches};
}

/* Programs that ask for more than columns tell, over headers; questions by themselves. */
static enum status headers_run(const struct filter_search *search,
			       const struct evaluation *evaluation, struct row_set *rows,
			       struct message *message)
{
	const struct answer_index *index = search->index;
	struct column_scan rest = scan_of(search, rows + search->program_count, NULL);
	struct column_reader *reader = NULL;
	struct evaluation *none = NULL;
	uint64_t headers = 0;
	enum status status = column_reader_open(search->database, index->database_name,
						&index->source, &reader, message);

	if (status == STATUS_OK)
		status = header_search_run(reader, evaluation, search->program_count, search->stop,
					   search->pause, rows, &headers, message);
	column_reader_close(reader);
	if (status == STATUS_OK)
		status = column_reader_complete(&index->source, headers, message);
	if (status != STATUS_OK || search->question_count == 0)
		return status;
	status = evaluation_new_search(NULL, 0, search->stop, &none, message);
	rest.evaluation = none;
	rest.count = 0;
	if (status == STATUS_OK)
		status = column_scan_run(&rest, message);
	evaluation_free(none);
	return status;
}

static enum status columns_run(const struct filter_search *search,
			       const struct evaluation *evaluation, struct row_set *rows,
			       uint64_t *matches, struct message *message)
{
	struct column_scan scan = scan_of(search, rows, matches);
	enum status status;

	scan.evaluation = evaluation;
	status = column_scan_run(&scan, message);
	return status == STATUS_OK
		       ? column_reader_complete(&search->index->source, scan.headers, message)
		       : status;
}

/* What there is of each program and question, or with rows NULL only how many. */
static enum status search_run(const struct filter_search *search, struct row_set *rows,
			      uint64_t *matches, struct message *message)
{
	const size_t count = search->program_count + search->question_count;
	struct evaluation *evaluation = NULL;
	struct row_set *found = rows;
	enum status status = columns_must_be(search->index, message);

	if (status == STATUS_OK)
		status = evaluation_new_search(search->programs, search->program_count,
					       search->stop, &evaluation, message);
	if (status == STATUS_OK && !evaluation_needs_headers(evaluation)) {
		status = columns_run(search, evaluation, rows, matches, message);
	} else if (status == STATUS_OK) {
		if (!rows && !(found = calloc(count + 1, sizeof(*found))))
			status = message_out_of_memory(message);
		if (status == STATUS_OK)
			status = headers_run(search, evaluation, found, message);
		for (size_t i = 0; status == STATUS_OK && !rows && i < count; i++)
			matches[i] = found[i].rows;
	}
	evaluation_free(evaluation);
	for (size_t i = 0; found && (status != STATUS_OK || !rows) && i < count; i++)
		row_set_free(&found[i]);
	if (!rows)
		free(found);
	return status;
}

enum status filter_search_run(const struct filter_search *search, struct row_set *rows,
			      struct message *message)
{
	memset(rows, 0, (search->program_count + search->question_count) * sizeof(*rows));
	return search_run(search, rows, NULL, message);
}

enum status filter_search_count(const struct filter_search *search, uint64_t *matches,
				struct message *message)
{
	memset(matches, 0, (search->program_count + search->question_count) * sizeof(*matches));
	return search_run(search, NULL, matches, message);
}

/*
 * Text logs and packets of an enemy's. The first byte says which parser; a text is given
 * once whole and once in pieces, and both have to give the same rows and faults.
 */
#include <stdlib.h>
#include <string.h>

#include "import/csv_log.h"
#include "import/dissect.h"
#include "import/intake.h"
#include "import/json_log.h"
#include "import/zeek_log.h"
#include "log/import_mapping.h"

enum { KIND_ZEEK, KIND_JSON, KIND_CSV, KIND_PACKET, KIND_MAPPING, KINDS };

/* What a text came to. */
struct text_outcome {
	uint64_t rows;
	uint64_t texts; /* bytes of texts, and numbers, added up */
	uint64_t faults[FAULT_COUNT];
};

static const char *const maps[] = {"transport='tcp'"};

static enum status parser_make(int kind, const struct parser_options *options, const char *bytes,
			       size_t size, struct parser *parser, struct message *message)
{
	switch (kind) {
	case KIND_ZEEK:
		return zeek_log_open(options, parser, message);
	case KIND_JSON:
		return json_log_open(options, parser, message);
	default:
		return csv_log_open(options, bytes, size, parser, message);
	}
}

/* Adds the batch up, and looks at every value. */
static void batch_take(struct text_outcome *outcome, const struct intake *intake)
{
	const struct row_batch *batch = intake->batch;

	for (size_t i = 0; i < batch->row_count; i++) {
		const struct batch_row *row = &batch->rows[i];

		if (row->table >= intake->table_count ||
		    row->count > intake->tables[row->table].column_count)
			abort();
		for (size_t j = 0; j < row->count; j++) {
			const struct import_value *value = &batch->values[row->first + j];

			if (value->kind == VALUE_TEXT)
				for (size_t k = 0; k < value->size; k++)
					outcome->texts =
						outcome->texts * 31 + (uint8_t)value->text[k];
			if (value->kind == VALUE_INTEGER)
				outcome->texts += (uint64_t)value->integer;
		}
	}
	outcome->rows += batch->row_count;
}

/* Gives the text in pieces of `piece` bytes, as a feed does. */
static bool text_take(int kind, const char *bytes, size_t size, size_t piece,
		      struct text_outcome *outcome)
{
	const struct parser_options options = {
		.file_name = "log", .map = maps, .map_count = kind == KIND_CSV};
	struct parser parser;
	struct intake intake = {0};
	struct row_batch batch = {0};
	struct message message;
	size_t from = 0;
	size_t to = 0;
	enum status status = parser_make(kind, &options, bytes, size, &parser, &message);

	*outcome = (struct text_outcome){0};
	if (status != STATUS_OK)
		return false;
	intake.batch = &batch;
	while (status == STATUS_OK && from < size) {
		const bool last = to == size;
		size_t used = 0;
		char *copy;

		to = size - to < piece ? size : to + piece;
		/* So that what is read beyond the bytes is noticed. */
		copy = malloc(to - from + (to == from));
		if (!copy)
			abort();
		memcpy(copy, bytes + from, to - from);
		batch_clear(&batch);
		status = parser.take(parser.state, &intake, copy, to - from, last, &used, &message);
		if (used > to - from || (last && status == STATUS_OK && used != to - from))
			abort();
		batch_take(outcome, &intake);
		from += used;
		free(copy);
	}
	memcpy(outcome->faults, intake.faults, sizeof(outcome->faults));
	parser.free(parser.state);
	intake_free(&intake);
	batch_free(&batch);
	return status == STATUS_OK;
}

static void packet_take(const uint8_t *bytes, size_t size)
{
	static const int links[] = {0, 1, 12, 108, 113, 228, 229, 276};
	struct dissected_packet packet;
	uint8_t *copy;

	if (size == 0)
		return;
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, bytes + 1, size - 1);
	dissect_packet(links[bytes[0] % 8], copy, size - 1, &packet);
	free(copy);
}

static void mapping_take(const char *bytes, size_t size)
{
	sqlite3 *log;
	sqlite3_stmt *insert;
	struct import_mapping mapping;
	struct message message;

	if (sqlite3_open(":memory:", &log) != SQLITE_OK ||
	    sqlite3_exec(log, IMPORT_MAPPING_TABLE, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(
		    log, "INSERT INTO connbits_import_table VALUES ('t', ?, NULL, 1, 1, NULL)", -1,
		    &insert, NULL) != SQLITE_OK)
		abort();
	sqlite3_bind_text(insert, 1, bytes, (int)size, SQLITE_STATIC);
	sqlite3_step(insert);
	sqlite3_finalize(insert);
	import_mapping_read(log, "t", &mapping, &message);
	import_mapping_free(&mapping);
	sqlite3_close(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 2;
	struct text_outcome whole;
	struct text_outcome pieces;
	int kind;
	bool known;

	if (size < 3)
		return 0;
	kind = data[0] % KINDS;
	size -= 2;
	if (kind == KIND_PACKET) {
		packet_take(data + 2, size);
		return 0;
	}
	if (kind == KIND_MAPPING) {
		mapping_take(bytes, size);
		return 0;
	}
	json_log_is(bytes, size, &known);
	csv_log_is(bytes, size, &known);
	if (text_take(kind, bytes, size, size, &whole) !=
		    text_take(kind, bytes, size, 1 + data[1], &pieces) ||
	    memcmp(&whole, &pieces, sizeof(whole)) != 0)
		abort();
	return 0;
}

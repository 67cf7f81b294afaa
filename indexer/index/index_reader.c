#include "index_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database/database.h"
#include "index_format.h"

static char *column_copy(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return strdup(text ? text : "");
}

/* Takes what is said of how values are read. False if it makes no sense. */
static bool reading_set(sqlite3_stmt *statement, const char *key, struct reading *reading)
{
	const char *word = (const char *)sqlite3_column_text(statement, 1);
	const int64_t value = sqlite3_column_int64(statement, 1);

	if (strcmp(key, LAYOUT_HOSTS) == 0) {
		return word && host_encoding_find(word, &reading->hosts);
	} else if (strcmp(key, LAYOUT_DIRECTION) == 0) {
		return word && direction_encoding_find(word, &reading->direction);
	} else if (strcmp(key, LAYOUT_ANY_CASE) == 0) {
		reading->any_case = value;
	} else if (strcmp(key, LAYOUT_ICMP) == 0) {
		return word && icmp_encoding_find(word, &reading->icmp);
	} else if (strcmp(key, LAYOUT_ICMP_FAMILY) == 0) {
		reading->icmp_family = value;
	} else if (strcmp(key, LAYOUT_PROTOCOL) == 0) {
		if (value < 0 || value > UINT8_MAX)
			return false;
		reading->has_protocol = true;
		reading->protocol = (uint8_t)value;
	} else {
		return false;
	}
	return true;
}

static enum status damaged(struct message *message, const char *what)
{
	return message_set(message, STATUS_FAILED,
			   "the index is damaged (%.100s); build it again with connbits-index LOG "
			   "CATALOGUE",
			   what);
}

/* Notes the column on which the statement stands, for its role. */
static enum status column_set(sqlite3_stmt *statement, const char *key, struct layout *layout,
			      struct message *message)
{
	char **place = strcmp(key, LAYOUT_TIMESTAMP) == 0 ? &layout->timestamp : NULL;

	for (int role = 0; !place && role < ROLE_COUNT; role++)
		if (strcmp(key, layout_role_name((enum role)role)) == 0)
			place = &layout->columns[role];
	if (!place)
		return reading_set(statement, key, &layout->reading) ||
				       database_values(statement, STATUS_OK, message) != STATUS_OK
			       ? STATUS_OK
			       : damaged(message, "how its values are read");
	free(*place);
	*place = column_copy(statement, 1);
	return *place ? STATUS_OK : message_out_of_memory(message);
}

static enum status columns_check(const struct layout *layout, struct message *message)
{
	const char *missing = layout_missing(layout);
	char what[64];

	if (!missing)
		return STATUS_OK;
	snprintf(what, sizeof(what), "no column for %s", missing);
	return damaged(message, what);
}

static enum status columns_read(sqlite3 *database, const char *database_name,
				struct index_source *source, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT j.key, j.value FROM \"%w\".connbits_source AS s, json_each(s.columns) AS j "
		"WHERE s.id = %lld",
		database_name, (long long)source->id);

	while (status == STATUS_OK) {
		const char *key;

		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		key = (const char *)sqlite3_column_text(statement, 0);
		if (key)
			status = column_set(statement, key, &source->layout, message);
		status = database_values(statement, status, message);
	}
	sqlite3_finalize(statement);
	return status == STATUS_OK ? columns_check(&source->layout, message) : status;
}

/* Copies text, cut to what fits. */
static void column_print(sqlite3_stmt *statement, int column, char *place, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	snprintf(place, size, "%s", text ? text : "");
}

/* One of another size is as good as none. */
static void stamp_read(sqlite3_stmt *statement, int column, struct file_stamp *stamp)
{
	const void *bytes = sqlite3_column_blob(statement, column);

	stamp->size = 0;
	if (!bytes || sqlite3_column_bytes(statement, column) != FILE_STAMP_SIZE)
		return;
	memcpy(stamp->bytes, bytes, FILE_STAMP_SIZE);
	stamp->size = FILE_STAMP_SIZE;
}

static enum status source_row_read(sqlite3_stmt *statement, struct index_source *source,
				   struct message *message)
{
	const void *samples = sqlite3_column_blob(statement, 4);
	size_t size = (size_t)sqlite3_column_bytes(statement, 4);

	*source = (struct index_source){.id = sqlite3_column_int64(statement, 0)};
	source->layout.table = column_copy(statement, 1);
	source->layout.schema = column_copy(statement, 2);
	if (!source->layout.table || !source->layout.schema)
		return message_out_of_memory(message);
	column_print(statement, 3, source->indexed_at, sizeof(source->indexed_at));
	column_print(statement, 7, source->identity, sizeof(source->identity));
	column_print(statement, 11, source->mark, sizeof(source->mark));
	column_print(statement, 12, source->next_mark, sizeof(source->next_mark));
	if (source->id < 1)
		return message_set(
			message, STATUS_FAILED,
			"the index is damaged (the number of its source); build it again "
			"with connbits-index --rebuild");
	if (size % FINGERPRINT_BYTES || size > sizeof(source->fingerprint.bytes))
		return message_set(message, STATUS_FAILED,
				   "the index is damaged (fingerprints); build it again with "
				   "connbits-index");
	source->fingerprint.count = size / FINGERPRINT_BYTES;
	if (size)
		memcpy(source->fingerprint.bytes, samples, size);
	stamp_read(statement, 13 + OUTCOME_COUNT, &source->log_stamp);
	source->reading = (enum index_reading)sqlite3_column_int(statement, 14 + OUTCOME_COUNT);
	if (source->reading > INDEX_READING_SQL)
		source->reading = INDEX_READING_DIFFERED;
	source->first_row = sqlite3_column_int64(statement, 5);
	source->last_row = sqlite3_column_int64(statement, 6);
	source->packed = sqlite3_column_int(statement, 8);
	source->tracked = sqlite3_column_int(statement, 9);
	source->inside = sqlite3_column_int(statement, 10);
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		source->outcomes[outcome] = (uint64_t)sqlite3_column_int64(statement, 13 + outcome);
	return database_values(statement, STATUS_OK, message);
}

/* Adds a table's name as it is written before an expression: expression_table in expression.h. */
static void name_append(sqlite3_str *list, const char *name)
{
	const bool plain =
		*name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.") == strlen(name);

	if (sqlite3_str_length(list) > 400)
		return;
	sqlite3_str_appendf(list, plain ? "%s%.60s" : "%s\"%.60w\"",
			    sqlite3_str_length(list) ? ", " : "", name);
}

/* The first table, and those on which the statement stands and that follow: none was chosen. */
static enum status several_tables(const char *first, sqlite3_stmt *statement,
				  struct message *message)
{
	sqlite3_str *list = sqlite3_str_new(NULL);
	sqlite3_str *example = sqlite3_str_new(NULL);
	enum status status = STATUS_OK;
	int row = 1;

	name_append(list, first);
	name_append(example, first);
	while (status == STATUS_OK && row) {
		const char *name = (const char *)sqlite3_column_text(statement, 1);

		name_append(list, name ? name : "");
		status = database_values(statement, status, message);
		if (status == STATUS_OK)
			status = database_step(statement, &row, message);
	}
	if (status == STATUS_OK)
		status = message_set(
			message, STATUS_FAILED,
			"the index has several tables (%.450s): say which one with --table, or "
			"before the expression, as in '%.70s: smb'",
			sqlite3_str_value(list) ? sqlite3_str_value(list) : "",
			sqlite3_str_value(example) ? sqlite3_str_value(example) : "");
	sqlite3_free(sqlite3_str_finish(list));
	sqlite3_free(sqlite3_str_finish(example));
	return status;
}

static enum status sources_read(sqlite3 *database, const char *database_name, const char *table,
				bool finished, struct index_source *source, bool *found,
				struct message *message)
{
	const char *name = finished ? "table_name" : "building";
	sqlite3_stmt *statement;
	int row = 0;
	enum status status;

	*source = (struct index_source){0};
	*found = false;
	status = database_prepare(
		database, &statement, message,
		"SELECT id, %s, schema, indexed_at, fingerprints, first_row, "
		"last_row, identity, packed, tracked, inside, mark, next_mark, headers, "
		"listen, skipped_type, skipped_transport, skipped_address, "
		"skipped_family, skipped_port, log_stamp, reading FROM \"%w\".connbits_source "
		"WHERE %s IS NOT NULL AND (%Q IS NULL OR %s = %Q COLLATE NOCASE) ORDER BY id",
		name, database_name, name, table, name, table);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		*found = true;
		status = source_row_read(statement, source, message);
	}
	if (status == STATUS_OK && row)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row && finished)
		status = several_tables(source->layout.table, statement, message);
	sqlite3_finalize(statement);
	if (status == STATUS_OK && *found)
		status = columns_read(database, database_name, source, message);
	if (status != STATUS_OK)
		index_source_free(source);
	return status;
}

enum status index_source_read(sqlite3 *database, const char *database_name, const char *table,
			      struct index_source *source, bool *found, struct message *message)
{
	return sources_read(database, database_name, table, true, source, found, message);
}

enum status index_source_read_unfinished(sqlite3 *database, const char *table,
					 struct index_source *source, bool *found,
					 struct message *message)
{
	return sources_read(database, "main", table, false, source, found, message);
}

bool index_source_marked(const struct index_source *source, const char *mark)
{
	return *mark && (strcmp(mark, source->mark) == 0 || strcmp(mark, source->next_mark) == 0);
}

void index_source_free(struct index_source *source)
{
	layout_free(&source->layout);
}

enum status index_is_finished(sqlite3 *database, const char *database_name, bool *finished,
			      struct message *message)
{
	enum status status = index_format_exists(database, database_name, finished, message);

	if (status != STATUS_OK || !*finished)
		return status;
	return database_asks(database, finished, message,
			     "SELECT 1 FROM \"%w\".connbits_source WHERE table_name IS NOT NULL",
			     database_name);
}

enum status index_has_several(sqlite3 *database, const char *database_name, bool *several,
			      struct message *message)
{
	return database_asks(database, several, message,
			     "SELECT 1 FROM \"%w\".connbits_source WHERE table_name IS NOT NULL "
			     "LIMIT 1 OFFSET 1",
			     database_name);
}

enum status index_source_is_current(sqlite3 *database, const char *database_name,
				    const struct index_source *source, bool *current,
				    struct message *message)
{
	return database_asks(database, current, message,
			     "SELECT 1 FROM \"%w\".connbits_source WHERE id = %lld AND identity = "
			     "%Q AND table_name IS NOT NULL",
			     database_name, (long long)source->id, source->identity);
}

static enum status name_add(struct index_tables *tables, const unsigned char *name,
			    struct message *message)
{
	char **names = realloc(tables->names, (tables->count + 1) * sizeof(*names));

	if (!names)
		return message_out_of_memory(message);
	tables->names = names;
	names[tables->count] = name ? strdup((const char *)name) : NULL;
	return names[tables->count++] ? STATUS_OK : message_out_of_memory(message);
}

enum status index_tables_read(sqlite3 *database, const char *database_name, bool unfinished,
			      struct index_tables *tables, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	bool exists = false;
	int row = 1;
	enum status status = index_format_exists(database, database_name, &exists, message);

	*tables = (struct index_tables){0};
	if (status == STATUS_OK && exists)
		status = database_prepare(database, &statement, message,
					  "SELECT coalesce(table_name, building) AS name FROM "
					  "\"%w\".connbits_source WHERE name IS NOT NULL AND (%d "
					  "OR table_name IS NOT NULL) ORDER BY id",
					  database_name, unfinished);
	while (status == STATUS_OK && statement) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		status = name_add(tables, sqlite3_column_text(statement, 0), message);
	}
	sqlite3_finalize(statement);
	return status;
}

void index_tables_free(struct index_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
		free(tables->names[i]);
	free((void *)tables->names);
	*tables = (struct index_tables){0};
}

static void index_filter_free(struct index_filter *filter)
{
	free(filter->name);
	free(filter->expression);
	free(filter->description);
	free(filter->indexed_at);
}

const char *filter_kind_name(enum filter_kind kind)
{
	static const char *const names[] = {
		[FILTER_BUILT_IN] = "", [FILTER_PCAP] = "pcap", [FILTER_ROWS] = "rows"};

	return names[kind];
}

static enum filter_kind filter_kind_of(const char *name)
{
	if (name && strcmp(name, filter_kind_name(FILTER_ROWS)) == 0)
		return FILTER_ROWS;
	return name && *name ? FILTER_PCAP : FILTER_BUILT_IN;
}

static enum status filter_append(struct index_filters *filters, sqlite3_stmt *statement,
				 struct message *message)
{
	struct index_filter *items;
	struct index_filter filter = {
		.id = sqlite3_column_int64(statement, 0),
		.name = column_copy(statement, 1),
		.expression = column_copy(statement, 2),
		.description = column_copy(statement, 3),
		.rows = (uint64_t)sqlite3_column_int64(statement, 4),
		.indexed_at = column_copy(statement, 5),
		.position = sqlite3_column_int64(statement, 6),
	};

	filter.kind = filter_kind_of((const char *)sqlite3_column_text(statement, 8));
	column_print(statement, 7, filter.digest, sizeof(filter.digest));
	items = realloc(filters->items, (filters->count + 1) * sizeof(*items));
	if (items)
		filters->items = items;
	if (!items || !filter.name || !filter.expression || !filter.description ||
	    !filter.indexed_at) {
		index_filter_free(&filter);
		return message_out_of_memory(message);
	}
	items[filters->count++] = filter;
	return database_values(statement, STATUS_OK, message);
}

enum status index_filters_read(sqlite3 *database, const char *database_name, int64_t source,
			       struct index_filters *filters, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status;

	*filters = (struct index_filters){0};
	status = database_prepare(
		database, &statement, message,
		"SELECT id, name, expression, description, rows, indexed_at, "
		"position, digest, kind FROM \"%w\".connbits_filter WHERE source = %lld "
		"ORDER BY position, id",
		database_name, (long long)source);
	while (status == STATUS_OK) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		status = filter_append(filters, statement, message);
	}
	sqlite3_finalize(statement);
	if (status != STATUS_OK)
		index_filters_free(filters);
	return status;
}

void index_filters_free(struct index_filters *filters)
{
	for (size_t i = 0; i < filters->count; i++)
		index_filter_free(&filters->items[i]);
	free(filters->items);
	*filters = (struct index_filters){0};
}

enum status index_filter_find(sqlite3 *database, const char *database_name, int64_t source,
			      const char *name, struct index_filter_place *place, bool *found,
			      struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT id, rows, digest = '' AND expression <> '' FROM \"%w\".connbits_filter "
		"WHERE source = %lld AND name = %Q",
		database_name, (long long)source, name);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*found = status == STATUS_OK && row;
	if (*found) {
		place->id = sqlite3_column_int64(statement, 0);
		place->rows = (uint64_t)sqlite3_column_int64(statement, 1);
		place->lacks_rows = sqlite3_column_int(statement, 2);
	}
	sqlite3_finalize(statement);
	return status;
}

enum status index_filter_same(sqlite3 *database, const char *database_name, int64_t source,
			      const char *digest, char **name, struct message *message)
{
	sqlite3_stmt *statement;
	const char *text;
	int row = 0;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT name FROM \"%w\".connbits_filter WHERE source = %lld AND digest = %Q ORDER "
		"BY position LIMIT 1",
		database_name, (long long)source, digest);

	*name = NULL;
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		text = (const char *)sqlite3_column_text(statement, 0);
		*name = text ? strdup(text) : NULL;
		if (!*name)
			status = message_out_of_memory(message);
	}
	sqlite3_finalize(statement);
	return status;
}

bool index_filters_average(sqlite3 *database, const char *database_name, int64_t source,
			   double *rows)
{
	sqlite3_stmt *statement = NULL;
	struct message ignored;
	int row = 0;
	bool known;

	known = database_prepare(database, &statement, &ignored,
				 "SELECT avg(rows) FROM \"%w\".connbits_filter WHERE source = %lld",
				 database_name, (long long)source) == STATUS_OK &&
		database_step(statement, &row, &ignored) == STATUS_OK && row;
	if (known)
		*rows = sqlite3_column_double(statement, 0);
	sqlite3_finalize(statement);
	return known;
}

/* How long ago a set was read, in words. */
#define SET_AGE                                                                                    \
	"(SELECT CASE WHEN s >= 172800 THEN (s / 86400) || ' days' WHEN s >= 7200 THEN (s / "      \
	"3600) || "                                                                                \
	"' hours' ELSE (s / 60) || ' minutes' END FROM (SELECT strftime('%%s', 'now') - "          \
	"strftime('%%s', read_at) AS s))"

enum status index_filters_list(sqlite3 *database, const char *database_name, int64_t source,
			       const char *state, bool brief, bool sets, sqlite3_stmt **statement,
			       struct message *message)
{
	const char *text = brief ? "coalesce(nullif(description, ''), expression) AS description"
				 : "indexed_at, expression, description";

	if (!sets)
		return database_prepare(
			database, statement, message,
			"SELECT name, rows, iif(digest = '' AND expression <> '', 'behind', "
			"%Q) AS state, %s FROM \"%w\".connbits_filter WHERE source = %lld "
			"ORDER BY position, id",
			state, text, database_name, (long long)source);
	return database_prepare(
		database, statement, message,
		"SELECT name, rows, state, indexed_at, expression, description, kind, entries, "
		"digest FROM (SELECT 0 AS list, position AS place, id, name, rows, iif(digest = '' "
		"AND expression <> '', 'behind', %Q) AS state, indexed_at, expression, "
		"description, kind, NULL AS entries, digest FROM \"%w\".connbits_filter WHERE "
		"source = %lld UNION ALL SELECT 1, 0, 0, name, NULL, " SET_AGE
		", read_at, NULL, NULL, 'set', entries, digest FROM \"%w\".connbits_set WHERE "
		"source = %lld) ORDER BY list, place, id, name",
		state, database_name, (long long)source, database_name, (long long)source);
}

enum status index_sets_list(sqlite3 *database, const char *database_name, int64_t source,
			    sqlite3_stmt **statement, struct message *message)
{
	return database_prepare(database, statement, message,
				"SELECT name AS \"set\", entries, " SET_AGE " AS age, read_at, "
				"digest FROM \"%w\".connbits_set WHERE source = %lld ORDER BY name",
				database_name, (long long)source);
}

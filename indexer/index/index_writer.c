#include "index_writer.h"

#include "database/database.h"
#include "day_writer.h"

/* How the values are read, as far as it is not how dionaea's are. There is a column before. */
static void reading_append(sqlite3_str *json, const struct reading *reading)
{
	if (reading->hosts != HOST_TEXT)
		sqlite3_str_appendf(json, ",%Q,%Q", LAYOUT_HOSTS,
				    host_encoding_name(reading->hosts));
	if (reading->direction != DIRECTION_FIXED)
		sqlite3_str_appendf(json, ",%Q,%Q", LAYOUT_DIRECTION,
				    direction_encoding_name(reading->direction));
	if (reading->any_case)
		sqlite3_str_appendf(json, ",%Q,1", LAYOUT_ANY_CASE);
	if (reading->icmp != ICMP_COLUMNS)
		sqlite3_str_appendf(json, ",%Q,%Q", LAYOUT_ICMP, icmp_encoding_name(reading->icmp));
	if (reading->icmp_family)
		sqlite3_str_appendf(json, ",%Q,1", LAYOUT_ICMP_FAMILY);
	if (reading->has_protocol)
		sqlite3_str_appendf(json, ",%Q,%d", LAYOUT_PROTOCOL, reading->protocol);
}

static char *layout_json(const struct layout *layout)
{
	sqlite3_str *json = sqlite3_str_new(NULL);
	const char *comma = "";

	sqlite3_str_appendall(json, "json_object(");
	for (int role = 0; role < ROLE_COUNT; role++) {
		if (!layout->columns[role])
			continue;
		sqlite3_str_appendf(json, "%s%Q,%Q", comma, layout_role_name((enum role)role),
				    layout->columns[role]);
		comma = ",";
	}
	if (layout->timestamp)
		sqlite3_str_appendf(json, "%s%Q,%Q", comma, LAYOUT_TIMESTAMP, layout->timestamp);
	reading_append(json, &layout->reading);
	sqlite3_str_appendall(json, ")");
	return sqlite3_str_finish(json);
}

/* Prepares, runs and finalises one statement that returns no rows. */
static enum status run_once(sqlite3 *database, char *sql, struct message *message)
{
	enum status status =
		sql ? database_execute(database, sql, message) : message_out_of_memory(message);

	sqlite3_free(sql);
	return status;
}

enum status index_write_source_begin(sqlite3 *database, const struct layout *layout,
				     struct index_source *source, struct message *message)
{
	char *json = layout_json(layout);
	enum status status = json ? STATUS_OK : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = run_once(
			database,
			sqlite3_mprintf(
				"INSERT INTO connbits_source (id, building, schema, columns, "
				"identity, packed, inside, tracked, reading, first_row, last_row) "
				"VALUES ((SELECT max(0, ifnull(max(id), 0)) + 1 FROM "
				"connbits_source), %Q, %Q, %s, lower(hex(randomblob(16))), %d, %d, "
				"%d, %d, 1, 0)",
				layout->table, layout->schema, json, source->packed, source->inside,
				source->tracked, (int)source->reading),
			message);
	sqlite3_free(json);
	if (status == STATUS_OK)
		source->id = sqlite3_last_insert_rowid(database);
	return status;
}

enum status index_write_filters_add(sqlite3 *database, int64_t source,
				    struct index_write_filter *filters, size_t count,
				    struct message *message)
{
	sqlite3_stmt *statement = NULL;
	enum status status = database_begin(database, message);

	if (status == STATUS_OK)
		status = database_prepare(
			database, &statement, message,
			"INSERT INTO connbits_filter (source, name, expression, "
			"description, position, digest, kind) VALUES (%lld, ?1, ?2, ?3, "
			"?4, ?5, ?6)",
			(long long)source);
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		const char *texts[] = {filters[i].name, filters[i].expression,
				       filters[i].description};

		for (int place = 1; status == STATUS_OK && place <= 3; place++)
			status = database_bind_text(statement, place, texts[place - 1], message);
		sqlite3_bind_int64(statement, 4, filters[i].position);
		if (status == STATUS_OK)
			status = database_bind_text(
				statement, 5, filters[i].digest ? filters[i].digest : "", message);
		if (status == STATUS_OK)
			status = database_bind_text(statement, 6, filter_kind_name(filters[i].kind),
						    message);
		if (status == STATUS_OK)
			status = database_run(statement, message);
		filters[i].id = sqlite3_last_insert_rowid(database);
	}
	sqlite3_finalize(statement);
	return database_end(database, status, message);
}

enum status index_write_filters_stale(sqlite3 *database, const int64_t *ids, size_t count,
				      struct message *message)
{
	sqlite3_stmt *statement = NULL;
	enum status status = database_begin(database, message);

	if (status == STATUS_OK)
		status = database_prepare(database, &statement, message,
					  "UPDATE connbits_filter SET digest = '' WHERE id = ?1");
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		sqlite3_bind_int64(statement, 1, ids[i]);
		status = database_run(statement, message);
	}
	sqlite3_finalize(statement);
	return database_end(database, status, message);
}

enum status index_write_filter_rows(sqlite3 *database, const struct index_write_filter *filters,
				    size_t count, int64_t source, struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(
		database, &statement, message,
		"UPDATE connbits_filter SET rows = ?2, indexed_at = "
		"strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ'), source = iif(%lld, %lld, source) "
		"WHERE id = ?1",
		(long long)source, (long long)source);

	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		sqlite3_bind_int64(statement, 1, filters[i].id);
		sqlite3_bind_int64(statement, 2, (int64_t)filters[i].rows);
		status = database_run(statement, message);
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status filters_remove(sqlite3 *database, const int64_t *ids, size_t count,
				  struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = days_remove(database, ids, count, message);

	if (status != STATUS_OK)
		return status;
	status = database_prepare(database, &statement, message,
				  "DELETE FROM connbits_filter WHERE id = ?1");

	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		sqlite3_bind_int64(statement, 1, ids[i]);
		status = database_run(statement, message);
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status filters_describe(sqlite3 *database, const struct index_write_filter *filters,
				    size_t count, struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(
		database, &statement, message,
		"UPDATE connbits_filter SET description = ?2, position = ?3 WHERE id = ?1 AND "
		"(description <> ?2 OR position <> ?3)");

	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		sqlite3_bind_int64(statement, 1, filters[i].id);
		sqlite3_bind_int64(statement, 3, filters[i].position);
		status = database_bind_text(statement, 2, filters[i].description, message);
		if (status == STATUS_OK)
			status = database_run(statement, message);
	}
	sqlite3_finalize(statement);
	return status;
}

/* Within a transaction. */
static enum status sets_write(sqlite3 *database, int64_t source,
			      const struct index_write_sets *sets, struct message *message)
{
	sqlite3_stmt *remove = NULL;
	sqlite3_stmt *write = NULL;
	enum status status = database_prepare(
		database, &remove, message,
		"DELETE FROM connbits_set WHERE source = %lld AND name = ?1", (long long)source);

	if (status == STATUS_OK)
		status = database_prepare(
			database, &write, message,
			"INSERT OR REPLACE INTO connbits_set (source, name, digest, entries, "
			"read_at, bytes) VALUES (%lld, ?1, ?2, ?3, "
			"strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ'), ?4)",
			(long long)source);
	for (size_t i = 0; status == STATUS_OK && i < sets->removed_count; i++) {
		status = database_bind_text(remove, 1, sets->removed[i], message);
		if (status == STATUS_OK)
			status = database_run(remove, message);
	}
	for (size_t i = 0; status == STATUS_OK && i < sets->written_count; i++) {
		const struct index_write_set *set = &sets->written[i];

		status = database_bind_text(write, 1, set->name, message);
		if (status == STATUS_OK)
			status = database_bind_text(write, 2, set->digest, message);
		sqlite3_bind_int64(write, 3, (int64_t)set->entries);
		if (status == STATUS_OK)
			status = database_bind_blob(write, 4, set->bytes, set->size, message);
		if (status == STATUS_OK)
			status = database_run(write, message);
	}
	sqlite3_finalize(remove);
	sqlite3_finalize(write);
	return status;
}

enum status index_write_sets_add(sqlite3 *database, int64_t source,
				 const struct index_write_sets *sets, struct message *message)
{
	enum status status;

	if (sets->written_count + sets->removed_count == 0)
		return STATUS_OK;
	status = database_begin(database, message);
	if (status == STATUS_OK)
		status = sets_write(database, source, sets, message);
	return database_end(database, status, message);
}

#define SET_SEEN_LONG_AGO "read_at < strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', 'now', '-12 hours')"

enum status index_write_sets_seen(sqlite3 *database, int64_t source, const char *const *names,
				  size_t count, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	bool due = false;
	enum status status = STATUS_OK;

	if (count)
		status = database_asks(
			database, &due, message,
			"SELECT 1 FROM connbits_set WHERE source = %lld AND " SET_SEEN_LONG_AGO,
			(long long)source);
	if (status != STATUS_OK || !due)
		return status;
	status = database_begin(database, message);
	if (status != STATUS_OK)
		return status;
	status = database_prepare(
		database, &statement, message,
		"UPDATE connbits_set SET read_at = "
		"strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ') WHERE source = %lld AND name "
		"= ?1 AND " SET_SEEN_LONG_AGO,
		(long long)source);
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		status = database_bind_text(statement, 1, names[i], message);
		if (status == STATUS_OK)
			status = database_run(statement, message);
	}
	sqlite3_finalize(statement);
	return database_end(database, status, message);
}

enum status index_write_filters_publish(sqlite3 *database, int64_t source, const int64_t *removed,
					size_t removed_count,
					const struct index_write_filter *pending,
					size_t pending_count,
					const struct index_write_filter *others, size_t other_count,
					const struct index_write_sets *sets,
					struct message *message)
{
	enum status status = database_begin(database, message);

	if (status == STATUS_OK)
		status = filters_remove(database, removed, removed_count, message);
	if (status == STATUS_OK)
		status = index_write_filter_rows(database, pending, pending_count, source, message);
	if (status == STATUS_OK)
		status = filters_describe(database, others, other_count, message);
	if (status == STATUS_OK)
		status = sets_write(database, source, sets, message);
	if (status == STATUS_OK)
		status = run_once(database,
				  sqlite3_mprintf("UPDATE connbits_source SET " INDEX_IDENTITY_NEXT
						  " WHERE id = %lld",
						  (long long)source),
				  message);
	return database_end(database, status, message);
}

enum status index_write_source_publish(sqlite3 *database, int64_t source, const char *table,
				       struct message *message)
{
	enum status status = database_begin(database, message);

	if (status == STATUS_OK)
		status = run_once(
			database,
			sqlite3_mprintf("DELETE FROM connbits_source WHERE table_name = %Q COLLATE "
					"NOCASE;"
					"UPDATE connbits_source SET table_name = %Q, building = "
					"NULL WHERE id = %lld",
					table, table, (long long)source),
			message);
	return database_end(database, status, message);
}

enum status index_write_source_forget(sqlite3 *database, const char *table, struct message *message)
{
	return run_once(database,
			sqlite3_mprintf("UPDATE connbits_source SET table_name = NULL, building = "
					"NULL WHERE table_name = %Q OR building = %Q",
					table, table),
			message);
}

enum status index_write_mark_begin(sqlite3 *database, int64_t source, const char *current,
				   char **mark, struct message *message)
{
	uint64_t random[2];
	enum status status;

	sqlite3_randomness(sizeof(random), random);
	*mark = sqlite3_mprintf("%016llx%016llx", (unsigned long long)random[0],
				(unsigned long long)random[1]);
	if (!*mark)
		return message_out_of_memory(message);
	status = database_begin(database, message);
	if (status != STATUS_OK)
		return status;
	status = run_once(
		database,
		sqlite3_mprintf("UPDATE connbits_source SET mark = iif(%Q <> '' AND next_mark = "
				"%Q, next_mark, mark), next_mark = %Q WHERE id = %lld OR "
				"(%Q <> '' AND %Q IN (mark, next_mark))",
				current, current, *mark, (long long)source, current, current),
		message);
	return database_end(database, status, message);
}

enum status index_write_mark_settle(sqlite3 *database, const char *mark, struct message *message)
{
	enum status status = database_begin(database, message);

	if (status == STATUS_OK)
		status = run_once(database,
				  sqlite3_mprintf("UPDATE connbits_source SET mark = %Q, next_mark "
						  "= '' WHERE next_mark = %Q",
						  mark, mark),
				  message);
	return database_end(database, status, message);
}

enum status index_write_reading(sqlite3 *database, int64_t source, enum index_reading reading,
				struct message *message)
{
	enum status status = database_begin(database, message);

	if (status == STATUS_OK)
		status = run_once(database,
				  sqlite3_mprintf("UPDATE connbits_source SET reading = %d WHERE "
						  "%lld IN (id, 0)",
						  (int)reading, (long long)source),
				  message);
	return database_end(database, status, message);
}

enum status index_write_source_kind(sqlite3 *database, int64_t source, bool packed, bool tracked,
				    struct message *message)
{
	enum status status = database_begin(database, message);

	if (status == STATUS_OK)
		status = run_once(database,
				  sqlite3_mprintf("UPDATE connbits_source SET packed = %d, tracked "
						  "= %d WHERE id = %lld;"
						  "DELETE FROM connbits_day WHERE NOT %d AND "
						  "source = %lld",
						  packed, tracked, (long long)source, packed,
						  (long long)source),
				  message);
	return database_end(database, status, message);
}

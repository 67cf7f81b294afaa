#include "layout_find.h"

#include <stdlib.h>
#include <string.h>

#include "column_expression.h"
#include "database/database.h"
#include "database/table.h"
#include "import_mapping.h"
#include "row_connection.h"
#include "schema.h"

/* What is looked for. */
struct layout_search {
	sqlite3 *log;
	const struct source_section *section; /* NULL, or a [source] section */
	const char *table;		      /* NULL: any */
	const char *schema;		      /* NULL: any */
	struct layout *layout;
	struct diagnostics *mistakes;
	struct message *message;
};

/* The protocol of all rows of a table that has no transport; false where it is not known. */
static bool table_protocol(const struct schema *schema, const char *table, uint8_t *protocol)
{
	for (const struct schema_table *entry = schema->tables; entry && entry->name; entry++)
		if (sqlite3_stricmp(entry->name, table) == 0) {
			*protocol = entry->protocol;
			return true;
		}
	return false;
}

static bool is_optional(const struct schema *schema, int role)
{
	return schema->optional >> role & 1;
}

/* Whether [source] says itself where a role is. */
static bool is_given(const struct layout_search *search, int role)
{
	return search->section && search->section->columns[role];
}

/* Whether the table has the columns that the schema asks for, except those that [source] gives. */
static enum status table_has_columns(const struct layout_search *search,
				     const struct schema *schema, const char *table, bool *fits)
{
	enum status status = STATUS_OK;

	*fits = true;
	for (int role = 0; status == STATUS_OK && *fits && role < ROLE_COUNT; role++)
		if (schema->columns[role] && !is_optional(schema, role) && !is_given(search, role))
			status = table_has_column(search->log, "main", table, schema->columns[role],
						  fits, search->message);
	return status;
}

/* Whether it has them and the protocol of its rows is known. */
static enum status table_fits(const struct layout_search *search, const struct schema *schema,
			      const char *table, bool *fits)
{
	uint8_t protocol;
	enum status status = table_has_columns(search, schema, table, fits);

	if (status == STATUS_OK && *fits && is_optional(schema, ROLE_TRANSPORT) &&
	    !table_protocol(schema, table, &protocol))
		status = table_has_column(search->log, "main", table,
					  schema->columns[ROLE_TRANSPORT], fits, search->message);
	return status;
}

/* The columns of a schema that the table has. */
static enum status columns_take(const struct layout_search *search, const struct schema *schema)
{
	struct layout *layout = search->layout;
	enum status status = STATUS_OK;

	for (int role = 0; status == STATUS_OK && role < ROLE_COUNT; role++) {
		bool has = schema->columns[role] != NULL;

		if (has && is_optional(schema, role))
			status = table_has_column(search->log, "main", layout->table,
						  schema->columns[role], &has, search->message);
		if (status == STATUS_OK && has &&
		    !layout_set_text(&layout->columns[role], schema->columns[role]))
			status = message_out_of_memory(search->message);
	}
	return status;
}

static enum status layout_from_schema(const struct layout_search *search,
				      const struct schema *schema, const char *table)
{
	struct layout *layout = search->layout;
	enum status status;

	if (!layout_set_text(&layout->table, table) ||
	    !layout_set_text(&layout->schema, schema->name) ||
	    !layout_set_text(&layout->timestamp, schema->timestamp))
		return message_out_of_memory(search->message);
	layout->reading = schema->reading;
	status = columns_take(search, schema);
	if (status == STATUS_OK && !layout->columns[ROLE_TRANSPORT])
		layout->reading.has_protocol =
			table_protocol(schema, table, &layout->reading.protocol);
	return status;
}

/* What a [source] says goes before what a schema says. */
static enum status layout_override(const struct layout_search *search,
				   const struct source_section *section)
{
	struct layout *layout = search->layout;
	struct reading *reading = &layout->reading;

	for (int role = 0; role < ROLE_COUNT; role++)
		if (section->columns[role] &&
		    !layout_set_text(&layout->columns[role], section->columns[role]))
			return message_out_of_memory(search->message);
	if (section->timestamp && !layout_set_text(&layout->timestamp, section->timestamp))
		return message_out_of_memory(search->message);
	if (section->given & SOURCE_HOSTS)
		reading->hosts = section->reading.hosts;
	if (section->given & SOURCE_DIRECTION)
		reading->direction = section->reading.direction;
	if (section->given & SOURCE_ICMP)
		reading->icmp = section->reading.icmp;
	if (section->given & SOURCE_NAMES) {
		reading->any_case = section->reading.any_case;
		reading->icmp_family = section->reading.any_case;
	}
	/* A column and a constant for all rows take each other's place. */
	if (section->columns[ROLE_TRANSPORT] || section->given & SOURCE_PROTOCOL)
		reading->has_protocol = false;
	if (section->given & SOURCE_PROTOCOL) {
		reading->has_protocol = true;
		reading->protocol = section->reading.protocol;
		(void)layout_set_text(&layout->columns[ROLE_TRANSPORT], NULL);
		(void)layout_set_text(&layout->columns[ROLE_PROTOCOL], NULL);
	}
	return STATUS_OK;
}

static bool schema_is_wanted(const struct layout_search *search, const struct schema *schema)
{
	return !search->schema || strcmp(schema->name, search->schema) == 0;
}

/* The first schema that the table fits; NULL where there is none. */
static enum status schema_of_table(const struct layout_search *search, const char *table,
				   const struct schema **schema)
{
	enum status status = STATUS_OK;

	*schema = NULL;
	for (size_t i = 0; status == STATUS_OK && !*schema && i < schema_count; i++) {
		bool fits = false;

		if (schema_is_wanted(search, &schemas[i]))
			status = table_fits(search, &schemas[i], table, &fits);
		if (fits)
			*schema = &schemas[i];
	}
	return status;
}

/* A table that connbits-import made, as it says. */
static enum status layout_from_import(const struct layout_search *search,
				      const struct import_mapping *mapping, const char *table)
{
	struct layout *layout = search->layout;

	if (!layout_set_text(&layout->table, table) ||
	    !layout_set_text(&layout->schema, LAYOUT_OF_IMPORT))
		return message_out_of_memory(search->message);
	if (mapping->section.directed)
		layout->reading.direction = DIRECTION_TYPE;
	return layout_override(search, &mapping->section);
}

/* The same for a table by its name; *found is false where connbits-import says nothing of it. */
static enum status layout_if_imported(const struct layout_search *search, const char *table,
				      bool *found)
{
	struct import_mapping mapping = {0};
	enum status status = STATUS_OK;

	*found = false;
	if (!search->schema)
		status = import_mapping_read(search->log, table, &mapping, search->message);
	if (status == STATUS_OK && mapping.found) {
		*found = true;
		status = layout_from_import(search, &mapping, table);
	}
	import_mapping_free(&mapping);
	return status;
}

/* The tables that fit, of which one is taken: a schema's own where there is one such, or the only.
 */
struct candidates {
	char *table;
	const struct schema *schema; /* NULL of one that connbits-import made */
	size_t count;
	char *half; /* a table that lacks its transport alone; NULL without */
	const struct schema *half_schema;
	bool own;	   /* the table has the name that its schema prefers */
	sqlite3_str *list; /* of all, for a message */
};

static enum status candidate_add(struct candidates *candidates, const struct schema *schema,
				 const char *table, bool own, struct message *message)
{
	if (sqlite3_str_length(candidates->list) < 300)
		sqlite3_str_appendf(candidates->list, "%s'%.60s'",
				    sqlite3_str_length(candidates->list) ? ", " : "", table);
	if (candidates->own && !own)
		return STATUS_OK;
	candidates->count = own && !candidates->own ? 1 : candidates->count + 1;
	candidates->own = own;
	candidates->schema = schema;
	return layout_set_text(&candidates->table, table) ? STATUS_OK
							  : message_out_of_memory(message);
}

/* Notes a table that has all columns of a schema but the transport's. */
static enum status half_note(const struct layout_search *search, const char *table,
			     struct candidates *candidates)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && !candidates->half && i < schema_count; i++) {
		bool fits = false;

		if (schema_is_wanted(search, &schemas[i]))
			status = table_has_columns(search, &schemas[i], table, &fits);
		if (status != STATUS_OK || !fits)
			continue;
		candidates->half_schema = &schemas[i];
		if (!layout_set_text(&candidates->half, table))
			status = message_out_of_memory(search->message);
	}
	return status;
}

/* Adds the table where it fits. */
static enum status candidate_try(const struct layout_search *search, const char *table,
				 struct candidates *candidates)
{
	struct import_mapping mapping = {0};
	const struct schema *schema = NULL;
	enum table_kind kind = TABLE_MISSING;
	bool own = false;
	enum status status = STATUS_OK;

	if (!search->schema)
		status = import_mapping_read(search->log, table, &mapping, search->message);
	if (status == STATUS_OK && !mapping.found)
		status = schema_of_table(search, table, &schema);
	if (status == STATUS_OK && !mapping.found && !schema)
		status = half_note(search, table, candidates);
	own = schema ? sqlite3_stricmp(table, schema->table) == 0 : mapping.preferred;
	if (status == STATUS_OK && (schema || mapping.found))
		status = table_find(search->log, "main", table, &kind, NULL, search->message);
	if (status == STATUS_OK && (schema || mapping.found) && kind != TABLE_VIRTUAL)
		status = candidate_add(candidates, schema, table, own, search->message);
	import_mapping_free(&mapping);
	return status;
}

static enum status candidates_find(const struct layout_search *search,
				   struct candidates *candidates)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		search->log, &statement, search->message,
		"SELECT name FROM main.sqlite_master WHERE type = 'table' AND rootpage > 0 ORDER "
		"BY name");

	while (status == STATUS_OK) {
		const char *name;

		status = database_step(statement, &row, search->message);
		if (status != STATUS_OK || !row)
			break;
		name = (const char *)sqlite3_column_text(statement, 0);
		if (!name) {
			status = message_out_of_memory(search->message);
			break;
		}
		status = candidate_try(search, name, candidates);
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status layout_recognise(const struct layout_search *search)
{
	struct candidates candidates = {.list = sqlite3_str_new(search->log)};
	bool imported;
	enum status status = candidates_find(search, &candidates);

	if (status == STATUS_OK && candidates.count > 1)
		status = message_set(search->message, STATUS_FAILED,
				     "several tables hold connections (%.400s); choose one with "
				     "--table",
				     sqlite3_str_value(candidates.list)
					     ? sqlite3_str_value(candidates.list)
					     : candidates.table);
	else if (status == STATUS_OK && candidates.count == 1 && !candidates.schema)
		status = layout_if_imported(search, candidates.table, &imported);
	else if (status == STATUS_OK && candidates.count == 1)
		status = layout_from_schema(search, candidates.schema, candidates.table);
	else if (status == STATUS_OK && candidates.half)
		/* What it lacks is said when it is held against what a layout needs. */
		status = layout_from_schema(search, candidates.half_schema, candidates.half);
	else if (status == STATUS_OK)
		status = message_set(
			search->message, STATUS_FAILED,
			"no table with the columns of a known log (%s%.60s; connbits-index "
			"--list-schemas shows them all); describe yours in a [source] section of "
			"the catalogue",
			search->schema ? "of " : "dionaea, zeek, pmacct, ulogd2 and others",
			search->schema ? search->schema : "");
	sqlite3_free(sqlite3_str_finish(candidates.list));
	free(candidates.table);
	free(candidates.half);
	return status;
}

/* What a known tool's table and [source] say together has to be a whole. */
static enum status layout_complete(const struct layout_search *search)
{
	const struct layout *layout = search->layout;
	const char *missing = layout_missing(layout);

	if (!missing)
		return STATUS_OK;
	if (strcmp(missing, layout_role_name(ROLE_TRANSPORT)) != 0)
		return message_set(search->message, STATUS_USAGE,
				   "no column is named for %s of the table '%.100s'", missing,
				   layout->table);
	return message_set(
		search->message, STATUS_FAILED,
		"the table '%.100s' has no column for the transport, and it is not known "
		"which it is about; say it once in a [source] section of the catalogue: "
		"schema = %s, table = %.100s, transport = 'tcp'",
		layout->table, layout->schema, layout->table);
}

/* The schema of a table that the user has named. */
static enum status layout_for_table(const struct layout_search *search)
{
	const struct schema *forced = NULL;
	bool imported = false;
	enum status status =
		layout_table_check(search->log, "main", search->table, search->message);

	if (status == STATUS_OK)
		status = layout_if_imported(search, search->table, &imported);
	if (status != STATUS_OK || imported)
		return status;

	for (size_t i = 0; status == STATUS_OK && i < schema_count; i++) {
		bool fits;

		if (!schema_is_wanted(search, &schemas[i]))
			continue;
		if (!forced)
			forced = &schemas[i];
		status = table_has_columns(search, &schemas[i], search->table, &fits);
		if (status == STATUS_OK && fits)
			return layout_from_schema(search, &schemas[i], search->table);
	}
	if (status != STATUS_OK)
		return status;
	/* A schema that the user forces is held against the columns by layout_check. */
	if (search->schema && forced)
		return layout_from_schema(search, forced, search->table);
	return message_set(search->message, STATUS_FAILED,
			   "the table '%.200s' does not have the columns of a known log "
			   "(connbits-index --list-schemas shows them); describe it in a [source] "
			   "section of the catalogue",
			   search->table);
}

/* A [source] that stands for itself. */
static enum status layout_from_catalogue(const struct layout_search *search)
{
	struct layout *layout = search->layout;

	if (!search->table)
		return message_set(search->message, STATUS_USAGE,
				   "no table is named; add 'table = NAME' or use --table");
	if (!layout_set_text(&layout->table, search->table) ||
	    !layout_set_text(&layout->schema, LAYOUT_OF_CATALOGUE))
		return message_out_of_memory(search->message);
	if (search->section->directed)
		layout->reading.direction = DIRECTION_TYPE;
	return STATUS_OK;
}

static enum status layout_search(const struct layout_search *search)
{
	enum status status;

	if (search->section && !search->schema)
		status = layout_from_catalogue(search);
	else if (search->table)
		status = layout_for_table(search);
	else
		status = layout_recognise(search);
	if (status == STATUS_OK && search->section)
		status = layout_override(search, search->section);
	return status;
}

/* The timestamp of a schema may be missing, one that the user names may not. */
static enum status timestamp_check(const struct layout_search *search)
{
	if (!search->section || !search->section->timestamp || search->layout->timestamp)
		return STATUS_OK;
	return message_set(search->message, STATUS_FAILED,
			   "the table '%.200s' has no column '%.200s' (for timestamp)",
			   search->layout->table, search->section->timestamp);
}

static enum status expression_try(const struct layout_search *search,
				  struct row_connection *connection, const char *column,
				  const char *role, size_t line)
{
	struct message cause;
	enum status status;

	if (!column_expression_is(column))
		return STATUS_OK;
	status = row_connection_try(connection, search->layout, column, &cause, search->message);
	if (status == STATUS_OK && *cause.text)
		diagnostics_add(search->mistakes, line,
				"'%s' is not an expression of a row of '%.200s': %.600s", role,
				search->layout->table, cause.text);
	return status;
}

/* All expressions are tried, so that all mistakes are seen in one go. */
static enum status expressions_check(const struct layout_search *search)
{
	const struct source_section *section = search->section;
	const struct layout *layout = search->layout;
	struct row_connection *connection;
	enum status status;

	if (!section || !layout_has_expressions(layout))
		return STATUS_OK;
	status = row_connection_beside(search->log, "main", layout, &connection, search->message);
	for (int role = 0; status == STATUS_OK && role < ROLE_COUNT; role++)
		status = expression_try(search, connection, layout->columns[role],
					section->keys[role], section->column_lines[role]);
	if (status == STATUS_OK)
		status = expression_try(search, connection, layout->timestamp, LAYOUT_TIMESTAMP,
					section->timestamp_line);
	row_connection_close(connection);
	if (status == STATUS_OK && !diagnostics_empty(search->mistakes))
		status = message_set(search->message, STATUS_USAGE,
				     "an expression in [source] is wrong");
	return status;
}

/*
 * A [source] of another table than the user's says nothing of that one, and
 * where the user names a schema only one that builds on a schema still counts.
 */
static bool section_applies(const struct source_section *section, const char *table,
			    const char *schema)
{
	if (!section || !section->line || (schema && !section->schema))
		return false;
	return !table || !section->table || sqlite3_stricmp(table, section->table) == 0;
}

enum status layout_find(sqlite3 *log, const struct source_section *section, const char *table,
			const char *schema, struct layout *layout, struct diagnostics *mistakes,
			struct message *message)
{
	struct layout_search search = {.log = log,
				       .table = table,
				       .schema = schema,
				       .layout = layout,
				       .mistakes = mistakes,
				       .message = message};
	enum status status;

	*layout = (struct layout){0};
	if (schema && !schema_find(schema))
		return message_set(message, STATUS_USAGE,
				   "unknown schema '%.100s'; connbits-index --list-schemas shows "
				   "them (others through [source] in the catalogue)",
				   schema);
	if (section_applies(section, table, schema)) {
		search.section = section;
		search.schema = schema ? schema : section->schema;
		search.table = table ? table : section->table;
	}
	status = layout_search(&search);
	if (status == STATUS_OK)
		status = layout_check(log, "main", layout, message);
	if (status == STATUS_OK)
		status = layout_complete(&search);
	if (status == STATUS_OK)
		status = expressions_check(&search);
	return status == STATUS_OK ? timestamp_check(&search) : status;
}

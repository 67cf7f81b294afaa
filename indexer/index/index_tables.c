#include "index_tables.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database/database.h"
#include "database/database_open.h"
#include "index_reader.h"

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

enum status index_tables_read(const char *path, bool unfinished, struct index_tables *tables,
			      struct message *message)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	bool exists = false;
	int row = 1;
	enum status status;

	*tables = (struct index_tables){0};
	if (access(path, F_OK) != 0)
		return STATUS_OK;
	database_recover(path);
	status = database_open(path, DATABASE_READ, &database, message);
	if (status == STATUS_OK)
		status = stored_exists(database, "main", &exists, message);
	if (status == STATUS_OK && exists)
		status = database_prepare(database, &statement, message,
					  "SELECT coalesce(table_name, building) AS name FROM "
					  "connbits_source WHERE name IS NOT NULL AND (%d OR "
					  "table_name IS NOT NULL) ORDER BY id",
					  unfinished);
	while (status == STATUS_OK && statement) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		status = name_add(tables, sqlite3_column_text(statement, 0), message);
	}
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return status;
}

void index_tables_free(struct index_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
		free(tables->names[i]);
	free((void *)tables->names);
	*tables = (struct index_tables){0};
}

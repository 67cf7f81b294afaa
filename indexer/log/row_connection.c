#include "row_connection.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "database/database.h"
#include "database/database_open.h"
#include "row_functions.h"

enum {
	TICK_STEPS = 100000, /* of SQLite's virtual machine */
	ROW_TICKS = 500,     /* about a second */
	ROW_SECONDS = 2,     /* of processor time, also of what gives no ticks */
	/* A host's own lock is not given up while it waits for an answer. */
	BESIDE_BUSY_MILLISECONDS = 1000,
};

struct row_connection {
	sqlite3 *database;
	const char *name; /* of the log's database */
	bool own;
	bool confined;
	bool row_failed;
	unsigned ticks; /* of the row at hand */
};

/* What gives the same for the same arguments, and does nothing else. */
static const char *const functions[] = {
	"->",		"->>",	       "abs",	     "avg",	   "char",
	"coalesce",	"concat",      "concat_ws",  "count",	   "date",
	"datetime",	"format",      "glob",	     "hex",	   "ifnull",
	"iif",		"instr",       "json",	     "json_array", "json_array_length",
	"json_extract", "json_object", "json_quote", "json_type",  "json_valid",
	"julianday",	"length",      "like",	     "likelihood", "likely",
	"lower",	"ltrim",       "max",	     "min",	   "nullif",
	"octet_length", "printf",      "quote",	     "replace",	   "round",
	"rtrim",	"sign",	       "strftime",   "substr",	   "substring",
	"sum",		"time",	       "timediff",   "total",	   "trim",
	"typeof",	"unhex",       "unicode",    "unixepoch",  "unlikely",
	"upper",
};

static bool function_is_allowed(const char *name)
{
	for (size_t i = 0; name && i < sizeof(functions) / sizeof(*functions); i++)
		if (strcasecmp(functions[i], name) == 0)
			return true;
	return false;
}

static bool has_prefix(const char *name, const char *prefix)
{
	return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

/* Of a table none of whose columns are read no database is told. */
static bool table_is_readable(const char *table, const char *database)
{
	return table && (!database || strcmp(database, "main") == 0) &&
	       !has_prefix(table, "connbits_") && !has_prefix(table, "sqlite_") &&
	       !has_prefix(table, "pragma_");
}

/* sqlite3_set_authorizer's callback (www.sqlite.org/c3ref/c_alter_table.html has its words). */
static int authorize(void *context, int action, const char *first, const char *second,
		     const char *database, const char *inner)
{
	(void)context;
	(void)inner;
	switch (action) {
	case SQLITE_SELECT:
		return SQLITE_OK;
	case SQLITE_READ:
		return table_is_readable(first, database) ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_FUNCTION:
		return function_is_allowed(second) ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

static int tick(void *context)
{
	struct row_connection *connection = context;

	return ++connection->ticks > ROW_TICKS;
}

/* From here on nothing can be prepared on it but what reads rows. */
static enum status confine(struct row_connection *connection, struct message *message)
{
	static const char *modules[] = {"json_each", "json_tree", NULL};
	static const struct {
		int limit;
		int value;
	} limits[] = {
		/* Not those that the log's own schema might exceed. */
		{SQLITE_LIMIT_LENGTH, 1 << 20},	    {SQLITE_LIMIT_VDBE_OP, 100000},
		{SQLITE_LIMIT_COMPOUND_SELECT, 20}, {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
		{SQLITE_LIMIT_VARIABLE_NUMBER, 2},  {SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};
	sqlite3 *database = connection->database;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		sqlite3_limit(database, limits[i].limit, limits[i].value);
	/* Connecting them is what no authorizer allows. A SQLite without JSON has none. */
	sqlite3_exec(database, "SELECT 1 FROM json_each('[]'), json_tree('[]')", NULL, NULL, NULL);
	if (row_functions_add(database) != SQLITE_OK)
		return database_failed(database, message);
	if (sqlite3_drop_modules(database, modules) != SQLITE_OK ||
	    sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, NULL) != SQLITE_OK ||
	    sqlite3_set_authorizer(database, authorize, NULL) != SQLITE_OK)
		return database_failed(database, message);
	sqlite3_progress_handler(database, TICK_STEPS, tick, connection);
	connection->confined = true;
	return STATUS_OK;
}

enum status row_connection_open(const char *path, const struct layout *layout,
				struct row_connection **connection, struct message *message)
{
	struct row_connection *opened = calloc(1, sizeof(*opened));
	enum status status;

	*connection = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->own = true;
	opened->name = "main";
	status = database_open(path, DATABASE_READ, &opened->database, message);
	if (status == STATUS_OK && layout_has_expressions(layout))
		status = confine(opened, message);
	if (status == STATUS_OK)
		*connection = opened;
	else
		row_connection_close(opened);
	return status;
}

static enum status connection_borrow(sqlite3 *log, const char *database_name,
				     struct row_connection **connection, struct message *message)
{
	*connection = calloc(1, sizeof(**connection));
	if (!*connection)
		return message_out_of_memory(message);
	(*connection)->database = log;
	(*connection)->name = database_name;
	return STATUS_OK;
}

enum status row_connection_beside(sqlite3 *log, const char *database_name,
				  const struct layout *layout, struct row_connection **connection,
				  struct message *message)
{
	const char *path = sqlite3_db_filename(log, database_name);
	enum status status;

	*connection = NULL;
	if (!layout_has_expressions(layout))
		return connection_borrow(log, database_name, connection, message);
	if (!path || !*path)
		return message_set(message, STATUS_USAGE,
				   "columns of '%.200s' are SQL expressions, which are evaluated "
				   "only on a connection of their own, and a log in memory has no "
				   "file for one",
				   layout->table);
	if (sqlite3_txn_state(log, database_name) == SQLITE_TXN_WRITE)
		return message_set(message, STATUS_USAGE,
				   "columns of '%.200s' are SQL expressions, which are evaluated "
				   "only on a connection of their own, and it would not see what "
				   "this one has written; commit first",
				   layout->table);
	status = row_connection_open(path, layout, connection, message);
	if (status == STATUS_OK)
		sqlite3_busy_timeout((*connection)->database, BESIDE_BUSY_MILLISECONDS);
	return status;
}

sqlite3 *row_connection_database(const struct row_connection *connection)
{
	return connection->database;
}

const char *row_connection_name(const struct row_connection *connection)
{
	return connection->name;
}

/* Waiting for a lock takes none. */
static double thread_seconds(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* What SQLite found wrong with the text itself, and not with the file. */
static bool is_mistake(sqlite3 *database)
{
	switch (sqlite3_errcode(database)) {
	case SQLITE_ERROR:
	case SQLITE_AUTH:
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
		return true;
	default:
		return false;
	}
}

static void mistake_tell(sqlite3 *database, struct message *cause)
{
	const char *found = sqlite3_errmsg(database);
	const bool function = strstr(found, "not authorized to use function") != NULL;

	message_set(cause, STATUS_USAGE, "%.500s%s", found,
		    function ? ", only such as give the same for the same row" : "");
}

enum status row_connection_try(const struct row_connection *connection, const struct layout *layout,
			       const char *expression, struct message *cause,
			       struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	/* A row where there are none: the expression has made an aggregate of the question. */
	enum status status = database_prepare(connection->database, &statement, message,
					      "SELECT %s FROM \"%w\".\"%w\" WHERE 0", expression,
					      connection->name, layout->table);

	cause->text[0] = '\0';
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status != STATUS_OK && is_mistake(connection->database)) {
		mistake_tell(connection->database, cause);
		status = STATUS_OK;
	}
	if (row)
		message_set(cause, STATUS_USAGE, "it is about all rows together, not about one");
	sqlite3_finalize(statement);
	return status;
}

enum status row_connection_step(struct row_connection *connection, sqlite3_stmt *statement,
				int *row, struct message *message)
{
	double start;
	enum status status;

	if (!connection->confined)
		return database_step(statement, row, message);
	connection->ticks = 0;
	start = thread_seconds();
	status = database_step(statement, row, message);
	connection->row_failed = status != STATUS_OK && is_mistake(connection->database);
	if ((status != STATUS_OK && connection->ticks > ROW_TICKS) ||
	    thread_seconds() - start > ROW_SECONDS) {
		connection->row_failed = false;
		return message_set(message, STATUS_FAILED,
				   "an SQL expression in place of a column takes too long for one "
				   "row; if it looks up another table, give that an index");
	}
	return status;
}

bool row_connection_row_failed(const struct row_connection *connection)
{
	return connection->row_failed;
}

void row_connection_close(struct row_connection *connection)
{
	if (connection && connection->own)
		sqlite3_close(connection->database);
	free(connection);
}

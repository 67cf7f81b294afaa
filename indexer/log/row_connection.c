#include "row_connection.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "column_expression.h"
#include "database/database.h"
#include "database/database_open.h"
#include "row_dates.h"
#include "row_functions.h"

/* In a host's process the connection beside ours is the host's, and so are its locks. */
#ifdef CONNBITS_EXTENSION
enum { IN_HOST = 1, BESIDE_MODE = DATABASE_READ_BESIDE };
#else
enum { IN_HOST = 0, BESIDE_MODE = DATABASE_READ };
#endif

enum {
	TICK_STEPS = 1000, /* of SQLite's virtual machine */
};

/* Of processor time, for one row: what an expression may write into temporary files is bounded so.
 */
static const double ROW_SECONDS = 0.5;

struct row_connection {
	sqlite3 *database;
	const char *name; /* of the log's database */
	bool own;
	bool confined;
	bool row_failed;
	double started; /* the row at hand, by the thread's clock */
	bool late;
};

/* What gives the same for the same arguments, and does nothing else. */
static const char *const functions[] = {
	"->",		"->>",		"abs",		"avg",	      "ceil",
	"ceiling",	"char",		"coalesce",	"concat",     "concat_ws",
	"count",	"date",		"datetime",	"exp",	      "floor",
	"format",	"glob",		"group_concat", "hex",	      "ifnull",
	"iif",		"instr",	"json",		"json_array", "json_array_length",
	"json_extract", "json_insert",	"json_object",	"json_patch", "json_quote",
	"json_remove",	"json_replace", "json_set",	"json_type",  "json_valid",
	"julianday",	"length",	"like",		"likelihood", "likely",
	"ln",		"log",		"log10",	"log2",	      "lower",
	"ltrim",	"max",		"min",		"mod",	      "nullif",
	"octet_length", "pow",		"power",	"printf",     "quote",
	"replace",	"round",	"rtrim",	"sign",	      "sqrt",
	"strftime",	"substr",	"substring",	"sum",	      "time",
	"total",	"trim",		"trunc",	"typeof",     "unhex",
	"unicode",	"unixepoch",	"unlikely",	"upper",
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
	case SQLITE_TRANSACTION: /* ours: no expression has one */
		return SQLITE_OK;
	case SQLITE_READ:
		return table_is_readable(first, database) ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_FUNCTION:
		return function_is_allowed(second) ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

/* Waiting for a lock takes none. */
static double thread_seconds(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int tick(void *context)
{
	struct row_connection *connection = context;

	connection->late = thread_seconds() - connection->started > ROW_SECONDS;
	return connection->late;
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
	if (row_functions_add(database) != SQLITE_OK || row_dates_add(database) != SQLITE_OK)
		return database_failed(database, message);
	if (sqlite3_drop_modules(database, modules) != SQLITE_OK ||
	    sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, NULL) != SQLITE_OK ||
	    sqlite3_set_authorizer(database, authorize, NULL) != SQLITE_OK)
		return database_failed(database, message);
	sqlite3_progress_handler(database, TICK_STEPS, tick, connection);
	connection->confined = true;
	return STATUS_OK;
}

enum status row_connection_check(struct row_connection *connection, const struct layout *layout,
				 struct message *message)
{
	sqlite3_str *list;
	sqlite3_stmt *statement;
	char *columns;
	int row = 0;
	enum status status;

	if (!connection->confined)
		return STATUS_OK;
	connection->started = thread_seconds();
	list = sqlite3_str_new(NULL);
	for (int role = 0; role < ROLE_COUNT; role++)
		if (column_expression_is(layout->columns[role]))
			sqlite3_str_appendf(list, "%s, ", layout->columns[role]);
	sqlite3_str_appendall(list,
			      column_expression_is(layout->timestamp) ? layout->timestamp : "0");
	columns = sqlite3_str_finish(list);
	if (!columns)
		return message_out_of_memory(message);
	status = database_prepare(connection->database, &statement, message,
				  "SELECT %s FROM main.\"%w\" WHERE 0", columns, layout->table);
	sqlite3_free(columns);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	sqlite3_finalize(statement);
	if (status == STATUS_OK && row)
		return message_set(
			message, STATUS_FAILED,
			"an SQL expression in place of a column of '%.200s' is about all "
			"rows together, not about one",
			layout->table);
	return status;
}

static enum status connection_open(const char *path, enum database_mode mode,
				   const struct layout *layout, struct row_connection **connection,
				   struct message *message)
{
	struct row_connection *opened = calloc(1, sizeof(*opened));
	enum status status;

	*connection = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->own = true;
	opened->name = "main";
	status = database_open(path, mode, &opened->database, message);
	if (status == STATUS_OK && layout_has_expressions(layout))
		status = confine(opened, message);
	if (status == STATUS_OK)
		*connection = opened;
	else
		row_connection_close(opened);
	return status;
}

enum status row_connection_open(const char *path, const struct layout *layout,
				struct row_connection **connection, struct message *message)
{
	return connection_open(path, DATABASE_READ, layout, connection, message);
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

static bool is_in_wal_mode(sqlite3 *log, const char *database_name)
{
	sqlite3_stmt *statement;
	struct message ignored;
	const char *mode = NULL;
	int row = 0;
	bool wal;

	if (database_prepare(log, &statement, &ignored, "PRAGMA \"%w\".journal_mode",
			     database_name) == STATUS_OK &&
	    database_step(statement, &row, &ignored) == STATUS_OK && row)
		mode = (const char *)sqlite3_column_text(statement, 0);
	wal = !mode || strcmp(mode, "wal") == 0;
	sqlite3_finalize(statement);
	return wal;
}

/* Why a second connection would not see what the host's sees; NULL where it would. */
static const char *host_differs(sqlite3 *log, const char *database_name)
{
	const sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
	sqlite3_vfs *vfs = NULL;
	int moved = 0;

	sqlite3_file_control(log, database_name, SQLITE_FCNTL_VFS_POINTER, &vfs);
	if (!vfs || !usual || strcmp(vfs->zName, usual->zName) != 0)
		return "this one has files of its own kind (vfs)";
	if (sqlite3_file_control(log, database_name, SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
	    moved)
		return "another file has taken the place of this one's; open the log anew";
	if (sqlite3_txn_state(log, database_name) == SQLITE_TXN_WRITE)
		return "it would not see what this one has written; commit first";
	if (!sqlite3_get_autocommit(log) && is_in_wal_mode(log, database_name))
		return "it would not see the log as of this one's transaction; end that first";
	return NULL;
}

static const char *barred(sqlite3 *log, const char *database_name)
{
	const char *path = sqlite3_db_filename(log, database_name);

	if (!path || !*path)
		return "a log in memory has no file for one";
	return IN_HOST ? host_differs(log, database_name) : NULL;
}

enum status row_connection_beside(sqlite3 *log, const char *database_name,
				  const struct layout *layout, struct row_connection **connection,
				  struct message *message)
{
	const char *why;

	*connection = NULL;
	if (!layout_has_expressions(layout))
		return connection_borrow(log, database_name, connection, message);
	why = barred(log, database_name);
	if (why)
		return message_set(message, STATUS_USAGE,
				   "columns of '%.200s' are SQL expressions, which are evaluated "
				   "only on a connection of their own, and %s",
				   layout->table, why);
	return connection_open(sqlite3_db_filename(log, database_name), DATABASE_READ_BESIDE,
			       layout, connection, message);
}

sqlite3 *row_connection_database(const struct row_connection *connection)
{
	return connection->database;
}

const char *row_connection_name(const struct row_connection *connection)
{
	return connection->name;
}

/* What SQLite found wrong with the text itself, and not with the file. */
static bool is_mistake(sqlite3 *database)
{
	switch (sqlite3_errcode(database) & 0xff) {
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

enum status row_connection_try(struct row_connection *connection, const struct layout *layout,
			       const char *expression, struct message *cause,
			       struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status;

	connection->started = thread_seconds();
	/* A row where there are none: the expression has made an aggregate of the question. */
	status = database_prepare(connection->database, &statement, message,
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
	enum status status;

	if (!connection->confined)
		return database_step(statement, row, message);
	connection->late = false;
	connection->started = thread_seconds();
	status = database_step(statement, row, message);
	/* A function gives no ticks while it runs. */
	connection->late |= thread_seconds() - connection->started > ROW_SECONDS;
	connection->row_failed = status != STATUS_OK && is_mistake(connection->database);
	if (connection->late) {
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

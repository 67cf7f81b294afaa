/*
 * The loadable extension: its entry point and nothing else. Loading it gives a
 * connection bitmap() and what belongs to it, bpf_filter() and bpf_connection(),
 * and the rb_ functions.
 */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "answer_cache.h"
#include "bitmap_functions.h"
#include "bpf_functions.h"
#include "rb_aggregate.h"
#include "rb_build.h"
#include "rb_clickhouse.h"
#include "rb_combine.h"
#include "rb_member.h"

enum { SQLITE_NEEDED = 3039000 }; /* sqlite3_db_name */

/* What is inside: all other code is connbits' own or the C library's. */
static void connbits_version(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	(void)count;
	(void)arguments;
	sqlite3_result_text(context, CONNBITS_VERSION " (libpcap " CONNBITS_LIBPCAP ")", -1,
			    SQLITE_STATIC);
}

static int bitmaps_register(sqlite3 *database)
{
	struct answer_cache *cache = answer_cache_new(database);
	int code;

	if (!cache)
		return SQLITE_NOMEM;
	code = bitmap_functions_register(database, cache);
	answer_cache_release(cache);
	return code;
}

static int filters_register(sqlite3 *database)
{
	struct program_cache *cache = program_cache_new();
	int code;

	if (!cache)
		return SQLITE_NOMEM;
	code = bpf_functions_register(database, cache);
	program_cache_release(cache);
	return code;
}

/* What needs nothing of its own. */
static int (*const families[])(sqlite3 *database) = {
	rb_aggregate_register, rb_build_register,  rb_clickhouse_register,
	rb_combine_register,   rb_member_register,
};

__attribute__((visibility("default"))) int sqlite3_connbits_init(sqlite3 *database, char **error,
								 const sqlite3_api_routines *api)
{
	int code;

	SQLITE_EXTENSION_INIT2(api)
	if (sqlite3_libversion_number() < SQLITE_NEEDED) {
		*error = sqlite3_mprintf("connbits needs SQLite 3.39 or newer; this is %s",
					 sqlite3_libversion());
		return SQLITE_ERROR;
	}
	code = sqlite3_create_function_v2(database, "connbits_version", 0,
					  SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
					  NULL, connbits_version, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = bitmaps_register(database);
	if (code == SQLITE_OK)
		code = filters_register(database);
	for (size_t i = 0; code == SQLITE_OK && i < sizeof(families) / sizeof(*families); i++)
		code = families[i](database);
	if (code != SQLITE_OK)
		*error = sqlite3_mprintf("connbits: %s", sqlite3_errmsg(database));
	return code;
}

/*
 * The loadable extension: its entry point and nothing else. Loading it gives
 * a connection bitmap(), bitmap_count(), bitmap_contains() and bitmap_blob().
 */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "answer_cache.h"
#include "bitmap_functions.h"
#include "bitmap_table.h"

enum { SQLITE_NEEDED = 3039000 }; /* sqlite3_db_name */

static void connbits_version(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	(void)count;
	(void)arguments;
	sqlite3_result_text(context, CONNBITS_VERSION, -1, SQLITE_STATIC);
}

__attribute__((visibility("default"))) int sqlite3_connbits_init(sqlite3 *database, char **error,
								 const sqlite3_api_routines *api)
{
	struct answer_cache *cache;
	int code;

	SQLITE_EXTENSION_INIT2(api)
	if (sqlite3_libversion_number() < SQLITE_NEEDED) {
		*error = sqlite3_mprintf("connbits needs SQLite 3.39 or newer; this is %s",
					 sqlite3_libversion());
		return SQLITE_ERROR;
	}
	cache = answer_cache_new(database);
	if (!cache)
		return SQLITE_NOMEM;
	code = sqlite3_create_function_v2(database, "connbits_version", 0,
					  SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
					  NULL, connbits_version, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = bitmap_table_register(database, cache);
	if (code == SQLITE_OK)
		code = bitmap_functions_register(database, cache);
	answer_cache_release(cache);
	if (code != SQLITE_OK)
		*error = sqlite3_mprintf("connbits: %s", sqlite3_errmsg(database));
	return code;
}

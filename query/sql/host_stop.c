#include "host_stop.h"

#include "base/clock.h"

/* Some ten thousand steps of a statement, in a quarter of a millisecond: handlers are called by
 * steps. */
enum { ROWS_AT_ONCE = 3000 };

#define FOUR_ROWS "(SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4)"
#define FOUR_TABLES FOUR_ROWS ", " FOUR_ROWS ", " FOUR_ROWS ", " FOUR_ROWS

static const double seconds_between = 0.005;

static bool connection_stops(struct host_stop *host)
{
	/* No recursion, which an authorizer may deny; 4^16 rows are as good as endless. */
	static const char sql[] =
		"SELECT 1 FROM " FOUR_TABLES ", " FOUR_TABLES ", " FOUR_TABLES ", " FOUR_TABLES;
	int code = SQLITE_ROW;

	/* An interrupt that has come already ends the preparing, too. */
	if (!host->endless)
		code = sqlite3_prepare_v2(host->database, sql, -1, &host->endless, NULL);
	if (code == SQLITE_OK)
		code = SQLITE_ROW;
	for (int i = 0; code == SQLITE_ROW && i < ROWS_AT_ONCE; i++)
		code = sqlite3_step(host->endless);
	return code == SQLITE_INTERRUPT;
}

static bool asked(void *context)
{
	struct host_stop *host = context;
	const double now = clock_seconds();

	if (!host->stopped && now - host->asked >= seconds_between) {
		host->stopped = connection_stops(host);
		host->asked = clock_seconds();
	}
	return host->stopped;
}

/* How much memory SQLite may take yet; 0 for any. */
static size_t bytes_left(void)
{
	const sqlite3_int64 limit = sqlite3_hard_heap_limit64(-1);
	const sqlite3_int64 used = sqlite3_memory_used();

	if (limit <= 0)
		return 0;
	return used < limit ? (size_t)(limit - used) : 1;
}

void host_stop_begin(struct host_stop *host, sqlite3 *database)
{
	*host = (struct host_stop){.database = database, .asked = clock_seconds()};
	host->stop = (struct stop){.asked = asked, .context = host};
	host->bounds = (struct program_bounds){.stop = &host->stop, .bytes = bytes_left()};
}

void host_stop_end(struct host_stop *host)
{
	sqlite3_finalize(host->endless);
	host->endless = NULL;
}

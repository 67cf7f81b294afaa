/* What connbits-query does for several logs: --export, --fleet and --each. */
#ifndef CONNBITS_QUERY_MAIN_FLEET_H
#define CONNBITS_QUERY_MAIN_FLEET_H

#include "base/message.h"
#include "main_settings.h"

/* Exports what changed, and prints what that was. */
enum status main_fleet_export(const struct settings *settings, struct message *message);

/* Prints the SQL of an expression. */
enum status main_fleet_sql(const struct settings *settings, struct message *message);

/* Asks each log, prints a line for each, and on stderr why some have failed. */
enum status main_fleet_each(const struct settings *settings, const struct main_sets *sets,
			    const char *table, struct message *message);

#endif

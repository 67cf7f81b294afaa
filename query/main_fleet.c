#include "main_fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "export/export.h"
#include "export/fleet_sql.h"
#include "expression/expression.h"
#include "show/each_log.h"

enum status main_fleet_export(const struct settings *settings, struct message *message)
{
	const struct export_options options = {.log_path = settings->log_path,
					       .index_path = settings->index_path,
					       .table = settings->table,
					       .folder = settings->output_path,
					       .sensor = settings->sensor,
					       .connections = settings->columns_too};
	struct export_summary summary;
	enum status status = export_run(&options, &summary, message);

	if (status != STATUS_OK)
		return status;
	command_write_safely(stdout, settings->output_path);
	printf("/%s of sensor %s: %" PRIu64 " bitmaps changed, %" PRIu64 " of them gone",
	       summary.stem, summary.sensor, summary.changed, summary.gone);
	if (settings->columns_too)
		printf(", %" PRIu64 " connections", summary.connections);
	printf("; %" PRIu64 " bytes\n", summary.bytes);
	if (summary.built_anew)
		printf("a new generation: not the index that was exported before, but one built "
		       "anew, or of another log\n");
	if (summary.behind)
		printf("rows of the log that are not in the index: %" PRIu64
		       "%s; run connbits-index\n",
		       summary.behind, summary.behind >= EXPORT_BEHIND_MAX ? " or more" : "");
	return command_flush(message);
}

enum status main_fleet_sql(const struct settings *settings, struct message *message)
{
	const enum status status = fleet_sql_write(settings->expression, stdout, message);

	return status == STATUS_OK ? command_flush(message) : status;
}

static bool message_begins_with(const struct message *message, const char *path)
{
	const size_t length = strlen(path);

	return strncmp(message->text, path, length) == 0 && message->text[length] == ':';
}

/* Why logs have failed; 2 where the expression is at fault in each of them. */
static enum status failures_tell(const struct each_log *logs, size_t count)
{
	size_t failed = 0;
	size_t usage = 0;

	for (size_t i = 0; i < count; i++) {
		if (logs[i].status == STATUS_OK)
			continue;
		failed++;
		usage += logs[i].status == STATUS_USAGE;
		fprintf(stderr, "%sconnbits-query: ", command_level(COMMAND_ERROR));
		if (!message_begins_with(&logs[i].message, logs[i].path)) {
			command_write_safely(stderr, logs[i].path);
			fputs(": ", stderr);
		}
		command_write_safely(stderr, logs[i].message.text);
		putc('\n', stderr);
	}
	return !failed ? STATUS_OK : usage == count ? STATUS_USAGE : STATUS_FAILED;
}

enum status main_fleet_each(const struct settings *settings, const struct main_sets *sets,
			    const char *table, struct message *message)
{
	const struct each_question question = {.expression = settings->expression,
					       .table = table,
					       .since = settings->since,
					       .before = settings->before,
					       .index_folder = settings->index_path,
					       .given = sets->given,
					       .given_count = sets->count};
	struct expression expression;
	struct each_log *logs;
	enum status status = expression_parse(settings->expression, &expression, message);

	if (status != STATUS_OK)
		return status;
	expression_free(&expression);
	logs = calloc(settings->log_count, sizeof(*logs));
	if (!logs)
		return message_out_of_memory(message);
	for (size_t i = 0; i < settings->log_count; i++)
		logs[i].path = settings->log_paths[i];
	each_log_ask(&question, logs, settings->log_count);
	status = each_log_write(logs, settings->log_count, settings->print.format, stdout, message);
	if (status == STATUS_OK)
		status = command_flush(message);
	if (status == STATUS_OK) {
		status = failures_tell(logs, settings->log_count);
		message->text[0] = '\0';
	}
	free(logs);
	return status;
}

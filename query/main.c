/* connbits-query: messages; the work is answer_run's and row_print's. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask/answer.h"
#include "base/command.h"
#include "base/output_file.h"
#include "database/database_open.h"
#include "database/immutable.h"
#include "engine/optimiser_check.h"
#include "expression/expression.h"
#include "main_fleet.h"
#include "main_settings.h"
#include "show/asked_log.h"
#include "show/capture.h"
#include "show/explain.h"
#include "show/facet_print.h"
#include "show/filter_list.h"
#include "show/moment.h"
#include "show/morning.h"
#include "show/report_page.h"
#include "show/report_rotate.h"
#include "show/row_print.h"
#include "show/rows_behind.h"
#include "show/set_match_print.h"
#include "show/summary_print.h"

/* Rows behind the index that are counted: more take longer than the answer. */
enum { ROWS_BEHIND_MAX = 1000000 };

/* Rows of an answer that are not in the output as they should be. */
struct shortfall {
	uint64_t rows;	   /* no longer in the log */
	uint64_t behind;   /* the index, and so not in the answer */
	uint64_t timeless; /* without a time, where times were asked for */
	struct capture_gaps capture;
};

static void write_count(uint64_t rows, enum row_format format, FILE *stream)
{
	if (format == ROW_JSON)
		fprintf(stream, "{\"count\": %" PRIu64 "}\n", rows);
	else
		fprintf(stream, "%s%" PRIu64 "%s\n", format == ROW_CSV ? "count\r\n" : "", rows,
			format == ROW_CSV ? "\r" : "");
}

static enum status write_facet(struct moment *moment, const struct row_set *rows,
			       const struct settings *settings, FILE *stream,
			       struct message *message)
{
	const struct search_pause pause = moment_search_pause(moment);
	const struct facet_question question = {.database = moment->database,
						.index = moment->index,
						.rows = rows,
						.by = settings->by,
						.limit = settings->print.limit,
						.pause = &pause};
	struct facet facet = {0};
	enum status status = facet_count(&question, &facet, message);

	if (status == STATUS_OK)
		status = facet_print(moment->database, &facet, settings->by, &settings->print,
				     settings->output_path ? 0 : command_terminal_width(), stream,
				     message);
	facet_free(&facet);
	return status;
}

static enum status write_rows(struct moment *moment, const struct row_set *rows,
			      const struct settings *settings, FILE *stream,
			      struct shortfall *shortfall, struct message *message)
{
	uint64_t missing = 0;
	enum status status;

	switch (settings->action) {
	case ACTION_COUNT:
		write_count(rows->rows, settings->print.format, stream);
		return STATUS_OK;
	case ACTION_IDS:
		return row_print_ids(rows, settings->print.limit, stream, message);
	case ACTION_BY:
		return write_facet(moment, rows, settings, stream, message);
	case ACTION_BITMAP:
		return row_print_bitmap(rows, stream, message);
	case ACTION_CAPTURE:
		return capture_write(moment, rows, stream, &shortfall->capture, message);
	default:
		status = row_print_rows(moment, rows, &settings->print, stream, &missing, message);
		shortfall->rows += missing;
		return status;
	}
}

/* To the file that was named, or to stream. */
static enum status write_output(struct moment *moment, const struct row_set *rows,
				const struct settings *settings, FILE *stream,
				struct shortfall *shortfall, struct message *message)
{
	struct output_file file;
	enum status status;

	if (!settings->output_path || strcmp(settings->output_path, "-") == 0)
		return write_rows(moment, rows, settings, stream, shortfall, message);
	status = output_file_open(settings->output_path, &file, message);
	if (status != STATUS_OK)
		return status;
	status = write_rows(moment, rows, settings, file.stream, shortfall, message);
	if (status == STATUS_OK)
		status = immutable_check(moment->database, message);
	if (status == STATUS_OK)
		return output_file_close(&file, message);
	output_file_abandon(&file);
	return status;
}

static void shortfall_print(const struct shortfall *shortfall)
{
	const struct capture_gaps *capture = &shortfall->capture;

	if (shortfall->rows)
		fprintf(stderr,
			"connbits-query: %" PRIu64 " indexed rows are no longer in the log; "
			"connbits-index brings the index up to date\n",
			shortfall->rows);
	if (shortfall->behind)
		fprintf(stderr,
			"connbits-query: %" PRIu64 "%s row%s of the log behind the index %s not in "
			"the answer; connbits-index brings it up to date\n",
			shortfall->behind, shortfall->behind == ROWS_BEHIND_MAX ? " or more" : "",
			shortfall->behind == 1 ? "" : "s", shortfall->behind == 1 ? "is" : "are");
	if (shortfall->timeless)
		fprintf(stderr,
			"connbits-query: rows without a time that can be read: %" PRIu64
			"; they are neither since nor before any time\n",
			shortfall->timeless);
	if (capture->headers)
		fprintf(stderr, "connbits-query: %" PRIu64 " rows have no header\n",
			capture->headers);
	if (capture->times)
		fprintf(stderr,
			"connbits-query: rows without a time that can be read and a capture can "
			"hold: %" PRIu64 ", the first is row %" PRId64
			"; the capture has 1970-01-01 for them\n",
			capture->times, capture->first_time);
	if (capture->no_times)
		fputs("connbits-query: no column of the log is known to hold times; the capture "
		      "has 1970-01-01 for all packets. Name it in the catalogue's [source]: "
		      "timestamp = COLUMN\n",
		      stderr);
}

static enum status write_answer(sqlite3 *database, struct answer_index *index,
				const struct settings *settings, const struct main_sets *sets,
				FILE *stream, struct message *message)
{
	struct row_set rows = {0};
	struct shortfall shortfall = {0};
	struct message miscompiled;
	struct message lacking;
	struct moment moment;
	const struct search_pause pause = moment_search_pause(&moment);
	const struct answer_question question = {.database = database,
						 .index = index,
						 .pause = &pause,
						 .expression = settings->expression,
						 .since = settings->since,
						 .before = settings->before,
						 .given = sets->given,
						 .given_count = sets->count,
						 .timeless = &shortfall.timeless,
						 .lacking = &lacking,
						 .gone = &shortfall.rows,
						 .miscompiled = &miscompiled};
	enum status status = moment_begin(database, index, settings->log_path, &moment, message);

	/* A log of a file of its own is not asked meanwhile. */
	moment_rest(&moment, ANSWER_HOLD_LOG);
	if (status == STATUS_OK)
		status = answer_run(&question, &rows, message);
	if (status == STATUS_OK)
		status = moment_resume(&moment, ANSWER_HOLD_LOG, message);
	if (status != STATUS_OK)
		goto cleanup;
	if (*lacking.text) {
		fputs("connbits-query: the filter '", stderr);
		command_write_safely(stderr, lacking.text);
		fputs("' lacks rows: a name that it asks for was not found when they came; the "
		      "next "
		      "connbits-index that finds it completes it\n",
		      stderr);
	}
	/* Scripts read stderr too, and the answer is right. */
	if (*miscompiled.text && isatty(STDERR_FILENO)) {
		fputs("connbits-query: warning: '{", stderr);
		command_write_safely(stderr, miscompiled.text);
		fputs("}': " OPTIMISER_WARNING "\n", stderr);
	}
	status = rows_behind_count(database, index, ROWS_BEHIND_MAX, &shortfall.behind, message);
	if (status == STATUS_OK)
		status = write_output(&moment, &rows, settings, stream, &shortfall, message);
	shortfall_print(&shortfall);
cleanup:
	moment_end(&moment);
	row_set_free(&rows);
	return status;
}

/* How the sets of the index, and those that are given, match. */
static enum status write_sets(sqlite3 *database, struct answer_index *index,
			      const struct settings *settings, const struct main_sets *sets,
			      FILE *stream, struct message *message)
{
	struct set_matches matches = {0};
	struct moment moment;
	const struct search_pause pause = moment_search_pause(&moment);
	const struct match_question question = {.database = database,
						.index = index,
						.given = sets->given,
						.given_entries = sets->entries,
						.given_count = sets->count,
						.pause = &pause};
	enum status status = moment_begin(database, index, settings->log_path, &moment, message);

	if (status == STATUS_OK)
		status = set_matches_find(&question, &matches, message);
	if (status == STATUS_OK && matches.count == 0)
		fputs("connbits-query: the index has no address sets; a catalogue has them as "
		      "[set NAME], and --set NAME=FILE gives one\n",
		      stderr);
	if (status == STATUS_OK)
		status = set_match_print(database, &matches, settings->print.format, stream,
					 message);
	moment_end(&moment);
	set_matches_free(&matches);
	return status;
}

/* What the terminal at stdout can. */
static struct summary_style terminal_style(void)
{
	const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	const char *locale = NULL;
	const bool is_terminal = command_terminal_width() > 0;

	for (size_t i = 0; i < 3 && !(locale && *locale); i++)
		locale = getenv(variables[i]);
	return (struct summary_style){
		.unicode = is_terminal && locale &&
			   (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8")),
		.colour = is_terminal && !(no_colour && *no_colour) && terminal &&
			  strcmp(terminal, "dumb") != 0,
	};
}

/* To the file that was named, or to stream. */
static enum status write_report(const struct morning_view *view, const struct settings *settings,
				FILE *stream, struct message *message)
{
	const char *path = settings->output_path;
	struct output_file file;
	enum status status;

	if (strcmp(path, "-") == 0)
		return report_page_write(view, stream, message);
	status = output_file_open(path, &file, message);
	if (status != STATUS_OK)
		return status;
	status = report_page_write(view, file.stream, message);
	if (status == STATUS_OK && fflush(file.stream) != 0)
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	if (status == STATUS_OK)
		status = report_rotate(
			path, settings->keep, settings->log_path,
			settings->index_path ? settings->index_path : settings->log_path, message);
	if (status == STATUS_OK)
		return output_file_close(&file, message);
	output_file_abandon(&file);
	return status;
}

/* What the last day brought, on a screen, for a monitor, or as a page. */
static enum status write_morning(sqlite3 *database, struct answer_index *index,
				 const struct settings *settings, FILE *stream,
				 struct message *message)
{
	struct morning morning = {0};
	struct moment moment;
	const struct search_pause pause = moment_search_pause(&moment);
	const struct summary_style style = terminal_style();
	const struct morning_question question = {.database = database,
						  .index = index,
						  .days = (size_t)settings->days,
						  .pause = &pause};
	struct morning_view view = {
		.morning = &morning, .index = index, .log_path = settings->log_path};
	enum status status = moment_begin(database, index, settings->log_path, &moment, message);

	if (status == STATUS_OK)
		status = morning_gather(&question, &morning, message);
	if (status == STATUS_OK)
		status = rows_behind_count(database, index, ROWS_BEHIND_MAX, &view.behind, message);
	if (status == STATUS_OK)
		status = immutable_check(database, message);
	view.behind_least = view.behind == ROWS_BEHIND_MAX;
	if (status == STATUS_OK && settings->action == ACTION_REPORT)
		status = write_report(&view, settings, stream, message);
	else if (status == STATUS_OK && settings->print.format == ROW_JSON)
		status = summary_print_json(&view, stream, message);
	else if (status == STATUS_OK)
		status = summary_print(&view, &style, stream, message);
	moment_end(&moment);
	morning_free(&morning);
	return status;
}

static enum status copy_stream(FILE *from, FILE *to, struct message *message)
{
	char buffer[65536];
	size_t length;

	if (fseek(from, 0, SEEK_SET) != 0)
		return message_set(message, STATUS_FAILED, "temporary file: %s", strerror(errno));
	while ((length = fread(buffer, 1, sizeof(buffer), from)) > 0)
		if (fwrite(buffer, 1, length, to) != length)
			return message_set(message, STATUS_FAILED, "cannot write the output: %s",
					   strerror(errno));
	if (ferror(from))
		return message_set(message, STATUS_FAILED, "temporary file: %s", strerror(errno));
	return STATUS_OK;
}

/* Through a temporary file, so that a failure halfway leaves nothing on stdout. */
static enum status write_whole(sqlite3 *database, struct answer_index *index,
			       const struct settings *settings, const struct main_sets *sets,
			       struct message *message)
{
	FILE *stream = tmpfile();
	enum status status;

	if (!stream)
		return message_set(message, STATUS_FAILED, "temporary file: %s", strerror(errno));
	if (settings->action == ACTION_LIST)
		status = filter_list_write(database, index, stream, settings->print.format,
					   command_terminal_width(), message);
	else if (settings->action == ACTION_SETS)
		status = write_sets(database, index, settings, sets, stream, message);
	else if (settings->action == ACTION_SUMMARY || settings->action == ACTION_REPORT)
		status = write_morning(database, index, settings, stream, message);
	else if (settings->action == ACTION_EXPLAIN)
		status = explain_write(database, index, settings->log_path, settings->explained,
				       stream, message);
	else
		status = write_answer(database, index, settings, sets, stream, message);
	if (status == STATUS_OK)
		status = immutable_check(database, message);
	/* Whoever reads the output may take its time. */
	answer_index_rest(index);
	if (status == STATUS_OK)
		status = copy_stream(stream, stdout, message);
	fclose(stream);
	return status;
}

static enum status output_check(const struct settings *settings, const char *index_path,
				struct message *message)
{
	const bool is_log = settings->output_path &&
			    database_same_file(settings->output_path, settings->log_path);

	if (!settings->output_path ||
	    (!is_log && !database_same_file(settings->output_path, index_path)))
		return STATUS_OK;
	return message_set(message, STATUS_USAGE, "%s %s would overwrite the %s",
			   settings->action == ACTION_BITMAP   ? "--bitmap"
			   : settings->action == ACTION_REPORT ? "--report"
							       : "-w",
			   settings->output_path, is_log ? "log" : "index");
}

/* Answers from the index of a table, NULL for the one that there is. */
static enum status run_table(const struct settings *settings, const struct main_sets *sets,
			     const char *table, struct message *message)
{
	const char *index_path = settings->index_path ? settings->index_path : settings->log_path;
	struct answer_index index = {0};
	struct asked_log log = {0};
	enum status status = output_check(settings, index_path, message);

	if (status == STATUS_OK)
		status = asked_log_open(settings->log_path, settings->index_path, &log, message);
	if (status != STATUS_OK && access(settings->log_path, F_OK) != 0 && settings->expression &&
	    access(settings->expression, F_OK) == 0)
		return message_set(message, STATUS_USAGE,
				   "%s: No such file; the log comes first, then the expression",
				   settings->log_path);
	if (status == STATUS_OK)
		status = asked_log_find(&log, table, &index, message);
	if (status == STATUS_OK)
		status = write_whole(log.database, &index, settings, sets, message);
	answer_index_free(&index);
	asked_log_close(&log);
	if (status == STATUS_OK)
		status = command_flush(message);
	return status;
}

/* The table is named by --table, before the expression, or not at all. */
static enum status run(const struct settings *settings, struct message *message)
{
	struct settings rest = *settings;
	const char **text = settings->expression ? &rest.expression : &rest.explained;
	struct main_sets sets = {0};
	char *named = NULL;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < settings->set_count; i++)
		status = main_sets_add(&sets, settings->sets[i], message);
	if (status == STATUS_OK && *text)
		status = expression_table(*text, &named, text, message);
	if (status == STATUS_OK && named && settings->table &&
	    sqlite3_stricmp(named, settings->table) != 0)
		status = message_set(message, STATUS_USAGE,
				     "--table says '%.200s' and the expression '%.200s'",
				     settings->table, named);
	if (status == STATUS_OK && settings->action == ACTION_EACH)
		status = main_fleet_each(&rest, &sets, named ? named : settings->table, message);
	else if (status == STATUS_OK)
		status = run_table(&rest, &sets, named ? named : settings->table, message);
	main_sets_free(&sets);
	free(named);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {.print = {.limit = UINT64_MAX}, .days = MORNING_DAYS};
	struct message message;
	bool done;
	enum status status = settings_parse(argc, argv, &settings, &done);

	if (status != STATUS_OK || done)
		return (int)status;
	if (settings.action == ACTION_EXPORT)
		status = main_fleet_export(&settings, &message);
	else if (settings.action == ACTION_FLEET)
		status = main_fleet_sql(&settings, &message);
	else
		status = run(&settings, &message);
	if (status != STATUS_OK && *message.text) {
		fprintf(stderr, "%sconnbits-query: ", command_level(COMMAND_ERROR));
		command_write_safely(stderr, message.text);
		putc('\n', stderr);
	}
	return (int)status;
}

#include "main_settings.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/command.h"
#include "expression/time_text.h"
#include "show/morning.h"
#include "show/report_rotate.h"

static const char help_text[] =
	"Usage: connbits-query LOG.sqlite 'EXPRESSION' [action] [options]\n"
	"       connbits-query LOG.sqlite --list | --sets | --summary | --report FILE ...\n"
	"The rows that an expression selects: names of filters, {pcap filters},\n"
	"src|dst|host in SET, since|before TIME, and, or, not, (), @all, @skipped.\n"
	"  action           prints                                       takes\n"
	"  (none)           the rows, as the log has them                F C L T S\n"
	"  --count          how many rows                                F     T S\n"
	"  --rowids         their row ids, one a line, ascending             L T S\n"
	"  --by WHAT        how many by host|src|dst|port|proto|day|hour F   L T S\n"
	"  --bitmap FILE    their row ids as a portable Roaring bitmap         T S\n"
	"  -w FILE          their headers as a capture for tcpdump             T S\n"
	"  --each 'EXPRESSION' LOG...  how many in each log, and in all  F     T S\n"
	"  --list           the filters and sets, counts, state, age     F\n"
	"  --sets           how many rows, and when, match each set      F       S\n"
	"  --summary        what the last day brought, on a screen       F D\n"
	"  --report FILE    the same and more, as a page (HTML)            D K\n"
	"  --explain WHAT   what NAME or '{FILTER}' became, and its cost\n"
	"  --export FOLDER  files of what changed, for a fleet           E\n"
	"  --fleet 'EXPRESSION'        its SQL for a fleet; without LOG\n"
	"  E  --columns-too, --sensor NAME     connections as well; else the host's name\n"
	"  F  --format table|csv|json          (- as FILE is stdout)\n"
	"  D  --days N                         of the last N days, 14 unless told\n"
	"  K  --keep N                         N earlier pages, as FILE.1 to FILE.N\n"
	"  C  --columns A,B,C  L  --limit N    of the log, not all; at most N lines\n"
	"  T  --since TIME, --before TIME      2026-11-27, 2026-11-27T18:30Z, -7d, -12h\n"
	"  S  --set NAME=FILE                  a list of addresses, for this question\n"
	"     --into INDEX.sqlite, --table NAME  where the index is; which of several\n"
	"     -h, --help  -V, --version\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage or an expression that is wrong.\n"
	"Example: connbits-query logsql.sqlite 'smb and since -7d' --by day\n";

/* The options that only some actions take. */
enum taken {
	TAKEN_FORMAT,
	TAKEN_COLUMNS,
	TAKEN_LIMIT,
	TAKEN_SINCE,
	TAKEN_BEFORE,
	TAKEN_SET,
	TAKEN_DAYS,
	TAKEN_KEEP,
	TAKEN_COLUMNS_TOO,
	TAKEN_SENSOR,
	TAKEN_INTO,
	TAKEN_TABLE,
	TAKEN_COUNT
};

#define BIT(number) (1U << (number))
/* What every action with a log takes. */
#define PLACE (BIT(TAKEN_INTO) | BIT(TAKEN_TABLE))
/* What every action with an expression and a log takes. */
#define QUESTION (PLACE | BIT(TAKEN_SINCE) | BIT(TAKEN_BEFORE) | BIT(TAKEN_SET))

static const char *const taken_names[TAKEN_COUNT] = {
	[TAKEN_FORMAT] = "--format",
	[TAKEN_COLUMNS] = "--columns",
	[TAKEN_LIMIT] = "--limit",
	[TAKEN_SINCE] = "--since",
	[TAKEN_BEFORE] = "--before",
	[TAKEN_SET] = "--set",
	[TAKEN_DAYS] = "--days",
	[TAKEN_KEEP] = "--keep",
	[TAKEN_COLUMNS_TOO] = "--columns-too",
	[TAKEN_SENSOR] = "--sensor",
	[TAKEN_INTO] = "--into",
	[TAKEN_TABLE] = "--table",
};

/* What each action is called and takes; all but those without take an expression. */
static const struct {
	const char *name;
	unsigned takes;
	bool without;
} actions[ACTIONS] = {
	[ACTION_ROWS] = {"rows",
			 BIT(TAKEN_FORMAT) | BIT(TAKEN_COLUMNS) | BIT(TAKEN_LIMIT) | QUESTION,
			 false},
	[ACTION_COUNT] = {"--count", BIT(TAKEN_FORMAT) | QUESTION, false},
	[ACTION_IDS] = {"--rowids", BIT(TAKEN_LIMIT) | QUESTION, false},
	[ACTION_BY] = {"--by", BIT(TAKEN_FORMAT) | BIT(TAKEN_LIMIT) | QUESTION, false},
	[ACTION_BITMAP] = {"--bitmap", QUESTION, false},
	[ACTION_CAPTURE] = {"-w", QUESTION, false},
	[ACTION_LIST] = {"--list", PLACE | BIT(TAKEN_FORMAT), true},
	[ACTION_EXPLAIN] = {"--explain", PLACE, true},
	[ACTION_SETS] = {"--sets", PLACE | BIT(TAKEN_FORMAT) | BIT(TAKEN_SET), true},
	[ACTION_SUMMARY] = {"--summary", PLACE | BIT(TAKEN_FORMAT) | BIT(TAKEN_DAYS), true},
	[ACTION_REPORT] = {"--report", PLACE | BIT(TAKEN_DAYS) | BIT(TAKEN_KEEP), true},
	[ACTION_EXPORT] = {"--export", PLACE | BIT(TAKEN_COLUMNS_TOO) | BIT(TAKEN_SENSOR), true},
	[ACTION_FLEET] = {"--fleet", 0, true},
	[ACTION_EACH] = {"--each", BIT(TAKEN_FORMAT) | QUESTION, true},
};

/* The options that are actions, by getopt_long's letter. */
static const struct {
	int option;
	enum action action;
} action_options[] = {
	{'c', ACTION_COUNT},   {'r', ACTION_IDS},    {'y', ACTION_BY},	    {'b', ACTION_BITMAP},
	{'w', ACTION_CAPTURE}, {'L', ACTION_LIST},   {'x', ACTION_EXPLAIN}, {'M', ACTION_SETS},
	{'m', ACTION_SUMMARY}, {'R', ACTION_REPORT}, {'E', ACTION_EXPORT},  {'F', ACTION_FLEET},
	{'a', ACTION_EACH},
};

static enum status usage(const char *format, const char *what)
{
	command_usage("connbits-query", format, what);
	return STATUS_USAGE;
}

static enum status action_take(enum action action, const char *argument, struct settings *settings)
{
	settings->action = action;
	settings->actions |= BIT(action);
	if (action == ACTION_BITMAP || action == ACTION_CAPTURE || action == ACTION_REPORT ||
	    action == ACTION_EXPORT)
		settings->output_path = argument;
	if (action == ACTION_FLEET || action == ACTION_EACH)
		settings->expression = argument;
	if (action == ACTION_EXPLAIN)
		settings->explained = argument;
	if (action == ACTION_BY && !facet_find(argument, &settings->by))
		return usage("--by %s: expected " FACET_EXPECTED, argument);
	return STATUS_OK;
}

static enum status time_take(enum taken option, const char *argument, const char **time,
			     struct settings *settings)
{
	int64_t ignored;
	bool back;

	settings->taken |= BIT(option);
	*time = argument;
	if (time_text_read(argument, strlen(argument), &ignored, &back))
		return STATUS_OK;
	return usage(option == TAKEN_SINCE ? "--since %s: " TIME_TEXT_EXPECTED
					   : "--before %s: " TIME_TEXT_EXPECTED,
		     argument);
}

static enum status option_take(int option, const char *argument, struct settings *settings)
{
	for (size_t i = 0; i < sizeof(action_options) / sizeof(*action_options); i++)
		if (action_options[i].option == option)
			return action_take(action_options[i].action, argument, settings);
	switch (option) {
	case 'f':
		settings->taken |= BIT(TAKEN_FORMAT);
		if (!row_format_find(argument, &settings->print.format))
			return usage("--format %s: expected table, csv or json", argument);
		return STATUS_OK;
	case 'C':
		settings->taken |= BIT(TAKEN_COLUMNS);
		settings->print.columns = argument;
		return STATUS_OK;
	case 'l':
		settings->taken |= BIT(TAKEN_LIMIT);
		if (!command_number(argument, 0, UINT64_MAX, &settings->print.limit))
			return usage("--limit %s: expected a number", argument);
		return STATUS_OK;
	case 's':
		return time_take(TAKEN_SINCE, argument, &settings->since, settings);
	case 'e':
		return time_take(TAKEN_BEFORE, argument, &settings->before, settings);
	case 'S':
		settings->taken |= BIT(TAKEN_SET);
		if (settings->set_count == MAIN_SETS_MAX)
			return usage("--set %s: too many sets", argument);
		settings->sets[settings->set_count++] = argument;
		return STATUS_OK;
	case 'd':
		settings->taken |= BIT(TAKEN_DAYS);
		if (!command_number(argument, 1, MORNING_DAYS_MAX, &settings->days))
			return usage("--days %s: expected a number from 1 to 366", argument);
		return STATUS_OK;
	case 'k':
		settings->taken |= BIT(TAKEN_KEEP);
		if (!command_number(argument, 0, REPORTS_KEPT_MAX, &settings->keep))
			return usage("--keep %s: expected a number from 0 to 999", argument);
		return STATUS_OK;
	case 'o':
		settings->taken |= BIT(TAKEN_COLUMNS_TOO);
		settings->columns_too = true;
		return STATUS_OK;
	case 'n':
		settings->taken |= BIT(TAKEN_SENSOR);
		settings->sensor = argument;
		return STATUS_OK;
	case 't':
		settings->taken |= BIT(TAKEN_TABLE);
		settings->table = argument;
		return STATUS_OK;
	default:
		settings->taken |= BIT(TAKEN_INTO);
		settings->index_path = argument;
		return STATUS_OK;
	}
}

static enum status options_parse(int argc, char **argv, struct settings *settings, bool *done)
{
	static const struct option options[] = {
		{"count", no_argument, NULL, 'c'},
		{"rowids", no_argument, NULL, 'r'},
		{"by", required_argument, NULL, 'y'},
		{"bitmap", required_argument, NULL, 'b'},
		{"list", no_argument, NULL, 'L'},
		{"sets", no_argument, NULL, 'M'},
		{"summary", no_argument, NULL, 'm'},
		{"report", required_argument, NULL, 'R'},
		{"days", required_argument, NULL, 'd'},
		{"keep", required_argument, NULL, 'k'},
		{"explain", required_argument, NULL, 'x'},
		{"format", required_argument, NULL, 'f'},
		{"columns", required_argument, NULL, 'C'},
		{"limit", required_argument, NULL, 'l'},
		{"since", required_argument, NULL, 's'},
		{"before", required_argument, NULL, 'e'},
		{"into", required_argument, NULL, 'i'},
		{"table", required_argument, NULL, 't'},
		{"export", required_argument, NULL, 'E'},
		{"columns-too", no_argument, NULL, 'o'},
		{"sensor", required_argument, NULL, 'n'},
		{"fleet", required_argument, NULL, 'F'},
		{"each", required_argument, NULL, 'a'},
		{"set", required_argument, NULL, 'S'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int option;

	*done = true;
	while ((option = getopt_long(argc, argv, "hVw:", options, NULL)) != -1) {
		enum status status;

		if (option == 'h')
			return command_print(help_text);
		if (option == 'V')
			return command_print("connbits-query " CONNBITS_VERSION "\n");
		if (option == '?')
			return command_usage_hint("connbits-query");
		status = option_take(option, optarg, settings);
		if (status != STATUS_OK)
			return status;
	}
	*done = false;
	return STATUS_OK;
}

/* Names the actions that take an option which this one does not. */
static enum status taken_refuse(enum taken option)
{
	char text[200];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s is for", taken_names[option]);
	size_t left = 0;

	for (int i = 0; i < ACTIONS; i++)
		left += actions[i].takes >> option & 1;
	for (int i = 0; i < ACTIONS; i++) {
		if (!(actions[i].takes >> option & 1))
			continue;
		left--;
		used += (size_t)snprintf(text + used, sizeof(text) - used, " %s%s", actions[i].name,
					 left > 1    ? ","
					 : left == 1 ? " and"
						     : "");
	}
	return usage("%s", text);
}

static enum status combination_check(const struct settings *settings)
{
	const enum action action = settings->action;

	if (!actions[action].without && !settings->expression)
		return usage("%s is missing", "EXPRESSION");
	if (action == ACTION_SUMMARY && settings->print.format == ROW_CSV)
		return usage("--summary has no %s; take --format json", "--format csv");
	for (int option = 0; option < TAKEN_COUNT; option++)
		if (settings->taken & ~actions[action].takes & BIT(option))
			return taken_refuse((enum taken)option);
	return STATUS_OK;
}

/* LOG and EXPRESSION; of --each logs alone, of --fleet none. */
static enum status operands_parse(int argc, char **argv, struct settings *settings)
{
	settings->log_paths = argv + optind;
	settings->log_count = (size_t)(argc - optind);
	if (settings->action == ACTION_FLEET && optind < argc)
		return usage("'%s': --fleet prints SQL for a fleet, and takes no log",
			     argv[optind]);
	if (settings->action == ACTION_FLEET)
		return STATUS_OK;
	if (optind == argc)
		return usage("%s is missing", "LOG.sqlite");
	settings->log_path = argv[optind++];
	if (settings->action == ACTION_EACH)
		return STATUS_OK;
	if (optind < argc)
		settings->expression = argv[optind++];
	if (optind < argc)
		return usage("'%s' is one argument too many; put the expression in quotes",
			     argv[optind]);
	if (actions[settings->action].without && settings->expression)
		return usage("%s takes no expression", actions[settings->action].name);
	return STATUS_OK;
}

enum status settings_parse(int argc, char **argv, struct settings *settings, bool *done)
{
	enum status status = options_parse(argc, argv, settings, done);

	if (status != STATUS_OK || *done)
		return status;
	if (settings->actions & (settings->actions - 1))
		return usage("%s", "--count, --rowids, --by, --bitmap, -w, --list, --sets, "
				   "--summary, --report, --explain, --export, --fleet and --each "
				   "exclude each other");
	status = operands_parse(argc, argv, settings);
	return status == STATUS_OK ? combination_check(settings) : status;
}

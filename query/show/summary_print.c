#include "summary_print.h"

#include <inttypes.h>
#include <string.h>

#include "base/command.h"
#include "base/json.h"
#include "packet/day_text.h"

enum {
	FILTERS_SHOWN = 8,
	VALUES_SHOWN = 3,
	SPARKS = 14, /* days of a sparkline */
	NAME_WIDTH = 22,
};

static const char *state_colour(const struct summary_style *style, enum morning_state state)
{
	if (!style->colour || state == MORNING_USUAL)
		return "";
	return state == MORNING_NEW ? "\033[1;35m" : "\033[1;33m";
}

static const char *colour_end(const struct summary_style *style, enum morning_state state)
{
	return *state_colour(style, state) ? "\033[0m" : "";
}

/* A column for each of the last days: its share of the one with most rows, in eighths or ninths. */
static void spark_write(const struct morning_filter *filter, size_t days,
			const struct summary_style *style, FILE *stream)
{
	static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	const size_t first = days > SPARKS ? days - SPARKS : 0;
	const unsigned steps = style->unicode ? 8 : 9;
	uint64_t most = 1;

	for (size_t i = first; i < days; i++)
		most = filter->days[i] > most ? filter->days[i] : most;
	for (size_t i = first; i < days; i++) {
		const double share = (double)filter->days[i] / (double)most * steps;
		/* A day with rows is never shown as one without. */
		const unsigned step = filter->days[i] && share < 1 ? 1 : (unsigned)(share + 0.5);

		if (style->unicode)
			fputs(eighths[step], stream);
		else
			putc(filter->days[i] ? '0' + (int)step : '.', stream);
	}
}

static void head_write(const struct morning_view *view, FILE *stream)
{
	const struct index_source *source = &view->index->source;
	char day[DAY_TEXT_SIZE];
	bool any = false;

	day_text(view->morning->last, day);
	command_write_safely(stream, view->log_path);
	fputs(", table ", stream);
	command_write_safely(stream, source->layout.table);
	fprintf(stream, ": %s (UTC), indexed at ", day);
	command_write_safely(stream, source->indexed_at);
	putc('\n', stream);
	fprintf(stream, "%" PRIu64 " rows: %" PRIu64 " with header, %" PRIu64 " listen\nskipped",
		outcomes_total(source->outcomes), source->outcomes[OUTCOME_HEADER],
		source->outcomes[OUTCOME_LISTEN]);
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		if (outcome_is_skipped((enum outcome)outcome) && source->outcomes[outcome]) {
			fprintf(stream, "%s%s %" PRIu64, any ? ", " : ": ",
				outcome_name((enum outcome)outcome), source->outcomes[outcome]);
			any = true;
		}
	fputs(any ? "\n" : ": none\n", stream);
	if (view->behind)
		fprintf(stream,
			"%" PRIu64
			"%s rows of the log are not in the index yet; run connbits-index\n",
			view->behind, view->behind_least ? " or more" : "");
	if (view->morning->age > 1)
		fprintf(stream, "the last rows are %" PRId64 " days old\n", view->morning->age);
	if (view->morning->later)
		fprintf(stream,
			"%" PRIu64 " rows are of later days: of today, "
			"which is not over, or dated after it\n",
			view->morning->later);
}

static void filter_write(const struct morning_filter *filter, size_t days,
			 const struct summary_style *style, FILE *stream)
{
	fprintf(stream, "%-*.*s %s%-6s%s %10" PRIu64 " %12.1f  ", NAME_WIDTH, NAME_WIDTH,
		filter->name, state_colour(style, filter->state),
		filter->state == MORNING_USUAL ? "" : morning_state_name(filter->state),
		colour_end(style, filter->state), filter->days[days - 1], filter->mean);
	spark_write(filter, days, style, stream);
	putc('\n', stream);
}

static void filters_write(const struct morning_view *view, const struct summary_style *style,
			  FILE *stream)
{
	const struct morning *morning = view->morning;
	size_t quiet = 0;
	size_t shown = 0;

	fprintf(stream, "\n%-*s %-6s %10s %12s  %s\n", NAME_WIDTH, "what stands out", "",
		"last day", "mean before", "day by day");
	filter_write(&morning->all, morning->days, style, stream);
	for (size_t i = 0; i < morning->count; i++) {
		const struct morning_filter *filter = &morning->items[i];

		if (morning_filter_is_quiet(filter, morning->days))
			quiet++;
		else if (shown++ < FILTERS_SHOWN)
			filter_write(filter, morning->days, style, stream);
	}
	if (shown > FILTERS_SHOWN)
		fprintf(stream, "and %zu other filters with rows on these %zu days, %zu without\n",
			shown - FILTERS_SHOWN, morning->days, quiet);
	else if (quiet)
		fprintf(stream, "%zu filters have no rows on these %zu days\n", quiet,
			morning->days);
}

static void facet_write(const char *what, const struct facet *facet, enum facet_by by, bool count,
			FILE *stream)
{
	const char *between = count ? ": " : " ";

	fprintf(stream, "%-12s", what);
	if (count)
		fprintf(stream, " %" PRIu64, facet->distinct);
	for (size_t i = 0; i < facet->count && i < VALUES_SHOWN; i++) {
		char text[FACET_TEXT_SIZE];

		facet_value_text(by, &facet->values[i], text);
		fprintf(stream, "%s%s (%" PRIu64 ")", between, text, facet->values[i].rows);
		between = ", ";
	}
	fputs(facet->count || count ? "\n" : " none\n", stream);
}

static void sets_write(const struct set_matches *sets, FILE *stream)
{
	size_t matched = 0;

	for (size_t i = 0; i < sets->count; i++)
		matched += sets->items[i].ends[0].rows || sets->items[i].ends[1].rows;
	if (sets->count == 0)
		return;
	fprintf(stream, "%-12s %zu of %zu match\n", "sets", matched, sets->count);
	for (size_t i = 0, shown = 0; i < sets->count && shown < VALUES_SHOWN; i++) {
		const struct set_match *set = &sets->items[i];

		if (set->ends[0].rows == 0 && set->ends[1].rows == 0)
			continue;
		fprintf(stream, "%-12s %-*.*s %" PRIu64 " from, %" PRIu64 " to\n", "", NAME_WIDTH,
			NAME_WIDTH, set->name, set->ends[0].rows, set->ends[1].rows);
		shown++;
	}
}

enum status summary_print(const struct morning_view *view, const struct summary_style *style,
			  FILE *stream, struct message *message)
{
	const struct morning *morning = view->morning;

	head_write(view, stream);
	filters_write(view, style, stream);
	putc('\n', stream);
	facet_write("top sources", &morning->all.sources, FACET_SOURCE, false, stream);
	facet_write("top ports", &morning->all.ports, FACET_PORT, false, stream);
	facet_write("new sources", &morning->new_sources, FACET_SOURCE, true, stream);
	facet_write("new ports", &morning->new_ports, FACET_PORT, true, stream);
	sets_write(&morning->sets, stream);
	return ferror(stream) ? message_set(message, STATUS_FAILED, "cannot write the summary")
			      : STATUS_OK;
}

static void json_facet(const char *name, const struct facet *facet, enum facet_by by, bool distinct,
		       FILE *stream)
{
	fprintf(stream, "\"%s\": ", name);
	if (distinct)
		fprintf(stream, "{\"count\": %" PRIu64 ", \"top\": ", facet->distinct);
	putc('[', stream);
	for (size_t i = 0; i < facet->count; i++) {
		char text[FACET_TEXT_SIZE];

		facet_value_text(by, &facet->values[i], text);
		fprintf(stream, "%s{\"value\": \"%s\", \"rows\": %" PRIu64 "}", i ? ", " : "", text,
			facet->values[i].rows);
	}
	fputs(distinct ? "]}" : "]", stream);
}

static void json_filter(const struct morning_filter *filter, size_t days, FILE *stream)
{
	fputs("{\"name\": ", stream);
	json_write_string(stream, filter->name);
	fputs(", \"description\": ", stream);
	json_write_string(stream, filter->description);
	fprintf(stream,
		", \"rows\": %" PRIu64 ", \"state\": \"%s\", \"last\": %" PRIu64
		", \"most_before\": %" PRIu64 ", \"mean_before\": %.3f, \"days\": [",
		filter->rows, morning_state_name(filter->state), filter->days[days - 1],
		filter->most, filter->mean);
	for (size_t i = 0; i < days; i++)
		fprintf(stream, "%s%" PRIu64, i ? ", " : "", filter->days[i]);
	fputs("], ", stream);
	json_facet("sources", &filter->sources, FACET_SOURCE, false, stream);
	fputs(", ", stream);
	json_facet("ports", &filter->ports, FACET_PORT, false, stream);
	putc('}', stream);
}

static void json_sets(const struct set_matches *sets, FILE *stream)
{
	fputs(",\n \"sets\": [", stream);
	for (size_t i = 0; i < sets->count; i++) {
		fprintf(stream, "%s{\"name\": ", i ? ", " : "");
		json_write_string(stream, sets->items[i].name);
		fprintf(stream,
			", \"entries\": %" PRIu64 ", \"src_rows\": %" PRIu64
			", \"dst_rows\": %" PRIu64 "}",
			sets->items[i].entries, sets->items[i].ends[0].rows,
			sets->items[i].ends[1].rows);
	}
	putc(']', stream);
}

static void json_head(const struct morning_view *view, FILE *stream)
{
	const struct index_source *source = &view->index->source;
	char day[DAY_TEXT_SIZE];
	bool any = false;

	fputs("{\"log\": ", stream);
	json_write_string(stream, view->log_path);
	fputs(", \"table\": ", stream);
	json_write_string(stream, source->layout.table);
	fputs(", \"indexed_at\": ", stream);
	json_write_string(stream, source->indexed_at);
	day_text(view->morning->last, day);
	fprintf(stream,
		", \"day\": \"%s\",\n \"rows\": %" PRIu64 ", \"headers\": %" PRIu64
		", \"listen\": %" PRIu64 ", \"skipped\": {",
		day, outcomes_total(source->outcomes), source->outcomes[OUTCOME_HEADER],
		source->outcomes[OUTCOME_LISTEN]);
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		if (outcome_is_skipped((enum outcome)outcome)) {
			fprintf(stream, "%s\"%s\": %" PRIu64, any ? ", " : "",
				outcome_name((enum outcome)outcome), source->outcomes[outcome]);
			any = true;
		}
	fprintf(stream,
		"}, \"behind\": %" PRIu64 ", \"behind_least\": %s, \"later\": %" PRIu64
		", \"age_days\": %" PRId64 ",\n \"days\": [",
		view->behind, view->behind_least ? "true" : "false", view->morning->later,
		view->morning->age);
	for (size_t i = 0; i < view->morning->days; i++) {
		day_text(view->morning->last - (int64_t)(view->morning->days - 1 - i), day);
		fprintf(stream, "%s\"%s\"", i ? ", " : "", day);
	}
	fputs("],\n \"all\": ", stream);
}

enum status summary_print_json(const struct morning_view *view, FILE *stream,
			       struct message *message)
{
	const struct morning *morning = view->morning;

	json_head(view, stream);
	json_filter(&morning->all, morning->days, stream);
	fputs(",\n \"filters\": [", stream);
	for (size_t i = 0; i < morning->count; i++) {
		fputs(i ? ",\n  " : "\n  ", stream);
		json_filter(&morning->items[i], morning->days, stream);
	}
	fputs("],\n ", stream);
	json_facet("new_sources", &morning->new_sources, FACET_SOURCE, true, stream);
	fputs(", ", stream);
	json_facet("new_ports", &morning->new_ports, FACET_PORT, true, stream);
	json_sets(&morning->sets, stream);
	fputs("}\n", stream);
	return ferror(stream) ? message_set(message, STATUS_FAILED, "cannot write the summary")
			      : STATUS_OK;
}

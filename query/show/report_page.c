#include "report_page.h"

#include <inttypes.h>
#include <string.h>

#include "markup.h"
#include "packet/day_text.h"
#include "packet/instant.h"
#include "report_chart.h"

/* clang-format off */
static const char style[] =
	":root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--soft:#5c6670;--line:#d7dce1;--bar:#8fb8e0;--last:#0b66c3;--heat:#0b66c3;--new:#8b1fa8;--above:#a34a00;--card:#f5f7f9}\n"
	"@media (prefers-color-scheme:dark){:root{--page:#14171b;--text:#e6e9ed;--soft:#9aa5b1;--line:#333a42;--bar:#33608d;--last:#5cb0ff;--heat:#5cb0ff;--new:#d58cf0;--above:#ff9d57;--card:#1c2127}\n"
	"}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:1100px;padding:20px;background:var(--page);color:var(--text);font:15px/1.45 system-ui,sans-serif}\n"
	"h1{font-size:24px;margin:0 0 2px;overflow-wrap:anywhere}\n"
	"h2{font-size:18px;margin:32px 0 8px;break-after:avoid}\n"
	"p{margin:4px 0}\n"
	".soft,caption{color:var(--soft)}\n"
	".cards{display:flex;flex-wrap:wrap;gap:10px;margin:16px 0}\n"
	".cards div{background:var(--card);border-radius:8px;padding:8px 14px;flex:1 1 120px}\n"
	".cards b{display:block;font-size:20px}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"caption{text-align:left;padding:4px 0}\n"
	"th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}\n"
	"th{font-weight:600;white-space:nowrap}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	".ends{display:flex;justify-content:space-between}\n"
	".side{display:flex;flex-wrap:wrap;gap:28px;align-items:flex-start}\n"
	".side>*{flex:1 1 260px;min-width:0}\n"
	".new,.above,.gone{font-weight:600}\n"
	".new{color:var(--new)}\n"
	".above,.gone{color:var(--above)}\n"
	".what{display:block;max-width:22em;font-weight:400;font-size:13px;white-space:normal}\n"
	".top{white-space:nowrap}\n"
	".days{width:100%;height:130px;display:block}\n"
	".bar{fill:var(--bar)}\n"
	".last{fill:var(--last)}\n"
	".axis{stroke:var(--line)}\n"
	".heat{fill:var(--heat)}\n"
	".none{fill:none;stroke:var(--line)}\n"
	"@media (max-width:640px){body{padding:12px}\n"
	".what{display:none}\n"
	"}\n"
	"@media print{:root{--page:#fff;--text:#000;--soft:#444;--line:#bbb;--card:#fff;--bar:#8fb8e0;--last:#0b66c3;--heat:#0b66c3;--new:#8b1fa8;--above:#a34a00}\n"
	"body{max-width:none;padding:0;font-size:11px;print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
	".wide{overflow:visible}\n"
	"tr{break-inside:avoid}\n"
	".strip{width:120px}\n"
	".what{font-size:9px}\n"
	"}\n";
/* clang-format on */

static void card_write(FILE *stream, uint64_t number, const char *what)
{
	fputs("<div><b>", stream);
	markup_number(stream, number);
	fprintf(stream, "</b>%s</div>\n", what);
}

static void head_write(const struct morning_view *view, FILE *stream)
{
	const struct index_source *source = &view->index->source;
	char day[DAY_TEXT_SIZE];

	day_text(view->morning->last, day);
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'\">\n<title>",
	      stream);
	markup_text(stream, view->log_path);
	fprintf(stream, ": %s</title>\n<style>\n%s</style></head><body>\n<h1><bdi>", day, style);
	markup_text(stream, view->log_path);
	fprintf(stream, "</bdi>: %s</h1>\n<p class=\"soft\">Table <bdi>", day);
	markup_text(stream, source->layout.table);
	fprintf(stream,
		"</bdi>, days in UTC, %zu of them up to the last one that is over. Indexed at ",
		view->morning->days);
	markup_text(stream, source->indexed_at);
	fputs(".</p>\n", stream);
	if (view->behind) {
		fputs("<p class=\"above\">", stream);
		markup_number(stream, view->behind);
		fprintf(stream,
			"%s rows of the log are not in the index yet: connbits-index brings it up "
			"to "
			"date.</p>\n",
			view->behind_least ? " or more" : "");
	}
	if (view->morning->age > 1)
		fprintf(stream, "<p class=\"above\">The last rows are %" PRId64 " days old.</p>\n",
			view->morning->age);
	if (view->morning->later) {
		fputs("<p class=\"above\">", stream);
		markup_number(stream, view->morning->later);
		fputs(" rows are of later days: of today, which is not over, or dated after "
		      "it.</p>\n",
		      stream);
	}
}

static void came_write(const struct morning_view *view, FILE *stream)
{
	const struct index_source *source = &view->index->source;
	const struct morning *morning = view->morning;
	uint64_t skipped = 0;

	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		if (outcome_is_skipped((enum outcome)outcome))
			skipped += source->outcomes[outcome];
	fputs("<div class=\"cards\">\n", stream);
	card_write(stream, morning->all.days[morning->days - 1], "connections on the last day");
	card_write(stream, (uint64_t)(morning->all.mean + 0.5), "a day before, on average");
	card_write(stream, outcomes_total(source->outcomes), "rows in all");
	card_write(stream, skipped, "of them skipped");
	fputs("</div>\n<h2>What came in</h2>\n", stream);
	report_chart_days(stream, &morning->all, morning);
}

static void facet_write(FILE *stream, const char *caption, const struct facet *facet,
			enum facet_by by)
{
	fprintf(stream, "<table><caption>%s</caption>\n", caption);
	if (facet->count == 0)
		fputs("<tr><td>none</td></tr>\n", stream);
	for (size_t i = 0; i < facet->count; i++) {
		char text[FACET_TEXT_SIZE];

		facet_value_text(by, &facet->values[i], text);
		fprintf(stream, "<tr><td>%s</td><td class=\"n\">", text);
		markup_number(stream, facet->values[i].rows);
		fputs("</td></tr>\n", stream);
	}
	fputs("</table>\n", stream);
}

static void new_facet_write(FILE *stream, const char *what, const struct facet *facet,
			    enum facet_by by)
{
	char caption[80];

	snprintf(caption, sizeof(caption), "%" PRIu64 " %s%s, never seen before%s", facet->distinct,
		 what, facet->distinct == 1 ? "" : "s",
		 facet->distinct > facet->count ? ": the first" : "");
	facet_write(stream, caption, facet, by);
}

static void new_write(const struct morning *morning, FILE *stream)
{
	size_t count = 0;

	fputs("<h2>What is new</h2>\n<p class=\"soft\">" MORNING_RULE ".</p>\n<p>", stream);
	for (size_t i = 0; i < morning->count; i++) {
		const struct morning_filter *filter = &morning->items[i];

		if (filter->state == MORNING_USUAL)
			continue;
		fprintf(stream, "%s<span class=\"%s\">", count++ ? ", " : "",
			morning_state_name(filter->state));
		markup_text(stream, filter->name);
		fprintf(stream, "</span> (%s, ", morning_state_name(filter->state));
		markup_number(stream, filter->days[morning->days - 1]);
		fputs(")", stream);
	}
	fputs(count ? "</p>\n<div class=\"side\">\n" : "No filter.</p>\n<div class=\"side\">\n",
	      stream);
	new_facet_write(stream, "source", &morning->new_sources, FACET_SOURCE);
	new_facet_write(stream, "destination port", &morning->new_ports, FACET_PORT);
	fputs("</div>\n<h2>Most on the last day</h2>\n<div class=\"side\">\n", stream);
	facet_write(stream, "sources", &morning->all.sources, FACET_SOURCE);
	facet_write(stream, "destination ports", &morning->all.ports, FACET_PORT);
	fputs("</div>\n", stream);
}

static void values_write(FILE *stream, const struct facet *facet, enum facet_by by)
{
	fputs("<td class=\"top\">", stream);
	for (size_t i = 0; i < facet->count; i++) {
		char text[FACET_TEXT_SIZE];

		facet_value_text(by, &facet->values[i], text);
		fprintf(stream, "%s%s <span class=\"soft\">", i ? "<br>" : "", text);
		markup_number(stream, facet->values[i].rows);
		fputs("</span>", stream);
	}
	fputs("</td>", stream);
}

/* With a decimal where whole numbers would hide much of it. */
static void mean_write(FILE *stream, double mean)
{
	if (mean < 100)
		fprintf(stream, "%.1f", mean);
	else
		markup_number(stream, (uint64_t)(mean + 0.5));
}

static void filter_write(const struct morning_filter *filter, const struct morning *morning,
			 FILE *stream)
{
	fputs("<tr><th scope=\"row\">", stream);
	markup_text(stream, filter->name);
	if (filter->state != MORNING_USUAL)
		fprintf(stream, " <span class=\"%s\">%s</span>", morning_state_name(filter->state),
			morning_state_name(filter->state));
	fputs("<bdi class=\"what soft\">", stream);
	markup_text(stream, filter->description);
	fputs("</bdi></th><td class=\"n\">", stream);
	markup_number(stream, filter->days[morning->days - 1]);
	fputs("</td><td>", stream);
	report_chart_strip(stream, filter, morning);
	fputs("</td><td class=\"n\">", stream);
	mean_write(stream, filter->mean);
	fputs("</td><td class=\"n\">", stream);
	markup_number(stream, filter->rows);
	fputs("</td>", stream);
	values_write(stream, &filter->sources, FACET_SOURCE);
	values_write(stream, &filter->ports, FACET_PORT);
	fputs("</tr>\n", stream);
}

static void filters_write(const struct morning *morning, FILE *stream)
{
	char first[DAY_TEXT_SIZE];
	char last[DAY_TEXT_SIZE];
	size_t quiet = 0;

	day_text(morning->last - (int64_t)morning->days + 1, first);
	day_text(morning->last, last);
	fputs("<h2>Filters</h2>\n<p class=\"soft\">What stands out first, then what changed most: "
	      "how far "
	      "the last day is from the mean of the days before, by that mean's square root. The "
	      "stronger a day's colour, the more rows, of the filter's own day with most.</p>\n"
	      "<div class=\"wide\"><table>\n<thead><tr><th>filter</th>",
	      stream);
	fprintf(stream, "<th class=\"n\">last day</th><th>%s to %s</th>", first, last);
	fputs("<th class=\"n\">mean before</th><th class=\"n\">in all</th><th>sources</th>"
	      "<th>ports</th></tr></thead>\n<tbody>\n",
	      stream);
	for (size_t i = 0; i < morning->count; i++) {
		const struct morning_filter *filter = &morning->items[i];

		if (morning_filter_is_quiet(filter, morning->days))
			quiet++;
		else
			filter_write(filter, morning, stream);
	}
	fprintf(stream,
		"</tbody></table></div>\n<p class=\"soft\">%zu other filters have no rows on these "
		"days.</p>\n",
		quiet);
}

static void time_write(FILE *stream, int64_t time)
{
	char day[DAY_TEXT_SIZE] = "";

	if (time != INSTANT_NONE)
		day_text(instant_floor(time, DAY_MICROSECONDS), day);
	fprintf(stream, "<td>%s</td>", day);
}

static void sets_write(const struct set_matches *sets, FILE *stream)
{
	static const char *const ends[] = {"source", "destination"};
	size_t matched = 0;

	fputs("<h2>Address sets</h2>\n<p class=\"soft\">Sets that rows of the whole log "
	      "touch.</p>\n<div class=\"wide\"><table>\n<thead><tr><th>set</th><th "
	      "class=\"n\">entries</th><th>as</th><th class=\"n\">rows</th><th>first</th>"
	      "<th>last</th></tr></thead><tbody>\n",
	      stream);
	for (size_t i = 0; i < sets->count; i++)
		for (int end = 0; end < 2; end++) {
			const struct end_match *match = &sets->items[i].ends[end];

			if (match->rows == 0)
				continue;
			matched++;
			fputs("<tr><th scope=\"row\">", stream);
			markup_text(stream, sets->items[i].name);
			fputs("</th><td class=\"n\">", stream);
			markup_number(stream, sets->items[i].entries);
			fprintf(stream, "</td><td>%s</td><td class=\"n\">", ends[end]);
			markup_number(stream, match->rows);
			fputs("</td>", stream);
			time_write(stream, match->first);
			time_write(stream, match->last);
			fputs("</tr>\n", stream);
		}
	fprintf(stream, "%s</tbody></table></div>\n", matched ? "" : "<tr><td>none</td></tr>");
}

static void skipped_write(const struct index_source *source, FILE *stream)
{
	fputs("<h2>Rows that no filter sees</h2>\n<table><tbody>\n", stream);
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
		if (outcome == OUTCOME_HEADER)
			continue;
		fprintf(stream, "<tr><td>%s%s</td><td class=\"n\">",
			outcome_is_skipped((enum outcome)outcome) ? "skipped: " : "",
			outcome_name((enum outcome)outcome));
		markup_number(stream, source->outcomes[outcome]);
		fputs("</td></tr>\n", stream);
	}
	fputs("</tbody></table>\n", stream);
}

enum status report_page_write(const struct morning_view *view, FILE *stream,
			      struct message *message)
{
	head_write(view, stream);
	came_write(view, stream);
	new_write(view->morning, stream);
	filters_write(view->morning, stream);
	sets_write(&view->morning->sets, stream);
	skipped_write(&view->index->source, stream);
	fputs("<p class=\"soft\">Made by connbits-query --report, of the index alone.</p>\n"
	      "</body></html>\n",
	      stream);
	return ferror(stream) ? message_set(message, STATUS_FAILED, "cannot write the report")
			      : STATUS_OK;
}

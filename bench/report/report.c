#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chart.h"
#include "measure/measure.h"

static const char page_style[] =
	"body{margin:0 auto;max-width:1180px;padding:24px;background:var(--back);"
	"color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:24px;margin:0}h2{font-size:19px;margin:36px 0 4px}\n"
	"p{max-width:76ch;margin:8px 0}.soft{color:var(--soft)}code{font:13px ui-monospace,"
	"monospace}\n"
	"svg{max-width:100%;height:auto}.pair{display:grid;gap:12px;grid-template-columns:"
	"repeat(auto-fit,minmax(min(480px,100%),1fr))}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;"
	"font-size:13px;margin:8px 0}\n"
	"th,td{padding:2px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid "
	"var(--grid)}th{font-weight:600;color:var(--soft)}\n"
	".wide .chart{min-width:680px}td[colspan]{text-align:left}\n"
	"th:first-child,td:first-child{text-align:left}summary{cursor:pointer;color:var(--soft)}\n";

static bool is_ours(const char *name)
{
	return strncmp(name, "connbits", 8) == 0;
}

static void peers_chart(FILE *stream, const struct peer_results *peers, bool alone)
{
	struct chart_bar *bars = calloc(peers->count + 1, sizeof(*bars));
	size_t count = 0;
	char rows[32];
	char title[160];

	if (!bars)
		return;
	for (size_t i = 0; i < peers->count; i++) {
		const struct peer_result *peer = &peers->items[i];

		if (peer->absent)
			continue;
		bars[count++] = (struct chart_bar){.label = peer->name,
						   .value = peer->median,
						   .least = peer->least,
						   .most = peer->most,
						   .ratio = peer->ratio,
						   .ours = is_ours(peer->name)};
	}
	snprintf(title, sizeof(title),
		 "%" PRIu64 " questions over %s connections: time for all of them, logarithmic",
		 peers->questions, measure_number((double)peers->rows, rows));
	chart_bars(stream, title, bars, count, alone);
	free(bars);
}

static void peers_table(FILE *stream, const struct peer_results *peers)
{
	fputs("<div class=\"wide\"><table><tr><th>peer</th><th>ratio</th><th>all "
	      "questions</th><th>least</th>"
	      "<th>most</th><th>in one pass</th><th>prepared in</th><th>MB on disk</th></tr>\n",
	      stream);
	for (size_t i = 0; i < peers->count; i++) {
		const struct peer_result *peer = &peers->items[i];
		char text[5][24];

		fputs("<tr><td>", stream);
		chart_write_text(stream, peer->name);
		if (peer->absent) {
			fputs("</td><td colspan=\"7\">absent: ", stream);
			chart_write_text(stream, peer->absent);
			fputs("</td></tr>\n", stream);
			continue;
		}
		fprintf(stream,
			"</td><td>%.1f</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td>"
			"<td>%.1f</td></tr>\n",
			peer->ratio, chart_seconds(peer->median, text[0]),
			chart_seconds(peer->least, text[1]), chart_seconds(peer->most, text[2]),
			peer->together > 0 ? chart_seconds(peer->together, text[3]) : "",
			peer->prepare > 0 ? chart_seconds(peer->prepare, text[4]) : "",
			peer->bytes / 1e6);
	}
	fputs("</table></div>\n", stream);
}

static void peers_section(FILE *stream, const struct peer_results *peers)
{
	fputs("<h2 id=\"peers\">Peers</h2>\n", stream);
	if (peers->count == 0) {
		fputs("<p>Not measured in this run. To have them here: <code>python3 "
		      "bench/peers/peers.py BUILD --json &gt; peers.json</code>, and then "
		      "<code>connbits-bench --report FILE.html --peers peers.json "
		      "\xe2\x80\xa6</code>"
		      "</p>\n",
		      stream);
		return;
	}
	fprintf(stream,
		"<p>The same questions over the same rows, asked of each in its own language; "
		"every count was the same before a time is shown. Median of %" PRIu64
		" rounds, with the least and the most as a line; in brackets the time over the "
		"first's. How each is set up: <code>bench/peers/</code>.</p>\n",
		peers->repeats);
	if (peers->machine) {
		fputs("<p class=\"soft\">", stream);
		chart_write_text(stream, peers->machine);
		fputs("</p>\n", stream);
	}
	fputs("<div class=\"wide\">", stream);
	peers_chart(stream, peers, false);
	fputs("</div>\n", stream);
	peers_table(stream, peers);
}

static void curve_chart(FILE *stream, const struct scaling_curve *curve)
{
	struct chart_curves chart = {.x_label = curve->label};
	char title[128];

	snprintf(title, sizeof(title), "by %s: %s", curve->title, curve->setting);
	chart.title = title;
	for (int mode = 0; mode < SCALING_MODES; mode++) {
		struct chart_series *series = &chart.series[chart.count++];

		series->name = scaling_mode_name((enum scaling_mode)mode);
		for (size_t i = 0; i < curve->count && series->count < CHART_POINTS_MAX; i++) {
			const struct scaling_point *point = &curve->points[i];

			if (!point->measured[mode] || point->x <= 0)
				continue;
			series->x[series->count] = point->x;
			series->y[series->count] = measure_seconds(&point->modes[mode]);
			series->limit[series->count++] = measure_floor_seconds(&point->modes[mode]);
		}
	}
	chart_curves(stream, &chart);
}

static void curve_table(FILE *stream, const struct scaling_curve *curve)
{
	char text[2][24];

	fprintf(stream,
		"<details><summary>the figures</summary><div class=\"wide\"><table><tr>"
		"<th>%s</th>",
		curve->title);
	for (int mode = 0; mode < SCALING_MODES; mode++)
		fprintf(stream, "<th>%s</th><th>limit</th><th>ratio</th>",
			scaling_mode_name((enum scaling_mode)mode));
	fputs("</tr>\n", stream);
	for (size_t i = 0; i < curve->count; i++) {
		const struct scaling_point *point = &curve->points[i];

		fprintf(stream, "<tr><td>%.6g</td>", point->x);
		for (int mode = 0; mode < SCALING_MODES; mode++) {
			const struct measurement *measurement = &point->modes[mode];
			double least;
			double most;

			if (!point->measured[mode]) {
				fputs("<td colspan=\"3\"></td>", stream);
				continue;
			}
			measure_spread(measurement, &least, &most);
			fprintf(stream,
				"<td>%s</td><td>%s</td><td>%.1f (%.1f \xe2\x80\x93 %.1f)</td>",
				chart_seconds(measure_seconds(measurement), text[0]),
				chart_seconds(measure_floor_seconds(measurement), text[1]),
				measure_ratio(measurement), least, most);
		}
		fputs("</tr>\n", stream);
	}
	fputs("<tr><td>slope</td>", stream);
	for (int mode = 0; mode < SCALING_MODES; mode++) {
		const double each = scaling_marginal(curve, (enum scaling_mode)mode);

		if (!scaling_has_slope(curve, (enum scaling_mode)mode)) {
			fputs("<td colspan=\"3\"></td>", stream);
			continue;
		}
		fprintf(stream, "<td colspan=\"3\">x^%.2f, %s%s each more</td>",
			scaling_slope(curve, (enum scaling_mode)mode), each < 0 ? "-" : "",
			chart_seconds(fabs(each), text[0]));
	}
	fputs("</tr></table></div></details>\n", stream);
}

static void scaling_section(FILE *stream, const struct scaling *scaling)
{
	fprintf(stream,
		"<h2 id=\"scaling\">Scaling</h2>\n<p>Generated logs; median of %" PRIu64
		" interleaved runs. Dashed, in the same colour, the limit: ",
		scaling->repeats);
	for (int mode = 0; mode < SCALING_MODES; mode++)
		fprintf(stream, "%s<b>%s</b> %s", mode ? "; " : "",
			scaling_mode_name((enum scaling_mode)mode),
			scaling_limit_name((enum scaling_mode)mode));
	fputs(".</p>\n<div class=\"pair\">\n", stream);
	for (int axis = 0; axis < SCALING_AXES; axis++) {
		fputs("<div>", stream);
		curve_chart(stream, &scaling->curves[axis]);
		curve_table(stream, &scaling->curves[axis]);
		fputs("</div>\n", stream);
	}
	fputs("</div>\n", stream);
}

static void sheet_section(FILE *stream, const struct report *report)
{
	const struct sheet *sheet = report->sheet;

	fprintf(stream, "<h2 id=\"sheet\">Cost sheet</h2>\n<p>%zu filters of ", sheet->count);
	chart_write_text(stream,
			 report->catalogue_name ? report->catalogue_name : "a generated catalogue");
	fprintf(stream, " over %" PRIu64 " connections of ", sheet->rows);
	chart_write_text(stream, report->log_name ? report->log_name : "a generated log");
	fprintf(stream,
		", the dearest first. Times are the least of several over %" PRIu64
		" rows in memory with one thread: beside the other filters (marginal), alone, and "
		"with libpcap's bpf_filter.</p>\n"
		"<div class=\"wide\"><table><tr><th>filter</th><th>rows</th><th>share</th>"
		"<th>bitmap bytes</th><th>compile \xc2\xb5s</th><th>BPF instructions</th>"
		"<th>predicates</th><th>of them shared</th><th>marginal ns a row</th>"
		"<th>alone</th><th>bpf</th></tr>\n",
		sheet->timed_rows);
	for (size_t i = 0; i < sheet->count; i++) {
		const struct sheet_line *line = &sheet->lines[i];

		fputs("<tr><td>", stream);
		chart_write_text(stream, line->name);
		fprintf(stream,
			"%s</td><td>%" PRIu64 "</td><td>%.4f%%</td><td>%" PRIu64
			"</td><td>%.1f</td><td>%zu</td><td>%zu</td><td>%zu</td><td>%.3f</td>"
			"<td>%.2f</td><td>%.2f</td></tr>\n",
			line->limit ? " (left to bpf_filter)" : "", line->rows,
			sheet->rows ? (double)line->rows / (double)sheet->rows * 100 : 0,
			line->bytes, line->compile / 1e3, line->instructions, line->predicates,
			line->shared, line->marginal, line->alone, line->bpf);
	}
	fputs("</table></div>\n", stream);
}

static void head_write(FILE *stream, const struct machine *machine)
{
	const time_t now = time(NULL);
	struct tm date;
	char text[32] = "";

	if (gmtime_r(&now, &date))
		strftime(text, sizeof(text), "%Y-%m-%d", &date);
	fprintf(stream,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'\">\n"
		"<title>connbits-bench</title>\n<style>\n%s%s</style></head>\n<body>\n"
		"<h1>What a pcap filter costs over a connection log</h1>\n"
		"<p class=\"soft\">connbits " CONNBITS_VERSION ", %s. ",
		chart_style, page_style, text);
	chart_write_text(stream, machine->processor);
	fprintf(stream, ", %d processors, %.1f GiB, %s. ", machine->processors,
		(double)machine->memory / (1 << 30), machine->instructions);
	chart_write_text(stream, machine->system);
	fputs(".<br>", stream);
	chart_write_text(stream, machine->compiler);
	fputs("; ", stream);
	chart_write_text(stream, machine->libraries);
	fputs(".</p>\n<p><a href=\"#peers\">Peers</a> \xc2\xb7 <a href=\"#scaling\">Scaling</a> "
	      "\xc2\xb7 <a href=\"#sheet\">Cost sheet</a></p>\n",
	      stream);
}

void report_write(FILE *stream, const struct report *report)
{
	head_write(stream, report->machine);
	peers_section(stream, report->peers);
	scaling_section(stream, report->scaling);
	sheet_section(stream, report);
	fputs("</body></html>\n", stream);
}

bool report_peers_figure(FILE *stream, const struct peer_results *peers)
{
	bool any = false;

	for (size_t i = 0; i < peers->count; i++)
		any |= !peers->items[i].absent;
	if (any)
		peers_chart(stream, peers, true);
	return any;
}

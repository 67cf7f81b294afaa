#include "chart.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "measure/measure.h"

const char chart_style[] =
	":root{color-scheme:light dark;--back:#fff;--ink:#1b1f24;--soft:#5c6570;--grid:#dde1e6;"
	"--ours:#0b66c3;--other:#8a94a0;--s0:#0b66c3;--s1:#b34700;--s2:#18794e}\n"
	"@media(prefers-color-scheme:dark){:root{--back:#14171b;--ink:#e6e9ed;--soft:#9aa4b0;"
	"--grid:#2c333b;--ours:#5cb0ff;--other:#7c8794;--s0:#5cb0ff;--s1:#ff9d57;--s2:#58c992}}\n"
	".chart{background:var(--back);font:13px system-ui,sans-serif}\n"
	".chart text{fill:var(--ink)}.chart .soft{fill:var(--soft);font-size:12px}"
	".chart .head{font-weight:600;font-size:14px}\n"
	".chart .grid{stroke:var(--grid);stroke-width:1}.chart .whisker{stroke:var(--ink);"
	"stroke-width:1.5}\n"
	".chart .ours{fill:var(--ours)}.chart .other{fill:var(--other)}\n"
	".chart .line{fill:none;stroke-width:2}.chart .limit{fill:none;stroke-width:1.5;"
	"stroke-dasharray:5 4;opacity:.8}\n"
	".chart .s0{stroke:var(--s0)}.chart .s1{stroke:var(--s1)}.chart .s2{stroke:var(--s2)}\n"
	".chart .dot{stroke:none}.chart .dot.s0{fill:var(--s0)}.chart .dot.s1{fill:var(--s1)}"
	".chart .dot.s2{fill:var(--s2)}\n";

void chart_write_text(FILE *stream, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text);

	while (left) {
		const size_t length = json_utf8_sequence(at, left);
		const bool control = *at < 0x20 && *at != '\t' && *at != '\n';
		/* U+FFFE and U+FFFF are no characters of XML. */
		const bool none = length == 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe;

		if (length == 0 || control || none)
			fputs("\xef\xbf\xbd", stream);
		else if (*at == '<' || *at == '>' || *at == '&' || *at == '"')
			fprintf(stream, "&#%d;", *at);
		else
			fwrite(at, 1, length, stream);
		at += length ? length : 1;
		left -= length ? length : 1;
	}
}

const char *chart_seconds(double seconds, char text[static 24])
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "\xc2\xb5s"}, {1e-9, "ns"}};
	size_t i = 0;
	double value;

	while (i < 3 && seconds < units[i].unit)
		i++;
	value = seconds / units[i].unit;
	snprintf(text, 24, "%.*f %s", value < 9.95 ? 1 : 0, value, units[i].name);
	return text;
}

/* A tick's time, which is a power of ten. */
static const char *tick_seconds(double seconds, char text[static 24])
{
	char exact[24];
	char *point;

	chart_seconds(seconds * 1.0001, exact);
	point = strstr(exact, ".0");
	snprintf(text, 24, "%.*s%s", point ? (int)(point - exact) : (int)strlen(exact), exact,
		 point ? point + 2 : "");
	return text;
}

/* A logarithmic scale from one end to another. */
struct scale {
	double least;
	double most;
	double from; /* pixels */
	double to;
};

static double scale_at(const struct scale *scale, double value)
{
	return scale->from + (scale->to - scale->from) * log(value / scale->least) /
				     log(scale->most / scale->least);
}

/* The powers of ten on a scale: the first one, times ten for each further. */
static double decade_of(const struct scale *scale, int number)
{
	return pow(10, ceil(log10(scale->least) - 1e-9) + number);
}

static int decades_within(const struct scale *scale)
{
	int count = 0;

	while (count < 40 && decade_of(scale, count) <= scale->most * 1.001)
		count++;
	return count;
}

/* Widens least and most to whole decades, at least one. */
static void scale_decades(struct scale *scale)
{
	scale->least = pow(10, floor(log10(scale->least) + 1e-9));
	scale->most = pow(10, ceil(log10(scale->most) - 1e-9));
	if (scale->most <= scale->least)
		scale->most = scale->least * 10;
}

static void svg_begin(FILE *stream, int width, int height, const char *title, bool alone)
{
	fprintf(stream,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" "
		"width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\"><title>",
		width, height, width, height);
	chart_write_text(stream, title);
	fputs("</title>\n", stream);
	if (alone)
		fprintf(stream,
			"<style>%s</style>\n<rect width=\"%d\" height=\"%d\" "
			"style=\"fill:var(--back)\"/>\n",
			chart_style, width, height);
}

static void svg_text(FILE *stream, double x, double y, const char *anchor, const char *class,
		     const char *text)
{
	fprintf(stream, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y,
		anchor, class);
	chart_write_text(stream, text);
	fputs("</text>\n", stream);
}

static void svg_line(FILE *stream, double x1, double y1, double x2, double y2, const char *class)
{
	fprintf(stream, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n",
		x1, y1, x2, y2, class);
}

enum { BARS_WIDTH = 800, BARS_LABELS = 230, BARS_VALUES = 130, BARS_TOP = 44, BAR_STEP = 27 };

static void bar_draw(FILE *stream, const struct scale *scale, const struct chart_bar *bar, double y)
{
	const double end = scale_at(scale, bar->value);
	char value[24] = "";
	char text[64] = "";

	svg_text(stream, BARS_LABELS - 10, y + 14, "end", bar->ours ? "ours" : "", bar->label);
	fprintf(stream,
		"<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"19\" rx=\"2\" class=\"%s\"/>\n",
		BARS_LABELS, y, end - BARS_LABELS, bar->ours ? "ours" : "other");
	svg_line(stream, scale_at(scale, bar->least), y + 9.5, scale_at(scale, bar->most), y + 9.5,
		 "whisker");
	snprintf(text, sizeof(text), "%s  (\xc3\x97%.*f)", chart_seconds(bar->value, value),
		 bar->ratio < 9.95 ? 1 : 0, bar->ratio);
	svg_text(stream, fmax(end, scale_at(scale, bar->most)) + 8, y + 14, "start", "", text);
}

void chart_bars(FILE *stream, const char *title, const struct chart_bar *bars, size_t count,
		bool alone)
{
	const int height = BARS_TOP + (int)count * BAR_STEP + 34;
	const double bottom = height - 30;
	struct scale scale = {
		.least = 1, .most = 0, .from = BARS_LABELS, .to = BARS_WIDTH - BARS_VALUES};

	if (count == 0)
		return;
	scale.least = scale.most = bars[0].value;
	for (size_t i = 0; i < count; i++) {
		scale.least = fmin(scale.least, bars[i].least);
		scale.most = fmax(scale.most, bars[i].most);
	}
	scale_decades(&scale);
	svg_begin(stream, BARS_WIDTH, height, title, alone);
	svg_text(stream, 12, 22, "start", "head", title);
	for (int i = 0; i < decades_within(&scale); i++) {
		const double tick = decade_of(&scale, i);
		const double x = scale_at(&scale, tick);
		char text[24] = "";

		svg_line(stream, x, BARS_TOP - 8, x, bottom, "grid");
		svg_text(stream, x, bottom + 16, "middle", "soft", tick_seconds(tick, text));
	}
	for (size_t i = 0; i < count; i++)
		bar_draw(stream, &scale, &bars[i], BARS_TOP + (double)(i * BAR_STEP));
	fputs("</svg>\n", stream);
}

enum {
	CURVES_WIDTH = 560,
	CURVES_HEIGHT = 380,
	CURVES_LEFT = 64,
	CURVES_RIGHT = 44,
	CURVES_TOP = 40,
	CURVES_BOTTOM = 84
};

struct axes {
	struct scale x;
	struct scale y;
};

static struct axes axes_of(const struct chart_curves *curves)
{
	struct axes axes = {
		.x = {INFINITY, 0, CURVES_LEFT, CURVES_WIDTH - CURVES_RIGHT},
		.y = {INFINITY, 0, CURVES_HEIGHT - CURVES_BOTTOM, CURVES_TOP},
	};

	for (size_t i = 0; i < curves->count; i++)
		for (size_t j = 0; j < curves->series[i].count; j++) {
			const struct chart_series *series = &curves->series[i];

			axes.x.least = fmin(axes.x.least, series->x[j]);
			axes.x.most = fmax(axes.x.most, series->x[j]);
			axes.y.least = fmin(axes.y.least, fmin(series->y[j], series->limit[j]));
			axes.y.most = fmax(axes.y.most, fmax(series->y[j], series->limit[j]));
		}
	/* Nothing, or one point, is given some room. */
	if (axes.x.most <= 0)
		axes.x.least = axes.x.most = axes.y.least = axes.y.most = 1;
	if (axes.x.most < axes.x.least * 1.01) {
		axes.x.least /= 1.5;
		axes.x.most *= 1.5;
	}
	scale_decades(&axes.y);
	return axes;
}

static void axes_draw(FILE *stream, const struct axes *axes, const struct chart_curves *curves)
{
	const double bottom = axes->y.from;
	/* A short axis has its points as marks, a long one decades. */
	const bool decades = axes->x.most / axes->x.least >= 100;
	char number[32] = "";
	char text[24] = "";

	for (int i = 0; i < decades_within(&axes->y); i++) {
		const double tick = decade_of(&axes->y, i);
		const double y = scale_at(&axes->y, tick);

		svg_line(stream, axes->x.from, y, axes->x.to, y, "grid");
		svg_text(stream, axes->x.from - 8, y + 4, "end", "soft", tick_seconds(tick, text));
	}
	for (int i = 0; decades && i < decades_within(&axes->x); i++) {
		const double tick = decade_of(&axes->x, i);

		svg_line(stream, scale_at(&axes->x, tick), axes->y.to, scale_at(&axes->x, tick),
			 bottom, "grid");
		svg_text(stream, scale_at(&axes->x, tick), bottom + 18, "middle", "soft",
			 measure_number(tick, number));
	}
	for (size_t i = 0; !decades && curves->count && i < curves->series[curves->count - 1].count;
	     i++) {
		const double x = curves->series[curves->count - 1].x[i];

		svg_line(stream, scale_at(&axes->x, x), axes->y.to, scale_at(&axes->x, x), bottom,
			 "grid");
		svg_text(stream, scale_at(&axes->x, x), bottom + 18, "middle", "soft",
			 measure_number(x, number));
	}
}

static void path_draw(FILE *stream, const struct axes *axes, const double *x, const double *y,
		      size_t count, const char *class, size_t number)
{
	fputs("<path d=\"", stream);
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%c%.1f %.1f", i ? 'L' : 'M', scale_at(&axes->x, x[i]),
			scale_at(&axes->y, y[i]));
	fprintf(stream, "\" class=\"%s s%zu\"/>\n", class, number);
}

static void series_draw(FILE *stream, const struct axes *axes, const struct chart_series *series,
			size_t number)
{
	const double legend_x = CURVES_LEFT + (double)number * 165;
	const double legend_y = CURVES_HEIGHT - 16;

	path_draw(stream, axes, series->x, series->limit, series->count, "limit", number);
	path_draw(stream, axes, series->x, series->y, series->count, "line", number);
	for (size_t i = 0; i < series->count; i++)
		fprintf(stream, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" class=\"dot s%zu\"/>\n",
			scale_at(&axes->x, series->x[i]), scale_at(&axes->y, series->y[i]), number);
	fprintf(stream, "<path d=\"M%.1f %.1fh24\" class=\"line s%zu\"/>\n", legend_x, legend_y - 4,
		number);
	svg_text(stream, legend_x + 30, legend_y, "start", "", series->name);
}

void chart_curves(FILE *stream, const struct chart_curves *curves)
{
	const struct axes axes = axes_of(curves);

	svg_begin(stream, CURVES_WIDTH, CURVES_HEIGHT, curves->title, false);
	svg_text(stream, 12, 22, "start", "head", curves->title);
	axes_draw(stream, &axes, curves);
	svg_text(stream, (axes.x.from + axes.x.to) / 2, axes.y.from + 38, "middle", "soft",
		 curves->x_label);
	for (size_t i = 0; i < curves->count; i++)
		series_draw(stream, &axes, &curves->series[i], i);
	fputs("</svg>\n", stream);
}

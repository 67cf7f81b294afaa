#include "report_chart.h"

#include "markup.h"
#include "packet/day_text.h"

enum {
	CHART_WIDTH = 720,
	CHART_HEIGHT = 130,
	STRIP_WIDTH = 196,
	STRIP_HEIGHT = 18,
};

static uint64_t most_of(const struct morning_filter *filter, size_t days)
{
	uint64_t most = 1;

	for (size_t i = 0; i < days; i++)
		most = filter->days[i] > most ? filter->days[i] : most;
	return most;
}

static void day_write(FILE *stream, const struct morning *morning, size_t i)
{
	char day[DAY_TEXT_SIZE];

	day_text(morning->last - (int64_t)(morning->days - 1 - i), day);
	fputs(day, stream);
}

static void title_write(FILE *stream, const struct morning_filter *filter,
			const struct morning *morning, size_t i)
{
	fputs("<title>", stream);
	day_write(stream, morning, i);
	fputs(": ", stream);
	markup_number(stream, filter->days[i]);
	fputs(filter->days[i] == 1 ? " row</title>" : " rows</title>", stream);
}

void report_chart_days(FILE *stream, const struct morning_filter *filter,
		       const struct morning *morning)
{
	const double most = (double)most_of(filter, morning->days);
	const double step = (double)CHART_WIDTH / (double)morning->days;

	fprintf(stream,
		"<svg class=\"days\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
		"role=\"img\" aria-label=\"rows on each day\">",
		CHART_WIDTH, CHART_HEIGHT);
	for (size_t i = 0; i < morning->days; i++) {
		const double height = (double)filter->days[i] / most * (CHART_HEIGHT - 4);

		fprintf(stream,
			"<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">",
			i + 1 == morning->days ? "bar last" : "bar", (double)i * step + step * 0.08,
			CHART_HEIGHT - height, step * 0.84, height);
		title_write(stream, filter, morning, i);
		fputs("</rect>", stream);
	}
	fprintf(stream,
		"<line class=\"axis\" x1=\"0\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/></svg>\n"
		"<div class=\"ends soft\"><span>",
		CHART_HEIGHT, CHART_WIDTH, CHART_HEIGHT);
	day_write(stream, morning, 0);
	fputs("</span><span>most on a day: ", stream);
	markup_number(stream, (uint64_t)most);
	fputs("</span><span>", stream);
	day_write(stream, morning, morning->days - 1);
	fputs("</span></div>\n", stream);
}

void report_chart_strip(FILE *stream, const struct morning_filter *filter,
			const struct morning *morning)
{
	const double most = (double)most_of(filter, morning->days);
	const double step = (double)STRIP_WIDTH / (double)morning->days;
	const double gap = step > 4 ? 1 : step * 0.1;

	fprintf(stream,
		"<svg class=\"strip\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
		"role=\"img\" "
		"aria-label=\"rows on each day\">",
		STRIP_WIDTH, STRIP_HEIGHT, STRIP_WIDTH, STRIP_HEIGHT);
	for (size_t i = 0; i < morning->days; i++) {
		const double share = (double)filter->days[i] / most;

		if (filter->days[i])
			fprintf(stream, "<rect class=\"heat\" fill-opacity=\"%.2f\"",
				0.15 + 0.85 * share);
		else
			fputs("<rect class=\"none\"", stream);
		fprintf(stream, " x=\"%.2f\" y=\"0.5\" width=\"%.2f\" height=\"%d\">",
			(double)i * step + gap / 2, step - gap, STRIP_HEIGHT - 1);
		title_write(stream, filter, morning, i);
		fputs("</rect>", stream);
	}
	fputs("</svg>", stream);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report's charts as inline SVG. Colours are the page's variables; what was to be refused and passed is hatched,
 * so that it shows in print and without colour; each bar has its number as a title, for a pointer and for readers of
 * screens.
 */
#include <string.h>

#include "nfqctl.h"
#include "report.h"

enum { WIDTH = 720, HEIGHT = 160, LEFT = 48, BOTTOM = 20, TOP = 8, MOST_BARS = 366, WIDEST = 48 };

static long long largest(const json_t *rows, size_t from, const char *a, const char *b)
{
	long long     most = 1;
	const json_t *one;
	size_t        i;

	json_array_foreach(rows, i, one) {
		long long n = number_of(one, a) + (b ? number_of(one, b) : 0);

		if (i >= from && n > most)
			most = n;
	}
	return most;
}

static const char *label_of(const json_t *row, const char *key, char number[static 8])
{
	const char *text = json_string_value(json_object_get(row, key));

	snprintf(number, 8, "%02lld h", number_of(row, key));
	return text ? text : number;
}

static void axis(FILE *f, long long most)
{
	const int base = HEIGHT - BOTTOM;

	fprintf(f, "<line class=axis x1=%d y1=%d x2=%d y2=%d /><line class=grid x1=%d y1=%d x2=%d y2=%d />", LEFT, base, WIDTH, base,
	        LEFT, TOP, WIDTH, TOP);
	fprintf(f, "<text x=%d y=%d text-anchor=end>%lld</text><text x=%d y=%d text-anchor=end>0</text>", LEFT - 6, TOP + 4, most,
	        LEFT - 6, base);
}

/* From the height `at` on, in the chart's units; the new height. */
static double bar(FILE *f, const char *class, double x, double width, double at, double height)
{
	if (height <= 0)
		return at;
	fprintf(f, "<rect class=%s x=%.2f y=%.2f width=%.2f height=%.2f />", class, x, at - height, width, height);
	return at - height;
}

static void bars(FILE *f, const json_t *rows, const struct chart *c, size_t from)
{
	const double  base = HEIGHT - BOTTOM, room = base - TOP, step = (double)(WIDTH - LEFT) / (double)(json_array_size(rows) - from);
	long long     most = largest(rows, from, c->a, c->b);
	const json_t *one;
	char          number[8];
	size_t        i;

	axis(f, most);
	json_array_foreach(rows, i, one) {
		double x = LEFT + (double)(i - from) * step, at, width = step > 3 ? (step < WIDEST ? step - 1 : WIDEST) : step * 0.8;

		if (i < from)
			continue;
		fputs("<g><title>", f);
		report_text(f, label_of(one, c->key, number));
		fprintf(f, ": %lld %s", number_of(one, c->a), c->a);
		if (c->b)
			fprintf(f, ", %lld %s", number_of(one, c->b), c->b);
		fputs("</title>", f);
		at = bar(f, c->a_class, x, width, base, room * (double)number_of(one, c->a) / (double)most);
		if (c->b)
			bar(f, c->b_class, x, width, at, room * (double)number_of(one, c->b) / (double)most);
		fputs("</g>", f);
	}
}

void report_chart(FILE *f, const json_t *rows, const struct chart *c)
{
	size_t n = json_array_size(rows), from = n > MOST_BARS ? n - MOST_BARS : 0;
	char   number[8];

	if (n == 0)
		return;
	fprintf(f, "<figure><figcaption>%s</figcaption><svg viewBox=\"0 0 %d %d\" role=img aria-label=\"%s\">", c->title, WIDTH,
	        HEIGHT, c->title);
	bars(f, rows, c, from);
	fprintf(f, "<text x=%d y=%d>", LEFT, HEIGHT - 4);
	report_text(f, label_of(json_array_get(rows, from), c->key, number));
	fprintf(f, "</text><text x=%d y=%d text-anchor=end>", WIDTH, HEIGHT - 4);
	report_text(f, label_of(json_array_get(rows, n - 1), c->key, number));
	fputs("</text></svg></figure>\n", f);
}

void report_hatch(FILE *f)
{
	fputs("<svg width=0 height=0 aria-hidden=true><defs><pattern id=hatch width=6 height=6 patternUnits=userSpaceOnUse "
	      "patternTransform=\"rotate(45)\"><rect width=6 height=6 class=hatchback /><rect width=3 height=6 class=hatchline />"
	      "</pattern></defs></svg>\n", f);
}

void report_charts(const json_t *report, FILE *f)
{
	static const struct chart days[] = {
		{ "Machines that called, by day", "day", "machines", NULL, "m", NULL },
		{ "Attempts by day: refused, and (hatched) to be refused but passed", "day", "refused", "leaked", "r", "k" },
	};
	static const struct chart hours = { "Attempts by hour of the day (UTC): refused, and (hatched) passed", "hour", "refused",
		                            "leaked", "r", "k" };

	report_hatch(f);
	for (unsigned i = 0; i < sizeof(days) / sizeof(days[0]); i++)
		report_chart(f, json_object_get(report, "trend"), &days[i]);
	report_chart(f, json_object_get(report, "hours"), &hours);
}

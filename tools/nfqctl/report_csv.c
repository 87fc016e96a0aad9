/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report as a table, and when it was made. */
#include <string.h>

#include "base/clock.h"
#include "nfqctl.h"
#include "report.h"

void report_add_now(json_t *report)
{
	char text[CLOCK_TEXT];

	clock_text_iso((int64_t)(clock_now() / NS_PER_S), text);
	json_object_set_new(report, "made", json_string(text));
}

static void csv_text(FILE *f, const char *text)
{
	fputc('"', f);
	if (strchr("=+-@\t", *text) && *text && strcmp(text, "-") != 0)
		fputc('\'', f);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

static void csv_list(FILE *f, const json_t *list)
{
	char          joined[512] = "";
	const json_t *one;
	size_t        i, n = 0;

	json_array_foreach(list, i, one)
		if (n < sizeof(joined))
			n += (size_t)snprintf(joined + n, sizeof(joined) - n, "%s%s", i ? " " : "", json_string_value(one));
	csv_text(f, joined);
}

void report_csv(const json_t *report, FILE *f)
{
	static const char *const texts[] = { "id", "name", "behind", "vendor", "first", "last" };
	static const char *const counts[] = { "refused", "logged", "passed", "leaked", "days" };
	const json_t            *host;
	size_t                   i;

	fputs("machine,name,behind,vendor,first,last,refused,logged,passed,leaked,days,addresses,channels\r\n", f);
	json_array_foreach(json_object_get(report, "hosts"), i, host) {
		for (unsigned k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			const char *text = json_string_value(json_object_get(host, texts[k]));

			csv_text(f, text ? text : "");
			fputc(',', f);
		}
		for (unsigned k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
			fprintf(f, "%lld,", number_of(host, counts[k]));
		csv_list(f, json_object_get(host, "addresses"));
		fputc(',', f);
		csv_list(f, json_object_get(host, "channels"));
		fputs("\r\n", f);
	}
}

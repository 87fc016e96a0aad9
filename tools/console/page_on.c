/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is it on? One sentence; the heartbeat; what was not inspected; the packs; what is failing and what mends it. */
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "html.h"
#include "pages.h"
#include "shared/site_names.h"

static void reasons(FILE *f, const json_t *status)
{
	const json_t *reason;
	size_t        i;

	fputs("<ul>", f);
	json_array_foreach(json_object_get(status, "reasons"), i, reason) {
		fputs("<li>", f);
		report_text(f, text_of(reason, "text"));
		fputs("</li>", f);
	}
	fputs("</ul>", f);
}

static void sentence(FILE *f, const json_t *status)
{
	const bool  on = json_is_true(json_object_get(status, "protected"));
	const char *since = json_string_value(json_object_get(status, "since"));

	fprintf(f, "<div class=\"state %s\" role=status><p class=big>%s ", on ? "good" : "bad", on ? "&#10003;" : "!");
	html_t(f, on ? T_IS_ON : since ? T_IS_OFF : T_IS_UNKNOWN);
	fputs("</p>", f);
	if (since) {
		fputs("<p>", f);
		html_t(f, on ? T_ON_SENTENCE : T_OFF_SENTENCE);
		fputs(" ", f);
		html_time(f, since);
		fputs(". ", f);
		html_t(f, T_MODE);
		fputs(": ", f);
		report_text(f, text_of(status, "mode"));
		fputs(".</p>", f);
	}
	if (!on)
		reasons(f, status);
	fputs("</div>\n", f);
}

/* ---- heartbeat ---- */

static void beats(FILE *f, const json_t *ways)
{
	static const int heads[] = { T_WAY, T_CHANNEL, T_RESULT, TEXTS_N };
	const char      *way, *channel;
	json_t          *channels, *result;

	html_table(f, T_HEARTBEAT, heads);
	json_object_foreach((json_t *)ways, way, channels)
		json_object_foreach(channels, channel, result) {
			const bool  good = strcmp(text_of(result, "result"), "refused") == 0;
			const char *why = json_string_value(json_object_get(result, "why"));

			fputs("<tr>", f);
			html_cell(f, way);
			html_cell(f, channel);
			fprintf(f, "<td class=%s>%s ", good ? "good" : "bad", good ? "&#10003;" : "!");
			report_text(f, why ? why : text_of(result, "result"));
			fputs("</td></tr>\n", f);
		}
	html_table_end(f);
}

static void heartbeat(FILE *f, const json_t *beat)
{
	const char *state = text_of(beat, "state");

	html_heading(f, "heartbeat", T_HEARTBEAT);
	if (strcmp(state, "off") == 0 || strcmp(state, "waiting") == 0) {
		html_paragraph(f, state[0] == 'o' ? T_HEARTBEAT_OFF : T_HEARTBEAT_WAITING);
		return;
	}
	fputs("<p>", f);
	report_text(f, state);
	fputs(", ", f);
	html_time(f, text_of(beat, "at"));
	fputs("</p>\n", f);
	beats(f, json_object_get(beat, "channels"));
}

/* ---- what was not inspected ---- */

static void uninspected(struct page *p)
{
	static const int heads[] = { T_WHAT, -T_AMOUNT, TEXTS_N };
	const int64_t    since = (int64_t)(clock_now() / NS_PER_US) - INT64_C(86400000000);
	struct err       err = { .text = "" };
	json_t          *report = ask_sightings(p->console, json_pack("{s:s, s:I}", "ask", "coverage", "since", (json_int_t)since), &err);
	const json_t    *all = json_object_get(report, "coverage");
	bool             any = false;

	html_heading(p->f, "uninspected", T_UNINSPECTED);
	for (unsigned i = 0; report_coverage[i].key; i++) {
		const json_t *n = json_object_get(all, report_coverage[i].key);

		if (!n || strncmp(report_coverage[i].key, "watched", 7) == 0 || strcmp(report_coverage[i].key, "heartbeats") == 0)
			continue;
		if (!any)
			html_table(p->f, T_UNINSPECTED, heads);
		any = true;
		fputs("<tr>", p->f);
		html_cell(p->f, report_coverage[i].text);
		fprintf(p->f, "<td class=n>%.*f</td></tr>\n", json_is_real(n) ? 1 : 0, json_number_value(n));
	}
	if (any)
		html_table_end(p->f);
	else if (report)
		html_paragraph(p->f, T_UNINSPECTED_NONE);
	else
		page_note(p->f, err.text);
	json_decref(report);
}

/* ---- packs ---- */

/* Days since a pack's version, 2026.11.23.1. */
static long long age_of(const char *version, int64_t now)
{
	char    date[16];
	int64_t made;

	snprintf(date, sizeof(date), "%.10s", version);
	for (char *d = date; *d; d++)
		*d = *d == '.' ? '-' : *d;
	return clock_parse(date, &made) == 0 ? (now - made) / 86400 : -1;
}

static void pack(FILE *f, const json_t *one, int64_t now)
{
	const char *expires = text_of(one, "expires");
	long long   age = age_of(text_of(one, "version"), now);
	int64_t     end;

	fputs("<tr>", f);
	html_cell(f, text_of(one, "pack"));
	html_cell(f, text_of(one, "version"));
	if (age < 0)
		fputs("<td class=n>-</td>", f);
	else
		fprintf(f, "<td class=n>%lld %s</td>", age, t(T_DAYS));
	if (clock_parse(expires, &end) == 0 && end <= now)
		fprintf(f, "<td class=bad>! %s %.10s</td></tr>\n", t(T_EXPIRED), expires);
	else
		fprintf(f, "<td>%.10s</td></tr>\n", expires);
}

static void packs(FILE *f, const json_t *all)
{
	static const int heads[] = { T_PACK, T_VERSION, -T_AGE, T_EXPIRES, TEXTS_N };
	const int64_t    now = (int64_t)(clock_now() / NS_PER_S);
	const json_t    *one;
	size_t           i;

	html_heading(f, "packs", T_PACKS);
	html_table(f, T_PACKS, heads);
	json_array_foreach(all, i, one)
		if (strncmp(text_of(one, "pack"), SITE_PACK, strlen(SITE_PACK)) != 0)
			pack(f, one, now);
	html_table_end(f);
}

/* ---- what is failing ---- */

static void failing(FILE *f, const json_t *findings)
{
	static const int heads[] = { T_CHECK, T_FINDING, T_CURE, T_COMMAND, TEXTS_N };
	const json_t    *one;
	size_t           i;

	html_heading(f, "failing", T_FAILING);
	if (json_array_size(findings) == 0) {
		html_paragraph(f, T_FAILING_NOTHING);
		return;
	}
	html_table(f, T_FAILING, heads);
	json_array_foreach(findings, i, one) {
		const char *command = json_string_value(json_object_get(one, "command"));

		fputs("<tr>", f);
		html_cell(f, text_of(one, "check"));
		fputs("<td>", f);
		html_foreign(f, text_of(one, "where"));
		fputs(" ", f);
		html_foreign(f, text_of(one, "text"));
		fputs("</td>", f);
		html_cell(f, text_of(one, "cure"));
		fputs("<td><code>", f);
		html_foreign(f, command ? command : "");
		fputs("</code></td></tr>\n", f);
	}
	html_table_end(f);
}

void page_on(struct page *p)
{
	struct err err = { .text = "" };
	json_t    *status = ask_status_or_none(p->console, &err), *findings;

	if (!status) {
		page_error(p, 502, T_NOT_ANSWERED, err.text);
		return;
	}
	findings = doctor_of_status(status);
	page_begin(p, T_ON, "/");
	sentence(p->f, status);
	if (json_object_get(status, "version")) {
		failing(p->f, findings);
		heartbeat(p->f, json_object_get(status, "heartbeat"));
		uninspected(p);
		packs(p->f, json_object_get(status, "packs"));
	}
	page_end(p);
	json_decref(findings);
	json_decref(status);
}

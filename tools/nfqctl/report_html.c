/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report as one page: no script, no address of anything, all numbers as the database has them. Every text from a
 * record is written as text, and the page's own policy (CSP) forbids the rest.
 */
#include <string.h>

#include "nfqctl.h"
#include "report.h"

static const char head[] =
	"<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
	"<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=viewport content=\"width=device-width\">\n<title>nfqd report</title>\n<style>\n"
	":root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--page:#fff;--r:#3b6ea5;--k:#b3541e;--m:#4d7c4d}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4ae;--line:#3d444d;--page:#0f1318;--r:#79a8dc;--k:#e8935a;"
	"--m:#8fc08f}}\n"
	"@media print{:root{--ink:#000;--soft:#333;--page:#fff;--line:#999}tr,figure{break-inside:avoid}}\n"
	"body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink);"
	"background:var(--page)}\n"
	"h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}p{max-width:44rem}.soft{color:var(--soft)}\n"
	"table{border-collapse:collapse;width:100%;font-size:13px}th{white-space:nowrap}th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid "
	"var(--line);vertical-align:top;overflow-wrap:break-word}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	"figure{margin:1rem 0}figcaption{color:var(--soft)}svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--soft)}\n"
	".axis{stroke:var(--ink)}.grid{stroke:var(--line);stroke-dasharray:3}.m{fill:var(--m)}.r{fill:var(--r)}.k{fill:url(#hatch);"
	"stroke:var(--k)}.hatchback{fill:var(--page)}.hatchline{fill:var(--k)}pre{white-space:pre-wrap;overflow-wrap:anywhere}\n"
	"</style>\n";

void report_text(FILE *f, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&': fputs("&amp;", f); break;
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '"': fputs("&quot;", f); break;
		case '\'': fputs("&#39;", f); break;
		default: fputc(*text, f); break;
		}
}

/* ---- tables -------------------------------------------------------------------------------- */

/* A column's key; of a number, of a time, of a text, or of a list. */
struct column {
	const char *key, *title;
	char        type; /* 'n', 't', 's', 'l' */
};

static void cell(FILE *f, const json_t *row, const struct column *c)
{
	const json_t *v = json_object_get(row, c->key), *one;
	char          text[20];
	size_t        i;

	fputs(c->type == 'n' ? "<td class=n>" : "<td>", f);
	if (c->type == 'n') {
		fprintf(f, "%lld", number_of(row, c->key));
	} else if (c->type == 't') {
		snprintf(text, sizeof(text), "%.19s", text_of(row, c->key));
		report_text(f, text);
	} else if (c->type == 'l') {
		json_array_foreach(v, i, one) {
			fputs(i ? ", " : "", f);
			report_text(f, json_string_value(one));
		}
	} else {
		report_text(f, text_of(row, c->key));
	}
	fputs("</td>", f);
}

static void table(FILE *f, const char *id, const json_t *rows, const struct column columns[])
{
	const json_t *row;
	size_t        i;

	fprintf(f, "<table id=%s><tr>", id);
	for (const struct column *c = columns; c->key; c++)
		fprintf(f, "<th%s>%s</th>", c->type == 'n' ? " class=n" : "", c->title);
	fputs("</tr>\n", f);
	json_array_foreach(rows, i, row) {
		fputs("<tr>", f);
		for (const struct column *c = columns; c->key; c++)
			cell(f, row, c);
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
}

#define OUTCOMES                                                                                                       \
	{ "refused", "refused", 'n' }, { "logged", "only logged", 'n' }, { "passed", "passed", 'n' }, { "leaked", "leaked", 'n' }

static const struct column host_columns[] = {
	{ "id", "machine", 's' }, { "name", "name", 's' }, { "addresses", "addresses", 'l' }, { "vendor", "vendor", 's' },
	{ "first", "first", 't' }, { "last", "last", 't' }, OUTCOMES, { NULL, NULL, 0 } };
static const struct column channel_columns[] = { { "channel", "channel", 's' }, OUTCOMES, { NULL, NULL, 0 } };
static const struct column authority_columns[] = {
	{ "vendor", "vendor", 's' }, { "pack", "pack", 's' }, { "pack_version", "version", 's' }, { "stage", "stage", 's' },
	{ "basis", "on whose word", 's' }, { "citation", "citation", 's' }, OUTCOMES, { NULL, NULL, 0 } };
static const struct column day_columns[] = { { "day", "day", 's' }, { "machines", "machines", 'n' }, OUTCOMES, { NULL, NULL, 0 } };
static const struct column hop_columns[] = {
	{ "mac", "hop", 's' }, { "reason", "because", 's' }, { "machines_at_least", "machines, at least", 'n' }, { NULL, NULL, 0 } };
static const struct column event_columns[] = { { "at", "when", 't' }, { "kind", "what", 's' }, { "note", "", 's' }, { NULL, NULL, 0 } };
static const struct column pack_columns[] = { { "pack", "pack", 's' }, { "version", "version", 's' }, { NULL, NULL, 0 } };
static const struct column sensor_columns[] = {
	{ "sensor", "sensor", 's' }, { "boots", "starts", 'n' }, { "first", "first record", 't' }, { "last", "last record", 't' },
	{ NULL, NULL, 0 } };

/* ---- was it watching? ---------------------------------------------------------------------- */

const struct report_coverage report_coverage[] = {
	{ "watched_s", "seconds watched" },
	{ "fail_open_s", "seconds in which nothing was inspected" },
	{ "heartbeats", "heartbeats" },
	{ "heartbeats_missed", "heartbeats that were not refused" },
	{ "gaps", "gaps in the records" },
	{ "gap_records", "records that an output lost" },
	{ "records_lost", "records lost in all" },
	{ "not_in_database", "records that are not in this database" },
	{ "uninspected.while_down", "packets that passed while no nfqd ran" },
	{ "uninspected.bypassed", "packets that no program read" },
	{ "uninspected.no_conntrack", "packets without a connection entry" },
	{ "uninspected.offloaded", "connections given to a flowtable" },
	{ "uninspected.ech", "encrypted hellos" },
	{ "uninspected.no_name", "connections whose client named no host" },
	{ "uninspected.unknown_protocol", "connections of an unknown protocol" },
	{ "uninspected.faults", "messages that could not be read" },
	{ NULL, NULL },
};

static void coverage(FILE *f, const json_t *all)
{
	fputs("<table id=coverage>\n", f);
	for (unsigned i = 0; report_coverage[i].key; i++) {
		const json_t *n = json_object_get(all, report_coverage[i].key);

		if (n)
			fprintf(f, "<tr><td>%s</td><td class=n>%.*f</td></tr>\n", report_coverage[i].text, json_is_real(n) ? 3 : 0,
			        json_number_value(n));
	}
	fputs("</table>\n", f);
}

static void checkpoint(FILE *f, const json_t *report)
{
	const json_t *c = json_object_get(report, "checkpoint");

	if (!json_is_object(c))
		return;
	fprintf(f, "<h2>Checkpoint</h2>\n<p>The log was signed last at %.19s; <code>nfqctl log verify</code> checks it.</p>\n<pre>",
	        text_of(c, "at"));
	report_text(f, text_of(c, "note"));
	fputs("</pre>\n", f);
}

/* ---- the page ------------------------------------------------------------------------------ */

static void period(FILE *f, const json_t *report)
{
	const char *since = json_string_value(json_object_get(report, "since")), *until = json_string_value(json_object_get(report, "until")),
	           *vendor = json_string_value(json_object_get(report, "vendor"));

	fprintf(f, "<p class=soft>Made %s by nfqctl " NFQD_VERSION ". ", text_of(report, "made"));
	fprintf(f, "%s%.10s%s%.10s. ", since ? "From " : "All that is kept", since ? since : "", until ? " until " : "", until ? until : "");
	if (vendor) {
		fputs("Of ", f);
		report_text(f, vendor);
		fputs(" only. ", f);
	}
	if (json_string_value(json_object_get(report, "days_since")))
		fprintf(f, "Before %s only sums are kept. ", text_of(report, "days_since"));
	fputs("Times are UTC.</p>\n", f);
}

static void summary(FILE *f, const json_t *report)
{
	long long     sums[4] = { 0 };
	const json_t *host;
	size_t        i;

	json_array_foreach(json_object_get(report, "hosts"), i, host) {
		sums[0] += number_of(host, "refused");
		sums[1] += number_of(host, "logged");
		sums[2] += number_of(host, "passed");
		sums[3] += number_of(host, "leaked");
	}
	fprintf(f, "<p id=summary>At least <b>%lld machines</b> called listed vendors: <b>%lld</b> attempts were refused, %lld only logged, "
	        "%lld passed; of these two, <b>%lld</b> were to be refused. Address translation and proxies hide machines, so every "
	        "number of machines is a lower bound. A listed name says that the product was seen, not that anybody broke a rule.</p>\n",
	        number_of(report, "machines_at_least"), sums[0], sums[1], sums[2], sums[3]);
}

static void section(FILE *f, const char *title, const char *id, const json_t *rows, const struct column columns[])
{
	if (json_array_size(rows) == 0)
		return;
	fprintf(f, "<h2>%s</h2>\n", title);
	table(f, id, rows, columns);
}

void report_body(const json_t *report, FILE *f)
{
	period(f, report);
	summary(f, report);
	report_charts(report, f);
	section(f, "Machines", "hosts", json_object_get(report, "hosts"), host_columns);
	section(f, "Behind a router or repeater", "hops", json_object_get(report, "hops"), hop_columns);
	section(f, "Channels", "channels", json_object_get(report, "channels"), channel_columns);
	section(f, "On whose word", "authorities", json_object_get(report, "authorities"), authority_columns);
	fputs("<h2>Was nfqd watching?</h2>\n", f);
	coverage(f, json_object_get(report, "coverage"));
	section(f, "What happened", "events", json_object_get(report, "events"), event_columns);
	section(f, "Packs", "packs", json_object_get(report, "packs"), pack_columns);
	section(f, "Sensors", "sensors", json_object_get(report, "sensors"), sensor_columns);
	checkpoint(f, report);
	section(f, "Days", "days", json_object_get(report, "trend"), day_columns);
}

void report_html(const json_t *report, FILE *f)
{
	fputs(head, f);
	fputs("<h1>Machines that call listed vendors</h1>\n", f);
	report_body(report, f);
	fputs("</html>\n", f);
}

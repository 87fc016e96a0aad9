/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report, as a page, a table or JSON, by nfqctl's own code; and the evidence of one record. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "html.h"
#include "pages.h"

/* ---- the report ---- */

static void form(struct page *p)
{
	static const char *const forms[][2] = { { "html", "report.html" }, { "csv", "report.csv" }, { "json", "report.json" } };
	static const enum text   titles[] = { T_AS_PAGE, T_AS_CSV, T_AS_JSON };

	fputs("<form class=filter action=\"/report\">", p->f);
	form_input(p->f, T_FROM_DATE, "since", field(p->fields, "since"), "maxlength=20 placeholder=2026-01-01");
	form_input(p->f, T_UNTIL_DATE, "until", field(p->fields, "until"), "maxlength=20");
	form_input(p->f, T_VENDOR, "vendor", field(p->fields, "vendor"), "maxlength=64");
	form_end(p->f, T_SHOW);
	fputs("<p class=files>", p->f);
	for (unsigned i = 0; i < 3; i++) {
		fprintf(p->f, "<a download=\"%s\" href=\"/report/file?as=%s&amp;since=", forms[i][1], forms[i][0]);
		url_part(p->f, field(p->fields, "since"));
		fputs("&amp;until=", p->f);
		url_part(p->f, field(p->fields, "until"));
		fputs("&amp;vendor=", p->f);
		url_part(p->f, field(p->fields, "vendor"));
		fprintf(p->f, "\">%s</a> ", t(titles[i]));
	}
	fputs("</p>\n", p->f);
}

static void evidence_form(struct page *p)
{
	html_heading(p->f, "evidence", T_EVIDENCE);
	html_paragraph(p->f, T_EVIDENCE_WHY);
	fputs("<form class=filter action=\"/evidence\">", p->f);
	form_input(p->f, T_RECORD, "record", "", "required maxlength=96");
	form_end(p->f, T_SAVE);
}

static json_t *report_of(const struct page *p, struct err *err)
{
	json_t *question = machines_question(p, "report", *field(p->fields, "since") ? "" : "30d", err);
	json_t *report = question ? ask_sightings(p->console, question, err) : NULL;

	if (report)
		report_add_now(report);
	return report;
}

void page_report(struct page *p)
{
	struct err err = { .text = "" };
	json_t    *report = report_of(p, &err);

	if (!report) {
		page_error(p, 400, T_NOT_ANSWERED, err.text);
		return;
	}
	page_begin(p, T_REPORT, "/report");
	html_paragraph(p->f, T_REPORT_WHY);
	form(p);
	fprintf(p->f, "<div class=\"scroll report\" tabindex=0 role=region aria-label=\"%s\">\n", t(T_REPORT));
	report_body(report, p->f);
	fputs("</div>\n", p->f);
	evidence_form(p);
	page_end(p);
	json_decref(report);
}

void page_report_file(struct page *p)
{
	const char *as = field(p->fields, "as");
	struct err  err = { .text = "" };
	json_t     *report = report_of(p, &err);

	if (!report) {
		page_error(p, 400, T_NOT_ANSWERED, err.text);
		return;
	}
	if (strcmp(as, "csv") == 0) {
		p->type = "text/csv; charset=utf-8";
		p->file_name = "report.csv";
		report_csv(report, p->f);
	} else if (strcmp(as, "json") == 0) {
		p->type = "application/json";
		p->file_name = "report.json";
		json_dumpf(report, p->f, JSON_INDENT(2));
	} else {
		p->type = "text/html; charset=utf-8";
		p->file_name = "report.html";
		report_html(report, p->f);
	}
	json_decref(report);
}

/* ---- evidence ---- */

/* SENSOR/BOOT/SEQ of a record. */
static void place_of(const json_t *record, char *out, size_t room)
{
	const json_t *own = json_object_get(record, "nfqd");

	snprintf(out, room, "%s/%lld/%lld", text_of(own, "sensor"), number_of(own, "boot"), number_of(own, "seq"));
}

static const json_t *find(const json_t *records, const char *place)
{
	const json_t *record;
	char          text[128];
	size_t        i;

	json_array_foreach(records, i, record) {
		place_of(record, text, sizeof(text));
		if (strcmp(text, place) == 0)
			return record;
	}
	return NULL;
}

/* What the running daemon says about it now: an explanation is of its own time, so that time is asked for. */
static json_t *why_of(const struct page *p, const json_t *record)
{
	const json_t *own = json_object_get(record, "nfqd");
	struct err    err = { .text = "" };
	char          at[32];
	json_t       *why;

	if (!json_is_string(json_object_get(own, "name")))
		return json_null();
	snprintf(at, sizeof(at), "%.19sZ", text_of(record, "timestamp"));
	why = ask_view(p->console, json_pack("{s:s, s:s, s:s, s:s}", "command", "why", "name", text_of(own, "name"), "client",
	                                     text_of(record, "src_ip"), "at", at), NULL, &err);
	return why ? why : json_pack("{s:s}", "error", err.text);
}

static void save(struct page *p, const json_t *record)
{
	struct err err = { .text = "" };
	json_t    *status = ask_view(p->console, json_pack("{s:s}", "command", "status"), NULL, &err);
	json_t    *all = json_pack("{s:O, s:o, s:O?, s:O?}", "record", record, "why", why_of(p, record), "packs",
	                           json_object_get(status, "packs"), "clock", json_object_get(status, "clock"));

	p->type = "application/json";
	p->file_name = "evidence.json";
	json_dumpf(all, p->f, JSON_INDENT(2));
	fputc('\n', p->f);
	json_decref(all);
	json_decref(status);
}

void page_evidence(struct page *p)
{
	const char   *place = field(p->fields, "record");
	struct err    err = { .text = "" };
	json_t       *answer = ask_sightings(p->console, json_pack("{s:s}", "ask", "records"), &err);
	const json_t *record = find(json_object_get(answer, "records"), place);

	if (record) {
		save(p, record);
	} else {
		p->status = 404;
		page_begin(p, T_EVIDENCE, "/report");
		html_paragraph(p->f, T_EVIDENCE_GONE);
		fputs("<pre>nfqctl evidence ", p->f);
		report_text(p->f, place);
		fputs("</pre>\n", p->f);
		page_end(p);
	}
	json_decref(answer);
}

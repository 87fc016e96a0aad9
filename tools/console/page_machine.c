/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All about one machine; splitting and merging, and an exception for it. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "html.h"
#include "pages.h"

enum { ROWS = 50 };

static void counts(FILE *f, enum text title, const char *id, const json_t *rows, const char *key)
{
	const int     heads[] = { (int)title, T_VENDOR, HEADS_OUTCOMES, TEXTS_N };
	const size_t  n = json_array_size(rows);
	const json_t *one;
	size_t        i;

	if (n == 0)
		return;
	html_heading(f, id, title);
	html_table(f, title, heads);
	json_array_foreach(rows, i, one) {
		if (i == ROWS)
			break;
		fputs("<tr>", f);
		html_cell(f, text_of(one, key));
		html_cell(f, text_of(one, "vendor"));
		html_outcomes(f, one);
		fputs("</tr>\n", f);
	}
	html_table_end(f);
	if (n > ROWS)
		fprintf(f, "<p>%zu %s.</p>\n", n - ROWS, t(T_MORE));
}

/* The newest days first; a chart of all. */
static void days(FILE *f, const json_t *all)
{
	static const int    heads[] = { T_DAY, T_VENDOR, HEADS_OUTCOMES, TEXTS_N };
	static struct chart chart = { NULL, "day", "refused", "leaked", "r", "k" };
	const size_t        n = json_array_size(all), from = n > ROWS ? n - ROWS : 0;

	if (n == 0)
		return;
	html_heading(f, "days", T_BY_DAY);
	chart.title = t(T_BY_DAY);
	report_hatch(f);
	report_chart(f, all, &chart);
	html_table(f, T_BY_DAY, heads);
	for (size_t i = n; i-- > from;) {
		const json_t *one = json_array_get(all, i);
		const char   *day = json_string_value(json_object_get(one, "day"));

		fputs("<tr>", f);
		html_cell(f, day ? day : t(T_OLDER_DAYS));
		html_cell(f, text_of(one, "vendor"));
		html_outcomes(f, one);
		fputs("</tr>\n", f);
	}
	html_table_end(f);
	if (from)
		fprintf(f, "<p>%zu %s.</p>\n", from, t(T_MORE));
}

static void vendors(FILE *f, const json_t *all)
{
	static const int heads[] = { T_VENDOR, T_PRODUCTS, T_FIRST_SEEN, T_LAST_SEEN, -T_CALLS, HEADS_OUTCOMES, TEXTS_N };
	const json_t    *one;
	size_t           i;

	html_table(f, T_PRODUCTS, heads);
	json_array_foreach(all, i, one) {
		fputs("<tr>", f);
		html_cell(f, text_of(one, "vendor"));
		html_cell_list(f, json_object_get(one, "products"));
		html_cell_time(f, text_of(one, "first"));
		html_cell_time(f, text_of(one, "last"));
		html_number(f, number_of(one, "calls"));
		html_outcomes(f, one);
		fputs("</tr>\n", f);
	}
	html_table_end(f);
}

static void split_form(struct page *p, const char *id, const char *address)
{
	form_begin(p, "/machine", "inline");
	form_hidden(p->f, "change", "split");
	form_hidden(p->f, "id", id);
	form_hidden(p->f, "other", address);
	fprintf(p->f, "<button title=\"%s\">%s</button></form>", t(T_SPLIT_WHY), t(T_SPLIT));
}

static void sources(struct page *p, const json_t *o)
{
	static const int heads[] = { T_ADDRESS, T_MAC, T_INTERFACE, T_REASON, T_FIRST_SEEN, T_LAST_SEEN, T_SPLIT, TEXTS_N };
	const json_t    *all = json_object_get(o, "sources"), *one;
	size_t           i;

	html_heading(p->f, "sources", T_ONE_MACHINE);
	html_table(p->f, T_ONE_MACHINE, heads);
	json_array_foreach(all, i, one) {
		fputs("<tr>", p->f);
		html_cell(p->f, text_of(one, "latest"));
		html_cell(p->f, text_of(one, "mac"));
		html_cell(p->f, text_of(one, "iface"));
		html_cell(p->f, text_of(one, "reason"));
		html_cell_time(p->f, text_of(one, "first"));
		html_cell_time(p->f, text_of(one, "last"));
		fputs("<td>", p->f);
		if (p->who->role == ROLE_OPERATE && json_array_size(all) > 1)
			split_form(p, text_of(o, "id"), text_of(one, "address"));
		fputs("</td></tr>\n", p->f);
	}
	html_table_end(p->f);
}

static void resolvers(FILE *f, const json_t *o)
{
	const json_t *all = json_object_get(o, "resolvers"), *one;
	size_t        i;

	if (json_array_size(all) == 0)
		return;
	html_heading(f, "resolvers", T_RESOLVERS);
	fputs("<ol>", f);
	json_array_foreach(all, i, one)
		fputs("<li>", f), html_foreign(f, json_string_value(one)), fputs("</li>", f);
	fputs("</ol>\n", f);
	if (json_is_true(json_object_get(o, "product_fallback")))
		html_paragraph(f, T_FALLBACK);
}

static void changes(struct page *p, const json_t *o)
{
	const json_t *macs = json_object_get(o, "macs"), *addresses = json_object_get(o, "addresses");
	const char   *client = json_string_value(json_array_get(json_array_size(macs) ? macs : addresses, 0));

	if (p->who->role != ROLE_OPERATE)
		return;
	html_heading(p->f, "allow", T_ALLOW_HOUR);
	form_begin(p, "/allow", "filter");
	form_hidden(p->f, "client", client ? client : "");
	form_hidden(p->f, "for", "1h");
	form_input(p->f, T_NAME, "name", "", "required maxlength=255");
	form_input(p->f, T_REASON, "reason", "", "required maxlength=500");
	form_end(p->f, T_ALLOW_HOUR);
	html_heading(p->f, "merge", T_MERGE);
	form_begin(p, "/machine", "filter");
	form_hidden(p->f, "change", "merge");
	form_hidden(p->f, "id", text_of(o, "id"));
	form_input(p->f, T_MERGE_WHY, "other", "", "required maxlength=255");
	form_end(p->f, T_MERGE);
}

void page_machine(struct page *p)
{
	struct err err = { .text = "" };
	json_t    *question = machines_question(p, "host", "all", &err), *o = NULL;

	if (question) {
		json_object_set_new(question, "id", json_string(field(p->fields, "id")));
		o = ask_sightings(p->console, question, &err);
	}
	if (!o) {
		page_error(p, 404, T_NOT_ANSWERED, err.text);
		return;
	}
	page_begin(p, T_MACHINE, "/machines");
	fputs("<p class=big>", p->f);
	html_foreign(p->f, text_of(o, "id"));
	if (json_is_string(json_object_get(o, "name")))
		fputs(" &middot; ", p->f), html_foreign(p->f, text_of(o, "name"));
	fputs("</p>\n", p->f);
	vendors(p->f, json_object_get(o, "vendors"));
	days(p->f, json_object_get(o, "days"));
	counts(p->f, T_NAMES, "names", json_object_get(o, "names"), "name");
	counts(p->f, T_CHANNELS, "channels", json_object_get(o, "channels"), "channel");
	resolvers(p->f, o);
	sources(p, o);
	changes(p, o);
	page_end(p);
	json_decref(o);
}

/* The daemon leaves a record of it first. */
void change_machine(struct page *p)
{
	const char *change = field(p->fields, "change"), *id = field(p->fields, "id"), *other = field(p->fields, "other");
	struct err  err = { .text = "" };
	json_t     *done = NULL;

	if (strcmp(change, "split") != 0 && strcmp(change, "merge") != 0)
		err_set(&err, "split or merge");
	else
		done = ask_change(p->console, p->who, json_pack("{s:s, s:s, s:s, s:s}", "command", "correct", "what", change, "machine", id,
		                                                "other", other), &err);
	if (done) {
		json_decref(done);
		done = ask_sightings(p->console, json_pack("{s:s, s:s, s:s}", "ask", change, "id", id, "other", other), &err);
	}
	if (done)
		snprintf(p->location, sizeof(p->location), "/machines");
	else
		page_error(p, 400, T_NOT_ANSWERED, err.text);
	json_decref(done);
}

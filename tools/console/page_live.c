/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The latest records, and why. Without the script the page shows what there is; with it, rows come by themselves. */
#include <string.h>

#include "ask.h"
#include "base/printable.h"
#include "html.h"
#include "pages.h"

static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value ? value : "";
}

/* ---- a row ---- */

static const struct look {
	const char *action, *sign, *class;
} looks[] = {
	{ "reject", "&#10003;", "good" }, { "drop", "&#10003;", "good" }, { "log", "&#9675;", "soft" }, { "allow", "!", "bad" }, { NULL, "", "soft" },
};

static void action_cell(FILE *f, const char *action)
{
	const struct look *l = looks;

	while (l->action && strcmp(l->action, action) != 0)
		l++;
	fprintf(f, "<td class=%s>%s ", l->class, l->sign);
	report_text(f, action);
	fputs("</td>", f);
}

static void links(FILE *f, const json_t *record, const json_t *own)
{
	fputs("<td>", f);
	if (*text(own, "name")) {
		fputs("<a href=\"/why?name=", f);
		url_part(f, text(own, "name"));
		fputs("&amp;client=", f);
		url_part(f, text(record, "src_ip"));
		fprintf(f, "\">%s</a> ", t(T_WHY));
	}
	fputs("<a href=\"/evidence?record=", f);
	url_part(f, text(own, "sensor"));
	fprintf(f, "%%2F%lld%%2F%lld\">%s</a></td>", number_of(own, "boot"), number_of(own, "seq"), t(T_EVIDENCE));
}

void live_row(FILE *f, const json_t *record)
{
	const json_t *own = json_object_get(record, "nfqd"), *client = json_object_get(own, "client");
	const char   *name = text(client, "name");

	fputs("<tr>", f);
	html_cell_time(f, text(record, "timestamp"));
	if (*text(own, "kind")) {
		html_cell_t(f, T_ITSELF);
		html_cell(f, text(own, "kind"));
		html_cell(f, text(own, "by"));
		html_cell(f, *text(own, "mode") ? text(own, "mode") : text(own, "state"));
		html_cell(f, "");
	} else {
		fputs("<td>", f);
		html_foreign(f, *name ? name : text(record, "src_ip"));
		fputs("</td>", f);
		html_cell(f, text(own, "name"));
		html_cell(f, text(own, "seen_in"));
		action_cell(f, text(own, "action"));
		html_cell(f, text(own, "rule"));
	}
	links(f, record, own);
	fputs("</tr>\n", f);
}

/* ---- the page ---- */

static bool is_wanted(const json_t *record, const char *filter)
{
	static const char *const keys[] = { "name", "action", "vendor", "rule", "kind", "seen_in" };
	const json_t            *own = json_object_get(record, "nfqd");

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcasestr(text(own, keys[i]), filter))
			return true;
	return strcasestr(text(record, "src_ip"), filter) || strcasestr(text(json_object_get(own, "client"), "name"), filter);
}

static void records(FILE *f, const json_t *all, const char *filter)
{
	static const int heads[] = { T_TIME, T_CLIENT, T_NAME, T_CHANNEL, T_ACTION, T_RULE, T_WHY, TEXTS_N };

	html_table(f, T_LIVE, heads);
	for (size_t i = json_array_size(all); i-- > 0;)
		if (is_wanted(json_array_get(all, i), filter))
			live_row(f, json_array_get(all, i));
	html_table_end(f);
	if (json_array_size(all) == 0)
		html_paragraph(f, T_NO_RECORDS);
}

void page_live(struct page *p)
{
	struct err  err = { .text = "" };
	json_t     *answer = ask_sightings(p->console, json_pack("{s:s}", "ask", "records"), &err);
	const char *filter = field(p->fields, "filter");

	if (!answer) {
		page_error(p, 502, T_NOT_ANSWERED, err.text);
		return;
	}
	page_begin(p, T_LIVE, "/live");
	html_paragraph(p->f, T_LIVE_WHY);
	fprintf(p->f, "<form class=filter action=\"/live\" id=live data-pause=\"%s\" data-resume=\"%s\">", t(T_PAUSE), t(T_RESUME));
	form_input(p->f, T_FILTER, "filter", filter, "id=filter maxlength=255");
	form_end(p->f, T_RELOAD_PAGE);
	records(p->f, json_object_get(answer, "records"), filter);
	page_end(p);
	json_decref(answer);
}

/* ---- why ---- */

/* Any answer, whole: objects as lists of terms. */
static void html_json(FILE *f, const json_t *v)
{
	const char *key;
	json_t     *one;
	size_t      i;

	if (json_is_object(v)) {
		fputs("<dl>", f);
		json_object_foreach((json_t *)v, key, one) {
			fputs("<dt>", f);
			report_text(f, key);
			fputs("</dt><dd>", f);
			html_json(f, one);
			fputs("</dd>", f);
		}
		fputs("</dl>", f);
	} else if (json_is_array(v)) {
		fputs("<ul>", f);
		json_array_foreach(v, i, one)
			fputs("<li>", f), html_json(f, one), fputs("</li>", f);
		fputs("</ul>", f);
	} else if (json_is_string(v)) {
		html_foreign(f, json_string_value(v));
	} else if (json_is_integer(v)) {
		fprintf(f, "%lld", (long long)json_integer_value(v));
	} else {
		fputs(json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "-", f);
	}
}

static void allow_hour(struct page *p, const char *name, const char *client)
{
	form_begin(p, "/allow", "filter");
	form_hidden(p->f, "name", name);
	form_hidden(p->f, "client", client);
	form_hidden(p->f, "for", "1h");
	form_input(p->f, T_REASON, "reason", "", "required maxlength=500");
	form_end(p->f, T_ALLOW_HOUR);
}

static void answer_of(struct page *p, const char *name, const char *client, const char *at)
{
	struct err err = { .text = "" };
	json_t    *a = ask_view(p->console, json_pack("{s:s, s:s, s:s*, s:s*}", "command", "why", "name", name, "client", *client ? client : NULL,
	                                              "at", *at ? at : NULL), NULL, &err);

	if (!a) {
		p->status = 400;
		page_note(p->f, err.text);
		return;
	}
	fputs("<p class=big>", p->f);
	html_foreign(p->f, text(a, "name"));
	fputs(": <b>", p->f);
	report_text(p->f, text(a, "action"));
	fputs("</b>. ", p->f);
	html_foreign(p->f, text(a, *text(a, "lowered") ? "lowered" : "because"));
	fputs("</p>\n", p->f);
	if (p->who->role == ROLE_OPERATE && json_is_true(json_object_get(a, "listed")) && strcmp(text(a, "action"), "allow") != 0)
		allow_hour(p, name, client);
	html_heading(p->f, "answer", T_FULL_ANSWER);
	html_json(p->f, a);
	json_decref(a);
}

void page_why(struct page *p)
{
	const char *name = field(p->fields, "name"), *client = field(p->fields, "client"), *at = field(p->fields, "at");

	page_begin(p, T_WHY, "/live");
	fputs("<form class=filter action=\"/why\">", p->f);
	form_input(p->f, T_WHY_NAME, "name", name, "required maxlength=1024");
	form_input(p->f, T_CLIENT, "client", client, "maxlength=64");
	form_input(p->f, T_WHY_AT, "at", at, "maxlength=32");
	form_end(p->f, T_ASK);
	if (*name)
		answer_of(p, name, client, at);
	page_end(p);
}

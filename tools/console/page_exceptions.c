/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions, the mode, and what was changed when and by whom. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "decide/policy.h"
#include "html.h"
#include "pages.h"

static void mode(struct page *p, const json_t *status)
{
	const char *until = json_string_value(json_object_get(status, "mode_until"));

	html_heading(p->f, "mode", T_MODE);
	fprintf(p->f, "<p>%s: <b>", t(T_MODE_NOW));
	report_text(p->f, text_of(status, "mode"));
	fputs("</b>", p->f);
	if (until)
		fprintf(p->f, " %s ", t(T_MODE_UNTIL)), html_time(p->f, until);
	fputs("</p>\n", p->f);
	if (p->who->role != ROLE_OPERATE)
		return;
	form_begin(p, "/mode", "filter");
	form_select(p->f, T_MODE, "mode", mode_words, text_of(status, "mode"));
	form_input(p->f, T_FOR, "for", "", "maxlength=8");
	form_end(p->f, T_SET_MODE);
}

/* 3 h 20 min */
static void left(FILE *f, const char *expires)
{
	int64_t end, now = (int64_t)(clock_now() / NS_PER_S), s = clock_parse(expires, &end) == 0 ? end - now : 0;

	fprintf(f, "<td class=n data-end=\"%.20s\">", expires);
	if (s <= 0)
		fputs(t(T_EXPIRED), f);
	else if (s >= 2 * 86400)
		fprintf(f, "%lld d", (long long)(s / 86400));
	else
		fprintf(f, "%lld h %lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
	fputs("</td>", f);
}

static void revoke(struct page *p, const char *id)
{
	form_begin(p, "/revoke", "inline");
	form_hidden(p->f, "which", id);
	fprintf(p->f, "<button aria-label=\"%s ", t(T_REVOKE_ONE));
	report_text(p->f, id);
	fprintf(p->f, "\">%s</button></form>", t(T_REVOKE));
}

static void exception(struct page *p, const json_t *e)
{
	fputs("<tr>", p->f);
	html_cell_list(p->f, json_object_get(e, "names"));
	html_cell_list(p->f, json_object_get(e, "clients"));
	html_cell(p->f, text_of(e, "owner"));
	html_cell(p->f, text_of(e, "reason"));
	html_cell_time(p->f, text_of(e, "expires"));
	left(p->f, text_of(e, "expires"));
	html_cell(p->f, text_of(e, "from"));
	fputs("<td>", p->f);
	if (p->who->role == ROLE_OPERATE && strcmp(text_of(e, "from"), "allow") == 0)
		revoke(p, text_of(e, "id"));
	fputs("</td></tr>\n", p->f);
}

static void exceptions(struct page *p, const json_t *all)
{
	static const int heads[] = { T_NAMES, T_CLIENT, T_OWNER, T_REASON, T_ENDS, -T_LEFT, T_FROM, T_REVOKE, TEXTS_N };
	const json_t    *e;
	size_t           i;

	html_heading(p->f, "exceptions", T_EXCEPTIONS);
	if (json_array_size(all) == 0) {
		html_paragraph(p->f, T_NO_EXCEPTIONS);
		return;
	}
	html_table(p->f, T_EXCEPTIONS, heads);
	json_array_foreach(all, i, e)
		exception(p, e);
	html_table_end(p->f);
}

static void allow(struct page *p)
{
	if (p->who->role != ROLE_OPERATE)
		return;
	html_heading(p->f, "allow", T_ALLOW);
	form_begin(p, "/allow", "filter");
	form_input(p->f, T_NAME, "name", "", "required maxlength=255");
	form_input(p->f, T_ALLOW_CLIENT, "client", "", "maxlength=64");
	form_input(p->f, T_ALLOW_FOR, "for", "1h", "required maxlength=8");
	form_input(p->f, T_REASON, "reason", "", "required maxlength=500");
	form_end(p->f, T_ALLOW);
}

static void history(struct page *p)
{
	static const int heads[] = { T_WHEN, T_WHAT, T_NOTE, TEXTS_N };
	struct err       err = { .text = "" };
	json_t          *answer = ask_sightings(p->console, json_pack("{s:s}", "ask", "events"), &err);
	const json_t    *one;
	size_t           i;

	html_heading(p->f, "history", T_HISTORY);
	if (!answer) {
		page_note(p->f, err.text);
		return;
	}
	html_table(p->f, T_HISTORY, heads);
	json_array_foreach(json_object_get(answer, "events"), i, one) {
		fputs("<tr>", p->f);
		html_cell_time(p->f, text_of(one, "at"));
		html_cell(p->f, text_of(one, "kind"));
		html_cell(p->f, text_of(one, "note"));
		fputs("</tr>\n", p->f);
	}
	html_table_end(p->f);
	json_decref(answer);
}

void page_exceptions(struct page *p)
{
	struct err err = { .text = "" };
	json_t    *status = ask_view(p->console, json_pack("{s:s}", "command", "status"), NULL, &err);
	json_t    *all = status ? ask_view(p->console, json_pack("{s:s}", "command", "exceptions"), NULL, &err) : NULL;

	if (all) {
		page_begin(p, T_EXCEPTIONS_AND_MODE, "/exceptions");
		mode(p, status);
		exceptions(p, json_object_get(all, "exceptions"));
		allow(p);
		history(p);
		page_end(p);
	} else {
		page_error(p, 502, T_NOT_ANSWERED, err.text);
	}
	json_decref(all);
	json_decref(status);
}

/* ---- changes ---- */

static void change(struct page *p, json_t *request)
{
	struct err err = { .text = "" };
	json_t    *done = ask_change(p->console, p->who, request, &err);

	if (done)
		snprintf(p->location, sizeof(p->location), "/exceptions");
	else
		page_error(p, 400, T_NOT_ANSWERED, err.text);
	json_decref(done);
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

void change_allow(struct page *p)
{
	const struct fields *in = p->fields;
	const char          *client = field(in, "client");

	if (*client && !client_is_plain(client)) {
		page_error(p, 400, T_NOT_ANSWERED, t(T_NOT_A_CLIENT));
		return;
	}
	change(p, json_pack("{s:s, s:s, s:s*, s:s, s:s}", "command", "allow", "name", field(in, "name"), "client", or_null(client),
	                    "for", field(in, "for"), "reason", field(in, "reason")));
}

void change_revoke(struct page *p)
{
	change(p, json_pack("{s:s, s:s}", "command", "revoke", "which", field(p->fields, "which")));
}

void change_mode(struct page *p)
{
	change(p, json_pack("{s:s, s:s, s:s*}", "command", "mode", "mode", field(p->fields, "mode"), "for", or_null(field(p->fields, "for"))));
}

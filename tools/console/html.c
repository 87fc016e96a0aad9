/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "html.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

static const struct {
	const char *path;
	enum text   title;
} pages[] = {
	{ "/", T_ON },           { "/machines", T_MACHINES },     { "/live", T_LIVE },
	{ "/what-if", T_WHAT_IF }, { "/exceptions", T_EXCEPTIONS }, { "/report", T_REPORT },
};

/* ---- texts ---- */

void html_t(FILE *f, enum text id)
{
	report_text(f, t(id));
}

void html_foreign(FILE *f, const char *text)
{
	fputs("<bdi>", f);
	report_text(f, text);
	fputs("</bdi>", f);
}

void html_heading(FILE *f, const char *id, enum text title)
{
	fprintf(f, "<h2 id=\"%s\">", id);
	html_t(f, title);
	fputs("</h2>\n", f);
}

void html_paragraph(FILE *f, enum text id)
{
	fputs("<p>", f);
	html_t(f, id);
	fputs("</p>\n", f);
}

/* 2026-11-28T17:17:23Z, or the form of records */
void html_time(FILE *f, const char *iso)
{
	int64_t   seconds;
	char      head[20], day[24], zone[8];
	struct tm tm;
	time_t    at;

	snprintf(head, sizeof(head), "%.19s", iso ? iso : "");
	if (clock_parse(head, &seconds) < 0) {
		fputs("-", f);
		return;
	}
	at = (time_t)seconds;
	localtime_r(&at, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	fprintf(f, "<time datetime=\"%sZ\">%s <span class=zone>%.3s:%.2s</span></time>", head, day, zone, zone + 3);
}

/* ---- the frame ---- */

static void navigation(const struct page *p, const char *nav)
{
	FILE *f = p->f;

	fprintf(f, "<nav aria-label=\"%s\"><ul>", t(T_PAGES));
	for (unsigned i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		fprintf(f, "<li><a href=\"%s\"%s>", pages[i].path, strcmp(nav, pages[i].path) == 0 ? " aria-current=page" : "");
		html_t(f, pages[i].title);
		fputs("</a></li>", f);
	}
	fputs("</ul></nav>\n", f);
}

static void signed_in(struct page *p)
{
	fputs("<div class=who><span>", p->f);
	html_t(p->f, T_SIGNED_IN_AS);
	fputs(" <b>", p->f);
	html_foreign(p->f, p->who->user);
	fprintf(p->f, "</b> (%s)</span>", role_words[p->who->role]);
	if (!p->who->by_socket) {
		form_begin(p, "/sign-out", "inline");
		form_end(p->f, T_SIGN_OUT);
	}
	fputs("</div>\n", p->f);
}

void page_begin(struct page *p, enum text title, const char *nav)
{
	FILE *f = p->f;

	fputs("<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width, "
	      "initial-scale=1\">\n<title>", f);
	html_t(f, title);
	fputs(" - ", f);
	html_t(f, T_PRODUCT);
	fputs("</title>\n<link rel=stylesheet href=\"/style.css\">\n<link rel=icon href=\"/icon.svg\" type=\"image/svg+xml\">\n", f);
	if (strcmp(nav, "/live") == 0)
		fputs("<script src=\"/live.js\" defer></script>\n", f);
	fprintf(f, "</head>\n<body>\n<a class=skip href=\"#main\">%s</a>\n<header><a class=brand href=\"/\">%s</a>\n", t(T_SKIP), t(T_PRODUCT));
	if (p->who->role != ROLE_NONE) {
		navigation(p, nav);
		signed_in(p);
	}
	fputs("</header>\n<main id=main>\n<h1>", f);
	html_t(f, title);
	fputs("</h1>\n", f);
}

void page_end(struct page *p)
{
	fputs("</main>\n<footer><p>", p->f);
	html_t(p->f, T_TIMES_ARE);
	fprintf(p->f, "</p><p>nfqd-console %s</p></footer>\n</body>\n</html>\n", NFQD_VERSION);
}

void page_error(struct page *p, unsigned status, enum text title, const char *why)
{
	p->status = status;
	page_begin(p, title, "");
	fputs("<p class=error role=alert>", p->f);
	report_text(p->f, why);
	fputs("</p>\n<p><a href=\"/\">", p->f);
	html_t(p->f, T_BACK);
	fputs("</a></p>\n", p->f);
	page_end(p);
}

/* ---- tables ---- */

void html_table(FILE *f, enum text caption, const int heads[])
{
	fputs("<div class=scroll tabindex=0 role=region aria-label=\"", f);
	html_t(f, caption);
	fputs("\"><table><caption>", f);
	html_t(f, caption);
	fputs("</caption><thead><tr>", f);
	for (; *heads != TEXTS_N; heads++) {
		fprintf(f, "<th scope=col%s>", *heads < 0 ? " class=n" : "");
		html_t(f, (enum text)(*heads < 0 ? -*heads : *heads));
		fputs("</th>", f);
	}
	fputs("</tr></thead><tbody>\n", f);
}

void html_table_end(FILE *f)
{
	fputs("</tbody></table></div>\n", f);
}

void html_number(FILE *f, long long n)
{
	fprintf(f, "<td class=n>%lld</td>", n);
}

void html_cell(FILE *f, const char *text)
{
	fputs("<td>", f);
	html_foreign(f, text);
	fputs("</td>", f);
}

void html_cell_t(FILE *f, enum text id)
{
	fputs("<td>", f);
	html_t(f, id);
	fputs("</td>", f);
}

void html_cell_time(FILE *f, const char *iso)
{
	fputs("<td class=t>", f);
	html_time(f, iso);
	fputs("</td>", f);
}

void html_cell_list(FILE *f, const json_t *texts)
{
	enum { SHOWN = 4 };
	const json_t *one;
	size_t        i;

	fputs("<td>", f);
	json_array_foreach(texts, i, one) {
		if (i == SHOWN) {
			fprintf(f, ", +%zu", json_array_size(texts) - SHOWN);
			break;
		}
		fputs(i ? ", " : "", f);
		html_foreign(f, json_string_value(one));
	}
	fputs("</td>", f);
}

void html_outcomes(FILE *f, const json_t *o)
{
	long long leaked = number_of(o, "leaked");

	html_number(f, number_of(o, "refused"));
	html_number(f, number_of(o, "logged"));
	html_number(f, number_of(o, "passed"));
	fprintf(f, leaked ? "<td class=\"n bad\">! %lld</td>" : "<td class=n>%lld</td>", leaked);
}

/* ---- forms ---- */

void form_begin(struct page *p, const char *action, const char *class)
{
	fprintf(p->f, "<form method=post action=\"%s\" class=\"%s\"><input type=hidden name=token value=\"%s\">", action, class,
	        p->who->token);
}

void form_end(FILE *f, enum text button)
{
	fputs("<button>", f);
	html_t(f, button);
	fputs("</button></form>\n", f);
}

void form_hidden(FILE *f, const char *name, const char *value)
{
	fprintf(f, "<input type=hidden name=%s value=\"", name);
	report_text(f, value);
	fputs("\">", f);
}

void form_input(FILE *f, enum text label, const char *name, const char *value, const char *more)
{
	fputs("<label><span>", f);
	html_t(f, label);
	fprintf(f, "</span><input name=%s %s value=\"", name, more);
	report_text(f, value);
	fputs("\"></label>", f);
}

void form_select(FILE *f, enum text label, const char *name, const char *const words[], const char *chosen)
{
	fputs("<label><span>", f);
	html_t(f, label);
	fprintf(f, "</span><select name=%s>", name);
	for (; *words; words++) {
		fputs("<option", f);
		fputs(strcmp(*words, chosen) == 0 ? " selected>" : ">", f);
		report_text(f, *words);
		fputs("</option>", f);
	}
	fputs("</select></label>", f);
}

void url_part(FILE *f, const char *text)
{
	for (; *text; text++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._", *text))
			fputc(*text, f);
		else
			fprintf(f, "%%%02X", (unsigned char)*text);
}

void page_note(FILE *f, const char *why)
{
	fprintf(f, "<p class=error role=alert>%s: ", t(T_NOT_ANSWERED));
	report_text(f, why);
	fputs("</p>\n", f);
}

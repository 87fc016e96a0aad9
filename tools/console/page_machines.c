/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machines that called a listed vendor: product, how that is known, since when, and what became of it. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "html.h"
#include "pages.h"
#include "sightings/sightings.h"

enum { ON_A_PAGE = 100 };

/* "": without end; 7d: back from now; a date. False: it is neither. */
static bool read_time(const char *text, int64_t *us)
{
	int64_t s;

	*us = 0;
	if (!*text || strcmp(text, t(T_ALL)) == 0)
		return true;
	if (clock_parse_span(text, &s) == 0)
		*us = (int64_t)(clock_now() / NS_PER_US) - s * 1000000;
	else if (clock_parse(text, &s) == 0)
		*us = s * 1000000;
	else
		return false;
	return true;
}

json_t *machines_question(const struct page *p, const char *ask, const char *since_usual, struct err *err)
{
	const char *since = field(p->fields, "since"), *until = field(p->fields, "until"), *vendor = field(p->fields, "vendor"),
	           *sort = field(p->fields, "sort");
	int64_t     from, to;
	bool        known = !*sort;

	for (unsigned i = 0; !known && sightings_sorts[i]; i++)
		known = strcmp(sort, sightings_sorts[i]) == 0;
	if (!read_time(*since ? since : since_usual, &from) || !read_time(until, &to) || !known) {
		err_set(err, "'%s' is not %s", !known ? sort : *until ? until : since, known ? "a time (write 7d or 2026-11-23)" : "an order");
		return NULL;
	}
	if (strcmp(vendor, t(T_ALL)) == 0)
		vendor = "";
	return json_pack("{s:s, s:I, s:I, s:s*, s:s*, s:b}", "ask", ask, "since", (json_int_t)from, "until", (json_int_t)to, "vendor",
	                 *vendor ? vendor : NULL, "sort", *sort ? sort : NULL, "leaked", *field(p->fields, "leaked") != '\0');
}

/* ---- the form ---- */

enum { VENDORS = 64 };

/* Every vendor that called; ends with NULL. */
static void vendors_of(const json_t *hosts, const char *words[static VENDORS])
{
	const json_t *host;
	size_t        i;
	unsigned      n = 1;

	words[0] = t(T_ALL);
	json_array_foreach(hosts, i, host) {
		unsigned k = 0;

		while (k < n && strcmp(words[k], text_of(host, "vendor")) != 0)
			k++;
		if (k == n && n < VENDORS - 1)
			words[n++] = text_of(host, "vendor");
	}
	words[n] = NULL;
}

static void filter(const struct page *p, const json_t *hosts)
{
	static const char *const spans[] = { "24h", "7d", "30d", "365d", "all", NULL };
	const char              *words[VENDORS], *sort = field(p->fields, "sort"), *since = field(p->fields, "since");
	const char              *vendor = field(p->fields, "vendor");

	vendors_of(hosts, words);
	if (*vendor && strcmp(vendor, words[0]) != 0 && !words[1])
		words[1] = vendor, words[2] = NULL;
	fputs("<form class=filter action=\"/machines\">", p->f);
	form_select(p->f, T_VENDOR, "vendor", words, vendor);
	form_select(p->f, T_SORT, "sort", sightings_sorts, *sort ? sort : "last");
	form_select(p->f, T_PERIOD, "since", spans, *since ? since : "30d");
	form_end(p->f, T_SHOW);
}

/* ---- the table ---- */

static void known_as(FILE *f, const json_t *host)
{
	const char *name = json_string_value(json_object_get(host, "name")), *behind = json_string_value(json_object_get(host, "behind"));

	fputs("<th scope=row><a href=\"/machine?id=", f);
	url_part(f, text_of(host, "id"));
	fputs("\">", f);
	html_foreign(f, name ? name : text_of(host, "id"));
	fputs("</a>", f);
	if (name)
		fputs("<br><small>", f), html_foreign(f, text_of(host, "id")), fputs("</small>", f);
	if (json_is_true(json_object_get(host, "random_mac")))
		fprintf(f, "<br><small>%s</small>", t(T_RANDOM_MAC));
	if (behind)
		fprintf(f, "<br><small>%s ", t(T_BEHIND)), html_foreign(f, behind), fputs("</small>", f);
	fputs("</th>", f);
}

static void row(FILE *f, const json_t *host)
{
	fputs("<tr>", f);
	known_as(f, host);
	html_cell(f, text_of(host, "vendor"));
	html_cell_list(f, json_object_get(host, "products"));
	html_cell_list(f, json_object_get(host, "channels"));
	html_cell_time(f, text_of(host, "first"));
	html_cell_time(f, text_of(host, "last"));
	html_outcomes(f, host);
	html_cell_list(f, json_object_get(host, "addresses"));
	fputs("</tr>\n", f);
}

static void page_link(const struct page *p, size_t n, enum text title)
{
	fputs("<a href=\"/machines?vendor=", p->f);
	url_part(p->f, field(p->fields, "vendor"));
	fputs("&amp;sort=", p->f);
	url_part(p->f, field(p->fields, "sort"));
	fputs("&amp;since=", p->f);
	url_part(p->f, field(p->fields, "since"));
	fprintf(p->f, "&amp;page=%zu\">%s</a> ", n, t(title));
}

static void table(const struct page *p, const json_t *hosts)
{
	static const int heads[] = { T_MACHINE, T_VENDOR, T_PRODUCTS, T_KNOWN_BY, T_FIRST_SEEN, T_LAST_SEEN, HEADS_OUTCOMES,
		                     T_ADDRESSES, TEXTS_N };
	const size_t all = json_array_size(hosts), pages = (all + ON_A_PAGE - 1) / ON_A_PAGE;
	size_t       n = strtoul(field(p->fields, "page"), NULL, 10);

	n = n < 1 ? 1 : n > pages ? pages : n;
	html_table(p->f, T_MACHINES, heads);
	for (size_t i = (n - 1) * ON_A_PAGE; i < all && i < n * ON_A_PAGE; i++)
		row(p->f, json_array_get(hosts, i));
	html_table_end(p->f);
	if (pages < 2)
		return;
	fprintf(p->f, "<p class=pager>%s %zu / %zu ", t(T_PAGE), n, pages);
	if (n > 1)
		page_link(p, n - 1, T_PREVIOUS);
	if (n < pages)
		page_link(p, n + 1, T_NEXT);
	fputs("</p>\n", p->f);
}

static void nothing(FILE *f)
{
	fputs("<div class=empty>", f);
	html_paragraph(f, T_NONE_YET);
	html_paragraph(f, T_NONE_YET_HOW);
	fputs("<pre>dig blocked.nfqd.invalid</pre></div>\n", f);
}

void page_machines(struct page *p)
{
	struct err    err = { .text = "" };
	json_t       *question = machines_question(p, "hosts", "30d", &err), *answer = question ? ask_sightings(p->console, question, &err) : NULL;
	const json_t *hosts = json_object_get(answer, "hosts");

	if (!answer) {
		page_error(p, question ? 502 : 400, T_NOT_ANSWERED, err.text);
		return;
	}
	page_begin(p, T_MACHINES, "/machines");
	filter(p, hosts);
	fprintf(p->f, "<p>%s <b>%lld</b> (%s).</p>\n", t(T_AT_LEAST), number_of(answer, "machines_at_least"), t(T_AT_LEAST_WHY));
	if (json_array_size(hosts))
		table(p, hosts);
	else
		nothing(p->f);
	page_end(p);
	json_decref(answer);
}

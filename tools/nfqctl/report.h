/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to nfqctl report: its three forms, each from the same answer of the inventory. */
#ifndef NFQCTL_REPORT_H
#define NFQCTL_REPORT_H

#include <jansson.h>
#include <stdio.h>

/* Machines as RFC 4180; a text that a spreadsheet would run begins with an apostrophe. */
void report_csv(const json_t *report, FILE *f);
/* One page that needs nothing but itself. */
void report_html(const json_t *report, FILE *f);
/* All of it but the frame, for a page that has one. */
void report_body(const json_t *report, FILE *f);
/* What the report says about whether nfqd was watching, by key; a NULL ends it. */
extern const struct report_coverage {
	const char *key, *text;
} report_coverage[];
/* One chart of rows, of a key's numbers; a_class and b_class are classes of the page, b may be NULL. */
struct chart {
	const char *title, *key, *a, *b, *a_class, *b_class;
};
void report_chart(FILE *f, const json_t *rows, const struct chart *c);
/* The pattern that marks what was to be refused and passed: once on a page with charts. */
void report_hatch(FILE *f);
/* Adds when it was made. */
void report_add_now(json_t *report);
/* Its charts, as SVG. */
void report_charts(const json_t *report, FILE *f);
/* Text between tags or in an attribute. */
void report_text(FILE *f, const char *text);

#endif

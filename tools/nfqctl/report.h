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
/* Its charts, as SVG. */
void report_charts(const json_t *report, FILE *f);
/* Text between tags or in an attribute. */
void report_text(FILE *f, const char *text);

#endif

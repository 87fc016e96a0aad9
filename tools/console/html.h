/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How pages are written. Every text that is not ours goes through report_text() (nfqctl's), the one function that
 * escapes; within one line its direction is its own (bdi). */
#ifndef CONSOLE_HTML_H
#define CONSOLE_HTML_H

#include "console.h"
#include "fields.h"
#include "nfqctl/nfqctl.h"
#include "nfqctl/report.h"
#include "texts.h"

/* The frame; nav is the page's path. head: more elements for the head, or "". */
void page_begin(struct page *p, enum text title, const char *nav);
void page_end(struct page *p);
/* A page that says why there is nothing else on it. */
void page_error(struct page *p, unsigned status, enum text title, const char *why);

void html_t(FILE *f, enum text id);                            /* a text of ours */
void page_note(FILE *f, const char *why);                     /* what could not be answered, in a page */
void html_foreign(FILE *f, const char *text);                  /* one that is not, isolated */
void html_heading(FILE *f, const char *id, enum text title);  /* h2 */
void html_paragraph(FILE *f, enum text id);
void html_number(FILE *f, long long n);                        /* a cell */
void html_cell(FILE *f, const char *text);
void html_cell_t(FILE *f, enum text id);
void html_time(FILE *f, const char *iso);                      /* of records or status, in the site's zone */
void html_cell_time(FILE *f, const char *iso);
void html_cell_list(FILE *f, const json_t *texts);             /* at most a few of them */
/* Begins a table with a row of heads, which TEXTS_N ends; a head below 0 is one of numbers: -T_X. */
void html_table(FILE *f, enum text caption, const int heads[]);
void html_table_end(FILE *f);
/* An amount and the word for it, told apart by a sign, too. */
void html_outcomes(FILE *f, const json_t *o);                  /* four cells */
#define HEADS_OUTCOMES -T_OUTCOME_REFUSED, -T_LOGGED, -T_PASSED, -T_LEAKED

/* A form that changes something; POST with the token. */
void form_begin(struct page *p, const char *action, const char *class);
void form_end(FILE *f, enum text button);
void form_input(FILE *f, enum text label, const char *name, const char *value, const char *more); /* more: attributes of ours */
void form_hidden(FILE *f, const char *name, const char *value);
void form_select(FILE *f, enum text label, const char *name, const char *const words[], const char *chosen);
/* Text as part of a URL's query. */
void url_part(FILE *f, const char *text);

#endif

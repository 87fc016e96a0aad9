/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages, each in a file of its own; and what changes something. A page asks, then writes. */
#ifndef CONSOLE_PAGES_H
#define CONSOLE_PAGES_H

#include "console.h"

void page_on(struct page *p);
void page_machines(struct page *p);
void page_machine(struct page *p);
void page_live(struct page *p);
void page_why(struct page *p);
void page_what_if(struct page *p);
void page_exceptions(struct page *p);
void page_report(struct page *p);
void page_report_file(struct page *p);
void page_evidence(struct page *p);

/* The JSON API: what nfqctl --json prints. */
void api_get(struct page *p, const char *what);
void page_metrics(struct page *p);

/* Changes; each ends with a redirection, or with a page that says what was wrong. */
void change_allow(struct page *p);
void change_revoke(struct page *p);
void change_mode(struct page *p);
void change_machine(struct page *p); /* split, merge */

/* The request about machines that the page's fields describe: ask, vendor, since, until, sort. NULL with err. */
json_t *machines_question(const struct page *p, const char *ask, const char *since_usual, struct err *err);

/* What live.js shows of a record. */
void live_row(FILE *f, const json_t *record);

/* what_if.c: packs are read at the start, while there are files. */
struct what_if *what_if_read(const char *conf);
void            what_if_free(struct what_if *w);
/* As nfqctl preview --json. */
void            api_preview(struct page *p, struct err *err);

#endif

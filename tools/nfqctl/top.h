/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `nfqctl top` shows: for each client, name and verdict how many in the last minute. */
#ifndef NFQCTL_TOP_H
#define NFQCTL_TOP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "follow.h"

enum { TOP_SECONDS = 60, TOP_RATE_SECONDS = 10, TOP_ROWS = 4096, TOP_TEXT = 256 };

enum top_verdict { TOP_REFUSED, TOP_LOGGED, TOP_ALLOWED, TOP_VERDICTS };
extern const char *const top_verdict_words[TOP_VERDICTS];

enum top_sort { TOP_BY_RATE, TOP_BY_LAST, TOP_BY_CLIENT, TOP_BY_NAME, TOP_SORTS };
extern const char *const top_sort_words[TOP_SORTS];

struct top_row {
	char             client[64];  /* its address */
	char             label[64];   /* its name; "": none is known */
	char             name[TOP_TEXT];
	enum top_verdict verdict;
	int64_t          last;                 /* seconds */
	uint32_t         in_second[TOP_SECONDS]; /* by second modulo, up to last */
};

struct top_table {
	struct top_row *rows; /* TOP_ROWS, in the order of the latest sort */
	unsigned        n;
	uint64_t        forgotten; /* records that found no room */
	struct follow_count count;
};

/* Counts a record; the daemon's own ones are none. Text is made printable. */
void top_count(struct top_table *t, const json_t *record);
/* How many in the seconds before now. */
unsigned top_recent(const struct top_row *r, int64_t now, unsigned seconds);
/* Forgets rows without a record in the last minute, and sorts the others. */
void top_sort(struct top_table *t, enum top_sort by, int64_t now);
/* Does the row hold the text? "": every row does. */
bool top_matches(const struct top_row *r, const char *filter);
/* A line of at most width columns; NULL: the heading. */
void top_line(const struct top_row *r, int64_t now, unsigned width, char *out, size_t room);

struct nfqctl;
/* top_screen.c: until somebody quits. */
int top_screen(struct nfqctl *ctl, struct top_table *t, struct follow *f);
/* What was written since. -1: that failed. */
int top_read(struct top_table *t, struct follow *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name patterns as packs and exceptions write them, and the labels that they are matched by.
 *
 *   a.b            that name                            .a.b            that name and all below
 *   s[00-19].a.b   a numeric range in one label, counted out into exact names
 *   ksn-*-geo.a.b  '*': one or more characters inside one label; .ksn-*.a.b: and all below
 */
#ifndef NFQD_MATCH_PATTERN_H
#define NFQD_MATCH_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "match/hit.h"
#include "name/name.h"

#define LABELS_MAX        128   /* NAME_TEXT / 2: labels of one character and their dots */
#define PATTERN_NAMES_MAX 10000 /* names that one pattern with ranges may stand for */
#define PATTERN_TEXT      320   /* a pattern as written; ranges make it longer than the name */

struct pattern {
	uint8_t  kind;   /* PATTERN_EXACT, _SUFFIX or _GLOB */
	bool     below;  /* a leading dot: all below, too */
	bool     ranges; /* has [lo-hi]: pattern_expand() gives more than one name */
	uint32_t names;  /* how many */
	uint16_t len;
	char     text[PATTERN_TEXT]; /* lower case, without leading and trailing dot */
};

/* Returns 0, or -1 with err saying what is wrong with the pattern (err does not repeat the pattern). */
MUST_CHECK int pattern_parse(struct pattern *p, const char *text, struct err *err);

/* Calls each with every name that the pattern stands for; stops at a result below 0 and returns it. */
typedef int pattern_each(void *ctx, const char *name, size_t len);
int         pattern_expand(const struct pattern *p, pattern_each *each, void *ctx);

/* The labels of a name, from the right: label i is start[i] up to the dot before start[i - 1]. */
struct labels {
	const char *text;
	unsigned    n, len;
	uint16_t    start[LABELS_MAX];
};
void labels_split(struct labels *l, const char *text, size_t len);

static inline struct span label_at(const struct labels *l, unsigned i)
{
	unsigned end = i == 0 ? l->len : l->start[i - 1] - 1U;

	return span_of(l->text + l->start[i], end - l->start[i]);
}

/* Does a glob (lower case, a leading dot: and all below) match? *labels: how many it has. */
bool glob_match(const char *glob, const struct labels *name, uint8_t *labels);

#endif

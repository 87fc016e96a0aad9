/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What matching found: plain data, valid together with the ruleset it came from. */
#ifndef NFQD_MATCH_HIT_H
#define NFQD_MATCH_HIT_H

#include <stdint.h>

#define HITS_MAX       8 /* packs that can hit one name */
#define EXCEPTIONS_MAX 8 /* site exceptions that can cover one name */

enum pattern_kind { PATTERN_EXACT, PATTERN_SUFFIX, PATTERN_GLOB, PATTERN_NET };

struct hit {
	uint32_t rule;    /* index into the ruleset's rules */
	uint32_t pattern; /* string offset of the pattern as written; 0: the name itself tells it */
	uint8_t  kind;    /* enum pattern_kind */
	uint8_t  labels;  /* labels (or prefix bits) that matched */
};

struct match {
	struct hit hits[HITS_MAX];
	uint8_t    n, n_exceptions;
	uint16_t   exceptions[EXCEPTIONS_MAX]; /* in RS_EXCEPTION, those that cover the name, in order */
};

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between rules_lint.c (the command, one pack) and rules_lint_names.c (names, of all packs). */
#ifndef NFQCTL_RULES_LINT_H
#define NFQCTL_RULES_LINT_H

#include "rules.h"

struct never; /* match/never.h */

struct lint {
	struct never *never; /* what no pack may block; NULL: there is none to check against */
	struct pack **packs;  /* those that have the right shape */
	bool          never_broken; /* the list is itself broken, and that was reported */
	bool         *broken; /* one for each pack: it does not load, and the reason was reported */
	unsigned      n, problems;
};

/* Reports a problem at a line of a file. */
__attribute__((format(printf, 4, 5))) void lint_wrong(struct lint *l, const char *path, unsigned line,
                                                      const char *fmt, ...);

/* Reports what a reviewer should know, although it is not wrong by itself. */
__attribute__((format(printf, 3, 4))) void lint_warn(const char *path, unsigned line, const char *fmt, ...);

/* rules_lint_sources.c: for one pack, whether each source is used and can be found again. */
void lint_sources(struct lint *l, const struct pack *p);
/* What is wrong with an address as a citation; NULL: nothing. */
const char *lint_url(const char *url);
/* rules_lint_names.c */
void lint_names(struct lint *l);
/* rules_lint_mend.c: makes a broken pack compile, so that the two below can be run all the same. */
void lint_mend(struct pack *p);
/* rules_lint_never.c: which names of a pack would block what must stay open. That a broken pack does not
 * compile is not reported again. */
void lint_never(struct lint *l, struct pack *p, bool broken);
/* rules_lint_sids.c: for one pack; for all packs together. */
void lint_sids(struct lint *l, const struct pack *p);
void lint_blocks(struct lint *l);
/* The lowest number of the pack's block above all that it has used. */
unsigned lint_next_sid(const struct pack *p);

#endif

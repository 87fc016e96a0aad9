/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Repeats: the same client asking for the same name over the same channel at the same server, with the same
 * outcome. The first record of a window is written at once; those that follow are counted, and told at its end
 * in one `repeat` record. The table outlives a worker, so a window that one begins the next one ends.
 */
#ifndef NFQD_LOG_FOLD_H
#define NFQD_LOG_FOLD_H

#include <stdbool.h>

#include "base/err.h"
#include "log/event.h"

enum { FOLD_SLOTS = 4096, FOLD_MEMBERS = 256 };

struct fold {
	uint64_t window; /* ns; 0: nothing is folded */
	uint64_t seed;   /* of the keys: which two decisions share one must not be predictable */
	struct fold_slot {
		uint64_t key; /* 0: free */
		uint64_t seq, first, last; /* the written record's number; times in ns */
		uint64_t count; /* of those that are not written */
	} slots[FOLD_SLOTS];
};

/* Gets the members of a `repeat` record. */
typedef void fold_tell(void *ctx, uint64_t ts, const char *members);

/* window: ns. Of a table that is zeroed, before its first use. */
void fold_init(struct fold *f, uint64_t window);
/* NULL: the event is counted and need not be written. Otherwise its record begins a window: the caller sets the
 * slot's seq. Whoever had that slot is told. */
MUST_CHECK struct fold_slot *fold_take(struct fold *f, const struct event *e, fold_tell *tell, void *ctx);
/* Tells the windows that have ended by now (ns), or all. */
void fold_end(struct fold *f, uint64_t now, bool all, fold_tell *tell, void *ctx);

#endif

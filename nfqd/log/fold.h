/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Repeats: one client asks one server for the same name over the same channel, and the outcome is the same. The
 * first record of a window is written at once. Those that follow are counted, and a `repeat` record gives their
 * number when the window ends. The table outlives a worker: the next worker ends the windows that it finds.
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
		uint64_t count; /* repeats, which are not written */
	} slots[FOLD_SLOTS];
};

/* Gets the members of a `repeat` record. */
typedef void fold_tell(void *ctx, uint64_t ts, const char *members);

/* Prepares a zeroed table. window: ns; 0 writes every record. */
void fold_init(struct fold *f, uint64_t window);
/* Returns NULL when the event is a repeat: it is counted, and its record need not be written. Otherwise its record
 * begins a window and the caller sets the slot's seq; the window that had the slot before is told first. */
MUST_CHECK struct fold_slot *fold_take(struct fold *f, const struct event *e, fold_tell *tell, void *ctx);
/* Tells the windows that have ended by now (ns), or all of them. */
void fold_end(struct fold *f, uint64_t now, bool all, fold_tell *tell, void *ctx);

#endif

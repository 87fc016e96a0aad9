/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent waits in one place: for descriptors (epoll) and for times. Own code instead of sd-event: it is
 * only this file, and libsystemd stays a library that a build may do without.
 */
#ifndef NFQD_PARENT_POLLER_H
#define NFQD_PARENT_POLLER_H

#include <stdint.h>

#include "base/err.h"

/* A descriptor; lives with its owner, who closes it after poller_forget(). */
struct poller_source {
	void (*run)(struct poller_source *s);
	void *ctx;
	int   fd;
};

/* A time; lives with its owner. Initialize run and ctx, then use poller_set(). */
struct poller_timer {
	void (*run)(struct poller_timer *t);
	void                *ctx;
	uint64_t             due; /* ms, monotonic; 0: not set */
	struct poller_timer *next;
};

struct poller {
	int                  epoll;
	struct poller_timer *timers; /* that are set */
};

/* Returns 0 or -errno. */
MUST_CHECK int poller_open(struct poller *p);
void           poller_close(struct poller *p);

/* what: EPOLLIN or EPOLLOUT; 0: nothing, for now. Returns 0 or -errno. */
MUST_CHECK int poller_watch(struct poller *p, struct poller_source *s, uint32_t what);
MUST_CHECK int poller_change(struct poller *p, struct poller_source *s, uint32_t what);
void           poller_forget(struct poller *p, struct poller_source *s);

/* Runs t once, ms from now; replaces what was set. */
void poller_set(struct poller *p, struct poller_timer *t, uint64_t ms);
void poller_unset(struct poller *p, struct poller_timer *t);

/* Waits for the next source or time and runs its function: at most one source, so that a source that
 * this closes cannot have an event in the same round. */
void poller_turn(struct poller *p);

uint64_t poller_ms(void); /* monotonic */

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop of one packet thread: a burst in, one verdict per packet out. The thread announces the ruleset
 * that it reads, so that the thread that swaps rulesets knows when the old one can be released.
 */
#ifndef NFQD_WORKER_LOOP_H
#define NFQD_WORKER_LOOP_H

#include "pipeline.h"

typedef _Atomic(const struct ruleset *) ruleset_slot;

struct loop {
	struct capture  *capture;
	struct pipeline *pipeline;
	ruleset_slot    *newest; /* the ruleset to read from the next burst on */
	ruleset_slot     reading; /* NULL: between bursts */
	_Atomic bool    *stop;   /* NULL: until the source ends */
	_Atomic uint64_t *beats; /* NULL, or counts every round: some packets, or none for a while */
	void (*after_burst)(void *ctx);
	void *ctx;
};

/* Runs until *stop or the source's end. Returns 0 or -errno. */
MUST_CHECK int loop_run(struct loop *l);

/* Waits until no loop of n reads the old ruleset any more. */
void loop_wait_unused(struct loop *const loops[], unsigned n, const struct ruleset *old);

#endif

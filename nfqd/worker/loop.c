/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bursts, verdicts, and the hand-over of rulesets between bursts (hazard pointers). */
#include "worker/loop.h"

#include <errno.h>
#include <time.h>

/* Announce first, then check again: a ruleset that was replaced in between is not read. */
static const struct ruleset *acquire(struct loop *l)
{
	const struct ruleset *rs;

	do {
		rs = atomic_load(l->newest);
		atomic_store(&l->reading, rs);
	} while (rs != atomic_load(l->newest));
	return rs;
}

/*
 * A refused connection's server is told first: the verdict resets its client, which may reuse the ports
 * within microseconds, and a late reset would hit the new connection. Waiting verdicts go before both: a
 * reset must not overtake segments that were just allowed.
 */
static int answer(struct loop *l, const struct raw_packet *raw)
{
	const struct capture_ops *ops = l->capture->ops;
	struct verdict            v = pipeline_packet(l->pipeline, raw);
	int                       r = 0;

	if (v.state == STATE_REJECTED) {
		r = ops->flush(l->capture);
		pipeline_after_burst(l->pipeline);
	}
	ops->verdict(l->capture, raw, v);
	return r;
}

int loop_run(struct loop *l)
{
	const struct capture_ops *ops = l->capture->ops;
	struct raw_packet         burst[CAPTURE_BURST];

	while (!l->stop || !atomic_load_explicit(l->stop, memory_order_relaxed)) {
		int n = ops->recv(l->capture, burst), r = 0;

		if (l->beats)
			atomic_fetch_add_explicit(l->beats, 1, memory_order_relaxed);
		if (n < 0)
			return n == -EPIPE ? 0 : n;
		if (n == 0)
			continue;
		l->pipeline->rules = acquire(l);
		for (int i = 0; i < n && r == 0; i++)
			r = answer(l, &burst[i]);
		atomic_store_explicit(&l->reading, NULL, memory_order_release);
		if (r == 0)
			r = ops->flush(l->capture);
		if (r < 0)
			return r;
		pipeline_after_burst(l->pipeline);
		if (l->after_burst)
			l->after_burst(l->ctx);
	}
	return 0;
}

void loop_wait_unused(struct loop *const loops[], unsigned n, const struct ruleset *old)
{
	struct timespec pause = { .tv_nsec = 100000 };

	for (unsigned i = 0; i < n; i++)
		while (atomic_load(&loops[i]->reading) == old)
			nanosleep(&pause, NULL);
}

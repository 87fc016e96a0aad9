/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of packets: those that wait are answered or handed over, then the table goes or stays. */
#include <poll.h>

#include "base/diag.h"
#include "parent/parent_private.h"

enum { DRAIN_MS = 2000 };

static void drain_queues(struct parent *p)
{
	uint64_t end = poller_ms() + DRAIN_MS;

	for (unsigned i = 0; i < p->in.queues; i++) {
		struct queue_kernel k;

		while (queue_kernel_sum((uint16_t)(p->in.queue.num + i), &k) == 0 && k.waiting &&
		       p->worker > 0 && poller_ms() < end) {
			poll(NULL, 0, 2);
			parent_reap(p);
		}
	}
}

/* What no worker has answered; the table's end would drop it. */
static void release_queues(struct parent *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->in.queues; i++)
		n += queue_release(p->in.queue_fd[i], (uint16_t)(p->in.queue.num + i), p->in.queue.fail_open);
	if (n)
		diag_warn("queue", "%u waiting packets that no worker answered: %s (fail: %s)", n,
		          p->in.queue.fail_open ? "passed" : "dropped", p->in.queue.fail_open ? "open" : "closed");
}

/* `fail: closed` outlives the daemon: until the next start, nothing undecided passes. */
static void end_steering(struct parent *p)
{
	if (p->in.queue.fail_open) {
		steer_remove(p->steer);
		return;
	}
	steer_leave(p->steer);
	diag_warn("steer", "fail: closed: table inet nfqd stays, DNS and undecided connections are dropped until nfqd "
	          "runs again (`nft delete table inet nfqd` lets them pass)");
}

/* The table of the process before, whose queues were taken over by a start that failed. */
static void end_taken(struct parent *p)
{
	if (p->in.queue.fail_open)
		steer_stop_left(true);
	release_queues(p);
	if (p->in.queue.fail_open)
		steer_remove_left();
}

void parent_end_packets(struct parent *p)
{
	const bool followed = parent_is_followed(p);

	if (p->steer && !followed) {
		steer_stop_queueing(p->steer);
		drain_queues(p);
	}
	if (p->worker > 0)
		parent_record_stop(p);
	parent_stop_worker(p); /* it may still send answers, which the table keeps out of conntrack */
	if (!p->steer && p->handed.taken)
		end_taken(p);
	if (!p->steer)
		return;
	if (followed && parent_hand_over(p)) { /* the table stays as it is */
		steer_leave(p->steer);
		return;
	}
	if (followed)
		steer_stop_queueing(p->steer);
	release_queues(p);
	end_steering(p);
}

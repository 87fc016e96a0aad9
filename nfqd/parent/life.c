/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that hangs is as good as dead, but the kernel does not report it: a worker that is stopped, or
 * swapped out for good, holds every packet that waits for it. Each thread counts its rounds; the parent
 * looks once a second, and its own looks are the clock, so that a suspended machine does not count as a
 * hang.
 */
#include <signal.h>

#include "base/diag.h"
#include "parent/notify.h"
#include "parent/parent_private.h"

enum {
	STILL_LOOKS = 2,       /* with work that waits: two seconds, and up to one more */
	STILL_IDLE_LOOKS = 10, /* without */
	RESOLVER_LOOKS = 5,
	DYING_LOOKS = 2
};

static bool is_still(struct pulse *p, uint64_t beats)
{
	p->still = p->beats == beats ? p->still + 1 : 0;
	p->beats = beats;
	return p->still >= STILL_LOOKS;
}

static bool packets_wait(const struct parent *p, unsigned queue)
{
	struct queue_kernel k;

	return !p->tap && queue_kernel_sum((uint16_t)(p->in.queue.num + queue), &k) == 0 && k.waiting;
}

static bool records_wait(const struct parent *p)
{
	uint64_t made = 0;

	for (unsigned i = 0; i < p->in.queues; i++)
		made += p->shared->count[i].v[COUNT_records];
	return made > p->shared->events_taken;
}

/* One thread of the worker. True when it hangs; *lives becomes false when it does not count. */
static bool hangs(struct pulse *pulse, uint64_t beats, bool *lives)
{
	if (!is_still(pulse, beats))
		return false;
	*lives = false;
	return true;
}

static const char *hung_thread(struct parent *p, bool *lives)
{
	static char text[32];

	for (unsigned i = 0; i < p->in.queues; i++)
		if (hangs(&p->pulse[i], p->shared->beats[i], lives) &&
		    (packets_wait(p, i) || p->pulse[i].still >= STILL_IDLE_LOOKS)) {
			snprintf(text, sizeof(text), "the thread of queue %u", p->in.queue.num + i);
			return text;
		}
	if (hangs(&p->log_pulse, p->shared->log_beats, lives) &&
	    (records_wait(p) || p->log_pulse.still >= STILL_IDLE_LOOKS))
		return "the log thread";
	return NULL;
}

/* A process in an uninterruptible sleep outlives SIGKILL, but reads no more packets. */
static void wait_for_end(struct parent *p)
{
	if (++p->dying <= DYING_LOOKS)
		return;
	diag_error("worker", "the worker was killed but does not end: another one takes its place");
	parent_worker_is_gone(p);
}

/* Kills the worker when one of its threads hangs. Returns whether all of them are alive. */
static bool look_at_worker(struct parent *p)
{
	bool        lives = true;
	const char *hung;

	if (p->worker <= 0)
		return false;
	if (p->dying) {
		wait_for_end(p);
		return false;
	}
	hung = hung_thread(p, &lives);
	if (hung) {
		diag_error("worker", "%s has not moved for %u seconds: a new worker", hung, STILL_LOOKS);
		p->hangs++;
		p->dying = 1;
		kill(p->worker, SIGKILL);
	}
	return lives;
}

static bool look_at_resolver(struct parent *p)
{
	struct pulse *pulse = &p->resolver_pulse;

	if (p->resolver <= 0 || !is_still(pulse, p->shared->resolver_beats))
		return true;
	if (pulse->still >= RESOLVER_LOOKS) {
		diag_error("resolver", "it has not moved for %u s: a new one", pulse->still);
		kill(p->resolver, SIGKILL);
		pulse->still = 0;
	}
	return false;
}

void parent_forget_pulses(struct parent *p)
{
	for (unsigned i = 0; i < QUEUES_MAX; i++)
		p->pulse[i].still = 0;
	p->log_pulse.still = 0;
	p->dying = 0;
}

void parent_look_at_life(struct parent *p)
{
	bool worker = look_at_worker(p), resolver = look_at_resolver(p);

	if (worker && resolver)
		sd_notify(0, "WATCHDOG=1");
}

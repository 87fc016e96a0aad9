/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent's part of steering: it puts the table in, follows the routes, restores the table when another
 * program removes it, and stops queueing while no worker answers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/heartbeat.h"
#include "parent/parent_private.h"

#define OLD_MARK_MASK 0x70000000 /* of nfqd 0.1.0, unless its configuration said otherwise */

/* A heartbeat that is routed comes from a client like those that the site names. */
static int whose_are_judged(struct parent *p, struct steer_conf *sc)
{
	const struct conf_inspect *ins = &p->conf->inspect;

	sc->inside_auto = ins->n_inside == 1 && strcmp(ins->inside[0], "auto") == 0;
	sc->inside = ins->inside;
	sc->n_inside = ins->n_inside;
	if (sc->inside_auto || !p->conf->heartbeat || !p->conf->heartbeat_forward)
		return 0;
	p->inside = calloc(ins->n_inside + 1, sizeof(*p->inside));
	if (!p->inside)
		return -1;
	memcpy(p->inside, ins->inside, ins->n_inside * sizeof(*p->inside));
	p->inside[sc->n_inside++] = HEARTBEAT_FORWARD_LINK;
	sc->inside = p->inside;
	return 0;
}

/* Which nfqd the table is of, for whoever lists it. What would end nft's string is left out, and so is a path that
 * is too long. */
static const char *owner(struct parent *p)
{
	const char *sensor = p->in.identity.sensor, *control = p->conf->control;
	const bool  plain = strlen(control) < 64 && !strpbrk(control, "\"\\\n");

	snprintf(p->owner, sizeof(p->owner), "nfqd%s%s%s%s", sensor[0] ? ", sensor " : "", sensor,
	         plain ? ", control " : "", plain ? control : "");
	return p->owner;
}

int parent_steer(struct parent *p, struct err *err)
{
	const struct conf_inspect *ins = &p->conf->inspect;
	struct steer_conf sc = { .means = p->means, .tokens = p->tokens, .owner = owner(p),
		                 .old_marks = ins->mark_mask ? ins->mark_mask : OLD_MARK_MASK,
		                 .offload = (uint8_t)ins->offload, .hold_seconds = ins->offload_hold,
		                 .queue_num = p->in.queue.num,
		                 .queues = (uint16_t)p->in.queues,
		                 .fail_open = p->conf->fail == FAIL_OPEN, .forward = ins->forward,
		                 .output = ins->output, .answers = ins->answers,
		                 .goes_on = p->handed.taken, .prefilter = p->prefilter != NULL,
		                 .keep_states = p->boot->pair_address != NULL,
		                 .marked_output = ins->marked_output, .proxies = ins->proxies,
		                 .n_proxies = ins->n_proxies };

	if (whose_are_judged(p, &sc) < 0)
		return err_set(err, "out of memory");
	if (ins->mark_mask)
		diag_warn("steer", "inspect.mark-mask is ignored: nfqd no longer uses marks");
	p->nft_events = steer_events_open(err); /* before the table, so that no event is missed */
	if (p->nft_events < 0)
		return -1;
	p->steer = steer_install(&sc, err);
	return p->steer ? parent_fill_sets(p, err) : -1;
}

int parent_fill_sets(struct parent *p, struct err *err)
{
	if (steer_set_outside(p->steer, p->outside, p->n_outside, err) < 0)
		return -1;
	parent_steer_watched(p);
	return parent_steer_nets(p, err) < 0 ? -1 : steer_wake(p->steer, err);
}

int parent_update_routes(struct parent *p, struct err *err)
{
	uint32_t outside[OUTSIDE_MAX] = { 0 };
	int      n = routes_read(p->shared, outside, err);

	p->routes_due = n < 0 || (p->steer && steer_set_outside(p->steer, outside, (unsigned)n, err) < 0);
	if (p->routes_due)
		return -1;
	memcpy(p->outside, outside, sizeof(outside));
	p->n_outside = (unsigned)n;
	return 0;
}

/* ---- while no worker answers ---- */

void parent_stop_queueing(struct parent *p)
{
	if (!p->steer || p->unprotected)
		return;
	diag_error("worker", "%u died in a row: NOTHING IS INSPECTED until a worker starts (fail: open)",
	           p->deaths);
	steer_stop_queueing(p->steer);
	parent_fault_begins(p);
}

void parent_resume_queueing(struct parent *p)
{
	struct err err = { 0 };

	if (!p->unprotected)
		return;
	if (steer_repair(p->steer, &err) < 0 || parent_fill_sets(p, &err) < 0) {
		diag_error("steer", "%s", err.text); /* the next check tries again */
		return;
	}
	parent_set_prefilter(p);
	parent_fault_ends(p);
	diag_info("worker", "traffic is inspected again");
}

/* ---- others in the same kernel ---- */

/* Since the event came; what passed in between was not judged. */
static void record_repair(struct parent *p, bool again, uint64_t us)
{
	diag_info("steer", "table inet nfqd is back after %llu.%llu ms", (unsigned long long)us / 1000,
	          (unsigned long long)us / 100 % 10);
	parent_record(p, "repair", json_pack("{s:s, s:b, s:I}", "fail", p->in.queue.fail_open ? "open" : "closed",
	                                     "retried", again, "us", (json_int_t)us));
}

void parent_look_at_steering(struct parent *p)
{
	struct err err = { 0 };
	bool       intact, stale, again = p->repair_failed;
	uint64_t   begin = clock_monotonic();

	if (!p->steer || p->unprotected)
		return;
	intact = steer_is_intact(p->steer);
	stale = steer_is_stale(p->steer);
	if (intact && !again && !stale)
		return;
	if (!again && !stale) {
		p->repairs++;
		diag_error("steer", "another program removed nfqd's rules: putting them back");
	}
	p->repair_failed = (!intact && steer_repair(p->steer, &err) < 0) ||
	                   parent_fill_sets(p, &err) < 0;
	if (p->repair_failed && diag_may(&p->repair_said, clock_monotonic()))
		diag_error("steer", "%s; the next check tries again", err.text);
	if (p->repair_failed || intact)
		return;
	record_repair(p, again, (clock_monotonic() - begin) / 1000);
	steer_forget_answers();
}

void parent_look_at_tables(struct parent *p)
{
	parent_look_at_steering(p);
	if (p->steer)
		steer_look_for_flowtables(p->steer);
}

void parent_on_nft_event(struct parent *p)
{
	unsigned events = steer_events_read(p->nft_events);

	if (events & STEER_EVENT_OURS)
		parent_look_at_steering(p);
	if (p->steer && events & STEER_EVENT_FLOWTABLES)
		steer_look_for_flowtables(p->steer);
}

/* Records what has passed uninspected since the last time. */
static void record_uninspected(struct parent *p)
{
	struct steer_counts now;

	if (!steer_flowtable(p->steer) || steer_counters(p->steer, &now) < 0 ||
	    now.uninspected == p->uninspected)
		return;
	parent_record(p, "gap", json_pack("{s:s, s:s, s:I}", "reason", "offload", "flowtable",
	                                  steer_flowtable(p->steer), "uninspected",
	                                  (json_int_t)(now.uninspected - p->uninspected)));
	p->uninspected = now.uninspected;
}

/* Forged answers to local programs that a rule dropped on the way; one that is on its way is none. */
static void say_own_lost(struct parent *p)
{
	struct steer_counts now;
	uint64_t            lost = p->own_lost;

	if (steer_counters(p->steer, &now) < 0)
		return;
	p->own_lost = steer_own_lost(&now);
	lost = lost < p->own_lost ? lost : p->own_lost;
	if (lost <= p->own_lost_said)
		return;
	diag_warn("steer", "%llu forged answers to programs of this host were dropped by a rule on their way, like "
	          "wg-quick's in the table raw: accept `iif lo` in front of it",
	          (unsigned long long)(lost - p->own_lost_said));
	p->own_lost_said = lost;
}

void parent_steer_tick(struct parent *p)
{
	if (!p->steer)
		return;
	if (p->unprotected && p->worker > 0)
		parent_resume_queueing(p);
	if (p->repair_failed || steer_is_stale(p->steer)) /* a failed change causes no event */
		parent_look_at_tables(p);
	record_uninspected(p);
	say_own_lost(p);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control socket answers: status and reload. */
#include <string.h>

#include "base/clock.h"
#include "run/parent_private.h"

#ifndef NFQD_VERSION
#define NFQD_VERSION "unknown"
#endif

static json_t *counters(const struct parent *p)
{
	json_t *all = json_object();

	for (unsigned c = 0; c < COUNTERS_N; c++) {
		uint64_t sum = 0;

		for (unsigned i = 0; i < p->in.queues; i++)
			sum += p->shared->count[i].v[c];
		json_object_set_new(all, counter_names[c], json_integer((json_int_t)sum));
	}
	return all;
}

static json_t *queues(const struct parent *p)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < p->in.queues; i++) {
		unsigned            num = p->in.queue_num + i;
		struct queue_kernel k;

		queue_kernel_counters((uint16_t)num, &k);
		json_array_append_new(all, json_pack("{s:i, s:i, s:i, s:i, s:i}", "num", num, "queued",
		                                     k.queued, "waiting", k.waiting, "dropped", k.dropped,
		                                     "user_dropped", k.user_dropped));
	}
	return all;
}

/*
 * The table counts packets that left the queue rule without a mark; those the worker let pass are
 * known, the rest went by the queue because nobody answered (fail: open).
 */
static json_t *steering(const struct parent *p)
{
	struct steer_counts sc;
	uint64_t            passed = 0;

	for (unsigned i = 0; i < p->in.queues; i++)
		passed += p->shared->count[i].v[COUNT_passed];
	steer_counters(p->steer, &sc);
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "backend",
	                 steer_backend_text(steer_backend(p->steer)), "bypassed",
	                 (json_int_t)(sc.unmarked > passed ? sc.unmarked - passed : 0),
	                 "marked_output", (json_int_t)sc.marked_output, "foreign_mark",
	                 (json_int_t)sc.foreign_mark, "no_conntrack", (json_int_t)sc.no_conntrack);
}

static json_t *packs(const struct parent *p)
{
	json_t        *all = json_array();
	struct ruleset rs;
	char           expires[CLOCK_TEXT];

	ruleset_open(&rs, p->img);
	for (uint32_t i = 0; i < rs.n_packs; i++) {
		clock_text_iso(rs.packs[i].expires, expires);
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s*}", "pack", rs_text(&rs, rs.packs[i].id),
		                       "version", rs_text(&rs, rs.packs[i].version), "expires",
		                       rs.packs[i].expires ? expires : NULL));
	}
	return all;
}

static json_t *run_status(void *ctx, const json_t *request, struct err *err)
{
	const struct parent *p = ctx;
	uint64_t             seq = p->shared->seq;
	struct ruleset       rs;

	(void)request, (void)err;
	ruleset_open(&rs, p->img);
	return json_pack("{s:s, s:s, s:s, s:I, s:i, s:i, s:I, s:I, s:o, s:o, s:o, s:o, s:{s:I, s:I}}",
	                 "version", NFQD_VERSION, "mode",
	                 rs_settings(&rs)->mode == MODE_LOG ? "log" : "enforce", "fail",
	                 p->boot->fail == FAIL_OPEN ? "open" : "closed", "uptime_s",
	                 (json_int_t)((clock_now() - p->started) / NS_PER_S), "worker_pid",
	                 (int)p->worker, "worker_restarts", (int)p->restarts, "generation",
	                 (json_int_t)p->shared->generation, "names", (json_int_t)rs.head->names,
	                 "packs", packs(p), "queues", queues(p), "steering", steering(p), "counters",
	                 counters(p), "log", "seq", (json_int_t)(seq ? seq - 1 : 0), "lost",
	                 (json_int_t)p->shared->sink_lost);
}

static json_t *run_reload(void *ctx, const json_t *request, struct err *err)
{
	struct parent *p = ctx;
	uint64_t       old = p->generation;

	(void)request;
	if (parent_reload(p, err) < 0)
		return NULL;
	return json_pack("{s:I, s:I}", "from", (json_int_t)old, "to", (json_int_t)p->generation);
}

const struct ctl_command parent_commands[] = {
	{ "status", run_status },
	{ "reload", run_reload },
};
const unsigned parent_n_commands = sizeof(parent_commands) / sizeof(parent_commands[0]);

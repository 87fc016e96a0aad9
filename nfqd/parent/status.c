/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon says about itself: at the start, and on the control socket to `status`. */
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "parent/checks.h"
#include "parent/parent_private.h"

json_t *status_counters(const struct parent *p)
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

	for (unsigned i = 0; i < p->in.queues && !p->tap; i++) {
		unsigned            num = p->in.queue.num + i;
		struct queue_kernel k;

		queue_kernel_sum((uint16_t)num, &k);
		json_array_append_new(all, json_pack("{s:i, s:i, s:i, s:i, s:i}", "num", num, "queued",
		                                     k.queued, "waiting", k.waiting, "dropped", k.dropped,
		                                     "user_dropped", k.user_dropped));
	}
	return all;
}

/*
 * The table counts packets that met a queue rule; packets that no queue took and the kernel did not drop
 * bypassed nfqd because no program read the queue (fail: open).
 */
static uint64_t bypassed(const struct parent *p, uint64_t met)
{
	uint64_t taken = 0;

	for (unsigned i = 0; i < p->in.queues; i++) {
		struct queue_kernel k;

		queue_kernel_sum((uint16_t)(p->in.queue.num + i), &k);
		taken += p->in.counts[i].received + k.waiting + k.dropped + k.user_dropped;
	}
	return met > taken ? met - taken : 0;
}

static json_t *steering(const struct parent *p)
{
	struct steer_counts sc;
	uint64_t            unmet = 0, reopened = 0;
	bool                readable;

	if (!p->steer)
		return NULL;
	for (unsigned i = 0; i < p->in.queues; i++) {
		unmet += p->in.counts[i].unmet;
		reopened += p->in.counts[i].reopened;
	}
	readable = steer_counters(p->steer, &sc) == 0;
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:s?, s:I, s:I, s:I, s:o*}", "backend",
	                 steer_backend_text(p->steer), "storage", steer_storage_text(p->steer),
	                 "verdicts", steer_verdict_text(p->steer), "in_place", readable, "queueing",
	                 !p->unprotected, "repairs", (int)p->repairs, "bypassed",
	                 (json_int_t)bypassed(p, sc.queued), "marked_output",
	                 (json_int_t)sc.marked_output, "no_conntrack", (json_int_t)sc.no_conntrack,
	                 "reopened", (json_int_t)reopened, "unmet", (json_int_t)unmet,
	                 "flowtable", steer_flowtable(p->steer), "held", (json_int_t)sc.held,
	                 "uninspected", (json_int_t)sc.uninspected, "own_answers_lost",
	                 (json_int_t)steer_own_lost(&sc), "prefilter", status_prefilter(p, &sc));
}

json_t *status_queues_and_steering(const struct parent *p)
{
	return json_pack("{s:o, s:o*}", "queues", queues(p), "steering", steering(p));
}

/* The interface that is watched. */
static json_t *tap_json(const struct parent *p)
{
	const struct tap_counts *counts = &p->shared->tap;

	return p->tap ? json_pack("{s:s, s:s?, s:I, s:I}", "interface", p->tap->device, "filter",
	                          p->tap->filter, "received", (json_int_t)counts->received, "dropped",
	                          (json_int_t)counts->dropped)
	              : NULL;
}

static json_t *date(int64_t seconds)
{
	char out[CLOCK_TEXT];

	clock_text_iso(seconds, out);
	return seconds ? json_string(out) : json_null();
}

/* Until when a policy only observes a pack; 0: none does. */
static int64_t observed_until(const struct ruleset *rs, uint32_t pack)
{
	int64_t latest = 0;

	for (uint32_t i = 0; i < image_n(rs->img, RS_POLICY); i++) {
		int64_t until = policy_observes(rs, (int32_t)i, pack);

		if (until > latest && policy_has_pack(rs, rs_policy(rs, (int32_t)i), pack))
			latest = until;
	}
	return latest;
}

static json_t *packs(const struct ruleset *rs)
{
	const int64_t *first_seen = image_at(rs->img, RS_FIRST_SEEN);
	json_t        *all = json_array();

	for (uint32_t i = 0; i < rs->n_packs; i++)
		json_array_append_new(
			all,
			json_pack("{s:s, s:s, s:o, s:o, s:o}", "pack", rs_text(rs, rs->packs[i].id),
		                  "version", rs_text(rs, rs->packs[i].version), "expires",
		                  date(rs->packs[i].expires), "first_seen", date(first_seen[i]),
		                  "observed_until", date(observed_until(rs, i))));
	return all;
}

json_t *status_mode(const struct parent *p)
{
	return json_pack("{s:s, s:o, s:s}", "mode",
	                 mode_words[p->mode >= 0 ? p->mode : p->conf->mode], "mode_until",
	                 date(p->mode_until), "mode_configured", mode_words[p->conf->mode]);
}

/* A clock before the packs' own dates is wrong; stages are then judged as of those dates. */
static json_t *clock_state(const struct ruleset *rs)
{
	int64_t now = (int64_t)(clock_now() / NS_PER_S), judged = policy_present(rs, now);

	return json_pack("{s:o, s:o, s:b}", "now", date(now), "judged_as", date(judged), "wrong",
	                 judged != now);
}

static json_t *state(const struct parent *p)
{
	const struct state *s = &p->state;

	return json_pack("{s:s, s:i, s:b, s:s?}", "path", p->boot->state, "exceptions",
	                 (int)state_n_exceptions(s), "saved", !s->changed, "problem",
	                 s->problem.text[0] ? s->problem.text : NULL);
}

/* Every record that is not where it should be, by output; and lost diagnostics. */
json_t *status_log(const struct parent *p)
{
	uint64_t seq = p->shared->seq, died = p->shared->events_died, lost = died, lines = 0;
	json_t  *outputs = json_array();

	for (unsigned i = 0; i < p->in.outputs; i++) {
		const struct sink_counts *c = &p->shared->output[i];

		lost += c->lost;
		json_array_append_new(outputs, json_pack("{s:s, s:s, s:I, s:I, s:b}", "type",
		                                         sink_name(p->in.output_type[i]), "path",
		                                         p->boot->outputs[i].path, "written",
		                                         (json_int_t)c->written, "lost",
		                                         (json_int_t)c->lost, "stuck", (int)c->stuck));
	}
	for (unsigned i = 0; i < PROCESSES_N; i++)
		lines += p->shared->diag_lost[i];
	return json_pack("{s:I, s:I, s:I, s:o, s:I}", "seq", (json_int_t)(seq ? seq - 1 : 0), "lost",
	                 (json_int_t)lost, "lost_with_worker", (json_int_t)died, "outputs", outputs,
	                 "diag_lost", (json_int_t)lines);
}

static json_t *last_reload(const struct last_reload *r)
{
	return json_pack("{s:o, s:b, s:o, s:s?}", "at", date(r->at), "failed", (int)r->failed, "failed_at",
	                 date(r->failed_at), "error", r->failed_at ? r->error.text : NULL);
}

/* A table that has just gone is seen here before the next look. */
static void add_protection(const struct parent *p, json_t *all)
{
	bool    gone = json_is_false(json_object_get(json_object_get(all, "steering"), "in_place"));
	json_t *reasons = protection_reasons(p, !gone);
	bool    whole = json_array_size(reasons) == 0;
	int64_t since = p->protection_since && whole == p->protected ? p->protection_since
	                                                             : (int64_t)(clock_now() / NS_PER_S);

	json_object_set_new(all, "schema", json_integer(STATUS_SCHEMA));
	json_object_set_new(all, "protected", json_boolean(whole));
	json_object_set_new(all, "since", date(since));
	json_object_set_new(all, "reasons", reasons);
}

/* The findings of the checks; with a watched interface, nothing is steered that others could change. */
static json_t *checks(const struct parent *p)
{
	struct checks_ask ask = { .marked_output = p->boot->inspect.marked_output,
		                  .mark_token = p->means.mark_token,
		                  .inside = p->boot->inspect.inside, .n_inside = p->boot->inspect.n_inside,
		                  .proxies = p->boot->inspect.proxies, .n_proxies = p->boot->inspect.n_proxies };

	return p->tap || !p->conf->inspect.checks ? NULL : checks_run(&ask);
}

void status_say_checks(struct parent *p)
{
	json_t *findings = checks(p), *one;
	size_t  i;

	checks_say(findings);
	json_array_foreach(findings, i, one)
		parent_record(p, "check", json_copy(one));
	json_decref(findings);
}

json_t *run_status(void *ctx, const json_t *request, struct err *err)
{
	const struct parent *p = ctx;
	struct ruleset       rs;
	json_t              *all;

	(void)request, (void)err;
	ruleset_open(&rs, p->img);
	all = json_pack("{s:s, s:s, s:I, s:i, s:i, s:I, s:I, s:o, s:o, s:o, s:o, s:o*, s:o*, s:o, s:o, s:o*}",
	                "version", NFQD_VERSION, "fail",
	                p->boot->fail == FAIL_OPEN ? "open" : "closed", "uptime_s",
	                (json_int_t)((poller_ms() - p->started) / 1000), "worker_pid",
	                p->worker > 0 ? (int)p->worker : 0, "worker_restarts", (int)p->restarts, "generation",
	                (json_int_t)p->shared->generation, "names", (json_int_t)rs.head->names,
	                "packs", packs(&rs), "clock", clock_state(&rs), "state", state(p), "queues",
	                queues(p), "steering", steering(p), "capture", tap_json(p), "counters",
	                status_counters(p), "log", status_log(p), "checks", checks(p));
	json_object_update_new(all, status_mode(p));
	add_protection(p, all);
	json_object_set_new(all, "reload", last_reload(&p->reload));
	json_object_set_new(all, "heartbeat", status_heartbeat(p));
	json_object_set_new(all, "sightings", status_sightings(p));
	json_object_set_new(all, "worker_hangs", json_integer((json_int_t)p->hangs));
	json_object_set_new(all, "worker_forbidden_calls", json_integer((json_int_t)p->forbidden));
	json_object_set_new(all, "resolver", json_pack("{s:i, s:i}", "pid", (int)p->resolver, "restarts",
	                                               (int)p->resolver_restarts));
	return all;
}

/* ---- at the start -------------------------------------------------------------------------- */

static void say_pack(const struct ruleset *rs, uint32_t i)
{
	const struct rs_pack *pack = &rs->packs[i];
	int64_t               now = policy_present(rs, (int64_t)(clock_now() / NS_PER_S));
	unsigned              rules = 0;

	for (uint32_t k = 0; k < rs->n_rules; k++)
		rules += rs->rules[k].pack == i;
	diag_info("rules", "pack %s %s: %u entries, %u stages%s%s", rs_text(rs, pack->id),
	          rs_text(rs, pack->version), rules, pack->stages,
	          observed_until(rs, i) > now ? ", only observed so far" : "",
	          pack->expires && pack->expires < now ? " (EXPIRED: get a newer one)" : "");
}

void status_say(const struct parent *p)
{
	struct ruleset rs;

	ruleset_open(&rs, p->img);
	for (uint32_t i = 0; i < rs.n_packs; i++)
		say_pack(&rs, i);
	if (p->tap) {
		diag_info("mode", "watching %s, filter %s: nothing is blocked", p->tap->device,
		          p->tap->filter ? p->tap->filter : "none");
		return;
	}
	diag_info("mode", "%s, fail %s, %s, queue %u to %u",
	          rs_settings(&rs)->mode == MODE_LOG ? "log (nothing is blocked)" : "enforce",
	          p->conf->fail == FAIL_OPEN ? "open" : "closed",
	          steer_backend_text(p->steer), p->in.queue.num,
	          p->in.queue.num + p->in.queues - 1);
	diag_info("steer", "states in %s; verdicts by %s", steer_storage_text(p->steer),
	          steer_verdict_text(p->steer));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deciding: which policy applies to a hit for this client at this time, and what follows from it. Pure, and
 * without allocation: the packet path and `why` call the same function.
 */
#include "decide/policy.h"

WORDS(mode_words, MODES, MODE_N);
WORDS(action_words, ACTIONS, ACTION_N);

/* What is to be decided. */
struct question {
	const struct ruleset *rs;
	const struct match   *m;
	const struct client  *client;
	uint16_t              port;
	uint8_t               proto;
	int64_t               seconds;
};

/* ---- conditions ---------------------------------------------------------------------------- */

static bool client_is(const struct rs_client *c, const struct client *client)
{
	if (c->kind == CLIENT_NET)
		return net_has(&c->net, &client->addr);
	if (c->kind == CLIENT_MAC)
		return client->mac && memcmp(c->mac, client->mac, sizeof(c->mac)) == 0;
	if (c->kind == CLIENT_SELF)
		return client->self;
	return client->iface && strcmp(c->iface, client->iface) == 0;
}

/* Is the client one of n in RS_CLIENT? None means every client. */
static bool clients_have(const struct question *q, uint32_t first, uint32_t n)
{
	const struct rs_client *c = image_at(q->rs->img, RS_CLIENT);

	for (uint32_t i = 0; i < n; i++)
		if (client_is(&c[first + i], q->client))
			return true;
	return n == 0;
}

bool policy_has_pack(const struct ruleset *rs, const struct rs_policy *p, uint32_t pack)
{
	for (uint32_t i = 0; i < p->packs.n; i++)
		if (rs->list[p->packs.first + i] == pack)
			return true;
	return p->any_pack;
}

/* Do a policy's products and those of a rule overlap? */
static bool products_meet(const struct ruleset *rs, struct list want, struct list has)
{
	for (uint32_t i = 0; i < want.n; i++)
		for (uint32_t k = 0; k < has.n; k++)
			if (strcmp(rs_text(rs, rs->list[want.first + i]),
			           rs_text(rs, rs->list[has.first + k])) == 0)
				return true;
	return want.n == 0;
}

static bool bit_in(uint32_t bits, uint8_t i)
{
	return bits == 0 || (bits >> i & 1);
}

/* The conditions that do not depend on the hit. */
static bool policy_applies(const struct question *q, const struct rs_policy *p)
{
	return (p->from == 0 || q->seconds >= p->from) && (p->until == 0 || q->seconds < p->until) &&
	       ports_have(q->rs, p->ports, q->proto, q->port) &&
	       clients_have(q, p->first_client, p->clients);
}

static bool policy_has(const struct question *q, const struct rs_policy *p, const struct hit *h)
{
	const struct rs_rule *r = &q->rs->rules[h->rule];
	uint32_t              own = q->rs->packs[r->pack].policy;

	return (own == 0 || rs_policy(q->rs, (int32_t)own - 1) == p) && policy_has_pack(q->rs, p, r->pack) && bit_in(p->categories, r->category) &&
	       bit_in(p->confidence, r->confidence) && products_meet(q->rs, p->products, r->products);
}

/* Of a policy's own names nothing is listed where its conditions do not hold. */
static void leave_out(const struct question *q, struct match *m)
{
	uint8_t kept = 0;

	for (unsigned i = 0; i < m->n; i++) {
		uint32_t own = q->rs->packs[q->rs->rules[m->hits[i].rule].pack].policy;

		if (own == 0 || policy_applies(q, rs_policy(q->rs, (int32_t)own - 1)))
			m->hits[kept++] = m->hits[i];
	}
	m->n = kept;
}

/* ---- choosing ------------------------------------------------------------------------------ */

static const struct rs_rule *hit_rule(const struct question *q, int hit)
{
	return &q->rs->rules[q->m->hits[hit].rule];
}

/* Entries that must never be blocked count only when nothing else was hit. */
static bool only_allow(const struct question *q)
{
	for (int i = 0; i < q->m->n; i++)
		if (hit_rule(q, i)->action != ENTRY_ALLOW)
			return false;
	return true;
}

/* The first policy that matches any hit, and that hit. Without one: -1, and the first hit. */
static void choose(const struct question *q, struct decision *out)
{
	int32_t n = (int32_t)image_n(q->rs->img, RS_POLICY);
	bool    allow = only_allow(q);

	for (int32_t i = 0; i < n; i++) {
		const struct rs_policy *p = rs_policy(q->rs, i);
		bool                    applies = policy_applies(q, p);

		for (int16_t h = 0; applies && h < q->m->n; h++) {
			if ((hit_rule(q, h)->action == ENTRY_ALLOW) != allow ||
			    !policy_has(q, p, &q->m->hits[h]))
				continue;
			out->policy = i;
			out->hit = h;
			return;
		}
	}
	for (out->hit = 0; (hit_rule(q, out->hit)->action == ENTRY_ALLOW) != allow;)
		out->hit++;
}

/* ---- what comes of it ---------------------------------------------------------------------- */

/* Before the first stage, and where the entry lowers it: log. */
static enum action stage_action(const struct question *q, const struct rs_rule *r, int32_t stage)
{
	if (stage < 0 || r->action == ENTRY_LOG)
		return ACTION_LOG;
	return q->rs->stages[stage].action;
}

static enum action action_of(const struct question *q, const struct decision *d)
{
	const struct rs_rule *r = hit_rule(q, d->hit);
	uint8_t               action = d->policy < 0 ? rs_settings(q->rs)->default_action :
	                                               rs_policy(q->rs, d->policy)->action;

	if (r->action == ENTRY_ALLOW)
		return ACTION_ALLOW;
	return action == ACTION_STAGE ? stage_action(q, r, d->stage) : action;
}

int64_t policy_observes(const struct ruleset *rs, int32_t policy, uint32_t pack)
{
	const int64_t *first_seen = image_at(rs->img, RS_FIRST_SEEN);

	if (policy < 0 || pack >= image_n(rs->img, RS_FIRST_SEEN) ||
	    rs_policy(rs, policy)->observe_for == 0)
		return 0;
	if (first_seen[pack] == 0)
		return OBSERVES_STILL;
	return first_seen[pack] + rs_policy(rs, policy)->observe_for;
}

/* The strictest action that is possible at present, whatever policies say. */
static uint8_t strictest_action(const struct question *q, const struct decision *d)
{
#define X(id, word, max) [id] = (max),
	static const uint8_t by_mode[] = { MODES(X) };
#undef X
	uint8_t max = by_mode[rs_settings(q->rs)->mode];

	if (max > ACTION_LOG &&
	    q->seconds < policy_observes(q->rs, d->policy, hit_rule(q, d->hit)->pack))
		max = ACTION_LOG;
	return max;
}

static int16_t exception_of(const struct question *q)
{
	for (unsigned i = 0; i < q->m->n_exceptions; i++) {
		const struct rs_exception *e = rs_exception(q->rs, q->m->exceptions[i]);

		if (q->seconds < e->expires && clients_have(q, e->first_client, e->clients))
			return (int16_t)q->m->exceptions[i];
	}
	return -1;
}

void policy_decide(const struct ruleset *rs, const struct match *m, const struct client *client,
                   uint8_t proto, uint16_t port, int64_t seconds, struct decision *out)
{
	struct question       q = { rs, m, client, port, proto, seconds };
	const struct rs_rule *r;
	uint8_t               max;

	*out = (struct decision){ .hit = -1, .policy = -1, .stage = -1, .exception = -1, .match = *m };
	q.m = &out->match;
	leave_out(&q, &out->match);
	if (out->match.n == 0)
		return;
	choose(&q, out);
	r = hit_rule(&q, out->hit);
	out->stage = stage_in_force(rs, &rs->packs[r->pack], r->category, seconds);
	out->would = out->action = (uint8_t)action_of(&q, out);
	if (out->policy >= 0)
		out->dns = rs_policy(rs, out->policy)->dns;
	max = strictest_action(&q, out);
	if (out->action > max)
		out->action = max;
	if (out->would > ACTION_ALLOW)
		out->exception = exception_of(&q);
	if (out->exception >= 0)
		out->action = ACTION_ALLOW;
}

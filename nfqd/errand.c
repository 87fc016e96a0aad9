/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errands in the packet path: a lookup in a table of fixed size, and only for a question that passes although its name
 * is listed, or that leaves this host and would be refused.
 */
#include "errand.h"

#include "base/clock.h"
#include "decide/policy.h"
#include "match/watch.h"

enum { ANSWER_S = 10 }; /* what a resolver may wait on top of it */

enum { TYPE_A = 1, TYPE_NS = 2, TYPE_AAAA = 28 };

static uint32_t seconds(const struct pipeline *p)
{
	return (uint32_t)(p->now / NS_PER_S);
}

static uint64_t key_of(const struct pipeline *p, const char *name, size_t len, uint16_t type)
{
	return errand_key(p->watch->seed, name, len, type);
}

static bool is_listed(const struct pipeline *p, const struct name *name)
{
	struct match m;

	ruleset_match_name(p->rules, name, &m);
	return m.n > 0;
}

/* ---- the client's question ---- */

/*
 * A resolver that minimises names (RFC 9156) asks for the names above first: those that are listed would be refused.
 */
static void begin_walk(struct pipeline *p, const struct name *name, struct errand e)
{
	struct name above = *name;
	const char *dot;

	e.led = true;
	while ((dot = strchr(above.text, '.')) != NULL && strchr(dot + 1, '.')) {
		above.len = (uint16_t)strlen(dot + 1);
		memmove(above.text, dot + 1, above.len + 1U);
		e.key = key_of(p, above.text, above.len, ERRAND_WALK);
		if (is_listed(p, &above))
			errands_put(p->errands, &e, seconds(p));
	}
}

static void begin(struct pipeline *p, const struct name *name, uint16_t type, struct errand e)
{
	e.key = key_of(p, name->text, name->len, type);
	errands_put(p->errands, &e, seconds(p));
	begin_walk(p, name, e);
}

void errand_begin(struct pipeline *p, const struct message *m, unsigned i)
{
	const struct packet *pkt = m->pkt;
	struct errand e = { .until = seconds(p) + ERRAND_WAIT_S, .ifin = pkt->ifin, .client = pkt->src, .server = pkt->dst,
		            .has_mac = pkt->has_mac, .port = { pkt->dport } };

	if (!p->errands || !pkt->ifin || m->names.v[i].seen_in != SEEN_DNS_QUERY)
		return;
	memcpy(e.mac, pkt->mac, sizeof(e.mac));
	begin(p, &m->names.v[i], dns_question_type(&m->names, i), e);
}

/* ---- the resolver's question ---- */

static bool find(const struct pipeline *p, const struct name *name, uint16_t type, uint32_t since, struct errand *e)
{
	/* some resolvers ask for a name of their own below the one above (_.example.com) */
	unsigned skip = strncmp(name->text, "_.", 2) == 0 ? 2 : 0;

	if (errands_get(p->errands, key_of(p, name->text, name->len, type), since, seconds(p), e))
		return true;
	return (type == TYPE_A || type == TYPE_NS || type == TYPE_AAAA) &&
	       errands_get(p->errands, key_of(p, name->text + skip, name->len - skip, ERRAND_WALK), since, seconds(p), e);
}

void errand_ask_policies(const struct pipeline *p, const struct errand *e, const struct packet *pkt,
                         const struct match *m, struct decision *d)
{
	struct client client = { .addr = e->client, .mac = e->has_mac ? e->mac : NULL };

	client.iface = p->ifname ? p->ifname(p->emit_ctx, e->ifin) : NULL;
	policy_decide(p->rules, m, &client, pkt->proto, pkt->dport,
	              policy_present(p->rules, (int64_t)(p->now / NS_PER_S)), d);
	if (e->led && action_blocks(d->action))
		d->action = ACTION_ALLOW;
}

/* Another resolver on this host may be asked next: it has the port that this question goes to. */
static void use(struct pipeline *p, const struct packet *pkt, struct errand *e)
{
	unsigned i = 0;

	while (i < ERRAND_PORTS - 1 && e->port[i] && e->port[i] != pkt->dport)
		i++;
	e->port[i] = pkt->dport;
	e->used = true;
	errands_put(p->errands, e, seconds(p));
}

enum errand_state errand_judge(struct pipeline *p, const struct message *m, unsigned i, const struct match *match,
                               struct decision *d, struct errand *e)
{
	const struct packet *pkt = m->pkt;
	struct decision      as;
	enum errand_state    state;

	if (!p->errands || m->from_server || m->names.v[i].seen_in != SEEN_DNS_QUERY ||
	    !find(p, &m->names.v[i], dns_question_type(&m->names, i), seconds(p), e))
		return ERRAND_NONE;
	if (pkt->ifin)
		return addr_eq(&e->server, &pkt->src) && !addr_eq(&e->client, &pkt->src) ? ERRAND_ELSEWHERE
		                                                                       : ERRAND_NONE;
	errand_ask_policies(p, e, pkt, match, &as);
	if (action_blocks(as.action))
		return ERRAND_NONE;
	state = (enum errand_state)p->whose(p->emit_ctx, pkt, e->port, &e->client);
	count_add(p->count, COUNT_errands, state == ERRAND_PASSES);
	count_add(p->count, COUNT_errands_unknown, state == ERRAND_UNKNOWN || state == ERRAND_UNASKED);
	count_add(p->count, COUNT_errands_unasked, state == ERRAND_UNASKED);
	if (state == ERRAND_UNASKED)
		return ERRAND_UNKNOWN;
	if (state != ERRAND_PASSES)
		return state;
	use(p, pkt, e);
	*d = as;
	return ERRAND_PASSES;
}

/* ---- the answer ---- */

bool errand_answered(const struct pipeline *p, const struct message *m, struct errand *e)
{
	const struct names *names = &m->names;

	return p->errands && names->n && names->v[0].seen_in == SEEN_DNS_QUERY &&
	       find(p, &names->v[0], dns_question_type(names, 0), seconds(p) - ANSWER_S, e) && e->used;
}

void errand_follow(struct pipeline *p, const struct message *m, const struct errand *e, bool anywhere)
{
	struct errand led = *e;

	led.led = anywhere;
	led.used = false;
	led.until = seconds(p) + ERRAND_WAIT_S;
	for (unsigned i = 1; i < m->names.n; i++)
		if (m->names.v[i].seen_in != SEEN_DNS_QUERY && is_listed(p, &m->names.v[i]))
			begin(p, &m->names.v[i], dns_question_type(&m->names, 0), led);
}

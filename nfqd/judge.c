/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges one message by its names, or by its address when no name is listed. A question is judged when it
 * is asked. An answer whose question was neither allowed nor refused is judged by the names that it leads
 * to, as if its client had asked for them. An answer that may pass teaches which addresses listed names
 * have.
 */
#include "judge.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/heartbeat.h"
#include "base/hops.h"
#include "decide/policy.h"
#include "errand.h"
#include "evidence.h"
#include "match/watch.h"

enum { RELAYED_WITHIN = 2, REPEATED_WITHIN = 2 /* seconds */ };

/* The message being judged, and the name that led to its names or to its address; NULL: none. */
struct judged {
	struct pipeline      *p;
	struct inspection    *in;
	const struct message *m;
	const struct name    *origin;
	struct errand         errand; /* of an answer; client.len 0: it is on none */
	struct errand        *errands; /* of a message's names, each its own, where the bit of on_errand says so */
	unsigned              on_errand;
	bool                  unknown; /* whether it is on one */
};

/* ---- records ---- */

/* Of the heartbeat, which has records of its own. */
static bool is_probe(const struct pipeline *p, const struct packet *pkt)
{
	return p->heartbeat && pkt->dst.len == 4 && heartbeat_is_responder(pkt->dst.b) &&
	       heartbeat_is_prober(pkt->src.b);
}

/* Who asked whoever sent this name; of several questions in a message each may have come from another client. */
static struct event_client client_of(const struct judged *j, const struct name *name)
{
	struct event_client c = { .ifin = 0 };

	for (unsigned i = 0; j->on_errand >> i; i++) {
		const struct errand *e = &j->errands[i];

		if (!(j->on_errand >> i & 1) || name != &j->m->names.v[i])
			continue;
		c = (struct event_client){ .addr = e->client, .has_mac = e->has_mac, .ifin = e->ifin };
		memcpy(c.mac, e->mac, sizeof(c.mac));
	}
	return c;
}

static void record(const struct judged *j, const struct name *name, uint16_t dns_type,
                   const struct decision *d, enum sent sent)
{
	struct pipeline     *p = j->p;
	const struct packet *pkt = j->m->pkt;
	/* A and AAAA of one name are two questions */
	uint64_t     kind = (uint64_t)dns_type << 8 | name->seen_in;
	uint32_t     hash = (uint32_t)hash64(name->text, name->len, kind);
	struct event e = { .ts = p->now, .rs = p->rules, .src = pkt->src, .dst = pkt->dst,
		           .sport = pkt->sport, .dport = pkt->dport, .proto = pkt->proto,
		           .has_mac = pkt->has_mac, .ifin = pkt->ifin, .ifout = pkt->ifout,
		           .file = p->raw->file, .number = p->raw->number,
		           .sent = (uint8_t)sent, .listed = d->match.n > 0,
		           .dns_type = dns_type, .name = *name, .decision = *d };

	if (is_probe(p, pkt)) {
		count_add(p->count, COUNT_probes, 1);
		return;
	}
	if (!conn_record_once(j->in, hash))
		return;
	if (j->origin)
		e.origin = *j->origin;
	e.flow_id = conn_id(j->in);
	e.client = client_of(j, name);
	memcpy(e.mac, pkt->mac, sizeof(e.mac));
	e.mac_shared = p->hops && e.has_mac && hops_is_shared(p->hops, e.mac);
	event_describe(&e, &j->m->names);
	evidence_take(p, j->m, &e);
	count_add(p->count, p->emit(p->emit_ctx, &e) ? COUNT_records : COUNT_records_lost, 1);
}

/* ---- decisions ---- */

static void ask_policies(const struct pipeline *p, const struct packet *pkt, const struct match *m,
                         struct decision *d)
{
	struct client client = { .addr = pkt->src, .mac = pkt->has_mac ? pkt->mac : NULL,
		                 .self = !pkt->ifin && !p->copies };

	client.iface = pkt->ifin && p->ifname ? p->ifname(p->emit_ctx, pkt->ifin) : NULL;
	policy_decide(p->rules, m, &client, pkt->proto, pkt->dport,
	              policy_present(p->rules, (int64_t)(p->now / NS_PER_S)), d);
	if (p->copies && action_blocks(d->action))
		d->action = ACTION_LOG;
}

static void decide(struct pipeline *p, const struct packet *pkt, const struct match *m, struct decision *d)
{
	if (m->n == 0) {
		*d = (struct decision){ .hit = -1, .policy = -1, .stage = -1, .exception = -1,
			                .match = *m };
		return;
	}
	ask_policies(p, pkt, m, d);
	if (d->match.n == 0)
		return;
	count_add(p->count, COUNT_matches, 1);
	if (action_blocks(d->would) && !action_blocks(d->action))
		count_add(p->count, COUNT_would_reject, 1);
}

/* "pack/rule" of the hit that decided, shown to the client. */
static void why_text(const struct pipeline *p, const struct decision *d, char *out, size_t room)
{
	const struct ruleset *rs = p->rules;
	const struct rs_rule *rule = &rs->rules[d->match.hits[d->hit].rule];

	snprintf(out, room, "%s/%s", rs_text(rs, rs->packs[rule->pack].id), rs_text(rs, rule->id));
}

static struct verdict refuse(struct pipeline *p, const struct message *m, const struct decision *d,
                             enum sent *sent)
{
	char              why[160];
	struct raw_packet raw = *p->raw;
	struct act_on     on = { .raw = &raw, .pkt = m->pkt, .names = &m->names, .message = m->bytes,
		                 .peer_next = m->peer_next, .why = why, .answer = m->from_server,
		                 .begun = m->begun };
	struct verdict v;

	/* seen from the client's side, as the message is */
	raw.ifin = m->pkt->ifin;
	raw.ifout = m->pkt->ifout;
	raw.has_mac = m->pkt->has_mac;
	memcpy(raw.mac, m->pkt->mac, sizeof(raw.mac));
	why_text(p, d, why, sizeof(why));
	v = act_apply(&p->inject, d, &on, sent);
	count_add(p->count, d->action == ACTION_DROP ? COUNT_dropped : COUNT_rejected, 1);
	return v;
}

/* Does the message name a host? An address in place of a name, as in http://192.0.2.1/, is not one. */
static bool names_host(const struct names *names)
{
	struct addr a;

	for (unsigned i = 0; i < names->n; i++)
		if (addr_parse(names->v[i].text, &a) < 0)
			return true;
	return false;
}

/* An address that was learned for a listed name comes first: it tells more than the network does.
 * *learned_for receives the name. */
static bool match_address(const struct judged *j, struct name *learned_for, struct match *m)
{
	const struct pipeline *p = j->p;
	const struct packet   *pkt = j->m->pkt;
	bool                   named = names_host(&j->m->names);

	learned_for->len = 0;
	if (!named && watch_match(p->watch, p->rules, &pkt->dst, pkt->proto, pkt->dport, p->now, learned_for,
	                          m))
		return true;
	learned_for->len = 0;
	ruleset_match_addr(p->rules, &pkt->dst, pkt->proto, pkt->dport, named, m);
	return m->n > 0;
}

/* The address as a name, for its record. */
static struct name address_name(const struct addr *a)
{
	struct name where = { .seen_in = SEEN_ADDRESS };

	addr_text(a, where.text);
	where.len = (uint16_t)strlen(where.text);
	return where;
}

static uint64_t question_hash(const struct pipeline *p, const struct names *names)
{
	return hash64(names->v[0].text, names->v[0].len, p->watch->seed ^ names->dns.qtype[0]);
}

static uint32_t seconds(const struct pipeline *p)
{
	return (uint32_t)(p->now / NS_PER_S);
}

/*
 * A validating resolver takes our refusal for the forgery that it is and asks again at once (unbound five
 * times): one look-up makes one record. Only such resolvers set DO.
 */
static bool is_repeated(const struct pipeline *p, const struct message *m)
{
	const struct addr *src = &m->pkt->src;
	uint64_t           hash;

	if (!p->asked || m->from_server || !dns_wants_signatures(&m->names))
		return false;
	hash = question_hash(p, &m->names) ^ hash64(src, sizeof(*src), p->watch->seed);
	if (recent_has(p->asked, hash, seconds(p)))
		return true;
	recent_put(p->asked, hash, seconds(p) + REPEATED_WITHIN);
	return false;
}

/* What cannot be known of a connection, by reason. */
static void count_uninspectable(const struct judged *j)
{
	const struct names *names = &j->m->names;
	struct counters    *c = j->p->count;

	if (j->m->from_server || !j->m->row)
		return;
	count_add(c, COUNT_nameless, names->n == 0);
	if (!tls_has_ech(names))
		return;
	count_add(c, COUNT_ech, 1);
	count_add(c, COUNT_ech_hidden, tls_is_hidden(names));
}

/* The i-th name by its own. */
static void judge_name(struct judged *j, unsigned i, struct decision *d)
{
	const struct names *names = &j->m->names;
	struct match        m = { .n = 0 };
	enum errand_state   state;

	/* the questions in an answer were judged when they were asked */
	if ((!j->m->from_server || names->v[i].seen_in != SEEN_DNS_QUERY) && !dns_is_about_keys(names, i))
		ruleset_match_name(j->p->rules, &names->v[i], &m);
	decide(j->p, j->m->pkt, &m, d);
	if (!action_blocks(d->action))
		return;
	state = errand_judge(j->p, j->m, i, &m, d, &j->errands[i]);
	j->unknown |= state == ERRAND_UNKNOWN;
	if (state == ERRAND_PASSES || state == ERRAND_ELSEWHERE)
		j->on_errand |= 1U << i;
}

static void count_questions(const struct judged *j, bool listed)
{
	const struct names *names = &j->m->names;

	if (!names->n || names->v[0].seen_in != SEEN_DNS_QUERY || j->m->from_server)
		return;
	count_add(j->p->count, COUNT_questions, 1);
	count_add(j->p->count, COUNT_questions_unlisted, !listed);
}

static struct verdict judge_names(const struct judged *asked)
{
	struct judged               j = *asked;
	struct pipeline            *p = j.p;
	const struct names         *names = &j.m->names;
	const struct place_rights  *rights = &place_rights[j.m->place];
	struct decision             decisions[NAMES_MAX + 1], *worst = decisions;
	struct errand               errands[NAMES_MAX];
	struct match                m;
	struct name                 learned_for;
	enum sent                   sent = SENT_NOTHING;
	struct verdict              v = VERDICT_ALLOW;
	unsigned                    n = names->n;
	bool                        listed = false, by_address, repeated = false;
	/* no client asked for the names that an unlisted question leads to */
	bool all = rs_settings(p->rules)->events_all && rights->records_unlisted && !dns_is_answer(names);

	j.errands = errands;
	for (unsigned i = 0; i < n; i++) {
		judge_name(&j, i, &decisions[i]);
		listed |= decisions[i].match.n > 0;
		if (decisions[i].action > worst->action)
			worst = &decisions[i];
	}
	if (j.unknown)
		return (struct verdict){ .drop = true };
	count_questions(&j, listed);
	count_uninspectable(&j);
	count_add(p->count, COUNT_names, n);
	by_address = !listed && (n == 0 || !j.m->row->names_only) && match_address(&j, &learned_for, &m);
	if (by_address || n == 0) {
		decide(p, j.m->pkt, &m, &decisions[n]);
		worst = &decisions[n];
		by_address = decisions[n].match.n > 0;
	}
	if (by_address && learned_for.len)
		j.origin = &learned_for;
	if (action_blocks(worst->action) && rights->may_refuse) {
		v = refuse(p, j.m, worst, &sent);
		repeated = is_repeated(p, j.m);
		count_add(p->count, COUNT_repeated, repeated);
	} else if (!j.m->from_server) {
		count_add(p->count, COUNT_allowed, 1);
		/* another device on the way may have refused it */
		repeated = p->copies && action_blocks(worst->would) && is_repeated(p, j.m);
	}
	for (unsigned i = 0; i < n && !repeated; i++)
		if (decisions[i].match.n || all)
			record(&j, &names->v[i], dns_question_type(names, i), &decisions[i],
			       action_blocks(decisions[i].action) ? sent : SENT_NOTHING);
	if (by_address) {
		struct name where = address_name(&j.m->pkt->dst);

		record(&j, &where, 0, worst, sent);
	}
	for (unsigned i = 0; listed && !j.m->from_server && !verdict_refuses(v) && i < n; i++)
		if (decisions[i].match.n)
			errand_begin(p, j.m, i);
	return v;
}

/* ---- questions and answers ---- */

static bool is_listed(const struct pipeline *p, const struct names *names)
{
	struct match m = { .n = 0 };

	for (unsigned i = 0; m.n == 0 && i < names->n; i++)
		ruleset_match_name(p->rules, &names->v[i], &m);
	return m.n > 0;
}

/* An answer to this machine's own resolver, which asks on behalf of a client: it is judged on its way to
 * that client, so that the record names the client. */
static bool is_on_its_way(const struct pipeline *p, const struct message *m)
{
	return p->asked && m->pkt->ifout && !m->pkt->ifin &&
	       recent_has(p->asked, question_hash(p, &m->names), seconds(p));
}

static void learn(struct pipeline *p, const struct message *m)
{
	if (watch_learn(p->watch, p->rules, &m->names, &m->pkt->dst, WATCH_MIN, p->now) && p->learned)
		p->learned(p->emit_ctx);
}

/*
 * Was a listed question decided for good when it was asked? Yes if it is to be refused, even where an
 * exception or the mode lets it pass, and if an entry or a policy allows it. A question that is only
 * recorded, or that no policy covers, does not open what it leads to; nor does an `allow` that protects
 * only names of its own pack.
 */
static bool is_settled(const struct pipeline *p, const struct decision *d)
{
	const struct rs_rule *r = &p->rules->rules[d->match.hits[d->hit].rule];

	if (r->action == ENTRY_ALLOW)
		return r->protects == PROTECTS_ALL;
	return d->would >= ACTION_REJECT || (d->would == ACTION_ALLOW && d->policy >= 0);
}

/* May the answer lead anywhere? Yes if each of its listed questions was settled. */
static bool leads_anywhere(const struct judged *j)
{
	const struct names *names = &j->m->names;
	bool                listed = false;

	for (unsigned i = 0; i < names->n; i++) {
		struct decision d;
		struct match    m;

		if (names->v[i].seen_in != SEEN_DNS_QUERY)
			continue;
		ruleset_match_name(j->p->rules, &names->v[i], &m);
		if (m.n == 0)
			continue;
		if (j->errand.client.len)
			errand_ask_policies(j->p, &j->errand, j->m->pkt, &m, &d);
		else
			ask_policies(j->p, j->m->pkt, &m, &d);
		if (d.match.n == 0)
			continue;
		if (!is_settled(j->p, &d))
			return false;
		listed = true;
	}
	return listed;
}

static struct verdict judge_answer(struct judged *j)
{
	struct verdict v = VERDICT_PASS;

	bool           errand = errand_answered(j->p, j->m, &j->errand);

	if (errand && j->m->pkt->ifout && !j->m->pkt->ifin) { /* to the resolver that asked */
		errand_follow(j->p, j->m, &j->errand, leads_anywhere(j));
		return v;
	}
	j->errand = (struct errand){ .until = 0 };
	j->origin = &j->m->names.v[0];
	if (!is_on_its_way(j->p, j->m) && !leads_anywhere(j))
		v = rs_settings(j->p->rules)->mode == MODE_OFF ? VERDICT_ALLOW : judge_names(j);
	if (!verdict_refuses(v) && !errand)
		learn(j->p, j->m);
	return v;
}

struct verdict judge(struct pipeline *p, struct inspection *in, const struct message *m)
{
	struct judged j = { .p = p, .in = in, .m = m };

	if (place_rights[m->place].only_listed && !is_listed(p, &m->names))
		return VERDICT_PASS;
	count_add(p->count, COUNT_unknown, !m->row);
	if (dns_is_answer(&m->names))
		return judge_answer(&j);
	if (p->asked && m->pkt->ifin && m->names.n && m->names.v[0].seen_in == SEEN_DNS_QUERY)
		recent_put(p->asked, question_hash(p, &m->names), seconds(p) + RELAYED_WITHIN);
	return rs_settings(p->rules)->mode == MODE_OFF ? VERDICT_ALLOW : judge_names(&j);
}

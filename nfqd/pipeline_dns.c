/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS messages. A question is judged by its names. The answer to one that nobody lists is judged by the
 * names that it leads to, as if its client had asked for them. An answer that may pass tells which
 * addresses listed names have.
 */
#include "pipeline_private.h"

#include <netinet/in.h>

#include "base/clock.h"
#include "match/watch.h"

enum { RELAYED_WITHIN = 2 /* seconds */ };

static uint64_t question_hash(const struct pipeline *p, const struct names *names)
{
	return hash64(names->v[0].text, names->v[0].len, p->watch->seed ^ names->dns.qtype[0]);
}

static uint32_t seconds(const struct pipeline *p)
{
	return (uint32_t)(p->now / NS_PER_S);
}

/* An answer for this machine's own resolver, which a client waits for: it is judged when it goes to
 * that client, so that the record names who asked. */
static bool is_on_its_way(const struct pipeline *p, const struct judged *reply)
{
	return p->asked && reply->raw->ifin && !reply->raw->ifout &&
	       recent_has(p->asked, question_hash(p, &reply->names), seconds(p));
}

/* Then it was decided when it was asked, and what was let through may lead where it wants. */
static bool is_question_listed(const struct pipeline *p, const struct names *names)
{
	struct match m = { .n = 0 };

	for (unsigned i = 0; m.n == 0 && i < names->n; i++)
		if (names->v[i].seen_in == SEEN_DNS_QUERY)
			ruleset_match_name(p->rules, &names->v[i], &m);
	return m.n > 0;
}

/* The answer seen from its client: the addresses, the flow and the sequence numbers of a question. */
static struct verdict judge_answer(struct pipeline *p, struct judged *j)
{
	const struct raw_packet *reply_raw = j->raw;
	struct packet           *reply = j->pkt;
	struct flow             *flow = j->flow;
	struct raw_packet        raw;
	struct packet            pkt;
	struct verdict           v;

	pipeline_turn(j, &raw, &pkt);
	raw.has_mac = false; /* the sender's */
	j->raw = &raw;
	j->pkt = &pkt;
	j->flow = NULL;
	j->answer = true;
	j->begun = pkt.proto == IPPROTO_TCP && flow->stream;
	j->origin = &j->names.v[0];
	v = pipeline_judge(p, j);
	j->raw = reply_raw;
	j->pkt = reply;
	j->flow = flow;
	return v;
}

static void learn(struct pipeline *p, const struct judged *reply)
{
	if (watch_learn(p->watch, p->rules, &reply->names, &reply->pkt->src, WATCH_MIN, p->now) &&
	    p->learned)
		p->learned(p->emit_ctx);
}

struct verdict pipeline_dns(struct pipeline *p, struct judged *j)
{
	struct verdict v = VERDICT_PASS;

	if (!dns_is_answer(&j->names)) {
		if (p->asked && j->raw->ifin)
			recent_put(p->asked, question_hash(p, &j->names), seconds(p) + RELAYED_WITHIN);
		return pipeline_judge(p, j);
	}
	if (!is_on_its_way(p, j) && !is_question_listed(p, &j->names))
		v = judge_answer(p, j);
	if (!v.drop && !v.replaced.n && v.state != STATE_REJECTED)
		learn(p, j);
	return v;
}

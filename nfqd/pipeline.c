/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One packet's way through the rooms (pipeline.h tells the story): decoding, then the steps of its
 * transport (pipeline_udp.c, pipeline_tcp.c), and what these share: judging the names of a message,
 * recording, refusing, remembering the decision.
 */
#include "pipeline_private.h"

#include <errno.h>
#include <netinet/in.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/hash.h"
#include "decide/policy.h"
#include "match/watch.h"
#include "reassemble/fragment.h"

enum { DECOY_HOPS = 12 }; /* what clients send with 64 and more has this left at a router of theirs */

const char *const counter_names[] = {
#define X(id, text) #id,
	COUNTERS(X)
#undef X
};

const char *const counter_texts[] = {
#define X(id, text) text,
	COUNTERS(X)
#undef X
};

int pipeline_init(struct pipeline *p, uint32_t max_flows, uint32_t max_streams)
{
	p->flows = flow_table_new(max_flows, max_streams);
	p->fragments = fragments_new();
	if (p->flows && p->fragments)
		return 0;
	pipeline_fini(p);
	return -ENOMEM;
}

void pipeline_fini(struct pipeline *p)
{
	flow_table_free(p->flows);
	fragments_free(p->fragments);
	p->flows = NULL;
	p->fragments = NULL;
}

void pipeline_exception(struct pipeline *p, struct judged *j, enum fault what)
{
	static _Thread_local struct diag_rate rate[FAULT_N];
	const struct packet                  *pkt = j->pkt;
	enum counter                          counter = COUNT_fault_decode + what;
	bool                                  drop = rs_settings(p->rules)->drop >> what & 1;
	char                                  src[ADDR_TEXT], dst[ADDR_TEXT];

	j->dropped |= drop;
	count_add(p->count, counter, 1);
	if (!diag_may(&rate[what], p->now))
		return;
	addr_text(&pkt->src, src);
	addr_text(&pkt->dst, dst);
	diag_info("packet", "%s, %s: %s port %u to %s port %u", counter_texts[counter],
	          drop ? "dropped" : "passed", src, pkt->sport, dst, pkt->dport);
}

struct flow *pipeline_flow(struct pipeline *p, struct judged *j)
{
	bool evicted = false;

	if (!j->flow)
		j->flow = flow_table_get(p->flows, j->pkt, p->now, &evicted);
	if (evicted)
		pipeline_exception(p, j, FAULT_flows_full);
	return j->flow;
}

void pipeline_stream(struct pipeline *p, struct judged *j, uint32_t seq, bool anchored)
{
	enum flow_room  room;
	struct flow    *f = pipeline_flow(p, j);

	flow_need_stream(p->flows, f, seq, anchored, &room);
	if (room != FLOW_ROOM)
		pipeline_exception(p, j, room == FLOW_ROOM_OF_SOURCE ? FAULT_source_streams : FAULT_streams_full);
}

static void record(struct pipeline *p, struct judged *j, const struct name *name, uint16_t dns_type,
                   const struct decision *d, enum sent sent)
{
	const struct raw_packet *raw = j->raw;
	const struct packet     *pkt = j->pkt;
	struct flow             *f = pipeline_flow(p, j);
	/* A and AAAA of one name are two questions */
	uint64_t     kind = (uint64_t)dns_type << 8 | name->seen_in;
	uint32_t     hash = (uint32_t)hash64(name->text, name->len, kind);
	struct event e = { .ts = p->now, .rs = p->rules, .src = pkt->src, .dst = pkt->dst,
		           .sport = pkt->sport, .dport = pkt->dport, .proto = pkt->proto,
		           .has_mac = raw->has_mac, .ifin = raw->ifin, .ifout = raw->ifout,
		           .app = j->names.app, .sent = (uint8_t)sent, .listed = d->match.n > 0,
		           .dns_type = dns_type, .name = *name, .decision = *d };

	if (!flow_record_once(f, hash, p->now))
		return;
	if (j->origin)
		e.origin = *j->origin;
	e.flow_id = f->id;
	memcpy(e.mac, raw->mac, sizeof(e.mac));
	if (e.app == APP_DNS) {
		e.dns.id = j->names.dns.id;
		e.dns.ech = j->names.dns.ech;
	} else if (e.app == APP_TLS || e.app == APP_QUIC) {
		tls_describe(&j->names, &e.tls);
	} else if (e.app == APP_HTTP || e.app == APP_HTTP2) {
		e.http = j->names.http;
	}
	count_add(p->count, p->emit(p->emit_ctx, &e) ? COUNT_records : COUNT_records_lost, 1);
}

static void decide(struct pipeline *p, const struct judged *j, const struct match *m,
                   struct decision *d)
{
	const struct raw_packet *raw = j->raw;
	struct client client = { .addr = j->pkt->src, .mac = raw->has_mac ? raw->mac : NULL };

	if (m->n == 0) {
		*d = (struct decision){ .hit = -1, .policy = -1, .stage = -1, .exception = -1,
			                .match = *m };
		return;
	}
	client.iface = raw->ifin && p->ifname ? p->ifname(p->emit_ctx, raw->ifin) : NULL;
	policy_decide(p->rules, m, &client, j->pkt->proto, j->pkt->dport,
	              policy_present(p->rules, (int64_t)(p->now / NS_PER_S)), d);
	count_add(p->count, COUNT_matches, 1);
	if (d->would >= ACTION_REJECT && d->action < ACTION_REJECT)
		count_add(p->count, COUNT_would_reject, 1);
}

/* "pack/rule" of the hit that decided, for the client's screen. */
static void why_text(const struct pipeline *p, const struct decision *d, char *out, size_t room)
{
	const struct ruleset *rs = p->rules;
	const struct rs_rule *rule = &rs->rules[d->match.hits[d->hit].rule];

	snprintf(out, room, "%s/%s", rs_text(rs, rs->packs[rule->pack].id), rs_text(rs, rule->id));
}

static struct verdict refuse(struct pipeline *p, const struct judged *j, const struct decision *d,
                             enum sent *sent)
{
	char          why[160];
	struct act_on on = { .raw = j->raw, .pkt = j->pkt, .names = &j->names,
		             .message = j->message, .peer_next = j->peer_next + j->urgents, .why = why,
		             .answer = j->answer, .begun = j->begun };
	struct verdict v;

	why_text(p, d, why, sizeof(why));
	v = act_apply(&p->inject, d, &on, sent);
	count_add(p->count, d->action == ACTION_DROP ? COUNT_dropped : COUNT_rejected, 1);
	return v;
}

/* The questions in an answer were judged when they were asked. */
static bool to_judge(const struct judged *j, const struct name *name)
{
	return !j->answer || name->seen_in != SEEN_DNS_QUERY;
}

/* What a name was asked for; of an answer's, what its question was. */
static uint16_t dns_type(const struct judged *j, unsigned i)
{
	return j->names.app == APP_DNS ? j->names.dns.qtype[j->answer ? 0 : i] : 0;
}

/* Does anything here name a host? An address in a name's place, as in http://192.0.2.1/, does not. */
static bool names_host(const struct names *names)
{
	struct addr a;

	for (unsigned i = 0; i < names->n; i++)
		if (addr_parse(names->v[i].text, &a) < 0)
			return true;
	return false;
}

/* Learned of listed names first: that tells more than whose network it is. */
static bool match_address(struct pipeline *p, struct judged *j, struct name *learned_for,
                          struct match *m)
{
	const struct packet *pkt = j->pkt;
	bool                 named = names_host(&j->names);

	if (!named && watch_match(p->watch, p->rules, &pkt->dst, pkt->proto, pkt->dport, p->now, learned_for,
	                          m)) {
		j->origin = learned_for;
		return true;
	}
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

struct verdict pipeline_judge(struct pipeline *p, struct judged *j)
{
	struct decision decisions[NAMES_MAX + 1], *worst = decisions;
	struct match    m;
	struct name     learned_for;
	enum sent       sent = SENT_NOTHING;
	struct verdict  v = VERDICT_ALLOW;
	unsigned        n = j->names.n;
	bool            listed = false, by_address;
	/* where an unlisted question leads is no name that anybody asked for */
	bool            all = rs_settings(p->rules)->events_all && !dns_is_answer(&j->names) &&
	                      !j->unfinished;

	if (rs_settings(p->rules)->mode == MODE_OFF)
		return VERDICT_ALLOW;
	for (unsigned i = 0; i < n; i++) {
		m.n = m.n_exceptions = 0;
		if (to_judge(j, &j->names.v[i]))
			ruleset_match_name(p->rules, &j->names.v[i], &m);
		decide(p, j, &m, &decisions[i]);
		listed |= m.n > 0;
		if (decisions[i].action > worst->action)
			worst = &decisions[i];
	}
	count_add(p->count, COUNT_names, n);
	by_address = !listed && (n == 0 || j->names.app != APP_DNS) && match_address(p, j, &learned_for, &m);
	if (by_address || n == 0) {
		decide(p, j, &m, &decisions[n]);
		worst = &decisions[n];
	}
	if (worst->action >= ACTION_REJECT)
		v = refuse(p, j, worst, &sent);
	else if (!j->answer)
		count_add(p->count, COUNT_allowed, 1);
	for (unsigned i = 0; i < n; i++)
		if (decisions[i].match.n || all)
			record(p, j, &j->names.v[i], dns_type(j, i), &decisions[i],
			       decisions[i].action >= ACTION_REJECT ? sent : SENT_NOTHING);
	if (by_address) {
		struct name where = address_name(&j->pkt->dst);

		record(p, j, &where, 0, worst, sent);
	}
	return v;
}

struct verdict pipeline_finish(struct pipeline *p, struct judged *j, struct verdict v)
{
	struct flow *f = pipeline_flow(p, j);

	f->from = f->stream ? f->stream->base : j->pkt->seq;
	f->to = f->from + (uint32_t)(f->stream ? stream_front(f->stream).n : j->pkt->payload.n);
	f->next = f->stream ? f->stream->base + f->stream->end : f->to;
	flow_advance(f, j->pkt->seq + (uint32_t)j->pkt->payload.n);
	flow_drop_stream(p->flows, f);
	if (j->pkt->decoy && !v.drop && v.state != STATE_REJECTED) {
		flow_begin_again(p->flows, f);
		f->again = true;
		return VERDICT_PASS;
	}
	f->decided = true;
	f->state = v.state;
	f->drop = v.drop || v.replaced.n; /* once is enough */
	return v;
}

struct verdict pipeline_finish_exception(struct pipeline *p, struct judged *j, enum fault what)
{
	pipeline_exception(p, j, what);
	return pipeline_finish(p, j, j->dropped ? VERDICT_DROP : VERDICT_ALLOW);
}

/* Neither TCP nor UDP: there is only the address to go by. */
static struct verdict judge_other(struct pipeline *p, struct judged *j)
{
	if (j->pkt->proto == IPPROTO_ICMP || j->pkt->proto == IPPROTO_ICMPV6)
		return VERDICT_PASS;
	j->flow = flow_table_find(p->flows, j->pkt);
	if (j->flow) {
		flow_touch(p->flows, j->flow, p->now);
		return (struct verdict){ .drop = j->flow->drop, .state = j->flow->state };
	}
	count_add(p->count, COUNT_unknown, 1);
	return pipeline_finish(p, j, pipeline_judge(p, j));
}

static struct verdict judge_transport(struct pipeline *p, struct judged *j)
{
	struct verdict v;

	if (j->pkt->proto == IPPROTO_TCP)
		v = pipeline_segment(p, j);
	else if (j->pkt->proto == IPPROTO_UDP)
		v = pipeline_datagram(p, j);
	else
		v = judge_other(p, j);
	/* what a resolver said, or was sent besides, cannot decide about the questions that are still to come */
	if ((j->pkt->sport == DNS_PORT || (j->pkt->dport == DNS_PORT && j->pkt->proto == IPPROTO_UDP)) &&
	    v.state == STATE_ALLOWED)
		v.state = STATE_UNDECIDED;
	return v;
}

/*
 * What is meant to be read here and by no server: it dies on its way, or a real receiver throws it away.
 * No program's own stack sends such data.
 */
static bool is_decoy(const struct packet *pkt, const struct raw_packet *raw)
{
	if (pkt->payload.n == 0 || (pkt->proto != IPPROTO_TCP && pkt->proto != IPPROTO_UDP))
		return false;
	if (pkt->hop_limit <= DECOY_HOPS || raw->kind == RAW_STRAY)
		return !addr_is_multicast(&pkt->dst);
	return pkt->proto == IPPROTO_TCP &&
	       (pkt->tcp_md5 || pkt->options || !(pkt->tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST)));
}

static struct verdict judge_packet(struct pipeline *p, struct judged *j, struct raw_packet *raw,
                                   struct packet *pkt)
{
	struct span     ip;
	enum decode_err e = decode_link(raw->link, raw->data, &ip, raw->mac, &raw->has_mac);

	if (e == DECODE_OK)
		e = decode_ip(ip, pkt);
	if (e == DECODE_FRAGMENT) {
		count_add(p->count, COUNT_fragments, 1);
		if (!fragments_add(p->fragments, pkt, p->now, &ip))
			return VERDICT_PASS;
		e = decode_transport(ip, pkt);
	}
	if (e == DECODE_NOT_IP)
		return VERDICT_PASS;
	if (e != DECODE_OK) {
		pipeline_exception(p, j, FAULT_decode);
		return VERDICT_PASS;
	}
	pkt->cut |= raw->cut;
	pkt->decoy = is_decoy(pkt, raw);
	count_add(p->count, COUNT_decoys, pkt->decoy);
	return judge_transport(p, j);
}

struct verdict pipeline_packet(struct pipeline *p, const struct raw_packet *raw)
{
	struct raw_packet seen = *raw;
	struct packet     pkt = { 0 };
	struct judged     j;
	struct verdict    v;

	memset(&j, 0, offsetof(struct judged, names));
	names_begin(&j.names, APP_NONE);
	j.raw = &seen;
	j.pkt = &pkt;
	p->now = raw->ts;
	flow_table_age(p->flows, p->now);
	v = judge_packet(p, &j, &seen, &pkt);
	if (j.dropped && v.state != STATE_REJECTED && v.state != STATE_DROPPED)
		v = (struct verdict){ .drop = true };
	count_add(p->count, COUNT_packets, 1);
	if (!v.drop && v.state == STATE_UNDECIDED)
		count_add(p->count, COUNT_passed, 1);
	return v;
}

void pipeline_after_burst(struct pipeline *p)
{
	if (p->inject.n == 0 && p->inject.failures == 0)
		return;
	injector_flush(&p->inject, p->now);
	p->inject.failures = 0;
	for (unsigned i = 0; i < INJECT_FAILURES_N; i++) {
		count_add(p->count, COUNT_answers_failed, p->inject.failed[i]);
		count_add(p->count, COUNT_answers_failed_full + i, p->inject.failed[i]);
		p->inject.failed[i] = 0;
	}
}

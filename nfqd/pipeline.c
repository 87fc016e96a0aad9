/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One packet's way through the rooms (pipeline.h tells the story). Datagrams are judged one by one.
 * TCP segments are judged as soon as the bytes that have come make a name: segments of an
 * incomplete message pass and are remembered, the one that completes it decides. A server cannot
 * answer half a message, and every retransmission meets the decision.
 */
#include "pipeline.h"

#include <errno.h>
#include <netinet/in.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/hash.h"
#include "decide/policy.h"
#include "reassemble/flow.h"
#include "reassemble/fragment.h"
#include "reassemble/quic.h"

/*
 * A start that is no protocol of ours may be the middle of a message whose beginning is still to
 * come: nothing in the queue tells where a connection starts. It is given this much patience.
 */
enum {
	UNKNOWN_BYTES = 4096,
	UNKNOWN_SEGMENTS = 16,
	UNKNOWN_DATAGRAMS = 16,
	IN_FLIGHT = 65536, /* bytes that may follow a decision on their way */
	DNS_PORT = 53
};

#define UDP_FORGOTTEN (10 * NS_PER_S) /* longer silent, and a decided flow may be another one */

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

/* What a packet is judged as: everything the steps below hand on. */
struct judged {
	const struct raw_packet *raw;
	const struct packet     *pkt;
	struct flow             *flow; /* NULL: not needed so far */
	struct names             names;
	struct span              message;
	uint32_t                 server_next;
	bool                     full; /* the segment lies beyond what is kept */
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

static const struct verdict pass = { .state = STATE_UNDECIDED };
static const struct verdict allow = { .state = STATE_ALLOWED };

/* Counts what could not be judged, says so now and then, and lets it pass. */
static void exception(struct pipeline *p, const struct packet *pkt, enum counter what)
{
	static _Thread_local struct diag_rate rate[COUNTERS_N];
	char                                  src[ADDR_TEXT], dst[ADDR_TEXT];

	count_add(p->count, what, 1);
	if (!diag_may(&rate[what], p->now))
		return;
	addr_text(&pkt->src, src);
	addr_text(&pkt->dst, dst);
	diag_info("packet", "%s: %s port %u to %s port %u", counter_texts[what], src, pkt->sport, dst,
	           pkt->dport);
}

static struct flow *need_flow(struct pipeline *p, struct judged *j)
{
	bool evicted = false;

	if (!j->flow)
		j->flow = flow_table_get(p->flows, j->pkt, p->now, &evicted);
	if (evicted)
		exception(p, j->pkt, COUNT_exc_flows_full);
	return j->flow;
}

static void record(struct pipeline *p, struct judged *j, const struct name *name, uint16_t dns_type,
                   const struct decision *d, enum sent sent)
{
	const struct raw_packet *raw = j->raw;
	const struct packet     *pkt = j->pkt;
	struct flow             *f = need_flow(p, j);
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
	e.flow_id = f->id;
	memcpy(e.mac, raw->mac, sizeof(e.mac));
	if (e.app == APP_DNS)
		e.dns.id = j->names.dns.id;
	else if (e.app == APP_TLS || e.app == APP_QUIC)
		e.tls = j->names.tls;
	else if (e.app == APP_HTTP)
		e.http = j->names.http;
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
	              (int64_t)(p->now / NS_PER_S), d);
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
		             .message = j->message, .server_next = j->server_next, .why = why };
	struct verdict v;

	why_text(p, d, why, sizeof(why));
	v = act_apply(&p->inject, d, &on, sent);
	count_add(p->count, d->action == ACTION_DROP ? COUNT_dropped : COUNT_rejected, 1);
	return v;
}

/*
 * Decides a message: every name on its own record, the strictest decision for the packet. A message
 * without a name is decided by its address.
 */
static struct verdict judge(struct pipeline *p, struct judged *j)
{
	struct decision decisions[NAMES_MAX];
	struct name     where = { .seen_in = SEEN_ADDRESS };
	struct match    m;
	enum sent       sent = SENT_NOTHING;
	struct verdict  v = allow;
	unsigned        n = j->names.n, worst = 0;
	bool            all = rs_settings(p->rules)->events_all;

	for (unsigned i = 0; i < n; i++) {
		ruleset_match_name(p->rules, &j->names.v[i], &m);
		decide(p, j, &m, &decisions[i]);
		if (decisions[i].action > decisions[worst].action)
			worst = i;
	}
	count_add(p->count, COUNT_names, n);
	if (n == 0) {
		char text[ADDR_TEXT];

		addr_text(&j->pkt->dst, text);
		name_canonical(&where, span_str(text));
		memcpy(where.text, text, strlen(text) + 1);
		where.len = (uint16_t)strlen(text);
		ruleset_match_addr(p->rules, &j->pkt->dst, j->pkt->proto, j->pkt->dport, &m);
		decide(p, j, &m, &decisions[0]);
	}
	if (decisions[worst].action >= ACTION_REJECT)
		v = refuse(p, j, &decisions[worst], &sent);
	else
		count_add(p->count, COUNT_allowed, 1);
	for (unsigned i = 0; i < n; i++)
		if (decisions[i].match.n || all)
			record(p, j, &j->names.v[i], j->names.app == APP_DNS ? j->names.dns.qtype[i] : 0,
			       &decisions[i], decisions[i].action >= ACTION_REJECT ? sent : SENT_NOTHING);
	if (n == 0 && m.n)
		record(p, j, &where, 0, &decisions[0], sent);
	return v;
}

/* Keeps the decision for packets that are already queued, and for capture files. */
static struct verdict finish(struct pipeline *p, struct judged *j, struct verdict v)
{
	struct flow *f = need_flow(p, j);

	flow_drop_stream(p->flows, f);
	f->next = j->pkt->seq + (uint32_t)j->pkt->payload.n;
	f->decided = true;
	f->state = v.state;
	f->drop = v.drop;
	return v;
}

static struct verdict finish_unknown(struct pipeline *p, struct judged *j)
{
	j->names.n = 0;
	j->names.app = APP_NONE;
	count_add(p->count, COUNT_unknown, 1);
	return finish(p, j, judge(p, j));
}

static struct verdict finish_exception(struct pipeline *p, struct judged *j, enum counter what)
{
	exception(p, j->pkt, what);
	return finish(p, j, allow);
}

/* ---- datagrams ---- */

/* Bytes of a hello are collected from as many Initials as it takes; one that cannot be opened may be
 * a decoy in front of the right one. */
static struct verdict judge_quic(struct pipeline *p, struct judged *j, uint32_t version)
{
	struct flow     *f = need_flow(p, j);
	enum quic_result r;
	enum wire_err    err = WIRE_OK;
	struct wire      w;
	bool             evicted;

	if (!flow_need_stream(p->flows, f, 0, true, &evicted))
		return finish_exception(p, j, COUNT_exc_stream_full);
	if (evicted)
		exception(p, j->pkt, COUNT_exc_stream_full);
	r = quic_datagram(f, j->pkt->payload);
	if (r == QUIC_CLOSED)
		exception(p, j->pkt, COUNT_exc_quic);
	w = wire_of(stream_front(f->stream), &err, true);
	if (r == QUIC_NEW && quic_tls_names(&w, &j->names) == WIRE_OK) {
		j->names.tls.quic = version;
		return finish(p, j, judge(p, j));
	}
	if (++f->segments >= UNKNOWN_DATAGRAMS)
		return finish_exception(p, j, COUNT_exc_quic);
	count_add(p->count, COUNT_waiting, 1);
	return pass;
}

/*
 * Decided by its address; allowed for good only after some patience: junk, or a version that is about
 * to be negotiated, may come before the datagram that names a host.
 */
static struct verdict judge_unknown_datagram(struct pipeline *p, struct judged *j)
{
	struct flow   *f = need_flow(p, j);
	struct verdict v = allow;

	if (f->segments == 0) {
		count_add(p->count, COUNT_unknown, 1);
		v = judge(p, j);
	}
	if (v.state == STATE_ALLOWED && ++f->segments < UNKNOWN_DATAGRAMS)
		return pass;
	return finish(p, j, v);
}

/* Datagrams that are judged as part of a flow: all but questions to a resolver. */
static struct verdict judge_flow(struct pipeline *p, struct judged *j)
{
	uint32_t     version;
	struct flow *f = j->flow = flow_table_find(p->flows, j->pkt);

	if (f && f->decided && p->now > f->last + UDP_FORGOTTEN)
		flow_restart(p->flows, f, p->now); /* the ports are used again */
	if (f)
		flow_touch(p->flows, f, p->now);
	if (f && f->decided)
		return (struct verdict){ .drop = f->drop, .state = f->state };
	return quic_is(j->pkt->payload, &version) ? judge_quic(p, j, version)
	                                          : judge_unknown_datagram(p, j);
}

/* Each question decides for itself: a resolver's port is never allowed for good. */
static struct verdict judge_question(struct pipeline *p, struct judged *j,
                                     const struct name_proto *row)
{
	enum wire_err  err = WIRE_OK;
	struct wire    w = wire_of(j->pkt->payload, &err, false);
	struct verdict v;

	j->message = j->pkt->payload;
	if (row->names(&w, &j->names) == WIRE_BAD)
		exception(p, j->pkt, j->pkt->cut ? COUNT_exc_cut : COUNT_exc_parse);
	if (j->names.n == 0)
		return pass;
	v = judge(p, j);
	if (v.state == STATE_ALLOWED)
		v.state = STATE_UNDECIDED;
	return v;
}

static struct verdict judge_datagram(struct pipeline *p, struct judged *j)
{
	const struct name_proto *row;

	if (name_proto_find(L4_UDP, j->pkt->dport, j->pkt->payload, false, &row) == WIRE_OK)
		return judge_question(p, j, row);
	return j->pkt->dport == DNS_PORT ? pass : judge_flow(p, j);
}

/* ---- TCP ---- */

/* Remembers bytes of a message that is not complete. Returns false when there is no room. */
static bool remember(struct pipeline *p, struct judged *j, uint32_t seq, struct span bytes)
{
	struct flow *f = need_flow(p, j);
	bool         evicted;

	if (!f->stream)
		f->begun_at_ack = j->pkt->ack;
	if (!flow_need_stream(p->flows, f, seq, f->anchored, &evicted))
		return false;
	if (evicted)
		exception(p, j->pkt, COUNT_exc_stream_full);
	return stream_add(f->stream, seq, bytes) != STREAM_FULL;
}

/* The server has answered since bytes were remembered: it has seen the beginning and took it for
 * something. */
static bool answered(const struct judged *j)
{
	return j->flow->stream && j->flow->begun_at_ack != j->pkt->ack;
}

/* Bytes that may still turn out to be the middle of something: passed, remembered, bounded. */
static struct verdict wait_for_start(struct pipeline *p, struct judged *j, struct span front)
{
	struct flow *f = need_flow(p, j);
	bool         hole = f->stream && f->stream->end > front.n;

	if (f->anchored || answered(j) || front.n >= UNKNOWN_BYTES ||
	    (!hole && ++f->segments >= UNKNOWN_SEGMENTS))
		return finish_unknown(p, j);
	if (!f->stream && !remember(p, j, j->pkt->seq, j->pkt->payload))
		return finish_unknown(p, j);
	count_add(p->count, COUNT_waiting, 1);
	return pass;
}

/* The message at the front is incomplete: at is its offset in front. */
static struct verdict wait_for_rest(struct pipeline *p, struct judged *j, struct span front, size_t at)
{
	struct flow *f = need_flow(p, j);

	if (front.n - at >= STREAM_MAX)
		return finish_exception(p, j, COUNT_exc_hello_size);
	if (f->stream) {
		if (at > 0)
			stream_consume(f->stream, at);
	} else {
		f->anchored |= at > 0;
		if (!remember(p, j, j->pkt->seq + (uint32_t)at, span_of(front.p + at, front.n - at)))
			return finish_exception(p, j, COUNT_exc_stream_full);
	}
	count_add(p->count, COUNT_waiting, 1);
	return pass;
}

/* Several messages follow each other on one connection: judge each, keep what is left over. */
static struct verdict judge_messages(struct pipeline *p, struct judged *j, struct span front)
{
	struct flow *f = need_flow(p, j);
	size_t       at = 0;

	while (at < front.n) {
		enum wire_err  err = WIRE_OK, r;
		struct wire    w = wire_of(span_of(front.p + at, front.n - at), &err, true);
		struct verdict v;

		j->names.n = 0;
		r = f->row->names(&w, &j->names);
		if (r == WIRE_MORE)
			return wait_for_rest(p, j, front, at);
		j->message = span_of(front.p + at + 2, (size_t)(w.pos - front.p) - at - 2);
		at = (size_t)(w.pos - front.p);
		if (r == WIRE_BAD)
			exception(p, j->pkt, COUNT_exc_parse);
		if (j->names.n == 0) /* no question, or damaged: the next message may be one */
			continue;
		v = judge(p, j);
		if (v.drop || v.state == STATE_REJECTED)
			return finish(p, j, v);
	}
	f->anchored = true;
	f->next = (f->stream ? f->stream->base : j->pkt->seq) + (uint32_t)at;
	if (f->stream && f->stream->end > at)
		stream_consume(f->stream, at); /* there is more behind a hole */
	else
		flow_drop_stream(p->flows, f);
	return pass;
}

/* The first message decides the connection. */
static struct verdict judge_first(struct pipeline *p, struct judged *j, const struct name_proto *row,
                                  struct span front)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(front, &err, true);
	bool          anchored = need_flow(p, j)->anchored;

	switch (row->names(&w, &j->names)) {
	case WIRE_OK: return finish(p, j, judge(p, j));
	case WIRE_MORE: return wait_for_rest(p, j, front, 0);
	case WIRE_NONE: return wait_for_start(p, j, front);
	default: /* damaged, or a piece from the middle that only looks like a beginning */
		if (j->names.n)
			return finish(p, j, judge(p, j));
		return anchored ? finish_exception(p, j, COUNT_exc_parse)
		                : wait_for_start(p, j, front);
	}
}

/*
 * The bytes to read: the segment itself where it stands alone (the usual case, nothing is copied),
 * else the front of the stream with the segment put in. n == 0: nothing new to read.
 */
static struct span front_of(struct pipeline *p, struct judged *j)
{
	const struct packet *pkt = j->pkt;
	struct flow         *f = j->flow;

	j->server_next = pkt->seq;
	if (!f || (!f->stream && (!f->anchored || f->next == pkt->seq)))
		return pkt->payload;
	if (f->stream) {
		uint32_t have = (uint32_t)stream_front(f->stream).n;

		if (pkt->seq - f->stream->base <= have)
			j->server_next = f->stream->base + have;
	}
	if (!f->stream && !remember(p, j, f->next, span_of(NULL, 0)))
		return pkt->payload;

	uint32_t        base = f->stream->base;
	enum stream_add added = stream_add(f->stream, pkt->seq, pkt->payload);

	j->full = added == STREAM_FULL;
	if (added != STREAM_OK)
		return span_of(NULL, 0);
	if (f->stream->base != base) /* a lower start turned up: the stream is out of order */
		f->segments = 0;
	if (f->stream->conflict) {
		f->stream->conflict = false;
		exception(p, pkt, COUNT_exc_overlap);
	}
	return stream_front(f->stream);
}

/*
 * The queue shows no SYN: a connection that uses the ports of an earlier one again is told by its
 * sequence numbers. What was in flight when the earlier one was decided lies close behind it.
 */
static bool is_another(const struct flow *f, const struct packet *pkt)
{
	int32_t ahead = (int32_t)(pkt->seq - f->next);

	return f->decided && !f->syn_seen && (ahead > IN_FLIGHT || ahead < -IN_FLIGHT);
}

static struct verdict judge_segment(struct pipeline *p, struct judged *j)
{
	const struct packet     *pkt = j->pkt;
	const struct name_proto *row;
	struct span              front;

	j->flow = flow_table_find(p->flows, pkt);
	if (j->flow)
		flow_touch(p->flows, j->flow, p->now);
	if (pkt->tcp_flags & TCP_SYN) { /* data in it: RFC 7413 */
		if (pkt->tcp_flags & TCP_ACK)
			return pass;
		flow_restart(p->flows, need_flow(p, j), p->now);
		j->flow->syn_seen = j->flow->anchored = true;
		j->flow->next = pkt->seq;
	}
	if (pkt->payload.n == 0 || (pkt->tcp_flags & TCP_RST))
		return pass;
	if (j->flow && is_another(j->flow, pkt))
		flow_restart(p->flows, j->flow, p->now);
	if (j->flow && j->flow->decided) {
		j->flow->next = pkt->seq + (uint32_t)pkt->payload.n;
		return (struct verdict){ .drop = j->flow->drop, .state = j->flow->state };
	}
	if (pkt->cut)
		exception(p, pkt, COUNT_exc_cut);
	front = front_of(p, j);
	if (j->full) { /* no server takes it while the beginning is missing */
		if (answered(j))
			return finish_exception(p, j, COUNT_exc_hello_size);
		exception(p, pkt, COUNT_exc_window);
		return pass;
	}
	if (front.n == 0)
		return pass;
	row = j->flow ? j->flow->row : NULL;
	if (!row) {
		switch (name_proto_find(L4_TCP, pkt->dport, front, true, &row)) {
		case WIRE_OK: break;
		case WIRE_MORE: return wait_for_rest(p, j, front, 0);
		default: return wait_for_start(p, j, front);
		}
	}
	if (row->one_per_flow)
		return judge_first(p, j, row, front);
	need_flow(p, j)->row = row;
	return judge_messages(p, j, front);
}

static struct verdict judge_packet(struct pipeline *p, const struct raw_packet *raw)
{
	struct raw_packet seen = *raw;
	struct packet     pkt = { 0 };
	struct judged     j = { .raw = &seen, .pkt = &pkt };
	struct span       ip;
	enum decode_err   e = decode_link(raw->link, raw->data, &ip, seen.mac, &seen.has_mac);

	if (e == DECODE_OK)
		e = decode_ip(ip, &pkt);
	if (e == DECODE_FRAGMENT) {
		count_add(p->count, COUNT_fragments, 1);
		if (!fragments_add(p->fragments, &pkt, p->now, &ip))
			return pass;
		e = decode_transport(ip, &pkt);
	}
	if (e == DECODE_NOT_IP)
		return pass;
	if (e != DECODE_OK) {
		exception(p, &pkt, COUNT_exc_decode);
		return pass;
	}
	pkt.cut |= raw->cut;
	if (pkt.proto == IPPROTO_TCP)
		return judge_segment(p, &j);
	if (pkt.proto == IPPROTO_UDP)
		return judge_datagram(p, &j);
	return pass;
}

struct verdict pipeline_packet(struct pipeline *p, const struct raw_packet *raw)
{
	struct verdict v;

	p->now = raw->ts;
	flow_table_age(p->flows, p->now);
	v = judge_packet(p, raw);
	count_add(p->count, COUNT_packets, 1);
	if (!v.drop && v.state == STATE_UNDECIDED)
		count_add(p->count, COUNT_passed, 1);
	return v;
}

void pipeline_after_burst(struct pipeline *p)
{
	if (p->inject.n == 0 && p->inject.failed == 0)
		return;
	injector_flush(&p->inject);
	count_add(p->count, COUNT_answers_failed, p->inject.failed);
	p->inject.failed = 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The path of one packet through the rooms (pipeline.h tells the story): the packet is decoded, its
 * messages are read and judged, and its connection is settled. judge.c judges a message.
 */
#include "pipeline.h"

#include <errno.h>
#include <netinet/in.h>

#include "base/diag.h"
#include "base/hops.h"
#include "base/steered.h"
#include "inspect/inspect.h"
#include "judge.h"
#include "reassemble/fragment.h"

#define SAYS(id, word, says) [id] = says,

enum { DECOY_HOPS = 12 }; /* what clients send with 64 and more has this left at a router of theirs */

int pipeline_init(struct pipeline *p, uint32_t max_conns, uint32_t max_streams)
{
	p->conns = conns_new(max_conns, max_streams);
	p->fragments = fragments_new();
	if (p->conns && p->fragments)
		return 0;
	pipeline_fini(p);
	return -ENOMEM;
}

size_t pipeline_kept_size(uint32_t max_conns)
{
	return conns_kept_size(max_conns);
}

void pipeline_keep(struct pipeline *p, void *memory)
{
	conns_keep(p->conns, memory);
}

void pipeline_fini(struct pipeline *p)
{
	conns_free(p->conns);
	fragments_free(p->fragments);
	p->conns = NULL;
	p->fragments = NULL;
}

/* What the site does for this fault: nothing when it blocks nothing. */
static enum fault_action action_on(const struct pipeline *p, enum fault what)
{
	const struct rs_settings *s = rs_settings(p->rules);

	return s->mode == MODE_ENFORCE ? (enum fault_action)s->on_fault[what] : ON_FAULT_PASS;
}

/* The severest of that, for the faults that decide about the packet. */
static enum fault_action action_on_all(const struct pipeline *p, const struct inspection *in)
{
	enum fault_action worst = ON_FAULT_PASS;

	/* mostly there are none */
	for (uint32_t i = 0, left = conn_deciding_faults(in); left; i++, left >>= 1)
		if (left & 1 && action_on(p, i) > worst)
			worst = action_on(p, i);
	return worst;
}

/* Counts a fault and reports it, rate-limited. */
static void note_fault(struct pipeline *p, const struct packet *pkt, enum fault what, unsigned n)
{
	static const char *const says[] = { FAULT_ACTIONS(SAYS) };
	static _Thread_local struct diag_rate rate[FAULT_N];
	enum counter                          counter = COUNT_fault_decode + what;
	char                                  src[ADDR_TEXT], dst[ADDR_TEXT];

	count_add(p->count, counter, n);
	if (!diag_may(&rate[what], p->now))
		return;
	addr_text(&pkt->src, src);
	addr_text(&pkt->dst, dst);
	diag_info("packet", "%s, %s%s: %s port %u to %s port %u", counter_texts[counter], says[action_on(p, what)],
	          action_on(p, what) == rs_settings(p->rules)->on_fault[what] ? "" : " in this mode", src, pkt->sport,
	          dst, pkt->dport);
}

/* ---- decoding ---- */

/*
 * Packets meant for an inspecting device and not for the server: they expire on the way, or a real receiver
 * discards them. No ordinary TCP/IP stack sends such data.
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

static enum decode_err decode(struct pipeline *p, const struct raw_packet *raw, struct packet *pkt)
{
	uint8_t         mac[6];
	bool            has_mac = raw->has_mac;
	struct span     ip;
	enum decode_err e;

	memcpy(mac, raw->mac, sizeof(mac));
	e = decode_link(raw->link, raw->data, &ip, mac, &has_mac);
	p->ip = e == DECODE_OK ? ip : span_of(NULL, 0);
	if (e == DECODE_OK)
		e = decode_ip(ip, pkt);
	if (e == DECODE_FRAGMENT) {
		count_add(p->count, COUNT_fragments, 1);
		if (fragments_add(p->fragments, pkt, p->now, &ip))
			e = decode_transport(ip, pkt);
	}
	p->payload = pkt->payload;
	pkt->cut |= raw->cut;
	pkt->ifin = raw->ifin;
	pkt->ifout = raw->ifout;
	pkt->has_mac = has_mac;
	memcpy(pkt->mac, mac, sizeof(pkt->mac));
	if (p->hops && has_mac && e == DECODE_OK)
		hops_note(p->hops, mac, &pkt->src, p->now);
	pkt->reply = raw->kind == RAW_REPLY;
	pkt->decoy = e == DECODE_OK && is_decoy(pkt, raw);
	count_add(p->count, COUNT_decoys, pkt->decoy);
	return e;
}

/* ---- the connection ---- */

/*
 * Of a connection that cannot be judged: where hellos are expected its client may be told to try again. Elsewhere
 * that would end what no server name is to be expected of. What a dead worker had half read is told of questions,
 * requests and QUIC, too.
 */
static bool may_reset(const struct packet *pkt, const struct inspection *in)
{
	bool rest = conn_deciding_faults(in) >> FAULT_worker_died & 1;

	if (rest && (pkt->dport == PORT_DNS || pkt->dport == PORT_HTTP))
		return true;
	return (rest || pkt->proto == IPPROTO_TCP) && (pkt->dport == PORT_HTTPS || pkt->dport == PORT_DOT);
}

static struct verdict reset(struct pipeline *p, const struct packet *pkt, const struct inspection *in)
{
	struct act_on on = { .raw = p->raw, .pkt = pkt, .peer_next = conn_peer_next(in) };

	count_add(p->count, COUNT_resets, 1);
	if (pkt->proto != IPPROTO_TCP)
		return (struct verdict){ .state = STATE_REJECTED };
	return act_reset(&p->inject, &on);
}

/* The packet's verdict when none of its messages is refused. */
static struct verdict verdict_of(struct pipeline *p, const struct packet *pkt, const struct inspection *in)
{
	static const struct verdict verdicts[OUTCOMES] = {
		[OUTCOME_OPEN] = { .state = STATE_UNDECIDED },
		[OUTCOME_WAITS] = { .state = STATE_UNDECIDED },
		[OUTCOME_ALLOWED] = { .state = STATE_ALLOWED },
		[OUTCOME_ASK_SERVER] = { .state = STATE_WANT_REPLIES },
		[OUTCOME_FAULT] = { .state = STATE_ALLOWED },
	};
	enum outcome outcome = conn_outcome(in);
	struct fate  fate = conn_fate(in);

	if (outcome == OUTCOME_SETTLED)
		return (struct verdict){ .drop = fate.drop, .state = fate.state };
	if (outcome == OUTCOME_FAULT && action_on_all(p, in) == ON_FAULT_DROP)
		return (struct verdict){ .drop = true, .state = STATE_DROPPED };
	if (outcome == OUTCOME_FAULT && action_on_all(p, in) == ON_FAULT_RESET && may_reset(pkt, in))
		return reset(p, pkt, in);
	return verdicts[outcome];
}

/* v: what judge() said about the message read last. */
static struct verdict settle(struct pipeline *p, const struct packet *pkt, struct inspection *in, struct verdict v)
{
	bool        refused = verdict_refuses(v);
	struct fate fate;

	if (!refused)
		v = verdict_of(p, pkt, in);
	if (!refused && conn_outcome(in) == OUTCOME_SETTLED)
		return v;
	fate = (struct fate){ .state = v.state, .drop = v.drop || v.replaced.n }; /* only the first packet is
										   * replaced */
	count_add(p->count, COUNT_waiting, !refused && conn_outcome(in) == OUTCOME_WAITS);
	return conn_settle(in, verdict_refuses(v), fate) ? v : VERDICT_PASS;
}

/* A resolver's connection is never allowed for good: later queries need their own verdict. */
static struct verdict keep_resolver(const struct packet *pkt, struct verdict v)
{
	bool resolver = pkt->sport == PORT_DNS ||
	                (pkt->dport == PORT_DNS && pkt->proto == IPPROTO_UDP);

	if (resolver && v.state == STATE_ALLOWED)
		v.state = STATE_UNDECIDED;
	return v;
}

/* Counts what could not be judged in this packet; the site may have the packet dropped for it. */
static struct verdict apply_faults(struct pipeline *p, const struct packet *pkt, const struct inspection *in,
                                   struct verdict v)
{
	const uint16_t *n = conn_faults(in);

	for (unsigned i = 0; i < FAULT_N; i++)
		if (n[i])
			note_fault(p, pkt, i, n[i]);
	if (action_on_all(p, in) == ON_FAULT_DROP && v.state != STATE_REJECTED && v.state != STATE_DROPPED)
		return (struct verdict){ .drop = true };
	return v;
}

static struct verdict inspect(struct pipeline *p, struct packet *pkt)
{
	struct inspection    *in = conn_of(p->conns, pkt, p->now);
	const struct message *m;
	struct verdict        v = VERDICT_PASS;

	while (!verdict_refuses(v) && (m = conn_next(in)) != NULL)
		v = judge(p, in, m);
	v = settle(p, pkt, in, v);
	v = keep_resolver(pkt, v);
	return apply_faults(p, pkt, in, v);
}

struct verdict pipeline_packet(struct pipeline *p, const struct raw_packet *raw)
{
	struct packet   pkt = { 0 };
	struct verdict  v = VERDICT_PASS;
	enum decode_err e;

	p->now = raw->ts;
	p->raw = raw;
	conns_age(p->conns, p->now);
	e = decode(p, raw, &pkt);
	if (e == DECODE_OK)
		v = inspect(p, &pkt);
	if (e == DECODE_BAD) {
		note_fault(p, &pkt, FAULT_decode, 1);
		v.drop = action_on(p, FAULT_decode) == ON_FAULT_DROP;
	}
	count_add(p->count, COUNT_packets, 1);
	count_add(p->count, COUNT_passed, !v.drop && v.state == STATE_UNDECIDED);
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

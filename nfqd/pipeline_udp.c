/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams: DNS messages, each judged by itself; QUIC, whose hello may take several datagrams;
 * everything else, decided by its address.
 */
#include "pipeline_private.h"

#include "base/clock.h"
#include "base/steered.h"
#include "reassemble/quic.h"

enum { UNKNOWN_DATAGRAMS = 16 };

#define UDP_FORGOTTEN (10 * NS_PER_S) /* longer silent, and a decided flow may be another one */

/* Bytes of a hello are collected from as many Initials as it takes; one that cannot be opened may be
 * a decoy in front of the right one. */
static struct verdict judge_quic(struct pipeline *p, struct judged *j, uint32_t version)
{
	struct flow     *f = pipeline_flow(p, j);
	enum quic_result r;
	enum wire_err    err = WIRE_OK;
	struct wire      w;

	pipeline_stream(p, j, 0, true);
	r = quic_datagram(f, j->pkt->payload);
	if (r == QUIC_CLOSED)
		pipeline_exception(p, j, FAULT_quic_unknown);
	if (f->stream->conflict)
		pipeline_exception(p, j, FAULT_overlap);
	w = wire_of(stream_front(f->stream), &err, true);
	if (r == QUIC_NEW && quic_tls_names(&w, &j->names) == WIRE_OK) {
		j->names.tls.quic = version;
		return pipeline_finish(p, j, pipeline_judge(p, j));
	}
	if (r != QUIC_NEW && ++f->segments >= UNKNOWN_DATAGRAMS)
		return pipeline_finish_exception(p, j, FAULT_quic_unknown);
	count_add(p->count, COUNT_waiting, 1);
	return VERDICT_PASS;
}

/*
 * Decided by its address; allowed for good only after some patience: junk, or a version that is about
 * to be negotiated, may come before the datagram that names a host.
 */
static struct verdict judge_unknown_datagram(struct pipeline *p, struct judged *j)
{
	struct flow   *f = pipeline_flow(p, j);
	struct verdict v = VERDICT_ALLOW;

	if (f->segments == 0 && !f->again) {
		count_add(p->count, COUNT_unknown, 1);
		v = pipeline_judge(p, j);
	}
	if (v.state == STATE_ALLOWED && ++f->segments < UNKNOWN_DATAGRAMS)
		return VERDICT_PASS;
	return pipeline_finish(p, j, v);
}

/* Datagrams that are judged as part of a flow: all but DNS messages. version: of QUIC; 0: it is none. */
static struct verdict judge_flow(struct pipeline *p, struct judged *j, uint32_t version)
{
	struct flow *f = j->flow = flow_table_find(p->flows, j->pkt);

	if (f && f->decided && p->now > f->last + UDP_FORGOTTEN)
		flow_restart(p->flows, f, p->now); /* the ports are used again */
	if (f)
		flow_touch(p->flows, f, p->now);
	/* it was on its way, or this is a capture file: the first hello may have been a decoy */
	if (f && f->decided && f->state == STATE_ALLOWED && version && quic_is_another(f, j->pkt->payload))
		flow_begin_again(p->flows, f);
	if (f && f->decided)
		return (struct verdict){ .drop = f->drop, .state = f->state };
	return version ? judge_quic(p, j, version) : judge_unknown_datagram(p, j);
}

/* Each message decides for itself: a resolver's port is never allowed for good. */
static struct verdict judge_message(struct pipeline *p, struct judged *j,
                                    const struct name_proto *row)
{
	enum wire_err  err = WIRE_OK, r;
	struct wire    w = wire_of(j->pkt->payload, &err, false);
	struct verdict v;
	uint32_t       version;

	j->message = j->pkt->payload;
	r = row->names(&w, &j->names);
	if (r != WIRE_OK && quic_is(j->pkt->payload, &version))
		return judge_flow(p, j, version);
	if (r == WIRE_BAD)
		pipeline_exception(p, j, j->pkt->cut ? FAULT_cut : FAULT_parse);
	if (j->names.n == 0)
		return VERDICT_PASS;
	v = pipeline_dns(p, j);
	if (v.state == STATE_ALLOWED)
		v.state = STATE_UNDECIDED;
	return v;
}

/* Names of the neighbourhood, by mDNS, LLMNR and NetBIOS: no resolver is asked. */
static bool is_for_neighbours(const struct packet *pkt)
{
	return udp_port_is_neighbours(pkt->dport) || addr_is_multicast(&pkt->dst);
}

struct verdict pipeline_datagram(struct pipeline *p, struct judged *j)
{
	const struct name_proto *row;
	uint32_t                 version;

	if (j->pkt->sport != DNS_PORT && is_for_neighbours(j->pkt))
		return quic_is(j->pkt->payload, &version) ? judge_flow(p, j, version) : VERDICT_PASS;
	if (name_proto_find(L4_UDP, j->pkt->sport, j->pkt->dport, j->pkt->payload, false, &row) ==
	    WIRE_OK)
		return judge_message(p, j, row);
	if (!quic_is(j->pkt->payload, &version))
		version = 0;
	return j->pkt->dport == DNS_PORT ? VERDICT_PASS : judge_flow(p, j, version);
}

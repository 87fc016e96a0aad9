/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams: messages that each decide for themselves; QUIC, whose hello may take several datagrams;
 * everything else, decided by its address.
 */
#include "base/clock.h"
#include "base/steered.h"
#include "inspect/inspect_private.h"
#include "reassemble/dtls.h"

enum { UNKNOWN_DATAGRAMS = 16 };

#define UDP_FORGOTTEN (10 * NS_PER_S) /* longer silent, and a decided connection may be another one */

static bool flow_judged(struct inspection *in)
{
	return reading_over(in, OUTCOME_ALLOWED);
}

/* Bytes of a hello are collected from as many Initials as it takes; one that cannot be opened may be
 * a decoy in front of the right one. */
static bool read_quic(struct inspection *in)
{
	const struct name_proto *row = name_proto_of(TRANSPORT_CRYPTO, NULL);
	struct conn             *c = conn_made(in);
	struct stream           *s = stream_made(in, 0, true);
	enum quic_result         r = quic_datagram(&c->udp.keys, s, in->pkt->payload);
	enum wire_err            err = WIRE_OK;
	struct wire              w = wire_of(stream_front(s), &err, true);

	conn_account(in->table, c);
	if (r == QUIC_CLOSED)
		note_fault(in, FAULT_quic_unknown);
	if (s->conflict)
		note_fault(in, FAULT_overlap);
	message_begin(in, row);
	in->msg.read = stream_front(s);
	if (r == QUIC_NEW && row->names(&w, &in->msg.names) == WIRE_OK) {
		in->msg.names.tls.quic = in->quic;
		if (s->shrunk)
			in->msg.names.tls.hello = span_of(NULL, 0); /* not what was sent */
		return message_found(in, in->ground, flow_judged);
	}
	if (r != QUIC_NEW && ++c->udp.segments >= UNKNOWN_DATAGRAMS)
		return over_by_fault(in, FAULT_quic_unknown);
	order_shrink(in);
	return reading_over(in, OUTCOME_WAITS);
}

/* A hello of DTLS, in as many datagrams as it takes. */
static bool read_dtls(struct inspection *in)
{
	const struct name_proto *row = name_proto_of(TRANSPORT_DTLS, NULL);
	struct stream           *s = stream_made(in, 0, true);
	bool                     fresh = dtls_datagram(s, in->pkt->payload);
	enum wire_err            err = WIRE_OK;
	struct wire              w = wire_of(stream_front(s), &err, true);

	conn_account(in->table, in->conn);
	if (s->conflict)
		note_fault(in, FAULT_overlap);
	message_begin(in, row);
	in->msg.read = stream_front(s);
	if (fresh && row->names(&w, &in->msg.names) == WIRE_OK)
		return message_found(in, in->ground, flow_judged);
	if (++conn_made(in)->udp.segments >= UNKNOWN_DATAGRAMS)
		return over_by_fault(in, FAULT_parse);
	return reading_over(in, OUTCOME_WAITS);
}

static bool unknown_judged(struct inspection *in)
{
	return ++conn_made(in)->udp.segments < UNKNOWN_DATAGRAMS ? false : reading_over(in, OUTCOME_ALLOWED);
}

/*
 * Decided by its address; allowed for good only after some patience: junk, or a version that is about
 * to be negotiated, may come before the datagram that names a host.
 */
static bool read_unknown(struct inspection *in)
{
	struct conn *c = conn_made(in);

	if (c->lost)
		return lost_start(in);
	if (c->udp.segments == 0 && !c->address_judged)
		return address_found(in, unknown_judged);
	return unknown_judged(in);
}

/* A refused one is over, what follows has records of its own. */
static void reopen(struct inspection *in, struct conn *c)
{
	if (c->state == CONN_ALLOWED)
		conn_reopen(in->table, c, false);
	else
		conn_restart(in->table, c, in->now);
}

/* Datagrams that are judged as part of a flow: all but messages that stand alone. */
static bool read_flow(struct inspection *in)
{
	struct conn *c = in->conn = conn_find(in->table, in->pkt);

	if (!c && conn_is_inherited(in->table, in->pkt))
		return inherited_rest(in);
	if (c && conn_is_decided(c) && in->now > c->last + UDP_FORGOTTEN)
		conn_restart(in->table, c, in->now); /* the ports are used again */
	if (c)
		conn_touch(in->table, c, in->now);
	/* it was on its way, or this is a capture file: the first hello may have been a decoy; and what follows a
	 * refusal on the same ports is not refused with it */
	if (c && conn_is_decided(c) && in->quic && quic_is_another(&c->udp.keys, in->pkt->payload))
		reopen(in, c);
	if (c && conn_is_decided(c))
		return reading_over(in, OUTCOME_SETTLED);
	if (in->quic)
		return read_quic(in);
	return dtls_is(in->pkt->payload) ? read_dtls(in) : read_unknown(in);
}

/* Each message decides for itself: a resolver's port is never allowed for good. */
static bool read_alone(struct inspection *in)
{
	enum wire_err err = WIRE_OK, r;
	struct wire   w = wire_of(in->pkt->payload, &err, false);

	in->msg.bytes = in->msg.read = in->pkt->payload;
	r = in->msg.row->names(&w, &in->msg.names);
	if (r != WIRE_OK && quic_is(in->pkt->payload, &in->quic))
		return read_flow(in);
	if (r == WIRE_BAD)
		note_fault(in, in->pkt->cut ? FAULT_cut : FAULT_parse);
	return in->msg.names.n ? message_found(in, PLACE_DATAGRAM, NULL) : false;
}

/* Names of the neighbourhood, by mDNS, LLMNR and NetBIOS: no resolver is asked. */
static bool is_for_neighbours(const struct packet *pkt)
{
	return udp_port_is_neighbours(pkt->dport) || addr_is_multicast(&pkt->dst);
}

void udp_begin(struct inspection *in)
{
	const struct packet *pkt = in->pkt;
	bool                 neighbours = pkt->sport != PORT_DNS && is_for_neighbours(pkt);

	if (!neighbours && name_proto_find(TRANSPORT_DATAGRAM, pkt->sport, pkt->dport, pkt->payload, false,
	                                   &in->msg.row) == WIRE_OK) {
		in->step = read_alone;
		return;
	}
	if (!quic_is(pkt->payload, &in->quic))
		in->quic = 0;
	if (neighbours ? in->quic != 0 : pkt->dport != PORT_DNS)
		in->step = read_flow;
}

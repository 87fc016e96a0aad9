/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections whose client names nobody: a TLS hello without a server name, as clients of old send
 * it. The server's first bytes are queued instead of the client's, and the names in its certificate
 * are judged as if the client had asked for them. Up to TLS 1.2 they travel in the clear; a server
 * that chooses TLS 1.3, or resumes a session, leaves the decision to the address, which was judged
 * with the hello.
 *
 * The server's side is a flow of its own, under the key of its own direction.
 */
#include "pipeline_private.h"

void pipeline_turn(const struct judged *from, struct raw_packet *raw, struct packet *pkt)
{
	*raw = *from->raw;
	raw->ifin = from->raw->ifout;
	raw->ifout = from->raw->ifin;
	*pkt = *from->pkt;
	pkt->src = from->pkt->dst;
	pkt->dst = from->pkt->src;
	pkt->sport = from->pkt->dport;
	pkt->dport = from->pkt->sport;
	pkt->seq = from->pkt->ack;
	pkt->ack = from->pkt->seq;
	pkt->payload = span_of(NULL, 0);
}

struct verdict pipeline_want_replies(struct pipeline *p, struct judged *j)
{
	struct raw_packet raw;
	struct packet     pkt;
	struct judged     server = { .raw = &raw, .pkt = &pkt };
	struct flow      *f;

	if (j->pkt->decoy)
		return VERDICT_ALLOW;
	pipeline_turn(j, &raw, &pkt);
	f = pipeline_flow(p, &server);
	flow_restart(p->flows, f, p->now);
	f->server = true;
	f->anchored = j->pkt->tcp_flags & TCP_ACK;
	f->next = pkt.seq;
	f->has_mac = raw.has_mac;
	memcpy(f->mac, raw.mac, sizeof(f->mac));
	return (struct verdict){ .state = STATE_WANT_REPLIES };
}

/* The client's flow, when it still waits for this server. */
static struct flow *client_of(struct pipeline *p, const struct packet *turned)
{
	struct flow *f = flow_table_find(p->flows, turned);

	return f && f->decided && f->state == STATE_WANT_REPLIES ? f : NULL;
}

bool pipeline_is_reply(struct pipeline *p, struct judged *j)
{
	struct raw_packet raw;
	struct packet     pkt;

	if (!j->flow || !j->flow->server)
		return j->raw->kind == RAW_REPLY && !j->flow; /* of one that was forgotten meanwhile */
	pipeline_turn(j, &raw, &pkt);
	if (client_of(p, &pkt))
		return true;
	flow_restart(p->flows, j->flow, p->now); /* the ports are used again */
	return false;
}

/* Both sides get the decision: what either has sent already is on its way here. */
static struct verdict finish(struct pipeline *p, struct judged *server, struct judged *client,
                             struct verdict v)
{
	server->flow->server = false;
	pipeline_finish(p, server, v);
	return pipeline_finish(p, client, v);
}

struct verdict pipeline_reply(struct pipeline *p, struct judged *j)
{
	struct raw_packet raw;
	struct packet     pkt;
	struct judged     client = { .raw = &raw, .pkt = &pkt, .answer = true };
	enum wire_err     err = WIRE_OK, r;
	struct span       front;
	struct wire       w;

	if (!j->flow)
		return pipeline_finish_exception(p, j, FAULT_certificate);
	front = pipeline_front(p, j);
	if (front.n == 0 && !j->full)
		return VERDICT_PASS;
	pipeline_turn(j, &raw, &pkt);
	raw.has_mac = j->flow->has_mac;
	memcpy(raw.mac, j->flow->mac, sizeof(raw.mac));
	client.flow = client_of(p, &pkt);
	client.peer_next = j->peer_next;
	w = wire_of(front, &err, true);
	r = tls_cert_names(&w, &client.names);
	if (r == WIRE_OK && client.names.n)
		return finish(p, j, &client, pipeline_judge(p, &client));
	if (r == WIRE_OK || r == WIRE_NONE)
		return finish(p, j, &client, VERDICT_ALLOW);
	if (r == WIRE_MORE && front.n < STREAM_MAX && !j->full) {
		if (!j->flow->stream)
			pipeline_remember(p, j, j->pkt->seq, j->pkt->payload);
		count_add(p->count, COUNT_waiting, 1);
		return VERDICT_PASS;
	}
	pipeline_exception(p, j, FAULT_certificate);
	return finish(p, j, &client, j->dropped ? VERDICT_DROP : VERDICT_ALLOW);
}

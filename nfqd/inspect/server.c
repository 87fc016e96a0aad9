/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections whose client names no host: a TLS hello without a server name, as old clients send it. The
 * server's first bytes are queued instead of the client's, and the names in its certificate are judged
 * as if the client had asked for them. Up to TLS 1.2 they travel in the clear; a server that chooses TLS
 * 1.3, or resumes a session, leaves the decision to the address, which was judged with the hello.
 *
 * The server's side is a connection of its own, under the key of its own direction.
 */
#include "inspect/inspect_private.h"

void server_turn(struct inspection *in)
{
	const struct packet *from = in->pkt;

	in->turned = *from;
	in->turned.ifin = from->ifout;
	in->turned.ifout = from->ifin;
	in->turned.src = from->dst;
	in->turned.dst = from->src;
	in->turned.sport = from->dport;
	in->turned.dport = from->sport;
	in->turned.seq = from->ack;
	in->turned.ack = from->seq;
	in->turned.has_mac = false; /* it is the sender's */
	in->turned.payload = span_of(NULL, 0);
}

void server_ask(struct inspection *in)
{
	struct conn *c;

	server_turn(in);
	c = conn_made_for(in, &in->turned);
	conn_restart(in->table, c, in->now);
	c->state = CONN_SERVER;
	c->order.anchored = in->pkt->tcp_flags & TCP_ACK;
	c->order.next = in->turned.seq;
	c->server.has_mac = in->pkt->has_mac;
	memcpy(c->server.mac, in->pkt->mac, sizeof(c->server.mac));
	conn_account(in->table, c);
}

struct conn *server_client(struct inspection *in)
{
	struct conn *c;

	server_turn(in);
	c = conn_find(in->table, &in->turned);
	return c && c->state == CONN_AWAITS_SERVER ? c : NULL;
}

bool server_is_asked(struct inspection *in)
{
	if (!in->conn || in->conn->state != CONN_SERVER)
		return in->pkt->reply && (!in->conn || in->conn->lost); /* it was forgotten meanwhile */
	if (server_client(in))
		return true;
	conn_restart(in->table, in->conn, in->now); /* the ports are used again */
	return false;
}

static bool certificate_judged(struct inspection *in)
{
	return reading_over(in, OUTCOME_ALLOWED);
}

static enum wire_err read_certificate(struct inspection *in)
{
	const struct name_proto *row = name_proto_of(TRANSPORT_SERVER, NULL);
	enum wire_err            err = WIRE_OK;
	struct wire              w = wire_of(in->front, &err, true);

	message_begin(in, row);
	in->msg.read = in->front;
	return row->names(&w, &in->msg.names);
}

/* The client's side of the message: its address, and who it is on its own network. */
static bool certificate_found(struct inspection *in)
{
	message_found(in, PLACE_SERVER, certificate_judged);
	server_turn(in);
	in->turned.has_mac = in->conn->server.has_mac;
	memcpy(in->turned.mac, in->conn->server.mac, sizeof(in->turned.mac));
	in->msg.from_server = true;
	in->msg.pkt = &in->turned;
	return true;
}

bool server_read(struct inspection *in)
{
	enum wire_err r;

	if (!in->conn && !conn_made(in)->lost)
		return over_by_fault(in, FAULT_certificate);
	if (in->conn->state != CONN_SERVER) {
		charge_fault(in, (enum fault)(in->conn->lost - 1));
		return reading_over(in, OUTCOME_FAULT);
	}
	in->front = order_front(in);
	if (in->front.n == 0 && !in->full)
		return false;
	r = read_certificate(in);
	if (r == WIRE_OK && in->msg.names.n)
		return certificate_found(in);
	if (r == WIRE_OK || r == WIRE_NONE)
		return reading_over(in, OUTCOME_ALLOWED);
	if (r == WIRE_BAD || in->front.n >= STREAM_MAX || in->full)
		return over_by_fault(in, FAULT_certificate);
	if (!in->conn->stream)
		order_remember(in, in->pkt->seq, in->pkt->payload);
	return reading_over(in, OUTCOME_WAITS);
}

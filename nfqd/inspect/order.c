/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a sender's sequence numbers the reading is: which segments bring something new, which lie
 * after a hole, where bytes were read already, or belong to another connection on the same ports. The
 * queue shows no SYN, so nothing tells where a connection begins.
 */
#include "inspect/inspect_private.h"

enum {
	/* bytes that may be on their way after what decided a connection; after a refusal, when the client
	 * may try again at once, hardly any */
	IN_FLIGHT = 65536,
	IN_FLIGHT_REFUSED = 256,
	READ_LAST = 131072 /* bytes before what was read last that are still of the same connection */
};

/* The segment's end, in sequence numbers. */
static uint32_t end_of(const struct packet *pkt)
{
	return pkt->seq + (uint32_t)pkt->payload.n;
}

void order_advance(struct conn *c, uint32_t seq)
{
	if ((int32_t)(seq - c->order.next) > 0)
		c->order.next = seq;
}

void order_remember(struct inspection *in, uint32_t seq, struct span bytes)
{
	struct conn *c = conn_made(in);

	c->order.ack = in->pkt->ack;
	stream_add(stream_made(in, seq, c->order.anchored), seq, bytes);
	conn_account(in->table, c);
}

bool order_is_answered(const struct inspection *in)
{
	return in->conn->stream && in->conn->order.ack != in->pkt->ack;
}

/* Puts the segment into the stream; the front, when it is longer than before. */
static struct span add_segment(struct inspection *in)
{
	struct stream  *s = stream_made(in, 0, false);
	uint32_t        base = s->base;
	enum stream_add added = stream_add(s, in->pkt->seq, in->pkt->payload);

	conn_account(in->table, in->conn);
	in->full = added == STREAM_FULL;
	if (s->base != base && in->conn->state != CONN_SERVER)
		in->conn->tcp.segments = 0; /* a lower start turned up: the stream is out of order */
	if (s->conflict) {
		s->conflict = false;
		note_fault(in, FAULT_overlap);
	}
	return added == STREAM_OK ? stream_front(s) : span_of(NULL, 0);
}

struct span order_front(struct inspection *in)
{
	const struct packet *pkt = in->pkt;
	struct conn         *c = in->conn;

	in->peer_next = pkt->seq;
	if (!c || (!c->stream && (!c->order.anchored || c->order.next == pkt->seq)))
		return pkt->payload;
	if (!c->stream && (int32_t)(end_of(pkt) - c->order.next) <= 0)
		return span_of(NULL, 0);
	if (c->stream) {
		uint32_t have = c->stream->front;

		if (pkt->seq - c->stream->base <= have)
			in->peer_next = c->stream->base + have;
	} else {
		order_remember(in, c->order.next, span_of(NULL, 0));
	}
	return add_segment(in);
}

void order_shrink(struct inspection *in)
{
	uint8_t                  room[STREAM_MAX / 8];
	struct stream           *s = in->conn->stream;
	const struct name_proto *row = in->msg.row;
	size_t                   n;

	if (!s || !s->pieces || s->end != s->front || !row || !row->shrink || !conn_room_is_scarce(in->table))
		return;
	n = row->shrink(stream_front(s), room, sizeof(room));
	if (n)
		stream_shrink(s, span_of(room, n));
	conn_account(in->table, in->conn);
}

void order_read_up_to(struct inspection *in, size_t at)
{
	struct conn *c = conn_made(in);
	size_t       read = in->front.n;

	c->order.anchored = true;
	c->order.from = c->stream ? c->stream->base : in->pkt->seq;
	c->order.next = c->order.from + (uint32_t)at;
	c->order.to = c->order.from + (uint32_t)(at < read ? at : read);
	if (!c->stream || c->stream->end <= at) {
		conn_drop_stream(in->table, c);
		return;
	}
	stream_consume(c->stream, at); /* there is more after a hole */
	conn_account(in->table, c);
}

void order_end(struct conn *c, const struct packet *pkt)
{
	struct order *o = &c->order;

	o->from = c->stream ? c->stream->base : pkt->seq;
	o->to = o->from + (c->stream ? c->stream->front : (uint32_t)pkt->payload.n);
	o->next = c->stream ? c->stream->base + c->stream->end : o->to;
	order_advance(c, end_of(pkt));
}

/* A keep-alive (RFC 9293 3.8.4) sends the last byte again, whatever it was. */
bool order_is_late(const struct conn *c, const struct packet *pkt)
{
	const struct order *o = &c->order;

	return pkt->seq - o->from < o->to - o->from && !(pkt->payload.n == 1 && pkt->seq + 1 == o->to);
}

/* A segment before it was lost, perhaps by the capture, or overtaken; or the ports are used again at once. */
bool order_is_ahead(const struct conn *c, const struct packet *pkt)
{
	uint32_t next = c->stream ? c->stream->base + c->stream->front : c->order.next;

	return (c->stream || c->order.anchored) && (int32_t)(pkt->seq - next) > 0;
}

/*
 * A connection that uses the ports of an earlier one again is told by its sequence numbers. What belongs
 * to the earlier one lies within a body's length before what was read last, or ahead of it no further
 * than what is kept or may be in flight.
 */
bool order_is_another(const struct conn *c, const struct packet *pkt)
{
	int32_t next = (int32_t)(pkt->seq - (c->stream ? c->stream->base : c->order.next));
	int32_t ahead = c->state == CONN_READING   ? STREAM_MAX
	                : c->state == CONN_ALLOWED ? IN_FLIGHT
	                                           : IN_FLIGHT_REFUSED;

	return (conn_is_decided(c) || c->order.anchored || c->stream) && !c->tcp.syn_seen &&
	       (next > ahead || next < -READ_LAST);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP segments are judged as soon as the bytes that have come make a name: segments of an incomplete
 * message pass and are remembered, the one that completes it decides. A server cannot answer half a
 * message, and every retransmission meets the decision.
 */
#include "pipeline_private.h"

/*
 * A start that is no protocol of ours may be the middle of a message whose beginning is still to
 * come: nothing in the queue tells where a connection starts. It is given this much patience.
 */
enum {
	UNKNOWN_BYTES = 4096,
	UNKNOWN_SEGMENTS = 16,
	IN_FLIGHT = 65536 /* bytes that may follow a decision on their way */
};

static struct verdict finish_unknown(struct pipeline *p, struct judged *j)
{
	j->names.n = 0;
	j->names.app = APP_NONE;
	count_add(p->count, COUNT_unknown, 1);
	return pipeline_finish(p, j, pipeline_judge(p, j));
}

/* Remembers bytes of a message that is not complete. Returns false when there is no room. */
static bool remember(struct pipeline *p, struct judged *j, uint32_t seq, struct span bytes)
{
	struct flow *f = pipeline_flow(p, j);
	bool         evicted;

	if (!f->stream)
		f->begun_at_ack = j->pkt->ack;
	if (!flow_need_stream(p->flows, f, seq, f->anchored, &evicted))
		return false;
	if (evicted)
		pipeline_exception(p, j->pkt, COUNT_exc_stream_full);
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
	struct flow *f = pipeline_flow(p, j);
	bool         hole = f->stream && f->stream->end > front.n;

	if (f->anchored || answered(j) || front.n >= UNKNOWN_BYTES ||
	    (!hole && ++f->segments >= UNKNOWN_SEGMENTS))
		return finish_unknown(p, j);
	if (!f->stream && !remember(p, j, j->pkt->seq, j->pkt->payload))
		return finish_unknown(p, j);
	count_add(p->count, COUNT_waiting, 1);
	return VERDICT_PASS;
}

/* The message at the front is incomplete: at is its offset in front. */
static struct verdict wait_for_rest(struct pipeline *p, struct judged *j, struct span front, size_t at)
{
	struct flow *f = pipeline_flow(p, j);

	if (front.n - at >= STREAM_MAX)
		return pipeline_finish_exception(p, j, COUNT_exc_hello_size);
	if (f->stream) {
		if (at > 0)
			stream_consume(f->stream, at);
	} else {
		f->anchored |= at > 0;
		if (!remember(p, j, j->pkt->seq + (uint32_t)at, span_of(front.p + at, front.n - at)))
			return pipeline_finish_exception(p, j, COUNT_exc_stream_full);
	}
	count_add(p->count, COUNT_waiting, 1);
	return VERDICT_PASS;
}

/* Several messages follow each other on one connection: judge each, keep what is left over. */
static struct verdict judge_messages(struct pipeline *p, struct judged *j, struct span front)
{
	struct flow *f = pipeline_flow(p, j);
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
			pipeline_exception(p, j->pkt, COUNT_exc_parse);
		if (j->names.n == 0) /* no question, or damaged: the next message may be one */
			continue;
		v = pipeline_judge(p, j);
		if (v.drop || v.state == STATE_REJECTED)
			return pipeline_finish(p, j, v);
	}
	f->anchored = true;
	f->next = (f->stream ? f->stream->base : j->pkt->seq) + (uint32_t)at;
	if (f->stream && f->stream->end > at)
		stream_consume(f->stream, at); /* there is more behind a hole */
	else
		flow_drop_stream(p->flows, f);
	return VERDICT_PASS;
}

/* The first message decides the connection. */
static struct verdict judge_first(struct pipeline *p, struct judged *j, const struct name_proto *row,
                                  struct span front)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(front, &err, true);
	bool          anchored = pipeline_flow(p, j)->anchored;

	switch (row->names(&w, &j->names)) {
	case WIRE_OK: return pipeline_finish(p, j, pipeline_judge(p, j));
	case WIRE_MORE: return wait_for_rest(p, j, front, 0);
	case WIRE_NONE: return wait_for_start(p, j, front);
	default: /* damaged, or a piece from the middle that only looks like a beginning */
		if (j->names.n)
			return pipeline_finish(p, j, pipeline_judge(p, j));
		return anchored ? pipeline_finish_exception(p, j, COUNT_exc_parse)
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
		pipeline_exception(p, pkt, COUNT_exc_overlap);
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

struct verdict pipeline_segment(struct pipeline *p, struct judged *j)
{
	const struct packet     *pkt = j->pkt;
	const struct name_proto *row;
	struct span              front;

	j->flow = flow_table_find(p->flows, pkt);
	if (j->flow)
		flow_touch(p->flows, j->flow, p->now);
	if (pkt->tcp_flags & TCP_SYN) { /* data in it: RFC 7413 */
		if (pkt->tcp_flags & TCP_ACK)
			return VERDICT_PASS;
		flow_restart(p->flows, pipeline_flow(p, j), p->now);
		j->flow->syn_seen = j->flow->anchored = true;
		j->flow->next = pkt->seq;
	}
	if (pkt->payload.n == 0 || (pkt->tcp_flags & TCP_RST))
		return VERDICT_PASS;
	if (j->flow && is_another(j->flow, pkt))
		flow_restart(p->flows, j->flow, p->now);
	if (j->flow && j->flow->decided) {
		j->flow->next = pkt->seq + (uint32_t)pkt->payload.n;
		return (struct verdict){ .drop = j->flow->drop, .state = j->flow->state };
	}
	if (pkt->cut)
		pipeline_exception(p, pkt, COUNT_exc_cut);
	front = front_of(p, j);
	if (j->full) { /* no server takes it while the beginning is missing */
		if (answered(j))
			return pipeline_finish_exception(p, j, COUNT_exc_hello_size);
		pipeline_exception(p, pkt, COUNT_exc_window);
		return VERDICT_PASS;
	}
	if (front.n == 0)
		return VERDICT_PASS;
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
	pipeline_flow(p, j)->row = row;
	return judge_messages(p, j, front);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP segments are judged as soon as the bytes that have come make a name: segments of an incomplete
 * message pass and are remembered, the one that completes it decides. A server cannot answer half a
 * message, and every retransmission meets the decision.
 *
 * A TLS hello decides its connection. Behind an HTTP request or a request to a proxy more may come,
 * of the same kind or another: the connection stays in the queue, for as long as that is cheap. DNS
 * is never allowed for good.
 */
#include "pipeline_private.h"

/*
 * A start that is no protocol of ours may be the middle of a message whose beginning is still to
 * come: nothing in the queue tells where a connection starts. It is given this much patience.
 */
enum {
	UNKNOWN_BYTES = 4096,
	UNKNOWN_SEGMENTS = 16,
	UNKNOWN_FEW = 1024, /* bytes: what is shorter may come in any number of segments */
	STRANGE_MAX = 16, /* starts of no protocol of ours, towards a resolver's port */
	/* requests that may follow each other, and the longest body that is waited out between them:
	 * an upload is not worth a queued packet per segment */
	REQUESTS_MAX = 64,
	BODY_MAX = 65536,
	TLS_HANDSHAKE = 22, /* the record's first byte */
	/* bytes that may be on their way behind what decided a connection; behind a refusal, after which
	 * the client may try again at once, hardly any */
	IN_FLIGHT = 65536,
	IN_FLIGHT_REFUSED = 256
};

static struct verdict finish_unknown(struct pipeline *p, struct judged *j)
{
	struct flow   *f = pipeline_flow(p, j);
	struct verdict v = VERDICT_ALLOW;

	names_begin(&j->names, APP_NONE);
	if (!f->again) {
		count_add(p->count, COUNT_unknown, 1);
		v = pipeline_judge(p, j);
	}
	/* a resolver passes over what is damaged, and reads what follows */
	if (j->pkt->dport != DNS_PORT || pipeline_refused(v) || ++f->strange >= STRANGE_MAX)
		return pipeline_finish(p, j, v);
	flow_begin_again(p->flows, f);
	f->again = true;
	return VERDICT_PASS;
}

void pipeline_remember(struct pipeline *p, struct judged *j, uint32_t seq, struct span bytes)
{
	struct flow *f = pipeline_flow(p, j);

	f->begun_at_ack = j->pkt->ack;
	pipeline_stream(p, j, seq, f->anchored);
	stream_add(f->stream, seq, bytes);
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
	struct flow   *f = pipeline_flow(p, j);
	bool           hole = f->stream && f->stream->end > front.n;
	struct verdict v;

	if (pipeline_inside(p, j, front, &v) || (f->stream && pipeline_alone(p, j, !answered(j), &v)))
		return v;
	if (!hole && f->segments < UNKNOWN_SEGMENTS)
		f->segments++;
	if (f->anchored || answered(j) || front.n >= UNKNOWN_BYTES ||
	    (f->segments == UNKNOWN_SEGMENTS && front.n >= UNKNOWN_FEW))
		return finish_unknown(p, j);
	if (!f->stream)
		pipeline_remember(p, j, j->pkt->seq, j->pkt->payload);
	count_add(p->count, COUNT_waiting, 1);
	return VERDICT_PASS;
}

/* Every message up to at was read, as far as it has come; what is there behind it is kept. */
static struct verdict wait_for_next(struct pipeline *p, struct judged *j, size_t read, size_t at)
{
	struct flow *f = pipeline_flow(p, j);

	f->anchored = true;
	f->from = f->stream ? f->stream->base : j->pkt->seq;
	f->next = f->from + (uint32_t)at;
	f->to = f->from + (uint32_t)(at < read ? at : read);
	if (f->stream && f->stream->end > at)
		stream_consume(f->stream, at); /* there is more behind a hole */
	else
		flow_drop_stream(p->flows, f);
	return VERDICT_PASS;
}

size_t pipeline_dns_length(struct span front, size_t at)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(front, &err, false);

	wire_skip(&w, at);
	return 2U + wire_u16(&w);
}

/* The message at the front is incomplete: at is its offset in front. What it has named so far may be
 * refused already; to allow it takes all of it, or all that will ever be read. */
static struct verdict wait_for_rest(struct pipeline *p, struct judged *j, struct span front, size_t at)
{
	struct flow   *f = pipeline_flow(p, j);
	struct verdict v;

	j->unfinished = !j->pkt->cut && front.n - at < STREAM_MAX;
	if (j->names.n > (j->unfinished ? f->named : 0)) {
		f->named = (uint8_t)j->names.n;
		v = f->row ? pipeline_dns(p, j) : pipeline_judge(p, j);
		if (pipeline_refused(v))
			return pipeline_finish(p, j, v);
	}
	if (front.n - at >= STREAM_MAX)
		return f->row ? wait_for_next(p, j, front.n, at + pipeline_dns_length(front, at))
		              : pipeline_finish_exception(p, j, FAULT_hello_size);
	f->anchored |= at > 0;
	if (!f->stream)
		pipeline_remember(p, j, j->pkt->seq + (uint32_t)at, span_of(front.p + at, front.n - at));
	else if (at > 0)
		stream_consume(f->stream, at);
	count_add(p->count, COUNT_waiting, 1);
	return VERDICT_PASS;
}

/* Reads one message; *n is its length. Its kind is guessed, but for one that keeps to itself. */
enum wire_err pipeline_read_message(struct judged *j, struct span bytes,
                                    const struct name_proto **row, size_t *n)
{
	enum wire_err err = WIRE_OK, r;
	struct wire   w = wire_of(bytes, &err, true);

	j->unfinished = false;
	names_begin(&j->names, APP_NONE);
	*row = j->flow ? j->flow->row : NULL;
	if (!*row) {
		r = name_proto_find(L4_TCP, j->pkt->sport, j->pkt->dport, bytes, true, row);
		if (r != WIRE_OK)
			return r;
	}
	r = (*row)->names(&w, &j->names);
	*n = (size_t)(w.pos - bytes.p);
	if (j->names.app == APP_DNS && *n > 2)
		j->message = span_of(bytes.p + 2, *n - 2);
	return r;
}

/* Bytes between this message and the next; of chunks every one tells. */
static uint64_t body_of(const struct names *names)
{
	return names->app == APP_HTTP && names->http.body != HTTP_BODY_CHUNKED ? names->http.body : 0;
}

/* Goes on in a body of chunks; *n bytes belong to it, and may be still to come. WIRE_BAD: it is none, or
 * longer than is waited out. */
static enum wire_err read_chunks(struct flow *f, struct span bytes, size_t *n)
{
	enum wire_err err = WIRE_OK, r;
	struct wire   w = wire_of(bytes, &err, true);
	uint64_t      beyond;

	r = http_skip_chunks(&w, &beyond);
	*n = (size_t)(w.pos - bytes.p) + (size_t)beyond;
	f->chunked = r == WIRE_MORE;
	if (*n > BODY_MAX - f->body)
		return WIRE_BAD;
	f->body += (uint32_t)*n;
	return r;
}

/* DNS over TCP: what is damaged or no question is passed over, the next message may be one. */
static bool judge_dns(struct pipeline *p, struct judged *j, enum wire_err read, struct verdict *v)
{
	if (read == WIRE_BAD)
		pipeline_exception(p, j, FAULT_parse);
	if (j->names.n == 0)
		return false;
	*v = pipeline_dns(p, j);
	return pipeline_refused(*v);
}

/* A message of a connection that can be allowed for good. Returns whether it is decided now. */
static bool judge_message(struct pipeline *p, struct judged *j, const struct name_proto *row,
                          struct span behind, struct verdict *v)
{
	struct flow *f = pipeline_flow(p, j);
	bool         nameless = j->names.n == 0;

	*v = pipeline_judge(p, j);
	f->named = 0;
	if (pipeline_refused(*v))
		return true;
	if (row->app == APP_TLS && behind.n && behind.p[0] == TLS_HANDSHAKE && ++f->requests < REQUESTS_MAX)
		return false; /* a hello behind a hello: the first one may lie in front of the window */
	if (row->one_per_flow) {
		if (nameless && row->app == APP_TLS)
			*v = pipeline_want_replies(p, j);
		return true;
	}
	f->chunked = j->names.app == APP_HTTP && j->names.http.body == HTTP_BODY_CHUNKED;
	f->body = 0;
	return ++f->requests >= REQUESTS_MAX || body_of(&j->names) > BODY_MAX;
}

/* One message after the other, until one is incomplete or decides the connection. */
static struct verdict judge_messages(struct pipeline *p, struct judged *j, struct span front)
{
	struct flow   *f = pipeline_flow(p, j);
	struct verdict passed;
	size_t         at = 0;

	while (at < front.n) {
		const struct name_proto *row;
		size_t                   n = 0;
		struct verdict           v = VERDICT_ALLOW;
		struct span              left = span_of(front.p + at, front.n - at);
		enum wire_err            r;

		if (f->chunked) {
			r = read_chunks(f, left, &n);
			names_begin(&j->names, APP_HTTP);
			at += n;
			if (r == WIRE_MORE && at < front.n)
				return wait_for_rest(p, j, front, at);
			if (r == WIRE_BAD)
				return pipeline_finish(p, j, v);
			continue;
		}
		r = pipeline_read_message(j, left, &row, &n);
		if (row && row->app == APP_DNS)
			f->row = row;
		if (r == WIRE_MORE)
			return wait_for_rest(p, j, front, at);
		if (row && row->app == APP_SOCKS && !f->anchored && n < front.n)
			r = WIRE_NONE; /* few bytes tell it: but a client waits for its proxy here */
		if (f->row) {
			if (judge_dns(p, j, r, &v))
				return pipeline_finish(p, j, v);
		} else if (r == WIRE_OK || (r == WIRE_BAD && j->names.n)) {
			if (judge_message(p, j, row, span_of(left.p + n, left.n - n), &v) || r == WIRE_BAD)
				return pipeline_finish(p, j, v);
		} else if (f->requests) { /* not what was spoken before: the proxy's business */
			return pipeline_finish(p, j, v);
		} else if (r == WIRE_BAD && f->anchored) {
			return pipeline_finish_exception(p, j, FAULT_parse);
		} else { /* or a piece from the middle that only looks like a beginning */
			return wait_for_start(p, j, front);
		}
		at += n + (size_t)body_of(&j->names);
	}
	passed = wait_for_next(p, j, front.n, at);
	front = f->stream ? stream_front(f->stream) : span_of(NULL, 0);
	return front.n ? judge_messages(p, j, front) : passed; /* what lay behind a hole in a body */
}

/*
 * The bytes to read: the segment itself where it stands alone (the usual case, nothing is copied),
 * else the front of the stream with the segment put in. n == 0: nothing new to read.
 */
struct span pipeline_front(struct pipeline *p, struct judged *j)
{
	const struct packet *pkt = j->pkt;
	struct flow         *f = j->flow;

	j->peer_next = pkt->seq;
	if (!f || (!f->stream && (!f->anchored || f->next == pkt->seq)))
		return pkt->payload;
	if (!f->stream && (int32_t)(pkt->seq + (uint32_t)pkt->payload.n - f->next) <= 0)
		return span_of(NULL, 0);
	if (f->stream) {
		uint32_t have = (uint32_t)stream_front(f->stream).n;

		if (pkt->seq - f->stream->base <= have)
			j->peer_next = f->stream->base + have;
	}
	if (!f->stream)
		pipeline_remember(p, j, f->next, span_of(NULL, 0));

	uint32_t        base = f->stream->base;
	enum stream_add added = stream_add(f->stream, pkt->seq, pkt->payload);

	j->full = added == STREAM_FULL;
	if (f->stream->base != base) /* a lower start turned up: the stream is out of order */
		f->segments = 0;
	if (f->stream->conflict) {
		f->stream->conflict = false;
		pipeline_exception(p, j, FAULT_overlap);
	}
	return added == STREAM_OK ? stream_front(f->stream) : span_of(NULL, 0);
}

/*
 * The queue shows no SYN but one with data: a connection that uses the ports of an earlier one again
 * is told by its sequence numbers. What belongs to the earlier one lies within such a body behind what
 * was read last, or ahead of it no further than what is kept or may be in flight.
 */
static bool is_another(const struct flow *f, const struct packet *pkt)
{
	int32_t next = (int32_t)(pkt->seq - (f->stream ? f->stream->base : f->next));
	int32_t ahead = !f->decided                 ? STREAM_MAX
	                : f->state == STATE_ALLOWED ? IN_FLIGHT
	                                            : IN_FLIGHT_REFUSED;

	return (f->decided || f->anchored || f->stream) && !f->syn_seen &&
	       (next > ahead || next < -2 * BODY_MAX);
}

/* While the rest of a message may still come, a segment from elsewhere may as well be one that no server
 * takes: like all such it is of a stream of its own, which decides nothing but a refusal. */
static void begin_another(struct pipeline *p, struct judged *j)
{
	if (j->flow->stream && !flow_is_stale(j->flow, p->now) && !j->pkt->decoy) {
		j->pkt->decoy = true;
		j->flow = flow_table_find(p->flows, j->pkt);
	}
	if (j->flow && is_another(j->flow, j->pkt))
		flow_restart(p->flows, j->flow, p->now);
}

static void begin_at_syn(struct pipeline *p, struct judged *j)
{
	flow_restart(p->flows, pipeline_flow(p, j), p->now);
	j->flow->syn_seen = j->pkt->payload.n == 0;
	j->flow->anchored = true;
	j->flow->next = j->pkt->seq;
}

/* A segment before it was lost, perhaps by the capture, or overtaken; or the ports are used again at once. */
static bool is_behind_hole(const struct flow *f, const struct packet *pkt)
{
	uint32_t next = f->stream ? f->stream->base + (uint32_t)stream_front(f->stream).n : f->next;

	return (f->stream || f->anchored) && (int32_t)(pkt->seq - next) > 0;
}

/* By itself, when it is not what is waited for. */
static bool is_refused_alone(struct pipeline *p, struct judged *j, struct verdict *v)
{
	struct flow *f = j->flow;

	if (!f)
		return false;
	if (!f->row && pipeline_is_in_place(f, j->pkt))
		return pipeline_alone(p, j, true, v);
	return is_behind_hole(f, j->pkt) && pipeline_alone(p, j, false, v);
}

/*
 * Data in a SYN (RFC 7413) may be a decoy: a server that knows no such thing throws it away, and the client
 * sends it again. It may be refused; to allow the connection takes what follows.
 */
static struct verdict segment_with_syn(struct pipeline *p, struct judged *j)
{
	struct verdict v = judge_messages(p, j, j->pkt->payload);

	if (pipeline_refused(v) || v.state == STATE_WANT_REPLIES)
		return v;
	flow_begin_again(p->flows, j->flow);
	j->flow->anchored = true;
	pipeline_remember(p, j, j->pkt->seq, j->pkt->payload);
	j->flow->syn_data = true;
	return VERDICT_PASS;
}

/* The first segment behind such a SYN shows what the server took of it. */
static void settle_syn_data(struct pipeline *p, struct judged *j)
{
	struct flow *f = j->flow;

	f->syn_data = false;
	if (f->stream && j->pkt->seq - f->stream->base >= f->stream->end)
		return;
	f->next = j->pkt->seq;
	flow_drop_stream(p->flows, f);
}

/* Nobody answers one whose server's answer decides; or conntrack took the server for the client. */
static struct verdict wait_for_replies(struct pipeline *p, struct judged *j)
{
	flow_advance(j->flow, j->pkt->seq + (uint32_t)j->pkt->payload.n);
	return ++j->flow->segments < UNKNOWN_SEGMENTS ? VERDICT_PASS : pipeline_finish(p, j, VERDICT_ALLOW);
}

static struct verdict judge_segment(struct pipeline *p, struct judged *j)
{
	struct verdict v = VERDICT_PASS;
	struct span    front;

	if (j->flow && j->flow->decided && j->flow->state == STATE_WANT_REPLIES)
		return wait_for_replies(p, j);
	if (j->flow && j->flow->decided && !pipeline_again(p, j, &v))
		return v;
	if (j->pkt->cut)
		pipeline_exception(p, j, FAULT_cut);
	if (j->pkt->tcp_flags & TCP_SYN)
		return segment_with_syn(p, j);
	if (j->flow && j->flow->syn_data)
		settle_syn_data(p, j);
	if (is_refused_alone(p, j, &v))
		return v;
	front = pipeline_front(p, j);
	if (front.n)
		return judge_messages(p, j, front);
	if (j->full && pipeline_alone(p, j, true, &v))
		return v;
	if (j->full) { /* no server takes it while the beginning is missing */
		if (answered(j))
			return pipeline_finish_exception(p, j, FAULT_hello_size);
		pipeline_exception(p, j, FAULT_window);
	}
	return VERDICT_PASS;
}

struct verdict pipeline_segment(struct pipeline *p, struct judged *j)
{
	struct packet *pkt = j->pkt;

	j->flow = flow_table_find(p->flows, pkt);
	if (j->flow && !j->flow->server && pkt->payload.n && !(pkt->tcp_flags & (TCP_SYN | TCP_RST)) &&
	    is_another(j->flow, pkt))
		begin_another(p, j); /* what it leaves behind grows old */
	if (j->flow)
		flow_touch(p->flows, j->flow, p->now);
	if (pkt->tcp_flags & TCP_SYN) {
		if (pkt->tcp_flags & TCP_ACK)
			return VERDICT_PASS;
		begin_at_syn(p, j);
	}
	if (pkt->payload.n == 0 || (pkt->tcp_flags & TCP_RST))
		return VERDICT_PASS;
	if (pipeline_is_reply(p, j))
		return pipeline_reply(p, j);
	if (pkt->urgent || (j->flow && j->flow->urgent))
		pipeline_without_urgent(p, j);
	return pkt->payload.n ? judge_segment(p, j) : VERDICT_PASS;
}

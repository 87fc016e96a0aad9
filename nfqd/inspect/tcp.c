/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP segments: a message is found as soon as its bytes have arrived. Segments of an incomplete message
 * pass, and the segment that completes it decides: a server cannot answer half a message, and every
 * retransmission meets the decision.
 *
 * The protocol's row says whether another message may follow: a hello decides its connection; requests
 * follow each other, with bodies between them, for as long as that is cheap; a resolver's messages each
 * decide for themselves.
 */
#include "base/steered.h"
#include "inspect/inspect_private.h"

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
	BODY_MAX = 65536
};

static step next_message;

/* ---- one message ---- */

enum wire_err tcp_read_message(struct inspection *in, struct span bytes)
{
	const struct name_proto *row = in->conn ? in->conn->tcp.row : NULL;
	enum wire_err            err = WIRE_OK, r = WIRE_OK;
	struct wire              w = wire_of(bytes, &err, true);
	size_t                   prefix;

	in->length = 0;
	if (!row)
		r = name_proto_find(TRANSPORT_STREAM, in->pkt->sport, in->pkt->dport, bytes, true, &row);
	message_begin(in, row);
	if (r != WIRE_OK)
		return r;
	r = row->names(&w, &in->msg.names);
	in->length = (size_t)(w.pos - bytes.p);
	in->msg.read = span_of(bytes.p, in->length);
	prefix = row->framing.prefix;
	if (prefix && in->length > prefix)
		in->msg.bytes = span_of(bytes.p + prefix, in->length - prefix);
	return r;
}

/* Bytes between this message and the next; of a body in parts, each part tells. */
static uint64_t body_of(const struct message *m)
{
	uint64_t n = m->row && m->row->framing.body ? m->row->framing.body(&m->names) : 0;

	return n == NAME_BODY_PARTS ? 0 : n;
}

static bool pass_message(struct inspection *in)
{
	in->at += in->length + (size_t)body_of(&in->msg);
	return go_on(in, next_message);
}

/* ---- a start that is no protocol of ours ---- */

static bool unknown_judged(struct inspection *in)
{
	struct conn *c = conn_made(in);

	/* a resolver passes over what is damaged, and reads what follows */
	if (in->pkt->dport != PORT_DNS || ++c->strange >= STRANGE_MAX)
		return reading_over(in, OUTCOME_ALLOWED);
	conn_reopen(in->table, c, true);
	return false;
}

static bool end_unknown(struct inspection *in)
{
	if (!conn_made(in)->address_judged)
		return address_found(in, unknown_judged);
	return unknown_judged(in);
}

/* Bytes that may still turn out to be the middle of something: they pass and are kept, within bounds. */
static bool wait_for_start(struct inspection *in)
{
	struct conn *c = conn_made(in);
	bool         hole = c->stream && c->stream->end > in->front.n;

	if (c->lost) /* what was named is not known, and later messages still name */
		return lost_start(in);
	if (!hole && c->tcp.segments < UNKNOWN_SEGMENTS)
		c->tcp.segments++;
	if (c->order.anchored || order_is_answered(in) || in->front.n >= UNKNOWN_BYTES ||
	    (c->tcp.segments == UNKNOWN_SEGMENTS && in->front.n >= UNKNOWN_FEW))
		return end_unknown(in);
	if (!c->stream)
		order_remember(in, in->pkt->seq, in->pkt->payload);
	return reading_over(in, OUTCOME_WAITS);
}

bool tcp_unknown_start(struct inspection *in)
{
	if (!conn_made(in)->stream)
		return wait_for_start(in);
	return aside_read(in, order_is_answered(in) ? PLACE_AHEAD : PLACE_LATE, wait_for_start);
}

/* ---- one message after the other ---- */

/* Has as much of the message at in->at come as will ever be read? */
static bool is_all(const struct inspection *in)
{
	const struct stream *s = in->conn->stream;

	return in->front.n - in->at + (s ? s->removed : 0) >= STREAM_MAX;
}

/* The rest of the message at in->at is still to come. */
static bool wait_for_rest(struct inspection *in)
{
	struct conn *c = conn_made(in);
	size_t       have = in->front.n - in->at;
	bool         all = is_all(in);

	if (all && c->tcp.row) {
		struct span here = span_of(in->front.p + in->at, have);

		order_read_up_to(in, in->at + c->tcp.row->framing.length(here));
		return false;
	}
	if (all)
		return over_by_fault(in, FAULT_hello_size);
	c->order.anchored |= in->at > 0;
	if (!c->stream)
		order_remember(in, in->pkt->seq + (uint32_t)in->at, span_of(in->front.p + in->at, have));
	else if (in->at > 0)
		stream_consume(c->stream, in->at);
	order_shrink(in);
	return reading_over(in, OUTCOME_WAITS);
}

/* What an incomplete message has named so far may be refused already; to allow it takes all of it, or all
 * that will ever be read. */
static bool read_partial(struct inspection *in)
{
	struct conn *c = conn_made(in);
	bool         all = in->pkt->cut || is_all(in);

	if (in->msg.names.n <= (all ? 0 : c->tcp.named))
		return wait_for_rest(in);
	c->tcp.named = (uint8_t)in->msg.names.n;
	return message_found(in, all ? in->ground : PLACE_PARTIAL, wait_for_rest);
}

/* Of a protocol whose messages each decide for themselves: damage is passed over. */
static bool read_each(struct inspection *in)
{
	if (in->read == WIRE_BAD)
		note_fault(in, FAULT_parse);
	return in->msg.names.n ? message_found(in, in->ground, pass_message) : pass_message(in);
}

/* The first message of a connection that can have no other. */
static bool first_judged(struct inspection *in)
{
	conn_made(in)->tcp.content = in->msg.row->content_follows;
	if (in->msg.names.n || !in->msg.row->ask_server || in->pkt->decoy)
		return reading_over(in, OUTCOME_ALLOWED);
	server_ask(in);
	return reading_over(in, OUTCOME_ASK_SERVER);
}

/* A request was judged; another one may follow it, after its body. */
static bool request_judged(struct inspection *in)
{
	const struct message *m = &in->msg;
	struct tcp_side      *t = &conn_made(in)->tcp;
	uint64_t              body = m->row->framing.body ? m->row->framing.body(&m->names) : 0;

	t->body_row = body == NAME_BODY_PARTS ? m->row : NULL;
	t->body = 0;
	if (++t->requests >= REQUESTS_MAX || body_of(m) > BODY_MAX || in->read == WIRE_BAD)
		return reading_over(in, OUTCOME_ALLOWED);
	return pass_message(in);
}

static bool message_judged(struct inspection *in)
{
	struct conn             *c = conn_made(in);
	const struct name_proto *row = in->msg.row;
	size_t                   end = in->at + in->length;

	c->tcp.named = 0;
	if (row->repeats && row->repeats(span_of(in->front.p + end, in->front.n - end)) &&
	    ++c->tcp.requests < REQUESTS_MAX)
		return in->read == WIRE_BAD ? reading_over(in, OUTCOME_ALLOWED) : pass_message(in);
	return row->follow == FOLLOW_NOTHING ? first_judged(in) : request_judged(in);
}

/* Goes on in a body that comes in parts. */
static bool read_body(struct inspection *in, struct span bytes)
{
	struct tcp_side *t = &conn_made(in)->tcp;
	enum wire_err    err = WIRE_OK, r;
	struct wire      w = wire_of(bytes, &err, true);
	uint64_t         beyond;
	size_t           n;

	r = t->body_row->framing.skip(&w, &beyond);
	n = (size_t)(w.pos - bytes.p) + (size_t)beyond;
	if (r != WIRE_MORE)
		t->body_row = NULL;
	if (r == WIRE_BAD || n > BODY_MAX - t->body) /* none after all, or longer than is waited out */
		return reading_over(in, OUTCOME_ALLOWED);
	t->body += (uint32_t)n;
	in->at += n;
	message_begin(in, NULL);
	return r == WIRE_MORE && in->at < in->front.n ? wait_for_rest(in) : go_on(in, next_message);
}

/* All that is there was read; what lay after a hole in a body may be there, too. */
static bool all_read(struct inspection *in)
{
	struct conn *c = conn_made(in);

	order_read_up_to(in, in->at);
	in->front = c->stream ? stream_front(c->stream) : span_of(NULL, 0);
	in->at = 0;
	return in->front.n ? go_on(in, next_message) : false;
}

static bool next_message(struct inspection *in)
{
	struct conn             *c = conn_made(in);
	const struct name_proto *row;
	struct span              left;

	if (in->at >= in->front.n)
		return all_read(in);
	left = span_of(in->front.p + in->at, in->front.n - in->at);
	if (c->tcp.body_row)
		return read_body(in, left);
	in->read = tcp_read_message(in, left);
	row = in->msg.row;
	if (row && row->shrink && c->stream && c->stream->shrunk)
		in->msg.names.tls.hello = span_of(NULL, 0); /* not what was sent */
	if (row && row->follow == FOLLOW_SAME)
		c->tcp.row = row;
	if (in->read == WIRE_MORE)
		return read_partial(in);
	if (row && row->weak && !c->order.anchored && in->length < in->front.n)
		in->read = WIRE_NONE; /* a client waits for its proxy here */
	if (c->tcp.row)
		return read_each(in);
	if (in->read == WIRE_OK && row && row->follow == FOLLOW_NOTHING && in->msg.names.tunnel)
		return pass_message(in); /* it only says where the first message begins */
	if (in->read == WIRE_OK || (in->read == WIRE_BAD && in->msg.names.n))
		return message_found(in, in->ground, message_judged);
	if (c->tcp.requests && !c->lost) /* not what was spoken before: the proxy's business */
		return reading_over(in, OUTCOME_ALLOWED);
	if (in->read == WIRE_BAD && c->order.anchored)
		return over_by_fault(in, FAULT_parse);
	return aside_search(in); /* or a piece from the middle that only looks like a beginning */
}

/* ---- segments ---- */

static bool window_searched(struct inspection *in)
{
	if (order_is_answered(in))
		return over_by_fault(in, FAULT_hello_size);
	note_fault(in, FAULT_window); /* no server takes it while the beginning is missing */
	return false;
}

static bool read_front(struct inspection *in)
{
	in->front = order_front(in);
	in->at = 0;
	if (in->front.n)
		return go_on(in, next_message);
	return in->full ? aside_read(in, PLACE_LATE, window_searched) : false;
}

/* The first segment after a SYN with data shows what the server took of it. */
static void settle_syn_data(struct inspection *in)
{
	struct conn *c = in->conn;

	c->tcp.syn_data = false;
	if (c->stream && in->pkt->seq - c->stream->base >= c->stream->end)
		return;
	c->order.next = in->pkt->seq;
	conn_drop_stream(in->table, c);
}

bool tcp_read_segment(struct inspection *in)
{
	struct conn *c = in->conn;

	if (in->pkt->cut)
		note_fault(in, FAULT_cut);
	if (in->pkt->tcp_flags & TCP_SYN) {
		in->ground = PLACE_SYN;
		in->front = in->pkt->payload;
		return go_on(in, next_message);
	}
	if (!c)
		return read_front(in);
	if (c->tcp.syn_data)
		settle_syn_data(in);
	if (!c->tcp.row && order_is_late(c, in->pkt))
		return aside_read(in, PLACE_LATE, read_front);
	return order_is_ahead(c, in->pkt) ? aside_read(in, PLACE_AHEAD, read_front) : read_front(in);
}

/* No client waits that long for its server; or conntrack took the server for the client. */
static bool wait_for_server(struct inspection *in)
{
	order_advance(in->conn, in->pkt->seq + (uint32_t)in->pkt->payload.n);
	return ++in->conn->tcp.segments < UNKNOWN_SEGMENTS ? false : reading_over(in, OUTCOME_ALLOWED);
}

/* While the rest of a message may still come, a segment from elsewhere may as well be one that no server
 * takes: like all such it is of a stream of its own, which decides nothing but a refusal. */
static void begin_another(struct inspection *in)
{
	if (in->conn->stream && !conn_is_stale(in->conn, in->now) && !in->pkt->decoy) {
		in->pkt->decoy = true;
		in->ground = PLACE_DECOY;
		in->conn = conn_find(in->table, in->pkt);
	}
	if (in->conn && order_is_another(in->conn, in->pkt))
		conn_restart(in->table, in->conn, in->now);
}

static void begin_at_syn(struct inspection *in)
{
	struct conn *c = conn_made(in);

	conn_restart(in->table, c, in->now);
	c->tcp.syn_seen = in->pkt->payload.n == 0;
	c->order.anchored = true;
	c->order.next = in->pkt->seq;
}

static void find_connection(struct inspection *in)
{
	const struct packet *pkt = in->pkt;

	in->conn = conn_find(in->table, pkt);
	if (in->conn && in->conn->state != CONN_SERVER && pkt->payload.n &&
	    !(pkt->tcp_flags & (TCP_SYN | TCP_RST)) && order_is_another(in->conn, pkt))
		begin_another(in); /* what it leaves behind grows old */
	if (in->conn)
		conn_touch(in->table, in->conn, in->now);
}

void tcp_begin(struct inspection *in)
{
	struct packet *pkt = in->pkt;

	find_connection(in);
	if (pkt->tcp_flags & TCP_SYN) {
		if (pkt->tcp_flags & TCP_ACK)
			return;
		begin_at_syn(in);
	}
	if (pkt->payload.n == 0 || (pkt->tcp_flags & TCP_RST))
		return;
	if (!in->conn && conn_is_inherited(in->table, pkt)) {
		in->step = inherited_rest;
		return;
	}
	if (server_is_asked(in)) {
		in->step = server_read;
		return;
	}
	if (pkt->urgent || (in->conn && in->conn->urgent.last))
		urgent_take_out(in);
	if (pkt->payload.n == 0)
		return;
	if (in->conn && in->conn->state == CONN_AWAITS_SERVER)
		in->step = wait_for_server;
	else
		in->step = in->conn && conn_is_decided(in->conn) ? aside_after : tcp_read_segment;
}

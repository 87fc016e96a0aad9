/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages out of their place. The message that decided a connection may have been a decoy that its server
 * never took, or may be sent again with another name; another connection may use the same ports; and a
 * message may have foreign bytes before or around it. All of these are read for one purpose: to refuse what
 * names something listed.
 */
#include "inspect/inspect_private.h"

enum { TRIES = 8 }; /* places in one packet's bytes where a kind of message is tried */

bool aside_read(struct inspection *in, enum place place, step *next)
{
	const struct name_proto *row;
	enum wire_err            r = tcp_read_message(in, in->pkt->payload);
	bool                     whole;

	row = in->msg.row;
	if (!row || in->msg.names.n == 0 || row->weak)
		return go_on(in, next);
	/* a length in front is a weak sign, but not where it fits the segment */
	whole = r == WIRE_OK && !(row->framing.length && in->length != in->pkt->payload.n);
	message_found(in, whole || place == PLACE_LATE ? place : PLACE_PARTIAL, next);
	in->msg.peer_next = in->pkt->seq + in->urgents;
	return true;
}

/* ---- after a decision ---- */

/* Does the segment begin what a connection begins with, whose name cannot be read yet? */
static bool begins_more(const struct inspection *in)
{
	const struct name_proto *row = NULL;
	enum wire_err            err = WIRE_OK;
	struct wire              w = wire_of(in->pkt->payload, &err, true);
	struct names             names;

	while ((row = name_proto_of(TRANSPORT_STREAM, row)) != NULL)
		if (row->begins && row->begins(in->pkt->payload))
			return row->names(&w, &names) == WIRE_MORE;
	return in->late;
}

static bool after_judged(struct inspection *in)
{
	if (in->msg.names.n || !begins_more(in))
		return false;
	conn_reopen(in->table, in->conn, true);
	in->outcome = OUTCOME_OPEN;
	return go_on(in, tcp_read_segment);
}

/* It was on its way when its connection was decided; or this is a capture file. */
bool aside_after(struct inspection *in)
{
	struct conn *c = in->conn;

	in->late = order_is_late(c, in->pkt);
	in->outcome = OUTCOME_SETTLED;
	order_advance(c, in->pkt->seq + (uint32_t)in->pkt->payload.n);
	return c->state == CONN_ALLOWED && !c->tcp.content ? aside_read(in, PLACE_AFTER, after_judged) : false;
}

/* ---- inside other bytes ---- */

/* The first line may have begun in a segment that is still to come: then all is read when it has. */
static bool is_first_whole(const struct inspection *in)
{
	const struct stream *s = in->conn->stream;

	return s && in->pkt->seq != s->base;
}

/* Where the message begins whose mark is at at; NULL: that has not come. */
static const uint8_t *begin_of(const struct inspection *in, const struct name_mark *mark, const uint8_t *at)
{
	const uint8_t *line;

	if (!mark->line)
		return at;
	line = memrchr(in->front.p, '\n', (size_t)(at - in->front.p));
	if (line)
		return line + 1;
	return is_first_whole(in) ? in->front.p : NULL;
}

static void scan_for(struct inspection *in, const struct name_proto *row)
{
	in->scan.row = row;
	in->scan.at = row && !row->mark.line; /* at the front it was none */
	in->scan.tries = TRIES;
}

/* The next message of the scan's row, read into in->msg. */
static bool scan_row(struct inspection *in)
{
	const struct name_mark *mark = &in->scan.row->mark;
	const uint8_t          *p = in->front.p, *end = p + in->front.n, *at, *begin;

	while (in->scan.tries && in->scan.at < in->front.n) {
		enum wire_err err = WIRE_OK;
		struct wire   w;

		at = memmem(p + in->scan.at, in->front.n - in->scan.at, mark->bytes, mark->len);
		if (!at)
			return false;
		in->scan.tries--;
		in->scan.at = (size_t)(at - p) + 1;
		begin = begin_of(in, mark, at);
		if (!begin)
			continue;
		w = wire_of(span_of(begin, (size_t)(end - begin)), &err, true);
		message_begin(in, in->scan.row);
		(void)in->scan.row->names(&w, &in->msg.names);
		in->msg.read = span_of(begin, (size_t)(w.pos - begin));
		if (in->msg.names.n)
			return true;
	}
	return false;
}

static bool search_marks(struct inspection *in)
{
	while (in->scan.row) {
		if (scan_row(in))
			return message_found(in, PLACE_EMBEDDED, search_marks);
		scan_for(in, name_proto_marked(in->scan.row));
	}
	return go_on(in, tcp_unknown_start);
}

/* The protocol of a port whose messages have their length in front. */
static const struct name_proto *framed_at(uint16_t port)
{
	const struct name_proto *row = NULL;

	while ((row = name_proto_of(TRANSPORT_STREAM, row)) != NULL)
		if (row->port == port && row->framing.length)
			return row;
	return NULL;
}

/* A resolver passes over a message that is none, and reads what follows. */
static bool search_framed(struct inspection *in)
{
	const struct name_proto *row = framed_at(in->pkt->dport);

	while (row && in->scan.tries) {
		struct span front = in->front;

		in->scan.tries--;
		in->scan.at += row->framing.length(span_of(front.p + in->scan.at, front.n - in->scan.at));
		if (in->scan.at >= front.n)
			break;
		(void)tcp_read_message(in, span_of(front.p + in->scan.at, front.n - in->scan.at));
		if (in->msg.row && in->msg.row->framing.length && in->msg.names.n)
			return message_found(in, PLACE_EMBEDDED, search_framed);
	}
	scan_for(in, name_proto_marked(NULL));
	return go_on(in, search_marks);
}

bool aside_search(struct inspection *in)
{
	in->scan.at = 0;
	in->scan.tries = TRIES;
	return search_framed(in);
}

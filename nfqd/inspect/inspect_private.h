/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to inspect/: the steps of a reading. A step returns true when in->msg is to be judged, with
 * in->step set to where the reading goes on if it is not refused; else false, and the reading goes on at
 * in->step or, when there is none, is over.
 */
#ifndef NFQD_INSPECT_PRIVATE_H
#define NFQD_INSPECT_PRIVATE_H

#include "inspect/conn.h"
#include "inspect/inspect.h"

typedef bool step(struct inspection *in);

static inline bool go_on(struct inspection *in, step *next)
{
	in->step = next;
	return false;
}

static inline bool reading_over(struct inspection *in, enum outcome outcome)
{
	in->outcome = outcome;
	return false;
}

/* What the site says of the fault decides about the packet. */
static inline void charge_fault(struct inspection *in, enum fault what)
{
	in->charged |= 1U << what;
}

static inline void note_fault(struct inspection *in, enum fault what)
{
	in->faults[what]++;
	charge_fault(in, what);
}

static inline bool over_by_fault(struct inspection *in, enum fault what)
{
	note_fault(in, what);
	return reading_over(in, OUTCOME_FAULT);
}

/* inspect.c: in->msg is a message at a place. */
bool message_found(struct inspection *in, enum place place, step *next);
/* There is nothing but the packet's address to judge. */
bool address_found(struct inspection *in, step *next);
/* Begins in->msg anew; row NULL: of no protocol. */
void message_begin(struct inspection *in, const struct name_proto *row);
/* The packet's connection, made when there is none. */
struct conn *conn_made(struct inspection *in);
/* That of another packet; one may have to be forgotten for it, and is not to be blamed on this packet. */
struct conn *conn_made_for(struct inspection *in, const struct packet *pkt);
/* A stream for it; another one may have to go. */
struct stream *stream_made(struct inspection *in, uint32_t seq, bool anchored);
/* The packet is of no message, since the beginning of one was lost: what the site says of that loss decides, once
 * the address was judged. */
step lost_start, inherited_rest;

/* udp.c, tcp.c: begin to read a packet. */
void udp_begin(struct inspection *in);
void tcp_begin(struct inspection *in);

/* tcp.c: reads one message at the front of bytes into in->msg; in->length is its length with what frames
 * it. The protocol is detected, unless the connection is pinned to one. */
enum wire_err tcp_read_message(struct inspection *in, struct span bytes);
/* What a segment brings that is neither decided nor out of its place. */
step tcp_read_segment;
/* After bytes that are no protocol of ours were searched. */
step tcp_unknown_start;

/* aside.c: messages out of their place. Reads the segment by itself, as if a connection began with it. */
bool aside_read(struct inspection *in, enum place place, step *next);
/* A segment after what decided its connection. */
step aside_after;
/* Searches bytes that are no protocol of ours for messages in them. */
step aside_search;

/* order.c: the bytes that can be read: the segment itself where it stands alone (the usual case, nothing
 * is copied), else the front of the stream with the segment put in. n == 0: nothing new to read. */
struct span order_front(struct inspection *in);
/* Keeps bytes of an incomplete message, from the sequence number seq on. */
void order_remember(struct inspection *in, uint32_t seq, struct span bytes);
/* Of the incomplete message in in->msg, whose bytes are all that the stream has: when memory is scarce, only what decides is
 * kept. */
void order_shrink(struct inspection *in);
/* Every message up to in->at was read, as far as it has come; what is there after it is kept. */
void order_read_up_to(struct inspection *in, size_t at);
/* Remembers where the connection is when its reading ends with this packet. */
void order_end(struct conn *c, const struct packet *pkt);
/* Bytes up to this sequence number were seen. */
void order_advance(struct conn *c, uint32_t seq);
/* The peer has answered since bytes were remembered: it has seen the beginning and took it for
 * something. */
bool order_is_answered(const struct inspection *in);
/* Are the segment's bytes where bytes were read last? */
bool order_is_late(const struct conn *c, const struct packet *pkt);
/* Does it lie after a hole? */
bool order_is_ahead(const struct conn *c, const struct packet *pkt);
/* Does it belong to another connection that uses the same ports? */
bool order_is_another(const struct conn *c, const struct packet *pkt);

/* urgent.c: takes urgent bytes out of the packet. */
void urgent_take_out(struct inspection *in);

/* server.c: from now on the server's side decides. */
void server_ask(struct inspection *in);
/* Is the packet such a server's? Else a side that was waited for is forgotten. */
bool server_is_asked(struct inspection *in);
step server_read;
/* in->turned: the packet seen from the other side. */
void server_turn(struct inspection *in);
/* The client whose server the connection of the packet is; NULL: it does not wait. */
struct conn *server_client(struct inspection *in);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the pipeline: what the steps of one packet hand on, and the steps that datagrams and
 * segments share.
 */
#ifndef NFQD_PIPELINE_PRIVATE_H
#define NFQD_PIPELINE_PRIVATE_H

#include "pipeline.h"
#include "reassemble/flow.h"

/* What a packet is judged as: everything the steps below hand on. */
struct judged {
	const struct raw_packet *raw;
	struct packet           *pkt;
	struct flow             *flow; /* NULL: not needed so far */
	struct span              message;
	uint32_t                 peer_next; /* the sequence number that the receiver waits for */
	uint32_t                 urgents; /* bytes in front of the segment that its sequence number leaves out */
	bool                     full;   /* the segment lies beyond what is kept */
	bool                     unfinished; /* the rest is still to come: only what is listed is recorded */
	bool                     answer; /* the server's, turned round (pipeline_turn()) */
	bool                     begun;  /* likewise; an earlier segment had its beginning */
	bool                     dropped; /* an exception says that this packet must not pass */
	const struct name       *origin; /* what led to the names, or to the address; NULL: nothing */
	struct names             names; /* last: not cleared but by names_begin() */
};

enum { DNS_PORT = 53 };

#define VERDICT_PASS  ((struct verdict){ .state = STATE_UNDECIDED })
#define VERDICT_ALLOW ((struct verdict){ .state = STATE_ALLOWED })
#define VERDICT_DROP  ((struct verdict){ .drop = true, .state = STATE_DROPPED })

/* pipeline_udp.c, pipeline_tcp.c: a packet that was decoded. */
struct verdict pipeline_datagram(struct pipeline *p, struct judged *j);
struct verdict pipeline_segment(struct pipeline *p, struct judged *j);

static inline bool pipeline_refused(struct verdict v)
{
	return v.drop || v.replaced.n || v.state == STATE_REJECTED;
}

/* pipeline_tcp.c: reads one message; *n is its length. Its kind is guessed, but for one that keeps to
 * itself. */
enum wire_err pipeline_read_message(struct judged *j, struct span bytes,
                                    const struct name_proto **row, size_t *n);

/* RFC 1035 4.2.2: what a message over TCP says of its length, and these two bytes. */
size_t pipeline_dns_length(struct span front, size_t at);

/* pipeline_again.c: is what the segment says by itself refused, as if a connection began with it? Then
 * it is finished. again: it may have been recorded in its place, and only what is listed counts. */
bool pipeline_alone(struct pipeline *p, struct judged *j, bool again, struct verdict *v);
/* Likewise for messages somewhere in bytes that are no protocol of ours. */
bool pipeline_inside(struct pipeline *p, struct judged *j, struct span front, struct verdict *v);
/* Are its bytes those that were read last, once more? */
bool pipeline_is_in_place(const struct flow *f, const struct packet *pkt);
/* A segment of a decided connection: *v; or true, and it is read as if nothing were decided. */
bool pipeline_again(struct pipeline *p, struct judged *j, struct verdict *v);
/* Takes urgent bytes out of the packet. */
void pipeline_without_urgent(struct pipeline *p, struct judged *j);

/* pipeline_dns.c: one message over either. */
struct verdict pipeline_dns(struct pipeline *p, struct judged *j);

/* pipeline_reply.c: what a server says decides. To begin with; is this packet such an answer; and
 * what comes of it. */
struct verdict pipeline_want_replies(struct pipeline *p, struct judged *j);
bool           pipeline_is_reply(struct pipeline *p, struct judged *j);
struct verdict pipeline_reply(struct pipeline *p, struct judged *j);
/* A packet seen from the other side. */
void pipeline_turn(const struct judged *from, struct raw_packet *raw, struct packet *pkt);

/* The packet's flow, made when there is none. */
struct flow *pipeline_flow(struct pipeline *p, struct judged *j);
/* A stream for the flow; another may have to go for it. */
void pipeline_stream(struct pipeline *p, struct judged *j, uint32_t seq, bool anchored);
/* The bytes of the flow that can be read, with those of this segment; n == 0: nothing new. */
struct span pipeline_front(struct pipeline *p, struct judged *j);
/* Keeps bytes of an incomplete message, from the sequence number seq on. */
void pipeline_remember(struct pipeline *p, struct judged *j, uint32_t seq, struct span bytes);
/* Counts what could not be judged, says so now and then; the packet's fate is its policy's. */
void pipeline_exception(struct pipeline *p, struct judged *j, enum fault what);
/*
 * Decides a message: every name on its own record, the strictest decision for the packet. When no
 * name is listed the address decides: alone where there is no name, beside an unlisted one only as
 * far as a pack tells at which ports.
 */
struct verdict pipeline_judge(struct pipeline *p, struct judged *j);
/* Keeps the decision for packets that are already queued, and for capture files. */
struct verdict pipeline_finish(struct pipeline *p, struct judged *j, struct verdict v);
/* Ends inspection of a connection that cannot be judged: by the exception's policy it is allowed or
 * dropped for good. */
struct verdict pipeline_finish_exception(struct pipeline *p, struct judged *j, enum fault what);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to inspect/ and its tests: one direction of a connection, as far as it has to be remembered:
 * bytes of an incomplete message, how far it was read, what became of it (which the kernel's connection
 * mark says too, but packets already queued and capture files know nothing of marks), and which names
 * were recorded.
 *
 * The table holds a fixed number of connections; when it is full the one that was idle longest goes.
 */
#ifndef NFQD_INSPECT_CONN_H
#define NFQD_INSPECT_CONN_H

#include "inspect/inspect.h"
#include "reassemble/quic.h"
#include "reassemble/stream.h"

#define CONN_RECORDED 4

enum conn_state {
	CONN_READING,
	CONN_SERVER,        /* the server's side of one whose certificate is waited for */
	CONN_AWAITS_SERVER, /* the client's side of it */
	CONN_ALLOWED,
	CONN_REFUSED,
};

/* Written by order.c: where in the sequence numbers its reading is. */
struct order {
	bool     anchored; /* next is known: a SYN or a whole message was seen */
	uint32_t from, to; /* what was read last */
	uint32_t next;     /* the next one expected, when anchored and without a stream */
	uint32_t ack;      /* what the sender had acknowledged when its stream began */
};

/* Written by tcp.c: what a client has said so far. */
struct tcp_side {
	const struct name_proto *row; /* the protocol that it keeps to; NULL: not known, or any */
	uint8_t  segments; /* that were no message of ours; or that came while the server was waited for */
	uint8_t  requests; /* that were judged and allowed */
	uint8_t  named;    /* names of an incomplete message that were judged */
	bool     content;  /* what follows is content: nothing in it is a message */
	bool     syn_seen; /* without data: only captures show such */
	bool     syn_data; /* the stream begins with what came with the SYN: its server may not have taken it */
	const struct name_proto *body_row; /* next, or the stream's base, is where a part of its body begins */
	uint32_t body;     /* bytes of that body so far */
};

/* Written by udp.c. */
struct udp_side {
	uint8_t          segments; /* that named nothing */
	struct quic_id keys;
};

/* Written by server.c. */
struct server_side {
	bool    has_mac;
	uint8_t mac[6]; /* of the client */
};

/* Written by urgent.c: bytes on a way of their own (RFC 9293 3.8.5), over the whole connection. */
struct urgent {
	uint32_t count; /* that were taken out */
	uint32_t last;  /* where the last one is, and whether it is one of them */
	bool     taken;
};

struct conn {
	/* the key */
	struct addr src, dst;
	uint16_t    sport, dport;
	uint8_t     proto;
	bool        decoy; /* of packets that may be decoys */
	uint32_t    ifin;  /* tenants with equal addresses (conntrack zones) come in by different interfaces */

	uint64_t      id;      /* flow_id of records, below 2^53 */
	uint64_t      last;    /* ns: last packet */
	struct urgent urgent;
	bool          lost;    /* bytes of a message had to be forgotten: it is not allowed for what follows */
	uint8_t       strange; /* how often it was no protocol of ours on a resolver's port */

	/* from here on: conn_reopen() */
	uint8_t        state; /* enum conn_state */
	struct fate    fate;  /* of a decided one */
	bool           address_judged; /* it was decided before, and its address with it */
	struct stream *stream;
	struct order   order;
	union { /* by proto, and by CONN_SERVER */
		struct tcp_side    tcp; /* the largest: resets all */
		struct udp_side    udp;
		struct server_side server;
	};

	struct {
		uint32_t hash, at; /* of name and seen_in; seconds */
	} recorded[CONN_RECORDED];

	/* table */
	uint32_t hash, chain, older, newer;
	uint16_t source; /* of the stream: index of by_source */
};

static inline bool conn_is_decided(const struct conn *c)
{
	return c->state >= CONN_AWAITS_SERVER;
}

#define CONN_SOURCES 1024 /* clients are counted by a hash: two may have to share */

struct inspection {
	struct conns  *table;
	struct packet *pkt;
	struct conn   *conn; /* NULL: not needed so far */
	uint64_t       now;

	bool (*step)(struct inspection *in); /* where the reading goes on; NULL: it is over */
	enum place     ground;  /* what the packet's bytes in order are: IN_ORDER, SYN or DECOY */
	enum outcome   outcome;
	uint16_t       faults[FAULT_N];

	uint32_t       peer_next; /* without urgent bytes, as sequence numbers are counted here */
	uint32_t       urgents; /* bytes in front of the segment that its sequence number leaves out */
	bool           full;    /* the segment lies beyond what is kept */
	bool           late;    /* it lies where bytes were read already */
	struct span    front;   /* what can be read in order, and how far it was */
	size_t         at;
	size_t         length;  /* of the message last read */
	enum wire_err  read;    /* what its extractor said */
	uint32_t       quic;    /* version; 0: it is none */
	struct {
		const struct name_proto *row;
		size_t                   at;
		unsigned                 tries;
	} scan; /* for messages inside other bytes */

	struct packet  turned; /* a server's packet from its client's side */
	struct message msg;    /* last: large, and not cleared */
};

struct conns {
	struct inspection   reading; /* of the packet in hand */
	struct conn        *all;
	uint32_t           *buckets;
	struct stream_pool *pool;
	struct conn       **owner; /* of each stream of the pool; NULL: it is free */
	uint16_t            by_source[CONN_SOURCES]; /* streams in use */
	uint64_t            seed;
	uint32_t            max, n_buckets, max_streams;
	uint32_t            used; /* connections that were ever taken: memory after them is untouched */
	uint32_t            spare, oldest, newest; /* indices + 1; 0: none */
};

/* The connection of a packet's direction, or NULL. */
struct conn *conn_find(struct conns *t, const struct packet *pkt);
/* A packet of it came: it is not idle. */
void conn_touch(struct conns *t, struct conn *c, uint64_t now);
/* The same, made when there is none. *evicted: another one had to go for it. */
struct conn *conn_get(struct conns *t, const struct packet *pkt, uint64_t now, bool *evicted);
/* Forgets what is known of it but its key: the connection starts anew. */
void conn_restart(struct conns *t, struct conn *c, uint64_t now);
/* It is read as if nothing were decided; what was recorded stands. */
void conn_reopen(struct conns *t, struct conn *c, bool address_judged);
/* Returns the stream to the pool. */
void conn_drop_stream(struct conns *t, struct conn *c);
/*
 * A stream for the connection. When none is free, or when its source has an eighth of all, another one
 * loses its stream, and room says so when that was still in use: the longest idle one if it is stale; else
 * the newest of the source, or, when none is free, of the source that has most. So a flood costs its own
 * source what came last, and a client that waits for a few messages keeps them.
 */
enum conn_room { CONN_ROOM, CONN_ROOM_OF_OTHERS, CONN_ROOM_OF_SOURCE };
struct stream *conn_need_stream(struct conns *t, struct conn *c, uint32_t seq, bool anchored,
                                enum conn_room *room);
/* Idle longer than STALE_S. */
bool conn_is_stale(const struct conn *c, uint64_t now);

/* One record per name and seen_in: true when this one was not made within the last 30 s. */
bool conn_first_record(struct conn *c, uint32_t hash, uint64_t now);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to inspect/ and its tests: one direction of a connection, as far as it has to be remembered:
 * bytes of an incomplete message, how far it was read, what became of it (which the kernel's connection
 * mark says too, but packets already queued and capture files know nothing of marks), and which names
 * were recorded.
 *
 * The table holds a fixed number of connections. Those that wait for the rest of a message, or for their
 * server, are the fewer ones, at most three quarters; the others only repeat what the kernel knows, or a message would
 * begin anew on them. So when the table is full, the longest idle one of the others goes (conn.c). Who loses
 * what is kept when there is no more room for that says room.c.
 */
#ifndef NFQD_INSPECT_CONN_H
#define NFQD_INSPECT_CONN_H

#include "inspect/message.h"
#include "inspect/table.h"
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
	uint8_t       lost;    /* enum fault + 1: why bytes of a message had to be forgotten: it is not allowed
	                        * for what follows; 0: they were not */
	uint8_t       strange; /* how often it was no protocol of ours on a resolver's port */

	/* from here on: conn_reopen() */
	uint8_t        state; /* enum conn_state */
	struct fate    fate;  /* of a decided one */
	bool           address_judged; /* it was decided before, and its address with it */
	struct stream *stream;
	struct order   order;
	union { /* by proto, and by CONN_SERVER */
		struct tcp_side    tcp;
		struct udp_side    udp;
		struct server_side server;
	};

	struct {
		uint32_t hash, at; /* of name and seen_in; seconds */
	} recorded[CONN_RECORDED];

	/* table */
	uint32_t hash, chain, older, newer;
	uint8_t  list; /* enum conn_list */
	/* room.c, of one that waits: */
	bool     waits;
	uint8_t  pieces; /* of its stream, when they were counted last */
	uint32_t source; /* index of sources */
	uint32_t source_older, source_newer;
};

/* Each from the longest idle one on. */
enum conn_list {
	LIST_OTHERS,  /* nothing is kept for them */
	LIST_WAITING, /* they wait */
	LIST_LONG,    /* likewise, with pieces that all streams share */
	LISTS
};

static inline bool conn_is_decided(const struct conn *c)
{
	return c->state >= CONN_AWAITS_SERVER;
}

#define CONN_SOURCES 1024 /* at least; clients are counted by a hash: two may have to share */

/* What is kept for one client, in connections and in pieces. */
enum kept { KEPT_CONNS, KEPT_PIECES, KEPT_N };

struct source {
	uint32_t n[KEPT_N];
	uint32_t oldest, newest; /* of its connections that wait, by when they were heard last */
};

struct inspection {
	struct conns  *table;
	struct packet *pkt;
	struct conn   *conn; /* NULL: not needed so far */
	uint64_t       now;

	bool (*step)(struct inspection *in); /* where the reading goes on; NULL: it is over */
	enum place     ground;  /* what the packet's bytes in order are: IN_ORDER, SYN or DECOY */
	enum outcome   outcome;
	uint16_t       faults[FAULT_N];
	uint32_t       charged; /* bit per fault: those that decide about this packet */

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
	struct source      *sources;
	uint32_t           *forgotten; /* hash and second of connections that had to go while they mattered */
	uint32_t           *kept;      /* likewise, of those that wait; outlives the process; NULL: nothing does */
	uint64_t            heir_until; /* ns: a dead worker's may be met; 0: there was none; 1: see conns_age() */
	uint64_t            seed;
	uint32_t            max, n_buckets, n_sources, n_forgotten;
	uint32_t            used; /* connections that were ever taken: memory after them is untouched */
	/* indices + 1; 0: none */
	uint32_t            spare, oldest[LISTS], newest[LISTS];
	uint32_t            waiting, max_waiting, max_pieces;
	uint32_t            share[KEPT_N], reserve[KEPT_N]; /* what one client has at most; what is never taken
	                                                     * from it for one that has less */
	uint32_t            busiest[KEPT_N]; /* a source that has most, or had it lately */
};

/* Indices are kept plus one, so that zeroed memory means "none". */
static inline struct conn *conn_at(const struct conns *t, uint32_t i)
{
	return i ? &t->all[i - 1] : NULL;
}

static inline uint32_t conn_index(const struct conns *t, const struct conn *c)
{
	return (uint32_t)(c - t->all) + 1;
}

/* The connection of a packet's direction, or NULL. */
struct conn *conn_find(struct conns *t, const struct packet *pkt);
/* Did a worker that died wait for the rest of it? */
bool conn_is_inherited(const struct conns *t, const struct packet *pkt);
/* It waits, or waits no more: kept for a worker after this one. */
void conn_keep(struct conns *t, const struct conn *c, bool waits);
/* A packet of it came: it is not idle. */
void conn_touch(struct conns *t, struct conn *c, uint64_t now);
/* The same, made when there is none. *evicted: another one had to go for it. */
struct conn *conn_get(struct conns *t, const struct packet *pkt, uint64_t now, bool *evicted);
/* Forgets what is known of it but its key: the connection starts anew. */
void conn_restart(struct conns *t, struct conn *c, uint64_t now);
/* It is read as if nothing were decided; what was recorded stands. */
void conn_reopen(struct conns *t, struct conn *c, bool address_judged);
/* Puts it where it is found as the youngest of a list. */
void conn_enlist(struct conns *t, struct conn *c, enum conn_list list);
/* Removes it from the table. What mattered of it is remembered: the same connection, made anew, is lost. */
void conn_forget(struct conns *t, struct conn *c, uint64_t now);

/* room.c. Returns the stream to the pool. */
void conn_drop_stream(struct conns *t, struct conn *c);
/*
 * A stream for the connection, with room for as much as a stream may hold. When there is none left, or when
 * its source has an eighth of all, another one loses what is kept for it; the packet in hand notes that as a fault
 * unless that one was stale. It is the longest idle one when the rest of its message is not to be expected any
 * more; else the newest of the source, or, when there is none left, of the source that has most, if that has
 * more than is reserved for each. So a flood costs its own source what came last, and a client that waits for a
 * few messages keeps them.
 */
struct stream *conn_need_stream(struct conns *t, struct conn *c, uint32_t seq, bool anchored);
/* Brings up to date what is known of c's share; to be called when its state or its stream has changed. Another one
 * may lose what is kept for it. */
void conn_account(struct conns *t, struct conn *c);
/* It was heard last of its source. */
void conn_source_touch(struct conns *t, struct conn *c);
/* More than half of the pieces are in use: a stream should hold no more than decides. */
bool conn_room_is_scarce(const struct conns *t);
/* Idle longer than BOUND_STALE. */
bool conn_is_stale(const struct conn *c, uint64_t now);

/* One record per name and seen_in: true when this one was not made within the last 30 s. */
bool conn_first_record(struct conn *c, uint32_t hash, uint64_t now);

#endif

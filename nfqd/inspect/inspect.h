/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets in, messages out: what one packet completes of the messages on its connection, each with
 * the place where it was found. Nothing here knows rules, verdicts, records or packets of our own.
 *
 *	struct inspection    *in = conn_of(table, &pkt, now);
 *	const struct message *m;
 *
 *	while (!refused && (m = conn_next(in)))
 *		refused = ... m->names, as far as place_rights[m->place] go ...
 *	conn_settle(in, refused, ...);
 *
 * To ask for the next message says that the one before was not refused: what is read after a message
 * depends on it. The connection belongs to the table, which one thread uses; it is bounded, and what it
 * had to forget is a fault like all that could not be read.
 */
#ifndef NFQD_INSPECT_INSPECT_H
#define NFQD_INSPECT_INSPECT_H

#include "base/fault.h"
#include "decode/packet.h"
#include "name/name.h"

/* Where a message was found. */
enum place {
	PLACE_IN_ORDER, /* where the client's next message stands; nothing named: only the address */
	PLACE_PARTIAL,  /* the rest of it is still to come */
	PLACE_SYN,      /* with the SYN (RFC 7413): a server may throw it away and be sent another */
	PLACE_DECOY,    /* in packets that may never reach their server */
	PLACE_LATE,     /* where bytes were read already: a retransmission, or other bytes in its place */
	PLACE_AHEAD,    /* after a hole that may never be filled */
	PLACE_AFTER,    /* after what decided the connection */
	PLACE_EMBEDDED, /* inside bytes that are no protocol of ours */
	PLACE_DATAGRAM, /* alone in a datagram; each decides for itself */
	PLACE_SERVER,   /* what the server shows of itself: its certificate */
	PLACES
};

/* What a message may do at its place. */
struct place_rights {
	bool may_allow;        /* unlisted, it may let its connection go for good */
	bool may_refuse;
	bool only_listed;      /* without a listed name it is not judged: it was, or will be, in its place */
	bool records_unlisted; /* with `events: all` */
	bool ends;             /* refused, it ends its connection */
};

extern const struct place_rights place_rights[PLACES];

struct message {
	enum place                place;
	const struct name_proto  *row;  /* NULL: no protocol of ours, there is only the address */
	/* borrowed; of what a server says it is its client's side: addresses, ports and numbers turned round */
	const struct packet      *pkt;
	struct span               bytes; /* the message, without a length in front */
	struct span               read;  /* what was read of it, with that; borrowed */
	uint32_t                  peer_next; /* TCP: the sequence number that the receiver waits for */
	bool                      from_server;
	bool                      begun; /* likewise, and the client has the beginning of it already */
	struct names              names; /* last: not cleared but by names_begin() */
};

/* What the reading of a packet came to, when no message was refused. */
enum outcome {
	OUTCOME_OPEN,       /* nothing was decided */
	OUTCOME_WAITS,      /* likewise: bytes of an incomplete message are kept */
	OUTCOME_ALLOWED,    /* nothing more will be read of the connection */
	OUTCOME_ASK_SERVER, /* what its server says decides */
	OUTCOME_FAULT,      /* it cannot be read on: what the site says of the packet's faults decides */
	OUTCOME_SETTLED,    /* it was decided before: conn_fate() */
	OUTCOMES
};

/* What the later packets of a connection meet: the caller's words, kept for it. */
struct fate {
	uint8_t state;
	bool    drop;
};

struct conns;
struct inspection;

/* max bounds the connections (each about 200 bytes); max_streams, at most three quarters of them, those whose message
 * is incomplete (200 bytes each, and as many pieces of 150 bytes that all share). Returns NULL when memory ran out. */
struct conns *conns_new(uint32_t max, uint32_t max_streams);
void          conns_free(struct conns *t);
/* What a worker that dies leaves to the next one, so that the rest of a message is known for what it is: memory of
 * that size, zeroed at first and shared; the caller's. */
size_t conns_kept_size(uint32_t max);
void   conns_keep(struct conns *t, void *memory);
/* Forgets connections that were idle for too long; cheap when there are none. */
void conns_age(struct conns *t, uint64_t now);

/* Begins to read a packet, which stays the caller's and is changed: urgent bytes are taken out. Valid
 * until the next call. now in ns. */
struct inspection *conn_of(struct conns *t, struct packet *pkt, uint64_t now);
/* The next message, valid until the next call; NULL: there is none. */
const struct message *conn_next(struct inspection *in);

enum outcome conn_outcome(const struct inspection *in);
struct fate  conn_fate(const struct inspection *in);
/* The sequence number that the packet's receiver waits for, if all before it has come. */
uint32_t conn_peer_next(const struct inspection *in);
/* How often each fault came up in this packet. */
const uint16_t *conn_faults(const struct inspection *in);
/* Is what the site says of the fault meant for this packet? It is not when the packet only made another connection
 * lose its beginning: that one's own packets are charged with the loss. */
bool conn_fault_decides(const struct inspection *in, enum fault what);

/*
 * Ends the reading. refused: the message last read was, or the site drops for OUTCOME_FAULT. fate is what
 * later packets meet when that, or the outcome, decides the connection. False: it stays undecided all the
 * same, since this packet may decide nothing but a refusal.
 */
bool conn_settle(struct inspection *in, bool refused, struct fate fate);

/* For records of the message last read: is this hash of a name new within 30 s; the connection's number,
 * below 2^53. */
bool     conn_record_once(struct inspection *in, uint32_t hash);
uint64_t conn_id(struct inspection *in);

#endif

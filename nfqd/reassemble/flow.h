/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of a connection, as far as the daemon has to remember it: bytes of an incomplete
 * message, the verdict once there is one (what the kernel's connection mark says too, but packets
 * already queued and capture files know nothing of marks), and which names were recorded.
 *
 * The table holds a fixed number of flows; when it is full the one that was idle longest goes.
 */
#ifndef NFQD_REASSEMBLE_FLOW_H
#define NFQD_REASSEMBLE_FLOW_H

#include "decode/packet.h"
#include "reassemble/stream.h"

struct name_proto;

#define FLOW_RECORDED 4

struct flow {
	/* the key */
	struct addr src, dst;
	uint16_t    sport, dport;
	uint8_t     proto;
	bool        decoy; /* of segments that may be decoys */

	bool     decided;
	bool     server;   /* a server's side whose certificate is waited for */
	bool     syn_seen; /* without data: only captures show such */
	bool     anchored; /* next is known: a SYN or a whole message was seen */
	uint8_t  state;    /* enum verdict_state, when decided */
	bool     drop;     /* likewise: the packet itself goes no further */
	uint8_t  segments; /* of a start that is no protocol of ours */
	uint8_t  requests; /* that were judged and allowed */
	uint8_t  strange;  /* how often it was no protocol of ours on a resolver's port */
	bool     again;    /* was decided before, its address with it */
	bool     syn_data; /* the stream begins with what came with the SYN: its server may not have taken it */
	uint32_t urgents;  /* urgent bytes that were taken out */
	bool     urgent_out;
	uint32_t urgent;   /* where the last one is, and whether it is one of them */
	uint32_t from, to; /* sequence numbers of what was read last */
	bool     chunked;  /* next, or the stream's base, is where a chunk of a body begins */
	uint32_t body;     /* bytes of that body so far */
	uint8_t  named;    /* names of an incomplete message that were judged */
	uint32_t begun_at_ack; /* what the client had acknowledged when the stream began */
	uint32_t next;     /* the next sequence number expected, when anchored and without stream */
	uint64_t id;       /* EVE flow_id, below 2^53 */
	uint64_t last;     /* ns: last packet */

	const struct name_proto *row; /* the protocol, once recognised */
	struct stream           *stream;

	uint8_t dcid_len, dcid[20]; /* QUIC: the connection ID that the keys came from */
	bool    has_mac;
	uint8_t mac[6]; /* of the client, for its server's side */

	struct {
		uint32_t hash, at; /* of name and seen_in; seconds */
	} recorded[FLOW_RECORDED];

	/* table */
	uint32_t hash, chain, older, newer;
	uint16_t source; /* of the stream: index of by_source */
};

#define FLOW_SOURCES 1024 /* clients are counted by a hash: two may have to share */

struct flow_table {
	struct flow        *flows;
	uint32_t           *buckets;
	struct stream_pool *pool;
	struct flow       **owner; /* of each stream of the pool; NULL: it is free */
	uint16_t            by_source[FLOW_SOURCES]; /* streams in use */
	uint64_t            seed;
	uint32_t            max, n_buckets, max_streams;
	uint32_t            used; /* flows that were ever taken: memory behind them is untouched */
	uint32_t            spare, oldest, newest; /* indices + 1; 0: none */
};

/* Returns NULL when memory ran out. */
struct flow_table *flow_table_new(uint32_t max_flows, uint32_t max_streams);
void               flow_table_free(struct flow_table *t);

/* The flow of a packet's direction, or NULL. */
struct flow *flow_table_find(struct flow_table *t, const struct packet *pkt);
/* A packet of the flow came: it is not idle. */
void flow_touch(struct flow_table *t, struct flow *f, uint64_t now);
/* The same, made when there is none. *evicted: another flow had to go for it. */
struct flow *flow_table_get(struct flow_table *t, const struct packet *pkt, uint64_t now,
                            bool *evicted);
/* Forgets what is known of a flow but its key: the connection starts anew. */
void flow_restart(struct flow_table *t, struct flow *f, uint64_t now);
/* The same, but what was recorded stands. */
void flow_begin_again(struct flow_table *t, struct flow *f);
/* Bytes up to this sequence number were seen. */
static inline void flow_advance(struct flow *f, uint32_t seq)
{
	if ((int32_t)(seq - f->next) > 0)
		f->next = seq;
}
/* Gives the stream back. */
void flow_drop_stream(struct flow_table *t, struct flow *f);
/*
 * A stream for the flow. When none is free, or when its source has an eighth of all, the longest
 * idle flow, or the source's longest idle one, loses its stream; room says so when it was still in use.
 */
enum flow_room { FLOW_ROOM, FLOW_ROOM_OF_OTHERS, FLOW_ROOM_OF_SOURCE };
struct stream *flow_need_stream(struct flow_table *t, struct flow *f, uint32_t seq, bool anchored,
                                enum flow_room *room);
/* Idle for so long that hardly anybody still waits for the rest of a message. */
bool flow_is_stale(const struct flow *f, uint64_t now);
/* Forgets flows that were idle for too long; cheap when there are none. */
void flow_table_age(struct flow_table *t, uint64_t now);

/* One record per name and seen_in: true when this one was not made within the last 30 s. */
bool flow_record_once(struct flow *f, uint32_t hash, uint64_t now);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bounded table of connections: hash chains over one array, and a list that begins with the longest
 * idle. */
#include "inspect/conn.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"

enum {
	RECORD_ONCE_S = 30,
	AGE_PER_CALL = 4,
	SHARE_LEAST = 4, /* connections that every source may have wait */
	RESERVES = BOUND_WAITING / BOUND_RESERVE, /* one part of so many is reserved for each source */
	FORGOTTEN_PER_CONN = BOUND_LOST / BOUND_CONNS,
	FORGOTTEN_LEAST = 4096,
	SPARED = 2 /* connections that never lose: the packet's, and the one that there must be room for */
};

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* As many as there are for all, in proportion; and the stream in hand needs so many, beside another one. */
static uint32_t pieces_for(uint32_t max_streams)
{
	uint64_t all = BOUND_SHARED / STREAM_PIECE;

	return larger((uint32_t)(all * max_streams / BOUND_WAITING), 2 * STREAM_PIECES);
}

static uint32_t n_forgotten(uint32_t max)
{
	return larger(FORGOTTEN_PER_CONN * max, FORGOTTEN_LEAST);
}

struct conns *conns_new(uint32_t max, uint32_t max_streams)
{
	struct conns *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->max = max;
	t->n_buckets = max + max / 2;
	t->all = calloc(max, sizeof(*t->all));
	t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
	t->max_waiting = max_streams;
	t->n_sources = larger(max_streams, CONN_SOURCES);
	t->n_forgotten = n_forgotten(max);
	t->share[KEPT_CONNS] = larger(max_streams / BOUND_SHARE, SHARE_LEAST);
	t->share[KEPT_PIECES] = larger(pieces_for(max_streams) / BOUND_SHARE, STREAM_PIECES);
	t->reserve[KEPT_CONNS] = larger(max_streams / RESERVES, 1);
	t->reserve[KEPT_PIECES] = STREAM_PIECES;
	t->max_pieces = pieces_for(max_streams);
	t->pool = stream_pool_new(max_streams + SPARED, t->max_pieces);
	t->sources = calloc(t->n_sources, sizeof(*t->sources));
	t->forgotten = calloc(t->n_forgotten, sizeof(*t->forgotten));
	if (!t->all || !t->buckets || !t->pool || !t->sources || !t->forgotten ||
	    getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed)) {
		conns_free(t);
		return NULL;
	}
	return t;
}

void conns_free(struct conns *t)
{
	if (!t)
		return;
	stream_pool_free(t->pool);
	free(t->forgotten);
	free(t->sources);
	free(t->buckets);
	free(t->all);
	free(t);
}

static uint64_t key_hash(const struct conns *t, const struct packet *pkt)
{
	struct {
		struct addr src, dst;
		uint16_t    sport, dport;
		uint8_t     proto, decoy;
	} key = { pkt->src, pkt->dst, pkt->sport, pkt->dport, pkt->proto, pkt->decoy };

	_Static_assert(sizeof(key) == 2 * sizeof(struct addr) + 6, "no padding in the key");
	return hash64(&key, sizeof(key), t->seed);
}

/* What a server sends may come in by another interface than its client's packets left by. */
static bool same_key(const struct conn *c, const struct packet *pkt)
{
	return c->sport == pkt->sport && c->dport == pkt->dport && c->proto == pkt->proto &&
	       c->decoy == pkt->decoy && (c->ifin == pkt->ifin || c->state == CONN_SERVER) &&
	       addr_eq(&c->src, &pkt->src) && addr_eq(&c->dst, &pkt->dst);
}

static struct conn *find(struct conns *t, const struct packet *pkt, uint64_t hash)
{
	struct conn *c = conn_at(t, t->buckets[hash_range(hash, t->n_buckets)]);

	while (c && !(c->hash == (uint32_t)hash && same_key(c, pkt)))
		c = conn_at(t, c->chain);
	return c;
}

/* ---- lists ---- */

static void unlist(struct conns *t, struct conn *c)
{
	struct conn *older = conn_at(t, c->older), *newer = conn_at(t, c->newer);

	*(older ? &older->newer : &t->oldest[c->list]) = c->newer;
	*(newer ? &newer->older : &t->newest[c->list]) = c->older;
}

static void list_push(struct conns *t, struct conn *c, enum conn_list list)
{
	struct conn *newest = conn_at(t, t->newest[list]);

	c->list = (uint8_t)list;
	c->older = t->newest[list];
	c->newer = 0;
	t->newest[list] = conn_index(t, c);
	*(newest ? &newest->newer : &t->oldest[list]) = t->newest[list];
}

void conn_enlist(struct conns *t, struct conn *c, enum conn_list list)
{
	unlist(t, c);
	list_push(t, c, list);
}

void conn_touch(struct conns *t, struct conn *c, uint64_t now)
{
	c->last = now;
	conn_enlist(t, c, c->list);
	conn_source_touch(t, c);
}

/* ---- what was forgotten ---- */

/* Both in `forgotten` and in `kept`: 24 bits of the hash, 8 of the second. */
static uint32_t forgotten_mark(uint64_t hash, uint64_t now)
{
	return (uint32_t)hash << 8 | (uint8_t)(now / NS_PER_S);
}

static bool has_mark(const struct conns *t, const uint32_t *marks, uint64_t hash, uint64_t now)
{
	uint32_t mark = forgotten_mark(hash, now), slot = marks[hash_range(hash, t->n_forgotten)];

	return slot && slot >> 8 == mark >> 8 && (uint8_t)(mark - slot) < BOUND_IDLE;
}

/* Why a connection that is made anew has lost its beginning: enum fault + 1; 0: it has not. */
static uint8_t why_lost(struct conns *t, uint64_t hash, uint64_t now)
{
	if (has_mark(t, t->forgotten, hash, now))
		return FAULT_flows_full + 1;
	if (!t->heir_until || !has_mark(t, t->kept, hash, now))
		return 0;
	t->kept[hash_range(hash, t->n_forgotten)] = 0;
	return FAULT_worker_died + 1;
}

/* ---- what outlives this process ---- */

/* The seed comes first, then the marks. */
size_t conns_kept_size(uint32_t max)
{
	return sizeof(uint64_t) + n_forgotten(max) * sizeof(uint32_t);
}

void conns_keep(struct conns *t, void *memory)
{
	uint64_t *seed = memory;

	t->kept = (uint32_t *)(seed + 1);
	t->heir_until = *seed != 0;
	if (*seed)
		t->seed = *seed;
	*seed = t->seed;
}

static struct packet key_of(const struct conn *c)
{
	return (struct packet){ .src = c->src, .dst = c->dst, .sport = c->sport, .dport = c->dport, .proto = c->proto,
		                .decoy = c->decoy };
}

void conn_keep(struct conns *t, const struct conn *c, bool waits)
{
	struct packet key = key_of(c);
	uint64_t      hash;
	uint32_t     *slot;

	if (!t->kept)
		return;
	hash = key_hash(t, &key);
	slot = &t->kept[hash_range(hash, t->n_forgotten)];
	if (waits)
		*slot = forgotten_mark(hash, c->last);
	else if (*slot >> 8 == (hash & 0xffffff))
		*slot = 0;
}

bool conn_is_inherited(const struct conns *t, const struct packet *pkt)
{
	return t->heir_until && has_mark(t, t->kept, key_hash(t, pkt), t->reading.now);
}

/* Would what follows be taken for something else, had its connection been forgotten? A decided one's decision
 * stands in the kernel. */
static bool matters(const struct conn *c)
{
	return c->lost || c->waits ||
	       (c->proto == IPPROTO_TCP && c->state == CONN_READING && (c->order.anchored || c->tcp.row));
}

void conn_forget(struct conns *t, struct conn *c, uint64_t now)
{
	struct packet key = key_of(c);
	uint64_t      hash = key_hash(t, &key);
	uint32_t     *link = &t->buckets[hash_range(hash, t->n_buckets)];
	uint32_t      me = conn_index(t, c);

	if (matters(c))
		t->forgotten[hash_range(hash, t->n_forgotten)] = forgotten_mark(hash, now);
	while (*link != me)
		link = &conn_at(t, *link)->chain;
	*link = c->chain;
	c->state = CONN_READING;
	conn_drop_stream(t, c);
	unlist(t, c);
	c->chain = t->spare;
	t->spare = me;
}

/* ---- connections ---- */

struct conn *conn_find(struct conns *t, const struct packet *pkt)
{
	return find(t, pkt, key_hash(t, pkt));
}

/* The longest idle one of the first list that has any; the packet's own only if there is no other. */
static struct conn *longest_idle(const struct conns *t)
{
	for (unsigned i = 0; i < LISTS; i++) {
		struct conn *c = conn_at(t, t->oldest[i]);

		if (c && c == t->reading.conn)
			c = conn_at(t, c->newer);
		if (c)
			return c;
	}
	return t->reading.conn;
}

struct conn *conn_get(struct conns *t, const struct packet *pkt, uint64_t now,
                            bool *evicted)
{
	uint64_t     hash = key_hash(t, pkt);
	struct conn *c = find(t, pkt, hash);
	uint32_t    *bucket = &t->buckets[hash_range(hash, t->n_buckets)];

	*evicted = false;
	if (c) {
		conn_touch(t, c, now);
		return c;
	}
	if (!t->spare && t->used < t->max) {
		t->spare = ++t->used;
	} else if (!t->spare) {
		*evicted = true;
		conn_forget(t, longest_idle(t), now);
	}
	c = conn_at(t, t->spare);
	t->spare = c->chain;
	*c = (struct conn){ .src = pkt->src, .dst = pkt->dst, .sport = pkt->sport,
		            .dport = pkt->dport, .proto = pkt->proto, .decoy = pkt->decoy,
		            .ifin = pkt->ifin, .hash = (uint32_t)hash, .chain = *bucket };
	*bucket = conn_index(t, c);
	list_push(t, c, LIST_OTHERS);
	conn_restart(t, c, now);
	c->lost = why_lost(t, hash, now);
	return c;
}

void conn_reopen(struct conns *t, struct conn *c, bool address_judged)
{
	conn_drop_stream(t, c);
	c->state = CONN_READING;
	c->fate = (struct fate){ 0 };
	c->address_judged = address_judged;
	c->order = (struct order){ 0 };
	/* which of them is the largest depends on the machine */
	c->tcp = (struct tcp_side){ 0 };
	c->udp = (struct udp_side){ 0 };
	c->server = (struct server_side){ 0 };
	conn_account(t, c);
}

void conn_restart(struct conns *t, struct conn *c, uint64_t now)
{
	conn_reopen(t, c, false);
	c->urgent = (struct urgent){ 0 };
	c->lost = 0;
	c->strange = 0;
	c->last = now;
	c->id = hash64(&now, sizeof(now), (uint64_t)c->hash << 32 ^ t->seed) >> 11;
	memset(c->recorded, 0, sizeof(c->recorded));
}

/* The longest idle one of a list, if it was idle for too long. */
static struct conn *too_old(const struct conns *t, enum conn_list list, uint64_t now)
{
	struct conn *c = conn_at(t, t->oldest[list]);

	return c && now >= c->last + BOUND_IDLE * NS_PER_S ? c : NULL;
}

void conns_age(struct conns *t, uint64_t now)
{
	struct conn *c;

	if (t->heir_until == 1 && now) /* 0: no packet came so far */
		t->heir_until = now + BOUND_IDLE * NS_PER_S;
	if (now >= t->heir_until)
		t->heir_until = 0; /* what is kept now is all of this worker's own */
	for (unsigned list = 0; list < LISTS; list++)
		for (unsigned i = 0; i < AGE_PER_CALL && (c = too_old(t, list, now)) != NULL; i++)
			conn_forget(t, c, now);
}

bool conn_first_record(struct conn *c, uint32_t hash, uint64_t now)
{
	uint32_t second = (uint32_t)(now / NS_PER_S);
	unsigned old = 0;

	for (unsigned i = 0; i < CONN_RECORDED; i++) {
		if (c->recorded[i].hash == hash && c->recorded[i].at &&
		    second - c->recorded[i].at < RECORD_ONCE_S)
			return false;
		if (c->recorded[i].at < c->recorded[old].at)
			old = i;
	}
	c->recorded[old].hash = hash;
	c->recorded[old].at = second;
	return true;
}

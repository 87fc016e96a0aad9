/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bounded table of connections: hash chains over one array, and a list that begins with the longest
 * idle. */
#include "inspect/conn.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/hash.h"

enum {
	IDLE_S = 120,
	STALE_S = 20, /* idle for longer, another connection may have its stream */
	RECORD_ONCE_S = 30,
	AGE_PER_CALL = 4,
	SHARE_LEAST = 4 /* streams that every source may have */
};

/* Indices are kept plus one, so that zeroed memory means "none". */
static struct conn *at(struct conns *t, uint32_t i)
{
	return i ? &t->all[i - 1] : NULL;
}

static uint32_t index_of(const struct conns *t, const struct conn *c)
{
	return (uint32_t)(c - t->all) + 1;
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
	t->max_streams = max_streams;
	t->pool = stream_pool_new(max_streams);
	t->owner = calloc(max_streams, sizeof(*t->owner));
	if (!t->all || !t->buckets || !t->pool || !t->owner ||
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
	free(t->owner);
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
	struct conn *c = at(t, t->buckets[hash_range(hash, t->n_buckets)]);

	while (c && !(c->hash == (uint32_t)hash && same_key(c, pkt)))
		c = at(t, c->chain);
	return c;
}

static void age_list_remove(struct conns *t, struct conn *c)
{
	struct conn *older = at(t, c->older), *newer = at(t, c->newer);

	*(older ? &older->newer : &t->oldest) = c->newer;
	*(newer ? &newer->older : &t->newest) = c->older;
}

static void age_list_push(struct conns *t, struct conn *c)
{
	struct conn *newest = at(t, t->newest);

	c->older = t->newest;
	c->newer = 0;
	t->newest = index_of(t, c);
	*(newest ? &newest->newer : &t->oldest) = t->newest;
}

void conn_touch(struct conns *t, struct conn *c, uint64_t now)
{
	c->last = now;
	age_list_remove(t, c);
	age_list_push(t, c);
}

struct conn *conn_find(struct conns *t, const struct packet *pkt)
{
	return find(t, pkt, key_hash(t, pkt));
}

void conn_drop_stream(struct conns *t, struct conn *c)
{
	if (!c->stream)
		return;
	t->owner[stream_index(t->pool, c->stream)] = NULL;
	t->by_source[c->source]--;
	stream_put(t->pool, c->stream);
	c->stream = NULL;
}

static void forget(struct conns *t, struct conn *c)
{
	struct packet key = { .src = c->src, .dst = c->dst, .sport = c->sport, .dport = c->dport,
		              .proto = c->proto, .decoy = c->decoy };
	uint32_t     *link = &t->buckets[hash_range(key_hash(t, &key), t->n_buckets)];
	uint32_t      me = index_of(t, c);

	while (*link != me)
		link = &at(t, *link)->chain;
	*link = c->chain;
	age_list_remove(t, c);
	conn_drop_stream(t, c);
	c->chain = t->spare;
	t->spare = me;
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
		forget(t, at(t, t->oldest));
	}
	c = at(t, t->spare);
	t->spare = c->chain;
	*c = (struct conn){ .src = pkt->src, .dst = pkt->dst, .sport = pkt->sport,
		            .dport = pkt->dport, .proto = pkt->proto, .decoy = pkt->decoy,
		            .ifin = pkt->ifin, .hash = (uint32_t)hash, .chain = *bucket };
	*bucket = index_of(t, c);
	age_list_push(t, c);
	conn_restart(t, c, now);
	return c;
}

void conn_reopen(struct conns *t, struct conn *c, bool address_judged)
{
	_Static_assert(sizeof(struct tcp_side) >= sizeof(struct udp_side) &&
	               sizeof(struct tcp_side) >= sizeof(struct server_side), "tcp resets the union");
	conn_drop_stream(t, c);
	c->state = CONN_READING;
	c->fate = (struct fate){ 0 };
	c->address_judged = address_judged;
	c->order = (struct order){ 0 };
	c->tcp = (struct tcp_side){ 0 };
}

void conn_restart(struct conns *t, struct conn *c, uint64_t now)
{
	conn_reopen(t, c, false);
	c->urgent = (struct urgent){ 0 };
	c->lost = false;
	c->strange = 0;
	c->last = now;
	c->id = hash64(&now, sizeof(now), (uint64_t)c->hash << 32 ^ t->seed) >> 11;
	memset(c->recorded, 0, sizeof(c->recorded));
}

/* Of the connections that have a stream; source < CONN_SOURCES: only those of that source. newest: the one
 * that was heard last instead of the longest idle one. */
static struct conn *find_owner(const struct conns *t, uint16_t source, bool newest)
{
	struct conn *best = NULL;

	for (uint32_t i = 0; i < t->max_streams; i++) {
		struct conn *c = t->owner[i];

		if (c && (source == CONN_SOURCES || c->source == source) &&
		    (!best || (newest ? c->last > best->last : c->last < best->last)))
			best = c;
	}
	return best;
}

/* The source that has most streams; CONN_SOURCES: none has more than one. */
static uint16_t busiest_source(const struct conns *t)
{
	uint16_t best = CONN_SOURCES, most = 1;

	for (uint32_t i = 0; i < t->max_streams; i++) {
		const struct conn *c = t->owner[i];

		if (c && t->by_source[c->source] > most) {
			best = c->source;
			most = t->by_source[best];
		}
	}
	return best;
}

/* Whose stream is taken for another one of that source, or, CONN_SOURCES, of any. */
static struct conn *choose_owner(const struct conns *t, uint16_t source, uint64_t now)
{
	struct conn *idle = find_owner(t, source, false);

	if (conn_is_stale(idle, now))
		return idle;
	if (source == CONN_SOURCES)
		source = busiest_source(t);
	return find_owner(t, source, source != CONN_SOURCES);
}

bool conn_is_stale(const struct conn *c, uint64_t now)
{
	return now > c->last + STALE_S * NS_PER_S;
}

/* Its stream is needed by c; says what that means for the one that loses it. */
static enum conn_room take_from(struct conns *t, struct conn *loser, const struct conn *c,
                                enum conn_room room)
{
	conn_drop_stream(t, loser);
	loser->lost = true;
	return conn_is_stale(loser, c->last) ? CONN_ROOM : room;
}

struct stream *conn_need_stream(struct conns *t, struct conn *c, uint32_t seq, bool anchored,
                                enum conn_room *room)
{
	uint32_t share = t->max_streams / 8 < SHARE_LEAST ? SHARE_LEAST : t->max_streams / 8;

	*room = CONN_ROOM;
	if (c->stream)
		return c->stream;
	c->source = (uint16_t)(hash64(c->src.b, c->src.len, t->seed) % CONN_SOURCES);
	if (t->by_source[c->source] >= share)
		*room = take_from(t, choose_owner(t, c->source, c->last), c, CONN_ROOM_OF_SOURCE);
	c->stream = stream_get(t->pool, seq, anchored);
	if (!c->stream) {
		*room = take_from(t, choose_owner(t, CONN_SOURCES, c->last), c, CONN_ROOM_OF_OTHERS);
		c->stream = stream_get(t->pool, seq, anchored);
	}
	t->owner[stream_index(t->pool, c->stream)] = c;
	t->by_source[c->source]++;
	return c->stream;
}

void conns_age(struct conns *t, uint64_t now)
{
	for (unsigned i = 0; i < AGE_PER_CALL; i++) {
		struct conn *c = at(t, t->oldest);

		if (!c || now < c->last + IDLE_S * NS_PER_S)
			return;
		forget(t, c);
	}
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

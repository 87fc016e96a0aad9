/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bounded flow table: hash chains over one array, and a list from the longest idle on. */
#include "reassemble/flow.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/hash.h"

enum {
	IDLE_S = 120,
	STALE_S = 20, /* idle for longer, a stream is missed by nobody when another needs its place */
	RECORD_ONCE_S = 30,
	AGE_PER_CALL = 4,
	SHARE_LEAST = 4 /* streams that every source may have */
};

/* Indices are kept plus one, so that zeroed memory means "none". */
static struct flow *at(struct flow_table *t, uint32_t i)
{
	return i ? &t->flows[i - 1] : NULL;
}

static uint32_t index_of(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->flows) + 1;
}

struct flow_table *flow_table_new(uint32_t max_flows, uint32_t max_streams)
{
	struct flow_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->max = max_flows;
	t->n_buckets = max_flows + max_flows / 2;
	t->flows = calloc(max_flows, sizeof(*t->flows));
	t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
	t->max_streams = max_streams;
	t->pool = stream_pool_new(max_streams);
	t->owner = calloc(max_streams, sizeof(*t->owner));
	if (!t->flows || !t->buckets || !t->pool || !t->owner ||
	    getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed)) {
		flow_table_free(t);
		return NULL;
	}
	return t;
}

void flow_table_free(struct flow_table *t)
{
	if (!t)
		return;
	stream_pool_free(t->pool);
	free(t->owner);
	free(t->buckets);
	free(t->flows);
	free(t);
}

static uint64_t key_hash(const struct flow_table *t, const struct packet *pkt)
{
	struct {
		struct addr src, dst;
		uint16_t    sport, dport;
		uint8_t     proto, decoy;
	} key = { pkt->src, pkt->dst, pkt->sport, pkt->dport, pkt->proto, pkt->decoy };

	_Static_assert(sizeof(key) == 2 * sizeof(struct addr) + 6, "no padding in the key");
	return hash64(&key, sizeof(key), t->seed);
}

static bool same_key(const struct flow *f, const struct packet *pkt)
{
	return f->sport == pkt->sport && f->dport == pkt->dport && f->proto == pkt->proto &&
	       f->decoy == pkt->decoy &&
	       addr_eq(&f->src, &pkt->src) && addr_eq(&f->dst, &pkt->dst);
}

static struct flow *find(struct flow_table *t, const struct packet *pkt, uint64_t hash)
{
	struct flow *f = at(t, t->buckets[hash_range(hash, t->n_buckets)]);

	while (f && !(f->hash == (uint32_t)hash && same_key(f, pkt)))
		f = at(t, f->chain);
	return f;
}

static void age_list_remove(struct flow_table *t, struct flow *f)
{
	struct flow *older = at(t, f->older), *newer = at(t, f->newer);

	*(older ? &older->newer : &t->oldest) = f->newer;
	*(newer ? &newer->older : &t->newest) = f->older;
}

static void age_list_push(struct flow_table *t, struct flow *f)
{
	struct flow *newest = at(t, t->newest);

	f->older = t->newest;
	f->newer = 0;
	t->newest = index_of(t, f);
	*(newest ? &newest->newer : &t->oldest) = t->newest;
}

void flow_touch(struct flow_table *t, struct flow *f, uint64_t now)
{
	f->last = now;
	age_list_remove(t, f);
	age_list_push(t, f);
}

struct flow *flow_table_find(struct flow_table *t, const struct packet *pkt)
{
	return find(t, pkt, key_hash(t, pkt));
}

void flow_drop_stream(struct flow_table *t, struct flow *f)
{
	if (!f->stream)
		return;
	t->owner[stream_index(t->pool, f->stream)] = NULL;
	t->by_source[f->source]--;
	stream_put(t->pool, f->stream);
	f->stream = NULL;
}

static void forget(struct flow_table *t, struct flow *f)
{
	struct packet key = { .src = f->src, .dst = f->dst, .sport = f->sport, .dport = f->dport,
		              .proto = f->proto, .decoy = f->decoy };
	uint32_t     *link = &t->buckets[hash_range(key_hash(t, &key), t->n_buckets)];
	uint32_t      me = index_of(t, f);

	while (*link != me)
		link = &at(t, *link)->chain;
	*link = f->chain;
	age_list_remove(t, f);
	flow_drop_stream(t, f);
	f->chain = t->spare;
	t->spare = me;
}

struct flow *flow_table_get(struct flow_table *t, const struct packet *pkt, uint64_t now,
                            bool *evicted)
{
	uint64_t     hash = key_hash(t, pkt);
	struct flow *f = find(t, pkt, hash);
	uint32_t    *bucket = &t->buckets[hash_range(hash, t->n_buckets)];

	*evicted = false;
	if (f) {
		flow_touch(t, f, now);
		return f;
	}
	if (!t->spare && t->used < t->max) {
		t->spare = ++t->used;
	} else if (!t->spare) {
		*evicted = true;
		forget(t, at(t, t->oldest));
	}
	f = at(t, t->spare);
	t->spare = f->chain;
	*f = (struct flow){ .src = pkt->src, .dst = pkt->dst, .sport = pkt->sport,
		            .dport = pkt->dport, .proto = pkt->proto, .decoy = pkt->decoy,
		            .hash = (uint32_t)hash, .chain = *bucket };
	*bucket = index_of(t, f);
	age_list_push(t, f);
	flow_restart(t, f, now);
	return f;
}

void flow_begin_again(struct flow_table *t, struct flow *f)
{
	flow_drop_stream(t, f);
	f->decided = f->server = f->syn_seen = f->anchored = f->drop = false;
	f->chunked = f->again = f->syn_data = false;
	f->state = f->segments = f->requests = f->named = f->dcid_len = 0;
	f->from = f->to = 0;
	f->row = NULL;
}

void flow_restart(struct flow_table *t, struct flow *f, uint64_t now)
{
	flow_begin_again(t, f);
	f->urgents = f->strange = 0;
	f->urgent = 0;
	f->urgent_out = false;
	f->last = now;
	f->id = hash64(&now, sizeof(now), (uint64_t)f->hash << 32 ^ t->seed) >> 11;
	memset(f->recorded, 0, sizeof(f->recorded));
}

/* Of the flows that have a stream; source < FLOW_SOURCES: only those of that source. */
static struct flow *longest_idle(const struct flow_table *t, uint16_t source)
{
	struct flow *best = NULL;

	for (uint32_t i = 0; i < t->max_streams; i++) {
		struct flow *f = t->owner[i];

		if (f && (source == FLOW_SOURCES || f->source == source) &&
		    (!best || f->last < best->last))
			best = f;
	}
	return best;
}

bool flow_is_stale(const struct flow *f, uint64_t now)
{
	return now > f->last + STALE_S * NS_PER_S;
}

/* Its stream is needed by f; says what that means for the one that loses it. */
static enum flow_room take_from(struct flow_table *t, struct flow *idle, const struct flow *f,
                                enum flow_room room)
{
	flow_drop_stream(t, idle);
	return flow_is_stale(idle, f->last) ? FLOW_ROOM : room;
}

struct stream *flow_need_stream(struct flow_table *t, struct flow *f, uint32_t seq, bool anchored,
                                enum flow_room *room)
{
	uint32_t share = t->max_streams / 8 < SHARE_LEAST ? SHARE_LEAST : t->max_streams / 8;

	*room = FLOW_ROOM;
	if (f->stream)
		return f->stream;
	f->source = (uint16_t)(hash64(f->src.b, f->src.len, t->seed) % FLOW_SOURCES);
	if (t->by_source[f->source] >= share)
		*room = take_from(t, longest_idle(t, f->source), f, FLOW_ROOM_OF_SOURCE);
	f->stream = stream_get(t->pool, seq, anchored);
	if (!f->stream) {
		*room = take_from(t, longest_idle(t, FLOW_SOURCES), f, FLOW_ROOM_OF_OTHERS);
		f->stream = stream_get(t->pool, seq, anchored);
	}
	t->owner[stream_index(t->pool, f->stream)] = f;
	t->by_source[f->source]++;
	return f->stream;
}

void flow_table_age(struct flow_table *t, uint64_t now)
{
	for (unsigned i = 0; i < AGE_PER_CALL; i++) {
		struct flow *f = at(t, t->oldest);

		if (!f || now < f->last + IDLE_S * NS_PER_S)
			return;
		forget(t, f);
	}
}

bool flow_record_once(struct flow *f, uint32_t hash, uint64_t now)
{
	uint32_t second = (uint32_t)(now / NS_PER_S);
	unsigned old = 0;

	for (unsigned i = 0; i < FLOW_RECORDED; i++) {
		if (f->recorded[i].hash == hash && f->recorded[i].at &&
		    second - f->recorded[i].at < RECORD_ONCE_S)
			return false;
		if (f->recorded[i].at < f->recorded[old].at)
			old = i;
	}
	f->recorded[old].hash = hash;
	f->recorded[old].at = second;
	return true;
}

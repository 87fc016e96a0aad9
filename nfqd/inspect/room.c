/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For whom something is kept, and who loses it when there is no more room: connections that wait for the rest
 * of a message or for their server. Each client (source) has a share that it cannot exceed, and a reserve that a
 * neighbour's flood does not reach. What is lost makes its connection lost: that is never allowed for what follows.
 */
#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "inspect/conn.h"

enum {
	LOOKED_AT = 64 /* connections of a source, for one that holds pieces */
};

bool conn_is_stale(const struct conn *c, uint64_t now)
{
	return now > c->last + BOUND_STALE * NS_PER_S;
}

bool conn_room_is_scarce(const struct conns *t)
{
	return stream_pool_left(t->pool) < t->max_pieces / 2;
}

/* ---- sources ---- */

static void source_unlink(struct conns *t, struct conn *c)
{
	struct source *s = &t->sources[c->source];
	struct conn   *older = conn_at(t, c->source_older), *newer = conn_at(t, c->source_newer);

	*(older ? &older->source_newer : &s->oldest) = c->source_newer;
	*(newer ? &newer->source_older : &s->newest) = c->source_older;
}

static void source_push(struct conns *t, struct conn *c)
{
	struct source *s = &t->sources[c->source];
	struct conn   *newest = conn_at(t, s->newest);

	c->source_older = s->newest;
	c->source_newer = 0;
	s->newest = conn_index(t, c);
	*(newest ? &newest->source_newer : &s->oldest) = s->newest;
}

void conn_source_touch(struct conns *t, struct conn *c)
{
	if (!c->waits)
		return;
	source_unlink(t, c);
	source_push(t, c);
}

static void count(struct conns *t, const struct conn *c, enum kept what, int n)
{
	struct source *s = &t->sources[c->source];

	s->n[what] += (uint32_t)n;
	if (s->n[what] > t->sources[t->busiest[what]].n[what])
		t->busiest[what] = c->source;
}

/* ---- who loses ---- */

/* Can c, or the packet in hand, have what is kept for the other one? */
static bool can_lose(const struct conns *t, const struct conn *other, const struct conn *c, enum kept what)
{
	return other != c && other != t->reading.conn && (what == KEPT_CONNS || other->pieces);
}

static struct conn *newest_of(const struct conns *t, const struct source *s, const struct conn *c, enum kept what)
{
	struct conn *other = conn_at(t, s->newest);

	for (unsigned i = 0; other && i < LOOKED_AT; i++) {
		if (can_lose(t, other, c, what))
			return other;
		other = conn_at(t, other->source_older);
	}
	return NULL;
}

static struct conn *older_of(struct conn *a, struct conn *b)
{
	return !a || (b && b->last < a->last) ? b : a;
}

static struct conn *longest_idle(const struct conns *t, const struct conn *c, enum kept what)
{
	struct conn *idle = conn_at(t, t->oldest[LIST_LONG]);

	if (what == KEPT_CONNS)
		idle = older_of(idle, conn_at(t, t->oldest[LIST_WAITING]));
	return idle && can_lose(t, idle, c, what) ? idle : NULL;
}

/* The parts of a hello follow each other sooner, or its client has gone. */
static bool is_expected(const struct conn *c, uint64_t now)
{
	return now <= c->last + BOUND_EXPECTED_MS * NS_PER_MS;
}

/* c's source has its share: another one of it. */
static struct conn *choose_of_source(const struct conns *t, const struct conn *c, enum kept what)
{
	const struct source *s = &t->sources[c->source];
	struct conn         *idle = conn_at(t, s->oldest);

	if (idle && can_lose(t, idle, c, what) && !is_expected(idle, c->last))
		return idle;
	return newest_of(t, s, c, what);
}

static struct conn *choose_of_all(const struct conns *t, const struct conn *c, enum kept what)
{
	const struct source *busiest = &t->sources[t->busiest[what]];
	struct conn         *idle = longest_idle(t, c, what), *newest = NULL;

	if (idle && !is_expected(idle, c->last))
		return idle;
	if (busiest->n[what] > t->reserve[what])
		newest = newest_of(t, busiest, c, what);
	return newest ? newest : idle;
}

/* Takes away what is kept for a connection. One that waits for its server is nothing else, and goes itself. */
static void lose(struct conns *t, struct conn *loser, uint64_t now, enum fault why)
{
	if (!conn_is_stale(loser, now))
		t->reading.faults[why]++;
	loser->lost = (uint8_t)(why + 1);
	if (loser->state == CONN_READING)
		conn_reopen(t, loser, loser->address_judged);
	else
		conn_forget(t, loser, now);
}

static bool lose_of_source(struct conns *t, const struct conn *c, enum kept what)
{
	struct conn *loser = NULL;

	if (t->sources[c->source].n[what] >= t->share[what])
		loser = choose_of_source(t, c, what);
	if (loser)
		lose(t, loser, c->last, FAULT_source_streams);
	return loser != NULL;
}

static bool lose_of_all(struct conns *t, const struct conn *c, enum kept what)
{
	struct conn *loser = choose_of_all(t, c, what);

	if (loser)
		lose(t, loser, c->last, FAULT_streams_full);
	return loser != NULL;
}

/* ---- who waits ---- */

static bool is_waiting(const struct conn *c)
{
	return c->stream || c->state == CONN_SERVER || c->state == CONN_AWAITS_SERVER;
}

static void begin_to_wait(struct conns *t, struct conn *c)
{
	const struct addr *client = c->state == CONN_SERVER ? &c->dst : &c->src;

	c->source = (uint32_t)(hash64(client->b, client->len, t->seed) % t->n_sources);
	if (!lose_of_source(t, c, KEPT_CONNS) && t->waiting >= t->max_waiting)
		(void)lose_of_all(t, c, KEPT_CONNS);
	c->waits = true;
	t->waiting++;
	source_push(t, c);
	count(t, c, KEPT_CONNS, 1);
	conn_keep(t, c, true);
}

static void end_to_wait(struct conns *t, struct conn *c)
{
	source_unlink(t, c);
	count(t, c, KEPT_CONNS, -1);
	conn_keep(t, c, false);
	c->waits = false;
	t->waiting--;
}

void conn_account(struct conns *t, struct conn *c)
{
	uint8_t        pieces = c->stream ? c->stream->pieces : 0;
	enum conn_list list = pieces ? LIST_LONG : is_waiting(c) ? LIST_WAITING : LIST_OTHERS;

	if (is_waiting(c) && !c->waits)
		begin_to_wait(t, c);
	count(t, c, KEPT_PIECES, pieces - c->pieces);
	c->pieces = pieces;
	if (c->waits && !is_waiting(c))
		end_to_wait(t, c);
	if (list != c->list)
		conn_enlist(t, c, list);
}

void conn_drop_stream(struct conns *t, struct conn *c)
{
	stream_put(t->pool, c->stream);
	c->stream = NULL;
	conn_account(t, c);
}

struct stream *conn_need_stream(struct conns *t, struct conn *c, uint32_t seq, bool anchored)
{
	if (!c->waits)
		begin_to_wait(t, c);
	if (!c->stream)
		c->stream = stream_get(t->pool, seq, anchored);
	conn_account(t, c);
	(void)lose_of_source(t, c, KEPT_PIECES);
	while (stream_pool_left(t->pool) < STREAM_PIECES && lose_of_all(t, c, KEPT_PIECES))
		;
	return c->stream;
}

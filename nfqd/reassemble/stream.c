/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts TCP segments in order in bounded memory; a bit per byte tells which bytes have arrived. */
#include "reassemble/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

struct stream_pool {
	struct stream       *streams; /* anonymous mappings: what is untouched costs nothing */
	struct stream_piece *pieces;
	uint32_t            *spare;   /* stack of free streams' indices */
	uint32_t             n_spare, max;
	uint32_t             spare_piece; /* list of free pieces */
	uint32_t             used_pieces; /* that were ever taken */
	uint32_t             left, max_pieces;
	uint8_t              front[STREAM_MAX]; /* of the stream that was asked for it last */
};

/* A stream's bytes side by side, while they are moved. */
struct flat {
	uint64_t have[STREAM_MAX / 64];
	uint8_t  data[STREAM_MAX];
};

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct stream_pool *stream_pool_new(uint32_t max, uint32_t pieces)
{
	struct stream_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->max = max;
	pool->left = pool->max_pieces = pieces < STREAM_PIECES ? STREAM_PIECES : pieces;
	pool->spare = calloc(max, sizeof(*pool->spare));
	pool->streams = map(max * sizeof(struct stream));
	pool->pieces = map(pool->max_pieces * sizeof(struct stream_piece));
	if (!pool->spare || !pool->streams || !pool->pieces) {
		stream_pool_free(pool);
		return NULL;
	}
	while (pool->n_spare < max) {
		pool->spare[pool->n_spare] = max - 1 - pool->n_spare;
		pool->n_spare++;
	}
	return pool;
}

void stream_pool_free(struct stream_pool *pool)
{
	if (!pool)
		return;
	if (pool->streams)
		munmap(pool->streams, pool->max * sizeof(struct stream));
	if (pool->pieces)
		munmap(pool->pieces, pool->max_pieces * sizeof(struct stream_piece));
	free(pool->spare);
	free(pool);
}

uint32_t stream_pool_left(const struct stream_pool *pool)
{
	return pool->left;
}

/* ---- pieces ---- */

static struct stream_piece *piece_at(const struct stream_pool *pool, uint32_t i)
{
	return i ? &pool->pieces[i - 1] : NULL;
}

/* A piece of the pool, put behind another one. */
static struct stream_piece *take_piece(struct stream *s, struct stream_piece *behind, uint32_t at)
{
	struct stream_pool  *pool = s->pool;
	uint32_t             i = pool->spare_piece ? pool->spare_piece : ++pool->used_pieces;
	struct stream_piece *p = piece_at(pool, i);

	assert(pool->left > 0);
	pool->left--;
	s->pieces++;
	pool->spare_piece = p->next; /* 0 in memory that is used for the first time */
	p->next = behind->next;
	behind->next = i;
	p->at = at;
	memset(p->have, 0, sizeof(p->have));
	return p;
}

static void give_pieces_back(struct stream *s)
{
	struct stream_pool *pool = s->pool;

	while (s->own.next) {
		uint32_t             first = s->own.next;
		struct stream_piece *p = piece_at(pool, first);

		s->own.next = p->next;
		p->next = pool->spare_piece;
		pool->spare_piece = first;
		pool->left++;
	}
	s->pieces = 0;
}

/* The piece that holds a position's byte, or the last one before it. */
static struct stream_piece *find_piece(struct stream *s, uint32_t at)
{
	struct stream_piece *p = &s->own, *next;

	while ((next = piece_at(s->pool, p->next)) != NULL && next->at <= at)
		p = next;
	return p;
}

/* Bytes that are there without a hole from a position of the piece on, in it. */
static uint32_t run_in(const struct stream_piece *p, uint32_t from)
{
	uint32_t i = from;

	while (i < STREAM_PIECE) {
		uint64_t missing = ~(p->have[i / 64] >> i % 64);
		uint32_t n = missing ? (uint32_t)__builtin_ctzll(missing) : 64;

		if (n < 64 - i % 64)
			return i + n - from;
		i += 64 - i % 64;
	}
	return STREAM_PIECE - from;
}

/* The front may have become longer. */
static void extend_front(struct stream *s)
{
	const struct stream_piece *p = find_piece(s, s->front / STREAM_PIECE);

	while (p && p->at == s->front / STREAM_PIECE) {
		uint32_t n = run_in(p, s->front % STREAM_PIECE);

		s->front += n;
		if (n == 0 || s->front % STREAM_PIECE)
			return;
		p = piece_at(s->pool, p->next);
	}
}

/* ---- bytes ---- */

/* Says whether the byte at o is new. */
static bool fill_byte(struct stream *s, struct stream_piece *p, uint32_t o, uint32_t known, uint8_t byte)
{
	if (p->have[o / 64] >> o % 64 & 1) {
		s->conflict |= o >= known && p->data[o] != byte;
		return false;
	}
	p->have[o / 64] |= UINT64_C(1) << o % 64;
	p->data[o] = byte;
	return true;
}

/* Copies what is new of bytes into one piece, from its position at on; says whether anything was. Where a word of
 * `have` knows none of its bytes they are copied at once. */
static bool fill_piece(struct stream *s, struct stream_piece *p, uint32_t at, struct span bytes)
{
	uint32_t known = s->shrunk > p->at * STREAM_PIECE ? s->shrunk - p->at * STREAM_PIECE : 0;
	bool     fresh = false;

	for (uint32_t i = 0, n; i < bytes.n; i += n) {
		uint32_t o = at + i, room = 64 - o % 64;
		uint64_t mask;

		n = bytes.n - i < room ? (uint32_t)bytes.n - i : room;
		mask = UINT64_MAX >> (64 - n) << o % 64;
		if (p->have[o / 64] & mask) {
			for (uint32_t k = 0; k < n; k++)
				fresh |= fill_byte(s, p, o + k, known, bytes.p[i + k]);
			continue;
		}
		p->have[o / 64] |= mask;
		memcpy(p->data + o, bytes.p + i, n);
		fresh = true;
	}
	return fresh;
}

/* Copies what is new at offset at; says whether anything was. */
static bool fill(struct stream *s, uint32_t at, struct span bytes)
{
	struct stream_piece *p = find_piece(s, at / STREAM_PIECE);
	bool                 fresh = false;

	if (at + bytes.n > s->end)
		s->end = at + (uint32_t)bytes.n;
	while (bytes.n) {
		uint32_t which = at / STREAM_PIECE, in = at % STREAM_PIECE;
		size_t   n = STREAM_PIECE - in < bytes.n ? STREAM_PIECE - in : bytes.n;

		if (p->at != which) {
			struct stream_piece *next = piece_at(s->pool, p->next);

			p = next && next->at == which ? next : take_piece(s, p, which);
		}
		fresh |= fill_piece(s, p, in, span_of(bytes.p, n));
		bytes = span_of(bytes.p + n, bytes.n - n);
		at += (uint32_t)n;
	}
	extend_front(s);
	return fresh;
}

static void empty(struct stream *s)
{
	give_pieces_back(s);
	memset(s->own.have, 0, sizeof(s->own.have));
	s->end = s->front = s->shrunk = s->removed = 0;
}

static void flatten(const struct stream *s, struct flat *f)
{
	memset(f->have, 0, sizeof(f->have));
	for (const struct stream_piece *p = &s->own; p; p = piece_at(s->pool, p->next)) {
		memcpy(f->have + (size_t)p->at * (STREAM_PIECE / 64), p->have, sizeof(p->have));
		memcpy(f->data + (size_t)p->at * STREAM_PIECE, p->data, sizeof(p->data));
	}
}

/* Puts the bytes of f from a position on back, each moved by n. */
static void refill(struct stream *s, const struct flat *f, uint32_t from, uint32_t end, int32_t n)
{
	uint32_t i = from;

	while (i < end) {
		uint32_t begin = i;

		while (i < end && f->have[i / 64] >> i % 64 & 1)
			i++;
		if (i > begin)
			fill(s, (uint32_t)((int32_t)begin + n), span_of(f->data + begin, i - begin));
		i++;
	}
}

/* Moves the contents by n bytes towards higher (n > 0) or lower positions. */
static void shift(struct stream *s, int32_t n)
{
	static _Thread_local struct flat f;
	uint32_t from = n > 0 ? 0 : (uint32_t)-n, end = s->end;
	uint32_t shrunk = s->shrunk > from ? s->shrunk - from : 0, removed = shrunk ? s->removed : 0;

	if (n == 0)
		return;
	flatten(s, &f);
	empty(s);
	refill(s, &f, from, end, n);
	s->end = end > from ? (uint32_t)((int32_t)end + n) : 0;
	s->shrunk = shrunk;
	s->removed = removed;
	s->base -= (uint32_t)n;
}

/* ---- streams ---- */

struct stream *stream_get(struct stream_pool *pool, uint32_t seq, bool anchored)
{
	struct stream *s;

	if (pool->n_spare == 0)
		return NULL;
	s = &pool->streams[pool->spare[--pool->n_spare]];
	memset(s, 0, offsetof(struct stream, own.data));
	s->pool = pool;
	s->base = seq;
	s->anchored = anchored;
	return s;
}

void stream_put(struct stream_pool *pool, struct stream *s)
{
	if (!s)
		return;
	give_pieces_back(s);
	pool->spare[pool->n_spare++] = (uint32_t)(s - pool->streams);
}

enum stream_add stream_add(struct stream *s, uint32_t seq, struct span bytes)
{
	int32_t at = (int32_t)(seq - s->base); /* RFC 9293 3.4: modulo 2^32 */

	if (s->shrunk && at < -(int64_t)s->removed)
		return STREAM_FULL;
	if (at < 0 && !s->anchored && !s->shrunk) {
		if (-(int64_t)at + s->end > STREAM_MAX)
			return STREAM_FULL;
		shift(s, -at);
		at = 0;
	}
	if (at < 0) {
		size_t old = (size_t)-(int64_t)at;

		if (old >= bytes.n)
			return STREAM_OLD;
		bytes = span_of(bytes.p + old, bytes.n - old);
		at = 0;
	}
	if (at >= STREAM_MAX)
		return STREAM_FULL;
	if (bytes.n > STREAM_MAX - (uint32_t)at) /* what fits may be all that is needed */
		bytes.n = STREAM_MAX - (uint32_t)at;
	return fill(s, (uint32_t)at, bytes) ? STREAM_OK : STREAM_OLD;
}

struct span stream_front(const struct stream *s)
{
	uint8_t *out = s->pool->front;

	if (s->front <= STREAM_PIECE)
		return span_of(s->own.data, s->front);
	for (const struct stream_piece *p = &s->own; p && p->at * STREAM_PIECE < s->front; p = piece_at(s->pool, p->next))
		memcpy(out + (size_t)p->at * STREAM_PIECE, p->data, sizeof(p->data));
	return span_of(out, s->front);
}

void stream_consume(struct stream *s, size_t n)
{
	shift(s, -(int32_t)n);
	s->anchored = true;
}

void stream_shrink(struct stream *s, struct span bytes)
{
	uint32_t less = s->front - (uint32_t)bytes.n, removed = s->removed + less;

	assert(s->end == s->front && bytes.n <= s->front);
	empty(s);
	fill(s, 0, bytes);
	s->shrunk = (uint32_t)bytes.n;
	s->removed = removed;
	s->base += less;
}

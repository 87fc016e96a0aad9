/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts TCP segments in order in a bounded buffer; a bit per byte tells which bytes have arrived. */
#include "reassemble/stream.h"

#include <stdlib.h>
#include <sys/mman.h>

struct stream_pool {
	struct stream *streams; /* anonymous mapping: untouched streams cost nothing */
	uint32_t      *spare;   /* stack of free indices */
	uint32_t       n_spare, max;
};

struct stream_pool *stream_pool_new(uint32_t max)
{
	struct stream_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->max = max;
	pool->spare = calloc(max, sizeof(*pool->spare));
	pool->streams = mmap(NULL, max * sizeof(struct stream), PROT_READ | PROT_WRITE,
	                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!pool->spare || pool->streams == MAP_FAILED) {
		if (pool->streams == MAP_FAILED)
			pool->streams = NULL;
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
	free(pool->spare);
	free(pool);
}

struct stream *stream_get(struct stream_pool *pool, uint32_t seq, bool anchored)
{
	struct stream *s;

	if (pool->n_spare == 0)
		return NULL;
	s = &pool->streams[pool->spare[--pool->n_spare]];
	memset(s, 0, offsetof(struct stream, data));
	s->base = seq;
	s->anchored = anchored;
	return s;
}

uint32_t stream_index(const struct stream_pool *pool, const struct stream *s)
{
	return (uint32_t)(s - pool->streams);
}

void stream_put(struct stream_pool *pool, struct stream *s)
{
	if (s)
		pool->spare[pool->n_spare++] = stream_index(pool, s);
}

static bool has(const struct stream *s, uint32_t i)
{
	return s->have[i / 64] >> i % 64 & 1;
}

/* Moves the contents by n bytes towards higher (n > 0) or lower positions. */
static void shift(struct stream *s, int32_t n)
{
	uint64_t old[STREAM_MAX / 64];
	uint32_t from = n > 0 ? 0 : (uint32_t)-n, to = n > 0 ? (uint32_t)n : 0;
	uint32_t len = s->end > from ? s->end - from : 0;

	memcpy(old, s->have, sizeof(old));
	memset(s->have, 0, sizeof(s->have));
	memmove(s->data + to, s->data + from, len);
	for (uint32_t i = 0; i < len; i++)
		if (old[(from + i) / 64] >> (from + i) % 64 & 1)
			s->have[(to + i) / 64] |= UINT64_C(1) << (to + i) % 64;
	s->end = to + len;
	s->base -= (uint32_t)n;
}

/* Copies what is new at offset at. Returns whether anything was. */
static bool fill(struct stream *s, uint32_t at, struct span bytes)
{
	bool fresh = false;

	for (uint32_t i = 0; i < bytes.n; i++) {
		uint32_t o = at + i;

		if (has(s, o)) {
			s->conflict |= s->data[o] != bytes.p[i];
			continue;
		}
		s->have[o / 64] |= UINT64_C(1) << o % 64;
		s->data[o] = bytes.p[i];
		fresh = true;
	}
	if (at + bytes.n > s->end)
		s->end = at + (uint32_t)bytes.n;
	return fresh;
}

enum stream_add stream_add(struct stream *s, uint32_t seq, struct span bytes)
{
	int32_t at = (int32_t)(seq - s->base); /* RFC 9293 3.4: modulo 2^32 */

	if (at < 0 && !s->anchored) {
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
	uint32_t n = 0;

	while (n < STREAM_MAX) {
		uint64_t missing = ~s->have[n / 64];

		if (missing) {
			n += (uint32_t)__builtin_ctzll(missing);
			break;
		}
		n += 64;
	}
	return span_of(s->data, n);
}

void stream_consume(struct stream *s, size_t n)
{
	shift(s, -(int32_t)n);
	s->anchored = true;
}

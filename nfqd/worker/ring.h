/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events on their way from one packet thread to the log thread: one writer, one reader, no lock. The bytes
 * they borrow travel in a buffer beside them; where that is full, an event goes without.
 */
#ifndef NFQD_WORKER_RING_H
#define NFQD_WORKER_RING_H

#include <stdatomic.h>
#include <stdlib.h>

#include "log/event.h"

struct ring_slot {
	struct event event;
	uint32_t     bytes; /* of the buffer, until ring_pop() */
};

struct ring {
	_Atomic uint32_t head, tail; /* written; read */
	uint32_t         mask;       /* slots - 1: a power of two */
	_Atomic uint32_t freed;      /* bytes of the buffer that were given back, and taken */
	uint32_t         taken;
	uint32_t         room;       /* a power of two */
	uint8_t         *buffer;     /* behind the slots */
	struct ring_slot slots[];
};

static inline uint32_t ring_power(uint32_t most)
{
	return 1U << (31 - __builtin_clz(most));
}

/* Rounds max_slots, and the bytes that events may borrow, down to a power of two. Returns NULL when memory
 * ran out; release with free(). */
static inline struct ring *ring_new(uint32_t max_slots, uint32_t max_bytes)
{
	uint32_t     n = ring_power(max_slots), room = ring_power(max_bytes);
	struct ring *r = calloc(1, sizeof(*r) + n * sizeof(r->slots[0]) + room);

	if (!r)
		return NULL;
	r->mask = n - 1;
	r->room = room;
	r->buffer = (uint8_t *)&r->slots[n];
	return r;
}

static inline struct span ring_copy(uint8_t *to, struct span from)
{
	if (from.n)
		memcpy(to, from.p, from.n);
	return span_of(to, from.n);
}

/* Copies what the event borrows, in one piece; without room the event loses it. */
static inline void ring_take_bytes(struct ring *r, struct ring_slot *slot)
{
	struct event_bytes *b = &slot->event.bytes;
	uint32_t            need = (uint32_t)(b->packet.n + b->payload.n), at = r->taken & (r->room - 1);
	uint32_t            skip = at + need > r->room ? r->room - at : 0;

	uint32_t            used = r->taken - atomic_load_explicit(&r->freed, memory_order_acquire);

	slot->bytes = 0;
	if (need == 0)
		return;
	if (need > r->room || (used && used + skip + need > r->room)) {
		b->packet = b->payload = span_of(NULL, 0);
		return;
	}
	at = skip ? 0 : at;
	b->packet = ring_copy(r->buffer + at, b->packet);
	b->payload = ring_copy(r->buffer + at + b->packet.n, b->payload);
	slot->bytes = skip + need;
	r->taken += skip + need;
}

/* False when the ring is full. */
static inline bool ring_push(struct ring *r, const struct event *e)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (head - atomic_load_explicit(&r->tail, memory_order_acquire) > r->mask)
		return false;
	r->slots[head & r->mask].event = *e;
	ring_take_bytes(r, &r->slots[head & r->mask]);
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

/* The number of events in it; events that are being pushed may be missing. */
static inline uint32_t ring_used(const struct ring *r)
{
	return atomic_load_explicit(&r->head, memory_order_acquire) -
	       atomic_load_explicit(&r->tail, memory_order_relaxed);
}

/* The oldest event, valid until ring_pop(); NULL when there is none. */
static inline const struct event *ring_peek(struct ring *r)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (tail == atomic_load_explicit(&r->head, memory_order_acquire))
		return NULL;
	return &r->slots[tail & r->mask].event;
}

static inline void ring_pop(struct ring *r)
{
	const struct ring_slot *slot = &r->slots[atomic_load_explicit(&r->tail, memory_order_relaxed) & r->mask];

	atomic_fetch_add_explicit(&r->freed, slot->bytes, memory_order_release);
	atomic_fetch_add_explicit(&r->tail, 1, memory_order_release);
}

#endif

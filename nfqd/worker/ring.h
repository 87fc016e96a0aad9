/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events on their way from one packet thread to the log thread: one writer, one reader, no lock. */
#ifndef NFQD_WORKER_RING_H
#define NFQD_WORKER_RING_H

#include <stdatomic.h>
#include <stdlib.h>

#include "log/event.h"

struct ring {
	_Atomic uint32_t head, tail; /* written; read */
	uint32_t         mask;       /* slots - 1: a power of two */
	struct event     slots[];
};

/* Rounds max_slots down to a power of two. Returns NULL when memory ran out; release with free(). */
static inline struct ring *ring_new(uint32_t max_slots)
{
	uint32_t     n = 1U << (31 - __builtin_clz(max_slots));
	struct ring *r = calloc(1, sizeof(*r) + n * sizeof(r->slots[0]));

	if (r)
		r->mask = n - 1;
	return r;
}

/* False when the ring is full. */
static inline bool ring_push(struct ring *r, const struct event *e)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (head - atomic_load_explicit(&r->tail, memory_order_acquire) > r->mask)
		return false;
	r->slots[head & r->mask] = *e;
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
	return &r->slots[tail & r->mask];
}

static inline void ring_pop(struct ring *r)
{
	atomic_fetch_add_explicit(&r->tail, 1, memory_order_release);
}

#endif

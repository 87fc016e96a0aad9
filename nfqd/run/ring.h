/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events on their way from one packet thread to the log thread: one writer, one reader, no lock. */
#ifndef NFQD_RUN_RING_H
#define NFQD_RUN_RING_H

#include <stdatomic.h>
#include <stdlib.h>

#include "log/event.h"

#define RING_SLOTS 8192 /* a power of two */

struct ring {
	_Atomic uint32_t head, tail; /* written; read */
	struct event     slots[RING_SLOTS];
};

static inline struct ring *ring_new(void)
{
	return calloc(1, sizeof(struct ring));
}

/* False when the ring is full. */
static inline bool ring_push(struct ring *r, const struct event *e)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (head - atomic_load_explicit(&r->tail, memory_order_acquire) == RING_SLOTS)
		return false;
	r->slots[head % RING_SLOTS] = *e;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

/* The oldest event, valid until ring_pop(); NULL when there is none. */
static inline const struct event *ring_peek(struct ring *r)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (tail == atomic_load_explicit(&r->head, memory_order_acquire))
		return NULL;
	return &r->slots[tail % RING_SLOTS];
}

static inline void ring_pop(struct ring *r)
{
	atomic_fetch_add_explicit(&r->tail, 1, memory_order_release);
}

#endif

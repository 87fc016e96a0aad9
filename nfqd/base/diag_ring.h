/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that wait for standard error: any thread adds, one removes; no thread waits or takes a lock. A
 * bounded queue with a turn for each slot: a writer owns a slot when its turn has come.
 */
#ifndef NFQD_BASE_DIAG_RING_H
#define NFQD_BASE_DIAG_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { DIAG_LINE = 1152, DIAG_SLOTS = 64 };

struct diag_slot {
	_Atomic uint32_t turn;
	uint32_t         n;
	char             text[DIAG_LINE];
};

struct diag_ring {
	_Atomic uint32_t head;
	uint32_t         tail;
	struct diag_slot slots[DIAG_SLOTS];
};

static inline void diag_ring_init(struct diag_ring *r)
{
	atomic_store(&r->head, 0);
	r->tail = 0;
	for (uint32_t i = 0; i < DIAG_SLOTS; i++)
		atomic_store(&r->slots[i].turn, i);
}

/* False when the ring is full. n up to DIAG_LINE. */
static inline bool diag_ring_add(struct diag_ring *r, const char *text, uint32_t n)
{
	uint32_t          at = atomic_load_explicit(&r->head, memory_order_relaxed);
	struct diag_slot *s;

	for (;;) {
		int32_t ahead;

		s = &r->slots[at % DIAG_SLOTS];
		ahead = (int32_t)(atomic_load_explicit(&s->turn, memory_order_acquire) - at);
		if (ahead < 0)
			return false;
		if (ahead > 0)
			at = atomic_load_explicit(&r->head, memory_order_relaxed);
		else if (atomic_compare_exchange_weak_explicit(&r->head, &at, at + 1,
		                                               memory_order_relaxed,
		                                               memory_order_relaxed))
			break;
	}
	s->n = n;
	memcpy(s->text, text, n);
	atomic_store_explicit(&s->turn, at + 1, memory_order_release);
	return true;
}

/* The oldest line, until diag_ring_pop(); NULL when there is none. */
static inline const struct diag_slot *diag_ring_peek(const struct diag_ring *r)
{
	const struct diag_slot *s = &r->slots[r->tail % DIAG_SLOTS];

	return atomic_load_explicit(&s->turn, memory_order_acquire) == r->tail + 1 ? s : NULL;
}

static inline void diag_ring_pop(struct diag_ring *r)
{
	atomic_store_explicit(&r->slots[r->tail % DIAG_SLOTS].turn, r->tail + DIAG_SLOTS,
	                      memory_order_release);
	r->tail++;
}

#endif

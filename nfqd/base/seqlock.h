/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sequence lock over a slot of memory that processes share: readers copy the slot and check whether a
 * writer came in between; they never wait and never block a writer. The counter is odd while the slot is
 * being written. When a writer dies in between, that slot stays unreadable; the others are not affected.
 */
#ifndef NFQD_BASE_SEQLOCK_H
#define NFQD_BASE_SEQLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct seqlock {
	_Atomic uint32_t version;
};

/* Before the copy; false: it is being written. */
static inline bool seqlock_read(const struct seqlock *l, uint32_t *version)
{
	*version = atomic_load_explicit(&l->version, memory_order_acquire);
	return !(*version & 1);
}

/* After the copy: was the slot written meanwhile? Then discard the copy. */
static inline bool seqlock_changed(const struct seqlock *l, uint32_t version)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&l->version, memory_order_relaxed) != version;
}

/* Before writing; false: another process is writing, or died while it did. */
static inline bool seqlock_write(struct seqlock *l)
{
	uint32_t version = atomic_load_explicit(&l->version, memory_order_relaxed);

	if (version & 1 || !atomic_compare_exchange_strong(&l->version, &version, version + 1))
		return false;
	atomic_thread_fence(memory_order_release);
	return true;
}

static inline void seqlock_written(struct seqlock *l)
{
	atomic_fetch_add_explicit(&l->version, 1, memory_order_release);
}

#endif

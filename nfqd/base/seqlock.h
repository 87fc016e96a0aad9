/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sequence lock over a slot of memory that processes share: readers copy it and see whether a writer
 * came in between; they never wait, and cannot hold a writer up. The counter is odd while the slot is
 * being written. One that a dying writer left so stays unreadable: that slot is lost, the others are not.
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

/* After the copy: was it written meanwhile? Then the copy is worth nothing. */
static inline bool seqlock_changed(const struct seqlock *l, uint32_t version)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&l->version, memory_order_relaxed) != version;
}

/* Before writing; false: another process is about it, or died of it. */
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of hashes that forgets: a member stays until its time is over, or another one falls on its
 * slot. One word per slot, so threads and processes share it without a lock. The unit of time is the
 * caller's; it may wrap, as a span is below 2^31 units.
 */
#ifndef NFQD_BASE_RECENT_H
#define NFQD_BASE_RECENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/hash.h"

#define RECENT_SLOTS 65536

struct recent {
	_Atomic uint64_t slots[RECENT_SLOTS]; /* half of a hash, and its end */
};

static inline void recent_put(struct recent *r, uint64_t hash, uint32_t until)
{
	atomic_store_explicit(&r->slots[hash_range(hash, RECENT_SLOTS)], hash << 32 | until,
	                      memory_order_relaxed);
}

/* How long a member stays yet; below 0: it is none. */
static inline int32_t recent_left(const struct recent *r, uint64_t hash, uint32_t now)
{
	uint64_t slot = atomic_load_explicit(&r->slots[hash_range(hash, RECENT_SLOTS)],
	                                     memory_order_relaxed);

	return slot && slot >> 32 == (uint32_t)hash ? (int32_t)((uint32_t)slot - now) : -1;
}

static inline bool recent_has(const struct recent *r, uint64_t hash, uint32_t now)
{
	return recent_left(r, hash, now) >= 0;
}

#endif

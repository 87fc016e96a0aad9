/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of hashes that expire: a member stays until its time is up or another one takes its slot. One word
 * per slot, so threads and processes share it without a lock. The caller chooses the unit of time, which
 * may wrap, as a lifetime is below 2^31 units.
 */
#ifndef NFQD_BASE_RECENT_H
#define NFQD_BASE_RECENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/hash.h"

#define RECENT_SLOTS 65536

struct recent {
	_Atomic uint64_t slots[RECENT_SLOTS]; /* half of a hash, and when it expires */
};

static inline void recent_put(struct recent *r, uint64_t hash, uint32_t until)
{
	atomic_store_explicit(&r->slots[hash_range(hash, RECENT_SLOTS)], hash << 32 | until,
	                      memory_order_relaxed);
}

/* The time that a member has left; below 0: it is not a member. */
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

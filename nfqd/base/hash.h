/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keyed 64-bit hashing (XXH3), for tables that hostile input fills. Not for secrets. */
#ifndef NFQD_BASE_HASH_H
#define NFQD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/label_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash64(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

#endif

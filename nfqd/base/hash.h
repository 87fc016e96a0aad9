/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keyed 64-bit hashing (XXH3), for tables that hostile input fills. Not for secrets. */
#ifndef NFQD_BASE_HASH_H
#define NFQD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash64(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

/* Maps a hash onto 0..n-1 without a division (Lemire's multiply-shift). */
static inline uint32_t hash_range(uint64_t hash, uint32_t n)
{
	return (uint32_t)(((hash >> 32) * n) >> 32);
}

#endif

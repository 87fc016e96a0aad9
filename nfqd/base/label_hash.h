/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keyed hashes of labels, names and addresses that a BPF program can compute as well (capture/prefilter.bpf.c):
 * eight bytes at a time, and no product of more than 64 bits. For tables, not for secrets.
 */
#ifndef NFQD_BASE_LABEL_HASH_H
#define NFQD_BASE_LABEL_HASH_H

#include <linux/types.h>

#define LABEL_HASH_K1 0x9e3779b97f4a7c15ULL /* odd, with bits everywhere (2^64 / golden ratio) */
#define LABEL_HASH_K2 0xd6e8feb86659fd93ULL

/* Eight bytes of memory, the first one lowest. */
static inline __attribute__((always_inline)) __u64 label_word(__u64 as_loaded)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return as_loaded;
#else
	return __builtin_bswap64(as_loaded);
#endif
}

/* The first n bytes of a word, 1 to 8; 0 in place of the others. */
static inline __attribute__((always_inline)) __u64 label_first(__u64 word, __u32 n)
{
	return word & (~0ULL >> (64 - 8 * n));
}

/* Eight ASCII letters in lower case at once; other bytes stay. */
static inline __attribute__((always_inline)) __u64 label_lower(__u64 word)
{
	const __u64 ones = 0x0101010101010101ULL, low = word & 0x7f * ones;
	__u64       from_a = low + (0x80 - 'A') * ones, past_z = low + (0x80 - 'Z' - 1) * ones;

	return word | ((from_a & ~past_z & ~word & 0x80 * ones) >> 2);
}

static inline __attribute__((always_inline)) __u64 label_hash_begin(__u64 seed, __u32 length)
{
	return (seed ^ length) * LABEL_HASH_K1;
}

static inline __attribute__((always_inline)) __u64 label_hash_word(__u64 h, __u64 word)
{
	h = (h ^ word) * LABEL_HASH_K2;
	return h ^ h >> 32;
}

/* The hash of a name made one label longer, on the left; the seed stands for the root. Never 0. */
static inline __attribute__((always_inline)) __u64 name_hash_extend(__u64 name, __u64 label)
{
	__u64 h = (name ^ label) * LABEL_HASH_K1;

	h = (h ^ h >> 29) * LABEL_HASH_K2;
	h ^= h >> 32;
	return h ? h : 1;
}

/* Maps a hash onto 0..n-1 without a division (Lemire's multiply-shift). */
static inline __attribute__((always_inline)) __u32 hash_range(__u64 hash, __u32 n)
{
	return (__u32)(((hash >> 32) * n) >> 32);
}

/* Does a word of the filter have the name? (match/names.h) */
static inline __attribute__((always_inline)) __u64 filter_bits(__u64 hash)
{
	return 1ULL << (hash & 63) | 1ULL << (hash >> 6 & 63) | 1ULL << (hash >> 12 & 63);
}

/* Of an address, the first of its words in a; of IPv4 only the lower half of that, and length 4. */
static inline __attribute__((always_inline)) __u64 addr_hash(__u64 seed, __u32 length, __u64 a, __u64 b)
{
	return name_hash_extend(name_hash_extend(seed ^ length, a), b);
}

#endif

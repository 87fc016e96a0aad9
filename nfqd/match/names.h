/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to match/: the fingerprints that names are indexed by. */
#ifndef NFQD_MATCH_NAMES_H
#define NFQD_MATCH_NAMES_H

#include "base/label_hash.h"
#include "match/pattern.h"

/* Fingerprint of a suffix made one label longer; the root's is the seed. Never 0. */
uint64_t fp_extend(uint64_t seed, uint64_t fp, struct span label);
/* Fingerprint under which a name of a pattern is indexed: the whole name; of a glob, the labels right
 * of its rightmost '*'. */
uint64_t fp_of_pattern(uint64_t seed, const char *name, size_t len);

/* The filter in front of the table: three bits of one word for each fingerprint. */
static inline bool filter_has(uint64_t word, uint64_t fp)
{
	return (word & filter_bits(fp)) == filter_bits(fp);
}

#endif

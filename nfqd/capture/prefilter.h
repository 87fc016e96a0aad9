/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Past the queue: BPF programs in the kernel that name the candidates. They hash the suffixes of a question's name,
 * look them up in a copy of the ruleset's filter, and let a datagram pass whose name cannot be listed; what they
 * read and what not says prefilter_read.h. An answer that passes leaves its addresses among the guarded ones
 * (match/watch.h): an unlisted name lives there. Only the parent uses this; it needs CAP_BPF, which root has.
 */
#ifndef NFQD_CAPTURE_PREFILTER_H
#define NFQD_CAPTURE_PREFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct recent; /* base/recent.h */
struct prefilter;

/* What the programs look names up in; the words are copied. */
struct prefilter_names {
	const uint64_t *words; /* of the filter */
	uint32_t        n;
	uint64_t        seed;  /* of the names in it */
	bool            answers; /* these may pass, too */
};

enum { PREFILTER_QUESTION, PREFILTER_ANSWER, PREFILTER_PROGRAMS };

/* guard_seed: of the addresses' hashes. NULL with err: this kernel, or this build, cannot. */
MUST_CHECK struct prefilter *prefilter_new(uint64_t guard_seed, struct err *err);
void                         prefilter_free(struct prefilter *p);
/* Memory that the programs share with this process and its children. It lives as long as p. */
struct recent *prefilter_guarded(const struct prefilter *p);
/* From here on the programs that are loaded let nothing pass, also where a rule still has them. */
void prefilter_silence(struct prefilter *p);
/* Loads programs for these names in place of the ones before. */
MUST_CHECK int prefilter_load(struct prefilter *p, const struct prefilter_names *names, struct err *err);
/* Their descriptors, -1 where there is none; p keeps them until the next prefilter_load(). */
void prefilter_programs(const struct prefilter *p, int out[static PREFILTER_PROGRAMS]);
/* Tells the programs the time of day, and that the daemon lives: call it every second. Two seconds after the last
 * call nothing passes any more. */
void prefilter_tell_time(struct prefilter *p);

#endif

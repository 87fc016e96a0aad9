/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon tells the prefilter's programs (prefilter.bpf.c) before a message comes. */
#ifndef NFQD_CAPTURE_PREFILTER_RULES_H
#define NFQD_CAPTURE_PREFILTER_RULES_H

#include <linux/types.h>

/*
 * What the daemon tells running programs. In nanoseconds: the offset from the kernel's monotonic clock to the time of
 * day; the monotonic time after which nothing passes, so that `fail:` holds when the daemon is gone. Then the only
 * generation of programs that may let anything pass: older ones, whose names are out of date, are silent at once.
 */
enum prefilter_told { PREFILTER_TIME_OF_DAY, PREFILTER_UNTIL, PREFILTER_GENERATION, PREFILTER_TOLD };

#define PREFILTER_GUARDED 65536 /* places for addresses: RECENT_SLOTS of base/recent.h */

/* The filter is that of the ruleset (match/names.h). */
struct prefilter_rules {
	__u64 seed;       /* of names */
	__u64 guard_seed; /* of addresses */
	__u32 words;      /* of the filter; 0: everything is a candidate */
	__u32 answers;    /* whether answers may pass at all */
	__u64 generation;
};

#endif

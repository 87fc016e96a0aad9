/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon tells the prefilter's programs (prefilter.bpf.c) before a message comes. */
#ifndef NFQD_CAPTURE_PREFILTER_RULES_H
#define NFQD_CAPTURE_PREFILTER_RULES_H

#include <linux/types.h>

/* In nanoseconds; the first from the kernel's monotonic clock on, the second by it: nothing passes later than that, so
 * that `fail:` holds when the daemon is gone. */
enum prefilter_time { PREFILTER_TIME_OF_DAY, PREFILTER_UNTIL, PREFILTER_TIMES };

#define PREFILTER_GUARDED 65536 /* places for addresses: RECENT_SLOTS of base/recent.h */

/* The filter is that of the ruleset (match/names.h). */
struct prefilter_rules {
	__u64 seed;       /* of names */
	__u64 guard_seed; /* of addresses */
	__u32 words;      /* of the filter; 0: everything is a candidate */
	__u32 answers;    /* whether answers may pass at all */
};

#endif

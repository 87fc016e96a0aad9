/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one message comes to: match, decide, act, log. */
#ifndef NFQD_JUDGE_H
#define NFQD_JUDGE_H

#include "inspect/inspect.h"
#include "pipeline_state.h"

#define VERDICT_PASS  ((struct verdict){ .state = STATE_UNDECIDED })
#define VERDICT_ALLOW ((struct verdict){ .state = STATE_ALLOWED })

static inline bool verdict_refuses(struct verdict v)
{
	return v.drop || v.replaced.n || v.state == STATE_REJECTED;
}

/*
 * Judges a message: a record for each name, the strictest decision for the packet. When no name is listed
 * the address decides: alone where there is no name, beside an unlisted name only for the ports that a pack
 * gives. A verdict that does not refuse says nothing about the connection: another message may follow.
 */
struct verdict judge(struct pipeline *p, struct inspection *in, const struct message *m);

#endif

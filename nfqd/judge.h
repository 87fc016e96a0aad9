/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one message comes to: match, decide, act, log. */
#ifndef NFQD_JUDGE_H
#define NFQD_JUDGE_H

#include "inspect/inspect.h"
#include "pipeline.h"

#define VERDICT_PASS  ((struct verdict){ .state = STATE_UNDECIDED })
#define VERDICT_ALLOW ((struct verdict){ .state = STATE_ALLOWED })

static inline bool verdict_refuses(struct verdict v)
{
	return v.drop || v.replaced.n || v.state == STATE_REJECTED;
}

/*
 * Judges a message: every name on its own record, the strictest decision for the packet. When no name is
 * listed the address decides: alone where there is no name, beside an unlisted one only as far as a pack
 * tells at which ports. A verdict that does not refuse says nothing of the connection: another message
 * may follow.
 */
struct verdict judge(struct pipeline *p, struct inspection *in, const struct message *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the injector asks about ways to clients. */
#ifndef NFQD_ACT_WAYS_H
#define NFQD_ACT_WAYS_H

struct ways;

/* Finds the ways to a client, for one thread; opened with CAP_NET_ADMIN, which later calls need, too.
 * NULL: out of memory. ways_close(NULL) is allowed. */
struct ways *ways_open(void);
void         ways_close(struct ways *w);

#endif

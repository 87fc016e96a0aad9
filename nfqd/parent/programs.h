/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to parent/: which program has a socket (sock_diag(7), /proc/PID/fd). */
#ifndef NFQD_PARENT_PROGRAMS_H
#define NFQD_PARENT_PROGRAMS_H

#include "shared/asks.h"

/*
 * Answers a worker's question; port 53 counts as one of its ports. It takes no more than 200 ms of a second in all, and
 * looks at every process a few times a second at most: what is beyond that is ASK_LATER. One client gets half of that
 * time at most: then it is ASK_SHARE. ASK_NO also where the kernel
 * does not let this process look.
 */
enum ask_says programs_ask(const struct ask *q);

/* How many answers were ASK_LATER or ASK_SHARE. */
uint64_t programs_late(void);

#endif

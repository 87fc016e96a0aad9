/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to parent/: which program has a socket (sock_diag(7), /proc/PID/fd). */
#ifndef NFQD_PARENT_PROGRAMS_H
#define NFQD_PARENT_PROGRAMS_H

#include "shared/asks.h"

/*
 * Answers a worker's question; port 53 counts as one of its ports. At most a few times a second every process is
 * looked at: then ASK_LATER. ASK_NO also where the kernel does not let this process look.
 */
enum ask_says programs_ask(const struct ask *q);

#endif

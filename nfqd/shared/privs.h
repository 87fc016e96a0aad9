/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What worker and resolver give up before they read the first byte from outside. */
#ifndef NFQD_RUN_PRIVS_H
#define NFQD_RUN_PRIVS_H

#include "base/err.h"

enum privs {
	PRIVS_NONE,
	PRIVS_NET_ADMIN, /* CAP_NET_ADMIN, which the kernel asks for on each verdict, and for SO_PRIORITY */
};

enum privs_calls {
	PRIVS_DESCRIPTORS, /* reading, writing and mapping what is open already */
	PRIVS_CAPTURE,     /* the same; opening a file fails: libpcap counts in /sys, or does without */
	PRIVS_SOCKETS,     /* and sockets to resolvers: of the internet's families only */
};

/* Looks up the user that privs_drop() becomes: once, before anything is forked, since the user database
 * may be out of reach when a worker has to be replaced. Defaults to nobody if never called. */
void privs_find_user(void);
/* Leaves the file system (chroot into an empty folder that root owns), root's identity (user nfqd,
 * or nobody) and every capability but the one named. */
MUST_CHECK int privs_drop(const char *empty_folder, enum privs keep, struct err *err);
/* Allows only these system calls, for every thread of the process. Any other ends the process by
 * SIGSYS; with PRIVS_SOCKETS it fails with EPERM, since c-ares tries files. */
MUST_CHECK int privs_seccomp(enum privs_calls calls, struct err *err);

#endif

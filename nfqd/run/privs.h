/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the worker gives up before it reads the first packet. */
#ifndef NFQD_RUN_PRIVS_H
#define NFQD_RUN_PRIVS_H

#include "base/err.h"

/*
 * Leaves the file system (chroot into an empty folder that root owns), root's identity (user nfqd,
 * or nobody) and every capability but CAP_NET_ADMIN, which the kernel asks for on each verdict.
 */
MUST_CHECK int privs_drop(const char *empty_folder, struct err *err);
/* Allows only the system calls that reading queues, writing descriptors and swapping rulesets take;
 * any other fails with EPERM. Covers every thread of the process. */
MUST_CHECK int privs_seccomp(struct err *err);

#endif

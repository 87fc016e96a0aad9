/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What worker, resolver and the heartbeat's processes give up before they read the first byte from outside. */
#ifndef NFQD_SHARED_PRIVS_H
#define NFQD_SHARED_PRIVS_H

#include "base/err.h"

enum privs {
	PRIVS_NONE,
	PRIVS_NET_ADMIN, /* CAP_NET_ADMIN, which the kernel requires for each verdict, and for SO_PRIORITY */
};

enum privs_calls {
	PRIVS_DESCRIPTORS, /* reading, writing and mapping what is already open, and sending on those sockets */
	PRIVS_CAPTURE,     /* the same; opening a file fails: libpcap counts in /sys, or works without */
	PRIVS_SOCKETS,     /* and sockets to resolvers, of the internet's families only */
	PRIVS_PROBES,      /* the same, and accepting connections */
	PRIVS_FILES,       /* as PRIVS_DESCRIPTORS, the files of its folder, and accepting connections */
};

enum privs_role { PRIVS_WORKER, PRIVS_RESOLVER, PRIVS_PROBER, PRIVS_SIGHTINGS, PRIVS_ROLES };

/* Sets the user that these processes become, by name (borrowed for good), in place of nfqd, nfqd-resolver,
 * nfqd-prober and nfqd-sightings. Without a call NFQD_USER of the environment counts, where it is set. Where neither names one
 * and there is no user nfqd, they become numbers that no account has. */
void           privs_choose_user(const char *name);
/* Looks the users up: once, before the first fork, since the user database may be out of reach when a
 * worker has to be replaced. A role whose own user is missing runs as the user nfqd. */
MUST_CHECK int privs_find_users(struct err *err);
/* Moves the calling process into a network namespace of its own: with CAP_SYS_ADMIN as it is, otherwise as the
 * role's user in a user namespace. Call it before privs_drop(). Returns 0 or -errno. */
MUST_CHECK int privs_own_network(enum privs_role role);
/* Leaves the file system (chroot into an empty folder that root owns), drops root's identity (for the
 * role's user) and every capability but the one named; by Landlock also, where the kernel has it, files, TCP
 * ports (of the resolver only to listen), and signals to other processes. Call before a thread starts. */
/* The role of the sightings keeps the folder, which is then its own, with all that is in it. */
MUST_CHECK int privs_drop(const char *empty_folder, enum privs_role role, enum privs keep, struct err *err);
/* Allows only these system calls, for every thread of the process. Any other ends the process by
 * SIGSYS; with PRIVS_SOCKETS it fails with EPERM, since c-ares tries files. */
MUST_CHECK int privs_seccomp(enum privs_calls calls, struct err *err);
/* Makes a file or folder the role's user's: not what a symbolic link leads to, and no file that has another name, too
 * (EMLINK). Returns 0, or -1 with errno. */
MUST_CHECK int privs_give(enum privs_role role, const char *path);

#endif

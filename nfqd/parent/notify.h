/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service manager: sd_notify(3) and sd_listen_fds(3). Private to parent/. A build without libsystemd is one that no
 * manager started, and the functions say what libsystemd's say then: nothing was sent, and nothing is kept.
 */
#ifndef NFQD_PARENT_NOTIFY_H
#define NFQD_PARENT_NOTIFY_H

#ifndef NFQD_WITHOUT_SYSTEMD
#include <systemd/sd-daemon.h>
#else
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { SD_LISTEN_FDS_START = 3 };

static inline int sd_notify(int unset, const char *state)
{
	(void)unset, (void)state;
	return 0;
}

static inline int sd_notify_barrier(int unset, uint64_t us)
{
	(void)unset, (void)us;
	return 0;
}

static inline int sd_pid_notify_with_fds(pid_t pid, int unset, const char *state, const int *fds, unsigned n)
{
	(void)pid, (void)unset, (void)state, (void)fds, (void)n;
	return 0;
}

static inline int sd_listen_fds_with_names(int unset, char ***names)
{
	(void)unset;
	*names = NULL;
	return 0;
}

#define sd_notifyf(unset, ...) ((void)(unset), (void)snprintf(NULL, 0, __VA_ARGS__))
#endif

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service manager hears of, sd_notify(3). Private to parent/; a build without libsystemd says nothing. */
#ifndef NFQD_PARENT_NOTIFY_H
#define NFQD_PARENT_NOTIFY_H

#ifndef NFQD_WITHOUT_SYSTEMD
#include <systemd/sd-daemon.h>
#else
#define sd_notify(unset, state)       ((void)(unset), (void)(state))
#define sd_notifyf(unset, state, ...) ((void)(unset), (void)(state), (void)(__VA_ARGS__))
#endif

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of clients that arrive after a client's first record. A record does not wait for the resolver's answer and
 * does not change once written, so a `client` record gives the name later.
 */
#ifndef NFQD_WORKER_LATE_H
#define NFQD_WORKER_LATE_H

#include "log/event.h"
#include "log/sink.h"
#include "shared/shared.h"

enum { LATE_CLIENTS = 64 };

struct late {
	struct {
		struct addr addr; /* len 0: free */
		bool        has_mac;
		uint8_t     mac[6];
		uint64_t    seq, ts; /* of the first record without the name */
	} clients[LATE_CLIENTS];
};

/* Remembers that record seq was written while its client's name was still being resolved. */
void late_add(struct late *l, const struct event *e, uint64_t seq);
/* Writes a `client` record for each name that is known now (ns). Gives up on a client after a minute. */
void late_tell(struct late *l, const struct hosts *hosts, struct sinks *sinks, uint64_t now);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients whose name came after a record of theirs: nobody waits for a resolver, and a written record does not
 * change, so a `client` record tells the name later.
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

/* A record, number seq, of a client whose name is being asked for. */
void late_add(struct late *l, const struct event *e, uint64_t seq);
/* Records the names that have come by now (ns); who has none after a minute is forgotten. */
void late_tell(struct late *l, const struct hosts *hosts, struct sinks *sinks, uint64_t now);

#endif

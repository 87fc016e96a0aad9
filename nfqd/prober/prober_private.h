/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the heartbeat's processes. */
#ifndef NFQD_PROBER_PRIVATE_H
#define NFQD_PROBER_PRIVATE_H

#include <stdbool.h>

#include "prober/prober.h"

/* Never blocks. A report that the socket has no room for is lost; the next beat reports anew. */
void prober_tell(int parent, const struct prober_report *r);

enum { RESPONDER_CONNECTIONS = 16 };

struct responder {
	int listening[PROBE_CHANNELS_N];
	struct {
		int                fd; /* -1: free */
		enum probe_channel channel;
	} accepted[RESPONDER_CONNECTIONS];
	unsigned next; /* the slot that the next connection takes, from an older one if need be */
};

/* Listens on every channel's port. Returns 0 or -errno. */
MUST_CHECK int responder_open(struct responder *r);
/* Both return when the parent has gone. */
void responder_loop(struct responder *r, int parent);
void client_loop(int parent, bool local); /* local: from this host's own network */

#endif

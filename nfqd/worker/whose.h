/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the parent whose socket a packet of this host came from. */
#ifndef NFQD_WORKER_WHOSE_H
#define NFQD_WORKER_WHOSE_H

#include <stdint.h>

#include "pipeline_state.h"

struct whose {
	int      fd; /* borrowed; -1: nobody answers */
	uint32_t number;
	uint64_t again; /* clock_monotonic(): nothing is asked before */
	uint64_t credit, at; /* ns that may be waited; and when that was true */
};

/* Waits for the answer, but not for long, and for many of them no more than a tenth of the time: returns enum errand_state (errand.h). */
int whose_is(struct whose *w, const struct packet *pkt, const uint16_t port[], const struct addr *client);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the resolver's process: rounds of look-ups of listed names. */
#ifndef NFQD_RESOLVER_RESOLVE_PRIVATE_H
#define NFQD_RESOLVER_RESOLVE_PRIVATE_H

#include <ares.h>

#include "resolver/resolve.h"

struct rounds {
	const struct resolver_in *in;
	ares_channel              channel; /* asks in->server; NULL: there is nothing to do */
	struct ruleset            rs;
	struct addr               server;
	uint32_t                  at, n; /* questions of this round: asked, in all */
	unsigned                  open;  /* on their way */
	uint64_t                  next;  /* ns: when the next round begins */
};

/* A channel whose sockets carry the priority; NULL when c-ares does not start. */
ares_channel resolver_channel(const struct resolver_in *in);

/* Returns 0, or -1 when the server cannot be asked. */
int rounds_init(struct rounds *r, const struct resolver_in *in);
/* Asks what may be asked now; call it again and again, at least every few seconds. */
void rounds_go_on(struct rounds *r);

#endif

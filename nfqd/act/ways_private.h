/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to act/: what the kernel knows of the way back to a client. Two netlink sockets, one for routes
 * (RTM_GETROUTE) and one for IPsec policies (XFRM_MSG_GETPOLICY); the kernel answers a request before
 * sendto() returns, so nothing here waits.
 */
#ifndef NFQD_ACT_WAYS_PRIVATE_H
#define NFQD_ACT_WAYS_PRIVATE_H

#include "act/ways.h"
#include "base/addr.h"

/* One per thread: answers to two threads would mix on one socket. */
struct ways {
	int  route, policy; /* -1: this kernel has no such socket */
	char buf[32 << 10]; /* one answer of the kernel's */
};

/* How a packet to a client would leave. */
enum way {
	WAY_BACK,   /* by the interface that the question came in on */
	WAY_GUESS,  /* the same, but rules by source could not be considered */
	WAY_OTHER,  /* through another interface, or no route exists */
};

/* Which way a packet takes from one address of this host (NULL: the kernel chooses) to another; ifindex
 * is where the question came in. A link-local address is looked up on that interface. */
enum way ways_back(struct ways *w, const struct addr *from, const struct addr *to, uint32_t ifindex);

/* Does an IPsec policy require that packets between the two addresses, in either direction, are
 * encrypted or blocked? True also when there are too many policies to search. */
bool ways_is_secured(struct ways *w, const struct addr *from, const struct addr *to);

#endif

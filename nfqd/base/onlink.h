/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The networks that interfaces are connected to directly: there a packet's MAC address is its sender's own. The parent
 * writes them, the log thread reads them.
 */
#ifndef NFQD_BASE_ONLINK_H
#define NFQD_BASE_ONLINK_H

#include "base/addr.h"
#include "base/seqlock.h"

enum { ONLINK_MAX = 256 };

struct onlink_net {
	uint32_t   index; /* of the interface */
	struct net net;
};

struct onlink {
	struct seqlock    lock;
	_Atomic uint32_t  n; /* ONLINK_MAX: there may be more */
	struct onlink_net v[ONLINK_MAX];
};

static inline void onlink_replace(struct onlink *o, const struct onlink_net *v, uint32_t n)
{
	if (n == o->n && memcmp(v, o->v, n * sizeof(*v)) == 0)
		return;
	if (!seqlock_write(&o->lock))
		return;
	memcpy(o->v, v, n * sizeof(*v));
	o->n = n;
	seqlock_written(&o->lock);
}

/* Is the address known to be beyond a router, seen from this interface? Where nothing is known it is not. */
static inline bool onlink_is_beyond(const struct onlink *o, uint32_t index, const struct addr *a)
{
	uint32_t version, n;
	bool     found = false, connected = false;

	if (!seqlock_read(&o->lock, &version))
		return false;
	n = o->n < ONLINK_MAX ? o->n : 0;
	for (uint32_t i = 0; i < n; i++) {
		connected |= o->v[i].index == index && o->v[i].net.addr.len == a->len;
		found |= o->v[i].index == index && net_has(&o->v[i].net, a);
	}
	return connected && !found && !seqlock_changed(&o->lock, version);
}

#endif

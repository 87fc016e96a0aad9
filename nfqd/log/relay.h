/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells a DNS query that a resolver on this machine passes on from one that a client asks. The
 * client's query is the sighting; the same name and type leaving by a local program within two
 * seconds is that query on its way. Bounded: a slot forgets when another name falls on it.
 */
#ifndef NFQD_LOG_RELAY_H
#define NFQD_LOG_RELAY_H

#include "base/recent.h"
#include "log/event.h"

struct relay {
	uint64_t      seed;  /* of the hash: which names share a slot must not be known outside */
	struct recent asked; /* hashes of name and type, in milliseconds */
};

void relay_init(struct relay *relay);

/* Looks at every event in its order; true when this one only passes an earlier one on. */
bool relay_is(struct relay *relay, const struct event *e);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells a DNS query that a resolver on this machine passes on from one that somebody asks. The
 * client's query is the sighting; the same name and type leaving by a local program within two
 * seconds is that query on its way. Bounded: a slot forgets when another name falls on it.
 */
#ifndef NFQD_LOG_RELAY_H
#define NFQD_LOG_RELAY_H

#include "log/event.h"

#define RELAY_SLOTS 4096

struct relay {
	uint64_t seed; /* of the hash; nobody outside can aim at a slot */
	struct {
		uint64_t key; /* hash of name and type */
		uint64_t ts;  /* 0: empty */
	} slots[RELAY_SLOTS];
};

void relay_init(struct relay *relay);

/* Looks at every event in its order; true when this one only passes an earlier one on. */
bool relay_is(struct relay *relay, const struct event *e);

#endif

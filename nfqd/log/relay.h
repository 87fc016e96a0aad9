/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells a DNS query that a resolver on this machine forwards from one that a client sends. The client's query is the
 * sighting; when a local program asks for the same name and type within two seconds, it forwards that query.
 * Bounded: a slot forgets its name when another name takes it.
 */
#ifndef NFQD_LOG_RELAY_H
#define NFQD_LOG_RELAY_H

#include "base/recent.h"
#include "log/event.h"

struct relay {
	uint64_t      seed;  /* of the hash: which names share a slot must not be predictable */
	struct recent asked; /* hashes of name and type, in milliseconds */
};

void relay_init(struct relay *relay);

/* Expects every event in order; returns true when the event only forwards an earlier query. */
bool relay_is(struct relay *relay, const struct event *e);

#endif

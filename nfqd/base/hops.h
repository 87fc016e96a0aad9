/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose MAC address is it? In a capture nothing says which networks are on-link, so packets have to: a MAC that two
 * IPv4 addresses use in turn, or more than a few within an hour, is that of a router or a repeater, and does not tell
 * the machines behind it apart. A machine that gets a new address stops using its old one.
 */
#ifndef NFQD_BASE_HOPS_H
#define NFQD_BASE_HOPS_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/hash.h"

enum { HOPS_SLOTS = 4096, HOPS_CHANGES = 3, HOPS_WITHIN_S = 3600 };

/* One MAC at the slot that it hashes to; a new one takes the place of another. */
struct hops {
	struct hop {
		bool     used, shared;
		uint8_t  mac[6], changes;
		uint32_t now, before;     /* the address in use, and the one before it */
		uint64_t last, since, changed; /* ns: of `now`; of `before`; the first of the changes */
	} slots[HOPS_SLOTS];
};

static inline struct hop *hops_slot(struct hops *h, const uint8_t mac[6])
{
	return &h->slots[hash64(mac, 6, 0) % HOPS_SLOTS];
}

static inline void hops_note_change(struct hop *s, uint32_t address, uint64_t ns)
{
	const uint64_t within = HOPS_WITHIN_S * NS_PER_S;

	if (address == s->before && ns < s->since + within)
		s->shared = true;
	if (ns > s->changed + within) {
		s->changes = 0;
		s->changed = ns;
	}
	if (++s->changes > HOPS_CHANGES)
		s->shared = true;
	s->before = s->now;
	s->since = s->last;
	s->now = address;
}

/* A packet came from this MAC and address. */
static inline void hops_note(struct hops *h, const uint8_t mac[6], const struct addr *src, uint64_t ns)
{
	struct hop *s = hops_slot(h, mac);
	uint32_t    address;

	if (src->len != 4)
		return;
	memcpy(&address, src->b, sizeof(address));
	if (!s->used || memcmp(s->mac, mac, 6) != 0) {
		*s = (struct hop){ .used = true, .now = address, .changed = ns };
		memcpy(s->mac, mac, 6);
	} else if (address != s->now) {
		hops_note_change(s, address, ns);
	}
	s->last = ns;
}

static inline bool hops_is_shared(struct hops *h, const uint8_t mac[6])
{
	const struct hop *s = hops_slot(h, mac);

	return s->shared && memcmp(s->mac, mac, 6) == 0;
}

#endif

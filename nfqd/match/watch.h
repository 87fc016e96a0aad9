/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watched addresses: what DNS answers say about where listed names live, for connections that carry
 * no name. An address is watched under a listed name until the answer's time is over; one unlisted
 * name with the same address shows that others live there too (a CDN): then it is not watched, and
 * for that answer's time it cannot be. An address that NAT64 translates is watched as the IPv4 address
 * inside.
 *
 * The table may lie in shared memory: readers take no lock, a writer takes only the slot it writes,
 * and gives up when another one is writing there. Fixed size: of the eight slots that an address may
 * have, the one whose time is over first goes.
 */
#ifndef NFQD_MATCH_WATCH_H
#define NFQD_MATCH_WATCH_H

#include "base/recent.h"
#include "base/seqlock.h"
#include "match/ruleset.h"

#define WATCH_SLOTS 8192
#define WATCH_MIN   60    /* seconds: shorter times are useless */
#define WATCH_MAX   86400

struct watched {
	struct seqlock   lock;
	uint32_t         until;   /* seconds; 0: nothing */
	struct addr      addr;
	struct name      name;    /* the listed name that leads there */
};

struct watch {
	uint64_t       seed;
	struct watched slots[WATCH_SLOTS];
	struct recent *guarded; /* addresses that unlisted names share: own, or the prefilter's (capture/prefilter.h) */
	struct recent  own;
};

/* For memory that is all zero, and stays where it is: which addresses share a slot must not be predictable. */
void watch_init(struct watch *w);

/*
 * Learns from an answer that `from` gave: its addresses are watched when every name in it is listed, else
 * guarded. at_least, seconds: WATCH_MIN, or the time until the next question. now in ns. Returns true when
 * a new address is watched, or one for longer.
 */
bool watch_learn(struct watch *w, const struct ruleset *rs, const struct names *answer,
                 const struct addr *from, uint32_t at_least, uint64_t now);

/*
 * What the rules say about a watched address: out has the hits of the name it was learned for, if their
 * ports allow this one. False: it is not watched.
 */
bool watch_match(const struct watch *w, const struct ruleset *rs, const struct addr *a, uint8_t proto,
                 uint16_t port, uint64_t now, struct name *learned_for, struct match *out);

/* Every address that is watched now, with the seconds that are left; what is no address is passed over, since the
 * worker that wrote it is not trusted. */
void watch_each(const struct watch *w, uint64_t now,
                void (*each)(void *ctx, const struct addr *a, uint32_t left), void *ctx);

#endif

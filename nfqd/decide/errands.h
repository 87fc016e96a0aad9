/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errands: what a program of this host may ask on behalf of a client. A client's question that was let pass, although
 * its name is listed, is on an errand for the seconds that a client waits: the resolver on this host asks the same
 * upstream, and that question is judged as the client's (errand.c).
 *
 * The table may lie in shared memory and is used as that of match/watch.h is: readers take no lock, a writer takes only
 * its slot. Fixed size: of the eight slots that an errand may have, the one that ends first goes. What is lost that
 * way is refused, not allowed.
 */
#ifndef NFQD_DECIDE_ERRANDS_H
#define NFQD_DECIDE_ERRANDS_H

#include "base/addr.h"
#include "base/seqlock.h"
#include "name/name.h"

#define ERRANDS_SLOTS 4096
#define ERRAND_WAIT_S 5 /* what stub resolvers wait (resolv.conf(5), timeout) */
#define ERRAND_PORTS  3 /* that the client's question, or one on its behalf, was sent to */

struct errand {
	uint64_t    key;
	uint32_t    until; /* seconds; 0: nothing */
	uint32_t    ifin;  /* the client's interface */
	struct addr client, server; /* who asked whom */
	uint8_t     mac[6];
	bool        has_mac;
	bool        used;  /* it let a question pass that this host's own policy refuses */
	bool        led;   /* here by what the client may ask for: whatever its policy says of this name */
	uint16_t    port[ERRAND_PORTS]; /* 0: none */
};

struct errand_slot {
	struct seqlock lock;
	struct errand  is;
};

struct errands {
	struct errand_slot slots[ERRANDS_SLOTS];
};

/* Which question: its name and type; ERRAND_WALK is the type of questions for the names above. */
enum { ERRAND_WALK = 0 };
uint64_t errand_key(uint64_t seed, const char *name, size_t len, uint16_t type);

/* Puts an errand into the table, in place of one with the same key. */
void errands_put(struct errands *t, const struct errand *e, uint32_t now);
/* Copies out the errand of a key that ends no earlier than since. What would go on for longer than an errand can is of a
 * clock that was set back since, and over. False: there is none. */
bool errands_get(const struct errands *t, uint64_t key, uint32_t since, uint32_t now, struct errand *out);

#endif

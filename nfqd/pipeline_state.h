/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files on a packet's way share: the pipeline of one thread, and the packet in its hand. */
#ifndef NFQD_PIPELINE_STATE_H
#define NFQD_PIPELINE_STATE_H

#include "act/act.h"
#include "capture/capture.h"
#include "counters.h"
#include "decide/policy.h"
#include "log/event.h"
#include "match/ruleset.h"

struct conns;
struct errands;
struct fragments;
struct hops;
struct packet;
struct recent;
struct watch;

enum { EVIDENCE_MAX = 4096 }; /* bytes of a message that a record holds */

struct pipeline {
	const struct ruleset *rules;   /* swapped between bursts by the thread that owns us */
	struct conns         *conns;   /* owned */
	struct fragments     *fragments; /* owned */
	bool                  copies;  /* of packets that went their way already: nothing is refused */
	struct counters      *count;   /* borrowed */
	struct watch         *watch;   /* borrowed; shared with others */
	/* borrowed: questions whose answers are still on their way; NULL: answers are not inspected */
	struct recent        *asked;
	struct hops          *hops; /* borrowed; of a capture. NULL: the log knows what is on-link */
	struct errands       *errands; /* borrowed; shared with others; NULL: nothing is refused, or no socket is known */
	/* Has the program that sent a packet of this host one of these ports? enum errand_state (errand.h) */
	int (*whose)(void *ctx, const struct packet *pkt, const uint16_t port[], const struct addr *client);
	bool                  heartbeat; /* what goes to its responder is no client's */
	struct injector       inject;
	/* Takes a copy of the event; false when it had no room. */
	bool (*emit)(void *ctx, const struct event *event);
	/* NULL, or called when a new address is watched. */
	void (*learned)(void *ctx);
	void                 *emit_ctx;
	const char *(*ifname)(void *ctx, uint32_t ifindex); /* for policies by interface */
	uint64_t                 now; /* ns: the time of the packet in hand */
	struct span              ip, payload; /* it, from its IP header on; what its transport carries; borrowed */
	const struct raw_packet *raw; /* the packet in hand */
	struct {
		uint8_t packet[EVIDENCE_MAX + 256], payload[EVIDENCE_MAX]; /* headers before the message */
	} evidence; /* of the record in hand (evidence.h) */
};

#endif

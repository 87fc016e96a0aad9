/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a packet through the daemon, in the order of the folders beside this file:
 *
 *   capture/     the kernel's queue (or a file) hands over a burst of raw packets
 *   decode/      link and IP headers -> addresses, ports, payload
 *   reassemble/  bytes in order: IP fragments, a TCP client's segments, QUIC's handshake
 *   name/        the name the client asks for: DNS question, TLS SNI, HTTP Host; and where a DNS
 *                answer leads
 *   inspect/     the connection: which messages a packet completes, and the place where each was found
 *   match/       which packs list a name
 *   decide/      what the site's policy and the pack's stage in force make of it
 *   act/         the verdict, and what the client is told
 *   log/         one record per decision
 *   tlog/        the Merkle tree over the records' lines, and its signed checkpoints
 *
 * pipeline_packet() walks that way: it loops over the messages on the packet's connection, judges each one,
 * and then settles the connection. A pipeline belongs to one thread and owns one table of connections; all
 * pipelines read the same ruleset. A packet that cannot be judged is a *fault*: it has a name, a counter and
 * a policy (pass or drop), and is always counted.
 *
 * How long a connection is inspected: a TLS hello decides it at once, so that it costs one packet. A hello
 * without a name is decided by the server's reply: up to TLS 1.2 its certificate has names. HTTP requests
 * and requests to proxies may be followed by others: each is judged, up to 64 on a connection and past bodies
 * of up to 64 KiB; a connection with longer bodies leaves the queue. Decoys (packets that only an inspecting
 * device sees), retransmissions and segments out of their place can be refused but allow nothing:
 * inspect/places.c has the rights of each place.
 */
#ifndef NFQD_PIPELINE_H
#define NFQD_PIPELINE_H

#include <stdatomic.h>

#include "act/act.h"
#include "capture/capture.h"
#include "decide/policy.h"
#include "log/event.h"
#include "match/ruleset.h"

struct conns;
struct errands;
struct fragments;
struct packet;
struct recent;
struct watch;

#define FAILURE_COUNTER(id, text, says) X(answers_failed_##id, "of those: " text)
#define FAULT_COUNTER(id, key, text, preset) X(fault_##id, "fault: " text)

/* name, what it counts: `nfqctl status` and the manual print these. Always used with a macro X. */
#define COUNTERS(X)                                                                                \
	X(packets, "packets judged")                                                               \
	X(names, "names seen")                                                                     \
	X(matches, "names listed by a pack")                                                       \
	X(allowed, "connections or queries allowed")                                               \
	X(rejected, "connections or queries refused")                                              \
	X(repeated, "of those: repeated by a validating resolver, without a record")               \
	X(dropped, "connections or queries dropped silently")                                      \
	X(would_reject, "matches that passed only because a mode, stage or policy says log")       \
	X(passed, "packets passed without a decision on their connection")                         \
	X(waiting, "segments that passed while a name was incomplete")                             \
	X(errands, "questions of this host's own resolver that passed as a client's")              \
	X(errands_unknown, "likewise, dropped because their program was not known in time")        \
	X(resets, "connections reset because they could not be judged")                            \
	X(unknown, "connections of an unknown protocol, decided by address")                       \
	X(nameless, "connections whose client named no host: judged by address or certificate")    \
	X(ech, "hellos with Encrypted ClientHello, or with what only looks like it")               \
	X(ech_hidden, "of those: to a name that only stands for others")                           \
	X(probes, "names that the heartbeat asked for, without a record")                          \
	X(records, "records made")                                                                 \
	X(records_lost, "records lost because the log could not keep up")                          \
	X(answers_failed, "packets of nfqd's own that could not be sent")                          \
	INJECT_FAILURES(FAILURE_COUNTER)                                                           \
	X(fragments, "IP fragments, reassembled before they are judged")                           \
	X(decoys, "packets that may never reach their server: they can be refused, but allow nothing") \
	FAULTS(FAULT_COUNTER)

enum { EVIDENCE_MAX = 4096 }; /* bytes of a message that a record holds */

enum counter {
#define X(id, text) COUNT_##id,
	COUNTERS(X)
#undef X
	COUNTERS_N
};

/* Lives in memory that parent and worker share; one writer, so relaxed order is enough. Aligned to a
 * cache line: those of several threads stand side by side. */
struct counters {
	_Alignas(64) _Atomic uint64_t v[COUNTERS_N];
};

static inline void count_add(struct counters *c, enum counter which, uint64_t n)
{
	atomic_store_explicit(&c->v[which],
	                      atomic_load_explicit(&c->v[which], memory_order_relaxed) + n,
	                      memory_order_relaxed);
}

extern const char *const counter_names[], *const counter_texts[];

struct hops;

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
	int (*whose)(void *ctx, const struct packet *pkt, const uint16_t port[]);
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

/* The bounds of inspect/inspect.h: conns_new(). Returns 0 or -ENOMEM. */
MUST_CHECK int pipeline_init(struct pipeline *p, uint32_t max_conns, uint32_t max_streams);
/* What a worker that dies leaves to the next one: conns_keep(). */
size_t pipeline_kept_size(uint32_t max_conns);
void   pipeline_keep(struct pipeline *p, void *memory);
void           pipeline_fini(struct pipeline *p);

/* Judges one packet: the caller must carry out exactly this verdict. */
struct verdict pipeline_packet(struct pipeline *p, const struct raw_packet *raw);
/* Sends our own packets; call it when the verdicts of a burst are out. */
void pipeline_after_burst(struct pipeline *p);

#endif

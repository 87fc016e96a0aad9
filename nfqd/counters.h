/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one thread counts: one row per counter. Each process that shows or keeps them reads these tables. */
#ifndef NFQD_COUNTERS_H
#define NFQD_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "act/inject.h"
#include "base/fault.h"

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
	X(questions, "DNS questions judged")                                                       \
	X(questions_unlisted, "of those: for names that no pack lists")                            \
	X(errands, "questions of this host's own resolver that passed as a client's")              \
	X(errands_unknown, "likewise, dropped because their program was not known in time")        \
	X(errands_unasked, "of those: not even looked at, since too many came at once")            \
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

#endif

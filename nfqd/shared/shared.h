/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that parent and worker share: counters and watched addresses, which outlive a worker, and the
 * names of interfaces and clients, which the worker may not look up itself. Every field has one writer,
 * unless it says otherwise.
 */
#ifndef NFQD_SHARED_SHARED_H
#define NFQD_SHARED_SHARED_H

#include "base/hosts.h"
#include "base/onlink.h"
#include "base/seqlock.h"
#include "counters.h"
#include "decide/errands.h"
#include "log/fold.h"
#include "log/sink.h"
#include "match/watch.h"
#include "shared/notes.h"

enum process { PROCESS_PARENT, PROCESS_WORKER, PROCESS_RESOLVER, PROCESS_PROBER, PROCESS_SIGHTINGS, PROCESSES_N };

#define QUEUES_MAX 16
#define IFACES_MAX 256

struct iface {
	struct seqlock   lock; /* over the name */
	_Atomic uint32_t index; /* 0: free */
	char             name[16];
};

struct shared {
	struct counters  count[QUEUES_MAX];
	_Atomic uint64_t seq;         /* number of the next record; 0: none yet */
	struct sink_counts output[SINKS_MAX]; /* of the worker's sinks */
	struct ledger    ledger[SINKS_MAX];   /* likewise */
	/* Each thread counts that it is there, several times a second, whether there is work or not. */
	_Atomic uint64_t beats[QUEUES_MAX], log_beats, resolver_beats;
	_Atomic uint64_t events_taken; /* by the log thread, of those that packet threads made */
	_Atomic uint64_t events_died;  /* made, and never taken: lost with their worker */
	_Atomic uint64_t diag_lost[PROCESSES_N]; /* lines that standard error had no room for */
	struct tap_counts tap;       /* of the kernel, with an interface to watch */
	_Atomic uint64_t generation;  /* of the ruleset that every thread reads */
	struct iface     ifaces[IFACES_MAX];
	struct onlink    onlink; /* networks of interfaces; written by the parent */
	struct hosts     hosts; /* names of clients */
	struct watch     watch; /* addresses of listed names; written by the worker and the resolver */
	struct notes     notes; /* the parent's own records */
	struct fold      fold;  /* the worker's own; its window is the parent's to set before the first worker */
	struct recent    asked; /* clients' questions; only the worker uses it */
	struct errands   errands; /* likewise */
};

/* Returns NULL when memory ran out. There is no pointer in it: a worker could turn it anywhere. */
struct shared *shared_new(void);
/* Counts of QUEUES_MAX queues, in memory of their own, shared likewise. */
struct queue_counts *shared_counts(void);

struct iface_link {
	uint32_t index;
	char     name[16];
};

/* The parent's side: these n are all the interfaces that exist. A name that stays is not rewritten, so
 * that no reader sees a change that is not one. Of more than IFACES_MAX, the last ones have no name. */
void ifaces_replace(struct shared *s, const struct iface_link *links, unsigned n);
/* The worker's side: copies a name out. Returns out, or NULL. */
const char *iface_name(const struct shared *s, uint32_t index, char out[16]);

#endif

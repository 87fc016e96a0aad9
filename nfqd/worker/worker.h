/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that reads hostile bytes. It is forked with every descriptor that it needs, drops its
 * privileges and runs one thread per queue plus this one, which writes records and swaps rulesets. It opens
 * nothing but the interface that it watches; it ends when the parent tells it to or is gone.
 */
#ifndef NFQD_WORKER_WORKER_H
#define NFQD_WORKER_WORKER_H

#include "log/sink.h"
#include "shared/conf.h"
#include "shared/shared.h"

#define OUTPUTS_MAX SINKS_MAX

struct worker_in {
	struct shared  *shared;
	struct queue_counts *counts; /* of QUEUES_MAX queues; shared as well, and the parent may keep them in a file */
	void           *kept;   /* worker_kept_size() bytes that workers share; NULL: nothing outlives one */
	int             parent; /* the socketpair's end */
	int             rules;  /* image */
	uint64_t        generation;
	const char     *device; /* watch this interface; NULL: read the queues */
	const char     *filter; /* BPF expression for its packets; NULL: all */
	unsigned        queues; /* and threads; one for an interface */
	int             queue_fd[QUEUES_MAX]; /* -1: none */
	int             whose[QUEUES_MAX];    /* asks.h, a thread's end each; -1: nothing is asked */
	struct queue_conf queue; /* of the first */
	bool            heartbeat;   /* what it asks for has no record of its own */
	bool            answers;
	struct injector_fds inject;
	struct identity identity;
	uint32_t        checkpoint_s; /* how often the records are signed */
	struct feed    *feed;         /* of the sightings; NULL: there are none */
	unsigned        outputs;
	int             output_fd[OUTPUTS_MAX];
	enum sink_type  output_type[OUTPUTS_MAX];
	enum privacy    output_privacy[OUTPUTS_MAX];
	enum dns_version output_dns[OUTPUTS_MAX];
	int             ask_name; /* pipe to the resolver; -1: clients stay without names */
	int             learned;  /* eventfd: a new address is watched */
	const char     *empty_folder;
};

/* For what a worker that dies leaves to the next one. */
size_t worker_kept_size(unsigned queues);
/* Returns the exit code of the process. */
int worker_main(const struct worker_in *in);

#endif

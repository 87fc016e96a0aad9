/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the parent: its state, and the commands of the control socket that look at it. */
#ifndef NFQD_RUN_PARENT_PRIVATE_H
#define NFQD_RUN_PARENT_PRIVATE_H

#include <sys/types.h>

#include "capture/steer.h"
#include "run/ctl.h"
#include "run/routes.h"
#include "run/worker.h"

struct parent {
	struct conf     *boot; /* of the start: what a reload cannot change */
	struct conf     *conf; /* of the latest reload */
	struct image    *img; /* what the worker reads, kept for questions */
	uint64_t         generation;
	struct shared   *shared;
	struct steer    *steer;
	struct routes   *routes;
	struct worker_in in;
	unsigned         queues;
	pid_t            worker, resolver;
	int              answer_names; /* the resolver's end of the pipe */
	uint64_t         started, last_restart;
	unsigned         restarts;
	int              ctl, signals;
	bool             stopping, inside_auto;
	char             outside[OUTSIDE_MAX][16];
	unsigned         n_outside;
};

/* Reads configuration and packs again and swaps them in; on failure everything stays as it was. */
MUST_CHECK int parent_reload(struct parent *p, struct err *err);

extern const struct ctl_command parent_commands[];
extern const unsigned           parent_n_commands;

#endif

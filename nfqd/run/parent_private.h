/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the parent: its state, and the commands of the control socket that look at it. */
#ifndef NFQD_RUN_PARENT_PRIVATE_H
#define NFQD_RUN_PARENT_PRIVATE_H

#include <sys/types.h>

#include "capture/steer.h"
#include "run/ctl.h"
#include "run/routes.h"
#include "run/state.h"
#include "run/worker.h"

struct parent {
	struct conf     *boot; /* of the start: what a reload cannot change */
	struct conf     *conf; /* of the latest reload */
	const struct image *img; /* what the worker reads, kept for questions */
	uint64_t         generation;
	struct state     state;
	int              mode; /* enum mode set at run time; -1: the configuration's holds */
	int64_t          mode_until; /* seconds; 0: no end */
	int              mode_timer; /* ends it */
	json_t          *changes; /* what the latest reload changed */
	struct shared   *shared;
	struct steer    *steer;
	struct routes   *routes;
	struct worker_in in;
	pid_t            worker, resolver;
	int              answer_names, ask_names; /* the pipe to the resolver */
	bool             resolving;    /* it looks up names of the ruleset of its start */
	uint64_t         started, last_restart;
	unsigned         restarts;
	int              ctl, signals, learned;
	bool             stopping, inside_auto;
	char             outside[OUTSIDE_MAX][16];
	unsigned         n_outside;
};

/* Reads configuration and packs again and swaps them in; on failure everything stays as it was. */
MUST_CHECK int parent_reload(struct parent *p, struct err *err);
/* Swaps in the running packs with the present mode and exceptions. */
MUST_CHECK int parent_rebuild(struct parent *p, struct err *err);

/* commands.c: what is kept beside the configuration; what a rebuild puts beside it; notes of what a new
 * image changes; what is to be said and written when it is live; the end of a mode set for a time. */
void        parent_live_open(struct parent *p);
void        parent_live_close(struct parent *p);
struct live parent_live(struct parent *p, const struct conf *conf);
void        parent_note_changes(struct parent *p, const struct image *img);
void        parent_loaded(struct parent *p);
void        parent_mode_ends(struct parent *p);

/* status.c */
json_t *run_status(void *ctx, const json_t *request, struct err *err);
json_t *status_mode(const struct parent *p);
void    status_say(const struct parent *p); /* what a person who starts it wants to know */

#define EMPTY_FOLDER "/run/nfqd/empty"

/* parent_resolver.c: the pipe to the resolver's process, before a worker is forked; and the process, when
 * packets are steered, and anew when the names to look up have changed. Without it clients stay
 * without names, which is no reason to stop. */
void parent_open_resolver(struct parent *p);
void parent_start_resolver(struct parent *p);
/* In a child: closes every descriptor above standard error but those n; -1 are none. Sorts keep. */
void parent_close_but(int keep[], unsigned n);

/* parent_addrs.c: the packs' networks, after each reload; and what was learned, when it was. */
MUST_CHECK int parent_steer_nets(struct parent *p, struct err *err);
void           parent_steer_watched(struct parent *p);

extern const struct ctl_command parent_commands[];
extern const unsigned           parent_n_commands;

#endif

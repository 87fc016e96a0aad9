/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the parent: its state, and its functions, by file. */
#ifndef NFQD_PARENT_PARENT_PRIVATE_H
#define NFQD_PARENT_PARENT_PRIVATE_H

#include <sys/types.h>

#include "capture/steer.h"
#include "parent/ctl.h"
#include "parent/parent.h"
#include "parent/poller.h"
#include "parent/routes.h"
#include "shared/identity.h"
#include "shared/log_key.h"
#include "shared/state.h"
#include "worker/worker.h"

/* A thread's count of its rounds, read once a second. */
struct pulse {
	uint64_t beats;
	unsigned still; /* consecutive looks with the same count */
};

struct signing;
struct sightings_keeper;

/* What a process that ends leaves for the next, beside the queues' sockets. */
struct handover_note {
	char                magic[8];
	struct steer_tokens tokens;
	uint16_t            queue_num, queues;
	bool                fail_open, labels, glue, mark_token;
};

struct handover {
	struct handover_note note;
	int                  fd[QUEUES_MAX]; /* sockets that nothing reads yet */
	unsigned             n;
	bool                 taken; /* this process reads them */
};

struct parent {
	struct conf     *boot; /* of the start: for what a reload cannot change */
	struct conf     *conf; /* of the latest reload */
	const struct image *img; /* what the worker reads; answers questions here */
	uint64_t         generation;
	struct state     state;
	int              mode; /* enum mode set at run time; -1: the configuration's holds */
	int64_t          mode_until; /* seconds; 0: without end */
	int              mode_timer; /* ends the mode */
	json_t          *changes; /* what the latest reload changed */
	struct shared   *shared;
	struct steer    *steer;
	struct steer_means  means; /* what the kernel has to steer with */
	struct steer_tokens tokens;
	struct prefilter   *prefilter;    /* NULL: off */
	struct err          no_prefilter; /* why the kernel lets nothing pass, although the site wants it */
	int                 nft_events;  /* a socket; -1: none */
	uint64_t            uninspected; /* connections on record, of steer_counts */
	uint64_t            own_lost, own_lost_said; /* forged answers to local programs */
	struct routes   *routes;
	struct worker_in in;
	struct poller_source asks[QUEUES_MAX]; /* the parent's ends; the worker's are in.whose */
	const struct tap *tap; /* NULL: inline */
	pid_t            worker, resolver; /* -1, 0: none */
	int              answer_names, ask_names; /* the pipe to the resolver */
	bool             resolving;    /* it looks up the names of the ruleset that it was started with */
	struct poller    poller;
	struct poller_timer look, nft_look, worker_due, resolver_due;
	unsigned         looks; /* one each second */
	struct pulse     pulse[QUEUES_MAX], log_pulse, resolver_pulse;
	uint64_t         started, worker_started; /* poller_ms() */
	uint64_t         stats_due;      /* in poller_ms(); 0: not begun */
	uint64_t         records_lost;   /* the daemon's own, before a worker took them */
	bool             sensor_kept;    /* the identity is on the disk */
	struct sightings_keeper *sightings; /* NULL: off */
	struct signing  *signing;        /* NULL: the records are not signed */
	struct identity_last last;       /* where the records before this start ended */
	unsigned         restarts, deaths; /* of workers; in a row */
	unsigned         hangs;            /* of workers, which were killed for it */
	unsigned         forbidden;        /* system calls of workers, which the kernel killed for it */
	unsigned         dying;            /* looks since the worker was killed; 0: it was not */
	unsigned         resolver_restarts;
	unsigned         repairs;          /* of the table and the rules */
	char           **inside;    /* owned, its texts are not: steering's list where the heartbeat adds to it */
	struct heartbeat *heartbeat; /* NULL: off */
	struct handover  handed;         /* by the process before */
	uint64_t         followed_until; /* poller_ms(): an end until then is a restart */
	struct ctl      *ctl, *view; /* the control socket; and beside it what only answers */
	int              state_lock, net_lock, signals, learned;
	char             net_path[64]; /* without .lock: of the network namespace */
	struct poller_source claim;    /* run NULL: the name in the namespace is not ours */
	char             owner[STEER_OWNER]; /* of the table */
	bool             stopping;
	bool             protected;        /* as the latest look found it */
	int64_t          protection_since; /* seconds; 0: nobody has looked */
	struct last_reload {
		int64_t    at, failed_at;  /* seconds; 0: never */
		bool       failed;         /* the latest one */
		struct err error;          /* of the latest that failed */
	} reload;
	int64_t          while_down;  /* packets that met the rules of a killed run; -1: there was none */
	uint64_t         unprotected_since, unprotected_ms; /* poller_ms(); of times that ended */
	bool             unprotected; /* nothing is queued: there is no working worker */
	bool             routes_due;  /* the kernel has not taken the latest change */
	bool             rebuild_due; /* the clock has changed something that is not in the rules yet */
	struct diag_rate rebuild_said;
	bool             repair_failed; /* of the table: the next check tries again */
	struct diag_rate repair_said;
	uint32_t         outside[OUTSIDE_MAX]; /* interface indices */
	unsigned         n_outside;
};

/* reload.c */
/* Reads configuration and packs again and puts them in force. -1: err says whether the new rules are
 * live (something after that failed) or the running ones stay. */
MUST_CHECK int parent_reload(struct parent *p, struct err *err);
/* Compiles the packs in force again, with the present mode and exceptions. -1: the running rules stay. */
MUST_CHECK int parent_rebuild(struct parent *p, struct err *err);
/* The next generation of rules: of the packs of an image, or (from NULL) of packs read anew. Returns
 * the sealed image's descriptor, and in *img a view of it: parent and worker share its memory. */
MUST_CHECK int parent_build_rules(struct parent *p, const struct conf *conf, const struct image *from,
                                  const struct image **img, struct err *err);
/* After rules have come into force: warns of a wrong clock, saves when packs were first loaded. */
void           parent_rules_are_live(struct parent *p);

/* prefilter.c: before the first worker; for the rules in force; every second; for `status`. */
void    parent_open_prefilter(struct parent *p);
void    parent_set_prefilter(struct parent *p);
void    parent_tell_prefilter(struct parent *p);
json_t *status_prefilter(const struct parent *p, const struct steer_counts *counts);
void           parent_on_hangup(struct parent *p); /* SIGHUP: reopens the logs, then reloads */

/* claim.c: keeps a second nfqd out of this network namespace. -1: there is one. */
MUST_CHECK int parent_claim(struct parent *p, struct err *err);
void           parent_unclaim(struct parent *p);

/* outputs.c */
MUST_CHECK int parent_open_outputs(struct parent *p, struct err *err);
/* After rotation: the worker gets new descriptors; a file that cannot be opened keeps the old one. -1 then, with
 * the first reason. */
MUST_CHECK int parent_reopen_outputs(struct parent *p, struct err *first);
/* Reopens outputs that lost their reader; one that cannot be opened yet is tried again at the next call. */
void           parent_mend_outputs(struct parent *p);

/* commands.c: the state file and the timer of the mode; the end of a mode set for a time */
void parent_open_state(struct parent *p);
void parent_live_close(struct parent *p);
void parent_mode_ends(struct parent *p);

/* kept.c: puts in force what begins or ends by the clock, so that it stays when the clock goes back;
 * call it every second. What could not be saved when it changed is tried again from time to time. */
void parent_follow_clock(struct parent *p);
void parent_save_state(struct parent *p);

/* records.c: the daemon's own records. The start's is made before the first worker is forked; the stop's
 * when nothing is queued any more; failure NULL: the reload succeeded. */
void parent_record(struct parent *p, const char *kind, json_t *members); /* takes members */
void parent_record_start(struct parent *p);
void parent_record_reload(struct parent *p, const char *failure);
void parent_record_by_clock(struct parent *p);
void parent_record_stop(struct parent *p);

/* checkpoints.c: before the start's record; the log is then signed when the log thread asks, at a limited rate. */
void        parent_open_signing(struct parent *p);
void        parent_close_signing(struct parent *p);
void        parent_sign_checkpoints(struct parent *p);
json_t     *parent_last_checkpoints(const struct parent *p); /* of the boot before: an array of notes */
/* The verifier key as text; NULL: there is none. */
const char *parent_log_key(const struct parent *p, char out[static NOTE_KEY_TEXT]);
json_t     *run_log_key(void *ctx, const json_t *request, struct err *err);

/* watching.c: counts that outlive a kill, before the queues are bound; what the start, and every stats
 * record, says of packets that were not judged; the beginning and the end of queueing nothing */
void parent_open_counts(struct parent *p);
void parent_close_counts(struct parent *p);
void parent_add_while_down(const struct parent *p, json_t *start);
void parent_add_watching(const struct parent *p, json_t *stats);
void parent_fault_begins(struct parent *p);
void parent_fault_ends(struct parent *p);

/* status.c */
json_t *status_counters(const struct parent *p);
json_t *status_log(const struct parent *p);
json_t *status_queues_and_steering(const struct parent *p); /* {"queues":…, "steering":…} */
json_t *run_status(void *ctx, const json_t *request, struct err *err);
json_t *status_mode(const struct parent *p);
void    status_say(const struct parent *p); /* for the person who starts the daemon */
void    status_say_checks(struct parent *p); /* and what may surprise that person */

#define RUN_FOLDER   "/run/nfqd"
#define EMPTY_FOLDER RUN_FOLDER "/empty"

/* spawn_resolver.c: the pipe to the resolver's process, made before a worker is forked; and the process,
 * started when packets are steered, and again when the names to look up have changed. Without a
 * resolver, clients have no names, which is no reason to stop. */
void parent_open_resolver(struct parent *p);
void parent_start_resolver(struct parent *p);
void parent_stop_resolver(struct parent *p); /* closes the pipe; bounded */
/* In a child: closes every descriptor above standard error except the n to keep; -1 stands for none.
 * Sorts keep. */
void parent_close_but(int keep[], unsigned n);

/* spawn_sightings.c: the memory before a worker is forked, and the process. Without it there are no sightings,
 * which is no reason to stop; a process that ends is followed by another. */
void    parent_open_sightings(struct parent *p);
void parent_open_sightings_socket(struct parent *p); /* beside the control socket */
void    parent_start_sightings(struct parent *p);
void    parent_look_at_sightings(struct parent *p); /* once a second */
bool    parent_sightings_ended(struct parent *p, pid_t pid); /* was it this process? */
void    parent_stop_sightings(struct parent *p); /* when nothing is recorded any more; bounded */
json_t *status_sightings(const struct parent *p);
json_t *run_sightings(void *ctx, const json_t *request, struct err *err);
json_t *run_correct(void *ctx, const json_t *request, struct err *err); /* console.c */
json_t *run_sign_in(void *ctx, const json_t *request, struct err *err);

/* addresses.c: the packs' networks, after each reload; and learned addresses, when there are new ones. */
MUST_CHECK int parent_steer_nets(struct parent *p, struct err *err);
void           parent_steer_watched(struct parent *p);

/* asks.c: before the first worker; whose sockets of this host are */
MUST_CHECK int parent_open_asks(struct parent *p, struct err *err);
void           parent_close_asks(struct parent *p);

/* spawn_worker.c */
MUST_CHECK int parent_start_worker(struct parent *p, struct err *err);
void           parent_reap(struct parent *p);
void           parent_worker_is_gone(struct parent *p); /* reports nothing; the next worker is due */
void           parent_replace_worker(struct parent *p); /* when worker_due has come */
/* Has SIGTERM come and is not yet handled? Then it is time to stop waiting. */
bool           parent_told_to_stop(void);
void           parent_stop_worker(struct parent *p);
/* Returns 0 when the worker reads the ruleset of fd, or when there is no worker to read it; after -1 the
 * worker, or the next one, reads the old one. */
MUST_CHECK int parent_offer_rules(struct parent *p, int fd, uint64_t generation, struct err *err);

/* handover.c: the command that announces a restart; is the end one? Then the queues go to the service manager, or false:
 * they end here */
json_t *run_handover(void *ctx, const json_t *request, struct err *err);
bool    parent_is_followed(const struct parent *p);
MUST_CHECK bool parent_hand_over(struct parent *p);
/* And at the start: what there is; takes the queues, or releases what waits as `fail:` said and returns false; the start
 * failed before. */
void            handover_receive(struct handover *h);
MUST_CHECK bool parent_take_over(struct parent *p);
void            handover_drop(struct handover *h);
void            handover_abandon(struct handover *h);

/* ending.c: nothing is queued any more, or another process reads on; the worker ends; releases p->steer */
void parent_end_packets(struct parent *p);

/* life.c, once a second: kills a worker whose threads no longer count. Feeds systemd's watchdog when all
 * do. */
void parent_look_at_life(struct parent *p);
void parent_forget_pulses(struct parent *p); /* when a worker has just begun */

/* heartbeat.c: from when packets are steered until nothing is queued any more */
void    parent_open_heartbeat(struct parent *p);
void    parent_close_heartbeat(struct parent *p);
json_t *status_heartbeat(const struct parent *p);
/* pair.c: active or standby; NULL: this is not one of a pair. */
const char *pair_role(const struct parent *p);

/* protection.c: why not everything that is listed is refused, an array of {reason, text}; empty: it is. in_place: the
 * table is. And, once a second, since when that is so. */
json_t *protection_reasons(const struct parent *p, bool in_place);
void    parent_look_at_protection(struct parent *p);

/* steering.c; without a table, functions that need one do nothing */
MUST_CHECK int parent_steer(struct parent *p, struct err *err);
MUST_CHECK int parent_fill_sets(struct parent *p, struct err *err); /* of a new table */
MUST_CHECK int parent_update_routes(struct parent *p, struct err *err);
void           parent_stop_queueing(struct parent *p);
void           parent_resume_queueing(struct parent *p);
/* Is everything still in place? Puts it back otherwise. */
void parent_look_at_steering(struct parent *p);
/* The same, and what other programs' tables have: where events may have been lost. */
void parent_look_at_tables(struct parent *p);
/* Another program changed an nft table. */
void parent_on_nft_event(struct parent *p);
/* What is due every few seconds. */
void parent_steer_tick(struct parent *p);

extern const struct ctl_command parent_commands[];
extern const unsigned           parent_n_commands;
extern const struct ctl_command parent_view_commands[]; /* those that change nothing */
extern const unsigned           parent_n_view_commands;

#endif

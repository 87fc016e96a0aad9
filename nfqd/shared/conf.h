/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The site's configuration (nfqd.yaml(5)), conf.c, and what a reload does with it: check it against
 * the packs and build one new ruleset image, compile.c. Nothing of the running daemon is touched here.
 */
#ifndef NFQD_RUN_CONF_H
#define NFQD_RUN_CONF_H

#include "decide/policy.h"
#include "match/pack.h"

enum output_type { OUTPUT_FILE, OUTPUT_TEXT };
enum events { EVENTS_MATCHES, EVENTS_ALL };
enum fail { FAIL_OPEN, FAIL_CLOSED };

struct conf_output {
	int   type; /* enum output_type */
	char *path; /* "-": standard output */
};

struct conf_inspect {
	bool     forward, output, answers; /* answers: what resolvers say */
	char   **inside; /* interfaces or networks; the one word "auto" */
	unsigned n_inside;
	unsigned queues;    /* each with a thread of its own */
	unsigned queue_num; /* first queue number */
	uint32_t mark_mask; /* bits of 0.1.0, to be cleared where it left any */
	bool     has_mark_mask;
	bool     marked_output; /* judge packets of local programs that already carry a mark */
};

/* Looking listed names up in the background. */
struct conf_resolve {
	char    *server; /* NULL: not at all */
	uint32_t interval, jitter; /* seconds */
};

struct conf {
	int                  mode, fail; /* enum mode, enum fail */
	char               **rules, **profiles; /* profiles: whose stages hold besides the common ones */
	unsigned             n_rules, n_profiles;
	struct conf_inspect  inspect;
	struct conf_resolve  resolve;
	struct policy_in    *policies;
	unsigned             n_policies;
	struct exception_in *exceptions;
	unsigned             n_exceptions;
	int                  default_action;
	int                  on_exception[FAULT_N]; /* 0: pass, 1: drop */
	char                *control, *state;
	int                  events; /* enum events */
	bool                 client_names; /* ask resolvers for the names of clients */
	struct conf_output  *outputs;
	unsigned             n_outputs;
	/* not in the file */
	char            *path;
	struct yaml_doc *doc;
};

/* Reads a configuration; NULL with err filled. conf_default() is what holds without a file: the
 * packs of rules (or the installed ones), every pack's stage, events to standard output. */
MUST_CHECK struct conf *conf_load(const char *path, struct err *err);
MUST_CHECK struct conf *conf_default(char *const rules[], unsigned n_rules, struct err *err);
void                    conf_free(struct conf *c);

/* Loads the packs that the configuration names and builds the image, as it judges captures: those
 * carry their own time. The caller frees *img. */
MUST_CHECK int conf_compile(const struct conf *c, struct image **img,
                          struct err *err);

struct state; /* shared/state.h */

/* What a running daemon has beside its configuration. */
struct overlay {
	int           mode;  /* enum mode in force */
	struct state *state; /* exceptions made at run time; packs that are new are noted in it */
};

/* The same for a running daemon. from NULL: packs are read; else those of that image are taken. */
MUST_CHECK int conf_compile_running(const struct conf *c, const struct overlay *overlay,
                               const struct image *from, struct image **img, struct err *err);

/* Is this an exception that can be built? */
MUST_CHECK int conf_check_exception(const struct exception_in *e, struct err *err);

#define EXCEPTION_DAYS_MAX 366 /* how far ahead an exception may end: a year, leap years too */

#endif

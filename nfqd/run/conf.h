/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The site's configuration (nfqd.yaml(5)) and what a reload does with it: read, check, build one
 * new ruleset image. Nothing of the running daemon is touched here.
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
	bool     forward, output;
	char   **inside; /* interfaces or networks; the one word "auto" */
	unsigned n_inside;
	unsigned queues;    /* 0: auto */
	unsigned queue_num; /* first queue number */
	uint32_t mark_mask; /* three adjacent bits */
	bool     marked_output; /* judge packets of local programs that already carry a mark */
};

struct conf {
	int                  mode, fail; /* enum mode, enum fail */
	char               **rules;
	unsigned             n_rules;
	struct conf_inspect  inspect;
	struct policy_in    *policies;
	unsigned             n_policies;
	struct exception_in *exceptions;
	unsigned             n_exceptions;
	int                  default_action;
	char                *control;
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

/* Loads the packs that the configuration names and builds the image. The caller frees *img. */
MUST_CHECK int conf_build(const struct conf *c, uint64_t generation, struct image **img,
                          struct err *err);

#endif

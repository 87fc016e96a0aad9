/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The site's configuration (nfqd.yaml(5)), conf.c, and what a reload does with it: check it against
 * the packs and build one new ruleset image, compile.c. Nothing of the running daemon is touched here.
 */
#ifndef NFQD_SHARED_CONF_H
#define NFQD_SHARED_CONF_H

#include <stdio.h>

#include "shared/conf_types.h"

extern const char *const events_words[]; /* enum events */
extern const char *const fail_words[];   /* enum fail */

/* Reads a configuration; NULL with err filled. conf_default() is the configuration without a file: the
 * packs of rules (or the installed ones), every pack's stage, events to standard output. */
MUST_CHECK struct conf *conf_load(const char *path, struct err *err);
/* The same to look for every mistake: say hears each, err the first. What is returned may have mistakes: it is for
 * conf_compile(), which looks for more, and never for use. */
MUST_CHECK struct conf *conf_load_to_check(const char *path, yaml_say *say, void *ctx, struct err *err);
/* The included file, of a configuration's path. Returns 0, or -1: longer than room. */
MUST_CHECK int conf_own_path(const char *conf, const char *include, char *out, size_t room);
/* Reads it, if it is there, and puts its policies in front. */
MUST_CHECK int conf_load_own(struct conf *c, yaml_say *say, void *ctx, struct err *err);
/* yaml_doc_error() for a key of the i-th policy, in the file that has it. */
__attribute__((format(printf, 5, 6))) int conf_policy_error(const struct conf *c, struct err *err, unsigned i,
                                                            const char *key, const char *fmt, ...);
MUST_CHECK struct conf *conf_default(char *const rules[], unsigned n_rules, struct err *err);
void                    conf_free(struct conf *c);

/* The number of queues: the configured one, or what suits this machine. */
unsigned conf_queues(const struct conf *c);
/* Writes what is in effect, defaults included, as YAML that loads to the same. Returns 0 or -1. */
MUST_CHECK int conf_write(const struct conf *c, FILE *f);
/* Writes the keys that differ and take effect only at the next start, "a, b", cut to room. Returns how
 * many. */
unsigned conf_needs_restart(const struct conf *a, const struct conf *b, char *out, size_t room);

/* Loads the packs that the configuration names and builds the image for judging captures, which carry
 * their own time. The caller frees *img. */
MUST_CHECK int conf_compile(const struct conf *c, struct image **img,
                          struct err *err);

struct state; /* shared/state.h */

/* What a running daemon adds to its configuration. */
struct overlay {
	int           mode;  /* enum mode in force */
	struct state *state; /* exceptions made at run time; packs that are new are noted in it */
};

/* The same for a running daemon. from NULL: the packs are read again; otherwise those of that image are
 * used. */
MUST_CHECK int conf_compile_running(const struct conf *c, const struct overlay *overlay,
                               const struct image *from, struct image **img, struct err *err);

/* Can this exception be compiled? */
MUST_CHECK int conf_check_exception(const struct exception_in *e, struct err *err);

#define EXCEPTION_DAYS_MAX 366 /* how far ahead an exception may end: a year, leap years too */

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judging what machines called by other rules: of nfqctl preview what needs no command line. */
#ifndef NFQCTL_PREVIEW_H
#define NFQCTL_PREVIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "match/ruleset.h"
#include "shared/why.h"

struct preview_run;

/* A name of a machine that would be refused; first: of this machine. */
typedef void preview_row_fn(const struct preview_run *p, const json_t *machine, const json_t *one, const struct why_rule *now, bool first);

struct preview_run {
	struct ruleset  rs;
	int64_t         seconds; /* when */
	const char     *at;      /* the same as it was asked for; NULL: now */
	preview_row_fn *row;
	FILE           *out;
	void           *ctx;
	long long       machines, names, rows;
};

/* Judges a machine's names; ctx is a struct preview_run. */
void      preview_machine(void *ctx, const json_t *machine, const json_t *names);
/* How often a name was called. */
long long preview_times(const json_t *one);
/* As JSON: begin, preview_json_row for each row, end. */
void preview_json_begin(const struct preview_run *p);
void preview_json_row(const struct preview_run *p, const json_t *machine, const json_t *one, const struct why_rule *now, bool first);
void preview_json_end(const struct preview_run *p);

#endif

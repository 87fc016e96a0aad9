/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between rules_verify.c (what answers mean for a pack), rules_verify_ask.c (c-ares) and
 * rules_verify_print.c (the report as text). */
#ifndef NFQCTL_RULES_VERIFY_H
#define NFQCTL_RULES_VERIFY_H

#include "name/name.h"
#include "rules.h"

#define VERIFY_CANARY "blocked.nfqd.invalid"

/* Of the outcomes of A and AAAA, the later one in this list counts. */
enum outcome {
	OUTCOME_DEAD,   /* NXDOMAIN */
	OUTCOME_EMPTY,  /* the name exists, but has no address */
	OUTCOME_FAILED, /* no answer, or one that says nothing about the name */
	OUTCOME_ADDRESS,
	OUTCOME_BLOCKED, /* a server on the way answered, and says so */
};

struct verify_answer {
	enum outcome outcome;
	char         why[128];          /* FAILED, BLOCKED: printable */
	uint16_t     error;             /* BLOCKED: the Extended DNS Error */
	char         target[NAME_TEXT]; /* where the chain of CNAMEs ends; "": there is none */
	struct addr  addrs[DNS_ADDRS];
	unsigned     n_addrs;
};

enum { VERIFY_TYPES = 2 }; /* A, AAAA */

struct verify_how {
	const char *server; /* ADDR[:PORT]; NULL: those of the system */
	unsigned    at_once, timeout_s;
};

/* Called with the result of names[i]. */
typedef void verify_done(void *ctx, size_t i, const struct verify_answer v[VERIFY_TYPES]);

struct verify_asker;
/* NULL: the reason was printed. */
struct verify_asker *verify_open(const struct verify_how *how);
void                 verify_close(struct verify_asker *a);
/* The servers in use, separated by commas. */
const char *verify_servers(const struct verify_asker *a);
/* Returns 0 when every name was done, -1 when memory ended before. */
MUST_CHECK int verify_names(struct verify_asker *a, const char *const names[], size_t n,
                            verify_done *done, void *ctx);
/* Messages that came from a server so far. */
size_t verify_heard(const struct verify_asker *a);

/* Writes the report for people; takes it. Returns an enum ctl_exit. */
int verify_print(json_t *report);

#endif

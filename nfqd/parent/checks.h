/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What else runs on this machine and changes what nfqd sees or sends: other tables' rules, kinds of
 * interfaces, proxies. One row of checks.c per check; each finding says where the cause is and names the
 * cure. A machine without any of these gives no finding.
 */
#ifndef NFQD_PARENT_CHECKS_H
#define NFQD_PARENT_CHECKS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

struct conf;

struct checks_ask {
	bool marked_output;      /* packets of local programs are judged although they carry a mark */
	bool mark_token;         /* verdicts travel in the packet's mark: struct steer_means */
	char *const *inside;     /* inspect.inside of the running daemon */
	unsigned     n_inside;
	char *const *proxies;    /* inspect.proxies likewise: where the client's own requests are judged */
	unsigned     n_proxies;
	const struct conf *conf; /* NULL: only what the running daemon looks for. Otherwise, for the doctor, also what
	                            keeps nfqd from starting, or from doing well, with this configuration */
	bool running;            /* and whether a daemon runs, whose queues are its own */
};

/*
 * Runs the checks in a process of its own, which is given up after a second (the doctor's after 20), so that a
 * long ruleset never delays the caller. Needs CAP_NET_ADMIN. Returns an array of {check, where, text, cure} and,
 * where a single one mends it, command; the caller owns it. NULL: out of memory.
 */
json_t *checks_run(const struct checks_ask *ask);

/* The finding of a configuration that cannot be loaded. */
json_t *checks_of_configuration(const struct err *err);

/* A warning on standard error for each finding. */
void checks_say(const json_t *findings);

#endif

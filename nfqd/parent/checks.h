/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands beside nfqd on this machine and bends what it sees or what it sends: other tables' rules,
 * kinds of interfaces, proxies. One row of checks.c per check; each finding names where it is and the
 * cure. A machine without any of that gives no finding.
 */
#ifndef NFQD_PARENT_CHECKS_H
#define NFQD_PARENT_CHECKS_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Looks, in a process of its own that is given up after a second, so that the caller is never held up by
 * a long ruleset. marked_output: packets of local programs are judged although they carry a mark. Needs
 * CAP_NET_ADMIN. Returns an array of {check, where, text, cure}, which the caller owns; NULL: out of
 * memory.
 */
json_t *checks_run(bool marked_output);

/* A warning on standard error for each finding. */
void checks_say(const json_t *findings);

#endif

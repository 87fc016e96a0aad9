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

/*
 * Runs the checks in a process of its own, which is given up after a second, so that a long ruleset never
 * delays the caller. marked_output: packets of local programs are judged although they carry a mark. Needs
 * CAP_NET_ADMIN. Returns an array of {check, where, text, cure}, which the caller owns; NULL: out of
 * memory.
 */
json_t *checks_run(bool marked_output);

/* A warning on standard error for each finding. */
void checks_say(const json_t *findings);

#endif

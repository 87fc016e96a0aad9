/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies that hold for ever, in the file that the configuration includes (nfqd.yaml(5), include). */
#ifndef NFQCTL_OWN_H
#define NFQCTL_OWN_H

#include "nfqctl.h"

struct own_policy {
	const char *name, *client, *action, *reason; /* client, reason NULL: none */
	const char *conf; /* the configuration; NULL: the installed one */
};

/* Can this be an exception's name? False: said what is wrong. */
bool own_name_ok(const char *command, const char *name);
/* The same of a policy. */
bool own_ok(const char *command, const struct own_policy *p);
/* Writes the policy in front of the others, in place of one for the same name and client, and has the daemon reload.
 * A file that would not load is left as it was. Returns an exit code. */
int own_keep(struct nfqctl *ctl, const struct own_policy *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies that hold for ever, in the file that the configuration includes (nfqd.yaml(5), include). */
#ifndef NFQCTL_OWN_H
#define NFQCTL_OWN_H

#include "nfqctl.h"

struct own_policy {
	const char *name, *client, *action, *reason; /* client, reason NULL: none */
	const char *conf; /* the configuration; NULL: the installed one */
};

/* Writes the policy in front of the others, in place of one for the same name and client, and has the daemon reload.
 * A file that would not load is left as it was. Returns an exit code. */
int own_keep(struct nfqctl *ctl, const struct own_policy *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of a process that is no more, before a new one loads its own. */
#include <stdlib.h>

#include "base/diag.h"
#include "capture/steer_private.h"

enum { PATIENCE_MS = 60000 }; /* of a start: steer.c */

void steer_stop_left(bool fail_open)
{
	struct steer left = { .conf.fail_open = fail_open, .away.patience_ms = PATIENCE_MS };
	json_t      *doc;

	if (steer_list(&left, "chain inet nfqd came_back", &doc) == 0)
		steer_stop_queueing(&left);
	json_decref(doc);
}

void steer_remove_left(void)
{
	struct steer left = { .away.patience_ms = PATIENCE_MS };
	struct err   err = { .text = "" };

	if (steer_run(&left, "delete table inet nfqd", "remove the table", &err) < 0)
		diag_warn("steer", "%s", err.text);
}

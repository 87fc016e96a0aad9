/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root process: it reads the configuration, owns the table, the queues' sockets and the files,
 * serves the control socket, keeps a worker alive, and cleans up. It never looks at a packet.
 */
#ifndef NFQD_PARENT_PARENT_H
#define NFQD_PARENT_PARENT_H

#include "shared/conf.h"

/* An interface whose traffic is only watched: nothing is steered, sent or blocked. */
struct tap {
	const char *device; /* "any": all of them */
	const char *filter; /* BPF expression; NULL: everything */
};

/* Runs until a signal ends it; takes conf. tap NULL: inline. Returns 0 or -1 with err filled. */
MUST_CHECK int parent_run(struct conf *conf, const struct tap *tap, struct err *err);

/* Nothing was run, since the configuration does not load: what an nfqd that is restarted left for this process follows
 * its `fail:`. */
void parent_not_started(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root process: it reads the configuration, owns the table, the queues' sockets and the files,
 * serves the control socket, keeps a worker alive, and cleans up. It never looks at a packet.
 */
#ifndef NFQD_RUN_PARENT_H
#define NFQD_RUN_PARENT_H

#include "run/conf.h"

/* Runs until a signal ends it; takes conf. Returns 0 or -1 with err filled. */
MUST_CHECK int parent_run(struct conf *conf, struct err *err);

#endif

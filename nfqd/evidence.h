/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes that a record can be judged by again. */
#ifndef NFQD_EVIDENCE_H
#define NFQD_EVIDENCE_H

#include "inspect/inspect.h"
#include "pipeline_state.h"

/* Fills e->bytes as far as the site wants them (log.packets), for the message of the packet in hand; they
 * borrow memory of the pipeline until its next record. */
void evidence_take(struct pipeline *p, const struct message *m, struct event *e);

#endif

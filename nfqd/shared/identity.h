/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who this sensor is. A UUID is made at the first start and kept beside the state file, with the number
 * of starts, in sensor.json. It is bound to /etc/machine-id: a copy of the disk in another machine is
 * another sensor.
 */
#ifndef NFQD_SHARED_IDENTITY_H
#define NFQD_SHARED_IDENTITY_H

#include <stdbool.h>

#include "base/err.h"
#include "log/identity.h"

/* A run that keeps nothing, such as one over a capture: the host's name, no sensor, boot 0. */
void identity_of_run(struct identity *id, enum identity_source source);

/* Where the records before this start ended. boot 0: there were none. */
struct identity_last {
	uint64_t boot, seq; /* seq 0: no record was made; or, when the run did not end in order, unknown */
	bool     stopped;
};

/*
 * The identity of a daemon that starts now; its boot is on the disk when this returns. state is the path of
 * the state file. Reports what is new about the identity (diag). -1: it could not be kept, and id is good
 * for this run alone; err says why.
 */
MUST_CHECK int identity_open(struct identity *id, enum identity_source source, const char *state,
                             struct identity_last *last, struct err *err);
/* The run ended in order, with the record seq; 0: it made none. */
MUST_CHECK int identity_close(const struct identity *id, const char *state, uint64_t seq, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who this sensor is: made once, kept beside the state file, bound to the machine. */
#ifndef NFQD_SHARED_IDENTITY_H
#define NFQD_SHARED_IDENTITY_H

#include "log/identity.h"

/* A run that keeps nothing, over a capture or by hand: the host's name, no sensor, boot 0. */
void identity_of_run(struct identity *id, enum identity_source source);

#endif

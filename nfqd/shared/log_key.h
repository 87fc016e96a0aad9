/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key that a sensor signs its log with: made at the first start, kept beside the state file, mode 0600. */
#ifndef NFQD_SHARED_LOG_KEY_H
#define NFQD_SHARED_LOG_KEY_H

#include "base/err.h"
#include "tlog/note.h"

/* Reads the key of a sensor, or makes one where there is none, or only another sensor's. -1: err says why. */
MUST_CHECK int log_key_open(struct note_key *signer, const char *state, const char *sensor, struct err *err);
/* Makes another one and puts it in the place of the old one. */
MUST_CHECK int log_key_make(struct note_key *signer, const char *state, const char *sensor, struct err *err);

#endif

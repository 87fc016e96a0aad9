/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checkpoints (C2SP tlog-checkpoint): how many lines a log had and the root of its tree then, as a signed
 * note. The log of one output and boot has the origin nfqd/SENSOR/BOOT/OUTPUT; the key is called nfqd/SENSOR.
 */
#ifndef NFQD_TLOG_CHECKPOINT_H
#define NFQD_TLOG_CHECKPOINT_H

#include "tlog/note.h"
#include "tlog/tree.h"

#define CHECKPOINT_ORIGIN 128 /* longest one, with its NUL */
#define CHECKPOINT_NOTE   (CHECKPOINT_ORIGIN + 22 + TREE_HASH_TEXT + NOTE_LINE + 4)

struct checkpoint {
	char             origin[CHECKPOINT_ORIGIN];
	uint64_t         size;
	struct tree_hash root;
};

void checkpoint_key_name(const char *sensor, char out[static NOTE_NAME]);
void checkpoint_origin(const char *sensor, uint64_t boot, unsigned output,
                       char out[static CHECKPOINT_ORIGIN]);
/* The parts of such an origin, the sensor borrowed from it; false: it is not one. */
bool checkpoint_origin_parse(const char *origin, const char **sensor, size_t *sensor_n, uint64_t *boot,
                             unsigned *output);

/* Writes the signed note. */
void checkpoint_sign(const struct checkpoint *c, const struct note_key *signer,
                     char out[static CHECKPOINT_NOTE]);
/* Reads a note without checking its signatures. Returns 0, or -1 with err filled. */
MUST_CHECK int checkpoint_parse(const char *note, size_t n, struct checkpoint *out, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon must remember across a restart: exceptions made by `nfqctl allow`, and when each pack was
 * first loaded. One JSON file, which only the parent writes, whole or not at all. The document that is
 * written is also the store.
 */
#ifndef NFQD_SHARED_STATE_H
#define NFQD_SHARED_STATE_H

#include <jansson.h>

#include "decide/policy.h"

struct kept; /* an exception as policies want it */

struct state {
	const char  *path; /* borrowed; NULL: nothing is kept */
	json_t      *doc;
	struct kept *kept; /* doc's exceptions, with texts that doc owns */
	unsigned     n_kept;
	bool         changed; /* the file does not have it yet */
	struct err   problem; /* how the file was damaged when it was read; "" */
};

/* Reads the file. -1: it is damaged, err says how; the state is empty and usable all the same. A
 * missing file is an empty state. Nothing is written. */
MUST_CHECK int state_read(struct state *s, const char *path, struct err *err);
/* The same for the file's owner: reports what is wrong, and moves a damaged file to another name, so
 * that it is not overwritten. */
void state_open(struct state *s, const char *path);
void state_fini(struct state *s);

/* Writes the file if something changed. A change that cannot be written stays in force. */
MUST_CHECK int state_save(struct state *s, struct err *err);

unsigned                   state_n_exceptions(const struct state *s);
const struct exception_in *state_exception(const struct state *s, unsigned i);

/* Adds an exception {"name", "client"?, "owner", "reason", "expires"} (takes it), replacing one for the
 * same name and client; gives it an id. Expired ones are forgotten. Returns it, borrowed. */
MUST_CHECK json_t *state_allow(struct state *s, json_t *exception, int64_t now, struct err *err);
/* Removes those with an id or a name; returns how many. */
unsigned state_revoke(struct state *s, const char *id_or_name);

/*
 * Notes which exceptions have ended by now: those made here, and n of the configuration (borrowed). A noted
 * one does not begin again when the clock goes back; the same exception with another end is a new one.
 * Returns whether any is new.
 */
bool state_note_ended(struct state *s, const struct exception_in *of_conf, unsigned n, int64_t now);
bool state_has_ended(const struct state *s, const struct exception_in *e); /* according to the notes */

/* Goes back to a copy of doc (takes it). */
void state_restore(struct state *s, json_t *doc);

/* When a pack was first loaded: a new pack is noted as loaded now. now 0: the clock is wrong; a new pack
 * gets 0, and nothing is noted. */
int64_t state_first_seen(struct state *s, const char *pack, int64_t now);

#endif

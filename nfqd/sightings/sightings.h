/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inventory of machines and products: an SQLite database that records are put into one after the other and
 * questions are asked of. Nothing here knows where records come from (sightings.c is fed by the running daemon,
 * nfqctl by files) or what a network is.
 *
 * Choices (sqlite.org/pragma.html): WAL with synchronous=NORMAL, so that a killed process or a power cut loses at
 * most the last batch and never the database, and a batch costs no fsync; auto_vacuum=INCREMENTAL, so that what is
 * deleted for the cap gives room back; trusted_schema=OFF and cell_size_check=ON, since another program may have
 * written the file; temp_store=MEMORY, since the process may write nowhere else.
 */
#ifndef NFQD_SIGHTINGS_SIGHTINGS_H
#define NFQD_SIGHTINGS_SIGHTINGS_H

#include <jansson.h>

#include "base/err.h"
#include "sightings/sighting.h"

#define SIGHTINGS_SCHEMA 1
#define SIGHTINGS_JSON   1 /* of what nfqctl prints: raised when a member changes its meaning */

struct sightings;

enum sightings_open {
	SIGHTINGS_READ,   /* a file that is there */
	SIGHTINGS_WRITE,  /* likewise, to change it */
	SIGHTINGS_CREATE, /* it is made where it is missing */
	SIGHTINGS_MEMORY  /* none: it ends with the process; path is not read */
};

/* NULL: err says why. *damaged (may be NULL) is then true where the file is not a database, or not one of ours. */
struct sightings *sightings_open(const char *path, enum sightings_open how, bool *damaged, struct err *err);
void          sightings_close(struct sightings *s);

/* Between begin and commit records are taken; what was not committed never happened. -1: s is broken, and
 * sightings_problem() says why. */
MUST_CHECK int sightings_begin(struct sightings *s);
MUST_CHECK int sightings_commit(struct sightings *s);
/* Gives up what was taken since begin. */
void           sightings_rollback(struct sightings *s);
/* NULL: all is well. */
const char    *sightings_problem(const struct sightings *s);
bool           sightings_is_damaged(const struct sightings *s);

/* Takes a record; one that was taken before (the same sensor, boot and number, or a lower one) is left out. */
void sightings_take(struct sightings *s, const struct sighting *one);
/* From now on names that no pack lists are taken, too, without a vendor. */
void sightings_take_all_names(struct sightings *s);
/* So many records could not be taken. */
void sightings_missed(struct sightings *s, int64_t n, int64_t at);

/* Keeps the file below max bytes by giving up the oldest days, of which the sums stay, and forgets machines that
 * have not called since `before` (microseconds; 0: none). Call it outside of begin and commit. */
void sightings_trim(struct sightings *s, int64_t max_bytes, int64_t before);

/* Names of machines from elsewhere: kind is ptr, lease, hosts or site; key is a MAC or an address. */
void sightings_label(struct sightings *s, const char *kind, const char *key, const char *name, int64_t at);

/* The same where a machine has this MAC or address. */
void sightings_label_known(struct sightings *s, const char *kind, const char *key, const char *name, int64_t at);

/* ---- questions; the caller owns the answer. NULL: err says why ---- */

struct sightings_which {
	const char *vendor; /* NULL: all */
	int64_t     since, until; /* microseconds; whole days count; 0: without end */
	bool        leaked; /* only those with something that was to be refused and passed */
	const char *sort;   /* last, first, name, refused, logged, leaked; NULL: last */
};

json_t *sightings_hosts(struct sightings *s, const struct sightings_which *which, struct err *err);
/* id: as hosts gives it, or an address, a MAC or a name of the machine. */
json_t *sightings_host(struct sightings *s, const char *id, const struct sightings_which *which, struct err *err);
json_t *sightings_report(struct sightings *s, const struct sightings_which *which, struct err *err);
/* Every machine × name, for preview: [{machine, name, refused, …}] */
json_t *sightings_names(struct sightings *s, const struct sightings_which *which, struct err *err);

/* ---- a person's corrections ---- */

/* Each returns what was done as JSON. */
json_t *sightings_split(struct sightings *s, const char *id, const char *address, struct err *err);
json_t *sightings_merge(struct sightings *s, const char *id, const char *other, struct err *err);
json_t *sightings_forget(struct sightings *s, const char *id, struct err *err);

#endif

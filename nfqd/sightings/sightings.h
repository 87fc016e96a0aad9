/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inventory of machines and products: an SQLite database that records are put into one after the other and
 * questions are asked of. Nothing here knows where records come from (sightings.c is fed by the running daemon,
 * nfqctl by files) or what a network is.
 *
 * Choices (sqlite.org/pragma.html): WAL with synchronous=NORMAL, so that a killed process or a power cut loses at
 * most the last batch and never the database, and a batch costs no fsync; wal_autocheckpoint=256 and
 * journal_size_limit, so that the log beside the file has a few MB; max_page_count, so that no way of filling it makes
 * the file larger than its limit; auto_vacuum=INCREMENTAL, so that it can become smaller again; trusted_schema=OFF and cell_size_check=ON, since another program may have
 * written the file; temp_store=MEMORY, since the process may write nowhere else.
 */
#ifndef NFQD_SIGHTINGS_SIGHTINGS_H
#define NFQD_SIGHTINGS_SIGHTINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "sightings/sighting.h"

#define SIGHTINGS_SCHEMA 3
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

/* The file shall have at most so many bytes; what does not fit is a problem (SQLITE_FULL). */
void sightings_limit(struct sightings *s, int64_t max_bytes);
/* Is it so full that it must be trimmed before the next batch? */
bool sightings_is_full(struct sightings *s);
/* Between begin and commit: has the transaction grown as large as one may be? */
bool sightings_wants_commit(struct sightings *s);

/* Empties the log beside the file. False: somebody reads what is in it. */
bool sightings_checkpoint(struct sightings *s);

/* What a limit took. */
struct sightings_trimmed {
	int64_t crowd;   /* machines that came by the hundreds */
	int64_t weakest; /* machines of the least evidence, when nothing else was left */
	int64_t days;    /* that are one sum now */
};

/* One step of making room (weak.c says what goes first) and of forgetting machines that have not called since `before`
 * (microseconds; 0: none). Adds what went to sum. True: another step is to be done. Call it outside of begin and
 * commit. */
MUST_CHECK bool sightings_trim(struct sightings *s, int64_t before, struct sightings_trimmed *sum);

/* Names of machines from elsewhere: kind is ptr, lease, hosts or site; key is a MAC or an address. */
void sightings_label(struct sightings *s, const char *kind, const char *key, const char *name, int64_t at);

/* The same where a machine has this MAC or address. */
void sightings_label_known(struct sightings *s, const char *kind, const char *key, const char *name, int64_t at);

/* All names of that kind go. */
void sightings_forget_labels(struct sightings *s, const char *kind);

/* From now on a question has so many milliseconds; then it fails ("interrupted"). */
void sightings_limit_time(struct sightings *s, unsigned ms);

/* ---- questions; the caller owns the answer. NULL: err says why ---- */

struct sightings_which {
	const char *vendor; /* NULL: all */
	int64_t     since, until; /* microseconds; whole days count; 0: without end */
	bool        leaked; /* only those with something that was to be refused and passed */
	const char *sort;   /* one of sightings_sorts; NULL: last */
};

extern const char *const sightings_sorts[];

json_t *sightings_hosts(struct sightings *s, const struct sightings_which *which, struct err *err);
/* id: as hosts gives it, or an address, a MAC or a name of the machine. */
json_t *sightings_host(struct sightings *s, const char *id, const struct sightings_which *which, struct err *err);
/* Of the report what says whether nfqd was watching. */
json_t *sightings_coverage(struct sightings *s, const struct sightings_which *which, struct err *err);
/* Of the report what happened, the newest first. */
json_t *sightings_events(struct sightings *s, const struct sightings_which *which, struct err *err);
json_t *sightings_report(struct sightings *s, const struct sightings_which *which, struct err *err);

/* A machine's id, name and addresses, and the names that it called with their counts; both are borrowed. */
typedef void sightings_names_fn(void *ctx, const json_t *machine, const json_t *names);

/* Calls each() for every machine that called a name, so that no more than one machine's names are in memory. Returns 0,
 * or -1 with err. */
MUST_CHECK int sightings_names(struct sightings *s, const struct sightings_which *which, sightings_names_fn *each, void *ctx,
                               struct err *err);

/* ---- a person's corrections ---- */

/* Each returns what was done as JSON. */
json_t *sightings_split(struct sightings *s, const char *id, const char *address, struct err *err);
json_t *sightings_merge(struct sightings *s, const char *id, const char *other, struct err *err);
json_t *sightings_forget(struct sightings *s, const char *id, struct err *err);

#endif

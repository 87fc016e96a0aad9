/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the parts of `nfqctl rules update`: rules_update.c (the command and its steps),
 * rules_update_from.c (where a release comes from), rules_update_store.c (the releases that are kept) and
 * rules_update_diff.c, rules_update_seen.c (what a release changes, of all names and of those seen here).
 */
#ifndef NFQCTL_RULES_UPDATE_H
#define NFQCTL_RULES_UPDATE_H

#include "tlog/note.h"
#include "rules.h"
#include "rules_index.h"

#define UPDATE_KEYS 16
#define UPDATE_PATH 4096
#define UPDATE_RECORDS 8
#define UPDATE_KEEP 3 /* releases that stay */

struct updater {
	const char        *from, *into, *ca;
	bool               check; /* only say what would change */
	struct note_key    keys[UPDATE_KEYS];
	unsigned           n_keys;
	const char        *records[UPDATE_RECORDS]; /* files of records of this site */
	unsigned           n_records;
	struct err         err;
	/* the release at hand */
	char              *note; /* owned */
	size_t             note_n;
	struct rules_index index;
	char               staged[UPDATE_PATH]; /* a folder of its own until all is verified */
};

/* A file of the release, at most max bytes. NULL: err is filled. The caller frees it. */
MUST_CHECK char *update_fetch(struct updater *u, const char *name, size_t max, size_t *n);

/* What is kept below `into`: a folder per release, by its number; `current` points to one of them. */
/* Takes the lock and makes the folder. Returns a descriptor that holds the lock, or -1 with err filled. */
MUST_CHECK int store_open(struct updater *u);
/* The number of the current release; 0: there is none. */
uint64_t       store_current(const struct updater *u);
/* The highest number that was ever in force here, also before a rollback. */
uint64_t       store_highest(const struct updater *u);
bool           store_has(const struct updater *u, uint64_t number);
/* Puts the staged release in force and drops the oldest ones. */
MUST_CHECK int store_commit(struct updater *u);
/* Points to a release that is kept. */
MUST_CHECK int store_switch(struct updater *u, uint64_t number);
/* The release before the current one; 0: none is kept. */
uint64_t       store_before(const struct updater *u, uint64_t number);
/* Removes a release's folder with its files. */
void           store_remove(const char *folder);

/* Prints what the staged release changes beside the current one (0: none). */
MUST_CHECK int update_diff(struct updater *u, uint64_t current);

/* A name of this site's records that the release treats otherwise. */
struct update_seen {
	const char *name;
	long        count; /* records */
};
/* Do the packs in force (after: those of the release) refuse a name? */
typedef bool   update_refuses(void *ctx, bool after, const char *name);
/* Prints which names of this site's records would be refused that were not, and the other way round. */
MUST_CHECK int update_seen_diff(const struct updater *u, update_refuses *refuses, void *ctx);

#endif

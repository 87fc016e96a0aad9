/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy's own names (`match: {names: [...]}`) as packs made in memory, one for each such policy. Only that policy
 * decides by its pack, and only where its other conditions hold.
 */
#ifndef NFQD_SHARED_SITE_NAMES_H
#define NFQD_SHARED_SITE_NAMES_H

#include "match/pack.h"
#include "shared/conf.h"

#define SITE_PACK "site:" /* in front of the policy's name; no pack of a file has a colon */

struct site_names {
	struct pack       *packs; /* owned, their ids, too; the rest is the configuration's */
	struct pack_entry *entries;
	unsigned           n;
};

/* Makes them, and says every mistake in names. Returns -1 with err; site_names_free() in both cases. */
MUST_CHECK int site_names_make(struct site_names *s, const struct conf *c, struct err *err);
void           site_names_free(struct site_names *s);

#endif

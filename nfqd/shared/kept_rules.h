/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was in force, kept beside the state file so that a record can be judged again: each ruleset image
 * (packs, policies, exceptions, mode), packed, by its digest. The newest KEPT_RULES_MAX stay.
 */
#ifndef NFQD_SHARED_KEPT_RULES_H
#define NFQD_SHARED_KEPT_RULES_H

#include "base/err.h"
#include "base/image.h"

#define KEPT_RULES_MAX 100

/* Keeps an image, unless it is kept already. state: the state file. */
MUST_CHECK int kept_rules_save(const char *state, const struct image *img, struct err *err);
/* Of the folder of images (kept_rules_folder()): the one of that digest, which the caller frees; NULL with
 * err filled. */
MUST_CHECK struct image *kept_rules_load(const char *folder, const char *digest, struct err *err);

#endif

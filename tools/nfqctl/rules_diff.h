/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between rules_diff.c (what changed in a pack) and rules_diff_changes.c (the same as rules/CHANGES.md). */
#ifndef NFQCTL_RULES_DIFF_H
#define NFQCTL_RULES_DIFF_H

#include "rules.h"

/* Everything in a pack but its tests, by id; "pack ID", "source ID" and "stage ID" are not entries. NULL: it
 * does not load; that is said. */
json_t *diff_pack(const char *path);
/* What changed: "added" and "removed" keys, and per "changed" key its fields. */
json_t *diff_of(json_t *old, json_t *new);

/* Prints a section of rules/CHANGES.md for two packs or two folders of packs; returns an enum ctl_exit. */
int diff_changes(char *old, char *new);

#endif

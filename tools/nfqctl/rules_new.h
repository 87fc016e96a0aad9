/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between rules_new.c (the questions) and rules_new_write.c (the pack that is made of the answers). */
#ifndef NFQCTL_RULES_NEW_H
#define NFQCTL_RULES_NEW_H

#include "base/err.h"

#define NEW_TEXT    2000 /* an answer and its NUL */
#define NEW_ENTRIES 32
#define NEW_BLANKS  " \t,"

struct new_entry {
	char names[NEW_TEXT], category[NEW_TEXT], side_effect[NEW_TEXT];
	char action[NEW_TEXT]; /* block, log, allow */
};

/* Answers, each of which was checked. */
struct new_pack {
	const char      *vendor;
	char             id[NEW_TEXT], title[NEW_TEXT];
	char             url[NEW_TEXT], source_title[NEW_TEXT], publisher[NEW_TEXT];
	struct new_entry entries[NEW_ENTRIES];
	unsigned         n_entries;
};

/* Writes the pack to a file that must not exist. Returns 0, or -1 with the reason printed. */
MUST_CHECK int new_write(const struct new_pack *p, const char *path);

#endif

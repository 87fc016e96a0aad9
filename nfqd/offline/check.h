/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqd -t: a configuration and its packs, read for every mistake; needs no privileges and changes nothing. */
#ifndef NFQD_OFFLINE_CHECK_H
#define NFQD_OFFLINE_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

struct check_in {
	const char  *path;  /* of the configuration; NULL: the packs alone are read */
	char *const *rules; /* packs or folders of packs, in place of a configuration */
	unsigned     n_rules;
	bool         all;  /* print what is in effect, too */
	bool         json; /* what is found goes to standard output as one object, nothing to standard error */
};

/* Returns 0, or -1 when there is a mistake: err has what was not said yet, or is empty. */
MUST_CHECK int check_run(const struct check_in *in, struct err *err);

/*
 * What is said, taken apart: `FILE:LINE: ITEM: KEY: 'VALUE' ...` becomes {file, line, item, key, value, text}, without
 * what the message does not have. NULL: out of memory.
 */
json_t *check_message(const char *said);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One record, and what the records around it say that matters for it. */
#ifndef NFQCTL_EVIDENCE_H
#define NFQCTL_EVIDENCE_H

#include <jansson.h>

#include "log.h"

enum { EVIDENCE_ADDRESSES = 64 };

struct evidence {
	const char        *place; /* "SENSOR/BOOT/SEQ" */
	const char        *kept;  /* the folder of what was in force */
	const char *const *files;
	unsigned           n_files;
	char     sensor[LOG_SENSOR];
	uint64_t boot, seq;
	char    *line; /* as it stands in the file, with its newline; NULL: not found */
	json_t  *record;
	char    *before, *after; /* the stats records next to it; NULL: none */
	char    *start;          /* of its boot */
	uint64_t before_seq, after_seq;
	const char *address[EVIDENCE_ADDRESSES]; /* what else the client was called by; owned */
	unsigned    n_addresses;
};

/* Writes everything into a folder that is not there yet. Returns 0, or -1 with err. */
MUST_CHECK int evidence_write(const struct evidence *e, const char *folder, struct err *err);

#endif

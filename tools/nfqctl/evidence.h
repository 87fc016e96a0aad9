/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One record, and what the records around it add to it. */
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
	char    *line; /* the record as it stands in the file; NULL: not found */
	json_t  *record;
	char    *before, *after; /* the nearest stats records; NULL: none */
	char    *start;          /* the start record of its boot */
	uint64_t before_seq, after_seq;
	char       *address[EVIDENCE_ADDRESSES]; /* the client's other addresses */
	unsigned    n_addresses;
};

/* Makes the folder, which must not exist, and writes everything into it. Returns 0, or -1 with err. */
MUST_CHECK int evidence_write(const struct evidence *e, const char *folder, struct err *err);

#endif

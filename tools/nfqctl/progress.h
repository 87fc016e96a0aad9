/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far long work is: a line on standard error that is written anew, where that is a terminal, once the work has
 * taken half a second. It is gone when the work is done. */
#ifndef NFQCTL_PROGRESS_H
#define NFQCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what, *unit; /* "reading eve.json", "lines"; borrowed */
	uint64_t    all;         /* of that, for a share; 0: not known */
	uint64_t    due;         /* ns: when it is written next */
	bool        wanted, shown;
};

void progress_begin(struct progress *p, const char *what, const char *unit, uint64_t all);
void progress_at(struct progress *p, uint64_t done);
void progress_end(struct progress *p);

#endif

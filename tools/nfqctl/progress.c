/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/printable.h"

enum { FIRST_MS = 500, NEXT_MS = 200 };

void progress_begin(struct progress *p, const char *what, const char *unit, uint64_t all)
{
	const char *terminal = getenv("TERM");

	*p = (struct progress){ .what = what, .unit = unit, .all = all,
		                .due = clock_monotonic() + FIRST_MS * NS_PER_MS };
	p->wanted = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

void progress_at(struct progress *p, uint64_t done)
{
	uint64_t now = p->wanted ? clock_monotonic() : 0;
	char     what[60];

	if (!p->wanted || now < p->due)
		return;
	p->due = now + NEXT_MS * NS_PER_MS;
	p->shown = true;
	printable(p->what, what, sizeof(what));
	if (p->all)
		fprintf(stderr, "\r\033[K%s: %llu of %llu %s", what, (unsigned long long)done, (unsigned long long)p->all,
		        p->unit);
	else
		fprintf(stderr, "\r\033[K%s: %llu %s", what, (unsigned long long)done, p->unit);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = p->wanted = false;
}

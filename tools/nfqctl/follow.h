/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a file of records as it grows: over its rotation, and when it was truncated. */
#ifndef NFQCTL_FOLLOW_H
#define NFQCTL_FOLLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct follow {
	const char *path; /* borrowed */
	int         fd;
	off_t       at;
	char       *buf; /* begins with the part of a line that is not complete */
	size_t      used, room;
};

/* A line of n bytes, without its newline. */
typedef void follow_line(void *ctx, const char *line, size_t n);

/* Opens path at the beginning; -1 with errno. */
MUST_CHECK int follow_open(struct follow *f, const char *path);
/* From the last lines on; or from where about that many bytes are left. */
void follow_from_last_lines(struct follow *f);
void follow_from_last_bytes(struct follow *f, off_t bytes);
/* Hands every whole line that was added since to fn. -1: out of memory, or a line without an end. */
MUST_CHECK int follow_more(struct follow *f, follow_line *fn, void *ctx);
/* Looks whether the file was rotated (another one has its name, now or soon) or truncated. */
void follow_again(struct follow *f);
void follow_close(struct follow *f);

/* Counted by who takes lines: a file with lines and no record is none of records. */
struct follow_count {
	unsigned lines, records;
};
/* Parses a line and counts it; NULL: it is no record of nfqd. The caller owns it. */
json_t *follow_record(struct follow_count *c, const char *line, size_t n);
static inline bool follow_is_foreign(const struct follow_count *c)
{
	return c->lines && !c->records;
}

/* The first file that the daemon writes records to, as its status says (which owns it); NULL: there is none. */
const char *follow_path_of(const json_t *status);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A descriptor that is only written to, and never waited for. O_NONBLOCK belongs to the open file,
 * which standard output and standard error share with the shell, the service manager and every other
 * program there: it is not set on theirs. A pipe or a terminal is opened anew, a socket is asked call
 * by call, a regular file has no use for either.
 */
#ifndef NFQD_BASE_OUTLET_H
#define NFQD_BASE_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct outlet {
	int  fd; /* owned unless it is standard output or standard error; -1: none */
	bool socket;
	bool look; /* it may wait: a pipe that could not be opened anew */
};

/* Returns a descriptor of the file that fd has open, for writing without waiting: a new one (the
 * caller's to close), or -errno. fd stays open. */
MUST_CHECK int outlet_duplicate(int fd);

/* What fd is. Takes fd. */
struct outlet outlet_of(int fd);
/* Returns how many bytes were taken, or -errno: -EAGAIN when there is no room. */
ssize_t outlet_write(const struct outlet *o, const void *bytes, size_t n);
void    outlet_close(struct outlet *o);

#endif

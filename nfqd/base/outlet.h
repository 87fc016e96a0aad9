/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A descriptor for writing that never blocks. O_NONBLOCK belongs to the open file description, which
 * standard output and standard error share with the shell, the service manager and every other program
 * there, so it is not set on those. A pipe or a terminal is reopened, a socket is told with each call, a
 * regular file needs neither.
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
	bool look; /* poll first: a pipe that could not be reopened may block */
};

/* Returns a descriptor of the file that fd has open, for writing without blocking: a new one (the
 * caller's to close), or -errno. fd stays open. */
MUST_CHECK int outlet_duplicate(int fd);

/* Finds out what fd is. Takes fd. */
struct outlet outlet_of(int fd);
/* Returns how many bytes were taken, or -errno: -EAGAIN when there is no room. */
ssize_t outlet_write(const struct outlet *o, const void *bytes, size_t n);
void    outlet_close(struct outlet *o);

#endif

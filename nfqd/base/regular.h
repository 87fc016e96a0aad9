/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening a file that a user named: a FIFO would block its reader for good, a device such as /dev/zero
 * never ends, and both may lie in a folder of packs.
 */
#ifndef NFQD_BASE_REGULAR_H
#define NFQD_BASE_REGULAR_H

#include "base/err.h"

#define REGULAR_WHAT "is not a regular file"

/* Opens a regular file for reading. Returns the descriptor or -errno; -ENOTSUP stands for REGULAR_WHAT. */
MUST_CHECK int regular_open(const char *path);
/* The same as a stream; NULL with errno. */
MUST_CHECK FILE *regular_fopen(const char *path);
/* strerror() for the errors of these functions, REGULAR_WHAT included. */
const char *regular_error(int error);

#endif

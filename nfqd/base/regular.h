/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening what a person named: a FIFO would keep its reader waiting for good, a device such as
 * /dev/zero never ends, and both may stand in a folder of packs.
 */
#ifndef NFQD_BASE_REGULAR_H
#define NFQD_BASE_REGULAR_H

#include "base/err.h"

#define REGULAR_WHAT "is not a regular file"

/* Opens a regular file for reading. Returns the descriptor or -errno; -ENOTSUP stands for REGULAR_WHAT. */
MUST_CHECK int regular_open(const char *path);
/* The same as a stream; NULL with errno. */
MUST_CHECK FILE *regular_fopen(const char *path);
/* strerror() of an error of these, with REGULAR_WHAT where that is meant. */
const char *regular_error(int error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which interfaces exist and which of them lead outside (have a default route), from rtnetlink. The parent
 * reads them at the start and again whenever the kernel reports a change of links or routes.
 */
#ifndef NFQD_PARENT_ROUTES_H
#define NFQD_PARENT_ROUTES_H

#include "base/err.h"
#include "shared/shared.h"

#define OUTSIDE_MAX 32

struct routes;

/* Returns NULL with err filled. */
MUST_CHECK struct routes *routes_open(struct err *err);
void                      routes_close(struct routes *r);
/* Readable when something changed. */
int routes_fd(const struct routes *r);
/* Removes the notifications from the socket, so that only new ones make it readable again. */
void routes_drain(struct routes *r);
/* Writes the indices of outside interfaces, sorted, and replaces the shared interface names. Returns how many
 * there are; -1 with err filled: they cannot be known, and the names are as they were. */
MUST_CHECK int routes_read(struct shared *shared, uint32_t outside[OUTSIDE_MAX], struct err *err);

#endif

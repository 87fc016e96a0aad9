/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers questions of the console on a unix socket: a line of JSON in, a line of JSON out. A thread of its own with a
 * connection of its own, so that no question keeps a record waiting. The latest records are kept here in memory, for
 * who wants to see them come.
 */
#ifndef NFQD_SIGHTINGS_SERVE_H
#define NFQD_SIGHTINGS_SERVE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Starts the thread. listener: a listening socket (-1: there is none, and no thread). file: the database (borrowed). Only callers with the group
 * operators may change what is in the database. Call it before privs_seccomp(). */
MUST_CHECK int serve_start(int listener, const char *file, gid_t operators, struct err *err);
/* A record that came, of n bytes. */
void serve_note(const char *line, uint32_t n);

#endif

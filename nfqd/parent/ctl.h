/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: one JSON request line in, one JSON answer line out, then the end. The parent
 * serves it; `nfqctl` is its client. Commands are rows of a table that the parent brings along.
 */
#ifndef NFQD_RUN_CTL_H
#define NFQD_RUN_CTL_H

#include <jansson.h>

#include <stdbool.h>

#include "base/err.h"

/* Requests come with "caller", the name of the user who asks: set here, whatever was sent. */
struct ctl_command {
	const char *word; /* "command" of the request */
	/* Returns the answer (a new reference); err filled and NULL: it failed. */
	json_t *(*run)(void *ctx, const json_t *request, struct err *err);
};

/* Binds the socket: group nfqd may use it when that group exists, else root alone. Its
 * folder must be there. Returns the descriptor, -1 with err. */
MUST_CHECK int ctl_open(const char *path, struct err *err);
/* Serves one client that waits at the listening socket; bounded in size and time. */
void ctl_serve(int listener, const struct ctl_command *commands, unsigned n, void *ctx);

/* The client's side: sends a request, returns the answer or NULL with err. */
MUST_CHECK json_t *ctl_ask(const char *path, const json_t *request, struct err *err);
/* The two halves of it: a descriptor, or -1 when nobody answers; talking takes it. */
MUST_CHECK int     ctl_connect(const char *path, struct err *err);
MUST_CHECK json_t *ctl_talk(int fd, const json_t *request, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: one JSON request line in, one JSON answer line out, then the end. The parent
 * serves it; `nfqctl` is its client. Commands are rows of a table that the parent brings along.
 */
#ifndef NFQD_PARENT_CTL_H
#define NFQD_PARENT_CTL_H

#include <jansson.h>

#include <stdbool.h>

#include "base/err.h"

/* Of what `status` answers. A key that is added does not raise it; one that goes or changes its meaning does. */
enum { STATUS_SCHEMA = 1 };

/* "caller" in a request is the name of the user who asks: it is set here, whatever was sent. */
struct ctl_command {
	const char *word; /* "command" of the request */
	/* Returns the answer (a new reference); err filled and NULL: it failed. */
	json_t *(*run)(void *ctx, const json_t *request, struct err *err);
};

struct ctl_commands {
	const struct ctl_command *v;
	unsigned                  n;
	void                     *ctx; /* for run */
};

struct ctl;
struct poller;

/*
 * Binds the socket: group nfqd may use it when that group exists, otherwise only root. Its folder must
 * exist. A file in its place is removed only when it is a socket at which no program listens; and no other
 * nfqd gets the place until ctl_close(). The poller serves clients, with limits on size and time. Returns
 * NULL with err.
 */
MUST_CHECK struct ctl *ctl_open(const char *path, const struct ctl_commands *commands,
                                struct poller *poller, struct err *err);
void                   ctl_close(struct ctl *ctl);

/* The client's side: sends a request, returns the answer or NULL with err. */
MUST_CHECK json_t *ctl_ask(const char *path, const json_t *request, struct err *err);
/* The two halves of ctl_ask(): connecting returns a descriptor, or a negative errno with err (-EACCES: there may
 * be a daemon, but its socket is root's and the group nfqd's); talking takes it. */
MUST_CHECK int     ctl_connect(const char *path, struct err *err);
MUST_CHECK json_t *ctl_talk(int fd, const json_t *request, struct err *err);

#endif

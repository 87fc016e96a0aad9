/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: one JSON request line in, one JSON answer line out, then the end. The parent
 * serves it; `nfqctl` is its client. Commands are rows of a table that the parent brings along.
 */
#ifndef NFQD_PARENT_CTL_H
#define NFQD_PARENT_CTL_H

#include <jansson.h>

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Of what `status` answers. A key that is added does not raise it; one that goes or changes its meaning does. */
enum { STATUS_SCHEMA = 1 };

/* "caller" in a request is the name of the user who asks: it is set here, whatever was sent; where "on_behalf" names
 * somebody, it is "nfqd-console for alice". */
struct ctl_command {
	const char *word; /* "command" of the request */
	/* Returns the answer (a new reference); err filled and NULL: it failed. */
	json_t *(*run)(void *ctx, const json_t *request, struct err *err);
};

/* Who may use a socket besides root: this group, or where there is none this number (0: root alone). */
struct ctl_group {
	const char *name;
	gid_t       spare;
};

/* Numbers that no account has (shared/privs.c), for machines without the package's users. */
enum { CTL_CONSOLE_ID = 60704, CTL_OPERATORS_ID = 60705 };

#define CTL_OPERATORS ((struct ctl_group){ "nfqd", CTL_OPERATORS_ID })         /* may change something */
#define CTL_CONSOLE   ((struct ctl_group){ "nfqd-console", CTL_CONSOLE_ID }) /* may only ask */

gid_t ctl_gid(const struct ctl_group *g);

struct ctl_commands {
	const struct ctl_command *v;
	unsigned                  n;
	void                     *ctx; /* for run */
	struct ctl_group          group;
};

struct ctl;
struct poller;

/* A socket in the file system. */
struct ctl_place {
	char  path[108];
	int   fd, lock; /* -1: none */
	dev_t dev;      /* of the socket that we bound */
	ino_t ino;
};

#define CTL_NO_PLACE ((struct ctl_place){ .fd = -1, .lock = -1 })

/* Binds a socket there and listens; -1 with err. Its folder must exist. */
MUST_CHECK int ctl_place_open(struct ctl_place *p, const char *path, const struct ctl_group *group, struct err *err);
void           ctl_place_close(struct ctl_place *p);

/* The path of a socket that stands beside the control socket: what "view", /run/nfqd/control-view.sock. Returns 0, or
 * -ENAMETOOLONG. */
MUST_CHECK int ctl_beside(const char *control, const char *what, char *out, size_t room);

/*
 * Binds the socket for the group of the commands. Its folder must
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
/* The same, with a limit of seconds; an answer without "ok" is an answer, too. NULL with err: there is none. */
MUST_CHECK json_t *ctl_talk_within(int fd, const json_t *request, int seconds, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqd-console: pages about the running nfqd for a browser. It asks two sockets of the daemon (ask.h) and has nothing
 * else: no file after the start, no root, no network but its listeners. One thread serves everything; a page is written
 * into memory and sent whole. What the parts share stands here.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"

enum role { ROLE_NONE, ROLE_VIEW, ROLE_OPERATE };
enum { USER_TEXT = 33, TOKEN_TEXT = 65, HOSTS_MAX = 16, LISTENERS_MAX = 4 };

extern const char *const role_words[]; /* enum role */

/* Who asks. */
struct who {
	enum role   role;
	char        user[USER_TEXT];
	char        token[TOKEN_TEXT]; /* that each change has to bring along */
	char        from[64];          /* address, or "unix" */
	bool        by_socket;         /* known by the kernel: no browser, no cookie, no token */
};

/* From the command line. */
struct options {
	const char *control, *passwords, *conf, *user;
	const char *certificate, *key, *client_ca;
	const char *unix_path;                /* NULL: none */
	const char *listen;                   /* ADDRESS:PORT; "none" */
	const char *hosts[HOSTS_MAX];         /* names that Host may have besides the address */
	unsigned    n_hosts;
	bool        view, metrics, no_drop;
};

struct accounts;
struct sessions;
struct what_if;

struct console {
	struct options   options;
	struct accounts *accounts;
	struct sessions *sessions;
	struct what_if  *what_if;
	char             view_path[108], control_path[108], sightings_path[108]; /* as they are called after the start */
	bool             may_operate; /* somebody may: the process has the operators' group */
	bool             tls;
	gid_t            operators;
	char             host[80], port[8]; /* of the TCP listener */
	int              signals;            /* signalfd: SIGTERM, SIGINT */
};

/* What a page is made of. */
struct page {
	const struct console *console;
	const struct who     *who;
	const struct fields  *fields; /* of query and form */
	FILE                 *f;      /* the body */
	unsigned              status; /* HTTP; 200 from the start */
	char                  location[128]; /* to go there instead; "": no */
	char                  cookie[256];   /* Set-Cookie; "": none */
	const char           *type;          /* NULL: text/html */
	const char           *file_name;     /* NULL: it is shown, not saved */
};

#endif

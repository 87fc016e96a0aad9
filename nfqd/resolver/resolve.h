/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks resolvers, in a process of its own without root and file system, with c-ares: for the names of
 * clients in the records, by reverse look-up (PTR) at the machine's own resolvers; and, where the site
 * wants it, for the addresses of listed names, at a resolver outside. The results go to shared memory;
 * nothing ever waits for them. Its sockets carry the priority of the daemon's own questions, which are not
 * judged.
 */
#ifndef NFQD_RESOLVER_RESOLVE_H
#define NFQD_RESOLVER_RESOLVE_H

#include "base/addr.h"
#include "base/err.h"
#include "base/hosts.h"
#include "match/watch.h"

struct resolver_in {
	struct hosts *hosts;
	int           ask; /* the pipe's end: addresses of clients; the process ends with it */
	uint32_t      priority;
	const char   *empty_folder;
	_Atomic uint64_t *diag_lost; /* base/diag.h */
	_Atomic uint64_t *beats;     /* counts its rounds, each second */
	/* listed names; server NULL: none are looked up */
	const char         *server;
	uint32_t            interval, jitter; /* seconds */
	const struct image *rules;
	struct watch       *watch;
	int                 learned; /* eventfd */
};

/* The resolver's process. Returns its exit code. */
int resolver_main(const struct resolver_in *in);

#endif

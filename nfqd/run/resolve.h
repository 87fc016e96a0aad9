/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of clients for the records, by reverse look-up (PTR) at the machine's own resolvers. A
 * process of its own, without root, file system and capabilities, does it with c-ares; the log
 * thread asks it over a pipe and finds what it learnt in shared memory. Nothing ever waits for it: a
 * client's first record may be without its name.
 */
#ifndef NFQD_RUN_RESOLVE_H
#define NFQD_RUN_RESOLVE_H

#include "base/addr.h"
#include "base/err.h"

#define HOST_NAME_MAX_LEN 64
#define HOST_SLOTS        1024

/* One client, at the slot its address hashes to; the resolver is the only writer. */
struct host {
	_Atomic uint32_t version; /* odd: being written */
	struct addr      addr;
	uint64_t         asked; /* ns */
	char             name[HOST_NAME_MAX_LEN];
};

struct hosts {
	uint64_t    seed;
	struct host slots[HOST_SLOTS];
};

/* The log thread's side: copies the name out, or asks for it through ask (a pipe that does not
 * block) when the client is new. Returns out, or NULL. now in ns. */
const char *host_name(const struct hosts *h, int ask, const struct addr *a, uint64_t now,
                      char out[static HOST_NAME_MAX_LEN]);

/* The resolver's process: reads addresses from ask until that ends. Returns its exit code. */
int resolver_main(struct hosts *h, int ask, const char *empty_folder);

#endif

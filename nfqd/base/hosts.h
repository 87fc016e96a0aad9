/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of clients, by address, in shared memory: the resolver's process writes them, the log thread reads. */
#ifndef NFQD_BASE_HOSTS_H
#define NFQD_BASE_HOSTS_H

#include "base/addr.h"
#include "base/seqlock.h"

#define HOST_NAME_MAX_LEN 64
#define HOST_SLOTS        1024

/* One client, at the slot its address hashes to; the resolver is the only writer. */
struct host {
	struct seqlock   lock;
	struct addr      addr;
	uint64_t         asked; /* ns */
	char             name[HOST_NAME_MAX_LEN];
};

struct hosts {
	uint64_t    seed;
	struct host slots[HOST_SLOTS];
};

/* Copies the name of a client out, if it is there; without a request. */
bool host_known(const struct hosts *h, const struct addr *a, char out[static HOST_NAME_MAX_LEN]);
/* The log thread's side: copies the name out, or requests it through ask (a pipe that does not block)
 * when the client is new. Returns out, or NULL. now in ns. */
const char *host_name(const struct hosts *h, int ask, const struct addr *a, uint64_t now,
                      char out[static HOST_NAME_MAX_LEN]);

/* The resolver's side: was the client asked for lately? now in ns. */
bool host_is_asked(const struct hosts *h, const struct addr *a, uint64_t now);
/* Writes the client's name; "" while the lookup is pending or when it found nothing. */
void host_put(struct hosts *h, const struct addr *a, const char *name, uint64_t now);

#endif

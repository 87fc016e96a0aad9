/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends packets of our own, once the verdicts of their burst are out. The parent opens the sockets; the worker
 * only sends.
 */
#ifndef NFQD_ACT_INJECT_H
#define NFQD_ACT_INJECT_H

#include "act/ways.h"
#include "base/addr.h"
#include "base/diag.h"
#include "base/err.h"
#include "capture/capture.h"

#define INJECT_MAX  REPLACED_MAX        /* bytes of a packet of ours */
#define INJECT_WAIT (2 * CAPTURE_BURST) /* a refused packet makes at most two */

/* Sockets for packets of our own; -1: none. */
struct injector_fds {
	int forged4, forged6; /* towards clients: carry the forged priority, not tracked */
	int plain4, plain6;   /* towards servers: tracked, so that NAT translates them */
	int link;             /* AF_PACKET: to a MAC address, past routing and netfilter */
};

#define INJECTOR_FDS  (sizeof(struct injector_fds) / sizeof(int))
#define INJECTOR_NONE ((struct injector_fds){ -1, -1, -1, -1, -1 })

/* Why one of our packets was not sent: id, text of the counter, text of the log. */
#define INJECT_FAILURES(X)                                                                         \
	X(full, "more answers at a time than are kept", "too many at a time")                      \
	X(route, "no route back", "no route back")                                                 \
	X(filter, "rules of this host (OUTPUT, POSTROUTING) or its masquerading drop them",        \
	  "a rule of this host (OUTPUT, POSTROUTING) or its masquerading drops it")                \
	X(ipsec, "the question came through IPsec and the answer must not leave in the clear",     \
	  "the question came through IPsec, and outside the tunnel the answer would leave in the clear") \
	X(mac, "the sender's MAC address is not known", "the sender's MAC address is not known")   \
	X(other, "other errors", "error")

enum inject_failure {
#define X(id, text, says) INJECT_##id,
	INJECT_FAILURES(X)
#undef X
	INJECT_FAILURES_N
};

/*
 * Our own packets wait here until the verdicts of their burst are out: a reset must not overtake segments
 * of the same connection that were just allowed.
 */
struct injector {
	struct injector_fds fds;
	struct ways        *ways; /* borrowed; NULL: every client is reached by the routes */
	uint64_t            failed[INJECT_FAILURES_N]; /* packets that could not be sent, by reason */
	uint64_t            failures; /* the same in total, since the caller last took them */
	struct diag_rate    said[INJECT_FAILURES_N];
	uint8_t             replaced[INJECT_MAX]; /* of the verdict given last */
	unsigned            n;
	struct injected {
		int         fd;
		uint32_t    scope; /* the interface index where to->b is */
		uint32_t    mark;  /* to be routed with; 0: none */
		struct addr from, to;
		bool        client, has_mac; /* goes to the client, who has this MAC address */
		uint8_t     mac[6];
		uint16_t    len;
		uint8_t     data[INJECT_MAX];
	} waiting[INJECT_WAIT];
};

/*
 * Opens the sockets (CAP_NET_RAW, CAP_NET_ADMIN); forged is that of capture/steer.h. Returns 0, or -1 with
 * err; the caller still closes those that were opened.
 */
MUST_CHECK int injector_open(struct injector_fds *fds, uint32_t forged, struct err *err);
void           injector_close(struct injector_fds *fds);
/* Sends what waits. To clients: by the routes, if the way back is the interface that the question came
 * in on and the kernel takes the packet; otherwise on that interface to the sender's MAC address, unless
 * IPsec wants the packet encrypted. now in ns, for the diagnostics of failures. */
void injector_flush(struct injector *inj, uint64_t now);

#endif

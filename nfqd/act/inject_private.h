/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to act/: sending what forge.c built. The injector counts failures. */
#ifndef NFQD_ACT_INJECT_PRIVATE_H
#define NFQD_ACT_INJECT_PRIVATE_H

#include "act/inject.h"
#include "decode/packet.h"

struct forged {
	size_t  n; /* 0: it did not fit */
	uint8_t data[INJECT_MAX];
};

/* To the client of a question: not tracked, never judged. raw is the question. */
void inject_untracked(struct injector *inj, const struct forged *packet, const struct addr *from,
                      const struct addr *to, const struct raw_packet *raw);

/* The way of a packet that belongs to a tracked connection. */
struct onward {
	uint32_t scope; /* interface index, for link-local addresses */
	uint32_t mark;  /* the mark of the packet that it stands for: rules may route by it */
};

/* To either side of a connection: tracked, so that NAT translates it like the connection's own packets. */
void inject_tracked(struct injector *inj, const struct forged *packet, const struct addr *from,
                    const struct addr *to, struct onward way);

/*
 * Would a packet that the kernel itself makes reach the client of this question? A TCP reset is routed as a
 * packet of the server's (sourced), an ICMP error as one of this host's. False when that leads elsewhere;
 * our own packet to the sender's MAC address does not.
 */
bool inject_kernel_reaches(const struct injector *inj, const struct packet *pkt,
                           const struct raw_packet *raw, bool sourced);

#endif

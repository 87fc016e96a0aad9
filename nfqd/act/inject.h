/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to act/: handing over what forge.c built. A failure is counted in the injector. */
#ifndef NFQD_ACT_INJECT_H
#define NFQD_ACT_INJECT_H

#include "act/act.h"

struct forged {
	size_t  n; /* 0: it did not fit */
	uint8_t data[INJECT_MAX];
};

/* Towards the client of a question: not tracked, never judged. raw is the question. */
void inject_client(struct injector *inj, const struct forged *packet, const struct addr *from,
                   const struct addr *to, const struct raw_packet *raw);

/* The way of a packet that belongs to a connection. */
struct onward {
	uint32_t scope; /* interface index, for link-local addresses */
	uint32_t mark;  /* of the packet that it stands for: rules may route by it */
};

/* Towards the server: tracked, so that it leaves with the connection's translated address. */
void inject_server(struct injector *inj, const struct forged *packet, const struct addr *from,
                   const struct addr *to, struct onward way);

/*
 * Would a packet that the kernel itself makes reach the client of this question? A TCP reset is routed as
 * one from the server (sourced), an ICMP error as one from this host. False when that leads elsewhere; a
 * packet of ours to the sender's MAC address does not.
 */
bool inject_kernel_reaches(const struct injector *inj, const struct packet *pkt,
                           const struct raw_packet *raw, bool sourced);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries a decision out: a verdict for the kernel and, where the kernel cannot tell the client,
 * a packet of our own. One row of act.c per situation. Without an injector (a capture file) nothing
 * is sent.
 */
#ifndef NFQD_ACT_ACT_H
#define NFQD_ACT_ACT_H

#include "act/sent.h"
#include "capture/capture.h"
#include "decide/decision.h"
#include "name/name.h"

#define INJECT_MAX  REPLACED_MAX        /* bytes of a packet of ours */
#define INJECT_WAIT (2 * CAPTURE_BURST) /* a refused packet makes at most two */

/* Raw sockets for packets of our own; -1: none. */
struct injector_fds {
	int forged4, forged6; /* towards clients: carry the forged mark, not tracked */
	int plain4, plain6;   /* towards servers: tracked, so that NAT translates them */
};

#define INJECTOR_NONE ((struct injector_fds){ -1, -1, -1, -1 })

/*
 * Packets of our own wait here until the verdicts of their burst are out: a reset must not overtake
 * segments of the same connection that were just allowed.
 */
struct injector {
	struct injector_fds fds;
	uint64_t            failed; /* packets that could not be sent */
	uint8_t             replaced[INJECT_MAX]; /* of the verdict given last */
	unsigned            n;
	struct injected {
		int         fd;
		uint32_t    scope;
		struct addr to;
		uint16_t    len;
		uint8_t     data[INJECT_MAX];
	} waiting[INJECT_WAIT];
};

/* Opens the raw sockets; forged_mark from capture/steer.h. */
MUST_CHECK int injector_open(struct injector_fds *fds, uint32_t forged_mark, struct err *err);
/* Sends what waits. */
void injector_flush(struct injector *inj);

/* What the packet is to the action. A server's answer is turned round: pkt is the client's side of
 * it. */
struct act_on {
	const struct raw_packet *raw;
	const struct packet     *pkt;
	const struct names      *names;   /* of the message that decided */
	struct span              message; /* DNS: the message, without a TCP length prefix */
	uint32_t                 peer_next; /* TCP: the sequence number that the receiver waits for */
	const char              *why;     /* "pack/rule", the text of an Extended DNS Error */
	bool                     answer;  /* the packet came from the server, the receiver is the client */
	bool                     begun;   /* likewise, and the client has its beginning already */
};

/* Carries out one decision. *sent says what the client was told. */
struct verdict act_apply(struct injector *inj, const struct decision *d, const struct act_on *on,
                         enum sent *sent);

/*
 * Builds the DNS answer to a query message (RFC 1035, 2308, 8914). Returns its length, or 0 when
 * the query has no question to answer.
 */
size_t dns_answer(const struct dns_info *q, struct span query, enum dns_style style, const char *why,
                  uint8_t *out, size_t room);

/* Builders of whole IP packets (checksums included), for the injector and for tests; return the
 * length, 0 when it does not fit. */
struct forge {
	struct addr src, dst;
	uint16_t    sport, dport;
	uint32_t    seq, ack;
	uint8_t     tcp_flags;
};
size_t forge_udp(const struct forge *f, struct span payload, uint8_t *out, size_t room);
size_t forge_tcp(const struct forge *f, struct span payload, uint8_t *out, size_t room);

#endif

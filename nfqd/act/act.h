/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out a decision: a verdict for the kernel and, where the kernel cannot tell the client, a packet
 * of our own. One row of act.c per situation. Without an injector (a capture file) nothing is sent.
 */
#ifndef NFQD_ACT_ACT_H
#define NFQD_ACT_ACT_H

#include "act/inject.h"
#include "act/sent.h"
#include "capture/capture.h"
#include "decide/decision.h"
#include "name/name.h"

/* The packet that is refused. Of a server's answer, pkt is the client's side. */
struct act_on {
	const struct raw_packet *raw;
	const struct packet     *pkt;
	const struct names      *names;   /* of the message that decided */
	struct span              message; /* DNS: the message, without a TCP length prefix */
	uint32_t                 peer_next; /* TCP: the sequence number that the receiver waits for */
	const char              *why;     /* "pack/rule", the text of an Extended DNS Error */
	bool                     answer;  /* the packet came from the server; the receiver is the client */
	bool                     begun;   /* likewise, and the client already has the beginning of it */
};

/* Carries out one decision. *sent: what the client was told. */
struct verdict act_apply(struct injector *inj, const struct decision *d, const struct act_on *on,
                         enum sent *sent);

/* Resets both ends of a TCP connection that could not be judged. */
struct verdict act_reset(struct injector *inj, const struct act_on *on);

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
/* ICMP or ICMPv6 "port unreachable" (RFC 792, RFC 4443 3.1) about the IP packet `about`, of which as
 * much is quoted as is allowed. Ports are not used. */
size_t forge_icmp(const struct forge *f, struct span about, uint8_t *out, size_t room);

#endif

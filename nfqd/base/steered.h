/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel selects for the queue and the parsers then read: well-known ports and QUIC versions. The
 * text of the steering, the address sets and the parsers all use these rows.
 */
#ifndef NFQD_BASE_STEERED_H
#define NFQD_BASE_STEERED_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PORT_DNS = 53,
	PORT_HTTP = 80,
	PORT_NETBIOS = 137,
	PORT_HTTPS = 443,
	PORT_DOT = 853, /* and DNS over QUIC */
	PORT_MDNS = 5353,
	PORT_LLMNR = 5355
};

enum { PROXIES_MAX = 16 }; /* ports of local proxies (inspect.proxies) */

/* Datagrams to these UDP ports are queued whatever they look like, except in a flow that does not speak
 * the port's protocol. */
#define QUEUED_UDP_PORTS(X) X(PORT_DNS)
/* To these ports, every packet with QUIC's long header is queued, whatever its version. */
#define QUIC_PORTS(X) X(PORT_HTTPS) X(PORT_DOT)
/* On every other port a packet that looks like a DNS question is queued; not on these, where hosts ask
 * their neighbours (NetBIOS, mDNS, LLMNR). */
#define NEIGHBOUR_PORTS(X) X(PORT_NETBIOS) X(PORT_MDNS) X(PORT_LLMNR)

static inline bool udp_port_is_queued(uint16_t port)
{
#define X(p) || port == (p)
	return false QUEUED_UDP_PORTS(X);
#undef X
}

static inline bool udp_port_is_neighbours(uint16_t port)
{
#define X(p) || port == (p)
	return false NEIGHBOUR_PORTS(X);
#undef X
}

/*
 * Versions of QUIC whose first packets can be opened: X(first, last, secrets, traits), where secrets
 * names the initial salt and labels in reassemble/quic.c. A version that is not between first and last
 * of a row is unknown.
 */
#define QUIC_V2     1 /* RFC 9369 3.2: type bits are one higher */
#define QUIC_GOOGLE 2 /* the frames of Google's QUIC */
#define QUIC_VERSIONS(X)                                                                           \
	X(0x00000001, 0x00000001, V1, 0)            /* RFC 9000 */                                 \
	X(0x6b3343cf, 0x6b3343cf, V2, QUIC_V2)      /* RFC 9369 */                                 \
	X(0xff000021, 0xff000022, V1, 0)            /* drafts 33 and 34 */                         \
	X(0xff00001d, 0xff000020, DRAFT_29, 0)                                                     \
	X(0xff000017, 0xff00001c, DRAFT_23, 0)                                                     \
	X(0xff000016, 0xff000016, DRAFT_22, 0)                                                     \
	X(0xfaceb001, 0xfaceb001, DRAFT_22, 0)      /* mvfst */                                    \
	X(0xfaceb002, 0xfaceb002, DRAFT_23, 0)                                                     \
	X(0xfaceb00e, 0xfaceb00e, DRAFT_23, 0)                                                     \
	X(0x51303530, 0x51303530, Q050, QUIC_GOOGLE) /* Google's, between its own and the IETF's */ \
	X(0x54303530, 0x54303530, T050, QUIC_GOOGLE)                                               \
	X(0x54303531, 0x54303531, T051, QUIC_GOOGLE)

#endif

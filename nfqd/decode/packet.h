/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One IP packet, decoded: addresses, ports and a borrowed payload. Decoding never allocates and
 * never looks past the transport header.
 */
#ifndef NFQD_DECODE_PACKET_H
#define NFQD_DECODE_PACKET_H

#include "base/addr.h"
#include "base/span.h"

enum tcp_flag { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10, TCP_URG = 0x20 };

struct packet {
	struct addr src, dst;
	uint16_t    sport, dport;
	uint8_t     proto;     /* IPPROTO_* of the transport header found, or of what stopped us */
	uint8_t     hop_limit; /* TTL */
	uint8_t     tcp_flags;
	bool        tcp_md5;   /* a TCP MD5 signature (RFC 2385) is among the options */
	bool        options;   /* IPv6: hop-by-hop or destination options */
	uint16_t    urgent;    /* TCP: how far its payload is urgent; 0: not at all */
	bool        cut;       /* the capture holds less than the packet had */
	/* what the source of the packet knows of it; set by the pipeline */
	bool        decoy;     /* it may never reach its server; part of a connection's key */
	bool        reply;     /* of a server that was asked for its certificate */
	bool        has_mac;
	uint8_t     mac[6];    /* of the sender */
	uint32_t    ifin, ifout; /* interface indices; 0: none */
	uint32_t    seq, ack;  /* TCP, host order; seq is that of the first payload byte, after a SYN */
	struct span payload;   /* after the transport header; of a fragment, after the IP header */
	struct {
		uint32_t id;
		uint16_t offset; /* bytes */
		bool     more;
	} fragment; /* with DECODE_FRAGMENT */
};

/* Why a packet could not be decoded; each is a fault of its own (base/fault.h). */
enum decode_err { DECODE_OK, DECODE_BAD, DECODE_FRAGMENT, DECODE_NOT_IP };

enum link_type {
	LINK_IP,
	LINK_ETHERNET,
	LINK_SLL,
	LINK_SLL2,
	LINK_LOOPBACK, /* NULL and LOOP */
	LINK_PPP,
	LINK_PPP_DIR, /* a byte that says in or out first */
	LINK_HDLC,    /* Cisco's */
	LINK_PPPOE,
	LINK_NFLOG,
	LINK_WLAN,
	LINK_RADIOTAP,
	LINK_PPI,
};

/* Removes the link header, VLAN tags, MPLS labels, PPPoE. mac receives the source address when there is one
 * (else it is left alone). */
enum decode_err decode_link(enum link_type link, struct span frame, struct span *ip, uint8_t mac[6],
                            bool *has_mac);
/* Decodes IPv4 or IPv6 with options and extension headers, then TCP or UDP. IP-in-IP, 6in4, GRE and the
 * tunnels of udp_tunnel.c are unwrapped: the innermost packet is returned. */
enum decode_err decode_ip(struct span ip, struct packet *pkt);
/* The rest of it, for a packet whose fragments were put together; pkt keeps its addresses. */
enum decode_err decode_transport(struct span l4, struct packet *pkt);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to decode/: what leads to an IP packet, outside and inside another one. */
#ifndef NFQD_DECODE_TUNNEL_H
#define NFQD_DECODE_TUNNEL_H

#include "base/wire.h"
#include "decode/packet.h"

/* EtherTypes; GRE and others name by them what they carry. */
enum {
	TYPE_NONE = 0, /* not IP */
	TYPE_IP4 = 0x0800,
	TYPE_ETHERNET = 0x6558, /* a whole frame */
	TYPE_VLAN = 0x8100,
	TYPE_IP6 = 0x86dd,
	TYPE_PPP = 0x880b,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_PPPOE = 0x8864,
	TYPE_QINQ = 0x88a8,
	TYPE_MAC_IN_MAC = 0x88e7,
	TYPE_VNTAG = 0x8926,
	TYPE_ETAG = 0x893f,
	TYPE_QINQ_OLD = 0x9100,
	MAC_LEN = 6
};

/* What a link header says: the sender, where it names one. */
struct sender {
	uint8_t *mac;
	bool    *has_mac;
};

void take_mac(const struct sender *s, const uint8_t *mac);

/* Each reads one header and returns the type of what follows. */
uint16_t read_llc(struct wire *w);
uint16_t read_wlan(struct wire *w, const struct sender *s);
uint16_t read_radiotap(struct wire *w, const struct sender *s);
uint16_t read_ppi(struct wire *w, const struct sender *s);

/* Reads all headers, beginning with one of this type. */
enum decode_err decode_ethertype(uint16_t type, struct wire *w, const struct sender *s,
                                 struct span *ip);

/* Is this a datagram of a known tunnel? Then ip is the packet inside. */
bool udp_tunnel_open(struct span payload, uint16_t sport, uint16_t dport, struct span *ip);
/* w stands after the IP header. */
enum decode_err gre_open(struct wire *w, struct span *ip);

#endif

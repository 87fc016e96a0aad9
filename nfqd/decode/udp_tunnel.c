/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels inside UDP, told by their port: GTP-U (3GPP TS 29.281 5), L2TP (RFC 2661 3.1), VXLAN (RFC
 * 7348 5). To add one: a function that reads its header, and a row.
 */
#include "decode/udp_tunnel.h"

enum { GTP_G_PDU = 0xff, L2TP_CONTROL = 0x8000, L2TP_LENGTH = 0x4000, L2TP_SEQUENCE = 0x0800, L2TP_OFFSET = 0x0200 };

static bool open_gtp(struct wire *w)
{
	uint8_t flags = wire_u8(w), type = wire_u8(w), next = 0;

	wire_skip(w, 2 + 4); /* length, tunnel */
	if (flags & 0x07) {
		wire_skip(w, 3);
		next = wire_u8(w);
	}
	while (next && *w->err == WIRE_OK) { /* extensions, in words of four, the next one's type last */
		uint8_t words = wire_u8(w);

		wire_skip(w, words ? words * 4U - 2 : wire_left(w) + 1);
		next = wire_u8(w);
	}
	return (flags & 0xf0) == 0x30 && type == GTP_G_PDU;
}

static bool open_l2tp(struct wire *w)
{
	uint16_t flags = wire_u16(w);

	wire_skip(w, flags & L2TP_LENGTH ? 2 : 0);
	wire_skip(w, 4); /* tunnel, session */
	wire_skip(w, flags & L2TP_SEQUENCE ? 4 : 0);
	if (flags & L2TP_OFFSET)
		wire_skip(w, wire_u16(w));
	return !(flags & L2TP_CONTROL) && (flags & 0x000f) == 2;
}

static bool open_vxlan(struct wire *w)
{
	uint8_t flags = wire_u8(w);

	wire_skip(w, 7);
	return flags == 0x08;
}

static const struct {
	uint16_t port;
	uint8_t  link; /* enum link_type of what is inside */
	bool (*open)(struct wire *w);
} tunnels[] = {
	{ 2152, LINK_IP, open_gtp },
	{ 1701, LINK_PPP, open_l2tp },
	{ 4789, LINK_ETHERNET, open_vxlan },
};

bool udp_tunnel_open(struct span payload, uint16_t sport, uint16_t dport, struct span *ip)
{
	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		enum wire_err err = WIRE_OK;
		struct wire   w = wire_of(payload, &err, false);
		uint8_t       mac[6];
		bool          has_mac;

		if (tunnels[i].port != dport && tunnels[i].port != sport)
			continue;
		if (tunnels[i].open(&w) && err == WIRE_OK &&
		    decode_link(tunnels[i].link, wire_span(&w, wire_left(&w)), ip, mac, &has_mac) == DECODE_OK)
			return true;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels inside UDP, told by their port: GTP-U (3GPP TS 29.281 5), L2TP (RFC 2661 3.1), VXLAN (RFC 7348
 * 5), Geneve (RFC 8926 3.4), Teredo (RFC 4380 5.1.1), CAPWAP (RFC 5415 4.3). To add one: a function that
 * reads its header and returns the type of what follows, and a row.
 */
#include "decode/tunnel.h"

enum {
	GTP_G_PDU = 0xff,
	L2TP_CONTROL = 0x8000,
	L2TP_LENGTH = 0x4000,
	L2TP_SEQUENCE = 0x0800,
	L2TP_OFFSET = 0x0200,
	VXLAN_NETWORK = 0x08, /* of the flags: a network is named, as it must be */
	GENEVE_VERSION = 0xc0,
	GENEVE_WORDS = 0x3f,
	CAPWAP_FRAGMENT = 0x80, /* of the last byte of its flags */
	CAPWAP_KEEPALIVE = 0x08,
	CAPWAP_NATIVE = 0x01, /* of the byte before: not Ethernet */
};

static uint16_t ip_type(struct wire w)
{
	switch (wire_u8(&w) >> 4) {
	case 4: return TYPE_IP4;
	case 6: return TYPE_IP6;
	default: return TYPE_NONE;
	}
}

static uint16_t open_gtp(struct wire *w)
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
	return (flags & 0xf0) == 0x30 && type == GTP_G_PDU ? ip_type(*w) : TYPE_NONE;
}

static uint16_t open_l2tp(struct wire *w)
{
	uint16_t flags = wire_u16(w);

	wire_skip(w, flags & L2TP_LENGTH ? 2 : 0);
	wire_skip(w, 4); /* tunnel, session */
	wire_skip(w, flags & L2TP_SEQUENCE ? 4 : 0);
	if (flags & L2TP_OFFSET)
		wire_skip(w, wire_u16(w));
	return !(flags & L2TP_CONTROL) && (flags & 0x000f) == 2 ? TYPE_PPP : TYPE_NONE;
}

static uint16_t open_vxlan(struct wire *w)
{
	uint8_t flags = wire_u8(w);

	wire_skip(w, 7);
	return flags & VXLAN_NETWORK ? TYPE_ETHERNET : TYPE_NONE;
}

static uint16_t open_geneve(struct wire *w)
{
	uint8_t  first = wire_u8(w);
	uint16_t type;

	wire_skip(w, 1); /* flags */
	type = wire_u16(w);
	wire_skip(w, 4 + (first & GENEVE_WORDS) * 4U); /* network, options */
	return first & GENEVE_VERSION ? TYPE_NONE : type;
}

/* What a relay adds in front: authentication, and where a packet came from. */
static uint16_t open_teredo(struct wire *w)
{
	struct wire peek = *w;
	uint16_t    indicator = wire_u16(&peek);

	if (indicator == 1) {
		size_t client = wire_u8(&peek), value = wire_u8(&peek);

		wire_skip(&peek, client + value + 8 + 1);
		*w = peek;
		indicator = wire_u16(&peek);
	}
	wire_skip(w, indicator == 0 ? 2 + 2 + 4 : 0);
	return ip_type(*w) == TYPE_IP6 ? TYPE_IP6 : TYPE_NONE;
}

static uint16_t open_capwap(struct wire *w)
{
	uint8_t       version = wire_u8(w), words = wire_u8(w) >> 3, native = wire_u8(w);
	uint8_t       flags = wire_u8(w), mac[MAC_LEN];
	bool          has_mac;
	struct sender station = { mac, &has_mac };

	if (version != 0 || words < 2 || flags & (CAPWAP_FRAGMENT | CAPWAP_KEEPALIVE))
		return TYPE_NONE;
	wire_skip(w, words * 4U - 4);
	return native & CAPWAP_NATIVE ? read_wlan(w, &station) : TYPE_ETHERNET;
}

static const struct {
	uint16_t port;
	uint16_t (*open)(struct wire *w);
} tunnels[] = {
	{ 2152, open_gtp },    { 1701, open_l2tp },   { 4789, open_vxlan },
	{ 6081, open_geneve }, { 3544, open_teredo }, { 5247, open_capwap },
};

bool udp_tunnel_open(struct span payload, uint16_t sport, uint16_t dport, struct span *ip)
{
	uint8_t       mac[MAC_LEN]; /* not a neighbour's */
	bool          has_mac;
	struct sender inside = { mac, &has_mac };

	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		enum wire_err err = WIRE_OK;
		struct wire   w = wire_of(payload, &err, false);

		if ((tunnels[i].port == dport || tunnels[i].port == sport) &&
		    decode_ethertype(tunnels[i].open(&w), &w, &inside, ip) == DECODE_OK)
			return true;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Link headers of captured frames, one function and one row each. Most of them end in an EtherType, after
 * which VLAN tags, MPLS labels and PPPoE may follow in any number and order. The kernel's queue hands over
 * bare IP and skips this file.
 */
#include "decode/tunnel.h"

enum { LENGTH_MAX = 1500, PPP_IP4 = 0x0021, PPP_IP6 = 0x0057, NFLOG_PAYLOAD = 9 };

void take_mac(const struct sender *s, const uint8_t *mac)
{
	static const uint8_t none[MAC_LEN]; /* as on the loopback interface */

	if (!mac || memcmp(mac, none, MAC_LEN) == 0)
		return;
	memcpy(s->mac, mac, MAC_LEN);
	*s->has_mac = true;
}

static uint16_t read_none(struct wire *w, const struct sender *s)
{
	struct wire peek = *w;

	(void)s;
	return wire_u8(&peek) >> 4 == 6 ? TYPE_IP6 : TYPE_IP4;
}

/* IEEE 802.3: a small number is the length of what follows. */
static uint16_t read_ethernet(struct wire *w, const struct sender *s)
{
	uint16_t type;

	wire_skip(w, MAC_LEN);
	take_mac(s, wire_bytes(w, MAC_LEN));
	type = wire_u16(w);
	return type <= LENGTH_MAX ? read_llc(w) : type;
}

/* Linux cooked capture: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html */
static uint16_t read_sll(struct wire *w, const struct sender *s)
{
	uint16_t addr_len;

	wire_skip(w, 4);
	addr_len = wire_u16(w);
	if (addr_len == MAC_LEN)
		take_mac(s, wire_bytes(w, MAC_LEN));
	else
		wire_skip(w, MAC_LEN);
	wire_skip(w, 2); /* the address field has room for eight */
	return wire_u16(w);
}

/* https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html */
static uint16_t read_sll2(struct wire *w, const struct sender *s)
{
	uint16_t type = wire_u16(w);
	uint8_t  addr_len;

	wire_skip(w, 2 + 4 + 2 + 1);
	addr_len = wire_u8(w);
	if (addr_len == MAC_LEN)
		take_mac(s, wire_bytes(w, MAC_LEN));
	else
		wire_skip(w, MAC_LEN);
	wire_skip(w, 2);
	return type;
}

/* The capturing host's AF_INET or AF_INET6, in its byte order: 24, 28 and 30 are the BSDs' IPv6. */
static uint16_t read_loopback(struct wire *w, const struct sender *s)
{
	uint32_t family = wire_u32(w);

	(void)s;
	if (family & 0xff000000)
		family >>= 24;
	if (family == 2)
		return TYPE_IP4;
	return family == 10 || family == 24 || family == 28 || family == 30 ? TYPE_IP6 : TYPE_NONE;
}

/* Address, control and an EtherType: https://www.tcpdump.org/linktypes/LINKTYPE_C_HDLC.html */
static uint16_t read_hdlc(struct wire *w, const struct sender *s)
{
	(void)s;
	wire_skip(w, 2);
	return wire_u16(w);
}

/* RFC 3032 2.1: labels of four bytes, the last one marked. The routers know what they carry; everyone
 * else guesses it from its first bits (RFC 4928). */
static uint16_t read_mpls(struct wire *w, const struct sender *s)
{
	struct wire peek;
	bool        last = false;

	(void)s;
	while (!last && *w->err == WIRE_OK) {
		wire_skip(w, 2);
		last = wire_u8(w) & 1;
		wire_skip(w, 1);
	}
	peek = *w;
	switch (wire_u8(&peek) >> 4) {
	case 4: return TYPE_IP4;
	case 6: return TYPE_IP6;
	case 0: wire_skip(w, 4); return TYPE_ETHERNET; /* RFC 4448 4.6: a control word */
	default: return TYPE_NONE;
	}
}

/* RFC 1661, RFC 1662: address and control may be compressed away, and so may a protocol's first
 * byte, which is even where the last one is odd. On serial lines Cisco's framing, which begins with
 * 0x0f or 0x8f, goes by the same link type. */
static uint16_t read_ppp(struct wire *w, const struct sender *s)
{
	struct wire peek = *w;
	uint16_t    protocol;

	if (wire_u8(&peek) % 0x80 == 0x0f)
		return read_hdlc(w, s);
	peek = *w;
	if (wire_u16(&peek) == 0xff03)
		*w = peek;
	protocol = wire_u8(w);
	if (!(protocol & 1))
		protocol = (uint16_t)(protocol << 8 | wire_u8(w));
	if (protocol == PPP_IP4)
		return TYPE_IP4;
	return protocol == PPP_IP6 ? TYPE_IP6 : TYPE_NONE;
}

static uint16_t read_ppp_dir(struct wire *w, const struct sender *s)
{
	wire_skip(w, 1);
	return read_ppp(w, s);
}

/* RFC 2516 4: version and type, code, session, length; a session's code is 0. */
static uint16_t read_pppoe(struct wire *w, const struct sender *s)
{
	uint8_t code;

	wire_skip(w, 1);
	code = wire_u8(w);
	wire_skip(w, 4);
	return code == 0 ? read_ppp(w, s) : TYPE_NONE;
}

/* https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html: attributes in the host's byte order, which
 * is little-endian wherever this was seen. */
static uint16_t read_nflog(struct wire *w, const struct sender *s)
{
	uint8_t family = wire_u8(w);

	(void)s;
	wire_skip(w, 3);
	while (wire_each(w)) {
		uint16_t len = wire_u8(w), type;

		len = (uint16_t)(len | wire_u8(w) << 8);
		type = wire_u8(w);
		type = (uint16_t)(type | wire_u8(w) << 8);
		if (len < 4)
			return TYPE_NONE;
		if (type == NFLOG_PAYLOAD) {
			*w = wire_sub(w, len - 4U);
			return family == 2 ? TYPE_IP4 : family == 10 ? TYPE_IP6 : TYPE_NONE;
		}
		wire_skip(w, ((len + 3U) & ~3U) - 4);
	}
	return TYPE_NONE;
}

/* A tag, and the type of what follows it. */
static uint16_t read_tag(struct wire *w, size_t tag)
{
	wire_skip(w, tag);
	return wire_u16(w);
}

static uint16_t read_vlan(struct wire *w, const struct sender *s)
{
	(void)s;
	return read_tag(w, 2);
}

/* Of ports of virtual machines: Cisco's tag, and the one of IEEE 802.1BR. */
static uint16_t read_vntag(struct wire *w, const struct sender *s)
{
	(void)s;
	return read_tag(w, 4);
}

static uint16_t read_etag(struct wire *w, const struct sender *s)
{
	(void)s;
	return read_tag(w, 6);
}

/* IEEE 802.1ah: the customer's whole frame is inside. */
static uint16_t read_mac_in_mac(struct wire *w, const struct sender *s)
{
	wire_skip(w, 4);
	return read_ethernet(w, s);
}

static uint16_t (*const readers[])(struct wire *w, const struct sender *s) = {
	[LINK_IP] = read_none,         [LINK_ETHERNET] = read_ethernet, [LINK_SLL] = read_sll,
	[LINK_SLL2] = read_sll2,       [LINK_LOOPBACK] = read_loopback, [LINK_PPP] = read_ppp,
	[LINK_PPP_DIR] = read_ppp_dir, [LINK_HDLC] = read_hdlc,         [LINK_PPPOE] = read_pppoe,
	[LINK_NFLOG] = read_nflog,     [LINK_WLAN] = read_wlan,         [LINK_RADIOTAP] = read_radiotap,
	[LINK_PPI] = read_ppi,
};

/* What may stand between the link's header and IP. */
static const struct {
	uint16_t type;
	uint16_t (*read)(struct wire *w, const struct sender *s);
} between[] = {
	{ TYPE_VLAN, read_vlan },      { TYPE_QINQ, read_vlan },
	{ TYPE_QINQ_OLD, read_vlan },  { TYPE_MPLS, read_mpls },
	{ TYPE_PPPOE, read_pppoe },    { TYPE_MPLS_MULTICAST, read_mpls },
	{ TYPE_PPP, read_ppp },        { TYPE_ETHERNET, read_ethernet },
	{ TYPE_VNTAG, read_vntag },    { TYPE_ETAG, read_etag },
	{ TYPE_MAC_IN_MAC, read_mac_in_mac },
};

enum decode_err decode_ethertype(uint16_t type, struct wire *w, const struct sender *s,
                                 struct span *ip)
{
	const size_t n = sizeof(between) / sizeof(between[0]);

	while (*w->err == WIRE_OK && type != TYPE_IP4 && type != TYPE_IP6) {
		size_t i = 0;

		while (i < n && between[i].type != type)
			i++;
		if (i == n)
			return DECODE_NOT_IP;
		type = between[i].read(w, s);
	}
	if (*w->err != WIRE_OK)
		return DECODE_BAD;
	*ip = wire_span(w, wire_left(w));
	return DECODE_OK;
}

enum decode_err decode_link(enum link_type link, struct span frame, struct span *ip, uint8_t mac[6],
                            bool *has_mac)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(frame, &err, false);
	struct sender sender = { mac, has_mac };
	uint16_t      type = readers[link](&w, &sender);

	return decode_ethertype(type, &w, &sender, ip);
}

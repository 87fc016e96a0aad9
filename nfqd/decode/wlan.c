/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of wireless networks (IEEE 802.11) as a monitor captures them: data that is not encrypted. In
 * front of them stands what the receiver reports: https://www.radiotap.org, and PPI.
 */
#include "decode/tunnel.h"

enum {
	VERSION = 0x03,
	TYPE_MASK = 0x0c,
	TYPE_DATA = 0x08,
	NO_DATA = 0x40,
	QOS = 0x80,
	TO_NETWORK = 0x01, /* the second byte */
	FROM_NETWORK = 0x02,
	ENCRYPTED = 0x40,
	ORDER = 0x80,
	SEVERAL_FRAMES = 0x80, /* of the QoS field */
	LINKTYPE_WLAN = 105
};

/* IEEE 802.2 with a SNAP header (RFC 1042), which ends in an EtherType. */
uint16_t read_llc(struct wire *w)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0 };
	const uint8_t       *head = wire_bytes(w, sizeof(snap));

	return head && memcmp(head, snap, sizeof(snap)) == 0 ? wire_u16(w) : TYPE_NONE;
}

/* IEEE 802.11 9.2: which of the addresses is the sender's depends on the two directions. */
uint16_t read_wlan(struct wire *w, const struct sender *s)
{
	uint8_t        kind = wire_u8(w), flags = wire_u8(w), qos = 0;
	const uint8_t *second, *third, *from;

	if (kind & VERSION) { /* some access points swap these two in CAPWAP */
		uint8_t first = kind;

		kind = flags;
		flags = first;
	}
	if ((kind & (VERSION | TYPE_MASK | NO_DATA)) != TYPE_DATA || flags & ENCRYPTED)
		return TYPE_NONE;
	wire_skip(w, 2 + MAC_LEN); /* duration, receiver */
	second = wire_bytes(w, MAC_LEN);
	third = wire_bytes(w, MAC_LEN);
	wire_skip(w, 2); /* sequence */
	from = flags & FROM_NETWORK ? third : second;
	if (flags & TO_NETWORK && flags & FROM_NETWORK)
		from = wire_bytes(w, MAC_LEN);
	if (kind & QOS) {
		qos = wire_u8(w);
		wire_skip(w, 1 + (flags & ORDER ? 4 : 0)); /* HT control */
	}
	if (qos & SEVERAL_FRAMES)
		return TYPE_NONE;
	take_mac(s, *w->err == WIRE_OK ? from : NULL);
	return read_llc(w);
}

static uint16_t read_le16(struct wire *w)
{
	uint16_t v = wire_u8(w);

	return (uint16_t)(v | wire_u8(w) << 8);
}

uint16_t read_radiotap(struct wire *w, const struct sender *s)
{
	uint16_t len;

	wire_skip(w, 2);
	len = read_le16(w);
	wire_skip(w, len < 8 ? wire_left(w) + 1 : len - 4U);
	return read_wlan(w, s);
}

/* https://www.tcpdump.org/linktypes/LINKTYPE_PPI.html: ends in the link type of what follows. */
uint16_t read_ppi(struct wire *w, const struct sender *s)
{
	uint16_t len, link;

	wire_skip(w, 2);
	len = read_le16(w);
	link = read_le16(w);
	wire_skip(w, len < 8 ? wire_left(w) + 1 : len - 6U);
	return link == LINKTYPE_WLAN ? read_wlan(w, s) : TYPE_NONE;
}

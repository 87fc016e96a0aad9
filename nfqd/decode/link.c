/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Link headers of captured frames. The kernel's queue hands over bare IP and skips this file. */
#include "base/wire.h"
#include "decode/packet.h"

enum { ETHERTYPE_IP4 = 0x0800, ETHERTYPE_IP6 = 0x86dd, VLAN = 0x8100, QINQ = 0x88a8, QINQ_OLD = 0x9100 };

static bool is_vlan(uint16_t type)
{
	return type == VLAN || type == QINQ || type == QINQ_OLD;
}

enum decode_err decode_link(enum link_type link, struct span frame, struct span *ip, uint8_t mac[6],
                            bool *has_mac)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(frame, &err, false);
	uint16_t      type;

	if (link == LINK_IP) {
		*ip = frame;
		return DECODE_OK;
	}
	wire_skip(&w, 6);
	const uint8_t *from = wire_bytes(&w, 6);

	type = wire_u16(&w);
	while (is_vlan(type)) {
		wire_skip(&w, 2);
		type = wire_u16(&w);
	}
	if (err != WIRE_OK)
		return DECODE_BAD;
	memcpy(mac, from, 6);
	*has_mac = true;
	if (type != ETHERTYPE_IP4 && type != ETHERTYPE_IP6)
		return DECODE_NOT_IP;
	*ip = wire_span(&w, wire_left(&w));
	return DECODE_OK;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRE (RFC 2784, RFC 2890), PPTP's version of it (RFC 2637 4.1), and ERSPAN
 * (draft-foschiano-erspan), with which switches mirror a port.
 */
#include "decode/tunnel.h"

enum {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACK = 0x0080,
	GRE_VERSION = 0x0007,
	TYPE_ERSPAN = 0x88be,
	TYPE_ERSPAN_3 = 0x22eb,
	ERSPAN_3_MORE = 1
};

/* Type I has no header of its own; only the missing sequence number tells it. */
static void skip_erspan(struct wire *w, bool sequence)
{
	wire_skip(w, sequence ? 8 : 0);
}

static void skip_erspan_3(struct wire *w)
{
	uint8_t last;

	wire_skip(w, 11);
	last = wire_u8(w);
	wire_skip(w, last & ERSPAN_3_MORE ? 8 : 0);
}

enum decode_err gre_open(struct wire *w, struct span *ip)
{
	uint16_t      flags = wire_u16(w), type = wire_u16(w);
	uint8_t       mac[MAC_LEN]; /* not a neighbour's */
	bool          has_mac;
	struct sender inside = { mac, &has_mac };

	if ((flags & GRE_VERSION) > 1 || flags & GRE_ROUTING)
		return DECODE_NOT_IP;
	wire_skip(w, flags & GRE_CHECKSUM ? 4 : 0);
	wire_skip(w, flags & GRE_KEY ? 4 : 0);
	wire_skip(w, flags & GRE_SEQUENCE ? 4 : 0);
	wire_skip(w, flags & GRE_VERSION && flags & GRE_ACK ? 4 : 0);
	if (*w->err == WIRE_OK && wire_left(w) == 0) /* PPTP acknowledgements and keep-alives carry no packet */
		return DECODE_NOT_IP;
	if (type == TYPE_ERSPAN || type == TYPE_ERSPAN_3) {
		if (type == TYPE_ERSPAN)
			skip_erspan(w, flags & GRE_SEQUENCE);
		else
			skip_erspan_3(w);
		type = TYPE_ETHERNET;
	}
	return decode_ethertype(type, w, &inside, ip);
}

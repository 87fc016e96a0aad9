/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judged bytes in a record, as Suricata writes them: `packet` from the IP header on, and `payload` for a message
 * that spans packets. The object `nfqd` says what is missing from either.
 */
#include "log/eve_private.h"

enum { LINKTYPE_RAW = 101 };

void eve_put_bytes(struct json *j, const struct event_bytes *b)
{
	if (b->payload.n)
		json_base64(j, "payload", b->payload);
	if (!b->packet.n)
		return;
	json_base64(j, "packet", b->packet);
	json_open(j, "packet_info", '{');
	json_uint(j, "linktype", LINKTYPE_RAW);
	json_close(j, '}');
}

void eve_put_cut(struct json *j, const struct event_bytes *b)
{
	bool packet = b->packet.n < b->length, payload = b->payload.n < b->payload_length;

	if (!packet && !payload)
		return;
	json_open(j, "cut", '{');
	if (packet)
		json_uint(j, "packet", b->length);
	if (payload)
		json_uint(j, "payload", b->payload_length);
	json_close(j, '}');
}

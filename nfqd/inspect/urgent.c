/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFC 9293 3.8.5: the byte that an urgent pointer shows is handed to the server's program on a way of its
 * own, and is not part of the message around it; unless a later pointer came before it. Sequence numbers
 * are counted without such bytes.
 */
#include "inspect/inspect_private.h"

void urgent_take_out(struct inspection *in)
{
	static _Thread_local uint8_t room[UINT16_MAX];
	struct packet               *pkt = in->pkt;
	struct urgent               *u = &conn_made(in)->urgent;
	uint32_t                     at = pkt->seq + pkt->urgent - 1U, before;
	struct span                  bytes = pkt->payload;
	bool                         here;

	if (pkt->urgent && ((!u->count && !u->last) || (int32_t)(at - u->last) > 0)) {
		u->last = at;
		u->taken = false;
	}
	before = u->last - pkt->seq;
	here = before < bytes.n && bytes.n <= sizeof(room);
	in->urgents = u->count - (u->taken && (int32_t)before >= 0 ? 1U : 0U);
	pkt->seq -= in->urgents;
	if (!here)
		return;
	u->count = in->urgents + 1;
	u->taken = true;
	memcpy(room, bytes.p, before);
	memcpy(room + before, bytes.p + before + 1, bytes.n - before - 1);
	pkt->payload = span_of(room, bytes.n - 1);
}

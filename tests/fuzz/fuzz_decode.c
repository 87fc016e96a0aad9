/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of every link type, IP packets and what is inside their tunnels. The first byte of the
 * input chooses the link type.
 */
#include <netinet/in.h>

#include "fuzz.h"

#include "decode/packet.h"

static void check_within(struct span part, const uint8_t *data, size_t size)
{
	FUZZ_CHECK(part.n == 0 || (part.p >= data && part.p + part.n <= data + size));
}

static void check_packet(struct span ip)
{
	struct packet   pkt = {.proto = 0};
	enum decode_err r = decode_ip(ip, &pkt);

	FUZZ_CHECK(r <= DECODE_NOT_IP);
	if (r != DECODE_OK && r != DECODE_FRAGMENT)
		return;
	check_within(pkt.payload, ip.p, ip.n);
	FUZZ_CHECK(pkt.src.len == pkt.dst.len && (pkt.src.len == 4 || pkt.src.len == 16));
	FUZZ_CHECK(pkt.urgent == 0 || pkt.proto == IPPROTO_TCP);
	if (r == DECODE_FRAGMENT && decode_transport(pkt.payload, &pkt) == DECODE_OK)
		check_within(pkt.payload, ip.p, ip.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t     mac[6] = {0};
	bool        has_mac = false;
	struct span frame, ip = {.n = 0};

	if (size == 0)
		return 0;
	frame = span_of(data + 1, size - 1);
	check_packet(frame);
	if (decode_link(data[0] % (LINK_PPI + 1), frame, &ip, mac, &has_mac) != DECODE_OK)
		return 0;
	check_within(ip, frame.p, frame.n);
	check_packet(ip);
	return 0;
}

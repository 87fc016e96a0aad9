/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of our own: headers as the RFCs draw them, checksums verified by other means. */
#include "act/act.h"

#include <netinet/in.h>

#include "unit.h"

static const struct row {
	const char  *what;
	uint8_t      proto;
	struct forge f;
	size_t       payload;
} rows[] = {
	{ "UDP over IPv4",
	  IPPROTO_UDP,
	  { .src = { 4, { 8, 8, 8, 8 } },
	    .dst = { 4, { 10, 0, 0, 7 } },
	    .sport = 53,
	    .dport = 50122 },
	  100 },
	{ "UDP over IPv4, odd",
	  IPPROTO_UDP,
	  { .src = { 4, { 255, 255, 255, 255 } },
	    .dst = { 4, { 255, 255, 255, 254 } },
	    .sport = 65535,
	    .dport = 65535 },
	  33 },
	{ "UDP, one byte",
	  IPPROTO_UDP,
	  { .src = { 4, { 8, 8, 8, 8 } }, .dst = { 4, { 10, 0, 0, 7 } }, .sport = 53, .dport = 1 },
	  1 },
	{ "UDP over IPv6",
	  IPPROTO_UDP,
	  { .src = { 16, { 0x20, 1, 0xd, 0xb8, 9 } },
	    .dst = { 16, { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 } },
	    .sport = 53,
	    .dport = 50122 },
	  301 },
	{ "a reset over IPv4",
	  IPPROTO_TCP,
	  { .src = { 4, { 10, 0, 0, 7 } },
	    .dst = { 4, { 192, 0, 2, 1 } },
	    .sport = 40000,
	    .dport = 443,
	    .seq = 0xfffffffe,
	    .ack = 7,
	    .tcp_flags = TCP_RST | TCP_ACK },
	  0 },
	{ "a reset over IPv6",
	  IPPROTO_TCP,
	  { .src = { 16, { 0xfd, 1 } },
	    .dst = { 16, { 0x20, 1 } },
	    .sport = 40000,
	    .dport = 443,
	    .seq = 1,
	    .ack = 0x80000000,
	    .tcp_flags = TCP_RST | TCP_ACK },
	  0 },
	{ "an answer over TCP",
	  IPPROTO_TCP,
	  { .src = { 4, { 8, 8, 8, 8 } },
	    .dst = { 4, { 10, 0, 0, 7 } },
	    .sport = 53,
	    .dport = 50122,
	    .seq = 77,
	    .ack = 99,
	    .tcp_flags = TCP_FIN | TCP_ACK },
	  77 },
	{ "a large segment",
	  IPPROTO_TCP,
	  { .src = { 16, { 0xfd, 1 } },
	    .dst = { 16, { 0x20, 1 } },
	    .sport = 1,
	    .dport = 2,
	    .tcp_flags = TCP_ACK },
	  60000 },
};

static uint8_t payload[70000], packet[70000];

/* RFC 1071, but by another road: add with end-around carry, one word at a time; a whole and correct
 * block gives 0xffff. */
static uint16_t add_up(uint16_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t s = sum + (i % 2 ? (uint32_t)p[i] : (uint32_t)p[i] << 8);

		sum = (uint16_t)((s & 0xffff) + (s >> 16));
	}
	return sum;
}

static size_t forge(const struct row *row, size_t room)
{
	return row->proto == IPPROTO_UDP
		       ? forge_udp(&row->f, span_of(payload, row->payload), packet, room)
		       : forge_tcp(&row->f, span_of(payload, row->payload), packet, room);
}

static uint16_t number(size_t at)
{
	return (uint16_t)(packet[at] << 8 | packet[at + 1]);
}

static void check_ip(const struct row *row, size_t n)
{
	if (row->f.src.len == 4) {
		same_num(row->what, "version and header length", packet[0], 0x45);
		same_num(row->what, "total length", number(2), (long long)n);
		same_num(row->what, "do not fragment", number(6), 0x4000);
		same_num(row->what, "protocol", packet[9], row->proto);
		same_num(row->what, "header checksum", add_up(0, packet, 20), 0xffff);
	} else {
		same_num(row->what, "version, class, label", number(0), 0x6000);
		same_num(row->what, "payload length", number(4), (long long)n - 40);
		same_num(row->what, "next header", packet[6], row->proto);
	}
}

/* The pseudo-header is written out and summed before the packet. */
static void check_transport(const struct row *row, size_t n)
{
	size_t  at = row->f.src.len == 4 ? 20 : 40, l4 = n - at;
	uint8_t pseudo[40] = { 0 };
	size_t  len = row->f.src.len;

	memcpy(pseudo, row->f.src.b, len);
	memcpy(pseudo + len, row->f.dst.b, len);
	pseudo[2 * len] = (uint8_t)(l4 >> 24);
	pseudo[2 * len + 1] = (uint8_t)(l4 >> 16);
	pseudo[2 * len + 2] = (uint8_t)(l4 >> 8);
	pseudo[2 * len + 3] = (uint8_t)l4;
	pseudo[2 * len + 7] = row->proto;
	same_num(row->what, "checksum", add_up(add_up(0, pseudo, 2 * len + 8), packet + at, l4),
		 0xffff);
	same_num(row->what, "there is one", number(at + (row->proto == IPPROTO_UDP ? 6 : 16)) != 0,
		 true);
}

static void test_packets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 31 + (i >> 8));
	for (size_t i = 0; i < N_OF(rows); i++) {
		const struct row *row = &rows[i];
		size_t            n = forge(row, sizeof(packet));
		struct packet     pkt;

		if (n == 0)
			fail_msg("%s: nothing made", row->what);
		check_ip(row, n);
		check_transport(row, n);
		same_num(row->what, "decodes", decode_ip(span_of(packet, n), &pkt), DECODE_OK);
		same_num(row->what, "not cut", pkt.cut, false);
		assert_true(addr_eq(&pkt.src, &row->f.src) && addr_eq(&pkt.dst, &row->f.dst));
		same_num(row->what, "source port", pkt.sport, row->f.sport);
		same_num(row->what, "destination port", pkt.dport, row->f.dport);
		same_num(row->what, "flags", pkt.tcp_flags & 0x17, row->f.tcp_flags);
		same_num(row->what, "seq", pkt.seq, row->f.seq);
		same_num(row->what, "ack", pkt.ack, row->f.ack);
		same_bytes(row->what, pkt.payload, span_of(payload, row->payload));
	}
}

static void test_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		size_t n = forge(&rows[i], sizeof(packet));

		same_num(rows[i].what, "exact room", (long long)forge(&rows[i], n), (long long)n);
		same_num(rows[i].what, "a byte too few", (long long)forge(&rows[i], n - 1), 0);
		same_num(rows[i].what, "no room", (long long)forge(&rows[i], 0), 0);
	}
}

/* Lengths are 16-bit numbers; what does not fit one is not made. */
static void test_too_long(void **state)
{
	static const struct {
		const char *what;
		uint8_t     proto, len;
		size_t      payload;
		bool        made;
	} lengths[] = {
		{ "IPv4, the longest datagram", IPPROTO_UDP, 4, 65535 - 20 - 8, true },
		{ "IPv4, one more", IPPROTO_UDP, 4, 65535 - 20 - 8 + 1, false },
		{ "IPv4, the longest segment", IPPROTO_TCP, 4, 65535 - 20 - 20, true },
		{ "IPv4, one more", IPPROTO_TCP, 4, 65535 - 20 - 20 + 1, false },
		{ "IPv6, the longest datagram", IPPROTO_UDP, 16, 65535 - 8, true },
		{ "IPv6, one more", IPPROTO_UDP, 16, 65535 - 8 + 1, false },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(lengths); i++) {
		struct row row = { .proto = lengths[i].proto, .payload = lengths[i].payload,
			           .f = { .src.len = lengths[i].len, .dst.len = lengths[i].len } };

		same_num(lengths[i].what, "made", forge(&row, sizeof(packet)) != 0,
			 lengths[i].made);
	}
}

/* A checksum that comes out as zero is sent as ones: zero means that there is none (RFC 768). */
static void test_udp_zero(void **state)
{
	static const struct row row = { "zero",
					IPPROTO_UDP,
					{ .src = { 4, { 10, 0, 0, 1 } },
					  .dst = { 4, { 10, 0, 0, 2 } },
					  .sport = 53,
					  .dport = 53 },
					2 };

	(void)state;
	for (unsigned v = 0; v < 65536; v++) {
		payload[0] = (uint8_t)(v >> 8);
		payload[1] = (uint8_t)v;
		assert_int_equal(forge(&row, sizeof(packet)), 30);
		assert_int_not_equal(number(26), 0);
	}
}

/* The kernel's own limits: a client's stack must find its datagram in what is quoted. */
static void test_unreachable(void **state)
{
	static const struct {
		const char  *what;
		struct forge f;
		size_t       about, quoted;
		uint8_t      type, code, proto;
	} icmp[] = {
		{ "IPv4", { .src = { 4, { 8, 8, 8, 8 } }, .dst = { 4, { 10, 0, 0, 7 } } }, 61, 61, 3, 3, 1 },
		{ "IPv4, long", { .src = { 4, { 8, 8, 8, 8 } }, .dst = { 4, { 10, 0, 0, 7 } } }, 1400, 548,
		  3, 3, 1 },
		{ "IPv6", { .src = { 16, { 0x20, 1 } }, .dst = { 16, { 0xfd, 1 } } }, 97, 97, 1, 4, 58 },
		{ "IPv6, long", { .src = { 16, { 0x20, 1 } }, .dst = { 16, { 0xfd, 1 } } }, 1400, 1232, 1,
		  4, 58 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(icmp); i++) {
		struct row row = { .what = icmp[i].what, .proto = icmp[i].proto, .f = icmp[i].f };
		size_t     at = row.f.src.len == 4 ? 20 : 40;
		size_t     n = forge_icmp(&row.f, span_of(payload, icmp[i].about), packet, 1280);
		uint8_t    pseudo[40] = { 0 };

		same_num(row.what, "length", (long long)n, (long long)(at + 8 + icmp[i].quoted));
		check_ip(&row, n);
		same_num(row.what, "type", packet[at], icmp[i].type);
		same_num(row.what, "code", packet[at + 1], icmp[i].code);
		same_bytes(row.what, span_of(packet + at + 8, icmp[i].quoted),
			   span_of(payload, icmp[i].quoted));
		if (row.f.src.len == 16) { /* RFC 4443 2.3 */
			memcpy(pseudo, row.f.src.b, 16);
			memcpy(pseudo + 16, row.f.dst.b, 16);
			pseudo[34] = (uint8_t)((n - at) >> 8);
			pseudo[35] = (uint8_t)(n - at);
			pseudo[39] = 58;
		}
		same_num(row.what, "checksum", add_up(add_up(0, pseudo, 40), packet + at, n - at),
			 0xffff);
		same_num(row.what, "a byte too few",
			 (long long)forge_icmp(&row.f, span_of(payload, icmp[i].about), packet, n - 1),
			 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_packets),
					    cmocka_unit_test(test_unreachable),
					    cmocka_unit_test(test_room),
					    cmocka_unit_test(test_too_long),
					    cmocka_unit_test(test_udp_zero) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

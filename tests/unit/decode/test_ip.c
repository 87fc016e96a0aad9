/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 and IPv6 in all their forms, each input in a block of exactly its size. */
#include <netinet/in.h>

#include "bytes.h"
#include "decode/packet.h"
#include "unit.h"

enum { FROM_SIZE = -1 };

#define PORTS "\4\0\1\273" /* 1024 to 443 */
#define UDP(len) PORTS "\0" len "\0\0"
#define TCP_WITH(off, flags) PORTS "\1\2\3\4\5\6\7\10" off flags "\377\377\0\0\0\0"
#define TCP_PLAIN TCP_WITH("\120", "\30")

static const struct row {
	const char     *what;
	int             version, proto; /* of the first header */
	struct span     options;        /* IPv4 options, or IPv6 extension headers */
	unsigned        fragment;       /* IPv4: flags and offset */
	int             total;          /* the length field; FROM_SIZE: as it is */
	size_t          padding;        /* bytes behind the packet, as Ethernet has them */
	struct span     rest;           /* transport header and payload */
	enum decode_err err;
	const char     *payload;
	bool            cut;
} rows[] = {
	{ "UDP", 4, 17, LIT(""), 0, FROM_SIZE, 0, LIT(UDP("\13") "abc"), DECODE_OK, "abc", false },
	{ "TCP", 4, 6, LIT(""), 0, FROM_SIZE, 0, LIT(TCP_PLAIN "abc"), DECODE_OK, "abc", false },
	{ "UDP over IPv6", 6, 17, LIT(""), 0, FROM_SIZE, 0, LIT(UDP("\13") "abc"), DECODE_OK, "abc",
	  false },
	{ "TCP over IPv6", 6, 6, LIT(""), 0, FROM_SIZE, 0, LIT(TCP_PLAIN "abc"), DECODE_OK, "abc",
	  false },
	{ "no payload", 4, 6, LIT(""), 0, FROM_SIZE, 0, LIT(TCP_PLAIN), DECODE_OK, "", false },
	{ "padding is no payload", 4, 6, LIT(""), 0, FROM_SIZE, 6, LIT(TCP_PLAIN), DECODE_OK, "",
	  false },
	{ "padding behind IPv6", 6, 17, LIT(""), 0, FROM_SIZE, 9, LIT(UDP("\13") "abc"), DECODE_OK,
	  "abc", false },
	{ "IPv4 options", 4, 17, LIT("\1\1\1\1\224\4\0\0"), 0, FROM_SIZE, 0, LIT(UDP("\13") "abc"),
	  DECODE_OK, "abc", false },
	{ "40 bytes of options", 4, 6, LIT("0123456789012345678901234567890123456789"), 0,
	  FROM_SIZE, 0, LIT(TCP_PLAIN "abc"), DECODE_OK, "abc", false },
	{ "do not fragment", 4, 17, LIT(""), 0x4000, FROM_SIZE, 0, LIT(UDP("\13") "abc"), DECODE_OK,
	  "abc", false },
	{ "a first fragment", 4, 17, LIT(""), 0x2000, FROM_SIZE, 0, LIT(UDP("\13") "abc"),
	  DECODE_FRAGMENT, NULL, false },
	{ "a later fragment", 4, 17, LIT(""), 0x00b9, FROM_SIZE, 0, LIT("abc"), DECODE_FRAGMENT,
	  NULL, false },
	{ "a tiny fragment", 4, 6, LIT(""), 0x2000, FROM_SIZE, 0, LIT("\4\0\1\273"),
	  DECODE_FRAGMENT, NULL, false },
	{ "a total longer than what is there", 4, 17, LIT(""), 0, 1400, 0, LIT(UDP("\13") "abc"),
	  DECODE_OK, "abc", true },
	{ "a total of zero, as of large GSO packets", 4, 6, LIT(""), 0, 0, 0, LIT(TCP_PLAIN "abc"),
	  DECODE_OK, "abc", false },
	{ "a total shorter than the header", 4, 17, LIT(""), 0, 19, 0, LIT(UDP("\13") "abc"),
	  DECODE_BAD, NULL, false },
	{ "a total that ends in the transport header", 4, 17, LIT(""), 0, 25, 0,
	  LIT(UDP("\13") "abc"), DECODE_BAD, NULL, false },
	{ "IPv6 longer than what is there", 6, 17, LIT(""), 0, 1400, 0, LIT(UDP("\13") "abc"),
	  DECODE_OK, "abc", true },
	{ "IPv6 of length zero, as of jumbograms", 6, 6, LIT(""), 0, 0, 0, LIT(TCP_PLAIN "abc"),
	  DECODE_OK, "abc", false },
	{ "UDP shorter than its packet", 4, 17, LIT(""), 0, FROM_SIZE, 0, LIT(UDP("\13") "abcdef"),
	  DECODE_OK, "abc", false },
	{ "UDP longer than its packet", 4, 17, LIT(""), 0, FROM_SIZE, 0, LIT(UDP("\377") "abc"),
	  DECODE_OK, "abc", true },
	{ "UDP of length zero", 4, 17, LIT(""), 0, FROM_SIZE, 0, LIT(UDP("\0") "abc"), DECODE_OK,
	  "abc", false },
	{ "UDP of a length below its header", 4, 17, LIT(""), 0, FROM_SIZE, 0, LIT(UDP("\7") "abc"),
	  DECODE_OK, "abc", false },
	{ "half a UDP header", 4, 17, LIT(""), 0, FROM_SIZE, 0, LIT(PORTS), DECODE_BAD, NULL,
	  false },
	{ "TCP options", 4, 6, LIT(""), 0, FROM_SIZE, 0,
	  LIT(TCP_WITH("\200", "\30") "\1\1\10\12abcdefghxyz"), DECODE_OK, "xyz", false },
	{ "a TCP offset below its header", 4, 6, LIT(""), 0, FROM_SIZE, 0,
	  LIT(TCP_WITH("\100", "\30") "abc"), DECODE_BAD, NULL, false },
	{ "a TCP offset beyond the packet", 4, 6, LIT(""), 0, FROM_SIZE, 0,
	  LIT(TCP_WITH("\360", "\30") "abc"), DECODE_BAD, NULL, false },
	{ "half a TCP header", 4, 6, LIT(""), 0, FROM_SIZE, 0, LIT(PORTS "\0\0\0\1\0\0"),
	  DECODE_BAD, NULL, false },
	{ "hop-by-hop options", 6, 0, LIT("\21\0\5\2\0\0\1\0"), 0, FROM_SIZE, 0,
	  LIT(UDP("\13") "abc"), DECODE_OK, "abc", false },
	{ "routing header", 6, 43, LIT("\6\2\2\0\0\0\0\0aaaaaaaabbbbbbbb"), 0, FROM_SIZE, 0,
	  LIT(TCP_PLAIN "abc"), DECODE_OK, "abc", false },
	{ "destination options", 6, 60, LIT("\6\0\1\4\0\0\0\0"), 0, FROM_SIZE, 0,
	  LIT(TCP_PLAIN "abc"), DECODE_OK, "abc", false },
	{ "an authentication header", 6, 51, LIT("\6\4\0\0\0\0\0\1\0\0\0\1abcdefghijkl"), 0,
	  FROM_SIZE, 0, LIT(TCP_PLAIN "abc"), DECODE_OK, "abc", false },
	{ "all of them", 6, 0,
	  LIT("\53\0\1\4\0\0\0\0"
	      "\74\0\0\0\0\0\0\0"
	      "\54\0\1\4\0\0\0\0"
	      "\21\0\0\0\0\0\0\7"),
	  0, FROM_SIZE, 0, LIT(UDP("\13") "abc"), DECODE_OK, "abc", false },
	{ "an atomic fragment is whole (RFC 6946)", 6, 44, LIT("\21\0\0\0\0\0\0\7"), 0, FROM_SIZE,
	  0, LIT(UDP("\13") "abc"), DECODE_OK, "abc", false },
	{ "reserved bits of a fragment header", 6, 44, LIT("\21\377\0\6\0\0\0\7"), 0, FROM_SIZE, 0,
	  LIT(UDP("\13") "abc"), DECODE_OK, "abc", false },
	{ "a first fragment of IPv6", 6, 44, LIT("\21\0\0\1\0\0\0\7"), 0, FROM_SIZE, 0,
	  LIT(UDP("\13") "abc"), DECODE_FRAGMENT, NULL, false },
	{ "a later fragment of IPv6", 6, 44, LIT("\21\0\0\10\0\0\0\7"), 0, FROM_SIZE, 0, LIT("abc"),
	  DECODE_FRAGMENT, NULL, false },
	{ "an extension header beyond the packet", 6, 0, LIT("\21\377\0\0\0\0\0\0"), 0, FROM_SIZE,
	  0, LIT(UDP("\13") "abc"), DECODE_BAD, NULL, false },
	{ "no next header", 6, 59, LIT(""), 0, FROM_SIZE, 0, LIT("abc"), DECODE_OK, "abc", false },
	{ "ICMP", 4, 1, LIT(""), 0, FROM_SIZE, 0, LIT("\10\0\0\0\0\1\0\1"), DECODE_OK, NULL,
	  false },
};

static void put_ip(struct bytes *b, const struct row *r)
{
	static const uint8_t zeroes[16];
	size_t               size = r->options.n + r->rest.n;
	size_t               total = r->total == FROM_SIZE ? size + (r->version == 4 ? 20 : 0)
	                                                   : (size_t)r->total;

	b->n = 0;
	if (r->version == 4) {
		bytes_num(b, 1, 0x45 + r->options.n / 4);
		bytes_num(b, 1, 0);
		bytes_num(b, 2, total);
		bytes_num(b, 2, 0x1234);
		bytes_num(b, 2, r->fragment);
		bytes_num(b, 1, 57);
		bytes_num(b, 1, (uint64_t)r->proto);
		bytes_put(b, "\0\0\12\0\0\7\300\0\2\1", 10);
	} else {
		bytes_put(b, "\140\0\0\0", 4);
		bytes_num(b, 2, total);
		bytes_num(b, 1, (uint64_t)r->proto);
		bytes_num(b, 1, 57);
		bytes_put(b, "\375\0", 2);
		bytes_put(b, zeroes, 13);
		bytes_put(b, "\7\40\1\15\270", 5);
		bytes_put(b, zeroes, 11);
		bytes_put(b, "\1", 1);
	}
	bytes_add(b, r->options);
	bytes_add(b, r->rest);
	bytes_fill(b, 0xee, r->padding);
}

/* Decodes a copy of exactly its size; the payload comes back as offset and length. */
static enum decode_err decode(struct span ip, struct packet *pkt, char payload[64])
{
	uint8_t        *copy = malloc(ip.n);
	enum decode_err e;

	if (ip.n)
		memcpy(copy, ip.p, ip.n);
	e = decode_ip(span_of(copy, ip.n), pkt);
	payload[0] = '\0';
	if (e == DECODE_OK && pkt->payload.n < 64) {
		if (pkt->payload.n)
			memcpy(payload, pkt->payload.p, pkt->payload.n);
		payload[pkt->payload.n] = '\0';
	}
	if (pkt->payload.n)
		assert_true(pkt->payload.p >= copy &&
			    pkt->payload.p + pkt->payload.n <= copy + ip.n);
	free(copy);
	return e;
}

static void check(const struct row *row, const struct packet *pkt, const char *payload)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	addr_text(&pkt->src, src);
	addr_text(&pkt->dst, dst);
	same_text(row->what, src, row->version == 4 ? "10.0.0.7" : "fd00::7");
	same_text(row->what, dst, row->version == 4 ? "192.0.2.1" : "2001:db8::1");
	if (row->payload)
		same_text(row->what, payload, row->payload);
	same_num(row->what, "cut", pkt->cut, row->cut);
	same_num(row->what, "hop limit", pkt->hop_limit, 57);
	if (pkt->proto == IPPROTO_TCP || pkt->proto == IPPROTO_UDP) {
		same_num(row->what, "source port", pkt->sport, 1024);
		same_num(row->what, "destination port", pkt->dport, 443);
	}
	if (pkt->proto == IPPROTO_TCP) {
		same_num(row->what, "seq", pkt->seq, 0x01020304);
		same_num(row->what, "ack", pkt->ack, 0x05060708);
		same_num(row->what, "flags", pkt->tcp_flags, 0x18);
	}
}

static void test_packets(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct packet pkt;
		char          payload[64];

		put_ip(&b, &rows[i]);
		same_num(rows[i].what, "result", decode(bytes_span(&b), &pkt, payload),
			 rows[i].err);
		if (rows[i].err == DECODE_OK)
			check(&rows[i], &pkt, payload);
	}
}

/* Every prefix and every flipped bit of every packet. */
static void test_mangled(void **state)
{
	static struct bytes b;
	struct packet       pkt;
	char                payload[64];

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		put_ip(&b, &rows[i]);
		for (size_t n = 0; n < b.n; n++)
			decode(span_of(b.p, n), &pkt, payload);
		for (size_t bit = 0; bit < b.n * 8; bit++) {
			b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			decode(bytes_span(&b), &pkt, payload);
			b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
	}
}

static void test_no_ip(void **state)
{
	struct packet pkt;
	char          payload[64];

	(void)state;
	assert_int_equal(decode(span_of("", 0), &pkt, payload), DECODE_BAD);
	assert_int_equal(decode(span_str("Phrack"), &pkt, payload), DECODE_BAD);
	assert_int_equal(decode(span_str("\17"), &pkt, payload), DECODE_BAD);
}

/* A SYN takes a sequence number of its own, so that data in it starts behind (RFC 9293 3.4). */
static void test_syn_counts(void **state)
{
	static const struct {
		const char *what;
		struct span rest;
		uint32_t    seq;
	} syns[] = {
		{ "no SYN", LIT(TCP_WITH("\120", "\20") "abc"), 0x01020304 },
		{ "SYN", LIT(TCP_WITH("\120", "\2") "abc"), 0x01020305 },
		{ "SYN and ACK", LIT(TCP_WITH("\120", "\22")), 0x01020305 },
		{ "at the wrap", LIT(PORTS "\377\377\377\377\0\0\0\0\120\2\0\0\0\0\0\0x"), 0 },
	};
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < N_OF(syns); i++) {
		struct row row = {
			.version = 4, .proto = 6, .total = FROM_SIZE, .rest = syns[i].rest
		};
		struct packet pkt;
		char          payload[64];

		put_ip(&b, &row);
		same_num(syns[i].what, "result", decode(bytes_span(&b), &pkt, payload), DECODE_OK);
		same_num(syns[i].what, "seq", pkt.seq, syns[i].seq);
	}
}

/* More extension headers than anyone sends. */
static void test_many_extensions(void **state)
{
	static struct bytes b, chain;
	struct row          row = { .version = 6, .proto = 60, .total = FROM_SIZE,
		                    .rest = LIT(UDP("\13") "abc") };
	struct packet       pkt;
	char                payload[64];

	(void)state;
	for (unsigned n = 1; n < 40; n++) {
		chain.n = 0;
		for (unsigned i = 1; i < n; i++)
			bytes_put(&chain, "\74\0\1\4\0\0\0\0", 8);
		bytes_put(&chain, "\21\0\1\4\0\0\0\0", 8);
		row.options = bytes_span(&chain);
		put_ip(&b, &row);
		assert_int_equal(decode(bytes_span(&b), &pkt, payload),
				 n <= 16 ? DECODE_OK : DECODE_BAD);
	}
}

#define INNER4 "\105\0\0\37\0\1\0\0\100\21\0\0\12\0\0\7\300\0\2\1"
#define INNER6                                                                                     \
	"\140\0\0\0\0\13\21\100\375\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7\40\1\15\270\0\0\0\0\0\0\0\0\0\0" \
	"\0\1"

#define MACS "\2\0\0\0\0\1\74\122\202\0\0\1"

/* The innermost packet is what comes out. */
static void test_tunnels(void **state)
{
	static const struct {
		const char     *what;
		int             version, proto;
		struct span     rest;
		enum decode_err err;
	} tunnels[] = {
		{ "IPv4 in IPv4", 4, 4, LIT(INNER4 UDP("\13") "abc"), DECODE_OK },
		{ "IPv6 in IPv4", 4, 41, LIT(INNER6 UDP("\13") "abc"), DECODE_OK },
		{ "IPv4 in IPv6", 6, 4, LIT(INNER4 UDP("\13") "abc"), DECODE_OK },
		{ "GRE", 4, 47, LIT("\0\0\10\0" INNER4 UDP("\13") "abc"), DECODE_OK },
		{ "GRE with checksum, key and number", 4, 47,
		  LIT("\260\0\206\335aaaabbbbcccc" INNER6 UDP("\13") "abc"), DECODE_OK },
		{ "GRE that carries Ethernet", 4, 47,
		  LIT("\0\0\145\130" MACS "\10\0" INNER4 UDP("\13") "abc"), DECODE_OK },
		{ "GRE that carries ARP", 4, 47, LIT("\0\0\145\130" MACS "\10\6\0\1"), DECODE_NOT_IP },
		{ "GRE with a route", 4, 47, LIT("\100\0\10\0aaaa" INNER4 UDP("\13") "abc"), DECODE_NOT_IP },
		{ "GRE of version 2", 4, 47, LIT("\0\2\10\0" INNER4 UDP("\13") "abc"), DECODE_NOT_IP },
		{ "GRE of PPTP", 4, 47, LIT("\60\1\210\13\0\0\0\1\0\0\0\1\41" INNER4 UDP("\13") "abc"),
		  DECODE_OK },
		{ "an acknowledgement of PPTP", 4, 47, LIT("\40\201\210\13\0\0\0\1\0\0\0\1"), DECODE_NOT_IP },
		{ "half of one", 4, 47, LIT("\40\201\210\13\0\0\0\1\0"), DECODE_BAD },
		{ "ERSPAN", 4, 47,
		  LIT("\20\0\210\276aaaa\20\1\0\1bbbb" MACS "\10\0" INNER4 UDP("\13") "abc"), DECODE_OK },
		{ "ERSPAN III with more of its own", 4, 47,
		  LIT("\20\0\42\353aaaa\40\1\0\1bbbbbbb\1cccccccc" MACS "\10\0" INNER4 UDP("\13") "abc"),
		  DECODE_OK },
		{ "half a GRE header", 4, 47, LIT("\40\0\10\0\0"), DECODE_BAD },
		{ "nothing inside", 4, 4, LIT(""), DECODE_BAD },
		{ "rubbish inside", 4, 4, LIT("Phrack"), DECODE_BAD },
	};
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < N_OF(tunnels); i++) {
		struct row    row = { .what = tunnels[i].what, .version = tunnels[i].version,
			              .proto = tunnels[i].proto, .total = FROM_SIZE,
			              .rest = tunnels[i].rest };
		struct packet pkt;
		char          payload[64];

		put_ip(&b, &row);
		same_num(row.what, "result", decode(bytes_span(&b), &pkt, payload), tunnels[i].err);
		if (tunnels[i].err == DECODE_OK) {
			same_text(row.what, payload, "abc");
			same_num(row.what, "port", pkt.dport, 443);
		}
	}
}

/* A packet of nothing but tunnels inside tunnels. */
static void test_deep_tunnel(void **state)
{
	static struct bytes b;
	struct packet       pkt;
	char                payload[64];

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		bytes_put(&b, "\105\0\0\0\0\1\0\0\100\4\0\0\12\0\0\7\300\0\2\1", 20);
	assert_int_equal(decode(bytes_span(&b), &pkt, payload), DECODE_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),         cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_no_ip),           cmocka_unit_test(test_syn_counts),
		cmocka_unit_test(test_many_extensions), cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_deep_tunnel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Link headers down to the IP packet, and whose address they name. */
#include "decode/packet.h"
#include "unit.h"

#define TO "\2\0\0\0\0\1"
#define FROM "\74\122\202\0\0\1" /* 3c:52:82:00:00:01 */
#define ETHER TO FROM
#define SNAP "\252\252\3\0\0\0"
#define IP4 "\105-v4"
#define IP6 "`-v6"

static const struct row {
	const char     *what;
	enum link_type  link;
	struct span     frame;
	enum decode_err err;
	const char     *ip;
	bool            mac;
} rows[] = {
	{ "raw IPv4", LINK_IP, LIT(IP4), DECODE_OK, IP4, false },
	{ "raw IPv6", LINK_IP, LIT(IP6), DECODE_OK, IP6, false },
	{ "Ethernet, IPv4", LINK_ETHERNET, LIT(ETHER "\10\0" IP4), DECODE_OK, IP4, true },
	{ "Ethernet, IPv6", LINK_ETHERNET, LIT(ETHER "\206\335" IP6), DECODE_OK, IP6, true },
	{ "Ethernet, nothing behind", LINK_ETHERNET, LIT(ETHER "\10\0"), DECODE_OK, "", true },
	{ "ARP", LINK_ETHERNET, LIT(ETHER "\10\6\0\1"), DECODE_NOT_IP, "", true },
	{ "802.3 with a length", LINK_ETHERNET, LIT(ETHER "\0\46\102\102\3\0\0\0"), DECODE_NOT_IP, "",
	  true },
	{ "802.3 with SNAP", LINK_ETHERNET, LIT(ETHER "\0\16" SNAP "\10\0" IP4), DECODE_OK, IP4, true },
	{ "802.3 with half of it", LINK_ETHERNET, LIT(ETHER "\0\16\252\252\3"), DECODE_BAD, "", true },
	{ "802.3 with another organisation's SNAP", LINK_ETHERNET,
	  LIT(ETHER "\0\16\252\252\3\0\0\14\10\0" IP4), DECODE_NOT_IP, "", true },
	{ "a port of a virtual machine", LINK_ETHERNET, LIT(ETHER "\211\46aaaa\10\0" IP4), DECODE_OK, IP4, true },
	{ "802.1BR", LINK_ETHERNET, LIT(ETHER "\211\77aaaaaa\206\335" IP6), DECODE_OK, IP6, true },
	{ "a provider's frame", LINK_ETHERNET, LIT(TO TO "\210\347aaaa" ETHER "\10\0" IP4), DECODE_OK, IP4, true },
	{ "Ethernet under a label", LINK_ETHERNET, LIT(TO TO "\210\107\0\1\1\100\0\0\0\0" ETHER "\10\0" IP4),
	  DECODE_OK, IP4, true },
	{ "802.11 to the network", LINK_WLAN, LIT("\10\1\0\0" TO FROM TO "\0\0" SNAP "\10\0" IP4), DECODE_OK,
	  IP4, true },
	{ "802.11 from the network", LINK_WLAN, LIT("\10\2\0\0" TO TO FROM "\0\0" SNAP "\206\335" IP6),
	  DECODE_OK, IP6, true },
	{ "802.11 inside of it", LINK_WLAN, LIT("\10\3\0\0" TO TO TO "\0\0" FROM SNAP "\10\0" IP4), DECODE_OK,
	  IP4, true },
	{ "802.11 with a priority and HT control", LINK_WLAN,
	  LIT("\210\201\0\0" TO FROM TO "\0\0\0\0aaaa" SNAP "\10\0" IP4), DECODE_OK, IP4, true },
	{ "802.11, several frames in one", LINK_WLAN, LIT("\210\1\0\0" TO FROM TO "\0\0\200\0aaaa"),
	  DECODE_NOT_IP, "", false },
	{ "802.11, encrypted", LINK_WLAN, LIT("\10\101\0\0" TO FROM TO "\0\0aaaa"), DECODE_NOT_IP, "", false },
	{ "802.11, a beacon", LINK_WLAN, LIT("\200\0\0\0" TO FROM FROM "\0\0"), DECODE_NOT_IP, "", false },
	{ "802.11, cut", LINK_WLAN, LIT("\10\1\0\0" TO "\74\122"), DECODE_BAD, "", false },
	{ "radiotap", LINK_RADIOTAP, LIT("\0\0\11\0\2\0\0\0\0\10\1\0\0" TO FROM TO "\0\0" SNAP "\10\0" IP4),
	  DECODE_OK, IP4, true },
	{ "radiotap that is too short for itself", LINK_RADIOTAP, LIT("\0\0\3\0\0\0\0\0"), DECODE_BAD, "", false },
	{ "PPI", LINK_PPI, LIT("\0\0\10\0\151\0\0\0\10\1\0\0" TO FROM TO "\0\0" SNAP "\10\0" IP4), DECODE_OK,
	  IP4, true },
	{ "PPI, another link", LINK_PPI, LIT("\0\0\10\0\1\0\0\0" ETHER "\10\0" IP4), DECODE_NOT_IP, "", false },
	{ "a VLAN", LINK_ETHERNET, LIT(ETHER "\201\0\0\12\10\0" IP4), DECODE_OK, IP4, true },
	{ "QinQ", LINK_ETHERNET, LIT(ETHER "\210\250\0\1\201\0\0\12\206\335" IP6), DECODE_OK, IP6,
	  true },
	{ "QinQ of old", LINK_ETHERNET, LIT(ETHER "\221\0\0\1\201\0\0\12\10\0" IP4), DECODE_OK, IP4,
	  true },
	{ "five tags", LINK_ETHERNET,
	  LIT(ETHER "\201\0\0\1\201\0\0\2\201\0\0\3\201\0\0\4\201\0\0\5\10\0" IP4), DECODE_OK, IP4,
	  true },
	{ "ARP in a VLAN", LINK_ETHERNET, LIT(ETHER "\201\0\0\12\10\6\0\1"), DECODE_NOT_IP, "",
	  true },
	{ "half a tag", LINK_ETHERNET, LIT(ETHER "\201\0\0"), DECODE_BAD, "", true },
	{ "a tag and no type", LINK_ETHERNET, LIT(ETHER "\201\0\0\12"), DECODE_BAD, "", true },
	{ "half an Ethernet header", LINK_ETHERNET, LIT(TO "\74\122"), DECODE_BAD, "", false },
	{ "no type", LINK_ETHERNET, LIT(ETHER "\10"), DECODE_BAD, "", true },
	{ "nothing", LINK_ETHERNET, LIT(""), DECODE_BAD, "", false },
	{ "PPPoE", LINK_ETHERNET, LIT(ETHER "\210\144\21\0\0\1\0\6\0\41" IP4), DECODE_OK, IP4,
	  true },
	{ "PPPoE, IPv6, in a VLAN", LINK_ETHERNET,
	  LIT(ETHER "\201\0\0\7\210\144\21\0\0\1\0\6\0\127" IP6), DECODE_OK, IP6, true },
	{ "PPPoE's control protocol", LINK_ETHERNET, LIT(ETHER "\210\144\21\0\0\1\0\6\300\41\1\1"),
	  DECODE_NOT_IP, "", true },
	{ "cooked, IPv4", LINK_SLL, LIT("\0\0\0\1\0\6" FROM "\0\0\10\0" IP4), DECODE_OK, IP4,
	  true },
	{ "cooked, no address", LINK_SLL, LIT("\0\0\3\4\0\0" FROM "\0\0\206\335" IP6), DECODE_OK,
	  IP6, false },
	{ "cooked and cut", LINK_SLL, LIT("\0\0\0\1\0\6" FROM "\0\0\10"), DECODE_BAD, "", true },
	{ "cooked 2", LINK_SLL2, LIT("\10\0\0\0\0\0\0\2\0\1\0\6" FROM "\0\0" IP4), DECODE_OK, IP4,
	  true },
	{ "cooked 2, IPv6", LINK_SLL2, LIT("\206\335\0\0\0\0\0\2\0\1\0\6" FROM "\0\0" IP6), DECODE_OK, IP6, true },
	{ "cooked 2, no address", LINK_SLL2, LIT("\10\0\0\0\0\0\0\2\3\4\0\0" FROM "\0\0" IP4), DECODE_OK, IP4,
	  false },
	{ "cooked 2, ARP", LINK_SLL2, LIT("\10\6\0\0\0\0\0\2\0\1\0\6" FROM "\0\0\0\1"), DECODE_NOT_IP, "", true },
	{ "cooked 2 and cut", LINK_SLL2, LIT("\10\0\0\0\0\0\0\2\0\1\0\6" FROM "\0"), DECODE_BAD, "", true },
	{ "cooked, in a VLAN", LINK_SLL, LIT("\0\0\0\1\0\6" FROM "\0\0\201\0\0\12\206\335" IP6), DECODE_OK, IP6,
	  true },
	{ "cooked 2, PPPoE", LINK_SLL2, LIT("\210\144\0\0\0\0\0\2\0\1\0\6" FROM "\0\0\21\0\0\1\0\6\0\41" IP4),
	  DECODE_OK, IP4, true },
	{ "loopback of a little-endian host", LINK_LOOPBACK, LIT("\2\0\0\0" IP4), DECODE_OK, IP4,
	  false },
	{ "loopback in network order, IPv6", LINK_LOOPBACK, LIT("\0\0\0\30" IP6), DECODE_OK, IP6,
	  false },
	{ "loopback in network order, IPv4", LINK_LOOPBACK, LIT("\0\0\0\2" IP4), DECODE_OK, IP4, false },
	{ "loopback of Linux, IPv6", LINK_LOOPBACK, LIT("\12\0\0\0" IP6), DECODE_OK, IP6, false },
	{ "loopback of NetBSD and OpenBSD, IPv6", LINK_LOOPBACK, LIT("\30\0\0\0" IP6), DECODE_OK, IP6, false },
	{ "loopback of FreeBSD, IPv6", LINK_LOOPBACK, LIT("\34\0\0\0" IP6), DECODE_OK, IP6, false },
	{ "loopback of macOS, IPv6", LINK_LOOPBACK, LIT("\36\0\0\0" IP6), DECODE_OK, IP6, false },
	{ "half a loopback header", LINK_LOOPBACK, LIT("\2\0\0"), DECODE_BAD, "", false },
	{ "loopback, some other family", LINK_LOOPBACK, LIT("\0\0\0\7" IP6), DECODE_NOT_IP, "",
	  false },
	{ "PPP", LINK_PPP, LIT("\377\3\0\41" IP4), DECODE_OK, IP4, false },
	{ "PPP, compressed", LINK_PPP, LIT("\41" IP4), DECODE_OK, IP4, false },
	{ "PPP, IPv6", LINK_PPP, LIT("\0\127" IP6), DECODE_OK, IP6, false },
	{ "PPP, only the protocol compressed", LINK_PPP, LIT("\377\3\127" IP6), DECODE_OK, IP6, false },
	{ "PPP, only the address compressed", LINK_PPP, LIT("\0\41" IP4), DECODE_OK, IP4, false },
	{ "PPP and cut", LINK_PPP, LIT("\377\3\0"), DECODE_BAD, "", false },
	{ "PPPoE without Ethernet", LINK_PPPOE, LIT("\21\0\0\1\0\6\0\41" IP4), DECODE_OK, IP4, false },
	{ "PPPoE without Ethernet, IPv6", LINK_PPPOE, LIT("\21\0\0\1\0\6\0\127" IP6), DECODE_OK, IP6, false },
	{ "PPPoE, compressed", LINK_PPPOE, LIT("\21\0\0\1\0\5\41" IP4), DECODE_OK, IP4, false },
	{ "PPPoE, no session", LINK_PPPOE, LIT("\21\11\0\0\0\4\1\1\0\0"), DECODE_NOT_IP, "", false },
	{ "PPPoE and cut", LINK_PPPOE, LIT("\21\0\0\1\0"), DECODE_BAD, "", false },
	{ "PPP behind a direction", LINK_PPP_DIR, LIT("\1\377\3\0\41" IP4), DECODE_OK, IP4, false },
	{ "Cisco HDLC", LINK_HDLC, LIT("\17\0\10\0" IP4), DECODE_OK, IP4, false },
	{ "Cisco HDLC, IPv6", LINK_HDLC, LIT("\217\0\206\335" IP6), DECODE_OK, IP6, false },
	{ "Cisco HDLC, keep-alive", LINK_HDLC, LIT("\217\0\200\65\0"), DECODE_NOT_IP, "", false },
	{ "Cisco HDLC and cut", LINK_HDLC, LIT("\17\0\10"), DECODE_BAD, "", false },
	{ "Cisco HDLC on a line that says PPP", LINK_PPP, LIT("\17\0\10\0" IP4), DECODE_OK, IP4, false },
	{ "an MPLS label", LINK_ETHERNET, LIT(ETHER "\210\107\0\1\1\100" IP4), DECODE_OK, IP4, true },
	{ "three MPLS labels behind a VLAN tag, IPv6", LINK_ETHERNET,
	  LIT(ETHER "\201\0\0\7\210\107\0\1\0\100\0\2\0\100\0\3\1\100" IP6), DECODE_OK, IP6, true },
	{ "MPLS, to many", LINK_ETHERNET, LIT(ETHER "\210\110\0\1\1\100" IP4), DECODE_OK, IP4, true },
	{ "MPLS that carries half a frame", LINK_ETHERNET, LIT(ETHER "\210\107\0\1\1\100\0\0\0\0"),
	  DECODE_BAD, "", true },
	{ "MPLS without a last label", LINK_ETHERNET, LIT(ETHER "\210\107\0\1\0\100"), DECODE_BAD, "", true },
	{ "MPLS with nothing behind", LINK_ETHERNET, LIT(ETHER "\210\107\0\1\1\100"), DECODE_BAD, "", true },
	{ "PPP's control protocol", LINK_PPP, LIT("\377\3\300\41\1"), DECODE_NOT_IP, "", false },
	{ "NFLOG", LINK_NFLOG,
	  LIT("\2\0\0\0"
	      "\5\0\12\0a\0\0\0"
	      "\10\0\11\0" IP4),
	  DECODE_OK, IP4, false },
	{ "NFLOG, IPv6, something behind", LINK_NFLOG,
	  LIT("\12\0\0\0" "\5\0\12\0a\0\0\0" "\10\0\11\0" IP6 "\10\0\3\0\0\0\0\1"), DECODE_OK, IP6, false },
	{ "NFLOG of something else", LINK_NFLOG, LIT("\21\0\0\0" "\10\0\11\0" IP4), DECODE_NOT_IP, "", false },
	{ "NFLOG with a packet that is cut", LINK_NFLOG, LIT("\2\0\0\0" "\40\0\11\0" IP4), DECODE_BAD, "", false },
	{ "NFLOG with half an attribute", LINK_NFLOG, LIT("\2\0\0\0" "\5\0\12"), DECODE_BAD, "", false },
	{ "NFLOG with an attribute of no length", LINK_NFLOG,
	  LIT("\2\0\0\0"
	      "\0\0\1\0"),
	  DECODE_NOT_IP, "", false },
	{ "NFLOG without a packet", LINK_NFLOG,
	  LIT("\2\0\0\0"
	      "\5\0\12\0a\0\0\0"),
	  DECODE_NOT_IP, "", false },
};

static enum decode_err decode(enum link_type link, struct span frame, char ip[64], uint8_t mac[6],
                              bool *has_mac)
{
	uint8_t        *copy = malloc(frame.n);
	struct span     got = { 0 };
	enum decode_err e;

	if (frame.n)
		memcpy(copy, frame.p, frame.n);
	*has_mac = false;
	mac[0] = 9;
	e = decode_link(link, span_of(copy, frame.n), &got, mac, has_mac);
	ip[0] = '\0';
	if (e == DECODE_OK) {
		assert_true(got.n < 64);
		if (got.n)
			memcpy(ip, got.p, got.n);
		ip[got.n] = '\0';
	}
	if (!*has_mac)
		assert_int_equal(mac[0], 9);
	free(copy);
	return e;
}

static void test_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		char    ip[64];
		uint8_t mac[6];
		bool    has_mac;

		same_num(rows[i].what, "result", decode(rows[i].link, rows[i].frame, ip, mac, &has_mac),
			 rows[i].err);
		same_text(rows[i].what, ip, rows[i].ip);
		if (rows[i].err == DECODE_OK)
			same_num(rows[i].what, "has a MAC address", has_mac, rows[i].mac);
		if (rows[i].err == DECODE_OK && has_mac)
			same_num(rows[i].what, "sender", memcmp(mac, FROM, 6), 0);
	}
}

static void test_mangled(void **state)
{
	char    ip[64];
	uint8_t mac[6];
	bool    has_mac;

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		uint8_t     copy[64];
		struct span f = rows[i].frame;

		for (size_t n = 0; n < f.n; n++)
			decode(rows[i].link, span_of(f.p, n), ip, mac, &has_mac);
		assert_true(f.n <= sizeof(copy));
		memcpy(copy, f.p, f.n);
		for (size_t bit = 0; bit < f.n * 8; bit++) {
			copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
			decode(rows[i].link, span_of(copy, f.n), ip, mac, &has_mac);
			copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
	}
}

/* A frame of nothing but tags ends where the frame ends. */
static void test_only_tags(void **state)
{
	static uint8_t frame[12 + 4 * 16000];
	struct span    ip;
	uint8_t        mac[6];
	bool           has_mac;

	(void)state;
	for (size_t i = 12; i + 4 <= sizeof(frame); i += 4)
		memcpy(frame + i, "\201\0\0\1", 4);
	assert_int_equal(
		decode_link(LINK_ETHERNET, span_of(frame, sizeof(frame)), &ip, mac, &has_mac),
		DECODE_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_frames),
					    cmocka_unit_test(test_mangled),
					    cmocka_unit_test(test_only_tags) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

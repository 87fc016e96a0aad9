/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record says of a hello. The expected fingerprints are those of the definition's own
 * examples, or were computed from it apart from this code. */
#include "hello.h"
#include "mangle.h"

static struct bytes hs, msg;

/* The hello of a browser: the worked example of JA4's definition, with GREASE added. */
static void browser(const char *sni, const char *alpn, bool grease)
{
	static const uint16_t ciphers[] = { 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9,
		                            0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035 };
	static const uint16_t empty[] = { 0x001b, 0x0033, 0x4469, 0x0017, 0x002d, 0x0005,
		                          0x0023, 0x0012, 0xff01, 0x000b, 0x000a, 0x0015 };
	struct hello          h = { .sni = sni };
	size_t                body, list;

	hs.n = 0;
	bytes_num(&hs, 1, 1);
	body = bytes_open(&hs, 3);
	bytes_num(&hs, 2, 0x0303);
	bytes_fill(&hs, 0xa5, 32);
	bytes_num(&hs, 1, 0);
	list = bytes_open(&hs, 2);
	if (grease)
		bytes_num(&hs, 2, 0x2a2a);
	for (size_t i = 0; i < N_OF(ciphers); i++)
		bytes_num(&hs, 2, ciphers[i]);
	bytes_close(&hs, list, 2);
	bytes_put(&hs, "\1\0", 2);
	list = bytes_open(&hs, 2);
	if (grease)
		hello_ext(&hs, 0xdada, span_of("", 0));
	hello_sni(&hs, &h);
	for (size_t i = 0; i < N_OF(empty); i++)
		hello_ext(&hs, empty[i], span_of("", 0));
	hello_ext(&hs, 43, span_of("\6\72\72\3\4\3\3", 7));
	hello_ext(&hs, 13, span_of("\0\20\4\3\10\4\4\1\5\3\10\5\5\1\10\6\6\1", 18));
	if (alpn) {
		bytes_num(&hs, 2, 16);
		bytes_num(&hs, 2, strlen(alpn) + 3);
		bytes_num(&hs, 2, strlen(alpn) + 1);
		bytes_block(&hs, 1, span_str(alpn));
	}
	bytes_close(&hs, list, 2);
	bytes_close(&hs, body, 3);
}

static struct tls_detail describe(bool quic)
{
	enum wire_err     err = WIRE_OK;
	struct names      names = { 0 };
	struct tls_detail d;
	struct wire       w;

	msg.n = 0;
	hello_records(&msg, bytes_span(&hs), 0, 0);
	w = wire_of(quic ? bytes_span(&hs) : bytes_span(&msg), &err, true);
	assert_int_equal((quic ? quic_tls_names : tls_names)(&w, &names), WIRE_OK);
	names.tls.quic = quic;
	tls_describe(&names, &d);
	return d;
}

static void test_fingerprints(void **state)
{
	static const struct {
		const char *what, *sni, *alpn;
		bool        grease, quic;
		const char *ja4;
	} rows[] = {
		{ "the definition's example", "a.example", "h2", false, false,
		  "t13d1516h2_8daaf6152771_e5627efa2ab1" },
		{ "with GREASE", "a.example", "h2", true, false, "t13d1516h2_8daaf6152771_e5627efa2ab1" },
		{ "over QUIC", "a.example", "h3", false, true, "q13d1516h3_8daaf6152771_e5627efa2ab1" },
		{ "without a name", NULL, "h2", false, false, "t13i1515h2_8daaf6152771_e5627efa2ab1" },
		{ "without ALPN", "a.example", NULL, false, false,
		  "t13d151500_8daaf6152771_e5627efa2ab1" },
		{ "http/1.1", "a.example", "http/1.1", false, false,
		  "t13d1516h1_8daaf6152771_e5627efa2ab1" },
		{ "one letter", "a.example", "x", false, false, "t13d1516xx_8daaf6152771_e5627efa2ab1" },
		{ "no text: hexadecimal", "a.example", "\x30\x31\xab\xcd", false, false,
		  "t13d15163d_8daaf6152771_e5627efa2ab1" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct tls_detail d;

		browser(rows[i].sni, rows[i].alpn, rows[i].grease);
		d = describe(rows[i].quic);
		same_text(rows[i].what, d.ja4, rows[i].ja4);
		same_num(rows[i].what, "version", d.version, 0x0304);
		same_num(rows[i].what, "ECH", d.ech, ECH_NONE);
		same_num(rows[i].what, "ALPN", d.alpn_len, rows[i].alpn ? (long)strlen(rows[i].alpn) + 1 : 0);
	}
}

static void test_small(void **state)
{
	struct hello      h = { .version = 0x0301, .flags = HELLO_NO_EXTS };
	struct tls_detail d;

	(void)state;
	hs.n = 0;
	hello_build(&hs, &h); /* 1301, c02f */
	d = describe(false);
	same_text("no extensions", d.ja4, "t10i020000_c1929292aa6b_000000000000");
	h = (struct hello){ .sni = "a.example", .version = 0x0303, .flags = HELLO_SNI_LAST, .pad = 100 };
	hs.n = 0;
	hello_build(&hs, &h);
	d = describe(false);
	same_text("no signature algorithms", d.ja4, "t12d020400_c1929292aa6b_5e2a676de6e2");
}

static void test_ech(void **state)
{
	static const struct {
		const char   *sni;
		unsigned      flags;
		enum tls_ech  ech;
	} rows[] = {
		{ "www.example.com", HELLO_13, ECH_NONE },
		{ "cloudflare-ech.com", HELLO_13, ECH_NONE },
		{ "www.example.com", HELLO_13 | HELLO_ECH, ECH_GREASE_OR_REAL },
		{ NULL, HELLO_13 | HELLO_ECH, ECH_GREASE_OR_REAL },
		{ "Cloudflare-ECH.com", HELLO_13 | HELLO_ECH, ECH_LIKELY },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct hello h = { .sni = rows[i].sni, .flags = rows[i].flags };

		hs.n = 0;
		hello_build(&hs, &h);
		same_num(rows[i].sni ? rows[i].sni : "none", "ECH", describe(false).ech, rows[i].ech);
	}
}

/* More than fits, and half a hello: what can be said is said, whole or not at all. */
static void test_bounds(void **state)
{
	struct tls_detail d;
	struct names      names = { .n = 0 };
	static struct bytes list;
	struct hello      h = { .sni = "a.example" };

	(void)state;
	tls_describe(&names, &d);
	same_text("no hello", d.ja4, "");

	list.n = 0;
	bytes_num(&list, 2, 16);
	size_t ext = bytes_open(&list, 2), ids = bytes_open(&list, 2);
	for (unsigned i = 0; i < 5; i++) {
		bytes_num(&list, 1, 20);
		bytes_fill(&list, (uint8_t)('a' + i), 20);
	}
	bytes_close(&list, ids, 2);
	bytes_close(&list, ext, 2);
	for (unsigned i = 0; i < 120; i++)
		hello_ext(&list, (uint16_t)(1000 + i), span_of("", 0));
	h.extra = bytes_span(&list);
	hs.n = 0;
	hello_build(&hs, &h);
	d = describe(false);
	assert_int_equal(d.alpn_len, 63);
	assert_int_equal(strncmp(d.ja4, "t12d0299aa_", 11), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_ech),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate that every name passes, sets of names, and which protocol the first bytes are. */
#include "canonical.h"
#include "unit.h"

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A250 A50 A50 A50 A50 A50

static void test_canonical(void **state)
{
	static const struct {
		const char *what;
		struct span text;
		const char *expected; /* "": no name */
	} rows[] = {
		{ "as it is", LIT("a-b_c.1x.example"), "a-b_c.1x.example" },
		{ "upper case", LIT("UPD.Kaspersky.COM"), "upd.kaspersky.com" },
		{ "a trailing dot", LIT("kaspersky.com."), "kaspersky.com" },
		{ "two trailing dots", LIT("kaspersky.com.."), "kaspersky.com." },
		{ "a leading dot", LIT(".kaspersky.com"), ".kaspersky.com" },
		{ "an empty label", LIT("a..b"), "a..b" },
		{ "nothing", LIT(""), "" },
		{ "a dot alone", LIT("."), "" },
		{ "NUL", LIT("a\0b.c"), "a\\000b.c" },
		{ "newline and blank", LIT("a\n b"), "a\\010\\032b" },
		{ "a backslash", LIT("a\\b"), "a\\092b" },
		{ "quotes, as logs fear them", LIT("\"}{"), "\\034\\125\\123" },
		{ "high bytes are not folded", LIT("\303\204.c"), "\\195\\132.c" },
		{ "A-labels", LIT("XN--E1AFMKFD.example"), "xn--e1afmkfd.example" },
		{ "an address", LIT("192.0.2.1"), "192.0.2.1" },
		{ "an IPv6 address", LIT("2001:DB8::1"), "2001:db8::1" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct name n = { .len = 7, .text = "rubbish", .seen_in = SEEN_TLS_SNI };

		same_num(rows[i].what, "is a name", name_canonical(&n, rows[i].text),
		         rows[i].expected[0] != '\0');
		same_text(rows[i].what, n.text, rows[i].expected);
		same_num(rows[i].what, "length", n.len, (long long)strlen(rows[i].expected));
		same_num(rows[i].what, "seen in", n.seen_in, SEEN_TLS_SNI);
	}
}

/* Rules match from the right: what is too long loses its left-hand end. */
static void test_too_long(void **state)
{
	static const struct {
		const char *what;
		const char *text, *end;
		size_t      len;
	} rows[] = {
		{ "255 characters stay", "B1234" A250, "b1234aaaaa", 255 },
		{ "of 256 the first goes", "XB1234" A250, "b1234aaaaa", 255 },
		{ "a label in front goes", A250 ".www.kaspersky.com", "aaaaaaaaaa", 255 },
		{ "escapes count as they are written", A250 "\n\n\n", "aaaaaaaaaa", 255 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct name n = { 0 };

		assert_true(name_canonical(&n, span_str(rows[i].text)));
		same_num(rows[i].what, "length", n.len, (long long)rows[i].len);
		if (strncmp(n.text, rows[i].end, strlen(rows[i].end)) != 0)
			fail_msg("%s: begins %.12s", rows[i].what, n.text);
		if (canonical_wrong(&n))
			fail_msg("%s: %s", rows[i].what, canonical_wrong(&n));
	}
}

static void test_long_end_stays(void **state)
{
	struct name n = { 0 };

	(void)state;
	assert_true(name_canonical(&n, span_str(A250 A250 ".www.kaspersky.com")));
	assert_string_equal(n.text + n.len - 18, ".www.kaspersky.com");
}

/* Names of every byte, as text and as a label: only '.' in text is a boundary. */
static void test_every_byte(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const uint8_t text[] = { 'a', (uint8_t)c, 'b' };
		struct name   as_text = { 0 }, as_label = { 0 };

		assert_true(name_canonical(&as_text, span_of(text, 3)));
		assert_true(name_push_label(&as_label, span_of(text, 3)));
		assert_null(canonical_wrong(&as_text));
		assert_null(canonical_wrong(&as_label));
		assert_null(strchr(as_label.text, '.'));
		if (c == '.')
			assert_string_equal(as_label.text, "a\\046b");
		else
			assert_string_equal(as_text.text, as_label.text);
	}
}

static void test_push_label(void **state)
{
	struct name n = { 0 };

	(void)state;
	assert_true(name_push_label(&n, span_str("WWW")));
	assert_true(name_push_label(&n, span_str("kaspersky.com")));
	assert_true(name_push_label(&n, span_str("Com")));
	assert_string_equal(n.text, "www.kaspersky\\046com.com");
	assert_int_equal(n.len, strlen(n.text));
	assert_false(name_push_label(&n, span_of("", 0)));
}

static void test_set(void **state)
{
	struct names set = { 0 };
	struct name  n = { .seen_in = SEEN_DNS_QUERY };

	(void)state;
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char text[] = { (char)('a' + i), '\0' };

		assert_true(name_canonical(&n, span_str(text)));
		assert_true(names_add(&set, &n));
		assert_true(names_add(&set, &n)); /* known already */
		assert_int_equal(set.n, i + 1);
	}
	assert_true(name_canonical(&n, span_str("A")));
	assert_true(names_add(&set, &n));
	n.seen_in = SEEN_HTTP_HOST; /* the same text, but somewhere else */
	assert_false(names_add(&set, &n));
	assert_int_equal(set.n, NAMES_MAX);
}

static void test_find(void **state)
{
	static const struct {
		const char   *what;
		enum transport transport;
		uint16_t      port;
		struct span   first;
		enum wire_err result;
		enum wire_err (*names)(struct wire *w, struct names *out);
	} rows[] = {
		{ "a DNS datagram", TRANSPORT_DATAGRAM, 53, LIT("\0\1\1\0\0\1\0\0\0\0\0\0"), WIRE_OK, dns_names },
		{ "too short for DNS", TRANSPORT_DATAGRAM, 53, LIT("\0\1\1\0\0\1\0\0\0\0\0"), WIRE_NONE, NULL },
		{ "a datagram elsewhere", TRANSPORT_DATAGRAM, 5353, LIT("\0\1\1\0\0\1\0\0\0\0\0\0"), WIRE_NONE,
		  NULL },
		{ "DNS over TCP", TRANSPORT_STREAM, 53, LIT("\0\40\0\1\1\0\0\1"), WIRE_OK, dns_tcp_names },
		{ "DNS over TCP, one byte", TRANSPORT_STREAM, 53, LIT("\0"), WIRE_MORE, NULL },
		{ "the same elsewhere", TRANSPORT_STREAM, 54, LIT("\0\40\0\1\1\0\0\1"), WIRE_MORE, NULL },
		{ "an answer elsewhere", TRANSPORT_STREAM, 54, LIT("\0\40\0\1\201\0\0\1"), WIRE_NONE, NULL },
		{ "TLS", TRANSPORT_STREAM, 443, LIT("\26\3\1\1\0\1"), WIRE_OK, tls_names },
		{ "TLS towards a resolver's port", TRANSPORT_STREAM, 53, LIT("\26\3\1\1\0\1"), WIRE_OK,
		  tls_names },
		{ "the first byte of TLS", TRANSPORT_STREAM, 25, LIT("\26"), WIRE_MORE, NULL },
		{ "HTTP", TRANSPORT_STREAM, 8080, LIT("GET / HTTP/1.1\r\n"), WIRE_OK, http_names },
		{ "the first letter of a method", TRANSPORT_STREAM, 80, LIT("G"), WIRE_MORE, NULL },
		{ "nothing yet", TRANSPORT_STREAM, 80, LIT(""), WIRE_MORE, NULL },
		{ "a zero byte may begin a length", TRANSPORT_STREAM, 80, LIT("\0"), WIRE_MORE, NULL },
		{ "SSH", TRANSPORT_STREAM, 22, LIT("SSH-2.0-OpenSSH_9.2\r\n"), WIRE_NONE, NULL },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		const struct name_proto *row = NULL;

		same_num(rows[i].what, "result",
			 name_proto_find(rows[i].transport, 0, rows[i].port, rows[i].first,
					 rows[i].transport == TRANSPORT_STREAM, &row),
			 rows[i].result);
		if (rows[i].names && row->names != rows[i].names)
			fail_msg("%s: another protocol", rows[i].what);
	}
}

static void test_words(void **state)
{
	char buf[12];

	(void)state;
	assert_string_equal(seen_in_text(SEEN_DNS_QUERY), "dns.query");
	assert_string_equal(seen_in_text(SEEN_TLS_SNI), "tls.sni");
	assert_string_equal(seen_in_text(SEEN_QUIC_SNI), "quic.sni");
	assert_string_equal(seen_in_text(SEEN_HTTP_HOST), "http.host");
	assert_string_equal(seen_in_text(SEEN_HTTP_CONNECT), "http.connect");
	assert_string_equal(seen_in_text(SEEN_ADDRESS), "address");
	assert_string_equal(app_text(APP_DNS), "dns");
	assert_string_equal(app_text(APP_TLS), "tls");
	assert_string_equal(app_text(APP_HTTP), "http");
	assert_string_equal(app_text(APP_QUIC), "quic");
	assert_string_equal(tls_version_text(0x0304), "TLS 1.3");
	assert_string_equal(tls_version_text(0x0300), "SSL 3.0");
	assert_string_equal(tls_version_text(0x0299), "unknown");
	assert_non_null(quic_version_text(1, buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical),  cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_long_end_stays), cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_push_label), cmocka_unit_test(test_set),
		cmocka_unit_test(test_find),       cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

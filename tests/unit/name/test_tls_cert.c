/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in the certificates of TLS servers, however their handshake is cut into records. */
#include "cert.h"
#include "mangle.h"

static struct bytes der, flight, msg;

static const struct row {
	const char *what, *cn, *names;
	uint16_t    version;
	const char *expected;
} rows[] = {
	{ "a common name", "www.example.com", "", 0x0303, "www.example.com" },
	{ "SSL 3.0", "www.example.com", "", 0x0300, "www.example.com" },
	{ "an alternative name", NULL, "www.example.com", 0x0301, "www.example.com" },
	{ "both, the same", "www.example.com", "www.example.com", 0x0302, "www.example.com" },
	{ "both, and a wildcard", "example.com", "*.example.com example.com", 0x0303,
	  "example.com *.example.com" },
	{ "upper case", "WWW.Example.COM", "", 0x0303, "www.example.com" },
	{ "a common name that is none of a host", "Example Ltd", "", 0x0303, "example\\032ltd" },
	{ "nobody", NULL, "", 0x0303, "" },
	{ "twelve names, of which eight fit", "a.test", "b.test c.test d.test e.test f.test g.test "
	  "h.test i.test j.test k.test l.test", 0x0303,
	  "a.test b.test c.test d.test e.test f.test g.test h.test" },
};

static void build(const struct row *row)
{
	der.n = flight.n = msg.n = 0;
	cert_der(&der, row->cn, row->names);
	cert_flight(&flight, row->version, bytes_span(&der));
}

static void expect(const char *what, const struct row *row)
{
	struct names got;

	same_num(row->what, what, mangle_parse(tls_cert_names, bytes_span(&msg), true, &got), WIRE_OK);
	same_text(row->what, names_text(&got), row->expected);
	same_num(row->what, "version", got.tls.version, row->version);
	same_num(row->what, "protocol", got.app, APP_TLS);
	for (unsigned i = 0; i < got.n; i++)
		same_num(row->what, "seen in", got.v[i].seen_in, SEEN_TLS_CERT);
}

static void test_certificates(void **state)
{
	static const size_t sizes[] = { 0, 1, 3, 50, 1000 };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		build(&rows[i]);
		for (size_t k = 0; k < N_OF(sizes); k++) {
			msg.n = 0;
			hello_records(&msg, bytes_span(&flight), sizes[k], sizes[k]);
			expect("records of some size", &rows[i]);
		}
		msg.n = 0;
		hello_record(&msg, 21, span_of("\1\160", 2)); /* unrecognized_name, a warning */
		hello_records(&msg, bytes_span(&flight), 40, 0);
		expect("a warning first", &rows[i]);
	}
}

/* The certificate is enough: its chain, and what follows, need not have come. */
static void test_chain(void **state)
{
	struct names  got;
	enum wire_err r;

	(void)state;
	build(&rows[0]);
	flight.n = 0;
	cert_server_hello(&flight, 0x0303, span_of("\0\27\0\0", 4));
	cert_message(&flight, bytes_span(&der), 30000);
	hello_records(&msg, bytes_span(&flight), 4000, 4000);
	for (size_t n = 5; n < msg.n; n += 500) {
		r = mangle_parse(tls_cert_names, span_of(msg.p, n), true, &got);
		if (r != (n < 90 + der.n ? WIRE_MORE : WIRE_OK) || got.n != (r == WIRE_OK))
			fail_msg("%zu bytes: result %d, %u names", n, r, got.n);
	}
	assert_int_equal(mangle_parse(tls_cert_names, bytes_span(&msg), true, &got), WIRE_OK);
}

/* Servers that show no certificate, or no TLS. */
static void test_none(void **state)
{
	static const struct {
		const char   *what;
		struct span   hs, behind; /* handshake; a record of ChangeCipherSpec and this */
		enum wire_err open;
	} others[] = {
		{ "a hello request", LIT("\0\0\0\0"), { 0 }, WIRE_NONE },
		{ "a certificate without a hello", LIT("\13\0\0\3\0\0\0"), { 0 }, WIRE_NONE },
		{ "a list without certificates", LIT("\2\0\0\46\3\3bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\0\0\57\0"
		                                      "\13\0\0\3\0\0\0"), { 0 }, WIRE_BAD },
		{ "a certificate that is none", LIT("\2\0\0\46\3\3bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\0\0\57\0"
		                                     "\13\0\0\7\0\0\4\0\0\1x"), { 0 }, WIRE_BAD },
		{ "a hello alone", LIT("\2\0\0\46\3\3bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\0\0\57\0"), { 0 },
		  WIRE_MORE },
		{ "a session that is resumed", LIT("\2\0\0\46\3\3bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\0\0\57\0"),
		  LIT("\24\3\3\0\1\1\26\3\3\0\4abcd"), WIRE_NONE },
		{ "TLS 1.3", LIT("\2\0\0\56\3\3bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\0\23\1\0\0\6\0\53\0\2\3\4"),
		  LIT("\24\3\3\0\1\1\27\3\3\0\4abcd"), WIRE_NONE },
	};
	static const char *const strangers[] = { "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\n", "220 mail\r\n" };
	struct names             got;

	(void)state;
	for (size_t i = 0; i < N_OF(others); i++) {
		msg.n = 0;
		hello_records(&msg, others[i].hs, 0, 0);
		bytes_add(&msg, others[i].behind);
		same_num(others[i].what, "result",
		         mangle_parse(tls_cert_names, bytes_span(&msg), true, &got), others[i].open);
		same_num(others[i].what, "names", got.n, 0);
	}
	for (size_t i = 0; i < N_OF(strangers); i++)
		same_num(strangers[i], "result",
		         mangle_parse(tls_cert_names, span_str(strangers[i]), true, &got), WIRE_NONE);
	assert_int_equal(mangle_parse(tls_cert_names, span_of("", 0), true, &got), WIRE_MORE);
}

/* More than is looked at. */
static void test_too_big(void **state)
{
	static struct bytes filler;
	struct names        got;

	(void)state;
	bytes_fill(&filler, 0x30, 17000);
	flight.n = msg.n = 0;
	cert_server_hello(&flight, 0x0303, span_of("", 0));
	cert_message(&flight, bytes_span(&filler), 0);
	hello_records(&msg, bytes_span(&flight), 4000, 4000);
	assert_int_equal(mangle_parse(tls_cert_names, bytes_span(&msg), true, &got), WIRE_BAD);
}

static void test_mangled(void **state)
{
	(void)state;
	build(&rows[4]);
	hello_records(&msg, bytes_span(&flight), 0, 0);
	mangle("a certificate", tls_cert_names, bytes_span(&msg));
	msg.n = 0;
	hello_records(&msg, bytes_span(&flight), 2, 60);
	mangle("a certificate in small records", tls_cert_names, bytes_span(&msg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates), cmocka_unit_test(test_chain),
		cmocka_unit_test(test_none),         cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

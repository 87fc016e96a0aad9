/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Server names in ClientHellos of every shape, whole and in many records. */
#include "hello.h"
#include "mangle.h"

static struct bytes hs, msg; /* a handshake message, and records */

#define ENTRY(kind, len, name) kind "\0" len name

static const struct row {
	const char   *what;
	struct hello  h;
	enum wire_err result;
	const char   *names;
	uint16_t      version;
} rows[] = {
	{ "TLS 1.2", { .sni = "www.example.com" }, WIRE_OK, "www.example.com", 0x0303 },
	{ "TLS 1.3",
	  { .sni = "www.example.com", .flags = HELLO_13 },
	  WIRE_OK,
	  "www.example.com",
	  0x0304 },
	{ "TLS 1.0",
	  { .sni = "www.example.com", .version = 0x0301 },
	  WIRE_OK,
	  "www.example.com",
	  0x0301 },
	{ "SSL 3.0",
	  { .sni = "www.example.com", .version = 0x0300 },
	  WIRE_OK,
	  "www.example.com",
	  0x0300 },
	{ "the name last",
	  { .sni = "www.example.com", .flags = HELLO_SNI_LAST | HELLO_13 },
	  WIRE_OK,
	  "www.example.com",
	  0x0304 },
	{ "GREASE",
	  { .sni = "a.example", .flags = HELLO_GREASE | HELLO_13 },
	  WIRE_OK,
	  "a.example",
	  0x0304 },
	{ "post-quantum",
	  { .sni = "a.example", .flags = HELLO_13 | HELLO_PQ | HELLO_SESSION },
	  WIRE_OK,
	  "a.example",
	  0x0304 },
	{ "post-quantum, the name last",
	  { .sni = "a.example", .flags = HELLO_PQ | HELLO_SNI_LAST, .pad = 300 },
	  WIRE_OK,
	  "a.example",
	  0x0303 },
	{ "encrypted ClientHello: the outer name",
	  { .sni = "public.example", .flags = HELLO_ECH },
	  WIRE_OK,
	  "public.example",
	  0x0303 },
	{ "encrypted SNI alone", { .flags = HELLO_ESNI }, WIRE_OK, "", 0x0303 },
	{ "no name", { .flags = HELLO_13 }, WIRE_OK, "", 0x0304 },
	{ "no extensions at all", { .flags = HELLO_NO_EXTS }, WIRE_OK, "", 0x0303 },
	{ "no extensions, but their length", { .flags = HELLO_EMPTY_EXTS }, WIRE_OK, "", 0x0303 },
	{ "upper case, trailing dot",
	  { .sni = "WWW.Example.COM." },
	  WIRE_OK,
	  "www.example.com",
	  0x0303 },
	{ "an address", { .sni = "192.0.2.7" }, WIRE_OK, "192.0.2.7", 0x0303 },
	{ "odd bytes",
	  { .names = LIT("\0\6" ENTRY("\0", "\3", "a\0\n")) },
	  WIRE_OK,
	  "a\\000\\010",
	  0x0303 },
	{ "an empty list", { .names = LIT("\0\0") }, WIRE_OK, "", 0x0303 },
	{ "an empty name", { .names = LIT("\0\3\0\0\0") }, WIRE_OK, "", 0x0303 },
	{ "an entry of another kind first",
	  { .names = LIT("\0\17" ENTRY("\1", "\3", "xyz") ENTRY("\0", "\6", "a.test")) },
	  WIRE_OK,
	  "a.test",
	  0x0303 },
	{ "two names",
	  { .names = LIT("\0\22" ENTRY("\0", "\6", "a.test") ENTRY("\0", "\6", "b.test")) },
	  WIRE_OK,
	  "a.test b.test",
	  0x0303 },
	{ "one name twice",
	  { .names = LIT("\0\22" ENTRY("\0", "\6", "a.test") ENTRY("\0", "\6", "A.test")) },
	  WIRE_OK,
	  "a.test",
	  0x0303 },
	{ "two server_name extensions",
	  { .sni = "a.test", .extra = LIT("\0\0\0\13\0\11" ENTRY("\0", "\6", "b.test")) },
	  WIRE_OK,
	  "a.test b.test",
	  0x0303 },
	{ "an extension that is not there at all", { .names = LIT("") }, WIRE_BAD, "", 0x0303 },
	{ "a list longer than its extension",
	  { .names = LIT("\0\20" ENTRY("\0", "\6", "a.test")) },
	  WIRE_BAD,
	  "",
	  0x0303 },
	{ "a name longer than its list",
	  { .names = LIT("\0\11" ENTRY("\0", "\7", "a.test")) },
	  WIRE_BAD,
	  "",
	  0x0303 },
	{ "half an entry", { .names = LIT("\0\2\0\0") }, WIRE_BAD, "", 0x0303 },
	{ "an extension that overruns the hello",
	  { .sni = "a.test", .extra = LIT("\0\143\0\7abc") },
	  WIRE_BAD,
	  "a.test",
	  0x0303 },
	{ "versions that lie, which older servers do not read",
	  { .sni = "a.test", .extra = LIT("\0\53\0\2\377\3") },
	  WIRE_OK,
	  "a.test",
	  0x0303 },
	{ "an odd number of bytes of versions",
	  { .sni = "a.test", .extra = LIT("\0\53\0\4\3\3\4\3") },
	  WIRE_OK,
	  "a.test",
	  0x0304 },
};

static struct span build(const struct hello *h)
{
	hs.n = 0;
	hello_build(&hs, h);
	return bytes_span(&hs);
}

static void expect(const char *what, const struct row *row)
{
	struct names  got;
	enum wire_err r = mangle_parse(tls_names, bytes_span(&msg), true, &got);

	if (r != row->result)
		fail_msg("%s, %s: result %d, expected %d", row->what, what, r, row->result);
	same_text(row->what, names_text(&got), row->names);
	same_num(row->what, "protocol", got.app, APP_TLS);
	same_num(row->what, "version", got.tls.version, row->version);
	if (got.n)
		same_num(row->what, "seen in", got.v[0].seen_in, SEEN_TLS_SNI);
}

static void test_hellos(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		enum wire_err err = WIRE_OK;

		msg.n = 0;
		hello_records(&msg, build(&rows[i].h), 0, 0);
		expect("one record", &rows[i]);
		same_num(rows[i].what, "guess", tls_guess(wire_of(bytes_span(&msg), &err, true)),
			 WIRE_OK);
	}
}

/* The handshake's own bytes, as QUIC carries them. */
static void test_without_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct names got;

		same_num(rows[i].what, "result",
			 mangle_parse(quic_tls_names, build(&rows[i].h), true, &got),
			 rows[i].result);
		same_text(rows[i].what, names_text(&got), rows[i].names);
		same_num(rows[i].what, "protocol", got.app, APP_QUIC);
	}
}

/* Two records cut at every byte of the hello, its four-byte header included; and tiny records. */
static void test_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct span whole = build(&rows[i].h);

		for (size_t cut = 1; cut < whole.n; cut++) {
			msg.n = 0;
			hello_records(&msg, whole, cut, 0);
			expect("two records", &rows[i]);
		}
		for (size_t size = 1; size < 9; size++) {
			msg.n = 0;
			hello_records(&msg, whole, size, size);
			expect("small records", &rows[i]);
		}
	}
}

static void test_around(void **state)
{
	static const struct row row = {
		"a hello", { .sni = "a.example" }, WIRE_OK, "a.example", 0x0303
	};
	struct span             whole = build(&row.h);

	(void)state;
	msg.n = 0;
	hello_record(&msg, 20, span_of("\1", 1));
	hello_records(&msg, whole, 0, 0);
	expect("ChangeCipherSpec first", &row);

	msg.n = 0;
	hello_record(&msg, 21, span_of("\1\0", 2));
	hello_records(&msg, whole, 7, 0);
	expect("a warning first", &row);

	msg.n = 0;
	hello_record(&msg, 22, span_of(whole.p, 3));
	hello_record(&msg, 22, span_of("", 0));
	hello_record(&msg, 20, span_of("\1", 1));
	hello_record(&msg, 22, span_of(whole.p + 3, whole.n - 3));
	expect("an empty record and others between", &row);

	msg.n = 0;
	for (unsigned i = 0; i < 3000; i++)
		hello_record(&msg, 22, span_of("", 0));
	hello_records(&msg, whole, 0, 0);
	expect("thousands of empty records", &row);

	msg.n = 0;
	hello_records(&msg, whole, 0, 0);
	hello_record(&msg, 23, span_of("early data", 10));
	expect("early data behind", &row);

	msg.n = 0;
	hello_records(&msg, whole, 40, 0);
	hello_record(&msg, 23, span_of("early data", 10));
	expect("early data behind two records", &row);
}

/* Records that are no hello, or lie about how long they are. */
static void test_lies(void **state)
{
	static const struct {
		const char   *what;
		struct span   msg;
		enum wire_err open, closed;
	} lies[] = {
		{ "nothing", LIT(""), WIRE_MORE, WIRE_BAD },
		{ "half a header", LIT("\26\3\1"), WIRE_MORE, WIRE_BAD },
		{ "a header alone", LIT("\26\3\1\1\0"), WIRE_MORE, WIRE_BAD },
		{ "a hello of 16 MiB", LIT("\26\3\1\0\6\1\377\377\377\3\3"), WIRE_MORE, WIRE_BAD },
		{ "a ServerHello", LIT("\26\3\1\0\6\2\0\0\2\3\3"), WIRE_NONE, WIRE_NONE },
		{ "application data", LIT("\27\3\3\0\4abcd"), WIRE_BAD, WIRE_BAD },
		{ "only ChangeCipherSpec", LIT("\24\3\1\0\1\1"), WIRE_MORE, WIRE_BAD },
		{ "a hello without a body", LIT("\26\3\1\0\4\1\0\0\0"), WIRE_BAD, WIRE_BAD },
		{ "half a hello, then application data",
		  LIT("\26\3\1\0\6\1\0\0\100\3\3\27\3\3\0\1x"), WIRE_BAD, WIRE_BAD },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(lies); i++) {
		struct names got;

		same_num(lies[i].what, "open", mangle_parse(tls_names, lies[i].msg, true, &got),
			 lies[i].open);
		same_num(lies[i].what, "closed", mangle_parse(tls_names, lies[i].msg, false, &got),
		         lies[i].closed);
		same_num(lies[i].what, "names", got.n, 0);
	}
}

/* A server's lenience ends at one name; a list of many is damage, and what was read stays. */
static void test_many_names(void **state)
{
	struct bytes *list = calloc(1, sizeof(*list));
	struct hello  h = { 0 };
	struct names  got;

	(void)state;
	assert_non_null(list);
	bytes_num(list, 2, 12 * 4);
	for (int c = 'a'; c < 'a' + 12; c++) {
		bytes_put(list, "\0\0\1", 3);
		bytes_num(list, 1, (uint64_t)c);
	}
	h.names = bytes_span(list);
	msg.n = 0;
	hello_records(&msg, build(&h), 0, 0);
	assert_int_equal(mangle_parse(tls_names, bytes_span(&msg), true, &got), WIRE_BAD);
	same_text("twelve names", names_text(&got), "a b c d e f g h");
	free(list);
}

/* More than a hello may be: never beyond the room it is gathered in. */
static void test_too_big(void **state)
{
	static struct bytes filler;
	struct hello        h = { .sni = "a.example", .flags = HELLO_SNI_LAST, .pad = 17000 };
	struct names        got;

	(void)state;
	msg.n = 0;
	hello_records(&msg, build(&h), 4000, 4000);
	assert_int_equal(mangle_parse(tls_names, bytes_span(&msg), true, &got), WIRE_BAD);
	assert_int_equal(got.n, 0);

	filler.n = 0;
	bytes_fill(&filler, 1, 16384);
	msg.n = 0;
	hello_record(&msg, 22, span_of("\1", 1));
	hello_record(&msg, 22, bytes_span(&filler));
	assert_int_equal(mangle_parse(tls_names, bytes_span(&msg), true, &got), WIRE_BAD);

	h = (struct hello){ .sni = "a.example", .flags = HELLO_SNI_LAST, .pad = 16000 };
	msg.n = 0;
	hello_records(&msg, build(&h), 1000, 1000);
	assert_int_equal(mangle_parse(tls_names, bytes_span(&msg), true, &got), WIRE_OK);
	same_text("just below 16 KiB", names_text(&got), "a.example");
}

static void test_long_name(void **state)
{
	static char  name[1200];
	struct hello h = { .sni = name };
	struct names got;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	memcpy(name + sizeof(name) - 15, ".kaspersky.com", 14);
	msg.n = 0;
	hello_records(&msg, build(&h), 0, 0);
	assert_int_equal(mangle_parse(tls_names, bytes_span(&msg), true, &got), WIRE_OK);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.v[0].text + got.v[0].len - 14, ".kaspersky.com");
}

static void test_guess(void **state)
{
	static const struct {
		const char   *what;
		struct span   first;
		enum wire_err open;
	} guesses[] = {
		{ "nothing", LIT(""), WIRE_MORE },
		{ "a byte", LIT("\26"), WIRE_MORE },
		{ "four bytes", LIT("\26\3\1\2"), WIRE_MORE },
		{ "SSL 3.0", LIT("\26\3\0\2\0\1"), WIRE_OK },
		{ "TLS 1.3 in the record", LIT("\26\3\4\2\0\1"), WIRE_OK },
		{ "an alert first", LIT("\25\3\1\0\2\1"), WIRE_OK },
		{ "version 4", LIT("\26\4\0\2\0\1"), WIRE_NONE },
		{ "version 3.5, which nobody looks at", LIT("\26\3\5\2\0\1"), WIRE_OK },
		{ "a record of 32 KiB", LIT("\26\3\1\200\0\1"), WIRE_NONE },
		{ "application data", LIT("\27\3\3\0\20a"), WIRE_NONE },
		{ "zeroes", LIT("\0\3\1\0\20a"), WIRE_NONE },
		{ "a byte of an SSLv2 hello", LIT("\200"), WIRE_MORE },
		{ "half an SSLv2 hello", LIT("\200\56\1\3\1\0"), WIRE_MORE },
		{ "an SSLv2 record of another kind", LIT("\200\56\4\3\1\0"), WIRE_NONE },
		{ "an SSLv2 hello of version 5", LIT("\200\56\1\5\0\0"), WIRE_NONE },
		{ "an SSLv2 hello whose ciphers end in one", LIT("\200\56\1\3\1\0\26"), WIRE_NONE },
		{ "an SSLv2 hello with half a session",
		  LIT("\200\56\1\3\1\0\25\0\10"), WIRE_NONE },
		{ "an SSLv2 hello whose sum is wrong",
		  LIT("\200\56\1\3\1\0\25\0\0\0\40"), WIRE_NONE },
		{ "a long number of some protocol", LIT("\377\377\377\377\377\377"), WIRE_NONE },
		{ "text", LIT("GET /"), WIRE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(guesses); i++) {
		enum wire_err err = WIRE_OK;

		same_num(guesses[i].what, "guess", tls_guess(wire_of(guesses[i].first, &err, true)),
		         guesses[i].open);
	}
}

/* RFC 5246 E.2; it names nobody. */
static void test_ssl2(void **state)
{
	static const uint16_t versions[] = { 0x0002, 0x0300, 0x0301, 0x0303 };

	(void)state;
	for (size_t i = 0; i < N_OF(versions); i++) {
		enum wire_err err = WIRE_OK;
		struct names  got;

		msg.n = 0;
		hello_ssl2(&msg, versions[i]);
		same_num("SSLv2", "guess", tls_guess(wire_of(bytes_span(&msg), &err, true)), WIRE_OK);
		same_num("SSLv2", "result", mangle_parse(tls_names, bytes_span(&msg), true, &got),
		         WIRE_OK);
		same_num("SSLv2", "names", got.n, 0);
		same_num("SSLv2", "protocol", got.app, APP_TLS);
		same_num("SSLv2", "version", got.tls.version, versions[i]);
		mangle("SSLv2", tls_names, bytes_span(&msg));
	}
}

/* Google's QUIC: two tags in front of the name, one behind. */
static void test_chlo(void **state)
{
	static const struct span chlo = LIT("CHLO\4\0\0\0PAD\0\3\0\0\0VER\0\7\0\0\0SNI\0\20\0\0\0"
	                                    "AEAD\24\0\0\0---Q050A.ExampleAESG");
	static const struct span lie = LIT("CHLO\2\0\0\0PAD\0\3\0\0\0SNI\0\2\0\0\0---aa");
	static const struct span none = LIT("CHLO\1\0\0\0PAD\0\3\0\0\0---");
	struct names             got;

	(void)state;
	assert_int_equal(mangle_parse(quic_tls_names, chlo, true, &got), WIRE_OK);
	same_text("a CHLO", names_text(&got), "a.example");
	assert_int_equal(got.v[0].seen_in, SEEN_QUIC_SNI);
	mangle("a CHLO", quic_tls_names, chlo);
	assert_int_equal(mangle_parse(quic_tls_names, lie, true, &got), WIRE_BAD);
	assert_int_equal(mangle_parse(quic_tls_names, none, true, &got), WIRE_OK);
	assert_int_equal(got.n, 0);
}

static void test_mangled(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct span whole = build(&rows[i].h);

		if (rows[i].result != WIRE_OK)
			continue;
		msg.n = 0;
		hello_records(&msg, whole, 0, 0);
		mangle(rows[i].what, tls_names, bytes_span(&msg));
		mangle(rows[i].what, quic_tls_names, whole);
		msg.n = 0;
		hello_records(&msg, whole, 3, 90);
		mangle(rows[i].what, tls_names, bytes_span(&msg));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hellos),     cmocka_unit_test(test_without_records),
		cmocka_unit_test(test_records),    cmocka_unit_test(test_around),
		cmocka_unit_test(test_lies),       cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_too_big),    cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_guess),      cmocka_unit_test(test_ssl2),
		cmocka_unit_test(test_chlo),       cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

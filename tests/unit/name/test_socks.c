/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients ask SOCKS proxies for, in the bytes of their side of the stream. */
#include "bytes.h"
#include "mangle.h"

static const struct row {
	const char *what;
	struct span msg;
	const char *names;
	bool        tunnel;
} rows[] = {
	{ "4: an address", LIT("\4\1\1\273\300\0\2\7bob\0"), "192.0.2.7", true },
	{ "4: no user", LIT("\4\1\1\273\300\0\2\7\0"), "192.0.2.7", true },
	{ "4: BIND", LIT("\4\2\1\273\300\0\2\7\0"), "192.0.2.7", false },
	{ "4a: a name", LIT("\4\1\1\273\0\0\0\1bob\0www.Example.com\0"), "www.example.com", true },
	{ "5: a name", LIT("\5\1\0\5\1\0\3\17www.example.com\1\273"), "www.example.com", true },
	{ "5: three methods", LIT("\5\3\0\1\2\5\1\0\3\17www.example.com\1\273"), "www.example.com",
	  true },
	{ "5: a private method", LIT("\5\1\200\5\1\0\3\1a\1\273"), "a", true },
	{ "5: a password", LIT("\5\1\2\1\3bob\6secret\5\1\0\3\17www.example.com\1\273"),
	  "www.example.com", true },
	{ "5: an IPv4 address", LIT("\5\1\0\5\1\0\1\300\0\2\7\1\273"), "192.0.2.7", true },
	{ "5: an IPv6 address", LIT("\5\1\0\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7\1\273"),
	  "2001:db8::7", true },
	{ "5: a datagram relay names nobody", LIT("\5\1\0\5\3\0\1\0\0\0\0\0\0"), "", false },
	{ "5: a name to be resolved", LIT("\5\1\0\5\360\0\3\6a.test\0\0"), "a.test", false },
	{ "5: an empty name", LIT("\5\1\0\5\1\0\3\0\1\273"), "", true },
};

static void test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		static struct bytes b;
		enum wire_err       err = WIRE_OK, guess = WIRE_OK;
		struct names        got = { 0 };
		struct wire         w;

		b.n = 0;
		bytes_add(&b, rows[i].msg);
		bytes_text(&b, "behind");
		w = wire_of(bytes_span(&b), &err, true);
		same_num(rows[i].what, "guess", socks_guess(wire_of(rows[i].msg, &guess, true)), WIRE_OK);
		same_num(rows[i].what, "result", socks_names(&w, &got), WIRE_OK);
		same_text(rows[i].what, names_text(&got), rows[i].names);
		same_num(rows[i].what, "protocol", got.app, APP_SOCKS);
		same_num(rows[i].what, "tunnel", got.tunnel, rows[i].tunnel);
		same_num(rows[i].what, "behind", (long long)wire_left(&w), 6);
		if (got.n)
			same_num(rows[i].what, "seen in", got.v[0].seen_in, SEEN_SOCKS);
	}
}

static void test_guess(void **state)
{
	static const struct {
		const char   *what;
		struct span   first;
		enum wire_err open;
	} guesses[] = {
		{ "nothing", LIT(""), WIRE_MORE },
		{ "a version", LIT("\5"), WIRE_MORE },
		{ "half a greeting", LIT("\5\2\0"), WIRE_MORE },
		{ "a greeting", LIT("\5\1\0"), WIRE_OK },
		{ "no methods, as DCE/RPC begins", LIT("\5\0\13\3\20\0\0\0"), WIRE_NONE },
		{ "a method that there is not", LIT("\5\3\0\1\100"), WIRE_NONE },
		{ "4: another command", LIT("\4\3\1\273\300\0\2\7\0"), WIRE_NONE },
		{ "4: a user who is no text", LIT("\4\1\1\273\300\0\2\7\1\2"), WIRE_NONE },
		{ "4: half a user", LIT("\4\1\1\273\300\0\2\7bo"), WIRE_MORE },
		{ "4a: a host who is no text", LIT("\4\1\1\273\0\0\0\1\0\1\2"), WIRE_NONE },
		{ "version 6", LIT("\6\1\0"), WIRE_NONE },
		{ "text", LIT("GET / HTTP/1.1\r\n"), WIRE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(guesses); i++) {
		enum wire_err err = WIRE_OK;

		same_num(guesses[i].what, "guess", socks_guess(wire_of(guesses[i].first, &err, true)),
		         guesses[i].open);
	}
}

/* A greeting that something else follows. */
static void test_strangers(void **state)
{
	static const struct span strangers[] = {
		LIT("\5\1\0\6"),
		LIT("\5\1\0\5\1\1\3\1a\0\0"),
		LIT("\5\1\0\5\1\0\7\1a\0\0"),
		LIT("\5\1\2\1\1a\1b\1"),
	};

	(void)state;
	for (size_t i = 0; i < N_OF(strangers); i++) {
		struct names got;

		assert_int_equal(mangle_parse(socks_names, strangers[i], true, &got), WIRE_NONE);
		assert_int_equal(got.n, 0);
	}
}

static void test_mangled(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		mangle(rows[i].what, socks_names, rows[i].msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

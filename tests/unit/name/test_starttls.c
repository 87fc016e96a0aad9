/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the text before TLS ends in mail protocols. */
#include "bytes.h"
#include "mangle.h"

#define HELLO "\26\3\1\0\4\1\0\0\0"

static void test_guess(void **state)
{
	static const struct {
		const char   *first;
		enum wire_err result;
	} rows[] = {
		{ "EHLO client.example\r\n", WIRE_OK }, { "ehlo x\n", WIRE_OK },
		{ "CAPA\r\n", WIRE_OK },                { "STLS\r\n", WIRE_OK },
		{ "a001 CAPABILITY\r\n", WIRE_OK },     { ". STARTTLS\r\n", WIRE_OK },
		{ "E", WIRE_MORE },                     { "EHLO client.exam", WIRE_MORE },
		{ "a001", WIRE_MORE },                  { "a001 CAPAB", WIRE_MORE },
		{ "SSH-2.0-OpenSSH_9.2\r\n", WIRE_NONE }, { "GET / HTTP/1.1\r\n", WIRE_NONE },
		{ "220 mail.example ESMTP\r\n", WIRE_NONE }, { "a001 SELECTED\r\n", WIRE_NONE },
		{ "RCPT TO:<x>\r\n", WIRE_NONE },       { "\26\3\1", WIRE_NONE },
		{ "example.com\r\n", WIRE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		enum wire_err err = WIRE_OK;

		same_num(rows[i].first, "guess",
		         starttls_guess(wire_of(span_str(rows[i].first), &err, true)), rows[i].result);
	}
}

static void test_end(void **state)
{
	static const struct {
		const char   *what;
		struct span   text;
		enum wire_err result;
		bool          tunnel;
		size_t        left; /* bytes after the text */
	} rows[] = {
		{ "SMTP", LIT("EHLO x\r\nSTARTTLS\r\n" HELLO), WIRE_OK, true, 9 },
		{ "IMAP", LIT("1 CAPABILITY\r\n2 starttls\r\n" HELLO), WIRE_OK, true, 9 },
		{ "POP3", LIT("CAPA\r\nSTLS\r\n" HELLO), WIRE_OK, true, 9 },
		{ "not asked so far", LIT("EHLO x\r\nNOOP\r\n"), WIRE_MORE, false, 0 },
		{ "asked, and no hello so far", LIT("EHLO x\r\nSTARTTLS\r\n"), WIRE_MORE, false, 0 },
		{ "commands sent along", LIT("EHLO x\r\nSTARTTLS\r\nNOOP\r\n" HELLO), WIRE_OK, true, 9 },
		{ "refused, then a message", LIT("EHLO x\r\nRCPT TO:<a>\r\nDATA\r\n" HELLO), WIRE_OK, false, 9 },
		{ "DATA without a recipient", LIT("EHLO x\r\nDATA\r\nSTARTTLS\r\n" HELLO), WIRE_OK, true, 9 },
		{ "a hello that nothing announced", LIT("EHLO x\r\n" HELLO), WIRE_OK, true, 9 },
		{ "the word in an argument", LIT("EHLO STARTTLS\r\n"), WIRE_MORE, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		enum wire_err err = WIRE_OK;
		struct wire   w = wire_of(rows[i].text, &err, true);
		struct names  got;

		same_num(rows[i].what, "result", starttls_names(&w, &got), rows[i].result);
		same_num(rows[i].what, "tunnel", got.tunnel, rows[i].tunnel);
		same_num(rows[i].what, "names", got.n, 0);
		if (rows[i].result != WIRE_OK)
			continue;
		same_num(rows[i].what, "left", (long long)wire_left(&w), (long long)rows[i].left);
		mangle(rows[i].what, starttls_names, rows[i].text);
	}
}

/* A client that does not ask within 4 KiB is read no further, and waits for nothing. */
static void test_bounded(void **state)
{
	static struct bytes text;
	struct names        got;
	enum wire_err       err = WIRE_OK;
	struct wire         w;

	(void)state;
	text.n = 0;
	while (text.n < 4096)
		bytes_text(&text, text.n ? "NOOP\r\n" : "EHLO x\r\n");
	w = wire_of(bytes_span(&text), &err, true);
	assert_int_equal(starttls_names(&w, &got), WIRE_OK);
	assert_false(got.tunnel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

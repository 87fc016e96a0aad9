/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others write never moves a terminal's cursor: not by an error, not by a line of diagnostics. */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "base/printable.h"
#include "base/shell.h"

static void test_shell_word(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "", "''" },
		{ "/var/lib/nfqd-1.2", "/var/lib/nfqd-1.2" },
		{ "a b", "'a b'" },
		{ "$(reboot)", "'$(reboot)'" },
		{ "it's", "'it'\\''s'" },
		{ "~", "'~'" },
		{ "0123456789012345678901234567", "''" },
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		assert_string_equal(shell_word(rows[i].text, out, sizeof(out)), rows[i].expected);
}

static void test_text(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "", "" },
		{ "plain\ttext", "plain\ttext" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "a\033[2Jb", "a\\x1b[2Jb" },
		{ "a\r\nb\x7f", "a\\x0d\\x0ab\\x7f" },
		{ "\xc2\x9b"
		  "2J",
		  "\\xc2\\x9b2J" },
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "\xc2", "\xc2" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		assert_int_equal(printable(rows[i].text, out, sizeof(out)), strlen(rows[i].expected));
		assert_string_equal(out, rows[i].expected);
	}
}

static void test_room(void **state)
{
	char out[6];

	(void)state;
	assert_int_equal(printable("abcdefgh", out, sizeof(out)), 5);
	assert_string_equal(out, "abcde");
	assert_int_equal(printable("a\033b", out, sizeof(out)), 5);
	assert_string_equal(out, "a\\x1b");
	assert_int_equal(printable("ab\033", out, sizeof(out)), 2); /* never half of one */
	assert_string_equal(out, "ab");
}

static void test_error(void **state)
{
	struct err err = { .text = "" };

	(void)state;
	assert_int_equal(err_set(&err, "bad client '%s'", "\033]0;owned\007"), -1);
	assert_string_equal(err.text, "bad client '\\x1b]0;owned\\x07'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_shell_word),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

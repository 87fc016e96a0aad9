/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forms and queries: what is taken, and what is not; any bytes are one of the two. */
#include "unit.h"

#include "../../../tools/console/fields.c"

static const struct {
	const char *what, *text;
	bool        ok;
	const char *key, *value;
} rows[] = {
	{ "nothing", "", true, "a", "" },
	{ "one", "a=b", true, "a", "b" },
	{ "two", "a=b&c=d", true, "c", "d" },
	{ "the first counts", "a=b&a=c", true, "a", "b" },
	{ "without a value", "a&b=1", true, "a", "" },
	{ "an empty one", "a=&b=1", true, "a", "" },
	{ "blanks", "a=b+c%20d", true, "a", "b c d" },
	{ "signs", "a=%26%3d%2B%25", true, "a", "&=+%" },
	{ "markup", "a=%3Cscript%3E", true, "a", "<script>" },
	{ "UTF-8", "a=%C3%A4%E2%80%AE%F0%9F%98%80", true, "a", "\xc3\xa4\xe2\x80\xae\xf0\x9f\x98\x80" },
	{ "more of =", "a=b=c", true, "a", "b=c" },
	{ "NUL", "a=b%00c", false, NULL, NULL },
	{ "half an escape", "a=%4", false, NULL, NULL },
	{ "not an escape", "a=%zz", false, NULL, NULL },
	{ "not UTF-8", "a=%ff", false, NULL, NULL },
	{ "overlong", "a=%c0%af", false, NULL, NULL },
	{ "a surrogate", "a=%ed%a0%80", false, NULL, NULL },
	{ "above U+10FFFF", "a=%f4%90%80%80", false, NULL, NULL },
	{ "cut UTF-8", "a=%e2%80", false, NULL, NULL },
	{ "17 fields", "a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a", false, NULL, NULL },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fields f = { .n = 0 };
		bool          ok = fields_read(&f, rows[i].text, strlen(rows[i].text));

		if (ok != rows[i].ok || (ok && strcmp(field(&f, rows[i].key), rows[i].value) != 0))
			fail_msg("%s: %s", rows[i].what, ok ? field(&f, rows[i].key ? rows[i].key : "a") : "refused");
	}
}

static void test_size(void **state)
{
	static char   text[3 * FIELDS_BYTES];
	struct fields f = { .n = 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "a=", 2);
	assert_true(fields_read(&f, text, FIELDS_BYTES));
	assert_int_equal(strlen(field(&f, "a")), FIELDS_BYTES - 2);
	f = (struct fields){ .n = 0 };
	assert_false(fields_read(&f, text, sizeof(text)));
}

/* Every byte at every place of a form, and every prefix. */
static void test_bytes(void **state)
{
	static const char form[] = "a=%C3%A4&b=c+d&e";
	char              text[sizeof(form)];

	(void)state;
	for (size_t n = 0; n < sizeof(form); n++)
		for (unsigned byte = 0; byte < 256; byte++) {
			struct fields f = { .n = 0 };

			memcpy(text, form, sizeof(form));
			text[n] = (char)byte;
			if (fields_read(&f, text, n + 1))
				for (unsigned i = 0; i < f.n; i++)
					assert_true(utf8_ok(f.v[i].key) && utf8_ok(f.v[i].value));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_size), cmocka_unit_test(test_bytes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

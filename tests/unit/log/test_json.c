/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What json.c writes, read back by jansson: chosen values, every byte and pair of bytes, random text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/json.h"

static void test_shape(void **state)
{
	char        out[256];
	struct json j;
	size_t      n;

	(void)state;
	json_begin(&j, out, sizeof(out));
	json_open(&j, NULL, '{');
	json_text(&j, "a", "\"\\/\b\x7f\xc3\xa9");
	json_open(&j, "b", '[');
	json_uint(&j, NULL, 0);
	json_uint(&j, NULL, UINT64_MAX);
	json_open(&j, NULL, '{');
	json_close(&j, '}');
	json_nothing(&j, NULL);
	json_close(&j, ']');
	json_bool(&j, "c", true);
	json_members(&j, "\"d\":1,\"e\":2", 11);
	json_bool(&j, "f", false);
	json_close(&j, '}');
	n = json_finish(&j);
	assert_int_equal(n, strlen(out));
	assert_string_equal(out, "{\"a\":\"\\\"\\\\/\\u0008\x7f\xc3\xa9\",\"b\":[0,18446744073709551615,{},null],"
	                         "\"c\":true,\"d\":1,\"e\":2,\"f\":false}");
}

/* What the reader gets for a text: itself, or its bytes beyond ASCII as \DDD where it is not UTF-8. */
static void expected(const char *text, char *out)
{
	json_t *whole = json_string(text);

	for (; *text; text++)
		if (whole || (unsigned char)*text < 0x80)
			*out++ = *text;
		else
			out += sprintf(out, "\\%03u", (unsigned char)*text);
	*out = '\0';
	json_decref(whole);
}

static void same_text(const char *text)
{
	char         out[2048], want[1024];
	struct json  j;
	json_t      *read;
	size_t       n;
	json_error_t error;

	json_begin(&j, out, sizeof(out));
	json_text(&j, NULL, text);
	n = json_finish(&j);
	assert_int_equal(n, strlen(out));
	assert_null(strpbrk(out, "\n\r"));
	read = json_loads(out, JSON_DECODE_ANY, &error);
	if (!read)
		fail_msg("%s in %s", error.text, out);
	expected(text, want);
	assert_string_equal(json_string_value(read), want);
	json_decref(read);
}

static void test_every_byte(void **state)
{
	(void)state;
	same_text("");
	for (unsigned a = 1; a < 256; a++) {
		char text[8];

		snprintf(text, sizeof(text), "%cx", (char)a);
		same_text(text);
		for (unsigned b = 1; b < 256; b++) {
			snprintf(text, sizeof(text), "%c%cx", (char)a, (char)b);
			same_text(text);
		}
	}
}

/* Three and four bytes: mostly such as begin or continue a sequence. */
static void test_random_text(void **state)
{
	unsigned seed = 4711;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char     text[9];
		unsigned n = 1 + (unsigned)rand_r(&seed) % 8;

		for (unsigned k = 0; k < n; k++)
			text[k] = (char)(1 + (rand_r(&seed) % 3 ? 0x7f + rand_r(&seed) % 128
			                                        : rand_r(&seed) % 255));
		text[n] = '\0';
		same_text(text);
	}
	same_text("\xed\xa0\x80"); /* a surrogate */
	same_text("\xf4\x8f\xbf\xbf");
	same_text("\xf4\x90\x80\x80"); /* beyond U+10FFFF */
	same_text("\xf0\x82\x82\xac"); /* overlong */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_random_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

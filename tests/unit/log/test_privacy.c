/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pseudonyms: the same client is the same one, another key makes another one, and nothing else is left. */
#include "log/privacy.h"
#include "unit.h"

static struct event client(uint8_t last, bool mac)
{
	struct event e = { .src = { .len = 4, .b = { 10, 0, 0, last } }, .has_mac = mac,
		           .mac = { 2, 0, 0, 0, 0, last }, .bytes = { .packet = span_str("packet") } };

	return e;
}

static void test_hashed(void **state)
{
	struct identity id = { .client_key = { 1 } }, other = { .client_key = { 2 } };
	struct event    a = client(1, true), moved = client(9, true), b = client(2, true), c = client(1, true);
	char            one[PSEUDONYM], two[PSEUDONYM], text[ADDR_TEXT];

	(void)state;
	moved.mac[5] = 1; /* the same machine at another address */
	privacy_reduce(&a, PRIVACY_HASHED, &id, one);
	privacy_reduce(&moved, PRIVACY_HASHED, &id, two);
	assert_string_equal(one, two);
	assert_true(addr_eq(&a.src, &moved.src));
	addr_text(&a.src, text);
	assert_memory_equal(text, "fd6e:6671:", 10);
	assert_int_equal(strlen(one), 24);
	assert_false(a.has_mac);
	assert_int_equal(a.bytes.packet.n, 0);
	privacy_reduce(&b, PRIVACY_HASHED, &id, two);
	assert_string_not_equal(one, two);
	privacy_reduce(&c, PRIVACY_HASHED, &other, two);
	assert_string_not_equal(one, two);
}

static void test_others(void **state)
{
	struct identity id = { .client_key = { 1 } };
	struct event    full = client(1, true), counted = client(1, true), counted2 = client(2, false);
	char            pseudonym[PSEUDONYM];

	(void)state;
	privacy_reduce(&full, PRIVACY_FULL, &id, pseudonym);
	assert_string_equal(pseudonym, "");
	assert_int_equal(full.src.b[3], 1);
	assert_int_equal(full.bytes.packet.n, 6);
	privacy_reduce(&counted, PRIVACY_COUNTERS, &id, pseudonym);
	privacy_reduce(&counted2, PRIVACY_COUNTERS, &id, pseudonym);
	assert_string_equal(pseudonym, "");
	assert_true(addr_eq(&counted.src, &counted2.src));
	assert_int_equal(counted.bytes.packet.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashed),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

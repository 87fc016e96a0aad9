/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Community IDs: the values that the specification's own test data give for the same flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "log/community.h"

static const struct row {
	const char *src, *dst;
	uint16_t    sport, dport;
	uint8_t     proto;
	const char *id;
} rows[] = {
	{ "128.232.110.120", "66.35.250.204", 34855, 80, IPPROTO_TCP, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ "66.35.250.204", "128.232.110.120", 80, 34855, IPPROTO_TCP, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ "192.168.1.52", "8.8.8.8", 54585, 53, IPPROTO_UDP, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=" },
	{ "10.0.0.1", "10.0.0.1", 9, 9, IPPROTO_UDP, NULL },
};

static struct event flow(const struct row *row)
{
	struct event e = { .sport = row->sport, .dport = row->dport, .proto = row->proto };

	assert_int_equal(addr_parse(row->src, &e.src), 0);
	assert_int_equal(addr_parse(row->dst, &e.dst), 0);
	return e;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event e = flow(&rows[i]);
		char         id[COMMUNITY_ID];

		community_id(&e, id);
		assert_int_equal(strlen(id), 30);
		if (rows[i].id)
			assert_string_equal(id, rows[i].id);
	}
}

static void test_no_flow(void **state)
{
	struct event e = flow(&rows[0]);
	char         id[COMMUNITY_ID];

	(void)state;
	e.dst.len = 16;
	community_id(&e, id);
	assert_string_equal(id, "");
	e.src.len = e.dst.len = 0;
	community_id(&e, id);
	assert_string_equal(id, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

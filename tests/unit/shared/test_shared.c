/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of interfaces: those that are gone make room, a new name replaces the old one. */
#include "shared/shared.h"

#include <stdio.h>

#include "unit.h"

static struct iface_link links[IFACES_MAX];

static void name_all(struct shared *s, uint32_t first, unsigned n, const char *prefix)
{
	for (unsigned i = 0; i < n; i++) {
		links[i].index = first + i;
		snprintf(links[i].name, sizeof(links[i].name), "%s%u", prefix, first + i);
	}
	ifaces_replace(s, links, n);
}

static void test_interfaces_come_and_go(void **state)
{
	struct shared *s = shared_new();
	char           out[16];

	(void)state;
	assert_non_null(s);
	for (uint32_t round = 0; round < 4; round++) {
		uint32_t first = 1 + round * IFACES_MAX;

		name_all(s, first, IFACES_MAX, "veth");
		for (uint32_t i = first; i < first + IFACES_MAX; i++)
			assert_non_null(iface_name(s, i, out));
		if (round > 0)
			assert_null(iface_name(s, first - 1, out));
	}
	name_all(s, 7, 2, "eth");
	assert_string_equal(iface_name(s, 8, out), "eth8");
	name_all(s, 7, 2, "wan");
	assert_string_equal(iface_name(s, 8, out), "wan8");
	assert_null(iface_name(s, 9, out));
}

static void test_a_name_that_stays_is_not_written(void **state)
{
	struct shared *s = shared_new();
	uint32_t       version;

	(void)state;
	assert_non_null(s);
	name_all(s, 7, 1, "eth");
	version = s->ifaces[0].lock.version;
	name_all(s, 7, 1, "eth");
	assert_int_equal(s->ifaces[0].lock.version, version);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interfaces_come_and_go),
		cmocka_unit_test(test_a_name_that_stays_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

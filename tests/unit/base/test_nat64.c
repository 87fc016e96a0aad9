/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The examples of RFC 6052 2.4, both ways, and networks. */
#include "base/nat64.h"

#include "unit.h"

static struct net net_of(const char *text)
{
	struct net n;

	if (net_parse(text, &n) < 0)
		fail_msg("%s is no network", text);
	return n;
}

static const char *text_of(const struct net *n)
{
	static char out[ADDR_TEXT + 5];

	addr_text(&n->addr, out);
	snprintf(out + strlen(out), 5, "/%u", n->bits);
	return out;
}

static void test_rfc(void **state)
{
	static const struct {
		const char *prefix, *address;
	} rows[] = {
		{ "2001:db8::/32", "2001:db8:c000:221::" },
		{ "2001:db8:100::/40", "2001:db8:1c0:2:21::" },
		{ "2001:db8:122::/48", "2001:db8:122:c000:2:2100::" },
		{ "2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::" },
		{ "2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::" },
		{ "2001:db8:122:344::/96", "2001:db8:122:344::c000:221" },
		{ "64:ff9b::/96", "64:ff9b::c000:221" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct net  prefix = net_of(rows[i].prefix), host = net_of("192.0.2.33/32"), out;
		struct addr a, inside;

		same_num(rows[i].prefix, "is a prefix", nat64_is_prefix(&prefix), true);
		assert_int_equal(addr_parse(rows[i].address, &a), 0);
		same_num(rows[i].prefix, "has one inside", nat64_inside(&prefix, &a, &inside), true);
		same_num(rows[i].prefix, "which is the address", addr_eq(&inside, &host.addr), true);
		out = nat64_outside(&prefix, &host);
		same_num(rows[i].prefix, "and back", addr_eq(&out.addr, &a), true);
		a.b[0] ^= 1;
		same_num(rows[i].prefix, "another prefix", nat64_inside(&prefix, &a, &inside), false);
	}
}

static void test_networks(void **state)
{
	static const struct {
		const char *prefix, *inside, *outside;
	} rows[] = {
		{ "64:ff9b::/96", "192.0.2.0/24", "64:ff9b::c000:200/120" },
		{ "64:ff9b::/96", "0.0.0.0/0", "64:ff9b::/96" },
		{ "64:ff9b::/96", "128.0.0.0/1", "64:ff9b::8000:0/97" },
		{ "2001:db8::/32", "192.0.2.33/32", "2001:db8:c000:221::/64" },
		{ "2001:db8:122::/48", "192.0.0.0/16", "2001:db8:122:c000::/64" },
		{ "2001:db8:122::/48", "192.0.2.0/23", "2001:db8:122:c000:2::/79" },
		{ "2001:db8:122:344::/64", "10.0.0.0/8", "2001:db8:122:344:a::/80" },
		{ "2001:db8:122:344::/64", "0.0.0.0/0", "2001:db8:122:344::/64" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct net prefix = net_of(rows[i].prefix), inside = net_of(rows[i].inside);
		struct net out = nat64_outside(&prefix, &inside);

		same_text(rows[i].inside, text_of(&out), rows[i].outside);
	}
}

static void test_prefixes(void **state)
{
	static const char *const wrong[] = { "2001:db8::/33", "2001:db8::/128", "::/0",
		                             "192.0.2.0/32", "2001:db8:0:0:100::/96" };

	(void)state;
	for (size_t i = 0; i < N_OF(wrong); i++) {
		struct net n = net_of(wrong[i]);

		same_num(wrong[i], "is a prefix", nat64_is_prefix(&n), false);
	}
}

/* What is not zero where zero belongs was made by no translator. */
static void test_zero_octet(void **state)
{
	struct net  prefix = net_of("2001:db8:122::/48");
	struct addr a, inside;

	(void)state;
	assert_int_equal(addr_parse("2001:db8:122:c000:102:2100::", &a), 0);
	assert_false(nat64_inside(&prefix, &a, &inside));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rfc), cmocka_unit_test(test_networks),
		                            cmocka_unit_test(test_prefixes),
		                            cmocka_unit_test(test_zero_octet) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

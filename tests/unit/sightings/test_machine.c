/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine is told right: by its MAC where that is its own, by its address where it is not, and as a person says. */
#include "records.h"

#define V6    "2001:db8:1:2:1111:2222:3333:4444"
#define TEMP  "2001:db8:1:2:aaaa:bbbb:cccc:dddd"
#define OTHER "3c:52:82:00:00:02"
#define HOP   "00:1b:21:00:00:09"
#define RANDOM_1 "02:11:22:33:44:55"
#define RANDOM_2 "da:11:22:33:44:56"

static void test_one_mac(void **state)
{
	struct sightings *s = fresh();
	json_t           *host;

	(void)state;
	TAKE(s, .second = 1);
	TAKE(s, .second = 2, .ip = V6);
	TAKE(s, .second = 3, .ip = TEMP);
	TAKE(s, .second = 4, .ip = "fe80::1");
	TAKE(s, .second = 5, .mac = OTHER, .ip = "10.0.0.8");
	same_text("v4, v6 and temporary", hosts_text(s), "mac:" A_MAC " 4/0/0/0; mac:" OTHER " 1/0/0/0");
	host = host_of(s, "10.0.0.7");
	same_text("addresses", column(host, "addresses", NULL), "10.0.0.7|" TEMP "|fe80::1");
	same_text("reasons", column(host, "sources", "reason"), "first seen|the same on-link MAC|the same on-link MAC");
	json_decref(host);
	sightings_close(s);
}

static void test_changed_address(void **state)
{
	struct sightings *s = fresh();

	(void)state;
	TAKE(s, .second = 1);
	TAKE(s, .second = 600);
	TAKE(s, .second = 700, .ip = "10.0.0.50");
	TAKE(s, .second = 50000, .ip = "10.0.0.50");
	TAKE(s, .second = 80000); /* and back again in the evening */
	same_text("one machine", hosts_text(s), "mac:" A_MAC " 5/0/0/0");
	sightings_close(s);
}

static void test_turns(void **state)
{
	struct sightings *s = fresh();
	struct err        err = { 0 };
	json_t           *answer, *hop;

	(void)state;
	TAKE(s, .second = 1, .mac = HOP);
	TAKE(s, .second = 2, .mac = HOP, .ip = "10.0.9.9");
	same_text("not yet known", hosts_text(s), "mac:" HOP " 2/0/0/0");
	TAKE(s, .second = 3, .mac = HOP);
	same_text("by address", hosts_text(s), "ip:10.0.0.7 2/0/0/0; ip:10.0.9.9 1/0/0/0");
	answer = sightings_hosts(s, &(struct sightings_which){ 0 }, &err);
	hop = json_array_get(json_object_get(answer, "hops"), 0);
	same_text("the hop", json_string_value(json_object_get(hop, "mac")), HOP);
	same_num("the hop", "at least", json_integer_value(json_object_get(hop, "machines_at_least")), 2);
	json_decref(answer);
	sightings_close(s);
}

/* The record itself says that the MAC is not the machine's, also of machines that were there before. */
static void test_hop_by_record(void **state)
{
	struct sightings *s = fresh();
	json_t           *host;

	(void)state;
	TAKE(s, .second = 1, .mac = HOP);
	TAKE(s, .second = 40000, .mac = HOP, .ip = "10.0.9.9", .client = "ip:10.0.9.9");
	TAKE(s, .second = 50000, .mac = HOP, .ip = "10.0.9.10", .client = "ip:10.0.9.10");
	TAKE(s, .second = 60000, .mac = HOP, .ip = V6, .client = "ip:" V6);
	TAKE(s, .second = 60001, .mac = HOP, .ip = TEMP, .client = "ip:" TEMP);
	same_text("by address", hosts_text(s),
	          "ip:10.0.0.7 1/0/0/0; ip:10.0.9.9 1/0/0/0; ip:10.0.9.10 1/0/0/0; ip:" V6 " 1/0/0/0; ip:" TEMP " 1/0/0/0");
	host = host_of(s, "ip:10.0.9.10");
	same_text("behind", json_string_value(json_object_get(host, "behind")), HOP);
	json_decref(host);
	sightings_close(s);
}

static void test_random(void **state)
{
	struct sightings *s = fresh();
	json_t           *host;

	(void)state;
	TAKE(s, .second = 1, .mac = RANDOM_1);
	TAKE(s, .second = 1800, .mac = RANDOM_2);
	same_text("one after the other", hosts_text(s), "mac:" RANDOM_1 " 2/0/0/0");
	host = host_of(s, "10.0.0.7");
	same_text("marked, with the reason", column(host, "sources", "reason"),
	          "first seen|random MACs with the same address, within four hours");
	assert_true(json_is_true(json_object_get(host, "random_mac")));
	same_text("both", column(host, "macs", NULL), RANDOM_1 "|" RANDOM_2);
	json_decref(host);
	TAKE(s, .second = 1801, .mac = A_MAC); /* not random: another machine took over the address */
	TAKE(s, .second = 30000, .mac = "06:00:00:00:00:09");
	same_text("others", hosts_text(s), "mac:" RANDOM_1 " 2/0/0/0; mac:" A_MAC " 1/0/0/0; mac:06:00:00:00:00:09 1/0/0/0");
	sightings_close(s);
}

static void test_no_mac(void **state)
{
	struct sightings *s = fresh();

	(void)state;
	TAKE(s, .second = 1, .mac = "", .client = "ip:10.0.0.7");
	TAKE(s, .second = 2, .mac = "", .client = "ip:198.51.100.1", .ip = "198.51.100.1", .iface = "");
	TAKE(s, .second = 3, .mac = "", .client = "ip:2001:db8::1", .ip = "2001:db8::1", .iface = "");
	TAKE(s, .second = 4, .mac = "", .client = "hash:0123456789abcdef", .ip = "10.0.0.0");
	same_text("by address, and this machine", hosts_text(s),
	          "ip:10.0.0.7 1/0/0/0; this-machine 2/0/0/0; hash:0123456789abcdef 1/0/0/0");
	sightings_close(s);
}

/* A machine that only has an address is named by it, also when another one had this address. */
static void test_id_before_address(void **state)
{
	struct sightings *s = fresh();
	json_t           *host;

	(void)state;
	TAKE(s, .second = 1);
	TAKE(s, .second = 2, .mac = "", .client = "ip:10.0.0.7", .iface = "lan1");
	same_text("both", hosts_text(s), "mac:" A_MAC " 1/0/0/0; ip:10.0.0.7 1/0/0/0");
	host = host_of(s, "ip:10.0.0.7");
	same_text("the one", json_string_value(json_object_get(host, "id")), "ip:10.0.0.7");
	json_decref(host);
	assert_null(sightings_host(s, "10.0.0.7", &(struct sightings_which){ 0 }, &(struct err){ 0 }));
	sightings_close(s);
}

static void corrected(json_t *done, const struct err *err)
{
	if (!done)
		fail_msg("%s", err->text);
	json_decref(done);
}

static void test_split_and_merge(void **state)
{
	struct sightings *s = fresh();
	struct err        err = { 0 };

	(void)state;
	TAKE(s, .second = 1);
	TAKE(s, .second = 2, .ip = V6);
	TAKE(s, .second = 3, .ip = V6);
	TAKE(s, .second = 4, .mac = OTHER, .ip = "10.0.0.8");
	corrected(sightings_split(s, "mac:" A_MAC, V6, &err), &err);
	same_text("split", hosts_text(s), "mac:" A_MAC " 1/0/0/0; ip:" V6 " 2/0/0/0; mac:" OTHER " 1/0/0/0");
	TAKE(s, .second = 5, .ip = V6);
	TAKE(s, .second = 6);
	same_text("and it stays", hosts_text(s), "mac:" A_MAC " 2/0/0/0; ip:" V6 " 3/0/0/0; mac:" OTHER " 1/0/0/0");
	assert_null(sightings_split(s, "mac:" OTHER, "10.0.0.8", &err));
	same_text("nothing to split", err.text, "'10.0.0.8' is all that this machine has: there is nothing to split");
	err.text[0] = '\0';
	corrected(sightings_merge(s, "10.0.0.7", V6, &err), &err);
	corrected(sightings_merge(s, "10.0.0.8", "10.0.0.7", &err), &err);
	same_text("merged", hosts_text(s), "mac:" A_MAC " 6/0/0/0");
	corrected(sightings_split(s, "10.0.0.8", "10.0.0.7", &err), &err);
	same_text("the founder leaves", hosts_text(s), "mac:" A_MAC " 2/0/0/0; ip:" V6 " 4/0/0/0");
	corrected(sightings_forget(s, "10.0.0.7", &err), &err);
	same_text("forgotten", hosts_text(s), "mac:" A_MAC " 4/0/0/0");
	assert_null(sightings_forget(s, "10.0.0.7", &err));
	assert_null(sightings_merge(s, "10.0.0.8", V6, &err));
	sightings_close(s);
}

static void test_names(void **state)
{
	struct sightings *s = fresh();
	struct err        err = { 0 };
	json_t           *host;

	(void)state;
	TAKE(s, .second = 1);
	TAKE(s, .second = 2, .mac = OTHER, .ip = "10.0.0.8");
	sightings_label(s, "ptr", "10.0.0.7", "dhcp-7.example.org", 1);
	sightings_label(s, "lease", A_MAC, "reception-pc", 1);
	host = host_of(s, "reception-pc");
	same_text("the lease's name goes first", json_string_value(json_object_get(host, "name")), "reception-pc");
	same_text("all are there", column(host, "labels", "from"), "lease|ptr");
	json_decref(host);
	host = host_of(s, "dhcp-7");
	same_text("the first label is enough", json_string_value(json_object_get(host, "id")), "mac:" A_MAC);
	json_decref(host);
	sightings_label(s, "lease", OTHER, "reception-pc", 1);
	assert_null(sightings_host(s, "reception-pc", &(struct sightings_which){ 0 }, &err));
	same_text("two have it", err.text, "'reception-pc' fits 2 machines: name one by its id (nfqctl hosts)");
	sightings_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_mac),       cmocka_unit_test(test_changed_address), cmocka_unit_test(test_turns),
		cmocka_unit_test(test_hop_by_record), cmocka_unit_test(test_random),          cmocka_unit_test(test_no_mac),
		cmocka_unit_test(test_split_and_merge), cmocka_unit_test(test_names), cmocka_unit_test(test_id_before_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON lines against golden ones, hostile and odd text, and every size of room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "events.h"
#include "log/sink.h"

static struct fixture fix;

static const struct identity sensor = { .host = "gw-berlin-1", .boot = 17,
	                                .sensor = "5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77" };

#define ETHER  "\"ether\":{\"src_mac\":\"3c:52:82:00:00:01\"},"
#define CLIENT "\"client\":{\"id\":\"mac:3c:52:82:00:00:01\"},"
#define HEAD                                                                                       \
	"{\"timestamp\":\"2026-11-23T16:20:31.482113+0000\",\"host\":\"gw-berlin-1\","                 \
	"\"flow_id\":1873320111,"
#define SENSOR                                                                                     \
	"\"schema\":2,\"sensor\":\"5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77\",\"boot\":17,"               \
	"\"seq\":88213,\"source\":\"queue\","
#define STAGE                                                                                      \
	"\"stage\":{\"id\":\"in-force\",\"basis\":\"law\",\"citation\":\"89 FR 52434\"}"
#define KAV                                                                                        \
	"\"pack\":\"kaspersky\",\"pack_version\":\"2026.11.23.1\",\"vendor\":\"Kaspersky\","

static const struct golden {
	const char *what;
	struct event (*event)(const struct fixture *f);
	const char *ifname;
	bool        relayed;
	const char *line;
} goldens[] = {
	{ "blocked DNS query", event_blocked_dns, "lan0", false,
	  HEAD "\"event_type\":\"alert\",\"in_iface\":\"lan0\","
	  "\"src_ip\":\"10.0.0.7\",\"src_port\":50122,\"dest_ip\":\"8.8.8.8\",\"dest_port\":53,"
	  "\"proto\":\"UDP\",\"ip_v\":4,\"app_proto\":\"dns\","
	  "\"direction\":\"to_server\",\"community_id\":\"1:sl07KJcl8wsaDVbYeq8Vl58ypO4=\"," ETHER
	  "\"dns\":{\"version\":3,\"type\":\"request\",\"id\":4711,\"queries\":"
	  "[{\"rrname\":\"downloads.upd.kaspersky.com\",\"rrtype\":\"A\"}],"
	  "\"rrname\":\"downloads.upd.kaspersky.com\",\"rrtype\":\"A\"},"
	  "\"alert\":{\"action\":\"blocked\",\"gid\":1,\"signature_id\":9100017,\"rev\":2026112301,"
	  "\"signature\":\"Kaspersky update endpoint\",\"category\":\"Banned product\","
	  "\"severity\":2,\"metadata\":{\"vendor\":[\"Kaspersky\"],\"pack\":[\"kaspersky\"],\"confidence\":[\"high\"]}},"
	  "\"verdict\":{\"action\":\"drop\"},"
	  "\"nfqd\":{" SENSOR "\"name\":\"downloads.upd.kaspersky.com\","
	  "\"seen_in\":\"dns.query\",\"rule\":\"kav-update-downloads\","
	  "\"pattern\":\"downloads.upd.kaspersky.com\"," KAV "\"category\":\"update\","
	  "\"policy\":\"banned-vendors\"," STAGE ",\"action\":\"reject\","
	  "\"would\":\"reject\"," CLIENT
	  "\"matches\":[{\"pack\":\"kaspersky\",\"rule\":\"kav-update-downloads\"}],"
	  "\"relayed\":false,\"sent\":\"dns-nxdomain\"}}" },
	{ "logged TLS hello, two packs", event_logged_tls, NULL, false,
	  HEAD "\"event_type\":\"alert\","
	  "\"src_ip\":\"fd00:20::7\",\"src_port\":50122,\"dest_ip\":\"2001:db8::1\","
	  "\"dest_port\":443,\"proto\":\"TCP\",\"ip_v\":6,\"app_proto\":\"tls\","
	  "\"direction\":\"to_server\",\"community_id\":\"1:uTIKQmHCJg+/U+EPM2oxR3+G5Rw=\","
	  "\"tls\":{\"sni\":\"ksn-a-geo.kaspersky-labs.com\",\"version\":\"TLS 1.3\"},"
	  "\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":9100018,\"rev\":2026112301,"
	  "\"signature\":\"Kaspersky reputation endpoint\",\"category\":\"Banned product\","
	  "\"severity\":2,\"metadata\":{\"vendor\":[\"Kaspersky\"],\"pack\":[\"kaspersky\"],\"confidence\":[\"medium\"]}},"
	  "\"verdict\":{\"action\":\"alert\"},"
	  "\"nfqd\":{" SENSOR "\"name\":\"ksn-a-geo.kaspersky-labs.com\","
	  "\"seen_in\":\"tls.sni\",\"rule\":\"ksn-cloud\","
	  "\"pattern\":\"ksn-*-geo.kaspersky-labs.com\"," KAV "\"category\":\"reputation\","
	  "\"policy\":\"banned-vendors\"," STAGE ",\"action\":\"log\","
	  "\"would\":\"reject\",\"client\":{\"id\":\"ip:fd00:20::7\"},"
	  "\"matches\":[{\"pack\":\"kaspersky\",\"rule\":\"ksn-cloud\"},"
	  "{\"pack\":\"odd\",\"rule\":\"foreign\"}],\"relayed\":false}}" },
	{ "allowed listed name", event_allowed_tls, "lan0", false,
	  HEAD "\"event_type\":\"alert\",\"in_iface\":\"lan0\","
	  "\"src_ip\":\"10.0.0.7\",\"src_port\":50122,\"dest_ip\":\"93.184.216.34\","
	  "\"dest_port\":443,\"proto\":\"TCP\",\"ip_v\":4,\"app_proto\":\"tls\","
	  "\"direction\":\"to_server\",\"community_id\":\"1:jZmtlKR+60257ISKZ/+MnW2fYM0=\"," ETHER
	  "\"tls\":{\"sni\":\"media.kaspersky.com\",\"version\":\"TLS 1.3\"},"
	  "\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":9100019,\"rev\":2026112301,"
	  "\"signature\":\"Kaspersky web endpoint\",\"category\":\"Allowed name\","
	  "\"severity\":3,\"metadata\":{\"vendor\":[\"Kaspersky\"],\"pack\":[\"kaspersky\"],\"confidence\":[\"high\"]}},"
	  "\"verdict\":{\"action\":\"pass\"},"
	  "\"nfqd\":{" SENSOR "\"name\":\"media.kaspersky.com\","
	  "\"seen_in\":\"tls.sni\",\"rule\":\"removal-tool\",\"pattern\":\".kaspersky.com\"," KAV
	  "\"category\":\"web\",\"policy\":\"default\",\"stage\":null,\"action\":\"allow\","
	  "\"would\":\"allow\"," CLIENT
	  "\"matches\":[{\"pack\":\"kaspersky\",\"rule\":\"removal-tool\"}],\"relayed\":false}}" },
	{ "unlisted HTTP Host", event_unlisted_http, "", false,
	  HEAD "\"event_type\":\"http\","
	  "\"src_ip\":\"10.0.0.7\",\"src_port\":50122,\"dest_ip\":\"93.184.216.34\","
	  "\"dest_port\":80,\"proto\":\"TCP\",\"ip_v\":4,\"app_proto\":\"http\","
	  "\"direction\":\"to_server\",\"community_id\":\"1:1XjviXc4B8rv4ydm0EBb3i4Tfp0=\"," ETHER
	  "\"http\":{\"hostname\":\"example.org\",\"http_method\":\"GET\"},"
	  "\"nfqd\":{" SENSOR "\"name\":\"example.org\","
	  "\"seen_in\":\"http.host\",\"rule\":null,\"action\":\"allow\",\"would\":\"allow\"," CLIENT
	  "\"relayed\":false}}" },
	{ "site exception, relayed", event_excepted_dns, "lan0", true,
	  HEAD "\"event_type\":\"alert\",\"in_iface\":\"lan0\","
	  "\"src_ip\":\"10.0.0.7\",\"src_port\":50122,\"dest_ip\":\"8.8.8.8\",\"dest_port\":53,"
	  "\"proto\":\"UDP\",\"ip_v\":4,\"app_proto\":\"dns\","
	  "\"direction\":\"to_server\",\"community_id\":\"1:sl07KJcl8wsaDVbYeq8Vl58ypO4=\"," ETHER
	  "\"dns\":{\"version\":3,\"type\":\"request\",\"id\":4711,\"queries\":"
	  "[{\"rrname\":\"downloads.upd.kaspersky.com\",\"rrtype\":\"A\"}],"
	  "\"rrname\":\"downloads.upd.kaspersky.com\",\"rrtype\":\"A\"},"
	  "\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":9100017,\"rev\":2026112301,"
	  "\"signature\":\"Kaspersky update endpoint\",\"category\":\"Allowed name\","
	  "\"severity\":2,\"metadata\":{\"vendor\":[\"Kaspersky\"],\"pack\":[\"kaspersky\"],\"confidence\":[\"high\"]}},"
	  "\"verdict\":{\"action\":\"pass\"},"
	  "\"nfqd\":{" SENSOR "\"name\":\"downloads.upd.kaspersky.com\","
	  "\"seen_in\":\"dns.query\",\"rule\":\"kav-update-downloads\","
	  "\"pattern\":\"downloads.upd.kaspersky.com\"," KAV "\"category\":\"update\","
	  "\"policy\":\"banned-vendors\"," STAGE ","
	  "\"exception\":\"support-case-4711\",\"action\":\"allow\",\"would\":\"reject\"," CLIENT
	  "\"matches\":[{\"pack\":\"kaspersky\",\"rule\":\"kav-update-downloads\"}],"
	  "\"relayed\":true}}" },
	{ "dropped address", event_dropped_address, "lan0", false,
	  HEAD "\"event_type\":\"alert\",\"in_iface\":\"lan0\","
	  "\"src_ip\":\"10.0.0.7\",\"src_port\":50122,\"dest_ip\":\"192.0.2.7\","
	  "\"dest_port\":1443,\"proto\":\"TCP\",\"ip_v\":4,"
	  "\"direction\":\"to_server\",\"community_id\":\"1:AXDDaSXt6K9bV/9VkWMigdf7XHo=\"," ETHER
	  "\"alert\":{\"action\":\"blocked\",\"gid\":1,\"signature_id\":9100020,\"rev\":2026112301,"
	  "\"signature\":\"Kaspersky update endpoint\",\"category\":\"Banned product\","
	  "\"severity\":2,\"metadata\":{\"vendor\":[\"Kaspersky\"],\"pack\":[\"kaspersky\"],\"confidence\":[\"low\"]}},"
	  "\"verdict\":{\"action\":\"drop\"},"
	  "\"nfqd\":{" SENSOR "\"name\":\"192.0.2.7\","
	  "\"seen_in\":\"address\",\"rule\":\"net-update\",\"pattern\":\"192.0.2.0/24\"," KAV
	  "\"category\":\"update\",\"policy\":\"banned-vendors\"," STAGE ","
	  "\"action\":\"drop\",\"would\":\"drop\"," CLIENT
	  "\"matches\":[{\"pack\":\"kaspersky\",\"rule\":\"net-update\"}],\"relayed\":false}}" },
	{ "canary", event_canary, "lan0", false,
	  HEAD "\"event_type\":\"alert\",\"in_iface\":\"lan0\","
	  "\"src_ip\":\"10.0.0.7\",\"src_port\":50122,\"dest_ip\":\"93.184.216.34\","
	  "\"dest_port\":80,\"proto\":\"TCP\",\"ip_v\":4,\"app_proto\":\"http\","
	  "\"direction\":\"to_server\",\"community_id\":\"1:1XjviXc4B8rv4ydm0EBb3i4Tfp0=\"," ETHER
	  "\"http\":{\"hostname\":\"blocked.nfqd.invalid\",\"http_method\":\"GET\"},"
	  "\"alert\":{\"action\":\"blocked\",\"gid\":1,\"signature_id\":9200001,\"rev\":1,"
	  "\"signature\":\"nfqd canary endpoint\",\"category\":\"Canary\",\"severity\":3,"
	  "\"metadata\":{\"vendor\":[\"nfqd\"],\"pack\":[\"canary\"],\"confidence\":[\"high\"]}},"
	  "\"verdict\":{\"action\":\"drop\",\"reject\":[\"tcp-reset\"]},"
	  "\"nfqd\":{" SENSOR "\"name\":\"blocked.nfqd.invalid\","
	  "\"seen_in\":\"http.host\",\"rule\":\"blocked\",\"pattern\":\"blocked.nfqd.invalid\","
	  "\"pack\":\"canary\",\"pack_version\":\"1\",\"vendor\":\"nfqd\","
	  "\"category\":\"canary\",\"policy\":\"default\",\"stage\":null,\"action\":\"reject\","
	  "\"would\":\"reject\"," CLIENT
	  "\"matches\":[{\"pack\":\"canary\",\"rule\":\"blocked\"}],\"relayed\":false,\"sent\":\"tcp-reset\"}}" },
};

#define N_GOLDENS (sizeof(goldens) / sizeof(goldens[0]))

static size_t line_of(const struct golden *g, char *out, size_t room)
{
	struct event  e = g->event(&fix);
	struct record r = { .event = &e, .identity = &sensor, .seq = 88213, .relayed = g->relayed, .ifname = g->ifname };

	return eve_line(&r, out, room);
}

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_GOLDENS; i++) {
		char   line[EVE_MAX] = "";
		size_t n = line_of(&goldens[i], line, sizeof(line));

		assert_int_equal(n, strlen(line));
		if (strcmp(line, goldens[i].line) != 0)
			fail_msg("%s:\n got %s\nwant %s", goldens[i].what, line, goldens[i].line);
	}
}

/* Every line must be one that a strict reader takes, and one line. */
static json_t *reread(const struct event *e, const char *ifname)
{
	struct record r = { .event = e, .identity = &sensor, .seq = 1, .ifname = ifname };
	char          line[EVE_MAX];
	json_t       *json;
	json_error_t  error;

	assert_true(eve_line(&r, line, sizeof(line)) > 0);
	assert_null(strpbrk(line, "\n\r"));
	json = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%s in %s", error.text, line);
	return json;
}

static const char *inside(json_t *json, const char *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(json, object), key));
}

static void test_odd_text(void **state)
{
	static const char odd[] = "a\"\\\x01\xff.\xc3\xa9.example";
	struct event      e = event_plain(&fix, APP_DNS, SEEN_DNS_QUERY, odd);
	json_t           *json;

	(void)state;
	event_hit(&e, RULE_FOREIGN, PATTERN_EXACT, 3, ACTION_LOG, ACTION_LOG);
	json = reread(&e, "eth\xff\"0");
	assert_string_equal(inside(json, "nfqd", "name"),
	                    "a\\034\\092\\001\\255.\\195\\169.example");
	assert_string_equal(inside(json, "nfqd", "pattern"), inside(json, "nfqd", "name"));
	assert_string_equal(inside(json, "nfqd", "vendor"), "\xd0\x9b \"Lab\"");
	assert_string_equal(inside(json, "nfqd", "pack_version"), "1\\255\n2");
	assert_string_equal(inside(json, "alert", "signature"),
	                    "\xd0\x9b \"Lab\" telemetry endpoint");
	assert_string_equal(json_string_value(json_object_get(json, "in_iface")), "eth\\255\"0");
	json_decref(json);

	/* a name that never met name_canonical() */
	memcpy(e.name.text, "\x80\xfe\x1b[2J\n", 8);
	json = reread(&e, NULL);
	assert_string_equal(inside(json, "dns", "rrname"), "\\128\\254\x1b[2J\n");
	json_decref(json);
}

static void test_every_method_byte(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		struct event e = event_unlisted_http(&fix);
		json_t      *json;

		memset(e.http.method, c, sizeof(e.http.method) - 1);
		json = reread(&e, NULL);
		assert_non_null(inside(json, "http", "http_method"));
		json_decref(json);
	}
}

static void test_without_ruleset(void **state)
{
	struct event e = event_plain(NULL, APP_DNS, SEEN_DNS_QUERY, "example.org");
	json_t      *json;

	(void)state;
	e.dns_type = 4711;
	e.flow_id = UINT64_MAX;
	e.proto = 132;
	e.src.len = 0;
	e.has_mac = false;
	json = reread(&e, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "event_type")), "dns");
	assert_string_equal(json_string_value(json_object_get(json, "proto")), "132");
	assert_string_equal(inside(json, "dns", "rrtype"), "TYPE4711");
	assert_int_equal(json_integer_value(json_object_get(json, "flow_id")),
	                 (INT64_C(1) << 53) - 1);
	assert_true(json_is_null(json_object_get(json_object_get(json, "nfqd"), "rule")));
	assert_null(json_object_get(json, "alert"));
	json_decref(json);
}

/* A line is whole or there is none. */
static void test_no_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_GOLDENS; i++) {
		size_t whole = strlen(goldens[i].line);
		char   line[EVE_MAX];

		for (size_t room = 0; room <= whole; room++)
			assert_int_equal(line_of(&goldens[i], line, room), 0);
		assert_int_equal(line_of(&goldens[i], line, whole + 1), whole);
		assert_string_equal(line, goldens[i].line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_odd_text),
		cmocka_unit_test(test_every_method_byte),
		cmocka_unit_test(test_without_ruleset),
		cmocka_unit_test(test_no_room),
	};
	int failed;

	fixture_open(&fix);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_close(&fix);
	return failed;
}

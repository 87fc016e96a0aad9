/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deciding, on packs and configurations written as a site would write them. */
#include "decide/policy.h"

#include <netinet/in.h>

#include "../match/support.h"
#include "base/clock.h"
#include "shared/conf.h"
#include "shared/state.h"

static const char pack_text[] =
	"pack: kav\n"
	"vendor: K\n"
	"version: 1\n"
	"sources: [{id: s, url: u}]\n"
	"stages:\n"
	"  - {id: announced, from: 2024-06-24T04:00:00Z, action: log, basis: law}\n"
	"  - {id: in-force, from: 2024-09-29T04:00:00Z, action: block, categories: [update], basis: "
	"law}\n"
	"entries:\n"
	"  - {id: up, names: [.up.k.x], category: update, sources: [s], confidence: high, side_effect: "
	"none, products: [desktop, server]}\n"
	"  - {id: web, names: [.k.x], category: web, sources: [s], confidence: low, side_effect: none}\n"
	"  - {id: lowered, names: [low.up.k.x], category: update, sources: [s], confidence: medium, "
	"side_effect: none, action: log}\n"
	"  - {id: tool, names: [tool.k.x], category: update, sources: [s], confidence: high, "
	"side_effect: none, action: allow}\n"
	"  - {id: deep, names: [b.soft.k.x], category: update, sources: [s], confidence: high, "
	"side_effect: none}\n"
	"nets:\n"
	"  - {cidr: 192.0.2.0/24, category: update, sources: [s], confidence: high}\n";

/* Another vendor's, over the same names. */
static const char other_text[] =
	"pack: other\n"
	"vendor: O\n"
	"version: 1\n"
	"sources: [{id: s, url: u}]\n"
	"stages: [{id: now, from: 2020-01-01, action: block, basis: site}]\n"
	"entries:\n"
	"  - {id: all, names: [.k.x], category: telemetry, sources: [s], confidence: high, side_effect: "
	"none}\n"
	"  - {id: longer, names: [a.tool.k.x, tool.k.x], category: telemetry, sources: [s], confidence: "
	"high, side_effect: none}\n"
	"  - {id: soft, names: [.soft.k.x], category: web, sources: [s], confidence: high, side_effect: "
	"none, action: allow}\n";

struct row {
	const char *what;
	const char *policies; /* the configuration behind `rules` */
	const char *name, *client, *at;
	const char *expected; /* "action would policy stage pack/rule exception" */
};

#define STAGE "policies: [{name: site, match: {packs: [kav]}, action: stage}]\n"
#define AFTER "2024-09-29T04:00:00Z"
#define MAC   "3c:52:82:00:00:01"

static const struct row rows[] = {
	{ "unlisted", STAGE, "example.org", "10.0.0.1", AFTER, "allow allow - - - -" },
	{ "before the first stage", STAGE, "a.up.k.x", "10.0.0.1", "2024-06-24T03:59:59Z",
	  "log log site - kav/up -" },
	{ "a second before the stage", STAGE, "a.up.k.x", "10.0.0.1", "2024-09-29T03:59:59Z",
	  "log log site announced kav/up -" },
	{ "its first second", STAGE, "a.up.k.x", "10.0.0.1", "2024-09-29T04:00:00Z",
	  "reject reject site in-force kav/up -" },
	{ "a category the stage does not list", STAGE, "k.x", "10.0.0.1", AFTER,
	  "log log site announced kav/web -" },
	{ "an entry lowers the stage", STAGE, "low.up.k.x", "10.0.0.1", AFTER,
	  "log log site in-force kav/lowered -" },
	{ "the policy's reject overrules an entry's log",
	  "policies: [{name: site, match: {packs: [kav]}, action: reject}]\n", "low.up.k.x",
	  "10.0.0.1", AFTER, "reject reject site in-force kav/lowered -" },
	{ "the policy's drop, too", "policies: [{name: site, action: drop}]\n", "low.up.k.x",
	  "10.0.0.1", AFTER, "drop drop site in-force kav/lowered -" },
	{ "but never allow", "policies: [{name: site, match: {packs: [kav]}, action: reject}]\n",
	  "tool.k.x", "10.0.0.1", AFTER, "allow allow site in-force kav/tool -" },
	{ "nor does a log policy log it", "policies: [{name: site, action: log}]\n", "tool.k.x",
	  "10.0.0.1", AFTER, "allow allow site in-force kav/tool -" },
	{ "allow without any policy", "policies: []\n", "tool.k.x", "10.0.0.1", AFTER,
	  "allow allow - in-force kav/tool -" },
	{ "an allow protects against another pack's shorter name",
	  "policies: [{name: site, action: stage}]\n", "a.soft.k.x", "10.0.0.1", AFTER,
	  "allow allow site now other/soft -" },
	{ "not against its longer one", "policies: [{name: site, action: stage}]\n", "b.soft.k.x",
	  "10.0.0.1", AFTER, "reject reject site in-force kav/deep -" },
	{ "a policy that meets only the allow does not decide about the other",
	  "policies: [{name: site, match: {packs: [other]}, action: reject}]\n", "b.soft.k.x",
	  "10.0.0.1", AFTER, "allow allow - in-force kav/deep -" },
	{ "two hits of packs, the first pack's decides", "policies: [{name: site, action: stage}]\n",
	  "a.tool.k.x", "10.0.0.1", AFTER, "log log site announced kav/web -" },
	{ "unless the policy is about the second",
	  "policies: [{name: site, match: {packs: [other]}, action: stage}]\n", "a.tool.k.x",
	  "10.0.0.1", AFTER, "reject reject site now other/longer -" },
	{ "the first policy that matches any hit",
	  "policies:\n  - {name: one, match: {packs: [other]}, action: log}\n"
	  "  - {name: two, match: {packs: [kav]}, action: reject}\n",
	  "a.up.k.x", "10.0.0.1", AFTER, "log log one now other/all -" },
	{ "the policies' order, not the packs'",
	  "policies:\n  - {name: two, match: {packs: [kav]}, action: reject}\n"
	  "  - {name: one, match: {packs: [other]}, action: log}\n",
	  "a.up.k.x", "10.0.0.1", AFTER, "reject reject two in-force kav/up -" },
	{ "no policy matches", "policies: [{name: site, match: {categories: [push]}, action: reject}]\n",
	  "a.up.k.x", "10.0.0.1", AFTER, "allow allow - in-force kav/up -" },
	{ "no policy matches, default log", "policies: []\ndefault: log\n", "a.up.k.x", "10.0.0.1",
	  AFTER, "log log - in-force kav/up -" },
	{ "no policies given", "", "a.up.k.x", "10.0.0.1", AFTER,
	  "reject reject all-packs in-force kav/up -" },
	{ "mode log", "mode: log\n" STAGE, "a.up.k.x", "10.0.0.1", AFTER,
	  "log reject site in-force kav/up -" },
	{ "mode log does not raise allow", "mode: log\n" STAGE, "tool.k.x", "10.0.0.1", AFTER,
	  "allow allow site in-force kav/tool -" },
	{ "a policy that allows", "policies: [{name: site, action: allow}]\n", "a.up.k.x", "10.0.0.1",
	  AFTER, "allow allow site in-force kav/up -" },

	{ "the canary, before every policy", "policies: [{name: site, action: allow}]\n",
	  "blocked.nfqd.invalid", "10.0.0.1", AFTER,
	  "reject reject canary always canary/canary-blocked -" },
	{ "the canary in mode log", "mode: log\npolicies: []\n", "blocked.nfqd.invalid", "10.0.0.1",
	  "1980-01-01", "log reject canary always canary/canary-blocked -" },

	{ "a network of clients",
	  "policies: [{name: site, clients: [10.20.0.0/16], action: reject}]\n", "k.x", "10.20.3.4",
	  AFTER, "reject reject site announced kav/web -" },
	{ "outside of it", "policies: [{name: site, clients: [10.20.0.0/16], action: reject}]\n",
	  "k.x", "10.21.3.4", AFTER, "allow allow - announced kav/web -" },
	{ "an address", "policies: [{name: site, clients: [10.20.3.4], action: reject}]\n", "k.x",
	  "10.20.3.4", AFTER, "reject reject site announced kav/web -" },
	{ "an IPv6 network", "policies: [{name: site, clients: [\"fd00:20::/32\"], action: reject}]\n",
	  "k.x", "fd00:20::7", AFTER, "reject reject site announced kav/web -" },
	{ "IPv4 is not in an IPv6 network",
	  "policies: [{name: site, clients: [\"::/0\"], action: reject}]\n", "k.x", "10.0.0.1", AFTER,
	  "allow allow - announced kav/web -" },
	{ "a MAC", "policies: [{name: site, clients: [\"" MAC "\"], action: reject}]\n", "k.x", MAC,
	  AFTER, "reject reject site announced kav/web -" },
	{ "another MAC", "policies: [{name: site, clients: [\"3c:52:82:00:00:02\"], action: reject}]\n",
	  "k.x", MAC, AFTER, "allow allow - announced kav/web -" },
	{ "a MAC that is not known",
	  "policies: [{name: site, clients: [\"" MAC "\"], action: reject}]\n", "k.x", "10.0.0.1",
	  AFTER, "allow allow - announced kav/web -" },
	{ "an interface", "policies: [{name: site, clients: [lan0], action: reject}]\n", "k.x", "lan0",
	  AFTER, "reject reject site announced kav/web -" },
	{ "another interface", "policies: [{name: site, clients: [lan0], action: reject}]\n", "k.x",
	  "lan01", AFTER, "allow allow - announced kav/web -" },
	{ "one of several", "policies: [{name: site, clients: [lan9, 10.0.0.1], action: reject}]\n",
	  "k.x", "10.0.0.1", AFTER, "reject reject site announced kav/web -" },

	{ "a category", "policies: [{name: site, match: {categories: [push, update]}, action: reject}]\n",
	  "a.up.k.x", "10.0.0.1", AFTER, "reject reject site in-force kav/up -" },
	{ "a product", "policies: [{name: site, match: {products: [server]}, action: reject}]\n",
	  "a.up.k.x", "10.0.0.1", AFTER, "reject reject site in-force kav/up -" },
	{ "another product", "policies: [{name: site, match: {products: [phone]}, action: reject}]\n",
	  "a.up.k.x", "10.0.0.1", AFTER, "allow allow - in-force kav/up -" },
	{ "a confidence",
	  "policies: [{name: site, match: {packs: [kav], confidence: [low]}, action: reject}]\n", "k.x",
	  "10.0.0.1", AFTER, "reject reject site announced kav/web -" },
	{ "another confidence",
	  "policies: [{name: site, match: {packs: [kav], confidence: [medium, high]}, action: "
	  "reject}]\n",
	  "k.x", "10.0.0.1", AFTER, "allow allow - announced kav/web -" },
	{ "a port (443 is asked for)",
	  "policies: [{name: site, match: {ports: [tcp/443]}, action: reject}]\n", "k.x", "10.0.0.1",
	  AFTER, "reject reject site announced kav/web -" },
	{ "another port", "policies: [{name: site, match: {ports: [udp/443, tcp/80]}, action: reject}]\n",
	  "k.x", "10.0.0.1", AFTER, "allow allow - announced kav/web -" },
	{ "from", "policies: [{name: site, from: 2024-09-29T04:00:00Z, action: reject}]\n", "k.x",
	  "10.0.0.1", "2024-09-29T04:00:00Z", "reject reject site announced kav/web -" },
	{ "before from", "policies: [{name: site, from: 2024-09-29T04:00:00Z, action: reject}]\n",
	  "k.x", "10.0.0.1", "2024-09-29T03:59:59Z", "allow allow - announced kav/web -" },
	{ "before until", "policies: [{name: site, until: 2024-09-29T04:00:00Z, action: reject}]\n",
	  "k.x", "10.0.0.1", "2024-09-29T03:59:59Z", "reject reject site announced kav/web -" },
	{ "until", "policies: [{name: site, until: 2024-09-29T04:00:00Z, action: reject}]\n", "k.x",
	  "10.0.0.1", "2024-09-29T04:00:00Z", "allow allow - announced kav/web -" },

#define EXCEPTION(more)                                                                            \
	STAGE "exceptions:\n"                                                                      \
	      "  - {name: case, names: [.up.k.x], owner: o, reason: r, expires: 2024-12-01" more "}\n"
	{ "an exception", EXCEPTION(""), "a.up.k.x", "10.0.0.1", AFTER,
	  "allow reject site in-force kav/up case" },
	{ "one for another name", EXCEPTION(""), "web.k.x", "10.0.0.1", AFTER,
	  "log log site announced kav/web -" },
	{ "a hello, not a question, for a name above it", EXCEPTION(""), "k.x", "10.0.0.1", AFTER,
	  "log log site announced kav/web -" },
	{ "one for an unlisted name does nothing", EXCEPTION(", clients: [10.0.0.1]"), "example.org",
	  "10.0.0.1", AFTER, "allow allow - - - -" },
	{ "its client", EXCEPTION(", clients: [10.0.0.1]"), "a.up.k.x", "10.0.0.1", AFTER,
	  "allow reject site in-force kav/up case" },
	{ "another client", EXCEPTION(", clients: [10.0.0.1]"), "a.up.k.x", "10.0.0.2", AFTER,
	  "reject reject site in-force kav/up -" },
	{ "its last second", EXCEPTION(""), "a.up.k.x", "10.0.0.1", "2024-11-30T23:59:59Z",
	  "allow reject site in-force kav/up case" },
	{ "expired", EXCEPTION(""), "a.up.k.x", "10.0.0.1", "2024-12-01T00:00:00Z",
	  "reject reject site in-force kav/up -" },
	{ "an exception in mode log", "mode: log\n" EXCEPTION(""), "a.up.k.x", "10.0.0.1", AFTER,
	  "allow reject site in-force kav/up case" },
	{ "the first that fits the client",
	  STAGE "exceptions:\n"
	        "  - {name: one, names: [a.up.k.x], clients: [10.0.0.1], owner: o, reason: r, expires: "
	        "2024-12-01}\n"
	        "  - {name: old, names: [a.up.k.x], owner: o, reason: r, expires: 2024-01-01}\n"
	        "  - {name: two, names: [\"a*.k.x\", .up.k.x], clients: [10.0.0.2], owner: o, reason: r, "
	        "expires: 2024-12-01}\n",
	  "a.up.k.x", "10.0.0.2", AFTER, "allow reject site in-force kav/up two" },
	{ "an exception needs none where an entry allows", EXCEPTION(""), "tool.k.x", "10.0.0.1",
	  AFTER, "allow allow site in-force kav/tool -" },
};

static void decision_text(const struct ruleset *rs, const struct decision *d, char *out, size_t room)
{
	const struct rs_rule *r = d->hit < 0 ? NULL : &rs->rules[d->match.hits[d->hit].rule];

	snprintf(out, room, "%s %s %s %s %s%s%s %s", action_words[d->action], action_words[d->would],
	         d->policy < 0 ? "-" : rs_text(rs, rs_policy(rs, d->policy)->name),
	         d->stage < 0 ? "-" : rs_text(rs, rs->stages[d->stage].id),
	         r ? rs_text(rs, rs->packs[r->pack].id) : "-", r ? "/" : "",
	         r ? rs_text(rs, r->id) : "",
	         d->exception < 0 ? "-" : rs_text(rs, rs_exception(rs, d->exception)->name));
}

static void write_conf(const char *policies)
{
	char text[4000];

	snprintf(text, sizeof(text), "rules: [kav.yaml, other.yaml]\n%s", policies);
	write_file("nfqd.yaml", text);
}

static struct image *build(const char *policies)
{
	struct err    err = { .text = "" };
	struct image *img = NULL;
	struct conf  *c;

	write_conf(policies);
	c = conf_load("nfqd.yaml", &err);
	if (!c || conf_compile(c, &img, &err) < 0)
		fail_msg("%s", err.text);
	conf_free(c);
	return img;
}

/* An address, a MAC or an interface; the client's address is 198.51.100.1 with the latter two. */
static struct client client_of(const char *text, uint8_t mac[6])
{
	struct client c = { .mac = NULL };

	if (addr_parse(text, &c.addr) == 0)
		return c;
	addr_parse("198.51.100.1", &c.addr);
	if (mac_parse(text, mac) == 0)
		c.mac = mac;
	else
		c.iface = text;
	return c;
}

static void test_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct image   *img = build(rows[i].policies);
		uint8_t         mac[6];
		struct client   client = client_of(rows[i].client, mac);
		struct ruleset  rs;
		struct name     name = { .seen_in = SEEN_TLS_SNI };
		struct match    m;
		struct decision d;
		int64_t         at;
		char            got[400];

		ruleset_open(&rs, img);
		name_canonical(&name, span_str(rows[i].name));
		ruleset_match_name(&rs, &name, &m);
		assert_int_equal(clock_parse(rows[i].at, &at), 0);
		policy_decide(&rs, &m, &client, IPPROTO_TCP, 443, at, &d);
		decision_text(&rs, &d, got, sizeof(got));
		same_text(rows[i].what, got, rows[i].expected);
		free(img);
	}
}

static void test_address(void **state)
{
	struct image   *img = build(STAGE);
	struct client   client = { .mac = NULL };
	struct ruleset  rs;
	struct addr     a;
	struct match    m;
	struct decision d;
	int64_t         at;
	char            got[400];

	(void)state;
	ruleset_open(&rs, img);
	addr_parse("192.0.2.9", &a);
	addr_parse("10.0.0.1", &client.addr);
	clock_parse(AFTER, &at);
	ruleset_match_addr(&rs, &a, IPPROTO_TCP, 443, false, &m);
	policy_decide(&rs, &m, &client, IPPROTO_TCP, 443, at, &d);
	decision_text(&rs, &d, got, sizeof(got));
	assert_string_equal(got, "reject reject site in-force kav/net-192.0.2.0/24 -");
	free(img);
}

static void test_dns_style(void **state)
{
	struct image   *img = build("policies:\n"
	                            "  - {name: a, match: {categories: [update]}, action: reject, dns: "
	                            "sinkhole}\n"
	                            "  - {name: b, action: reject}\n");
	static const struct {
		const char *name;
		int         dns;
	} styles[] = { { "up.k.x", DNS_SINKHOLE }, { "k.x", DNS_NXDOMAIN } };
	struct client   client = { .mac = NULL };
	struct ruleset  rs;
	struct decision d;

	(void)state;
	ruleset_open(&rs, img);
	for (size_t i = 0; i < N_OF(styles); i++) {
		struct name  name = { .seen_in = SEEN_TLS_SNI };
		struct match m;

		name_canonical(&name, span_str(styles[i].name));
		ruleset_match_name(&rs, &name, &m);
		policy_decide(&rs, &m, &client, IPPROTO_UDP, 53, 0, &d);
		assert_int_equal(d.action, ACTION_REJECT);
		assert_int_equal(d.dns, styles[i].dns);
	}
	free(img);
}

/* ---- a running daemon: its mode, its clock, packs that are new to it ------------------------ */

static void test_live(void **state)
{
#define OBSERVE "policies: [{name: site, match: {packs: [kav]}, action: reject, observe-for: 7d}]\n"
	static const struct {
		const char *what, *policies;
		int         mode;
		const char *first_seen, *at, *expected;
	} cases[] = {
		{ "mode off, whatever the policy", "policies: [{name: site, action: drop}]\n", MODE_OFF,
		  "2024-10-01", "2026-01-01", "allow drop site in-force kav/up -" },
		{ "mode log instead of the configuration's", STAGE, MODE_LOG, "2024-10-01", "2026-01-01",
		  "log reject site in-force kav/up -" },
		{ "a new pack is observed", OBSERVE, MODE_ENFORCE, "2026-01-01", "2026-01-07T23:59:59Z",
		  "log reject site in-force kav/up -" },
		{ "for as long as that", OBSERVE, MODE_ENFORCE, "2026-01-01", "2026-01-08",
		  "reject reject site in-force kav/up -" },
		{ "also before it was seen, by a clock that was set back", OBSERVE, MODE_ENFORCE,
		  "2026-01-01", "2025-12-31", "log reject site in-force kav/up -" },
		{ "a policy without it does not wait", STAGE, MODE_ENFORCE, "2026-01-01",
		  "2026-01-01", "reject reject site in-force kav/up -" },
		{ "mode off while observing", OBSERVE, MODE_OFF, "2026-01-01", "2026-01-02",
		  "allow reject site in-force kav/up -" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct err      err = { .text = "" };
		struct state    kept;
		struct overlay     live = { .mode = cases[i].mode, .state = &kept };
		struct client   client = { .mac = NULL };
		struct image   *img = NULL;
		struct conf    *c;
		struct ruleset  rs;
		struct name     name = { .seen_in = SEEN_TLS_SNI };
		struct match    m;
		struct decision d;
		int64_t         seen, at;
		char            got[400];

		write_conf(cases[i].policies);
		c = conf_load("nfqd.yaml", &err);
		assert_int_equal(state_read(&kept, "no-such-file", &err), 0);
		clock_parse(cases[i].first_seen, &seen);
		clock_parse(cases[i].at, &at);
		state_first_seen(&kept, "kav", seen);
		if (!c || conf_compile_running(c, &live, NULL, &img, &err) < 0)
			fail_msg("%s: %s", cases[i].what, err.text);
		ruleset_open(&rs, img);
		name_canonical(&name, span_str("a.up.k.x"));
		ruleset_match_name(&rs, &name, &m);
		policy_decide(&rs, &m, &client, IPPROTO_TCP, 443, at, &d);
		decision_text(&rs, &d, got, sizeof(got));
		same_text(cases[i].what, got, cases[i].expected);
		free(img);
		state_fini(&kept);
		conf_free(c);
	}
}

/* A pack that is there proves that its date has come, wherever on earth it was made. */
static void test_present(void **state)
{
	static const struct {
		const char *what, *version, *clock, *present;
	} cases[] = {
		{ "a clock without a battery", "2026.11.23.1", "1970-01-01", "2026-11-22T10:00:00Z" },
		{ "a clock that may be right", "2026.11.23.1", "2026-11-22T12:00:00Z",
		  "2026-11-22T12:00:00Z" },
		{ "years later", "2026.11.23.1", "2030-01-01", "2030-01-01T00:00:00Z" },
		{ "a version without a date", "7", "1970-01-01", "1970-01-01T00:00:00Z" },
		{ "one that only looks like it", "2026.13.45.1", "1970-01-01", "1970-01-01T00:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		char            pack[300], got[CLOCK_TEXT];
		char           *rules[] = { (char[]){ "dated.yaml" } };
		struct err      err = { .text = "" };
		struct conf    *c;
		struct state    kept;
		struct overlay     live = { .mode = MODE_ENFORCE, .state = &kept };
		struct image   *img = NULL, *capture = NULL;
		struct ruleset  rs;
		int64_t         clock;

		/* the canary's own date must not hide the case's */
		snprintf(pack, sizeof(pack), "pack: canary\nvendor: v\nversion: \"%s\"\n"
		         "sources: [{id: s, url: u}]\nstages: []\nentries: []\n", cases[i].version);
		write_file("dated.yaml", pack);
		c = conf_default(rules, 1, &err);
		assert_int_equal(state_read(&kept, "no-such-file", &err), 0);
		if (!c || conf_compile_running(c, &live, NULL, &img, &err) < 0 ||
		    conf_compile(c, &capture, &err) < 0)
			fail_msg("%s: %s", cases[i].what, err.text);
		clock_parse(cases[i].clock, &clock);
		ruleset_open(&rs, img);
		clock_text_iso(policy_present(&rs, clock), got);
		same_text(cases[i].what, got, cases[i].present);
		ruleset_open(&rs, capture); /* captures carry their own time */
		assert_int_equal(policy_present(&rs, clock), clock);
		free(img);
		free(capture);
		state_fini(&kept);
		conf_free(c);
	}
}

static void test_address_exception(void **state)
{
	static const struct {
		const char *name, *expected;
	} cases[] = {
		{ "192.0.2.9", "allow reject site in-force kav/net-192.0.2.0/24 case" },
		{ "\"192.0.2.8/30\"", "allow reject site in-force kav/net-192.0.2.0/24 case" },
		{ "192.0.2.8", "reject reject site in-force kav/net-192.0.2.0/24 -" },
		{ "\"2001:db8::/32\"", "reject reject site in-force kav/net-192.0.2.0/24 -" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct client   client = { .mac = NULL };
		struct image   *img;
		struct ruleset  rs;
		struct addr     a;
		struct match    m;
		struct decision d;
		int64_t         at;
		char            text[300], got[400];

		snprintf(text, sizeof(text), STAGE "exceptions:\n  - {name: case, names: [%s], owner: o, "
		         "reason: r, expires: 2024-12-01}\n", cases[i].name);
		img = build(text);
		ruleset_open(&rs, img);
		addr_parse("192.0.2.9", &a);
		clock_parse(AFTER, &at);
		ruleset_match_addr(&rs, &a, IPPROTO_TCP, 443, false, &m);
		policy_decide(&rs, &m, &client, IPPROTO_TCP, 443, at, &d);
		decision_text(&rs, &d, got, sizeof(got));
		same_text(cases[i].name, got, cases[i].expected);
		free(img);
	}
}

static int setup(void **state)
{
	if (enter_folder(state) < 0)
		return -1;
	write_file("kav.yaml", pack_text);
	write_file("other.yaml", other_text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_dns_style),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_present),
		cmocka_unit_test(test_address_exception),
	};

	return cmocka_run_group_tests(tests, setup, leave_folder);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/pack.h"

#include <sys/stat.h>

#include "base/diag.h"
#include "base/yaml.h"
#include "support.h"

#define HEAD                                                                                       \
	"pack: p\n"                                                                                \
	"vendor: V\n"                                                                              \
	"version: 1\n"                                                                             \
	"sources: [{id: s1, url: u}, {id: s2, title: t}]\n"
#define STAGES "stages: [{id: a, from: 2024-01-01, action: block, basis: law, citation: c}]\n"
#define ENTRY                                                                                      \
	"entries:\n"                                                                               \
	"  - id: e\n"                                                                              \
	"    names: [a.example]\n"                                                                 \
	"    category: update\n"                                                                   \
	"    sources: [s1]\n"                                                                      \
	"    confidence: high\n"                                                                   \
	"    side_effect: none\n"

/* The published example of a pack: must load as it stands. */
static const char contract[] =
	"pack: example-vendor\n"
	"vendor: Example Vendor\n"
	"title: Example Vendor update and telemetry endpoints\n"
	"version: 2026.11.23.1\n"
	"expires: 2027-11-23\n"
	"license: CC0-1.0\n"
	"sources:\n"
	"  - {id: vendor-help, title: Network settings for interaction with external services, url: "
	"\"https://support.example.com/ports\", publisher: vendor, retrieved: 2026-11-23}\n"
	"stages:\n"
	"  - {id: announced, from: 2024-06-24T04:00:00Z, action: log, basis: law, citation: \"89 FR "
	"52434\"}\n"
	"  - {id: in-force, from: 2024-09-29T04:00:00Z, action: block, categories: [update, "
	"reputation, telemetry], basis: law, citation: \"89 FR 52434, 15 CFR part 7 (now part "
	"791)\"}\n"
	"  - {id: no-renewal, from: 2024-09-29T04:00:00Z, action: block, categories: [activation], "
	"basis: site, citation: \"site policy; new agreements barred by 89 FR 52434 since "
	"2024-07-20\"}\n"
	"entries:\n"
	"  - id: example-update-mirrors\n"
	"    names: [\"s[00-19].upd.example.com\", downloads.upd.example.com]\n"
	"    category: update\n"
	"    ports: [tcp/443]\n"
	"    products: [desktop 2019-2024]\n"
	"    sources: [vendor-help]\n"
	"    confidence: high\n"
	"    side_effect: Signatures age; the product reports outdated databases. The web site stays "
	"reachable.\n"
	"  - id: example-cloud\n"
	"    names: [.cloud.example.com, \"ksn-*-geo.example.com\"]\n"
	"    category: reputation\n"
	"    ports: [tcp/443, udp/443]\n"
	"    sources: [vendor-help]\n"
	"    confidence: high\n"
	"    shared: true\n"
	"    side_effect: Cloud look-ups fail, local scanning goes on.\n"
	"  - id: example-removal-tool\n"
	"    names: [media.example.com]\n"
	"    category: web\n"
	"    sources: [vendor-help]\n"
	"    confidence: high\n"
	"    action: allow\n"
	"    side_effect: none, never blocked\n"
	"nets:\n"
	"  - {cidr: 192.0.2.0/24, asn: 64496, category: update, sources: [vendor-help], confidence: "
	"medium, action: log, side_effect: none}\n"
	"tests:                             # `allow` lists names that must come out allowed\n"
	"  allow: [media.example.com]\n"
	"  match: [s07.upd.example.com, S19.UPD.example.com, a.cloud.example.com, "
	"ksn-url-geo.example.com]\n"
	"  no_match: [s20.upd.example.com, upd.example.com.evil.test, notcloud.example.com, "
	"ksn--geo.example.com.evil.test]\n";

static void test_contract(void **state)
{
	struct err   err = { .text = "" };
	struct pack *p;

	(void)state;
	write_file("p.yaml", contract);
	p = pack_load("p.yaml", &err);
	assert_string_equal(err.text, "");
	assert_int_equal(p->n_entries, 3);
	assert_int_equal(p->n_stages, 3);
	assert_int_equal(p->stages[1].n_categories, 3);
	assert_int_equal(p->entries[1].shared, true);
	assert_int_equal(p->entries[2].action, ENTRY_ALLOW);
	assert_int_equal(p->nets[0].asn, 64496);
	assert_int_equal(pack_test(p, &err), 0);
	pack_free(p);
}

static void test_messages(void **state)
{
	static const struct {
		const char *what, *text, *expected;
	} rows[] = {
		{ "all is well", HEAD STAGES ENTRY, "" },
		{ "no entries", HEAD "stages: []\nentries: []\n", "" },
		{ "no stages", HEAD ENTRY, "p.yaml:1: missing key 'stages'" },
		{ "no version", "pack: p\nvendor: v\nsources: []\nstages: []\nentries: []\n",
		  "p.yaml:1: missing key 'version'" },
		{ "a bad pack id", "pack: a b\nvendor: v\nversion: 1\nsources: []\nstages: []\nentries: []\n",
		  "p.yaml:1: pack 'a b': an id is made of up to 100 letters, digits, '-', '_' and '.'" },
		{ "a bad date of expiry", HEAD "expires: soon\n" STAGES ENTRY,
		  "p.yaml:5: pack 'p': expires: 'soon' is not a date (write 2024-09-29 or "
		  "2024-09-29T04:00:00Z)" },
		{ "a day that is not", HEAD "expires: 2026-02-31\n" STAGES ENTRY,
		  "p.yaml:5: pack 'p': expires: '2026-02-31' is not a date (write 2024-09-29 or "
		  "2024-09-29T04:00:00Z)" },
		{ "a bad date of a stage",
		  HEAD "stages:\n  - {id: a, from: x, action: log, basis: law}\n" ENTRY,
		  "p.yaml:6: stage 'a': from: 'x' is not a date (write 2024-09-29 or "
		  "2024-09-29T04:00:00Z)" },
		{ "a bad date of a source",
		  "pack: p\nvendor: v\nversion: 1\nsources:\n  - id: s\n    retrieved: x\n" STAGES
		  "entries: []\n",
		  "p.yaml:6: source 's': retrieved: 'x' is not a date (write 2024-09-29 or "
		  "2024-09-29T04:00:00Z)" },
		{ "an unknown action of a stage",
		  HEAD "stages: [{id: a, from: 2024-01-01, action: stop, basis: law}]\n" ENTRY,
		  "p.yaml:5: stage 'a': action: 'stop' is not one of log, block" },
		{ "an unknown category", HEAD STAGES
		  "entries:\n  - id: e\n    names: [a.b]\n    category: updates\n    sources: [s1]\n"
		  "    confidence: high\n    side_effect: none\n",
		  "p.yaml:9: entry 'e': category: 'updates' is not one of update, telemetry, reputation, "
		  "activation, account, push, crash, web, resolver, canary, firmware, licence" },
		{ "an action that an entry cannot have", HEAD STAGES ENTRY "    action: block\n",
		  "p.yaml:13: entry 'e': action: 'block' is not one of log, allow" },
		{ "no side effect", HEAD STAGES
		  "entries:\n  - id: e\n    names: [a.b]\n    category: web\n    sources: [s1]\n"
		  "    confidence: high\n",
		  "p.yaml:7: entry 'e': missing key 'side_effect'" },
		{ "an unknown source", HEAD STAGES
		  "entries:\n  - id: e\n    names: [a.b]\n    category: web\n    sources:\n      - s1\n"
		  "      - s3\n    confidence: high\n    side_effect: none\n",
		  "p.yaml:12: entry 'e': unknown source 's3' (allowed: s1, s2)" },
		{ "no sources at all", HEAD STAGES
		  "entries:\n  - id: e\n    names: [a.b]\n    category: web\n    sources: []\n"
		  "    confidence: high\n    side_effect: none\n",
		  "p.yaml:10: entry 'e': sources: must not be empty" },
		{ "no names", HEAD STAGES
		  "entries:\n  - id: e\n    names: []\n    category: web\n    sources: [s1]\n"
		  "    confidence: high\n    side_effect: none\n",
		  "p.yaml:8: entry 'e': names: must not be empty" },
		{ "names left out", HEAD STAGES
		  "entries:\n  - id: e\n    category: web\n    sources: [s1]\n"
		  "    confidence: high\n    side_effect: none\n",
		  "p.yaml:7: entry 'e': missing key 'names' (or 'names-file')" },
		{ "names in a file elsewhere", HEAD STAGES
		  "entries:\n  - id: e\n    names-file: ../n\n    category: web\n    sources: [s1]\n"
		  "    confidence: high\n    side_effect: none\n",
		  "p.yaml:8: entry 'e': names-file: '../n' is not a file name (the file stands beside the "
		  "pack)" },
		{ "a bad pattern", HEAD STAGES
		  "entries:\n  - id: e\n    names:\n      - a.b\n      - \"*.b.c\"\n    category: web\n"
		  "    sources: [s1]\n    confidence: high\n    side_effect: none\n",
		  "p.yaml:10: entry 'e': name '*.b.c': a label of '*' alone: write .example.com for all "
		  "below a name" },
		{ "a bad port", HEAD STAGES ENTRY "    ports: [tcp/443, 443]\n",
		  "p.yaml:13: entry 'e': bad port '443' (write tcp/443, udp/443, any/443, tcp/100-199, tcp or udp)" },
		{ "an id twice", HEAD STAGES ENTRY
		  "  - id: e\n    names: [b.example]\n    category: update\n    sources: [s1]\n"
		  "    confidence: high\n    side_effect: none\n",
		  "p.yaml:13: entry 'e': this id is already used on line 7" },
		{ "a source twice",
		  "pack: p\nvendor: v\nversion: 1\nsources:\n  - id: s\n  - id: s\n" STAGES
		  "entries: []\n",
		  "p.yaml:6: source 's': this id is already used on line 5" },
		{ "a bad network", HEAD STAGES ENTRY
		  "nets:\n  - {cidr: 192.0.2.1/24, category: web, sources: [s1], confidence: low}\n",
		  "p.yaml:14: net '192.0.2.1/24': not a network (write 192.0.2.0/24 or 2001:db8::/32, with "
		  "zero bits after the prefix)" },
		{ "a network's unknown source", HEAD STAGES ENTRY
		  "nets:\n  - {cidr: 192.0.2.0/24, category: web, sources: [x], confidence: low}\n",
		  "p.yaml:14: net '192.0.2.0/24': unknown source 'x' (allowed: s1, s2)" },
		{ "a network's bad port", HEAD STAGES ENTRY
		  "nets:\n  - {cidr: 192.0.2.0/24, category: web, sources: [s1], confidence: low, "
		  "ports: [tcp/0]}\n",
		  "p.yaml:14: net '192.0.2.0/24': bad port 'tcp/0' (write tcp/443, udp/443, any/443, "
		  "tcp/100-199, tcp or udp)" },
		{ "a network twice", HEAD STAGES ENTRY
		  "nets:\n  - {cidr: 192.0.2.0/24, category: web, sources: [s1], confidence: low}\n"
		  "  - {cidr: 192.0.2.0/24, category: web, sources: [s1], confidence: low}\n",
		  "p.yaml:15: net 'net-192.0.2.0/24': this id is already used on line 14" },
		{ "a network with the id of an entry", HEAD STAGES ENTRY
		  "nets:\n  - {id: e, cidr: 192.0.2.0/24, category: web, sources: [s1], confidence: low}\n",
		  "p.yaml:14: net 'e': this id is already used by an entry" },
		{ "a network with a bad id", HEAD STAGES ENTRY
		  "nets:\n  - {id: a/b, cidr: 192.0.2.0/24, category: web, sources: [s1], confidence: low}\n",
		  "p.yaml:14: net 'a/b': an id is made of up to 100 letters, digits, '-', '_' and '.'" },
		{ "an unknown key", HEAD STAGES ENTRY "    prots: [tcp/443]\n",
		  "p.yaml:13: entry 'e': unknown key 'prots' (allowed: id, names, names-file, category, "
		  "ports, products, sources, confidence, shared, side_effect, remark, action, "
		  "protects, sid, added, reviewed, override)" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err   err = { .text = "" };
		struct pack *p;

		write_file("p.yaml", rows[i].text);
		p = pack_load("p.yaml", &err);
		same_text(rows[i].what, err.text, rows[i].expected);
		assert_true((p != NULL) == !*rows[i].expected);
		pack_free(p);
	}
}

static void test_own_tests(void **state)
{
	static const struct {
		const char *what, *tests, *expected;
	} rows[] = {
		{ "none", "", "" },
		{ "right", "tests: {match: [A.Example.], no_match: [b.example]}\n", "" },
		{ "no match", "tests:\n  match: [a.example, b.example]\n",
		  "p.yaml:14: test match: 'b.example' matches no entry" },
		{ "a match", "tests:\n  no_match: [a.example]\n",
		  "p.yaml:14: test no_match: 'a.example' matches an entry ('e')" },
		{ "not allowed", "tests:\n  allow:\n    - a.example\n",
		  "p.yaml:15: test allow: 'a.example' matches an entry ('e')" },
		{ "allowed where it must match", "    action: allow\ntests:\n  match: [a.example]\n",
		  "p.yaml:15: test match: 'a.example' comes out allowed by an entry with action allow "
		  "('e')" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		char         text[2000];
		struct err   err = { .text = "" };
		struct pack *p;

		snprintf(text, sizeof(text), "%s%s", HEAD STAGES ENTRY, rows[i].tests);
		write_file("p.yaml", text);
		p = pack_load("p.yaml", &err);
		assert_non_null(p);
		assert_int_equal(pack_test(p, &err), *rows[i].expected ? -1 : 0);
		same_text(rows[i].what, err.text, rows[i].expected);
		pack_free(p);
	}
}

static void write_pack(const char *path, const char *id)
{
	char text[500];

	snprintf(text, sizeof(text),
	         "pack: %s\nvendor: v\nversion: 1\nsources: []\nstages: []\nentries: []\n", id);
	write_file(path, text);
}

static void test_lists(void **state)
{
	static const struct {
		const char *what;
		char       *paths[3];
		unsigned    n;
		const char *expected; /* ids, or the error */
	} rows[] = {
		{ "nothing", { NULL }, 0, "canary" },
		{ "a file", { "d/b.yaml" }, 1, "b canary" },
		{ "a folder, sorted, *.yaml only", { "d" }, 1, "a b canary" },
		{ "a folder with a slash", { "d/" }, 1, "a b canary" },
		{ "files in their order", { "d/b.yaml", "d/a.yaml" }, 2, "b a canary" },
		{ "a canary of one's own", { "c.yaml", "d/a.yaml" }, 2, "canary a" },
		{ "one pack twice", { "d/b.yaml", "d" }, 2,
		  "d/b.yaml:1: pack 'b' is already loaded from d/b.yaml" },
		{ "two packs of one name", { "d", "e.yaml" }, 2,
		  "e.yaml:1: pack 'a' is already loaded from d/a.yaml" },
		{ "missing", { "d/x.yaml" }, 1, "d/x.yaml: No such file or directory" },
		{ "an empty folder", { "empty" }, 1, "empty: the folder has no *.yaml" },
		{ "a bad pack", { "d/a.yaml", "bad.yaml" }, 2, "bad.yaml:1: missing key 'pack'" },
	};

	(void)state;
	assert_int_equal(mkdir("d", 0700) | mkdir("empty", 0700), 0);
	write_pack("d/b.yaml", "b");
	write_pack("d/a.yaml", "a");
	write_pack("d/a.yaml~", "x");
	write_pack("d/.x.yaml", "x");
	write_pack("d/TEMPLATE.yaml", "x");
	write_file("d/never.yaml", "never: []\n");
	write_pack("e.yaml", "a");
	write_pack("c.yaml", "canary");
	write_file("bad.yaml", "vendor: v\nversion: 1\nsources: []\nstages: []\nentries: []\n");
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err   err = { .text = "" };
		struct packs packs;
		char         got[1024] = "";

		if (packs_load(&packs, rows[i].paths, rows[i].n, &err) < 0)
			snprintf(got, sizeof(got), "%s", err.text);
		for (unsigned k = 0; k < packs.n; k++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", k ? " " : "",
			         packs.v[k]->id);
		same_text(rows[i].what, got, rows[i].expected);
		packs_free(&packs);
	}
}

static char warning[200];

static void keep_warning(enum diag_level level, const char *token, const char *text)
{
	snprintf(warning, sizeof(warning), "%d %s %s", level, token, text);
}

static void test_expired(void **state)
{
	static const struct {
		const char *what, *expires, *warning;
	} rows[] = {
		{ "no date", "", "" },
		{ "a day to come", "expires: 2999-01-01\n", "" },
		{ "a day gone by", "expires: 2020-02-03\n",
		  "2 rules x.yaml:5: pack 'p' expired on 2020-02-03: it still works; get a newer one" },
	};
	char *paths[] = { "x.yaml" };

	(void)state;
	diag_register(keep_warning);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err   err = { .text = "" };
		struct packs packs;
		char         text[2000];

		snprintf(text, sizeof(text), "%s%s%s", HEAD, rows[i].expires, STAGES ENTRY);
		write_file("x.yaml", text);
		warning[0] = '\0';
		assert_int_equal(packs_load(&packs, paths, 1, &err), 0);
		same_text(rows[i].what, warning, rows[i].warning);
		packs_free(&packs);
	}
	diag_register(NULL);
}

static void test_canary(void **state)
{
	struct err   err = { .text = "" };
	struct pack *p = pack_canary(&err);

	(void)state;
	assert_string_equal(err.text, "");
	assert_string_equal(p->id, "canary");
	assert_int_equal(pack_test(p, &err), 0);
	pack_free(p);
}

static void count(void *ctx, const char *text)
{
	(void)text;
	++*(unsigned *)ctx;
}

static void test_says_all(void **state)
{
	struct err   err = { .text = "" };
	unsigned     n = 0;
	struct pack *p;

	(void)state;
	write_file("p.yaml", HEAD STAGES
	           "expires: never\n"
	           "entries:\n"
	           "  - {id: e, names: [a, \"b c.d\"], category: web, sources: [x], confidence: low, "
	           "side_effect: none, ports: [icmp]}\n");
	p = pack_open("p.yaml", count, &n, &err);
	assert_non_null(p);
	assert_int_equal(pack_check(p, &err), -1);
	assert_int_equal(n, 5);
	pack_free(p);
}

/* Stages of a profile hold only where a site has chosen it. */
static void test_profiles(void **state)
{
	static char *const none[] = { "uk" }, *const one[] = { "us" };
	struct err         err = { .text = "" };
	struct packs       packs;
	struct ruleset     rs;
	struct image      *img;

	(void)state;
	write_file("p.yaml", HEAD "stages:\n"
	                          "  - {id: later, from: 2026-01-01, action: block, basis: site}\n"
	                          "  - {id: ours, from: 2020-08-13, action: block, basis: law, "
	                          "profile: us}\n" ENTRY);
	assert_int_equal(packs_load(&packs, (char *[]){ "p.yaml" }, 1, &err), 0);
	img = image_of(packs.v, 1);
	ruleset_open(&rs, img);
	assert_int_equal(rs.packs[0].stages, 1);
	assert_string_equal(rs_text(&rs, rs.stages[rs.packs[0].first_stage].id), "later");
	free(img);
	assert_int_equal(packs_choose(&packs, none, 1, &err), -1);
	assert_string_equal(err.text, "profiles: no stage of the packs has the profile 'uk'");
	assert_int_equal(packs_choose(&packs, one, 1, &err), 0);
	img = image_of(packs.v, 1);
	ruleset_open(&rs, img);
	assert_int_equal(rs.packs[0].stages, 2);
	assert_string_equal(rs_text(&rs, rs.stages[rs.packs[0].first_stage].id), "ours");
	free(img);
	packs_free(&packs);
}

/* A pack's own number, else one of another range that is the same everywhere. */
static void test_sids(void **state)
{
	struct pack_entry e[] = { { .id = "a", .sid = 9100017 }, { .id = "b" } };
	struct pack       p = { .id = "p", .path = "p", .entries = e, .n_entries = 2 };
	struct image     *img = image_of((struct pack *[]){ &p }, 1);
	struct ruleset    rs;

	(void)state;
	ruleset_open(&rs, img);
	assert_int_equal(rs.rules[0].sid, 9100017);
	assert_in_range(rs.rules[1].sid, SID_HASHED, SID_FIRST - 1);
	free(img);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contract), cmocka_unit_test(test_messages),
		cmocka_unit_test(test_own_tests), cmocka_unit_test(test_lists),
		cmocka_unit_test(test_canary),   cmocka_unit_test(test_expired),
		cmocka_unit_test(test_says_all), cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_sids),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

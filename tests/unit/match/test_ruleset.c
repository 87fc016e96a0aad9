/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matching, by tables and against a naive matcher over random packs and names. */
#include "match/ruleset.h"

#include <netinet/in.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "support.h"

/* ---- packs in short: "id action name name ..." per entry ------------------------------------- */

#define ENTRIES 8
#define NAMES   8

struct short_pack {
	struct pack       pack;
	struct pack_entry entries[ENTRIES];
	char             *names[ENTRIES][NAMES];
	char             *texts[ENTRIES];
};

static void short_pack(struct short_pack *p, char *id, const char *const *lines)
{
	static const char *const actions[] = { "stage", "log", "allow" };

	memset(p, 0, sizeof(*p));
	p->pack = (struct pack){ .id = id, .vendor = "V", .version = "1", .path = id,
		                 .entries = p->entries };
	for (unsigned i = 0; lines && i < ENTRIES && lines[i]; i++) {
		struct pack_entry *e = &p->entries[p->pack.n_entries++];
		char              *rest = p->texts[i] = strdup(lines[i]), *word;

		*e = (struct pack_entry){ .id = strsep(&rest, " "), .names = p->names[i],
			                  .side_effect = "none" };
		word = strsep(&rest, " ");
		while (strcmp(actions[e->action], word) != 0)
			e->action++;
		while ((word = strsep(&rest, " ")) != NULL)
			e->names[e->n_names++] = word;
	}
}

static void short_free(struct short_pack *p)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		free(p->texts[i]);
}

/* "pack/rule pattern, pack/rule pattern" */
static void match_text(const struct ruleset *rs, const char *text, char *out, size_t room)
{
	struct name  name;
	struct match m;

	name_canonical(&name, span_str(text));
	ruleset_match_name(rs, &name, &m);
	out[0] = '\0';
	for (unsigned i = 0; i < m.n; i++) {
		const struct rs_rule *r = &rs->rules[m.hits[i].rule];
		char                  pattern[NAME_TEXT + 2];

		hit_pattern(rs, &m.hits[i], &name, pattern);
		snprintf(out + strlen(out), room - strlen(out), "%s%s/%s %s", i ? ", " : "",
		         rs_text(rs, rs->packs[r->pack].id), rs_text(rs, r->id), pattern);
	}
}

static void test_names(void **state)
{
	static const struct {
		const char *what, *p[4], *q[4], *name, *expected;
	} rows[] = {
		{ "an exact name", { "e stage a.x" }, { 0 }, "a.x", "p/e a.x" },
		{ "case and a trailing dot", { "e stage A.x" }, { 0 }, "a.X.", "p/e a.x" },
		{ "not below an exact name", { "e stage a.x" }, { 0 }, "b.a.x", "" },
		{ "not above it", { "e stage a.x" }, { 0 }, "x", "" },
		{ "a suffix is the name itself", { "e stage .a.x" }, { 0 }, "a.x", "p/e .a.x" },
		{ "and all below", { "e stage .a.x" }, { 0 }, "c.b.a.x", "p/e .a.x" },
		{ "but ends at a label", { "e stage .kaspersky.com" }, { 0 }, "notkaspersky.com", "" },
		{ "and at the end of the name", { "e stage .a.x" }, { 0 }, "a.x.evil", "" },
		{ "an escaped dot is no boundary", { "e stage .a.x" }, { 0 }, "b\\046a.x", "" },
		{ "a range", { "e stage s[00-19].a.x" }, { 0 }, "s07.a.x", "p/e s[00-19].a.x" },
		{ "a range's first", { "e stage s[00-19].a.x" }, { 0 }, "s00.a.x", "p/e s[00-19].a.x" },
		{ "a range's last", { "e stage s[00-19].a.x" }, { 0 }, "s19.a.x", "p/e s[00-19].a.x" },
		{ "behind a range", { "e stage s[00-19].a.x" }, { 0 }, "s20.a.x", "" },
		{ "a range's width", { "e stage s[00-19].a.x" }, { 0 }, "s7.a.x", "" },
		{ "below a range", { "e stage s[0-1].a.x" }, { 0 }, "b.s0.a.x", "" },
		{ "below a range with a dot", { "e stage .s[0-1].a.x" }, { 0 }, "b.s0.a.x",
		  "p/e .s[0-1].a.x" },
		{ "a glob", { "e stage ksn-*-geo.a.x" }, { 0 }, "ksn-url-geo.a.x",
		  "p/e ksn-*-geo.a.x" },
		{ "a glob needs a character", { "e stage ksn-*-geo.a.x" }, { 0 }, "ksn--geo.a.x", "" },
		{ "below a glob", { "e stage ksn-*.a.x" }, { 0 }, "b.ksn-c.a.x", "" },
		{ "below a glob with a dot", { "e stage .ksn-*.a.x" }, { 0 }, "b.ksn-c.a.x",
		  "p/e .ksn-*.a.x" },
		{ "exact over suffix", { "s stage .a.x", "e stage b.a.x" }, { 0 }, "b.a.x",
		  "p/e b.a.x" },
		{ "the longer suffix", { "s stage .x.y", "l stage .a.x.y" }, { 0 }, "b.a.x.y",
		  "p/l .a.x.y" },
		{ "exact over suffix of one name", { "s stage .a.x", "e stage a.x" }, { 0 }, "a.x",
		  "p/e a.x" },
		{ "but not over a suffix that allows", { "s allow .a.x", "e stage a.x" }, { 0 }, "a.x",
		  "p/s .a.x" },
		{ "allow among exact names", { "e stage a.x", "f allow a.x" }, { 0 }, "a.x",
		  "p/f a.x" },
		{ "the longer name over allow", { "e stage b.a.x", "f allow .a.x" }, { 0 }, "b.a.x",
		  "p/e b.a.x" },
		{ "a plain name over a range and a glob before it",
		  { "g stage s*.a.x", "r stage s[00-19].a.x", "e stage s07.a.x" }, { 0 }, "s07.a.x", "p/e s07.a.x" },
		{ "a range over a glob before it", { "g stage s*.a.x", "r stage s[00-19].a.x" }, { 0 }, "s07.a.x",
		  "p/r s[00-19].a.x" },
		{ "a glob over a shorter suffix", { "s stage .a.x", "g stage b*.a.x" }, { 0 }, "bc.a.x",
		  "p/g b*.a.x" },
		{ "the first of two entries alike", { "e stage a.x", "f stage a.x" }, { 0 }, "a.x",
		  "p/e a.x" },
		{ "one hit per pack", { "e stage a.x" }, { "f stage .x.y", "g stage .a.x" }, "a.x",
		  "p/e a.x, q/g .a.x" },
		{ "allow protects across packs", { "e stage a.x" }, { "f allow a.x" }, "a.x",
		  "q/f a.x" },
		{ "against shorter hits, too", { "e stage .x.y" }, { "f allow a.x.y" }, "a.x.y",
		  "q/f a.x.y" },
		{ "not against longer ones", { "e stage b.a.x" }, { "f allow .a.x" }, "b.a.x",
		  "p/e b.a.x, q/f .a.x" },
		{ "two that allow", { "e allow .a.x" }, { "f allow b.a.x" }, "b.a.x",
		  "p/e .a.x, q/f b.a.x" },
		{ "an empty label", { "e stage .a.x" }, { 0 }, "..a.x", "p/e .a.x" },
		{ "nothing at all", { "e stage .a.x" }, { 0 }, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct short_pack p, q;
		struct image     *img;
		struct ruleset    rs;
		char              got[1000];

		short_pack(&p, "p", rows[i].p);
		short_pack(&q, "q", rows[i].q);
		img = image_of((struct pack *[]){ &p.pack, &q.pack }, 2);
		ruleset_open(&rs, img);
		match_text(&rs, rows[i].name, got, sizeof(got));
		same_text(rows[i].what, got, rows[i].expected);
		free(img);
		short_free(&p);
		short_free(&q);
	}
}

static void test_many_packs(void **state)
{
	static const char *const lines[] = { "e stage .a.x", NULL };
	struct short_pack        p[12];
	struct pack             *packs[12];
	char                     ids[12][8], got[1000];
	struct image            *img;
	struct ruleset           rs;

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		snprintf(ids[i], sizeof(ids[i]), "p%u", i);
		short_pack(&p[i], ids[i], lines);
		packs[i] = &p[i].pack;
	}
	img = image_of(packs, 12);
	ruleset_open(&rs, img);
	match_text(&rs, "a.x", got, sizeof(got));
	assert_string_equal(got, "p0/e .a.x, p1/e .a.x, p2/e .a.x, p3/e .a.x, p4/e .a.x, p5/e .a.x, "
	                         "p6/e .a.x, p7/e .a.x");
	free(img);
	for (unsigned i = 0; i < 12; i++)
		short_free(&p[i]);
}

static void test_image(void **state)
{
	static const char *const lines[] = { "e stage a.x b.x .c.x .d.x a.x s[0-9].x g*.x.y", NULL };
	struct short_pack        p;
	struct image            *img;
	struct ruleset           rs;

	(void)state;
	short_pack(&p, "kaspersky", lines);
	img = image_of((struct pack *[]){ &p.pack }, 1);
	ruleset_open(&rs, img);
	assert_int_equal(rs.head->names, 4 + 10 + 1); /* the second a.x is the first again */
	assert_int_equal(image_n(img, RS_TARGET), 4); /* exact, suffix, range, glob */
	assert_in_range(rs.rules[0].sid, SID_HASHED, SID_FIRST - 1);
	assert_int_equal(rs.rules[0].sid,
	                 SID_HASHED + hash64("kaspersky/e", strlen("kaspersky/e"), 0) % 1000000);
	free(img);
	short_free(&p);
}

/* A limit keeps look-ups and building fast whatever a pack says. */
static void test_crowd(void **state)
{
	static char         *names[2000];
	struct pack_entry    e = { .id = "crowd", .names = names, .n_names = N_OF(names) };
	struct pack          p = { .id = "p", .path = "p", .entries = &e, .n_entries = 1 };
	struct err           err = { .text = "" };
	struct image_builder b;

	(void)state;
	for (unsigned i = 0; i < N_OF(names); i++)
		assert_true(asprintf(&names[i], "a%u-*.b.x", i) > 0);
	image_init(&b);
	assert_int_equal(ruleset_compile(&b, (struct pack *[]){ &p }, 1, &err), 0);
	assert_int_equal(ruleset_index(&b, &err), -1);
	assert_string_equal(err.text, "entry 'crowd': more than 1000 patterns meet at one name or "
	                              "under one suffix");
	image_fini(&b);
	for (unsigned i = 0; i < N_OF(names); i++)
		free(names[i]);
}

/* ---- names in a file ----------------------------------------------------------------------- */

static char *pack_with_file =
	"pack: p\nvendor: v\nversion: 1\nsources: [{id: s, title: t}]\n"
	"stages: [{id: a, from: 2024-01-01, action: block, basis: law, citation: c}]\n"
	"entries:\n"
	"  - {id: e, names: [in.pack], names-file: n.txt, category: web, sources: [s], "
	"confidence: low, side_effect: none}\n";

static void test_names_file(void **state)
{
	static const struct {
		const char *name, *pattern; /* NULL: no match */
	} rows[] = {
		{ "in.pack", "in.pack" },
		{ "exact.example", "exact.example" },
		{ "a.exact.example", NULL },
		{ "below.example", ".below.example" },
		{ "a.b.below.example", ".below.example" },
		{ "s07.range.example", "s[00-19].range.example" },
		{ "ab.glob.example", "a*.glob.example" },
		{ "last.example", "last.example" },
		{ "comment.example", NULL },
	};
	struct err     err = { .text = "" };
	struct pack   *p;
	struct image  *img;
	struct ruleset rs;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	write_file("d/p.yaml", pack_with_file);
	write_file("d/n.txt", "# comment.example\n\n exact.example\t# comment.example\r\n"
	                      ".Below.Example.\ns[00-19].range.example\na*.glob.example\n"
	                      "last.example");
	p = pack_load("d/p.yaml", &err);
	assert_non_null(p);
	img = image_of(&p, 1);
	ruleset_open(&rs, img);
	assert_int_equal(rs.head->names, 1 + 2 + 20 + 1 + 1);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct name  name;
		struct match m;
		char         pattern[NAME_TEXT + 2] = "";

		name_canonical(&name, span_str(rows[i].name));
		ruleset_match_name(&rs, &name, &m);
		assert_int_equal(m.n, rows[i].pattern != NULL);
		if (m.n)
			hit_pattern(&rs, &m.hits[0], &name, pattern);
		same_text(rows[i].name, pattern, rows[i].pattern ? rows[i].pattern : "");
	}
	free(img);
	pack_free(p);
}

static void test_names_file_errors(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: no file */
	} rows[] = {
		{ NULL, NULL },
		{ "a.example\n\n*.example\n", "n.txt:3: name '*.example': a label of '*' alone" },
		{ "a.example b.example\n", "n.txt:1: name 'a.example b.example': ' ' cannot be" },
		{ "a.example\n%01100d\n", "n.txt:2: a line longer than 1022 characters" },
	};

	(void)state;
	write_file("p.yaml", pack_with_file);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err           err = { .text = "" };
		struct pack         *p = pack_load("p.yaml", &err);
		struct image_builder b;
		char                 text[2000];

		snprintf(text, sizeof(text), rows[i].text ? rows[i].text : "", 1);
		if (rows[i].text)
			write_file("n.txt", text);
		image_init(&b);
		assert_int_equal(ruleset_compile(&b, &p, 1, &err), -1);
		if (rows[i].text)
			assert_memory_equal(err.text, rows[i].expected, strlen(rows[i].expected));
		else
			same_text("no file", err.text, "n.txt: No such file or directory (names-file "
			                               "of entry 'e' in p.yaml)");
		image_fini(&b);
		pack_free(p);
	}
}

/* ---- exceptions ---------------------------------------------------------------------------- */

static void test_exceptions(void **state)
{
	static const char *const patterns[] = { "a.x.y", ".x.y", "b.x.y", "a*.x.y", "a.x.y" };
	static const struct {
		const char *name, *expected;
	} rows[] = {
		{ "a.x.y", "0 1 4" },
		{ "ab.x.y", "1 3" },
		{ "c.b.x.y", "1" },
		{ "b.x.y", "1 2" },
		{ "x.z", "" },
	};
	struct err           err = { .text = "" };
	struct image_builder b;
	struct image        *img;
	struct ruleset       rs;

	(void)state;
	image_init(&b);
	assert_int_equal(ruleset_compile(&b, NULL, 0, &err), 0);
	for (uint32_t i = 0; i < N_OF(patterns); i++)
		assert_int_equal(ruleset_add_exception(&b, patterns[i], i, &err), 0);
	assert_int_equal(ruleset_add_exception(&b, "x", 9, &err), -1);
	assert_string_equal(err.text, "a single label: a name needs at least two");
	err.text[0] = '\0';
	assert_int_equal(ruleset_index(&b, &err), 0);
	img = image_finish(&b);
	image_fini(&b);
	ruleset_open(&rs, img);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct name  name;
		struct match m;
		char         got[100] = "";

		name_canonical(&name, span_str(rows[i].name));
		ruleset_match_name(&rs, &name, &m);
		for (unsigned k = 0; k < m.n_exceptions; k++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%u", k ? " " : "",
			         m.exceptions[k]);
		same_text(rows[i].name, got, rows[i].expected);
		assert_int_equal(m.n, 0);
	}
	free(img);
}

/* ---- addresses ----------------------------------------------------------------------------- */

/* Every rule that matches, the shortest first, whoever wins. */
static void test_match_all(void **state)
{
	static const char *const lines[] = { "zone log .k.x", "up stage .up.k.x s[0-9].up.k.x",
		                             "tool allow tool.up.k.x", NULL };
	static const struct {
		const char *name, *expected;
	} rows[] = {
		{ "s3.up.k.x", "zone .k.x, up .up.k.x, up s[0-9].up.k.x, " },
		{ "tool.up.k.x", "zone .k.x, up .up.k.x, tool tool.up.k.x, " },
		{ "k.x", "zone .k.x, " },
		{ "x", "" },
	};
	struct short_pack p;
	struct image     *img;
	struct ruleset    rs;

	(void)state;
	short_pack(&p, "p", lines);
	img = image_of((struct pack *[]){ &p.pack }, 1);
	ruleset_open(&rs, img);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct name name;
		struct hit  all[8];
		char        got[200] = "", pattern[NAME_TEXT + 2];
		size_t      used = 0;
		unsigned    n;

		name_canonical(&name, span_str(rows[i].name));
		n = ruleset_match_all(&rs, &name, all, N_OF(all));
		for (unsigned k = 0; k < n; k++) {
			hit_pattern(&rs, &all[k], &name, pattern);
			used += (size_t)snprintf(got + used, sizeof(got) - used, "%s %s, ",
			                         rs_text(&rs, rs.rules[all[k].rule].id), pattern);
		}
		same_text(rows[i].name, got, rows[i].expected);
		assert_int_equal(ruleset_match_all(&rs, &name, all, 1), n);
	}
	free(img);
	short_free(&p);
}

#define NET(text) .id = (char[]){ "net-" text }, .cidr = (char[]){ text }

static void test_addresses(void **state)
{
	static char    *https[] = { "tcp/443" }, *any[] = { "any/80", "udp" }, *some[] = { "tcp/23100-23199" };
	struct pack_net nets_p[] = {
		{ NET("100.64.0.0/24"), .ports = some, .n_ports = 1 },
		{ NET("192.0.2.0/24") },
		{ NET("192.0.2.128/25"), .action = ENTRY_LOG },
		{ NET("2001:db8::/32"), .ports = https, .n_ports = 1 },
		{ NET("203.0.113.7"), .ports = any, .n_ports = 2 },
		{ NET("0.0.0.0/0"), .ports = https, .n_ports = 1 },
		{ NET("198.51.100.0/24"), .ports = https, .n_ports = 1 },
		{ .id = "other-ports", .cidr = "198.51.100.0/24", .ports = any, .n_ports = 2 },
	};
	struct pack_net nets_q[] = { { NET("192.0.2.192/26"), .action = ENTRY_ALLOW } };
	struct pack     p = { .id = "p", .path = "p", .nets = nets_p, .n_nets = N_OF(nets_p) };
	struct pack     q = { .id = "q", .path = "q", .nets = nets_q, .n_nets = N_OF(nets_q) };
	static const struct {
		const char *what, *addr;
		uint8_t     proto;
		uint16_t    port;
		const char *expected;
	} rows[] = {
		{ "a network", "192.0.2.1", IPPROTO_TCP, 22, "p/net-192.0.2.0/24" },
		{ "the longest prefix", "192.0.2.129", IPPROTO_TCP, 22, "p/net-192.0.2.128/25" },
		{ "allow protects", "192.0.2.193", IPPROTO_TCP, 22, "q/net-192.0.2.192/26" },
		{ "outside", "192.0.3.1", IPPROTO_TCP, 22, "" },
		{ "IPv6, its port", "2001:db8::1", IPPROTO_TCP, 443, "p/net-2001:db8::/32" },
		{ "IPv6, another port", "2001:db8::1", IPPROTO_TCP, 80, "" },
		{ "IPv6, another protocol", "2001:db8::1", IPPROTO_UDP, 443, "" },
		{ "one address, any protocol", "203.0.113.7", IPPROTO_TCP, 80, "p/net-203.0.113.7" },
		{ "one address, any port", "203.0.113.7", IPPROTO_UDP, 9, "p/net-203.0.113.7" },
		{ "the port leaves a wider network", "203.0.113.7", IPPROTO_TCP, 443,
		  "p/net-0.0.0.0/0" },
		{ "two of one network, by port", "198.51.100.9", IPPROTO_TCP, 443, "p/net-198.51.100.0/24" },
		{ "the other one's port", "198.51.100.9", IPPROTO_TCP, 80, "p/other-ports" },
		{ "a range's first port", "100.64.0.1", IPPROTO_TCP, 23100, "p/net-100.64.0.0/24" },
		{ "its last", "100.64.0.1", IPPROTO_TCP, 23199, "p/net-100.64.0.0/24" },
		{ "before it", "100.64.0.1", IPPROTO_TCP, 23099, "" },
		{ "past it", "100.64.0.1", IPPROTO_TCP, 23200, "" },
		{ "its protocol", "100.64.0.1", IPPROTO_UDP, 23150, "" },
		{ "nobody's port", "198.51.100.9", IPPROTO_TCP, 22, "" },
	};
	struct image  *img = image_of((struct pack *[]){ &p, &q }, 2);
	struct ruleset rs;

	(void)state;
	ruleset_open(&rs, img);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct addr  a;
		struct match m;
		char         got[200] = "";

		assert_int_equal(addr_parse(rows[i].addr, &a), 0);
		ruleset_match_addr(&rs, &a, rows[i].proto, rows[i].port, false, &m);
		for (unsigned k = 0; k < m.n; k++) {
			const struct rs_rule *r = &rs.rules[m.hits[k].rule];

			assert_int_equal(m.hits[k].kind, PATTERN_NET);
			assert_string_equal(rs_text(&rs, m.hits[k].pattern),
			                    strncmp(rs_text(&rs, r->id), "net-", 4) == 0 ?
			                            rs_text(&rs, r->id) + 4 :
			                            "198.51.100.0/24");
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s/%s", k ? " " : "",
			         rs_text(&rs, rs.packs[r->pack].id), rs_text(&rs, r->id));
		}
		same_text(rows[i].what, got, rows[i].expected);
	}
	free(img);
}

/* What minimising resolvers ask on the way to an excepted name. */
static void test_above_exceptions(void **state)
{
	static char             *listed[] = { ".vendor.example" };
	static struct pack_entry entry = { .id = "v", .names = listed, .n_names = 1 };
	static struct pack       pack = { .id = "p", .path = "p", .entries = &entry, .n_entries = 1 };
	static const char *const patterns[] = { "a.b.vendor.example", ".c.vendor.example",
		                                "s[1-2].d.vendor.example", "other.example" };
	static const struct {
		const char *name;
		uint8_t     seen_in;
		const char *expected;
	} rows[] = {
		{ "vendor.example", SEEN_DNS_QUERY, "0 1 2" }, { "b.vendor.example", SEEN_DNS_QUERY, "0" },
		{ "d.vendor.example", SEEN_DNS_QUERY, "2" },   { "vendor.example", SEEN_TLS_SNI, "" },
		{ "x.vendor.example", SEEN_DNS_QUERY, "" },    { "endor.example", SEEN_DNS_QUERY, "" },
		{ "a.b.vendor.example", SEEN_DNS_QUERY, "0" }, { "x.c.vendor.example", SEEN_TLS_SNI, "1" },
		{ "xb.vendor.example", SEEN_DNS_QUERY, "" },
	};
	struct err           err = { .text = "" };
	struct image_builder b;
	struct image        *img;
	struct ruleset       rs;

	(void)state;
	image_init(&b);
	assert_int_equal(ruleset_compile(&b, (struct pack *[]){ &pack }, 1, &err), 0);
	for (uint32_t i = 0; i < N_OF(patterns); i++)
		assert_int_equal(ruleset_add_exception(&b, patterns[i], i, &err), 0);
	assert_int_equal(ruleset_index(&b, &err), 0);
	img = image_finish(&b);
	image_fini(&b);
	ruleset_open(&rs, img);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct name  name;
		struct match m;
		char         got[100] = "";

		name_canonical(&name, span_str(rows[i].name));
		name.seen_in = rows[i].seen_in;
		ruleset_match_name(&rs, &name, &m);
		for (unsigned k = 0; k < m.n_exceptions; k++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%u", k ? " " : "",
			         m.exceptions[k]);
		same_text(rows[i].name, got, rows[i].expected);
	}
	free(img);
}

/* Beside a name that nobody lists only networks count that say at which ports. */
static void test_addresses_beside_names(void **state)
{
	static char    *dot[] = { "any/853" };
	struct pack_net nets[] = { { NET("192.0.2.0/24") },
		                   { NET("0.0.0.0/0"), .ports = dot, .n_ports = 1 } };
	struct pack     p = { .id = "p", .path = "p", .nets = nets, .n_nets = N_OF(nets) };
	static const struct {
		uint16_t    port;
		bool        beside;
		const char *rule;
	} rows[] = {
		{ 443, false, "net-192.0.2.0/24" }, { 443, true, NULL },
		{ 853, false, "net-192.0.2.0/24" }, { 853, true, "net-0.0.0.0/0" },
	};
	struct image  *img = image_of((struct pack *[]){ &p }, 1);
	struct ruleset rs;
	struct addr    a = { 4, { 192, 0, 2, 1 } };

	(void)state;
	ruleset_open(&rs, img);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct match m;

		ruleset_match_addr(&rs, &a, IPPROTO_TCP, rows[i].port, rows[i].beside, &m);
		assert_int_equal(m.n, rows[i].rule != NULL);
		if (rows[i].rule)
			assert_string_equal(rs_text(&rs, rs.rules[m.hits[0].rule].id), rows[i].rule);
	}
	free(img);
}

enum { MANY = 400 };

/* The search finds the longest prefix that looking at each one finds. */
static void test_many_networks(void **state)
{
	static char            cidr[MANY][64];
	static struct pack_net nets[MANY];
	static struct net      parsed[MANY];
	struct pack    p = { .id = "p", .path = "p", .nets = nets, .n_nets = MANY };
	struct image  *img;
	struct ruleset rs;
	uint32_t       x = 1;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) { /* crowded, so that they lie in each other */
		struct net *n = &parsed[i];
		bool        six = i % 4 == 0;

		x = x * 1664525 + 1013904223;
		n->bits = (uint8_t)(six ? 28 + (x >> 24) % 100 : (x >> 24) % 33);
		n->addr = (struct addr){ six ? 16 : 4, { 0x20, (uint8_t)(x >> 22 & 1), (uint8_t)(x >> 20 & 3),
			                                  (uint8_t)(x >> 16 & 7) } };
		for (unsigned bit = n->bits; bit < n->addr.len * 8U; bit++)
			n->addr.b[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
		addr_text(&n->addr, cidr[i]);
		snprintf(cidr[i] + strlen(cidr[i]), 8, "/%u", n->bits);
		nets[i].cidr = cidr[i];
	}
	img = image_of((struct pack *[]){ &p }, 1);
	ruleset_open(&rs, img);
	for (unsigned i = 0; i < 4096; i++) {
		struct addr  a = { i & 1 ? 16 : 4, { 0x20, i >> 1 & 1, i >> 2 & 3, i >> 4 & 7, (uint8_t)(i >> 7) } };
		struct match m;
		int          longest = -1;

		if (a.len == 4)
			a.b[4] = 0;
		for (unsigned k = 0; k < MANY; k++)
			if (net_has(&parsed[k], &a) && parsed[k].bits > longest)
				longest = parsed[k].bits;
		ruleset_match_addr(&rs, &a, IPPROTO_TCP, 443, false, &m);
		assert_int_equal(m.n, longest >= 0);
		if (m.n)
			assert_int_equal(m.hits[0].labels, longest);
	}
	free(img);
}

/* An allow for its own pack alone wins there, and leaves other packs' hits alone. */
static void test_own_allow(void **state)
{
	struct pack_entry open[] = { { .id = "allow", .names = (char *[]){ "a.x" }, .n_names = 1,
		                       .action = ENTRY_ALLOW, .protects = PROTECTS_PACK },
		                     { .id = "zone", .names = (char *[]){ ".other.x" }, .n_names = 1 } };
	struct pack_entry block[] = { { .id = "block", .names = (char *[]){ "a.x" }, .n_names = 1 } };
	struct pack       p = { .id = "p", .path = "p", .entries = open, .n_entries = 2 };
	struct pack       q = { .id = "q", .path = "q", .entries = block, .n_entries = 1 };
	struct name       name;
	struct match      m;

	(void)state;
	assert_true(name_canonical(&name, span_str("a.x")));
	for (unsigned all = 0; all < 2; all++) {
		struct image  *img;
		struct ruleset rs;

		open[0].protects = all ? PROTECTS_ALL : PROTECTS_PACK;
		img = image_of((struct pack *[]){ &p, &q }, 2);
		ruleset_open(&rs, img);
		ruleset_match_name(&rs, &name, &m);
		assert_int_equal(m.n, all ? 1 : 2);
		assert_int_equal(rs.rules[m.hits[0].rule].action, ENTRY_ALLOW);
		free(img);
	}
}

static void test_ports(void **state)
{
	static const struct {
		const char    *text;
		int            result;
		struct rs_port port;
	} rows[] = {
		{ "tcp/443", 0, { 443, 443, 6 } },
		{ "udp/15111", 0, { 15111, 15111, 17 } },
		{ "any/80", 0, { 80, 80, 0 } },
		{ "tcp", 0, { 0, 65535, 6 } },
		{ "udp", 0, { 0, 65535, 17 } },
		{ "tcp/65535", 0, { 65535, 65535, 6 } },
		{ "tcp/23100-23199", 0, { 23100, 23199, 6 } },
		{ "any/1-65535", 0, { 1, 65535, 0 } },
		{ "udp/53-53", 0, { 53, 53, 17 } },
		{ "tcp/23199-23100", -1, { 0 } },
		{ "tcp/1-", -1, { 0 } },
		{ "tcp/1-2-3", -1, { 0 } },
		{ "tcp/1-65536", -1, { 0 } },
		{ "tcp/1-02", -1, { 0 } },
		{ "tcp/443,", -1, { 0 } },
		{ "any", -1, { 0 } },
		{ "tcp/0", -1, { 0 } },
		{ "tcp/65536", -1, { 0 } },
		{ "tcp/4294967739", -1, { 0 } },
		{ "tcp/", -1, { 0 } },
		{ "tcp/4x", -1, { 0 } },
		{ "443", -1, { 0 } },
		{ "TCP/443", -1, { 0 } },
		{ "sctp/9", -1, { 0 } },
		{ "tcp/-1", -1, { 0 } },
		{ "", -1, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rs_port        port = { .first = 0 };
		const struct rs_port *want = &rows[i].port;

		if (port_parse(rows[i].text, &port) != rows[i].result ||
		    (rows[i].result == 0 && (port.first != want->first || port.last != want->last ||
		                             port.proto != want->proto)))
			fail_msg("'%s'", rows[i].text);
	}
}

/* ---- against a naive matcher --------------------------------------------------------------- */

#define PACKS 3

static uint32_t rnd_state = 1;

static unsigned rnd(unsigned n)
{
	rnd_state = rnd_state * 1664525 + 1013904223;
	return (rnd_state >> 16) % n;
}

/* Few labels and few letters, so that names and patterns meet often. */
#define RANDOM_NAME 40
static void random_name(char *out, bool pattern)
{
	static const char *const labels[] = { "a", "b", "ab", "b1", "a1b", "b2" };
	static const char *const wild[] = { "a*", "*b", "a*b", "b[1-2]", "[1-3]", "*1*" };
	unsigned                 n = 2 + rnd(3), special = pattern && rnd(3) == 0 ? rnd(n - 1) : 9;

	snprintf(out, RANDOM_NAME, "%s", pattern && rnd(2) ? "." : "");
	for (unsigned i = 0; i < n; i++) {
		size_t used = strlen(out);

		snprintf(out + used, RANDOM_NAME - used, "%s%s", i > 0 ? "." : "",
		         i == special ? wild[rnd(6)] : labels[rnd(6)]);
	}
}

/* Straight from the words of the format: '*' takes one or more, a range a number. */
static bool naive_label(const char *p, const char *pe, const char *s, const char *se)
{
	if (p == pe)
		return s == se;
	if (*p == '*') {
		for (const char *t = s + 1; t <= se; t++)
			if (naive_label(p + 1, pe, t, se))
				return true;
		return false;
	}
	if (*p == '[') /* one digit */
		return s < se && *s >= p[1] && *s <= p[3] && naive_label(p + 5, pe, s + 1, se);
	return s < se && *p == *s && naive_label(p + 1, pe, s + 1, se);
}

/* Labels that matched; 0: none. */
static unsigned naive_match(const char *pattern, const char *name)
{
	bool        below = *pattern == '.';
	const char *p = pattern + strlen(pattern), *s = name + strlen(name);
	unsigned    labels = 0;

	pattern += below;
	for (;;) {
		const char *pe = p, *se = s;

		while (p > pattern && p[-1] != '.')
			p--;
		while (s > name && s[-1] != '.')
			s--;
		if (!naive_label(p, pe, s, se))
			return 0;
		labels++;
		if (p == pattern)
			return s == name || below ? labels : 0;
		if (s == name)
			return 0;
		p--;
		s--;
	}
}

struct naive_hit {
	const struct pack_entry *entry;
	unsigned                 labels;
	int                      closeness;
};

/* A dot in front is a suffix, * and [ stand for themselves; else the name alone. */
static int naive_closeness(const char *pattern)
{
	if (strchr(pattern, '*'))
		return 1;
	if (*pattern == '.')
		return 0;
	return strchr(pattern, '[') ? 2 : 3;
}

static bool naive_better(const struct naive_hit *a, const struct naive_hit *b)
{
	if (a->labels != b->labels)
		return a->labels > b->labels;
	if ((a->entry->action == ENTRY_ALLOW) != (b->entry->action == ENTRY_ALLOW))
		return a->entry->action == ENTRY_ALLOW;
	if (a->closeness != b->closeness)
		return a->closeness > b->closeness;
	return a->entry < b->entry;
}

static struct naive_hit naive_pack(const struct pack *p, const char *name)
{
	struct naive_hit best = { .labels = 0 };

	for (unsigned i = 0; i < p->n_entries; i++)
		for (unsigned k = 0; k < p->entries[i].n_names; k++) {
			const char      *pattern = p->entries[i].names[k];
			struct naive_hit h = { &p->entries[i], naive_match(pattern, name),
				               naive_closeness(pattern) };

			if (h.labels && (!best.labels || naive_better(&h, &best)))
				best = h;
		}
	return best;
}

/* "pack:entry labels" per hit that is left */
static void naive_text(struct pack *const packs[], const char *name, char *out, size_t room)
{
	struct naive_hit hits[PACKS];
	unsigned         allowed = 0;

	for (unsigned i = 0; i < PACKS; i++) {
		hits[i] = naive_pack(packs[i], name);
		if (hits[i].labels > allowed && hits[i].entry->action == ENTRY_ALLOW)
			allowed = hits[i].labels;
	}
	*out = '\0';
	for (unsigned i = 0; i < PACKS; i++)
		if (hits[i].labels &&
		    (hits[i].labels > allowed || hits[i].entry->action == ENTRY_ALLOW))
			snprintf(out + strlen(out), room - strlen(out), "%u:%s %u ", i,
			         hits[i].entry->id, hits[i].labels);
}

static void real_text(const struct ruleset *rs, const char *text, char *out, size_t room)
{
	struct name  name;
	struct match m;

	*out = '\0';
	name_canonical(&name, span_str(text));
	ruleset_match_name(rs, &name, &m);
	for (unsigned i = 0; i < m.n; i++) {
		const struct rs_rule *r = &rs->rules[m.hits[i].rule];

		snprintf(out + strlen(out), room - strlen(out), "%u:%s %u ", r->pack,
		         rs_text(rs, r->id), m.hits[i].labels);
	}
}

static unsigned random_round(void)
{
	static char       texts[PACKS][ENTRIES][NAMES][RANDOM_NAME], ids[ENTRIES][16];
	struct short_pack p[PACKS];
	struct pack      *packs[PACKS];
	struct image     *img;
	struct ruleset    rs;
	unsigned          hits = 0;

	for (unsigned i = 0; i < PACKS; i++) {
		short_pack(&p[i], "p", NULL);
		packs[i] = &p[i].pack;
		packs[i]->n_entries = 1 + rnd(ENTRIES);
		for (unsigned e = 0; e < packs[i]->n_entries; e++) {
			snprintf(ids[e], sizeof(ids[e]), "e%u", e);
			p[i].entries[e] = (struct pack_entry){ .id = ids[e],
				                               .names = p[i].names[e],
				                               .n_names = 1 + rnd(NAMES - 1),
				                               .action = (int)rnd(3) };
			for (unsigned k = 0; k < p[i].entries[e].n_names; k++) {
				random_name(texts[i][e][k], true);
				p[i].names[e][k] = texts[i][e][k];
			}
		}
	}
	img = image_of(packs, PACKS);
	ruleset_open(&rs, img);
	for (unsigned i = 0; i < 300; i++) {
		char name[RANDOM_NAME], got[200], expected[200];

		random_name(name, false);
		real_text(&rs, name, got, sizeof(got));
		naive_text(packs, name, expected, sizeof(expected));
		same_text(name, got, expected);
		hits += *got != '\0';
	}
	free(img);
	return hits;
}

static void test_naive(void **state)
{
	unsigned hits = 0;

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		hits += random_round();
	assert_in_range(hits, 10000, 85000); /* of 90000: both outcomes were tried */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),      cmocka_unit_test(test_many_packs),
		cmocka_unit_test(test_image),      cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_above_exceptions), cmocka_unit_test(test_match_all), cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_names_file), cmocka_unit_test(test_names_file_errors),
		cmocka_unit_test(test_addresses_beside_names), cmocka_unit_test(test_many_networks),
		cmocka_unit_test(test_ports), cmocka_unit_test(test_own_allow),      cmocka_unit_test(test_naive),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

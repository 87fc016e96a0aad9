/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of a running daemon: built anew from their own packs, with exceptions made meanwhile. */
#include <netinet/in.h>

#include "../match/support.h"
#include "base/clock.h"
#include "shared/conf.h"
#include "shared/state.h"

static const char pack_text[] =
	"pack: kav\nvendor: K\nversion: 2026.01.02.1\nsources: [{id: s, url: u}]\n"
	"stages: [{id: now, from: 2020-01-01, action: block, basis: site}]\n"
	"entries:\n"
	"  - {id: up, names: [\"s[0-9].up.k.x\", .zone.k.x, \"a-*.k.x\"], category: update, sources: "
	"[s], confidence: high, side_effect: none, products: [desktop]}\n"
	"nets:\n  - {cidr: 192.0.2.0/24, category: update, sources: [s], confidence: high}\n";

#define CONF "rules: [kav.yaml]\npolicies: [{name: site, match: {packs: [kav], products: [desktop]}, " \
	     "action: stage}]\n"

struct bench {
	struct conf  *c;
	struct state  kept;
	struct overlay   live;
	struct image *img;
};

static void bench_open(struct bench *b, const char *conf)
{
	struct err err = { .text = "" };

	write_file("kav.yaml", pack_text);
	write_file("nfqd.yaml", conf);
	b->c = conf_load("nfqd.yaml", &err);
	assert_int_equal(state_read(&b->kept, "no-such-file", &err), 0);
	b->live = (struct overlay){ .mode = b->c ? b->c->mode : 0, .state = &b->kept };
	if (!b->c || conf_compile_running(b->c, &b->live, NULL, &b->img, &err) < 0)
		fail_msg("%s", err.text);
}

static void bench_close(struct bench *b)
{
	free(b->img);
	state_fini(&b->kept);
	conf_free(b->c);
}

/* "action would policy exception" for a name at present */
static const char *decided(const struct bench *b, const char *text)
{
	static char     out[200];
	struct ruleset  rs;
	struct client   client = { .mac = NULL };
	struct name     name;
	struct match    m;
	struct decision d;

	ruleset_open(&rs, b->img);
	name_canonical(&name, span_str(text));
	ruleset_match_name(&rs, &name, &m);
	policy_decide(&rs, &m, &client, IPPROTO_TCP, 443, (int64_t)(clock_now() / NS_PER_S), &d);
	snprintf(out, sizeof(out), "%s %s %s %s", action_words[d.action], action_words[d.would],
	         d.policy < 0 ? "-" : rs_text(&rs, rs_policy(&rs, d.policy)->name),
	         d.exception < 0 ? "-" : rs_text(&rs, rs_exception(&rs, d.exception)->name));
	return out;
}

static void rebuild(struct bench *b)
{
	struct err    err = { .text = "" };
	struct image *img = NULL;

	if (conf_compile_running(b->c, &b->live, b->img, &img, &err) < 0)
		fail_msg("%s", err.text);
	free(b->img);
	b->img = img;
}

static void allow(struct bench *b, const char *name)
{
	struct err err = { .text = "" };
	char       end[CLOCK_TEXT];
	int64_t    now = (int64_t)(clock_now() / NS_PER_S);

	clock_text_iso(now + 3600, end);
	if (!state_allow(&b->kept, json_pack("{s:s, s:s, s:s, s:s}", "name", name, "owner", "o",
	                                     "reason", "r", "expires", end), now, &err))
		fail_msg("%s", err.text);
}

static void test_rebuild(void **state)
{
	struct bench b;
	uint32_t     names, first;

	(void)state;
	bench_open(&b, CONF);
	names = ((const struct ruleset_head *)image_at(b.img, RS_HEAD))->names;
	first = image_n(b.img, RS_TEXT);
	assert_int_equal(names, 13); /* and the canary's */
	remove("kav.yaml"); /* packs are not read again */
	assert_string_equal(decided(&b, "s3.up.k.x"), "reject reject site -");
	allow(&b, "s3.up.k.x");
	allow(&b, ".zone.k.x");
	rebuild(&b);
	assert_string_equal(decided(&b, "s3.up.k.x"), "allow reject site allow-1");
	assert_string_equal(decided(&b, "x.zone.k.x"), "allow reject site allow-2");
	assert_string_equal(decided(&b, "s4.up.k.x"), "reject reject site -");
	assert_string_equal(decided(&b, "a-1.k.x"), "reject reject site -");
	assert_int_equal(state_revoke(&b.kept, "S3.UP.k.x"), 1);
	assert_int_equal(state_revoke(&b.kept, "allow-2"), 1);
	b.live.mode = MODE_LOG;
	for (uint64_t i = 3; i < 6; i++)
		rebuild(&b);
	assert_string_equal(decided(&b, "s3.up.k.x"), "log reject site -");
	/* nothing of what was there in between is left */
	assert_int_equal(((const struct ruleset_head *)image_at(b.img, RS_HEAD))->names, names);
	assert_int_equal(image_n(b.img, RS_TEXT), first);
	bench_close(&b);
}

static void test_ended(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, CONF);
	allow(&b, "s3.up.k.x");
	rebuild(&b);
	assert_string_equal(decided(&b, "s3.up.k.x"), "allow reject site allow-1");
	/* an hour later it ends; then the clock goes back to now */
	assert_true(state_note_ended(&b.kept, NULL, 0, (int64_t)(clock_now() / NS_PER_S) + 3601));
	rebuild(&b);
	assert_string_equal(decided(&b, "s3.up.k.x"), "reject reject site -");
	bench_close(&b);
}

static void test_first_seen(void **state)
{
	struct bench   b;
	const int64_t *seen;
	int64_t        day;

	(void)state;
	bench_open(&b, CONF);
	seen = image_at(b.img, RS_FIRST_SEEN);
	assert_int_equal(image_n(b.img, RS_FIRST_SEEN), 2); /* and the canary's */
	assert_true(seen[0] <= (int64_t)(clock_now() / NS_PER_S));
	assert_true(seen[0] + 60 > (int64_t)(clock_now() / NS_PER_S));
	assert_true(b.kept.changed);
	clock_parse("2026-02-03", &day);
	json_object_set_new(json_object_get(b.kept.doc, "first_seen"), "kav", json_string("2026-02-03"));
	rebuild(&b);
	seen = image_at(b.img, RS_FIRST_SEEN);
	assert_int_equal(seen[0], day);
	bench_close(&b);
}

static void test_a_year(void **state)
{
	static const struct {
		const char *what;
		int         days;
		bool        loads;
	} rows[] = { { "ended", -400, true }, { "a year", 365, true }, { "longer", 367, false } };

	(void)state;
	write_file("kav.yaml", pack_text);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err    err = { .text = "" };
		struct image *img = NULL;
		struct conf  *c;
		char          text[400], end[CLOCK_TEXT], expected[400] = "";

		clock_text_iso((int64_t)(clock_now() / NS_PER_S) + rows[i].days * 86400, end);
		snprintf(text, sizeof(text), CONF "exceptions:\n  - name: e\n    names: [a.b]\n"
		         "    owner: o\n    reason: r\n    expires: %s\n", end);
		write_file("nfqd.yaml", text);
		c = conf_load("nfqd.yaml", &err);
		assert_non_null(c);
		if (!rows[i].loads)
			snprintf(expected, sizeof(expected), "nfqd.yaml:8: exception 'e': expires: "
			         "'%s' is more than a year ahead", end);
		assert_int_equal(conf_compile(c, &img, &err), rows[i].loads ? 0 : -1);
		same_text(rows[i].what, err.text, expected);
		free(img);
		conf_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rebuild),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_first_seen),
		cmocka_unit_test(test_a_year),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

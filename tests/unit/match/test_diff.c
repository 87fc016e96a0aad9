/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What two rulesets differ in, counted. */
#include "support.h"

static const char head[] = "pack: p\nvendor: V\nversion: 1\nsources: [{id: s, url: u}]\nstages: []\n"
			   "entries:\n";

/* "id names" per entry */
static struct image *image_with(const char *const *entries)
{
	struct err    err = { .text = "" };
	struct pack  *p;
	struct image *img;
	char          text[2000];
	size_t        n = (size_t)snprintf(text, sizeof(text), "%s", head);

	for (unsigned i = 0; entries[i]; i++) {
		const char *names = strchr(entries[i], ' ') + 1;

		n += (size_t)snprintf(text + n, sizeof(text) - n,
		                      "  - {id: %.*s, names: [%s], category: update, sources: [s], "
		                      "confidence: high, side_effect: none}\n",
		                      (int)(names - 1 - entries[i]), entries[i], names);
	}
	write_file("p.yaml", text);
	p = pack_load("p.yaml", &err);
	assert_string_equal(err.text, "");
	img = image_of(&p, 1);
	pack_free(p);
	return img;
}

static void test_diff(void **state)
{
	static const struct {
		const char *what;
		const char *old[4], *now[4];
		const char *expected; /* entries and names, + and - */
	} rows[] = {
		{ "nothing", { "a x.y, .z.y" }, { "a x.y, .z.y" }, "+0 -0 +0 -0" },
		{ "another order", { "a x.y", "b z.y" }, { "b z.y", "a x.y" }, "+0 -0 +0 -0" },
		{ "a name more", { "a x.y" }, { "a x.y, z.y" }, "+0 -0 +1 -0" },
		{ "an entry less", { "a x.y", "b z.y" }, { "a x.y" }, "+0 -1 +0 -1" },
		{ "an entry has another id", { "a x.y" }, { "b x.y" }, "+1 -1 +0 -0" },
		{ "a name goes to another entry", { "a x.y, z.y", "b v.y" }, { "a x.y", "b v.y, z.y" },
		  "+0 -0 +0 -0" },
		{ "a suffix instead of a name", { "a x.y" }, { "a .x.y" }, "+0 -0 +1 -1" },
		{ "a longer range", { "a \"s[0-3].y\"" }, { "a \"s[0-5].y\"" }, "+0 -0 +2 -0" },
		{ "globs under one suffix", { "a \"a-*.x.y\"" }, { "a \"b-*.x.y\"" }, "+0 -0 +1 -1" },
		{ "everything", { "a x.y", "b z.y" }, { "c v.w" }, "+1 -2 +1 -2" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct image       *old = image_with(rows[i].old), *now = image_with(rows[i].now);
		struct ruleset      a, b;
		struct ruleset_diff d;
		char                got[64];

		ruleset_open(&a, old);
		ruleset_open(&b, now);
		assert_int_equal(ruleset_diff(&a, &b, &d), 0);
		snprintf(got, sizeof(got), "+%u -%u +%u -%u", d.entries_added, d.entries_removed,
		         d.names_added, d.names_removed);
		same_text(rows[i].what, got, rows[i].expected);
		free(old);
		free(now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_diff) };

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

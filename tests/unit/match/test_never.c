/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/never.h"

#include "support.h"

static const char list[] =
	"sources: [{id: s, title: t}]\n"
	"never:\n"
	"  - {id: store, names: [play.google.com, .apps.example], kind: store, reason: r, sources: [s]}\n"
	"  - {id: range, names: [\"t[1-3].time.example\"], kind: time, reason: r, sources: [s]}\n"
	"  - {id: glob, names: [\"*-v20.events.example\"], kind: protection, reason: r, sources: [s]}\n"
	"  - {id: shared, names: [.cloud.example], kind: shared, reason: r, sources: [s]}\n"
	"  - {id: below, names: [update.cloud.example], kind: update, reason: r, sources: [s]}\n";

struct said {
	char text[400];
};

static void note(void *ctx, const struct never_hit *hit)
{
	struct said *s = ctx;
	size_t       used = strlen(s->text);

	snprintf(s->text + used, sizeof(s->text) - used, "%s%s:%s>%s+%u", used ? " " : "",
	         hit->pack->entries[hit->entry].id, hit->name, hit->kept, hit->more);
}

/* Two packs of one entry each, and an entry that takes a name back. */
static void test_check(void **state)
{
	static const struct {
		const char *what, *name, *open; /* open: an `allow` of the same pack; NULL: none */
		int         action;
		const char *override_reason, *expected;
	} rows[] = {
		{ "a zone around a name", ".google.com", NULL, 0, NULL, "e:.google.com>play.google.com+0" },
		{ "the name", "play.google.com", NULL, 0, NULL, "e:play.google.com>play.google.com+0" },
		{ "with a reason", ".google.com", NULL, 0, "meant", "" },
		{ "recorded", ".google.com", NULL, ENTRY_LOG, NULL, "" },
		{ "with the name open", ".google.com", "play.google.com", 0, NULL, "" },
		{ "beside it", "www.google.com", NULL, 0, NULL, "" },
		{ "below a name", "x.play.google.com", NULL, 0, NULL, "" },
		{ "below a zone", "x.apps.example", NULL, 0, NULL, "e:x.apps.example>.apps.example+0" },
		{ "a zone below a zone", ".x.apps.example", NULL, 0, NULL,
		  "e:.x.apps.example>.apps.example+0" },
		{ "a glob below a zone", "x-*.apps.example", NULL, 0, NULL,
		  "e:x-*.apps.example>.apps.example+0" },
		{ "a range that meets one", "t[3-9].time.example", NULL, 0, NULL,
		  "e:t[3-9].time.example>t[1-3].time.example+0" },
		{ "one that does not", "t[4-9].time.example", NULL, 0, NULL, "" },
		{ "a glob that meets one", "t*.time.example", NULL, 0, NULL,
		  "e:t*.time.example>t[1-3].time.example+0" },
		{ "a name of a glob", "eu-v20.events.example", NULL, 0, NULL,
		  "e:eu-v20.events.example>*-v20.events.example+0" },
		{ "the glob", "*-v20.events.example", NULL, 0, NULL,
		  "e:*-v20.events.example>*-v20.events.example+0" },
		{ "a zone around a glob", ".events.example", NULL, 0, NULL,
		  "e:.events.example>*-v20.events.example+0" },
		{ "a shared zone", ".cloud.example", NULL, 0, NULL, "e:.cloud.example>.cloud.example+1" },
		{ "its name alone", "cloud.example", NULL, 0, NULL, "e:cloud.example>.cloud.example+0" },
		{ "below it", ".bucket.cloud.example", NULL, 0, NULL, "" },
		{ "a name below it that is listed", "update.cloud.example", NULL, 0, NULL,
		  "e:update.cloud.example>update.cloud.example+0" },
	};
	struct err    err = { .text = "" };
	struct never *never;

	(void)state;
	write_file("never.yaml", list);
	never = never_find((char *[]){ "p.yaml" }, 1, &err);
	assert_string_equal(err.text, "");
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct pack_entry e[] = { { .id = "e", .names = (char *[]){ (char *)rows[i].name },
			                    .n_names = 1, .action = rows[i].action,
			                    .override_reason = (char *)rows[i].override_reason },
			                  { .id = "o", .names = (char *[]){ (char *)rows[i].open },
			                    .n_names = 1, .action = ENTRY_ALLOW } };
		struct pack       other = { .id = "other", .path = "other" };
		struct pack       p = { .id = "p", .path = "p", .entries = e,
			                .n_entries = rows[i].open ? 2 : 1 };
		struct pack      *both[] = { &other, &p };
		struct said       said = { .text = "" };
		struct image     *img = image_of(both, 2);
		struct ruleset    rs;

		ruleset_open(&rs, img);
		assert_int_equal(never_check(never, both, 2, &rs, note, &said, &err),
		                 *rows[i].expected != '\0');
		same_text(rows[i].what, said.text, rows[i].expected);
		free(img);
	}
	never_free(never);
}

static void test_load(void **state)
{
	static const struct {
		const char *what, *text, *expected;
	} rows[] = {
		{ "an unknown kind", "sources: [{id: s}]\nnever:\n  - {id: a, names: [a.b], kind: x, reason: r, sources: [s]}\n",
		  "n.yaml:3: never 'a': kind: 'x' is not one of update, firmware, certificates, time, "
		  "connectivity, store, push, sign-in, protection, emergency, removal, shared" },
		{ "an unknown source", "sources: []\nnever:\n  - {id: a, names: [a.b], kind: time, reason: r, sources: [s]}\n",
		  "n.yaml:3: 'a': unknown source 's'" },
		{ "a bad name", "sources: [{id: s}]\nnever:\n  - {id: a, names: [a], kind: time, reason: r, sources: [s]}\n",
		  "n.yaml:3: 'a': name 'a': a single label: a name needs at least two" },
		{ "an id twice", "sources: [{id: s}]\nnever:\n  - {id: a, names: [a.b], kind: time, reason: r, sources: [s]}\n"
		  "  - {id: a, names: [c.d], kind: time, reason: r, sources: [s]}\n",
		  "n.yaml:4: 'a': this id is already used on line 3" },
		{ "no reason", "sources: [{id: s}]\nnever:\n  - {id: a, names: [a.b], kind: time, sources: [s]}\n",
		  "n.yaml:3: never 'a': missing key 'reason'" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err err = { .text = "" };

		write_file("n.yaml", rows[i].text);
		assert_null(never_load("n.yaml", NULL, NULL, &err));
		same_text(rows[i].what, err.text, rows[i].expected);
	}
}

static void test_built_in(void **state)
{
	struct err    err = { .text = "" };
	struct never *never = never_load(NULL, NULL, NULL, &err);

	(void)state;
	assert_string_equal(err.text, "");
	assert_non_null(never);
	assert_true(never->n_items > 20);
	never_free(never);
}

/* A folder of packs may hold the list, and the template of a pack. */
static void test_folder(void **state)
{
	struct err   err = { .text = "" };
	struct packs packs;

	(void)state;
	assert_int_equal(system("mkdir folder"), 0);
	write_file("folder/never.yaml", list);
	write_file("folder/TEMPLATE.yaml", "not: yet\n");
	write_file("folder/p.yaml", "pack: p\nvendor: v\nversion: 1\nsources: []\nstages: []\nentries: []\n");
	write_file("folder/Acme.yaml", "pack: acme\nvendor: v\nversion: 1\nsources: []\nstages: []\nentries: []\n");
	assert_int_equal(packs_load(&packs, (char *[]){ "folder" }, 1, &err), 0);
	assert_int_equal(packs.n, 3); /* and the canary */
	packs_free(&packs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_folder),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

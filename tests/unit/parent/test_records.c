/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's own records on their way to the log thread: none is lost for its length. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "parent/parent_private.h"
#include "unit.h"

static char said[200];

static void hear(enum diag_level level, const char *token, const char *text)
{
	snprintf(said, sizeof(said), "%d %s: %s", (int)level, token, text);
}

/* As many packs as make a text of that length, or little less. */
static json_t *packs(size_t length)
{
	json_t *all = json_array();

	for (size_t i = 0; i < length / 59; i++)
		json_array_append_new(all, json_pack("{s:s, s:s}", "pack", "a-vendor-of-something-or-other",
		                                     "to", "2026.11.23"));
	return all;
}

/* The record that the log thread takes. The caller owns it. */
static json_t *recorded(struct parent *p, json_t *members)
{
	const struct note *n;
	json_t            *record;
	char               text[NOTE_TEXT + 2];

	said[0] = '\0';
	parent_record(p, "reload", members);
	n = notes_peek(&p->shared->notes);
	if (!n)
		return NULL;
	snprintf(text, sizeof(text), "{%s}", n->members);
	notes_pop(&p->shared->notes);
	record = json_loads(text, 0, NULL);
	assert_non_null(record);
	return record;
}

static void test_lengths(void **state)
{
	static struct parent p;
	static const struct {
		size_t      changes, packs;
		const char *cut; /* NULL: nothing */
	} rows[] = {
		{ 100, 100, NULL },
		{ 3000, 2500, NULL },
		{ 4000, 5000, "[\"changes\"]" },
		{ 7000, 7000, "[\"changes\", \"packs\"]" },
		{ 100, 7000, "[\"changes\", \"packs\"]" },
	};

	(void)state;
	p.shared = shared_new();
	assert_non_null(p.shared);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *r = recorded(&p, json_pack("{s:i, s:o, s:o}", "generation", (int)i, "changes",
		                                   packs(rows[i].changes), "packs", packs(rows[i].packs)));
		char   *cut = json_dumps(json_object_get(r, "cut"), 0);

		assert_string_equal(said, "");
		assert_int_equal(json_integer_value(json_object_get(r, "generation")), i);
		assert_string_equal(json_string_value(json_object_get(r, "kind")), "reload");
		assert_string_equal(cut ? cut : "", rows[i].cut ? rows[i].cut : "");
		free(cut);
		json_decref(r);
	}
}

static void test_what_is_lost_is_said(void **state)
{
	static struct parent p;

	(void)state;
	p.shared = shared_new();
	assert_non_null(p.shared);
	assert_null(recorded(&p, json_pack("{s:o}", "reason", packs(7000))));
	assert_non_null(strstr(said, "the record of a reload is lost: it is too long"));
	for (unsigned i = 0; i < NOTES_SLOTS; i++)
		parent_record(&p, "mode", json_object());
	assert_int_equal(p.records_lost, 1);
	parent_record(&p, "mode", json_object());
	assert_non_null(strstr(said, "the worker reads none"));
	assert_int_equal(p.records_lost, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lengths),
		                            cmocka_unit_test(test_what_is_lost_is_said) };

	diag_register(hear);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

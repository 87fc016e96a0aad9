/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../match/support.h"
#include "base/clock.h"
#include "decide/policy.h"

static int update[] = { CAT_UPDATE, CAT_REPUTATION };

/* Not in the order of time, on purpose. */
static struct pack_stage stages[] = {
	{ .id = "in-force", .from = "2024-09-29T04:00:00Z", .action = ACTION_REJECT,
	  .categories = update, .n_categories = 2 },
	{ .id = "announced", .from = "2024-06-24T04:00:00Z", .action = ACTION_LOG },
	{ .id = "same-time", .from = "2024-09-29T04:00:00Z", .action = ACTION_LOG,
	  .categories = update, .n_categories = 1 },
	{ .id = "all", .from = "2025-01-01", .action = ACTION_REJECT },
};

static void test_in_force(void **state)
{
	static const struct {
		const char *what, *at;
		int         category;
		const char *expected, *next;
	} rows[] = {
		{ "before the first", "2024-06-24T03:59:59Z", CAT_UPDATE, "none", "announced" },
		{ "the first second", "2024-06-24T04:00:00Z", CAT_UPDATE, "announced", "in-force" },
		{ "a second before the next", "2024-09-29T03:59:59Z", CAT_REPUTATION, "announced", "in-force" },
		{ "its first second", "2024-09-29T04:00:00Z", CAT_REPUTATION, "in-force", "all" },
		{ "of two at one time the later in the file", "2024-09-29T04:00:00Z", CAT_UPDATE,
		  "same-time", "all" },
		{ "a category it does not list", "2024-09-29T04:00:00Z", CAT_WEB, "announced", "all" },
		{ "one that lists none is for all", "2025-01-01T00:00:00Z", CAT_WEB, "all", "none" },
		{ "long after", "2099-01-01", CAT_UPDATE, "all", "none" },
	};
	struct pack    p = { .id = "p", .path = "p", .stages = stages, .n_stages = N_OF(stages) };
	struct pack    q = { .id = "q", .path = "q" };
	struct image  *img = image_of((struct pack *[]){ &p, &q }, 2);
	struct ruleset rs;

	(void)state;
	ruleset_open(&rs, img);
	for (size_t i = 0; i < N_OF(rows); i++) {
		int64_t at;
		int32_t stage;

		assert_int_equal(clock_parse(rows[i].at, &at), 0);
		stage = stage_in_force(&rs, &rs.packs[0], (uint8_t)rows[i].category, at);
		same_text(rows[i].what, stage < 0 ? "none" : rs_text(&rs, rs.stages[stage].id),
		          rows[i].expected);
		stage = stage_next(&rs, &rs.packs[0], (uint8_t)rows[i].category, at);
		same_text(rows[i].what, stage < 0 ? "none" : rs_text(&rs, rs.stages[stage].id),
		          rows[i].next);
		assert_int_equal(stage_in_force(&rs, &rs.packs[1], (uint8_t)rows[i].category, at), -1);
	}
	free(img);
}

/* The calendar of a profile goes before the pack's own, from its first stage on. */
static void test_profile(void **state)
{
	static struct pack_stage of_both[] = {
		{ .id = "ours", .from = "2018-10-01", .action = ACTION_REJECT, .categories = update,
		  .n_categories = 2, .profile = (char *)"agency", .chosen = true },
		{ .id = "other", .from = "2018-10-01", .action = ACTION_REJECT,
		  .profile = (char *)"other" },
		{ .id = "log", .from = "2024-06-24", .action = ACTION_LOG },
		{ .id = "block", .from = "2024-09-29", .action = ACTION_REJECT },
	};
	static const struct {
		const char *what, *at;
		int         category;
		const char *expected, *next;
	} rows[] = {
		{ "before its first", "2018-09-30", CAT_UPDATE, "none", "ours" },
		{ "its first day", "2018-10-01", CAT_UPDATE, "ours", "none" },
		{ "a later stage of no profile", "2024-06-24", CAT_UPDATE, "ours", "none" },
		{ "a category that it does not list", "2024-06-24", CAT_WEB, "log", "block" },
	};
	struct pack    p = { .id = "p", .path = "p", .stages = of_both, .n_stages = N_OF(of_both) };
	struct image  *img = image_of((struct pack *[]){ &p }, 1);
	struct ruleset rs;

	(void)state;
	ruleset_open(&rs, img);
	for (size_t i = 0; i < N_OF(rows); i++) {
		int64_t at;
		int32_t stage;

		assert_int_equal(clock_parse(rows[i].at, &at), 0);
		stage = stage_in_force(&rs, &rs.packs[0], (uint8_t)rows[i].category, at);
		same_text(rows[i].what, stage < 0 ? "none" : rs_text(&rs, rs.stages[stage].id),
		          rows[i].expected);
		stage = stage_next(&rs, &rs.packs[0], (uint8_t)rows[i].category, at);
		same_text(rows[i].what, stage < 0 ? "none" : rs_text(&rs, rs.stages[stage].id),
		          rows[i].next);
	}
	free(img);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_in_force), cmocka_unit_test(test_profile) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state file: what is kept, what is refused, and that a damaged file is never lost. */
#include "shared/state.h"

#include <glob.h>
#include <sys/stat.h>

#include "../match/support.h"
#include "base/clock.h"
#include "base/diag.h"

#define NOW  INT64_C(1800000000)
#define NEXT "2027-02-01T00:00:00Z" /* two weeks later */

static char said[2000];

static void hear(enum diag_level level, const char *token, const char *text)
{
	snprintf(said, sizeof(said), "%d %s: %s", (int)level, token, text);
}

static json_t *exception(const char *name, const char *client, const char *expires)
{
	return json_pack("{s:s, s:s*, s:s, s:s, s:s}", "name", name, "client", client, "owner", "me",
	                 "reason", "why not", "expires", expires);
}

static void allow(struct state *s, const char *name, const char *client, const char *expires)
{
	struct err err = { .text = "" };

	if (!state_allow(s, exception(name, client, expires), NOW, &err))
		fail_msg("%s", err.text);
}

static const char *list(const struct state *s)
{
	static char out[1000];
	size_t      n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < state_n_exceptions(s); i++) {
		const struct exception_in *e = state_exception(s, i);

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s %s %s; ", e->name, e->names[0],
		                      e->n_clients ? e->clients[0] : "-");
	}
	return out;
}

static void test_kept(void **state)
{
	struct err   err = { .text = "" };
	struct state s, again;
	struct stat  st;

	(void)state;
	state_open(&s, "folder/state.json"); /* neither is there yet */
	assert_int_equal(state_n_exceptions(&s), 0);
	assert_int_equal(state_save(&s, &err), 0); /* nothing changed: nothing is written */
	assert_int_equal(access("folder/state.json", F_OK), -1);
	assert_int_equal(state_first_seen(&s, "kav", 0), 0); /* the clock is wrong: nothing is noted */
	assert_false(s.changed);
	assert_int_equal(state_first_seen(&s, "kav", NOW), NOW);
	assert_int_equal(state_first_seen(&s, "kav", 0), NOW);
	assert_int_equal(state_first_seen(&s, "kav", NOW + 99), NOW);
	allow(&s, "a.b", NULL, NEXT);
	allow(&s, "a.b", "10.0.0.1", NEXT);
	allow(&s, ".c.d", NULL, NEXT);
	assert_int_equal(state_save(&s, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(stat("folder/state.json", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(access("folder/state.json.new", F_OK), -1);

	assert_int_equal(state_read(&again, "folder/state.json", &err), 0);
	assert_string_equal(list(&again), "allow-1 a.b -; allow-2 a.b 10.0.0.1; allow-3 .c.d -; ");
	assert_string_equal(state_exception(&again, 0)->owner, "me");
	assert_string_equal(state_exception(&again, 0)->expires, NEXT);
	assert_int_equal(state_first_seen(&again, "kav", NOW + 99), NOW);
	assert_false(again.changed);
	state_fini(&again);
	state_fini(&s);
}

static void test_changes(void **state)
{
	struct err   err = { .text = "" };
	struct state s;

	(void)state;
	assert_int_equal(state_read(&s, "nowhere", &err), 0);
	allow(&s, "a.b", NULL, NEXT);
	allow(&s, "c.d", NULL, NEXT);
	allow(&s, "a.b", NULL, NEXT); /* in the place of the first */
	assert_string_equal(list(&s), "allow-2 c.d -; allow-3 a.b -; ");
	allow(&s, "e.f", NULL, "2027-01-15T08:00:01Z"); /* a second from now */
	assert_non_null(state_allow(&s, exception("g.h", NULL, NEXT), NOW + 1, &err));
	assert_string_equal(list(&s), "allow-2 c.d -; allow-3 a.b -; allow-5 g.h -; ");
	assert_int_equal(state_revoke(&s, "x.y"), 0);
	assert_int_equal(state_revoke(&s, "allow-3"), 1);
	assert_int_equal(state_revoke(&s, "C.D"), 1);
	assert_string_equal(list(&s), "allow-5 g.h -; ");
	allow(&s, "a.b", NULL, NEXT); /* numbers are not used again */
	assert_string_equal(list(&s), "allow-5 g.h -; allow-6 a.b -; ");
	state_fini(&s);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name, *client, *expires, *expected;
	} rows[] = {
		{ "*.b", NULL, NEXT, "a label of '*' alone" },
		{ "a..b", NULL, NEXT, "label" },
		{ "a.b", "10.0.0.300", NEXT, "bad client '10.0.0.300'" },
		{ "a.b", NULL, "soon", "expires: 'soon' is not a date" },
	};
	struct err   none = { .text = "" };
	struct state s;

	(void)state;
	assert_int_equal(state_read(&s, "nowhere", &none), 0);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err err = { .text = "" };
		json_t    *e = exception(rows[i].name, rows[i].client, rows[i].expires);

		assert_null(state_allow(&s, e, NOW, &err));
		if (!strstr(err.text, rows[i].expected))
			fail_msg("%s: %s", rows[i].name, err.text);
		assert_string_equal(list(&s), "");
		assert_false(s.changed);
	}
	state_fini(&s);
}

static void test_ended(void **state)
{
	struct exception_in of_conf = { .name = (char[]){ "site" }, .expires = (char[]){ "2027-01-15T08:00:05Z" } };
	struct err          err = { .text = "" };
	struct state        s, again;

	(void)state;
	assert_int_equal(state_read(&s, "ended.json", &err), 0);
	allow(&s, "a.b", NULL, "2027-01-15T08:00:01Z"); /* a second from now */
	allow(&s, "c.d", NULL, NEXT);
	assert_int_equal(state_save(&s, &err), 0);
	assert_false(state_note_ended(&s, &of_conf, 1, NOW));
	assert_false(s.changed);
	assert_true(state_note_ended(&s, &of_conf, 1, NOW + 1));
	assert_false(state_note_ended(&s, &of_conf, 1, NOW + 2)); /* known already */
	assert_true(state_note_ended(&s, &of_conf, 1, NOW + 5));
	assert_int_equal(state_save(&s, &err), 0);
	state_fini(&s);

	assert_int_equal(state_read(&again, "ended.json", &err), 0);
	assert_false(state_note_ended(&again, &of_conf, 1, NOW - 99)); /* the clock went back */
	assert_true(state_has_ended(&again, state_exception(&again, 0)));
	assert_false(state_has_ended(&again, state_exception(&again, 1)));
	assert_true(state_has_ended(&again, &of_conf));
	of_conf.expires = (char[]){ NEXT }; /* prolonged: it is another one */
	assert_false(state_has_ended(&again, &of_conf));
	state_fini(&again);
	remove("ended.json");
}

static void test_numbers(void **state)
{
	struct err   err = { .text = "" };
	struct state s;

	(void)state;
	write_file("numbers.json", "{\"version\": 1, \"last_id\": 9007199254740991, \"exceptions\": [], "
	                           "\"first_seen\": {}}");
	assert_int_equal(state_read(&s, "numbers.json", &err), 0);
	allow(&s, "a.b", NULL, NEXT);
	assert_string_equal(list(&s), "allow-9007199254740992 a.b -; ");
	assert_null(state_allow(&s, exception("c.d", NULL, NEXT), NOW, &err));
	assert_string_equal(err.text, "no number is left for another exception");
	assert_string_equal(list(&s), "allow-9007199254740992 a.b -; ");
	state_fini(&s);
	remove("numbers.json");
}

#define FILE_WITH(exceptions, seen)                                                                \
	"{\"version\": 1, \"last_id\": 3, \"exceptions\": [" exceptions "], \"first_seen\": " seen "}"

static void test_damaged(void **state)
{
	static const struct {
		const char *what, *text, *expected;
	} rows[] = {
		{ "cut", "{\"version\": 1,\n \"last", "state.json:2: " },
		{ "empty", "", "state.json:1: " },
		{ "zeroes", "\x01\x02", "state.json:1: " },
		{ "no object", "[1]", "state.json: not a state file of version 1" },
		{ "of the future", "{\"version\": 2, \"last_id\": 0, \"exceptions\": [], \"first_seen\": {}}",
		  "state.json: not a state file of version 1" },
		{ "a bad name",
		  FILE_WITH("{\"id\": \"x\", \"name\": \"*.b\", \"owner\": \"o\", \"reason\": \"r\", "
		            "\"expires\": \"2027-01-01\"}", "{}"), "alone" },
		{ "no owner",
		  FILE_WITH("{\"id\": \"x\", \"name\": \"a.b\", \"reason\": \"r\", \"expires\": "
		            "\"2027-01-01\"}", "{}"), "needs owner" },
		{ "a number for a name", FILE_WITH("{\"id\": \"x\", \"name\": 7}", "{}"), "without id or name" },
		{ "an exception that is none", FILE_WITH("7", "{}"), "without id or name" },
		{ "a number that overflows",
		  "{\"version\": 1, \"last_id\": 9223372036854775807, \"exceptions\": [], \"first_seen\": {}}",
		  "state.json: not a state file of version 1" },
		{ "a negative number",
		  "{\"version\": 1, \"last_id\": -1, \"exceptions\": [], \"first_seen\": {}}",
		  "state.json: not a state file of version 1" },
		{ "ends that are none",
		  "{\"version\": 1, \"last_id\": 0, \"exceptions\": [], \"first_seen\": {}, \"ended\": []}",
		  "ended is not an object" },
		{ "an end that is no text",
		  "{\"version\": 1, \"last_id\": 0, \"exceptions\": [], \"first_seen\": {}, \"ended\": {\"x\": 1}}",
		  "the end of 'x' is not text" },
		{ "no date", FILE_WITH("", "{\"kav\": 7}"), "first_seen of pack 'kav' is not a date" },
	};

	(void)state;
	diag_register(hear);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err   err = { .text = "" };
		struct state s;
		glob_t       g;
		char         kept[2000] = "";
		FILE        *f;

		write_file("state.json", rows[i].text);
		said[0] = '\0';
		state_open(&s, "state.json");
		if (!strstr(said, rows[i].expected) || !strstr(said, "3 state: "))
			fail_msg("%s: %s", rows[i].what, said);
		assert_string_equal(list(&s), "");
		assert_int_equal(glob("state.json.damaged-*", 0, NULL, &g), 0);
		assert_int_equal(g.gl_pathc, 1);
		f = fopen(g.gl_pathv[0], "r");
		assert_int_equal(fread(kept, 1, sizeof(kept) - 1, f), strlen(rows[i].text));
		fclose(f);
		same_text(rows[i].what, kept, rows[i].text);
		remove(g.gl_pathv[0]);
		globfree(&g);
		allow(&s, "a.b", NULL, NEXT); /* and it goes on */
		assert_int_equal(state_save(&s, &err), 0);
		state_fini(&s);
	}
	diag_register(NULL);
}

static void test_unwritable(void **state)
{
	struct err   err = { .text = "" };
	struct state s;

	(void)state;
	write_file("file", "");
	state_open(&s, "file/below/state.json");
	allow(&s, "a.b", NULL, NEXT);
	assert_int_equal(state_save(&s, &err), -1);
	assert_string_equal(err.text, "file/below/state.json: Not a directory");
	assert_true(s.changed);
	assert_string_equal(list(&s), "allow-1 a.b -; ");
	state_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),    cmocka_unit_test(test_changes),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_unwritable), cmocka_unit_test(test_ended),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proves: what is said of a file comes apart into place, item, key and value, and nothing that is cut is read past. */
#include "offline/check.h"

#include "unit.h"

static const struct {
	const char *said, *file;
	int         line;
	const char *item, *key, *value;
} rows[] = {
	{ "a.yaml:3: mode: 'x' is not one of log", "a.yaml", 3, "", "mode", "x" },
	{ "/a:5:b.yaml:3: mode: 'x y' is not", "/a", 5, "", "", "" },
	{ "a.yaml:3: policy 'it's': action: 'it's' is not", "a.yaml", 3, "policy 'it's'", "action", "it's" },
	{ "a.yaml:3: output 2: 'p' is the path of output 1, too", "a.yaml", 3, "output 2", "", "" },
	{ "a.yaml:3: unknown key 'colour' (allowed: mode)", "a.yaml", 3, "", "colour", "" },
	{ "a.yaml:3: missing key 'rules'", "a.yaml", 3, "", "rules", "" },
	{ "a.yaml:3: entry 'e': key 'id' is given twice", "a.yaml", 3, "entry 'e'", "id", "" },
	{ "a.yaml:3: names: must not be empty", "a.yaml", 3, "", "names", "" },
	{ "a.yaml:3: inside: interface 'lan0' does not exist", "a.yaml", 3, "", "inside", "lan0" },
	{ "a.yaml:3: bad port '443' (write tcp/443)", "a.yaml", 3, "", "port", "443" },
	{ "policy 'b' is never reached", "", 0, "policy 'b'", "", "" },
	{ "/x: No such file or directory", "", 0, "", "", "" },
	{ "", "", 0, "", "", "" },
	{ ":", "", 0, "", "", "" },
	{ "a:1:", "a", 1, "", "", "" },
	{ "a:1: mode:", "a", 1, "", "", "" },
	{ "a:1: mode: ", "a", 1, "", "mode", "" },
	{ "a:1: mode: '", "a", 1, "", "mode", "" },
	{ "a:1: mode: x", "a", 1, "", "mode", "" },
	{ "a:1: unknown key '", "a", 1, "", "", "" },
	{ "a:1: policy '", "a", 1, "", "", "" },
	{ "bad ", "", 0, "", "", "" },
};

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		json_t *o = check_message(rows[i].said);

		same_text(rows[i].said, text(o, "file"), rows[i].file);
		same_num(rows[i].said, "line", json_integer_value(json_object_get(o, "line")), rows[i].line);
		same_text(rows[i].said, text(o, "item"), rows[i].item);
		same_text(rows[i].said, text(o, "key"), rows[i].key);
		same_text(rows[i].said, text(o, "value"), rows[i].value);
		json_decref(o);
	}
}

/* Each message, cut at each place: a sanitizer sees what is read past the end. */
static void cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		for (size_t n = 0; n <= strlen(rows[i].said); n++) {
			char   *part = strndup(rows[i].said, n);
			json_t *o = check_message(part);

			assert_non_null(json_object_get(o, "text"));
			json_decref(o);
			free(part);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(messages), cmocka_unit_test(cut) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

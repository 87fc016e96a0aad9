/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/yaml.h"

#include <sys/stat.h>

#include "../match/support.h"
#include "base/schema.h"

struct item {
	char    *id;
	char   **words;
	unsigned n_words;
};

struct doc {
	char        *name;
	int          kind;
	unsigned     number;
	bool         flag;
	struct item *entries;
	unsigned     n_entries;
};

static const cyaml_strval_t kinds[] = { { "red", 1 }, { "green", 2 } };

static const cyaml_schema_value_t word_value = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1,
	                                                            20) };
static const cyaml_schema_field_t item_fields[] = {
	SCHEMA_TEXT("id", SCHEMA_NEEDED, struct item, id),
	SCHEMA_LIST("words", SCHEMA_OPTIONAL, struct item, words, &word_value, 1),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t item_value = { CYAML_VALUE_MAPPING(0, struct item, item_fields) };
static const cyaml_schema_field_t group_fields[] = {
	CYAML_FIELD_BOOL("flag", SCHEMA_OPTIONAL, struct doc, flag),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t doc_fields[] = {
	SCHEMA_TEXT("name", SCHEMA_NEEDED, struct doc, name),
	SCHEMA_WORD("kind", SCHEMA_OPTIONAL, struct doc, kind, kinds),
	CYAML_FIELD_UINT("number", SCHEMA_OPTIONAL, struct doc, number),
	SCHEMA_GROUP("group", SCHEMA_OPTIONAL, struct doc, group_fields),
	SCHEMA_LIST("entries", SCHEMA_OPTIONAL, struct doc, entries, &item_value, 0),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct doc,
	                                                         doc_fields) };

static struct doc *bind(const char *text, struct yaml_doc **d, struct err *err)
{
	struct doc *data = NULL;

	*d = yaml_doc_parse("f", text, strlen(text), NULL, NULL, err);
	if (*d)
		data = yaml_doc_bind(*d, &schema, err);
	return data;
}

static void test_messages(void **state)
{
	static const struct {
		const char *what, *text, *expected;
	} rows[] = {
		{ "all is well", "name: a\nkind: red\nnumber: 7\ngroup: {flag: yes}\n", "" },
		{ "an unknown key", "name: a\ncolour: red\n",
		  "f:2: unknown key 'colour' (allowed: name, kind, number, group, entries)" },
		{ "an unknown key in a list item", "name: a\nentries:\n  - id: x\n    wrods: [a]\n",
		  "f:4: entry 'x': unknown key 'wrods' (allowed: id, words)" },
		{ "a missing key", "kind: red\n", "f:1: missing key 'name'" },
		{ "a missing key in a list item", "name: a\nentries:\n  - id: x\n  - words: [a]\n",
		  "f:4: entry 2: missing key 'id'" },
		{ "no such word", "name: a\nkind: blue\n", "f:2: kind: 'blue' is not one of red, green" },
		{ "a number instead of a word", "name: a\nkind: 1\n",
		  "f:2: kind: '1' is not one of red, green" },
		{ "no number", "name: a\nnumber: many\n",
		  "f:2: number: 'many' is not a number between 0 and 4294967295" },
		{ "a negative number", "name: a\nnumber: -1\n",
		  "f:2: number: '-1' is not a number between 0 and 4294967295" },
		{ "a number that does not fit", "name: a\nnumber: 4294967296\n",
		  "f:2: number: '4294967296' is not a number between 0 and 4294967295" },
		{ "libcyaml would take this for true", "name: a\ngroup:\n  flag: off\n",
		  "f:3: flag: 'off' is not one of true, false" },
		{ "an empty text", "name:\n", "f:1: name: must not be empty" },
		{ "a text that is too long", "name: a\nentries: [{id: x, words: [a, aaaaaaaaaaaaaaaaaaaaa]}]\n",
		  "f:2: entry 'x': words: longer than 20 characters" },
		{ "an escape sequence", "name: \"a\\e[2J\"\n", "f:1: name: contains a control character" },
		{ "one of eight bits", "name: \"a\\x9b2J\"\n", "f:1: name: contains a control character" },
		{ "a NUL", "name: \"a\\0b\"\n", "f:1: name: contains a NUL character" },
		{ "a list instead of a text", "name: [a]\n",
		  "f:1: name: must be a single value, not a list" },
		{ "a text instead of a list", "name: a\nentries: x\n",
		  "f:2: entries: must be a list ([a, b] or one '- a' per line)" },
		{ "a text instead of a mapping", "name: a\nentries:\n  - x\n",
		  "f:3: entry 1: entries: must be a mapping (key: value)" },
		{ "an empty list where one is needed", "name: a\nentries: [{id: x, words: []}]\n",
		  "f:2: entry 'x': words: must not be empty" },
		{ "a list at the top", "- a\n", "f:1: the file: must be a mapping (key: value)" },
		{ "a key twice", "name: a\nkind: red\nname: b\n", "f:3: key 'name' is given twice" },
		{ "an anchor", "name: &a b\n",
		  "f:1: anchor '&a': anchors are not supported (text that begins with '&' needs "
		  "quotes)" },
		{ "an anchor on a list", "name: a\nentries: &e []\n",
		  "f:2: anchor '&e': anchors are not supported (text that begins with '&' needs "
		  "quotes)" },
		{ "an alias", "name: *a\n",
		  "f:1: alias '*a': aliases are not supported (text that begins with '*' needs "
		  "quotes)" },
		{ "a second document", "name: a\n---\nname: b\n",
		  "f:2: a second document: a file holds one" },
		{ "nothing", "", "f:1: the file is empty" },
		{ "only a comment", "# nothing\n", "f:1: the file is empty" },
		{ "no YAML", "name: [a\nkind: red\n",
		  "f:2: not valid YAML: did not find expected ',' or ']', while parsing a flow sequence" },
		{ "a tab as indentation", "name: a\ngroup:\n\tflag: true\n",
		  "f:3: not valid YAML: found character that cannot start any token, while scanning "
		  "for the next token" },
		{ "no UTF-8", "name: a\nkind: \xff\n",
		  "f:2: not valid YAML: invalid leading UTF-8 octet" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err       err = { .text = "" };
		struct yaml_doc *d;
		struct doc      *data = bind(rows[i].text, &d, &err);

		same_text(rows[i].what, err.text, rows[i].expected);
		assert_true((data != NULL) == !*rows[i].expected);
		yaml_doc_unbind(&schema, data);
		yaml_doc_free(d);
	}
}

static void test_values(void **state)
{
	struct err       err = { .text = "" };
	struct yaml_doc *d;
	struct doc      *data = bind("name: a\nkind: green\nnumber: 7\ngroup: {flag: true}\n"
	                             "entries:\n  - {id: x, words: [b, c]}\n",
	                             &d, &err);

	(void)state;
	assert_non_null(data);
	assert_string_equal(data->name, "a");
	assert_int_equal(data->kind, 2);
	assert_int_equal(data->number, 7);
	assert_true(data->flag);
	assert_int_equal(data->n_entries, 1);
	assert_int_equal(data->entries[0].n_words, 2);
	assert_string_equal(data->entries[0].words[1], "c");
	yaml_doc_unbind(&schema, data);
	yaml_doc_free(d);
}

static void test_places(void **state)
{
	static const char text[] = "name: a\n"
				   "entries:\n"
				   "  - id: x\n"
				   "    words:\n"
				   "      - b\n"
				   "      - c\n"
				   "  - {id: y}\n";
	static const struct {
		const char *path;
		unsigned    line;
		bool        has;
		const char *text;
		unsigned    items;
	} rows[] = {
		{ "name", 1, true, "a", 0 },
		{ "entries", 3, true, NULL, 2 },
		{ "entries[0].words", 5, true, NULL, 2 },
		{ "entries[0].words[1]", 6, true, "c", 0 },
		{ "entries[0].words[2]", 5, false, NULL, 0 },
		{ "entries[1].id", 7, true, "y", 0 },
		{ "entries[1].words[0]", 7, false, NULL, 0 },
		{ "nothing.at[3].all", 1, false, NULL, 0 },
		{ "name.below", 1, false, NULL, 0 },
	};
	struct err       err = { .text = "" };
	struct yaml_doc *d = yaml_doc_parse("f", text, strlen(text), NULL, NULL, &err);

	(void)state;
	assert_non_null(d);
	for (size_t i = 0; i < N_OF(rows); i++) {
		const char *got = yaml_doc_text(d, "%s", rows[i].path);

		same_text(rows[i].path, got ? got : "(none)",
		          rows[i].text ? rows[i].text : "(none)");
		assert_int_equal(yaml_doc_line(d, "%s", rows[i].path), rows[i].line);
		assert_int_equal(yaml_doc_has(d, "%s", rows[i].path), rows[i].has);
		assert_int_equal(yaml_doc_items(d, "%s", rows[i].path), rows[i].items);
	}
	yaml_doc_free(d);
}

static void count(void *ctx, const char *text)
{
	(void)text;
	++*(unsigned *)ctx;
}

static void test_says_all(void **state)
{
	static const char text[] = "kind: blue\nx: 1\nnumber: a\n";
	struct err        err = { .text = "" };
	unsigned          n = 0;
	struct yaml_doc  *d = yaml_doc_parse("f", text, strlen(text), count, &n, &err);

	(void)state;
	assert_null(yaml_doc_bind(d, &schema, &err));
	assert_int_equal(n, 4); /* and the missing name */
	assert_string_equal(err.text, "f:1: kind: 'blue' is not one of red, green");
	yaml_doc_free(d);
}

static void test_repair(void **state)
{
	static const struct yaml_stand_in stand_ins[] = { { "id", "stand-in" }, { NULL, NULL } };
	static const struct {
		const char *text, *name, *ids; /* of the entries, first word of each */
		int         kind;
	} rows[] = {
		{ "nome: x\n", "missing-1", "", 0 },
		{ "name: [x]\nkind: blue\nnumber: -1\ngroup: {flag: maybe}\n", "missing-1", "", 0 },
		{ "name: a\nname: b\nkind: [red]\nkind: red\n", "a", "", 1 },
		{ "name: a\nentries: text\n", "a", "", 0 },
		{ "name: a\nentries: {id: x}\n", "a", "", 0 },
		{ "name: a\nentries:\n  - {words: one}\n  - text\n  - {id: y, words: [], x: y}\n"
		  "  - {id: z, words: [[a], b, {c: d}]}\n",
		  "a", "stand-in:one y: z:b ", 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err       err = { .text = "" };
		struct yaml_doc *d = yaml_doc_parse("f", rows[i].text, strlen(rows[i].text), NULL, NULL, &err);
		char             ids[100] = "";
		struct doc      *data;

		assert_int_not_equal(yaml_doc_problems(d, &schema, &err), 0);
		assert_int_equal(yaml_doc_repair(d, &schema, stand_ins), 0);
		data = yaml_doc_bind(d, &schema, &err);
		assert_non_null(data);
		same_text(rows[i].text, data->name, rows[i].name);
		assert_int_equal(data->kind, rows[i].kind);
		for (unsigned k = 0; k < data->n_entries; k++)
			snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s:%s ", data->entries[k].id,
			         data->entries[k].n_words ? data->entries[k].words[0] : "");
		same_text(rows[i].text, ids, rows[i].ids);
		yaml_doc_unbind(&schema, data);
		yaml_doc_free(d);
	}
}

static void test_not_a_mapping(void **state)
{
	static const struct yaml_stand_in none[] = { { NULL, NULL } };
	struct err                        err = { .text = "" };
	struct yaml_doc                  *d = yaml_doc_parse("f", "[a]", 3, NULL, NULL, &err);

	(void)state;
	assert_int_equal(yaml_doc_repair(d, &schema, none), -1);
	yaml_doc_free(d);
}

static void test_files(void **state)
{
	static const struct {
		const char *path, *expected;
	} rows[] = {
		{ "missing.yaml", "missing.yaml: No such file or directory" },
		{ "folder", "folder: Is a directory" },
		{ "large.yaml", "large.yaml: larger than 64 MiB" },
		{ "good.yaml", "" },
	};
	FILE *f;

	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	write_file("good.yaml", "name: a\n");
	f = fopen("large.yaml", "w");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), (64 << 20) + 1), 0);
	fclose(f);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err       err = { .text = "" };
		struct yaml_doc *d = yaml_doc_open(rows[i].path, NULL, NULL, &err);

		same_text(rows[i].path, err.text, rows[i].expected);
		yaml_doc_free(d);
	}
}

static void test_depth(void **state)
{
	struct err err = { .text = "" };
	char       text[200] = "a: ";

	(void)state;
	memset(text + 3, '[', 100);
	assert_null(yaml_doc_parse("f", text, strlen(text), NULL, NULL, &err));
	assert_string_equal(err.text, "f:1: nested more than 32 levels deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages), cmocka_unit_test(test_values),
		cmocka_unit_test(test_places),   cmocka_unit_test(test_says_all),
		cmocka_unit_test(test_files),    cmocka_unit_test(test_depth),
		cmocka_unit_test(test_repair),   cmocka_unit_test(test_not_a_mapping),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

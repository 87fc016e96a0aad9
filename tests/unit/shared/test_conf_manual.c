/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of keys in nfqd.yaml(5) is what the rows of conf_keys.h say. After a change of a row:
 * NFQD_WRITE_MANUAL=1 build/tests/shared/test_conf_manual.t
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "shared/conf_schema.h"
#include "manual.h"

#define MANUAL "nfqd/man/nfqd.yaml.5"
#define BEGIN  ".\\\" keys: written by tests/unit/shared/test_conf_manual.c\n"
#define END    ".\\\" end of keys\n"

static void write_row(FILE *f, const struct conf_key *k)
{
	char words[200];

	if (k->type == CONF_MAPPING || k->type == CONF_GROUP || strstr(k->path, "[]"))
		return;
	conf_key_words(k, words, sizeof(words));
	fprintf(f, ".It Ic %s\n%c%s", k->path, toupper((unsigned char)k->text[0]), k->text + 1);
	if (k->zero)
		fprintf(f, ": %s, or", k->zero);
	else if (k->most || k->longest)
		fputc(':', f);
	if (k->most)
		fprintf(f, " %lu to %lu", k->least, k->most);
	else if (k->longest)
		fprintf(f, " %s to %s", k->shortest, k->longest);
	else if (words[0] && k->type == CONF_WORD)
		fprintf(f, ": %s", words);
	if (k->preset)
		fprintf(f, ".\nDefault %s.", k->preset);
	else
		fputs(k->needed ? ".\nHas no default." : ".", f);
	fputs(k->restart ? "\nRestart.\n" : "\n", f);
}

static char *expected(void)
{
	char  *text = NULL;
	size_t n;
	FILE  *f = open_memstream(&text, &n);

	assert_non_null(f);
	for (unsigned i = 0; i < conf_n_keys; i++)
		write_row(f, &conf_keys[i]);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void test_table(void **state)
{
	char *rows = expected();

	(void)state;
	manual_holds(MANUAL, BEGIN, END, rows);
	free(rows);
}

/* What the table has in a line, the text explains. */
static void test_text(void **state)
{
	const char *page = manual_read(MANUAL);

	(void)state;
	for (unsigned i = 0; i < conf_n_keys; i++) {
		const char *dot = strrchr(conf_keys[i].path, '.');
		const char *key = dot ? dot + 1 : conf_keys[i].path;

		if (!strstr(page, key))
			fail_msg("nfqd.yaml(5) has no word of %s", conf_keys[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table), cmocka_unit_test(test_text) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

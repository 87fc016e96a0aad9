/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/names.h"

#include "support.h"

static void test_parse(void **state)
{
	static const struct {
		const char *what, *pattern, *expected;
	} rows[] = {
		{ "exact", "a.example", "exact a.example 1" },
		{ "suffix", ".a.example", "suffix a.example 1" },
		{ "upper case and a trailing dot", ".A.Example.", "suffix a.example 1" },
		{ "underscore", "_dns.a.example", "exact _dns.a.example 1" },
		{ "range", "s[00-19].a.example", "exact s[00-19].a.example 20" },
		{ "range of one", "s[7-7].a.example", "exact s[7-7].a.example 1" },
		{ "range below", ".s[0-9].a.example", "suffix s[0-9].a.example 10" },
		{ "two ranges", "s[0-9].p[1-3].a.example", "exact s[0-9].p[1-3].a.example 30" },
		{ "as many as may be", "s[0000-9999].a.example", "exact s[0000-9999].a.example 10000" },
		{ "glob", "ksn-*-geo.a.example", "glob ksn-*-geo.a.example 1" },
		{ "glob with two stars", "a*b*c.a.example", "glob a*b*c.a.example 1" },
		{ "glob below", ".x-*.a.example", "glob x-*.a.example 1" },
		{ "stars in two labels", "a*.b*.example", "glob a*.b*.example 1" },
		{ "63 characters",
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
		  "exact aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example 1" },
		{ "64 characters",
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
		  "a label is longer than 63 characters" },
		{ "nothing", "",
		  "an empty label (two dots side by side, or nothing at all)" },
		{ "a dot", ".", "an empty label (two dots side by side, or nothing at all)" },
		{ "two dots", "a..example",
		  "an empty label (two dots side by side, or nothing at all)" },
		{ "two dots at the end", "a.example..",
		  "an empty label (two dots side by side, or nothing at all)" },
		{ "one label", "example", "a single label: a name needs at least two" },
		{ "one label below", ".example", "a single label: a name needs at least two" },
		{ "an address", "192.0.2.1",
		  "the last label is a number: addresses belong under 'nets'" },
		{ "a URL", "https://a.example", "':' cannot be part of a name" },
		{ "a space", "a b.example", "' ' cannot be part of a name" },
		{ "an escape", "a\\046b.example", "'\\' cannot be part of a name" },
		{ "not ASCII", "b\xc3\xbc" "cher.example",
		  "not ASCII: write the name in its xn-- form" },
		{ "a hyphen first", "-a.example", "a label begins or ends with '-'" },
		{ "a hyphen last", "a-.example", "a label begins or ends with '-'" },
		{ "a label of a star", "*.a.example",
		  "a label of '*' alone: write .example.com for all below a name" },
		{ "two stars side by side", "a**.a.example",
		  "'**': one '*' is one or more characters of one label" },
		{ "a star in the last label", "a.ex*", "the last label may not have a '*'" },
		{ "a star and a range", "a*[0-9].a.example", "either ranges or '*', not both" },
		{ "a range backwards", "s[9-0].a.example", "the range ends before it begins" },
		{ "a range without an end", "s[0-].a.example",
		  "a range is written [lo-hi] with numbers of up to 6 digits" },
		{ "a range that is not closed", "s[0-9.a.example",
		  "a range is written [lo-hi] with numbers of up to 6 digits" },
		{ "a range of letters", "s[a-c].a.example",
		  "a range is written [lo-hi] with numbers of up to 6 digits" },
		{ "a range of two widths that begins with 0", "s[00-100].a.example",
		  "a range whose numbers begin with 0 needs bounds of equal width" },
		{ "too many names", "s[0-99].p[0-100].a.example",
		  "stands for more than 10000 names" },
		{ "too many ranges", "[0-0][0-0][0-0][0-0][0-0][0-0][0-0][0-0][0-0].a.example",
		  "more than 8 ranges" },
	};
	static const char *const kinds[] = { "exact", "suffix", "glob" };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err     err = { .text = "" };
		struct pattern p;
		char           got[1200];

		if (pattern_parse(&p, rows[i].pattern, &err) < 0)
			snprintf(got, sizeof(got), "%s", err.text);
		else
			snprintf(got, sizeof(got), "%s %s %u", kinds[p.kind], p.text, p.names);
		same_text(rows[i].what, got, rows[i].expected);
	}
}

static void test_too_long(void **state)
{
	struct err     err = { .text = "" };
	struct pattern p;
	char           name[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 10 == 9 ? '.' : 'a';
	name[253] = '\0';
	assert_int_equal(pattern_parse(&p, name, &err), 0);
	name[253] = 'a';
	name[254] = '\0';
	assert_int_equal(pattern_parse(&p, name, &err), -1);
	assert_string_equal(err.text, "longer than 253 characters");
	name[254] = 'a';
	name[998] = 'a';
	name[999] = '\0';
	err.text[0] = '\0';
	assert_int_equal(pattern_parse(&p, name, &err), -1);
	assert_string_equal(err.text, "longer than 253 characters");
}

struct names_text {
	char text[2000];
};

static int append(void *ctx, const char *name, size_t len)
{
	struct names_text *t = ctx;
	size_t             used = strlen(t->text);

	assert_int_equal(strlen(name), len);
	snprintf(t->text + used, sizeof(t->text) - used, "%s%s", used ? " " : "", name);
	return 0;
}

static void test_expand(void **state)
{
	static const struct {
		const char *what, *pattern, *expected;
	} rows[] = {
		{ "no range", "a.example", "a.example" },
		{ "equal widths are kept", "s[08-11].x.y", "s08.x.y s09.x.y s10.x.y s11.x.y" },
		{ "other widths are not filled up", "s[8-11].x.y", "s8.x.y s9.x.y s10.x.y s11.x.y" },
		{ "several ranges", "s[0-1]t[5-6].x.y", "s0t5.x.y s0t6.x.y s1t5.x.y s1t6.x.y" },
		{ "a range alone in its label", "[1-2].x.y", "1.x.y 2.x.y" },
		{ "a range in the last label", "x.y[1-2]", "x.y1 x.y2" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct names_text got = { .text = "" };
		struct err        err = { .text = "" };
		struct pattern    p;

		assert_int_equal(pattern_parse(&p, rows[i].pattern, &err), 0);
		assert_true(pattern_expand(&p, append, &got) >= 0);
		same_text(rows[i].what, got.text, rows[i].expected);
	}
}

static void test_globs(void **state)
{
	static const struct {
		const char *what, *glob, *name;
		bool        expected;
	} rows[] = {
		{ "some characters", "ksn-*-geo.a.b", "ksn-url-geo.a.b", true },
		{ "one character", "ksn-*-geo.a.b", "ksn-x-geo.a.b", true },
		{ "no character", "ksn-*-geo.a.b", "ksn--geo.a.b", false },
		{ "hyphens are characters", "ksn-*-geo.a.b", "ksn-a-geo-b-geo.a.b", true },
		{ "not across a dot", "ksn-*-geo.a.b", "ksn-x.y-geo.a.b", false },
		{ "one label more", "ksn-*-geo.a.b", "x.ksn-y-geo.a.b", false },
		{ "one label less", "ksn-*-geo.a.b", "a.b", false },
		{ "below", ".x-*.a.b", "y.x-1.a.b", true },
		{ "below, the name itself", ".x-*.a.b", "x-1.a.b", true },
		{ "below, too short", ".x-*.a.b", "a.b", false },
		{ "a star first", "*-x.a.b", "y-x.a.b", true },
		{ "a star first takes one at least", "*-x.a.b", "-x.a.b", false },
		{ "a star last", "x-*.a.b", "x-y.a.b", true },
		{ "a star last takes one at least", "x-*.a.b", "x-.a.b", false },
		{ "two stars", "a*b*c.a.b", "axbxc.a.b", true },
		{ "two stars, going back", "a*b*c.a.b", "abbbc.a.b", true },
		{ "two stars, too little", "a*b*c.a.b", "abbc.a.b", false },
		{ "the tail comes twice", "a*bc.a.b", "abcbc.a.b", true },
		{ "a star and a wrong end", "a*c.a.b", "axd.a.b", false },
		{ "stars in two labels", "a*.b*.c", "a1.b2.c", true },
		{ "an odd byte is one character", "a*b*c.a.b", "a\\000bc.a.b", false },
		{ "an odd byte for a star", "a*c.a.b", "a\\000c.a.b", true },
		{ "no part of an odd byte", "a*0c.a.b", "a\\000c.a.b", false },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct labels l;
		uint8_t       labels;

		labels_split(&l, rows[i].name, strlen(rows[i].name));
		if (glob_match(rows[i].glob, &l, &labels) != rows[i].expected)
			fail_msg("%s", rows[i].what);
	}
}

static void test_prints(void **state)
{
	struct labels l;
	uint64_t      fp = 42;

	(void)state;
	labels_split(&l, "c.b.a", 5);
	assert_int_equal(l.n, 3);
	for (unsigned i = 0; i < l.n; i++) {
		fp = fp_extend(42, fp, label_at(&l, i));
		assert_true(fp == fp_of_pattern(42, &"c.b.a"[4 - 2 * i], 1 + 2 * i));
	}
	assert_true(fp_of_pattern(42, "c.b.a", 5) != fp_of_pattern(43, "c.b.a", 5));
	assert_true(fp_of_pattern(42, "x-*.b.a", 7) == fp_of_pattern(42, "b.a", 3));
	assert_true(fp_of_pattern(42, "c*.d.x-*.b.a", 12) == fp_of_pattern(42, "b.a", 3));
}

/* More labels than there is room for: the left-hand rest counts as one. */
static void test_many_labels(void **state)
{
	struct labels l;
	char          name[400];

	(void)state;
	memset(name, '.', sizeof(name));
	labels_split(&l, name, sizeof(name));
	assert_int_equal(l.n, LABELS_MAX);
	assert_int_equal(label_at(&l, 0).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),  cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_expand), cmocka_unit_test(test_globs),
		cmocka_unit_test(test_prints), cmocka_unit_test(test_many_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of the manual that is written from rows of the program: between its two marks stands what the test
 * expects. With NFQD_WRITE_MANUAL in the environment it is written there instead.
 */
#ifndef TESTS_LIB_MANUAL_H
#define TESTS_LIB_MANUAL_H

#include "unit.h"

static inline char *manual_read(const char *path)
{
	static char text[128 * 1024];
	FILE       *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

static inline void manual_holds(const char *path, const char *begin_mark, const char *end_mark, const char *rows)
{
	char *page = manual_read(path), *begin = strstr(page, begin_mark), *end = strstr(page, end_mark);
	FILE *f;

	assert_non_null(begin);
	assert_non_null(end);
	begin += strlen(begin_mark);
	if (!getenv("NFQD_WRITE_MANUAL")) {
		*end = '\0';
		assert_string_equal(begin, rows);
		return;
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(begin - page), page, rows, end);
	assert_int_equal(fclose(f), 0);
}

#endif

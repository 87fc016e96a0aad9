/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every struct name must be, whatever bytes it came from: used by unit tests and fuzzers. */
#ifndef TESTS_LIB_CANONICAL_H
#define TESTS_LIB_CANONICAL_H

#include "name/parsers.h"

static inline bool canonical_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* NULL, or what is wrong with the name. */
static inline const char *canonical_wrong(const struct name *n)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-_:.*";

	if (n->len == 0 || n->len >= NAME_TEXT)
		return "a length that is none";
	if (strnlen(n->text, NAME_TEXT) != n->len)
		return "the length is not that of the text";
	for (unsigned i = 0; i < n->len; i++) {
		const char *c = n->text + i;
		int         v;

		if (strchr(plain, *c))
			continue;
		if (*c != '\\' || !canonical_digit(c[1]) || !canonical_digit(c[2]) ||
		    !canonical_digit(c[3]))
			return "a byte that should be escaped";
		v = (c[1] - '0') * 100 + (c[2] - '0') * 10 + (c[3] - '0');
		if (v > 255 || (v && v != '.' && strchr(plain, v)))
			return "an escape that should be none";
		i += 3;
	}
	return NULL;
}

static inline const char *names_wrong(const struct names *names)
{
	if (names->n > NAMES_MAX)
		return "too many names";
	for (unsigned i = 0; i < names->n; i++)
		if (canonical_wrong(&names->v[i]))
			return canonical_wrong(&names->v[i]);
	return NULL;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka and the few words that every unit test uses. */
#ifndef TESTS_LIB_UNIT_H
#define TESTS_LIB_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "name/name.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* A literal that may hold zeroes, as (pointer, length). */
#define LIT(s) { (const uint8_t *)(s), sizeof(s) - 1 }

/* Fail with the row's name when two values differ. */
static inline void same_text(const char *what, const char *got, const char *expected)
{
	if (strcmp(got, expected) != 0)
		fail_msg("%s:\n  got      %s\n  expected %s", what, got, expected);
}

static inline void same_num(const char *what, const char *which, long long got, long long expected)
{
	if (got != expected)
		fail_msg("%s: %s: got %lld, expected %lld", what, which, got, expected);
}

static inline void same_bytes(const char *what, struct span got, struct span expected)
{
	size_t i = 0;

	while (i < got.n && i < expected.n && got.p[i] == expected.p[i])
		i++;
	if (got.n != expected.n || i < got.n)
		fail_msg("%s: %zu bytes, expected %zu; the first difference is at %zu", what, got.n,
		         expected.n, i);
}

/* The names of a message, with blanks between. */
static inline const char *names_text(const struct names *names)
{
	static char text[NAMES_MAX * (NAME_TEXT + 1) + 1];
	size_t      n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < names->n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "",
		                      names->v[i].text);
	return text;
}

/* A small generator of numbers that is the same everywhere (splitmix64). */
static inline uint64_t unit_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a query or a form says: application/x-www-form-urlencoded, decoded and bounded. */
#ifndef CONSOLE_FIELDS_H
#define CONSOLE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

enum { FIELDS_MAX = 16, FIELDS_BYTES = 8192 };

struct fields {
	unsigned n;
	struct {
		const char *key, *value; /* in bytes; UTF-8 */
	} v[FIELDS_MAX];
	size_t used;
	char   bytes[2 * FIELDS_BYTES];
};

/* Adds what n bytes of text say; the first of two fields with one name counts. False: it is not well formed, not UTF-8,
 * has a NUL, or is too much. */
bool fields_read(struct fields *f, const char *text, size_t n);
bool fields_add(struct fields *f, const char *key, const char *value);
/* "": there is none. */
const char *field(const struct fields *f, const char *key);
/* Is it whole and well formed UTF-8 (RFC 3629)? */
bool utf8_ok(const char *text);

#endif

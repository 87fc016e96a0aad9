/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A span borrows bytes: it owns nothing and is valid only as long as what it points into.
 * Reading structured bytes from the network is done with struct wire (wire.h), never with a span.
 */
#ifndef NFQD_BASE_SPAN_H
#define NFQD_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p;
	size_t         n;
};

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){ .p = p, .n = n };
}

static inline struct span span_str(const char *s)
{
	return span_of(s, strlen(s));
}

/* ASCII only, whatever the locale. */
static inline uint8_t ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static inline bool span_eq_nocase(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages built byte by byte, for tests. Blocks with a length in front nest. */
#ifndef TESTS_LIB_BYTES_H
#define TESTS_LIB_BYTES_H

#include <stdlib.h>

#include "base/span.h"

#define BYTES_MAX 80000

struct bytes {
	size_t  n;
	uint8_t p[BYTES_MAX];
};

static inline struct span bytes_span(const struct bytes *b)
{
	return span_of(b->p, b->n);
}

static inline void bytes_put(struct bytes *b, const void *p, size_t n)
{
	if (n > BYTES_MAX - b->n)
		abort(); /* a test that is wrong itself */
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void bytes_add(struct bytes *b, struct span s)
{
	bytes_put(b, s.p, s.n);
}

static inline void bytes_text(struct bytes *b, const char *s)
{
	bytes_put(b, s, strlen(s));
}

/* A number in network order. */
static inline void bytes_num(struct bytes *b, size_t width, uint64_t v)
{
	for (size_t i = width; i > 0; i--)
		bytes_put(b, &(uint8_t){ (uint8_t)(v >> 8 * (i - 1)) }, 1);
}

static inline void bytes_fill(struct bytes *b, uint8_t c, size_t n)
{
	while (n-- > 0)
		bytes_put(b, &c, 1);
}

/* A block whose length, in width bytes, stands in front: what comes between open and close. */
static inline size_t bytes_open(struct bytes *b, size_t width)
{
	bytes_num(b, width, 0);
	return b->n;
}

static inline void bytes_close(struct bytes *b, size_t at, size_t width)
{
	size_t n = b->n - at;

	for (size_t i = 0; i < width; i++)
		b->p[at - 1 - i] = (uint8_t)(n >> 8 * i);
}

static inline void bytes_block(struct bytes *b, size_t width, struct span s)
{
	bytes_num(b, width, s.n);
	bytes_add(b, s);
}

/* A DNS name as labels: "a.b" -> 1 a 1 b 0. */
static inline void bytes_dns_name(struct bytes *b, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		bytes_block(b, 1, span_of(name, n));
		name += n + (name[n] == '.');
	}
	bytes_num(b, 1, 0);
}

/* A query for one name. */
static inline void bytes_dns_query(struct bytes *b, uint16_t id, const char *name, uint16_t type)
{
	bytes_num(b, 2, id);
	bytes_put(b, "\1\0\0\1\0\0\0\0\0\0", 10); /* RD, one question */
	bytes_dns_name(b, name);
	bytes_num(b, 2, type);
	bytes_num(b, 2, 1);
}

#endif

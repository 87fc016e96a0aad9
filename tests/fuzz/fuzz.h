/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets of name/ share: one parse, and what must hold whatever the bytes are. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "../lib/canonical.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding: ends the run, with a message. */
#define FUZZ_CHECK(holds)                                                                          \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

typedef enum wire_err fuzz_parser(struct wire *w, struct names *out);

static inline enum wire_err fuzz_parse(fuzz_parser *f, struct span msg, bool open,
				       struct names *out)
{
	enum wire_err err = WIRE_OK, r;
	struct wire   w = wire_of(msg, &err, open);

	memset(out, 0, sizeof(*out));
	r = f(&w, out);
	FUZZ_CHECK(!names_wrong(out));
	FUZZ_CHECK(w.pos >= msg.p && w.pos <= w.end && w.end == msg.p + msg.n);
	FUZZ_CHECK(open || r != WIRE_MORE);
	return r;
}

/* Is every name of a among those of b? */
static inline bool fuzz_among(const struct names *a, const struct names *b)
{
	for (unsigned i = 0; i < a->n; i++) {
		unsigned o = 0;

		while (o < b->n && strcmp(a->v[i].text, b->v[o].text) != 0)
			o++;
		if (o == b->n)
			return false;
	}
	return true;
}

/* Open and closed, and half of it: what a prefix of a stream names, the whole names, too. */
static inline void fuzz_stream(fuzz_parser *f, struct span msg)
{
	struct names  half, whole, closed;
	enum wire_err r = fuzz_parse(f, msg, true, &whole);

	fuzz_parse(f, msg, false, &closed);
	fuzz_parse(f, span_of(msg.p, msg.n / 2), true, &half);
	FUZZ_CHECK(r != WIRE_OK || fuzz_among(&half, &whole));
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every parser of names must bear, given one valid message: all truncations, open and closed;
 * all flips of one bit; all cuts in two, in order and reversed. Each input lies in a block of
 * exactly its size, so that AddressSanitizer sees every byte read beyond.
 */
#ifndef TESTS_LIB_MANGLE_H
#define TESTS_LIB_MANGLE_H

#include "canonical.h"
#include "reassemble/stream.h"
#include "unit.h"

typedef enum wire_err mangle_parser(struct wire *w, struct names *out);

static inline enum wire_err mangle_parse(mangle_parser *f, struct span msg, bool open,
                                         struct names *out)
{
	enum wire_err err = WIRE_OK, r;
	uint8_t      *copy = malloc(msg.n);
	struct wire   w;

	if (msg.n)
		memcpy(copy, msg.p, msg.n);
	w = wire_of(span_of(copy, msg.n), &err, open);
	memset(out, 0, sizeof(*out));
	r = f(&w, out);
	if (w.pos < copy || w.end != copy + msg.n || w.pos > w.end)
		fail_msg("the cursor left the message");
	free(copy);
	if (names_wrong(out))
		fail_msg("%s", names_wrong(out));
	return r;
}

static inline bool mangle_has(const struct names *set, const struct name *name)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->v[i].seen_in == name->seen_in && strcmp(set->v[i].text, name->text) == 0)
			return true;
	return false;
}

/* A prefix of a stream: more is needed, or it already says nothing but what the whole says. */
static inline enum wire_err mangle_prefix(const char *what, mangle_parser *f, struct span prefix,
                                          const struct names *whole)
{
	struct names  got;
	enum wire_err r = mangle_parse(f, prefix, true, &got);

	if (r != WIRE_OK && r != WIRE_MORE)
		fail_msg("%s, the first %zu bytes, open: result %d", what, prefix.n, r);
	if (r == WIRE_OK && whole->n && !got.n)
		fail_msg("%s, the first %zu bytes, open: nobody named", what, prefix.n);
	for (unsigned i = 0; i < got.n; i++)
		if (!mangle_has(whole, &got.v[i]))
			fail_msg("%s, the first %zu bytes, open: %s", what, prefix.n,
				 got.v[i].text);
	return r;
}

static inline void mangle_truncate(const char *what, mangle_parser *f, struct span msg,
                                   const struct names *whole)
{
	struct names got;

	for (size_t n = 0; n < msg.n; n++) {
		mangle_prefix(what, f, span_of(msg.p, n), whole);
		mangle_parse(f, span_of(msg.p, n), false, &got);
	}
}

static inline void mangle_flip(mangle_parser *f, struct span msg)
{
	uint8_t     *copy = malloc(msg.n);
	struct names got;

	memcpy(copy, msg.p, msg.n);
	for (size_t bit = 0; bit < msg.n * 8; bit++) {
		copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
		mangle_parse(f, span_of(copy, msg.n), true, &got);
		mangle_parse(f, span_of(copy, msg.n), false, &got);
		copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	free(copy);
}

/* Reads a stream's front until it is decided, as the pipeline does. */
static inline void mangle_cut(const char *what, mangle_parser *f, struct span msg, size_t at,
                              const struct names *whole)
{
	const struct span   halves[] = { span_of(msg.p, at), span_of(msg.p + at, msg.n - at) };
	struct stream_pool *pool = stream_pool_new(1, STREAM_PIECES);

	for (unsigned first = 0; first < 2; first++) {
		const uint32_t seq = UINT32_MAX - 5; /* across the wrap */
		struct stream *s = stream_get(pool, seq + (first ? (uint32_t)at : 0), false);
		struct names   got = { 0 };
		enum wire_err  r = WIRE_MORE;

		for (unsigned i = 0; i < 2 && r == WIRE_MORE; i++) {
			unsigned h = i ^ first;

			assert_int_equal(stream_add(s, seq + (h ? (uint32_t)at : 0), halves[h]),
			                 halves[h].n ? STREAM_OK : STREAM_OLD);
			if (i == 0 && first == 1)
				continue; /* a tail alone is no message */
			r = mangle_parse(f, stream_front(s), true, &got);
		}
		if (r != WIRE_OK || (whole->n && !got.n))
			fail_msg("%s, cut at %zu%s: result %d", what, at, first ? ", reversed" : "",
				 r);
		for (unsigned i = 0; i < got.n; i++)
			if (!mangle_has(whole, &got.v[i]))
				fail_msg("%s, cut at %zu: %s", what, at, got.v[i].text);
		stream_put(pool, s);
	}
	stream_pool_free(pool);
}

/* All of it. The message must be valid: WIRE_OK as it stands. */
static inline void mangle(const char *what, mangle_parser *f, struct span msg)
{
	struct names whole;

	if (mangle_parse(f, msg, true, &whole) != WIRE_OK)
		fail_msg("%s: not valid as it stands", what);
	mangle_truncate(what, f, msg, &whole);
	mangle_flip(f, msg);
	for (size_t at = 0; at <= msg.n; at++)
		mangle_cut(what, f, msg, at, &whole);
}

#endif

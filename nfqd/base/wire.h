/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cursor over bytes from the network: the only code of the daemon that does pointer arithmetic
 * on them. One sticky error serves a whole parse, so a parser transcribes its RFC and checks once.
 * A window is *open* when the stream may still grow past its end: running out is then WIRE_MORE,
 * else WIRE_BAD.
 */
#ifndef NFQD_BASE_WIRE_H
#define NFQD_BASE_WIRE_H

#include "base/span.h"

/* MORE: wait for bytes; BAD: damaged; NONE: not this protocol. */
enum wire_err { WIRE_OK = 0, WIRE_MORE, WIRE_BAD, WIRE_NONE };

struct wire {                       /* a window over borrowed bytes: owns nothing */
	const uint8_t *pos, *end;
	enum wire_err *err;         /* one sticky error for the whole parse */
	bool           open;        /* the stream may still grow past end */
};

static inline struct wire wire_of(struct span s, enum wire_err *err, bool open)
{
	return (struct wire){ .pos = s.p, .end = s.n ? s.p + s.n : s.p, .err = err, .open = open };
}

static inline size_t wire_left(const struct wire *w)
{
	return *w->err == WIRE_OK ? (size_t)(w->end - w->pos) : 0;
}

/* The first error wins; every later read returns zeroes. */
static inline void wire_fail(struct wire *w, enum wire_err e)
{
	if (*w->err == WIRE_OK)
		*w->err = e;
	w->pos = w->end;
}

/* The only bounds check in the daemon. Returns NULL after an error. */
static inline const uint8_t *wire_bytes(struct wire *w, size_t n)
{
	const uint8_t *p = w->pos;

	if (*w->err != WIRE_OK)
		return NULL;
	if (n > (size_t)(w->end - w->pos)) {
		wire_fail(w, w->open ? WIRE_MORE : WIRE_BAD);
		return NULL;
	}
	w->pos += n;
	return p;
}

static inline struct span wire_span(struct wire *w, size_t n)
{
	const uint8_t *p = wire_bytes(w, n);

	return span_of(p, p ? n : 0);
}

static inline void wire_skip(struct wire *w, size_t n)
{
	(void)wire_bytes(w, n);
}

/* Skips the zeroes in front, eight at a time while there are as many. */
static inline void wire_skip_zeroes(struct wire *w)
{
	uint64_t eight;

	for (; w->end - w->pos >= 8; w->pos += 8) {
		memcpy(&eight, w->pos, 8);
		if (eight)
			break;
	}
	while (w->pos != w->end && *w->pos == 0)
		w->pos++;
}

static inline uint8_t wire_u8(struct wire *w)
{
	const uint8_t *p = wire_bytes(w, 1);

	return p ? p[0] : 0;
}

static inline uint16_t wire_u16(struct wire *w)
{
	const uint8_t *p = wire_bytes(w, 2);

	return p ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t wire_u24(struct wire *w)
{
	const uint8_t *p = wire_bytes(w, 3);

	return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t wire_u32(struct wire *w)
{
	const uint8_t *p = wire_bytes(w, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* Sub-window of n bytes: closed when all n are here, open when the parent is open and cut. */
static inline struct wire wire_sub(struct wire *w, size_t n)
{
	struct wire s = { .pos = w->end, .end = w->end, .err = w->err };

	if (*w->err != WIRE_OK)
		return s;
	s.pos = w->pos;
	if (n <= (size_t)(w->end - w->pos)) {
		s.end = w->pos += n;
	} else if (w->open) {
		s.open = true;
		w->pos = w->end;
	} else {
		wire_fail(w, WIRE_BAD);
		s.pos = s.end;
	}
	return s;
}

/* Loop test: true while bytes remain; reaching the cut edge of an open window is WIRE_MORE. */
static inline bool wire_each(struct wire *w)
{
	if (*w->err != WIRE_OK)
		return false;
	if (w->pos == w->end && w->open)
		wire_fail(w, WIRE_MORE);
	return w->pos != w->end;
}

#endif

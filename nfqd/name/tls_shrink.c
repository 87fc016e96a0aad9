/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The beginning of a ClientHello said shorter: what has come of fields that name no host is left out, and the
 * lengths around it are those of what is still to come. So tens of bytes are kept for a hello whose rest is
 * waited for when memory is scarce, and the same reader (tls.c) reads on. What a record tells of the hello's details is
 * lost with it.
 */
#include "name/tls_private.h"

enum { RECORD_CCS = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_HEAD = 5, HEAD = 4, EXT_HEAD = 4 };

/* n counts on where nothing more fits. */
struct out {
	uint8_t *p;
	size_t   n, room;
};

static void put(struct out *o, struct span bytes)
{
	if (bytes.n && o->n + bytes.n <= o->room)
		memcpy(o->p + o->n, bytes.p, bytes.n);
	o->n += bytes.n;
}

static void put_number(struct out *o, size_t v, size_t width)
{
	const uint8_t be[3] = { (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	put(o, span_of(be + sizeof(be) - width, width));
}

/* A number that was put before. */
static void set_number(struct out *o, size_t at, size_t v, size_t width)
{
	struct out there = { o->p, at, o->room };

	put_number(&there, v, width);
}

static void put_rest(struct out *o, struct wire *w)
{
	put(o, wire_span(w, wire_left(w)));
}

/* A field after its length. False: its end has not come. */
static bool shrink_field(struct wire *w, size_t width, struct out *o)
{
	size_t length, have;

	if (wire_left(w) < width) {
		put_rest(o, w);
		return false;
	}
	length = width == 1 ? wire_u8(w) : wire_u16(w);
	have = length < wire_left(w) ? length : wire_left(w);
	wire_skip(w, have);
	put_number(o, length - have, width);
	return have == length;
}

static void shrink_extension(struct wire *w, struct out *o)
{
	uint16_t    type = wire_u16(w), length = wire_u16(w);
	size_t      have = length < wire_left(w) ? length : wire_left(w);
	struct span bytes = wire_span(w, have);
	bool        whole = have == length, versions = type == TLS_EXT_SUPPORTED_VERSIONS;

	if (whole && !versions)
		return; /* whatever it was, it named none */
	put_number(o, type, 2);
	if (versions || type == TLS_EXT_SERVER_NAME) {
		put_number(o, length, 2);
		put(o, bytes);
	} else {
		put_number(o, length - have, 2);
	}
}

/* False: they are more than their length says. */
static bool shrink_extensions(struct wire *w, struct out *o)
{
	size_t block, have, at = o->n;

	if (wire_left(w) < 2) {
		put_rest(o, w);
		return true;
	}
	block = wire_u16(w);
	have = wire_left(w);
	put_number(o, 0, 2);
	while (wire_left(w) >= EXT_HEAD)
		shrink_extension(w, o);
	put_rest(o, w);
	if (have <= block)
		set_number(o, at, block - have + o->n - at - 2, 2);
	return have <= block;
}

/* False: it is no hello, or all of it is there. */
static bool shrink_hello(struct span bytes, struct out *o)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(bytes, &err, false);
	bool          hello = wire_u8(&w) == TLS_CLIENT_HELLO, fits = true;
	size_t        whole = wire_u24(&w), have = wire_left(&w), at = o->n;

	put(o, span_of(bytes.p, bytes.n < HEAD ? bytes.n : HEAD));
	put(o, wire_span(&w, 2 + 32)); /* legacy_version, random */
	/* legacy_session_id, cipher_suites, compression_methods */
	if (err != WIRE_OK || !hello || have >= whole)
		return false;
	if (shrink_field(&w, 1, o) && shrink_field(&w, 2, o) && shrink_field(&w, 1, o))
		fits = shrink_extensions(&w, o);
	set_number(o, at + 1, whole - have + o->n - at - HEAD, 3);
	return fits && err == WIRE_OK;
}

/* The handshake bytes in the records at w, into room; *rest: of the last record, bytes that have not come. False:
 * there is something else, too. */
static bool gather(struct wire *w, uint8_t room[static TLS_HANDSHAKE_MAX], size_t *n, size_t *rest)
{
	*n = *rest = 0;
	while (wire_left(w) >= RECORD_HEAD) {
		uint8_t     type = wire_u8(w);
		struct wire frag;
		size_t      have, length;

		wire_skip(w, 2); /* legacy_record_version */
		length = wire_u16(w);
		frag = wire_sub(w, length);
		have = wire_left(&frag);
		*rest = length - have;
		if ((type == RECORD_CCS || type == RECORD_ALERT) && *rest == 0)
			continue;
		if (type != RECORD_HANDSHAKE || have > TLS_HANDSHAKE_MAX - *n)
			return false;
		if (have)
			memcpy(room + *n, frag.pos, have);
		*n += have;
	}
	return *n > 0;
}

static size_t shrunk(const struct out *o, struct span bytes)
{
	return o->n <= o->room && o->n < bytes.n ? o->n : 0;
}

size_t tls_shrink(struct span bytes, uint8_t *out, size_t room)
{
	static _Thread_local uint8_t handshake[TLS_HANDSHAKE_MAX];
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(bytes, &err, true);
	struct out    o = { out, 0, room };
	size_t        n, rest, length;

	if (!gather(&w, handshake, &n, &rest))
		return 0;
	put_number(&o, RECORD_HANDSHAKE, 1);
	put_number(&o, 0x0301, 2);
	put_number(&o, 0, 2);
	if (!shrink_hello(span_of(handshake, n), &o))
		return 0;
	length = o.n - RECORD_HEAD + rest;
	set_number(&o, 3, length, 2);
	put_rest(&o, &w); /* of the next record's head */
	return length <= TLS_HANDSHAKE_MAX ? shrunk(&o, bytes) : 0;
}

size_t quic_tls_shrink(struct span bytes, uint8_t *out, size_t room)
{
	struct out o = { out, 0, room };

	return shrink_hello(bytes, &o) ? shrunk(&o, bytes) : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP/2 without TLS, begun with prior knowledge (RFC 9113 3.3): the authority of the first request. Header
 * compression (RFC 7541) is left to nghttp2. Later requests are not read.
 */
#include <nghttp2/nghttp2.h>

#include "name/http_private.h"

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum {
	FRAME_HEADERS = 1,
	FRAME_CONTINUATION = 9,
	FLAG_END_HEADERS = 0x04,
	FLAG_PADDED = 0x08,
	FLAG_PRIORITY = 0x20,
	FRAME_MAX = 16384
};

static void add_field(const nghttp2_nv *field, struct names *out)
{
	struct span key = span_of(field->name, field->namelen);

	if (span_eq_nocase(key, span_str(":authority")) || span_eq_nocase(key, span_str("host")))
		http_add_authority(span_of(field->value, field->valuelen), SEEN_HTTP2_AUTHORITY, out);
	else if (span_eq_nocase(key, span_str(":method")))
		http_set_method(span_of(field->value, field->valuelen), out);
}

/* One fragment of a header block. */
static void read_fragment(nghttp2_hd_inflater *inflater, struct wire *block, bool last,
                          struct names *out)
{
	struct span in = wire_span(block, wire_left(block));
	int         flags = 0;

	for (;;) {
		nghttp2_nv field;
		ssize_t    n = nghttp2_hd_inflate_hd2(inflater, &field, &flags, in.p, in.n, last);

		if (n < 0) {
			wire_fail(block, WIRE_BAD);
			return;
		}
		in = span_of(in.p + n, in.n - (size_t)n);
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			add_field(&field, out);
		else if ((flags & NGHTTP2_HD_INFLATE_FINAL) || in.n == 0)
			return;
	}
}

/* RFC 9113 6.2: padding and priority stand around the first fragment. */
static struct wire header_block(struct wire frame, uint8_t type, uint8_t flags)
{
	size_t pad = type == FRAME_HEADERS && flags & FLAG_PADDED ? wire_u8(&frame) : 0;

	if (type == FRAME_HEADERS && flags & FLAG_PRIORITY)
		wire_skip(&frame, 5);
	if (pad > wire_left(&frame))
		wire_fail(&frame, WIRE_BAD);
	return wire_sub(&frame, wire_left(&frame) - (*frame.err == WIRE_OK ? pad : 0));
}

/* Frames up to the end of the first header block. */
static void read_frames(struct wire *w, nghttp2_hd_inflater *inflater, struct names *out)
{
	bool last = false;

	while (!last && *w->err == WIRE_OK) {
		size_t      n = wire_u24(w);
		uint8_t     type = wire_u8(w), flags = wire_u8(w);
		struct wire frame, block;

		wire_skip(w, 4); /* stream */
		if (n > FRAME_MAX)
			wire_fail(w, WIRE_BAD);
		frame = wire_of(wire_span(w, n), w->err, false);
		if (*w->err != WIRE_OK || (type != FRAME_HEADERS && type != FRAME_CONTINUATION))
			continue;
		block = header_block(frame, type, flags);
		last = flags & FLAG_END_HEADERS;
		if (*w->err == WIRE_OK)
			read_fragment(inflater, &block, last, out);
	}
}

enum wire_err http2_names(struct wire *w, struct names *out)
{
	nghttp2_hd_inflater *inflater;

	names_begin(out, APP_HTTP2);
	out->http = (struct http_info){ .body = HTTP_BODY_UNKNOWN };
	wire_skip(w, sizeof(preface) - 1);
	if (*w->err != WIRE_OK || nghttp2_hd_inflate_new(&inflater) != 0)
		return *w->err;
	read_frames(w, inflater, out);
	nghttp2_hd_inflate_del(inflater);
	return *w->err;
}

/* Every byte that is there must be the preface's. */
enum wire_err http2_guess(struct wire w)
{
	size_t n = wire_left(&w) < sizeof(preface) - 1 ? wire_left(&w) : sizeof(preface) - 1;

	if (n && memcmp(w.pos, preface, n) != 0)
		return WIRE_NONE;
	return n == sizeof(preface) - 1 ? WIRE_OK : w.open ? WIRE_MORE : WIRE_NONE;
}

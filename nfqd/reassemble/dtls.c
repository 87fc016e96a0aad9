/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records and fragments of DTLS. */
#include "reassemble/dtls.h"

#include "base/wire.h"

enum { RECORD_HANDSHAKE = 22, CLIENT_HELLO = 1, HEADER = 4 };

struct fragment {
	size_t      length, offset; /* of the whole message, and where this is in it */
	struct span bytes;
};

/* RFC 6347 4.1, 4.2.2: one record of epoch 0, and the fragment in it; w is moved past the record. False: it
 * holds none of a ClientHello. */
static bool read_record(struct wire *w, struct fragment *f)
{
	uint8_t     type = wire_u8(w);
	uint16_t    version = wire_u16(w), epoch = wire_u16(w);
	struct wire body;

	wire_skip(w, 6); /* sequence number */
	body = wire_sub(w, wire_u16(w));
	if (*w->err != WIRE_OK || type != RECORD_HANDSHAKE || epoch != 0 ||
	    (version != 0xfeff && version != 0xfefd))
		return false;
	type = wire_u8(&body);
	f->length = wire_u24(&body);
	wire_skip(&body, 2); /* the message's number: 1 after a HelloVerifyRequest */
	f->offset = wire_u24(&body);
	f->bytes = wire_span(&body, wire_u24(&body));
	return *w->err == WIRE_OK && type == CLIENT_HELLO && f->offset + f->bytes.n <= f->length;
}

bool dtls_is(struct span datagram)
{
	enum wire_err   err = WIRE_OK;
	struct wire     w = wire_of(datagram, &err, false);
	struct fragment f;

	return read_record(&w, &f);
}

bool dtls_datagram(struct stream *s, struct span datagram)
{
	enum wire_err   err = WIRE_OK;
	struct wire     w = wire_of(datagram, &err, false);
	struct fragment f;
	bool            fresh = false;

	s->conflict = false;
	while (wire_each(&w)) {
		if (!read_record(&w, &f) || f.offset + f.bytes.n > STREAM_MAX - HEADER)
			continue;
		const uint8_t header[HEADER] = { CLIENT_HELLO, (uint8_t)(f.length >> 16),
			                         (uint8_t)(f.length >> 8), (uint8_t)f.length };

		fresh |= stream_add(s, s->base, span_of(header, HEADER)) == STREAM_OK;
		if (f.bytes.n)
			fresh |= stream_add(s, s->base + HEADER + (uint32_t)f.offset, f.bytes) == STREAM_OK;
	}
	return fresh;
}

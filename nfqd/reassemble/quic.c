/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QUIC long headers, and the frames of Initial packets. */
#include "reassemble/quic.h"

#include "base/steered.h"
#include "base/wire.h"
#include "reassemble/crypto.h"

enum {
	LONG_HEADER = 0x80,
	CID_MAX = 20,
	FRAME_PADDING = 0,
	FRAME_PING = 1,
	FRAME_ACK = 2,
	FRAME_ACK_ECN = 3,
	FRAME_CRYPTO = 6,
	FRAME_CRYPTO_GOOGLE = 8,
	GOOGLE_VERSION = 0x01, /* flags of the header before Q046 */
	GOOGLE_CID = 0x08
};

#define GOOGLE_Q000 0x51303030
#define GOOGLE_Q046 0x51303436

/* Packet types, as bits 4 and 5 of the first byte are in version 1; others rotate them. */
enum { TYPE_INITIAL, TYPE_0RTT, TYPE_HANDSHAKE, TYPE_RETRY };

#define SALT_V1                                                                                    \
	{ 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,                              \
	  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a }
#define SALT_DRAFT_29                                                                              \
	{ 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,                              \
	  0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 }
#define SALT_DRAFT_23                                                                              \
	{ 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,                              \
	  0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 }
#define SALT_DRAFT_22                                                                              \
	{ 0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a,                              \
	  0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a }
#define SALT_Q050                                                                                  \
	{ 0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94,                              \
	  0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45 }
#define SALT_T050                                                                                  \
	{ 0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,                              \
	  0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10 }
#define SALT_T051                                                                                  \
	{ 0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,                              \
	  0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d }
#define SALT_V2                                                                                    \
	{ 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,                              \
	  0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 }
#define LABELS    "quic key", "quic iv", "quic hp"
#define LABELS_V2 "quicv2 key", "quicv2 iv", "quicv2 hp"

/* What a row of QUIC_VERSIONS (base/steered.h) calls its secrets. */
#define SECRETS_V1       { SALT_V1, LABELS }
#define SECRETS_V2       { SALT_V2, LABELS_V2 }
#define SECRETS_DRAFT_29 { SALT_DRAFT_29, LABELS }
#define SECRETS_DRAFT_23 { SALT_DRAFT_23, LABELS }
#define SECRETS_DRAFT_22 { SALT_DRAFT_22, LABELS }
#define SECRETS_Q050     { SALT_Q050, LABELS }
#define SECRETS_T050     { SALT_T050, LABELS }
#define SECRETS_T051     { SALT_T051, LABELS }

/* v & mask lies between first and last. */
static const struct version {
	uint32_t               first, last, mask;
	unsigned               traits; /* QUIC_V2, QUIC_GOOGLE */
	struct initial_secrets secrets;
} versions[] = {
#define X(first, last, secrets, traits) { first, last, ~0U, traits, SECRETS_##secrets },
	QUIC_VERSIONS(X)
#undef X
	/* RFC 9000 15: ?a?a?a?a asks for a negotiation, with what else the client uses */
	{ 0x0a0a0a0a, 0x0a0a0a0a, 0x0f0f0f0f, 0, SECRETS_V1 },
	{ 0x0a0a0a0a, 0x0a0a0a0a, 0x0f0f0f0f, 0, SECRETS_DRAFT_29 },
};

/* The first row for a version after another row (NULL: of all). */
static const struct version *find_version(uint32_t v, const struct version *behind)
{
	const struct version *end = versions + sizeof(versions) / sizeof(versions[0]);

	for (const struct version *row = behind ? behind + 1 : versions; row < end; row++)
		if ((v & row->mask) >= row->first && (v & row->mask) <= row->last)
			return row;
	return NULL;
}

/* RFC 9000 16: the two highest bits of the first byte say how many bytes follow. */
static uint64_t read_varint(struct wire *w)
{
	uint8_t  first = wire_u8(w);
	uint64_t v = first & 0x3f;

	for (unsigned left = (1U << (first >> 6)) - 1; left; left--)
		v = v << 8 | wire_u8(w);
	return v;
}

/* A length that is more than any window holds must not wrap on its way to size_t. */
static size_t read_length(struct wire *w)
{
	uint64_t n = read_varint(w);

	return n > UINT32_MAX ? UINT32_MAX : (size_t)n;
}

static uint32_t read_long_header(struct wire *w)
{
	return wire_u8(w) & LONG_HEADER ? wire_u32(w) : 0;
}

/* Google's QUIC up to Q046, whose hello is in the clear; Q043 and before have a header of their own.
 * 0: another one. */
static uint32_t clear_version(struct span datagram)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(datagram, &err, false);
	uint8_t       flags = wire_u8(&w);
	uint32_t      v;

	if (!(flags & LONG_HEADER) && !(flags & GOOGLE_VERSION))
		return 0;
	wire_skip(&w, !(flags & LONG_HEADER) && flags & GOOGLE_CID ? 8 : 0);
	v = wire_u32(&w);
	return v >= GOOGLE_Q000 && v <= GOOGLE_Q046 ? v : 0;
}

bool quic_is(struct span datagram, uint32_t *version)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(datagram, &err, false);

	*version = clear_version(datagram);
	if (*version)
		return true;
	*version = read_long_header(&w);
	return find_version(*version, NULL) && wire_u8(&w) <= CID_MAX && err == WIRE_OK;
}

/* The headers in front of such a hello changed with every version; the hello itself never did. */
static enum quic_result read_clear(struct stream *s, struct span datagram)
{
	static const char chlo[] = "CHLO";
	const uint8_t    *at = memmem(datagram.p, datagram.n, chlo, sizeof(chlo) - 1);
	struct span       hello;

	if (!at)
		return QUIC_NOTHING;
	hello = span_of(at, datagram.n - (size_t)(at - datagram.p));
	return stream_add(s, s->base, hello) == STREAM_OK ? QUIC_NEW : QUIC_NOTHING;
}

static void read_ack(struct wire *w, bool ecn)
{
	uint64_t ranges;

	read_varint(w); /* largest acknowledged */
	read_varint(w); /* delay */
	ranges = read_varint(w);
	read_varint(w); /* first range */
	for (uint64_t i = 0; i < ranges && *w->err == WIRE_OK; i++) {
		read_varint(w);
		read_varint(w);
	}
	for (unsigned i = 0; ecn && i < 3; i++)
		read_varint(w);
}

/* RFC 9000 17.2.2: what may stand in an Initial. Anything else, as CONNECTION_CLOSE, ends the
 * reading. */
static bool read_frames(struct span frames, uint64_t crypto, struct stream *s)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(frames, &err, false);
	bool          fresh = false;

	while (wire_each(&w)) {
		uint64_t type = read_varint(&w), offset;

		if (type == FRAME_PADDING)
			wire_skip_zeroes(&w); /* one byte each, and most of a client's first packet */
		if (type == FRAME_PADDING || type == FRAME_PING)
			continue;
		if (type == FRAME_ACK || type == FRAME_ACK_ECN) {
			read_ack(&w, type == FRAME_ACK_ECN);
			continue;
		}
		if (type != crypto)
			break;
		offset = read_varint(&w);

		struct span data = wire_span(&w, read_length(&w));

		if (err == WIRE_OK && data.n && offset < STREAM_MAX)
			fresh |= stream_add(s, s->base - s->removed + (uint32_t)offset, data) == STREAM_OK;
	}
	return fresh;
}

/* The keys come from the packet's own connection ID or, once the server has given the client another
 * one, from the first ID of the connection. *other: these are not the keys of the packet before. */
static size_t open_initial(struct quic_id *k, const struct version *v, struct span dcid,
                           struct span packet, size_t number_at, uint8_t out[static INITIAL_MAX],
                           bool *other)
{
	size_t n = crypto_open_initial(&v->secrets, dcid, packet, number_at, out);

	*other = false;
	if (n) {
		*other = k->dcid_len != dcid.n || memcmp(k->dcid, dcid.p, dcid.n) != 0;
		memcpy(k->dcid, dcid.p, dcid.n);
		k->dcid_len = (uint8_t)dcid.n;
	} else if (k->dcid_len) {
		n = crypto_open_initial(&v->secrets, span_of(k->dcid, k->dcid_len), packet, number_at,
		                        out);
	}
	return n;
}

/*
 * After a Retry the same hello comes again, with other keys. Bytes that contradict those read with the
 * earlier keys belong to another connection on the same ports, or the earlier ones were a decoy.
 */
static bool add_frames(struct stream *s, const struct version *v, struct span frames, bool other_keys)
{
	uint64_t crypto = v->traits & QUIC_GOOGLE ? FRAME_CRYPTO_GOOGLE : FRAME_CRYPTO;
	bool before = s->conflict, fresh;

	s->conflict = false;
	fresh = read_frames(frames, crypto, s);
	if (s->conflict && other_keys) {
		stream_consume(s, s->end);
		s->conflict = false;
		fresh = read_frames(frames, crypto, s);
	}
	s->conflict |= before;
	return fresh;
}

struct initial {
	uint32_t              version;
	const struct version *v; /* the first row for it */
	struct span           dcid, packet;
	size_t                number_at;
};

/* The header of the packet at the front of w; w is moved past the packet. QUIC_NEW: an Initial. */
static enum quic_result read_header(struct wire *w, struct initial *i)
{
	const uint8_t *start = w->pos;
	uint8_t        first = wire_u8(w);
	unsigned       type;
	size_t         n;

	i->version = first & LONG_HEADER ? wire_u32(w) : 0;
	i->v = find_version(i->version, NULL);
	if (!i->v) { /* a short header, padding, or a version negotiation: nothing of a hello */
		wire_skip(w, wire_left(w));
		return QUIC_NOTHING;
	}
	type = ((first >> 4) - (i->v->traits & QUIC_V2)) & 3U;
	n = wire_u8(w);
	if (n > CID_MAX)
		wire_fail(w, WIRE_BAD);
	i->dcid = wire_span(w, n);
	wire_skip(w, wire_u8(w)); /* source connection ID */
	if (type == TYPE_RETRY) {
		wire_skip(w, wire_left(w));
		return QUIC_NOTHING;
	}
	if (type == TYPE_INITIAL)
		wire_skip(w, read_length(w)); /* token */
	n = read_length(w);
	if (*w->err != WIRE_OK)
		return QUIC_CLOSED;
	i->number_at = (size_t)(w->pos - start);
	wire_skip(w, n);
	if (*w->err != WIRE_OK)
		return QUIC_CLOSED;
	i->packet = span_of(start, i->number_at + n);
	return type == TYPE_INITIAL ? QUIC_NEW : QUIC_NOTHING;
}

/* One packet at the front of w; w is moved past it. */
static enum quic_result read_packet(struct quic_id *k, struct stream *s, struct wire *w)
{
	NOT_ZEROED uint8_t frames[INITIAL_MAX];
	struct initial   i;
	enum quic_result r = read_header(w, &i);
	size_t           n = 0;
	bool             other_keys = false;

	if (r != QUIC_NEW)
		return r;
	for (const struct version *v = i.v; n == 0 && v; v = find_version(i.version, v))
		n = open_initial(k, v, i.dcid, i.packet, i.number_at, frames, &other_keys);
	if (n == 0)
		return QUIC_CLOSED;
	return add_frames(s, i.v, span_of(frames, n), other_keys) ? QUIC_NEW : QUIC_NOTHING;
}

bool quic_is_another(const struct quic_id *keys, struct span datagram)
{
	NOT_ZEROED uint8_t frames[INITIAL_MAX];
	enum wire_err  err = WIRE_OK;
	struct wire    w = wire_of(datagram, &err, false);
	struct initial i;

	while (wire_each(&w))
		if (read_header(&w, &i) == QUIC_NEW)
			return (i.dcid.n != keys->dcid_len || memcmp(i.dcid.p, keys->dcid, i.dcid.n) != 0) &&
			       crypto_open_initial(&i.v->secrets, i.dcid, i.packet, i.number_at, frames) > 0;
	return false;
}

enum quic_result quic_datagram(struct quic_id *keys, struct stream *s, struct span datagram)
{
	enum wire_err    err = WIRE_OK;
	struct wire      w = wire_of(datagram, &err, false);
	enum quic_result best = QUIC_NOTHING;

	s->conflict = false;
	if (clear_version(datagram))
		return read_clear(s, datagram);
	/* RFC 9000 12.2: packets of one datagram follow each other; so do datagrams that the
	 * network card put together */
	while (wire_each(&w)) {
		enum quic_result r = read_packet(keys, s, &w);

		if (r == QUIC_NEW || (r == QUIC_CLOSED && best != QUIC_NEW))
			best = r;
	}
	return best;
}

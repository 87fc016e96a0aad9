/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QUIC datagrams of one flow. No fuzzer guesses a seal, so packets are sealed here: the input is a
 * row of pieces, each with a head of four bytes: kind, argument, length (little-endian). Kinds: raw
 * bytes, the frames of an Initial (argument: version, connection ID, whose keys, token), a packet of
 * another type, the end of a datagram.
 */
#include "fuzz.h"

#include "../lib/quic.h"
#include "reassemble/quic.h"

enum { RAW, INITIAL, OTHER, SEND, KINDS };

static const uint32_t versions[] = { 1, QUIC_V2, 0xff00001d, 0xff000017 };

struct flow {
	struct quic_id keys;
	struct stream   *stream;
};

static struct stream_pool *pool;

/* What a result says is so. From a block of exactly its size. */
static void send_datagram(struct flow *f, struct span d)
{
	uint8_t         *copy = malloc(d.n);
	struct stream    before = *f->stream;
	struct span      front = stream_front(f->stream);
	static uint8_t   old[STREAM_MAX];
	uint32_t         version = 0;
	enum quic_result r;

	FUZZ_CHECK(copy || !d.n);
	if (front.n)
		memcpy(old, front.p, front.n);
	if (d.n)
		memcpy(copy, d.p, d.n);
	bool is = quic_is(span_of(copy, d.n), &version);

	r = quic_datagram(&f->keys, f->stream, span_of(copy, d.n));
	free(copy);
	FUZZ_CHECK(r == QUIC_NEW || r == QUIC_NOTHING || r == QUIC_CLOSED);
	FUZZ_CHECK(r != QUIC_NEW || is);
	FUZZ_CHECK(f->keys.dcid_len <= sizeof(f->keys.dcid) && f->stream->end <= STREAM_MAX);
	front = stream_front(f->stream);
	if (r != QUIC_NEW)
		FUZZ_CHECK(f->stream->base == before.base && f->stream->end == before.end && front.n == before.front);
	if (f->stream->base == before.base) /* the first copy stays */
		FUZZ_CHECK(front.n >= before.front && (!before.front || memcmp(front.p, old, before.front) == 0));
	fuzz_stream(quic_tls_names, stream_front(f->stream));
}

static void put_piece(struct bytes *b, unsigned kind, uint8_t arg, struct span data)
{
	static const uint8_t ids[4][20] = { { 1 }, { 2 }, { 3 }, { 4 } }, token[600];
	static const size_t  id_lens[] = { 8, 20, 8, 0 };
	struct quic_packet   p = { .version = versions[arg & 3], .number_len = (arg >> 2 & 3) + 1,
		                   .number = arg, .token = span_of(token, arg & 0x80 ? sizeof(token) : 0) };

	p.dcid = span_of(ids[arg >> 4 & 3], id_lens[arg >> 4 & 3]);
	if (arg & 0x40)
		p.keys_of = span_of(ids[0], id_lens[0]);
	switch (kind) {
	case RAW: bytes_add(b, data); break;
	case INITIAL: quic_initial(b, &p, data); break;
	default: quic_other(b, &p, QUIC_0RTT + arg % 3U, data.n); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bytes datagram;
	struct flow         f = { .keys.dcid_len = 0 };
	enum wire_err       err = WIRE_OK;
	struct wire         w = wire_of(span_of(data, size), &err, false);

	if (!pool)
		pool = stream_pool_new(1, STREAM_PIECES);
	FUZZ_CHECK(pool);
	f.stream = stream_get(pool, 0, true);
	FUZZ_CHECK(f.stream);
	datagram.n = 0;
	while (wire_left(&w) >= 4) {
		uint8_t     kind = wire_u8(&w) % KINDS, arg = wire_u8(&w);
		size_t      n = wire_u8(&w);
		struct span piece;

		n |= (size_t)wire_u8(&w) << 8;
		piece = wire_span(&w, n < wire_left(&w) ? n : wire_left(&w));
		if (kind != SEND && datagram.n + piece.n + 800 < 65000)
			put_piece(&datagram, kind, arg, piece);
		if (kind == SEND || wire_left(&w) < 4) {
			send_datagram(&f, bytes_span(&datagram));
			datagram.n = 0;
		}
	}
	stream_put(pool, f.stream);
	return 0;
}

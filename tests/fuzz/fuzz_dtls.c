/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DTLS datagrams of one connection: each has its length (two bytes, little-endian) in front. */
#include "fuzz.h"

#include "reassemble/dtls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stream_pool *pool;
	enum wire_err              err = WIRE_OK;
	struct wire                w = wire_of(span_of(data, size), &err, false);
	struct stream             *s;

	if (!pool)
		pool = stream_pool_new(1, STREAM_PIECES);
	FUZZ_CHECK(pool);
	s = stream_get(pool, 0, true);
	FUZZ_CHECK(s);
	while (wire_left(&w) >= 2) {
		size_t      n = wire_u8(&w);
		struct span d;

		n |= (size_t)wire_u8(&w) << 8;
		d = wire_span(&w, n < wire_left(&w) ? n : wire_left(&w));
		dtls_is(d);
		dtls_datagram(s, d);
		FUZZ_CHECK(!dtls_datagram(s, d)); /* once more: nothing is new */
		FUZZ_CHECK(s->end <= STREAM_MAX && s->base == 0);
	}
	fuzz_stream(dtls_names, stream_front(s));
	stream_put(pool, s);
	return 0;
}

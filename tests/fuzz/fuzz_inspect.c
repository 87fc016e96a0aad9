/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream through inspect/, without rules: in one segment, and cut, reordered and repeated in any way.
 * What the whole names in order the pieces name, too, and nothing else in order. The input: flags, a
 * port, the stream's length (two bytes, little-endian), the stream; then pieces of three bytes each:
 * where (two bytes), how long. What no piece covers is sent in order at the end.
 */
#include "fuzz.h"

#include <netinet/in.h>

#include "inspect/conn.h"
#include "inspect/inspect.h"

enum { WITHOUT_SYN = 1, FROM_RESOLVER = 2, SCARCE = 4 /* what is kept shrinks */, STREAM_LIMIT = 8000, NAMES_KEPT = 256 };

/* What one way of sending the stream has named. */
struct found {
	struct conns *t;
	struct packet key;
	uint64_t      now;
	bool          decided;
	unsigned      n;
	struct {
		char text[NAME_TEXT];
		bool in_order;
	} names[NAMES_KEPT];
};

static void keep(struct found *f, const struct message *m)
{
	bool in_order = m->place == PLACE_IN_ORDER; /* what is partial may lie after a hole */

	FUZZ_CHECK(m->place < PLACES && m->pkt);
	FUZZ_CHECK(!names_wrong(&m->names));
	for (unsigned i = 0; i < m->names.n && f->n < NAMES_KEPT; i++) {
		memcpy(f->names[f->n].text, m->names.v[i].text, NAME_TEXT);
		f->names[f->n++].in_order = in_order && !f->decided;
	}
	/* what follows a message that decides, or bytes of no protocol, is found by luck */
	f->decided |= m->place == PLACE_IN_ORDER && (!m->row || m->row->follow == FOLLOW_NOTHING);
}

/* One segment, in a block of exactly its size. */
static void feed(struct found *f, size_t at, struct span bytes, uint8_t flags)
{
	struct packet         pkt = f->key;
	uint8_t              *copy = malloc(bytes.n ? bytes.n : 1);
	struct inspection    *in;
	const struct message *m;
	unsigned              n = 0;

	FUZZ_CHECK(copy);
	if (bytes.n)
		memcpy(copy, bytes.p, bytes.n);
	pkt.seq += (uint32_t)at;
	pkt.tcp_flags = flags;
	pkt.payload = span_of(copy, bytes.n);
	in = conn_of(f->t, &pkt, f->now += 1000);
	while ((m = conn_next(in)) != NULL) {
		FUZZ_CHECK(++n < 10000);
		keep(f, m);
	}
	FUZZ_CHECK(conn_outcome(in) < OUTCOMES);
	conn_settle(in, false, (struct fate){ .state = 1 });
	f->decided |= conn_outcome(in) == OUTCOME_ALLOWED || conn_outcome(in) == OUTCOME_FAULT;
	free(copy);
}

static void begin(struct found *f, unsigned flags, uint8_t port)
{
	static const uint16_t ports[] = { 53, 443, 80, 25, 5300, 143, 110, 853 };

	f->t = conns_new(8, 3);
	FUZZ_CHECK(f->t);
	f->t->max_pieces = flags & SCARCE ? UINT32_MAX : f->t->max_pieces;
	f->n = 0;
	f->decided = false;
	f->now = UINT64_C(1800000000000000000);
	f->key = (struct packet){ .src = { 4, { 10, 1, 0, 2 } }, .dst = { 4, { 203, 0, 113, 5 } },
		                  .sport = flags & FROM_RESOLVER ? 53 : 40000, .dport = ports[port % 8],
		                  .proto = IPPROTO_TCP, .hop_limit = 64, .seq = 0xfffffff0 };
	if (!(flags & WITHOUT_SYN))
		feed(f, 0, span_of(NULL, 0), TCP_SYN);
}

static bool has(const struct found *f, const char *text)
{
	for (unsigned i = 0; i < f->n; i++)
		if (strcmp(f->names[i].text, text) == 0)
			return true;
	return false;
}

/* What one has in order the other has, wherever. */
static void check_among(const struct found *a, const struct found *b)
{
	for (unsigned i = 0; i < a->n; i++) {
		if (!a->names[i].in_order || has(b, a->names[i].text))
			continue;
		fprintf(stderr, "one way of %u and %u names has no %s\n", a->n, b->n, a->names[i].text);
		abort();
	}
}

static void send_pieces(struct found *f, struct span stream, struct wire *script)
{
	size_t step = 1 + wire_left(script) % 200;

	while (wire_left(script) >= 3) {
		size_t at = wire_u16(script), n = wire_u8(script) + 1U;

		at = stream.n ? at % stream.n : 0;
		n = n < stream.n - at ? n : stream.n - at;
		if (n)
			feed(f, at, span_of(stream.p + at, n), TCP_ACK);
	}
	for (size_t at = 0; at < stream.n; at += step)
		feed(f, at, span_of(stream.p + at, step < stream.n - at ? step : stream.n - at), TCP_ACK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct found whole, pieces;
	enum wire_err       err = WIRE_OK;
	struct wire         w = wire_of(span_of(data, size), &err, false);
	unsigned            flags = wire_u8(&w);
	uint8_t             port = wire_u8(&w);
	size_t              n = wire_u8(&w);
	struct span         stream;

	n |= (size_t)wire_u8(&w) << 8;
	n = n < STREAM_LIMIT ? n : STREAM_LIMIT;
	if (err != WIRE_OK)
		return 0;
	stream = wire_span(&w, n < wire_left(&w) ? n : wire_left(&w));
	begin(&whole, flags, port);
	if (stream.n)
		feed(&whole, 0, stream, TCP_ACK);
	begin(&pieces, flags, port);
	send_pieces(&pieces, stream, &w);
	if (!(flags & WITHOUT_SYN) && whole.n < NAMES_KEPT && pieces.n < NAMES_KEPT) {
		check_among(&whole, &pieces);
		check_among(&pieces, &whole);
	}
	conns_free(whole.t);
	conns_free(pieces.t);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hellos in QUIC Initials: however frames, packets and datagrams are arranged, they come out whole. */
#include "reassemble/quic.h"

#include "hello.h"
#include "name/parsers.h"
#include "quic.h"
#include "unit.h"

enum { PIECES = 8 };

/*
 * A script. Datagrams stand apart; in one, packets are joined by '+'. An Initial is connection IDs,
 * ':' and frames; the first digit is its own ID, the last the one whose keys seal it; 's' in front:
 * as a server seals it, 't': with a token. Frames:
 *   A-H  that eighth of the hello in a CRYPTO frame    a-h  the same place, other bytes
 *   .    PADDING          !  PING       @  ACK         %  ACK with ECN
 *   x    CONNECTION_CLOSE     ?  a frame that may not be there
 *   ^    CRYPTO near 2^62     ~  CRYPTO just beyond what is kept      _  an empty CRYPTO frame
 *   <    CRYPTO whose length lies
 * Other packets: Z 0-RTT, H Handshake, R Retry, S a short header, V an unknown version, J junk,
 * O zeroes, T half an Initial.
 * Expected: per datagram what quic_datagram() said (N new, - nothing, c closed), and how many eighths
 * of the hello are at the front in the end.
 */
static const struct row {
	const char *what, *script, *results;
	unsigned    front;
} rows[] = {
	{ "one Initial", "1:ABCDEFGH", "N", 8 },
	{ "with PADDING behind", "1:ABCDEFGH....", "N", 8 },
	{ "all frames that may be there", "1:.@!A%BC.!!DE@FG..H", "N", 8 },
	{ "shuffled with PING and PADDING", "1:H!.C..A!GE!.B.F!D", "N", 8 },
	{ "two Initials", "1:ABCDE 1:FGH", "NN", 8 },
	{ "two, reversed", "1:FGH 1:ABCDE", "NN", 8 },
	{ "three, reversed and shuffled", "1:HB 1:F!.CG 1:E.A@D", "NNN", 8 },
	{ "three, each twice", "1:GH 1:GH 1:ABC 1:ABC 1:DEF 1:DEF", "N-N-N-", 8 },
	{ "a gap", "1:ABC 1:EFGH", "NN", 3 },
	{ "nothing at the front", "1:BCDEFGH", "N", 0 },
	{ "a gap that is filled", "1:ABC 1:EFGH 1:D", "NNN", 8 },
	{ "retransmitted in other pieces", "1:ABC 1:BCDEF 1:EFGH", "NNN", 8 },
	{ "two in one datagram", "1:ABCD+1:EFGH", "N", 8 },
	{ "two in one datagram, reversed", "1:EFGH+1:ABCD", "N", 8 },
	{ "two datagrams put together", "1:ABCD....+1:EFGH....", "N", 8 },
	{ "an Initial and 0-RTT", "1:ABCDEFGH+Z", "N", 8 },
	{ "0-RTT in front", "Z+1:ABCDEFGH", "N", 8 },
	{ "an Initial, 0-RTT, Handshake, a short header", "1:ABCDEFGH+Z+H+S", "N", 8 },
	{ "an Initial, 0-RTT and junk", "1:ABCDEFGH+Z+J", "N", 8 },
	{ "an Initial and zeroes", "1:ABCDEFGH+O", "N", 8 },
	{ "an Initial and half another", "1:ABCDEFGH+T", "N", 8 },
	{ "0-RTT alone", "Z", "-", 0 },
	{ "Handshake alone", "H", "-", 0 },
	{ "Retry hides what follows", "R+1:ABCDEFGH", "-", 0 },
	{ "a short header hides what follows", "S+1:ABCDEFGH", "-", 0 },
	{ "half an Initial", "T 1:ABCDEFGH", "cN", 8 },
	{ "nothing but PING", "1:! 1:ABCDEFGH", "-N", 8 },
	{ "a junk Initial with another ID first", "23:ABCDEFGH 1:ABCDEFGH", "cN", 8 },
	{ "a junk Initial in the same datagram", "23:ABCD+1:ABCDEFGH", "N", 8 },
	{ "an empty decoy with another ID first", "2:! 1:ABCD 1:EFGH", "-NN", 8 },
	{ "an empty decoy between", "1:ABCD 2:! 1:EFGH", "N-N", 8 },
	{ "half a decoy hello first", "2:abc 1:ABCD 1:EFGH", "NNN", 8 },
	{ "the end of a decoy hello first", "2:gh 1:ABCDEFGH", "NN", 8 },
	{ "another connection on the same ports", "1:abef 2:ABCDE 2:FGH", "NNN", 8 },
	{ "the server's ID with the first keys", "1:ABCD 21:EFGH", "NN", 8 },
	{ "the server's ID with keys of no packet", "21:ABCD 1:EFGH", "cN", 0 },
	{ "after Retry: a new ID, a token, all again", "1:ABCD 1:EFGH t2:ABCDEFGH", "NN-", 8 },
	{ "after Retry, the rest", "1:ABCD t2:ABCD t2:EFGH", "N-N", 8 },
	{ "after Retry, one late packet", "1:ABCD t2:ABCD 1:EFGH", "N-N", 8 },
	{ "after Retry, then the server's ID", "1:ABCD t2:ABCD 32:EFGH", "N-N", 8 },
	{ "a token from the start", "t1:ABCDEFGH", "N", 8 },
	{ "an empty CRYPTO frame", "1:_ABCDEFGH_", "N", 8 },
	{ "CRYPTO near 2^62", "1:^ 1:^ABCD^EFGH^", "-N", 8 },
	{ "CRYPTO beyond what is kept", "1:~ 1:~ABCDEFGH", "-N", 8 },
	{ "CRYPTO whose length lies", "1:ABCD< 1:EFGH", "NN", 8 },
	{ "behind CONNECTION_CLOSE nothing counts", "1:ABCDxEFGH", "N", 4 },
	{ "behind an unknown frame nothing counts", "1:ABCD?EFGH", "N", 4 },
	{ "other bytes: the first copy wins", "1:ABCD 1:abcdEFGH", "NN", 8 },
	{ "other bytes in one packet", "1:ABaCDbEcFGHd", "N", 8 },
	{ "other bytes with the same keys under a new ID", "1:ABCD 21:abcdEFGH", "NN", 8 },
	{ "a server's Initial", "s1:ABCDEFGH", "c", 0 },
	{ "a server's Initial first", "s1:abcdefgh 1:ABCDEFGH", "cN", 8 },
	{ "an unknown version behind", "1:ABCDEFGH+V", "N", 8 },
	{ "an unknown version in front", "V 1:ABCDEFGH", "-N", 8 },
};

/* What is the same for all packets of a script. */
static struct shape {
	uint32_t version;
	unsigned number_len;
	size_t   id_len;
} shape = { 1, 4, 8 };

static struct stream_pool *pool;
static struct {
	struct quic_id keys;
	struct stream   *stream;
} flow;
static struct bytes        hello, datagram, frames;

static int begin(void **state)
{
	struct hello h = { .sni = "s07.upd.kaspersky.com", .flags = HELLO_13 | HELLO_GREASE, .pad = 100 };

	(void)state;
	pool = stream_pool_new(1, STREAM_PIECES);
	hello.n = 0;
	hello_build(&hello, &h);
	return pool ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	stream_pool_free(pool);
	return 0;
}

static void fresh_flow(void)
{
	if (flow.stream)
		stream_put(pool, flow.stream);
	memset(&flow, 0, sizeof(flow));
	flow.stream = stream_get(pool, 0, true);
	assert_non_null(flow.stream);
}

/* One datagram from a block of exactly its size. */
static enum quic_result feed(struct span d)
{
	uint8_t         *copy = malloc(d.n);
	enum quic_result r;
	uint32_t         version;

	if (d.n)
		memcpy(copy, d.p, d.n);
	quic_is(span_of(copy, d.n), &version);
	r = quic_datagram(&flow.keys, flow.stream, span_of(copy, d.n));
	free(copy);
	assert_true(flow.keys.dcid_len <= sizeof(flow.keys.dcid));
	assert_true(flow.stream->end <= STREAM_MAX);
	return r;
}

static size_t edge(unsigned piece)
{
	return hello.n * piece / PIECES;
}

static void put_frame(char c)
{
	static struct bytes other;
	unsigned            piece = (unsigned)((c | 0x20) - 'a');

	switch (c) {
	case '.': quic_padding(&frames, 40); return;
	case '!': quic_ping(&frames); return;
	case '@': quic_ack(&frames, false); return;
	case '%': quic_ack(&frames, true); return;
	case 'x': quic_close(&frames); return;
	case '?': bytes_put(&frames, "\10\0\1x", 4); return;
	case '^':
		quic_crypto(&frames, (UINT64_C(1) << 62) - 3, span_str("abc"));
		quic_crypto(&frames, (UINT64_C(1) << 62) - (UINT64_C(1) << 32), span_str("abc"));
		return;
	case '~': quic_crypto(&frames, STREAM_MAX, span_str("abc")); return;
	case '_': quic_crypto(&frames, 7, span_of("", 0)); return;
	case '<': bytes_put(&frames, "\6\0\377\377\377\377\377\377\377\377abc", 13); return;
	}
	assert_true(piece < PIECES);
	other.n = 0;
	bytes_put(&other, hello.p + edge(piece), edge(piece + 1) - edge(piece));
	for (size_t i = 0; c >= 'a' && i < other.n; i++)
		other.p[i] ^= 0xff;
	quic_crypto(&frames, edge(piece), bytes_span(&other));
}

static struct span id_of(char digit)
{
	static uint8_t ids[10][20];

	for (unsigned i = 0; i < 10; i++)
		memset(ids[i], (int)(0x10 * i + 3), sizeof(ids[i]));
	assert_true(digit >= '0' && digit <= '9');
	return span_of(ids[digit - '0'], shape.id_len);
}

static struct quic_packet plain_packet(void)
{
	return (struct quic_packet){ .version = shape.version, .dcid = id_of('1'), .scid = id_of('9'),
		                     .number_len = shape.number_len, .number = 0x01020304 };
}

static const char *put_initial(const char *s)
{
	static const uint8_t token[700];
	struct quic_packet   p = plain_packet();

	p.server = *s == 's';
	p.token = span_of(token, *s == 't' ? sizeof(token) : 0);
	s += *s == 's' || *s == 't';
	p.dcid = id_of(*s);
	while (*s != ':')
		p.keys_of = id_of(*s++);
	frames.n = 0;
	while (*++s && *s != '+' && *s != ' ')
		put_frame(*s);
	quic_initial(&datagram, &p, bytes_span(&frames));
	return s;
}

static const char *put_packet(const char *s)
{
	struct quic_packet p = plain_packet();
	size_t             at = datagram.n;

	switch (*s) {
	case 'Z': quic_other(&datagram, &p, QUIC_0RTT, 90); break;
	case 'H': quic_other(&datagram, &p, QUIC_HANDSHAKE, 90); break;
	case 'R': quic_other(&datagram, &p, QUIC_RETRY, 40); break;
	case 'S': bytes_put(&datagram, "\101shortheader", 12); break;
	case 'V': bytes_put(&datagram, "\300\1\52\72\112\0\0\0\0\0", 10); break;
	case 'J': bytes_fill(&datagram, 0xee, 77); break;
	case 'O': bytes_fill(&datagram, 0, 77); break;
	case 'T':
		quic_initial(&datagram, &p, span_str("\1\1\1\1"));
		datagram.n = at + (datagram.n - at) / 2;
		break;
	default: return put_initial(s);
	}
	return s + 1;
}

static void play(const struct row *row)
{
	const char *s = row->script;
	char        what[100], got[16] = "";
	struct span front;

	snprintf(what, sizeof(what), "%s (version %x, number of %u, IDs of %zu)", row->what,
	         shape.version, shape.number_len, shape.id_len);
	fresh_flow();
	for (unsigned i = 0; *s; i++) {
		datagram.n = 0;
		for (s = put_packet(s); *s == '+';)
			s = put_packet(s + 1);
		assert_true(i + 1 < sizeof(got));
		got[i] = "N-c"[feed(bytes_span(&datagram))];
		s += *s == ' ';
	}
	same_text(what, got, row->results);
	front = stream_front(flow.stream);
	same_num(what, "front", (long long)front.n, (long long)edge(row->front));
	same_bytes(what, front, span_of(hello.p, edge(row->front)));
}

static void test_scripts(void **state)
{
	static const uint32_t versions[] = { 1, QUIC_V2, 0xff00001d, 0xff000020, 0xff000022, 0xff000017,
		                             0xff000016, 0xfaceb001, 0xfaceb002, 0x5a6a7a8a };
	static const size_t   id_lens[] = { 1, 8, 20 };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		for (size_t v = 0; v < N_OF(versions); v++)
			for (size_t n = 0; n < N_OF(id_lens); n++)
				for (unsigned len = 1; len <= 4; len++) {
					shape = (struct shape){ versions[v], len, id_lens[n] };
					play(&rows[i]);
				}
	shape = (struct shape){ 1, 4, 8 };
}

/* Other bytes at one place are said of the datagram that brings them; other keys are no overlap. */
static void test_conflict(void **state)
{
	static const struct row own[] = {
		{ "a retransmission", "1:ABCDEFGH 1:ABCD", "N-", 8 },
		{ "other bytes", "1:ABCD 1:abcdEFGH", "NN", 8 },
		{ "other bytes in the first packet of two", "1:ABCD 1:abcd+1:EFGH", "NN", 8 },
		{ "another connection on the same ports", "1:abef 2:ABCDEFGH", "NN", 8 },
	};
	static const bool conflict[] = { false, true, true, false };

	(void)state;
	for (size_t i = 0; i < N_OF(own); i++) {
		play(&own[i]);
		same_num(own[i].what, "conflict", flow.stream->conflict, conflict[i]);
	}
}

/* A connection ID of no bytes is one, too; there is just nothing to tell it from another. */
static void test_no_id(void **state)
{
	static const struct row own[] = {
		{ "an ID of no bytes", "1:ABCDEFGH", "N", 8 },
		{ "an ID of no bytes, two", "1:EFGH 1:ABCD", "NN", 8 },
		{ "an ID of no bytes, a token", "t1:EFGH+1:ABCD", "N", 8 },
	};

	(void)state;
	shape.id_len = 0;
	for (size_t i = 0; i < N_OF(own); i++)
		play(&own[i]);
	shape.id_len = 8;
}

static void test_name(void **state)
{
	enum wire_err err = WIRE_OK;
	struct names  names = { 0 };
	struct wire   w;

	(void)state;
	play(&rows[3]);
	w = wire_of(stream_front(flow.stream), &err, true);
	assert_int_equal(quic_tls_names(&w, &names), WIRE_OK);
	assert_string_equal(names_text(&names), "s07.upd.kaspersky.com");
}

/* Google's QUIC has another number for the CRYPTO frame. */
static void test_google(void **state)
{
	static const uint32_t versions[] = { QUIC_Q050, QUIC_T051 };

	(void)state;
	for (size_t i = 0; i < N_OF(versions); i++) {
		struct quic_packet p = plain_packet();

		p.version = versions[i];
		frames.n = datagram.n = 0;
		quic_crypto(&frames, 0, span_str("no frame of Google's"));
		quic_initial(&datagram, &p, bytes_span(&frames));
		fresh_flow();
		assert_int_equal(feed(bytes_span(&datagram)), QUIC_NOTHING);
		frames.n = datagram.n = 0;
		quic_padding(&frames, 3);
		quic_crypto_google(&frames, 0, bytes_span(&hello));
		quic_initial(&datagram, &p, bytes_span(&frames));
		assert_int_equal(feed(bytes_span(&datagram)), QUIC_NEW);
		same_bytes("Google's", stream_front(flow.stream), bytes_span(&hello));
	}
}

static void test_is(void **state)
{
	static const struct {
		const char *what;
		struct span bytes;
		bool        is;
	} own[] = {
		{ "version 1", LIT("\300\0\0\0\1\10"), true },
		{ "version 2", LIT("\320\153\63\103\317\0"), true },
		{ "draft 23", LIT("\300\377\0\0\27\10"), true },
		{ "draft 34", LIT("\300\377\0\0\42\10"), true },
		{ "the fixed bit greased (RFC 9287)", LIT("\200\0\0\0\1\10"), true },
		{ "an ID of 20 bytes", LIT("\300\0\0\0\1\24"), true },
		{ "an ID of 21 bytes", LIT("\300\0\0\0\1\25"), false },
		{ "no ID length", LIT("\300\0\0\0\1"), false },
		{ "draft 22", LIT("\300\377\0\0\26\10"), true },
		{ "draft 21", LIT("\300\377\0\0\25\10"), false },
		{ "draft 35", LIT("\300\377\0\0\43\10"), false },
		{ "a greased version", LIT("\300\32\52\72\112\10"), true },
		{ "almost a greased version", LIT("\300\32\52\72\113\10"), false },
		{ "mvfst", LIT("\300\372\316\260\2\10"), true },
		{ "Google's own, sealed", LIT("\300Q050\10"), true },
		{ "versions are negotiated", LIT("\300\0\0\0\0\10"), false },
		{ "a short header", LIT("\100\0\0\0\1\10"), false },
		{ "half a version", LIT("\300\0\0\0"), false },
		{ "nothing", LIT(""), false },
	};
	uint32_t version;

	(void)state;
	for (size_t i = 0; i < N_OF(own); i++) {
		uint8_t *copy = malloc(own[i].bytes.n);

		if (own[i].bytes.n)
			memcpy(copy, own[i].bytes.p, own[i].bytes.n);
		same_num(own[i].what, "is", quic_is(span_of(copy, own[i].bytes.n), &version), own[i].is);
		free(copy);
	}
}

/* RFC 9000 17.2: longer IDs than 20 bytes are of no version that we know. */
static void test_long_id(void **state)
{
	static const uint8_t id[255];
	uint32_t             version;

	(void)state;
	for (size_t n = 21; n <= 255; n += 13) {
		struct quic_packet p = { .dcid = span_of(id, n) };

		datagram.n = 0;
		quic_initial(&datagram, &p, bytes_span(&hello));
		fresh_flow();
		assert_false(quic_is(bytes_span(&datagram), &version));
		assert_int_equal(feed(bytes_span(&datagram)), QUIC_CLOSED);
	}
}

/* Tokens have no bound of their own. */
static void test_tokens(void **state)
{
	static const uint8_t token[9000];

	(void)state;
	for (size_t n = 0; n < 8800; n += n < 70 || (n > 440 && n < 500) ? 1 : 97) {
		struct quic_packet p = plain_packet();

		p.token = span_of(token, n);
		frames.n = datagram.n = 0;
		quic_crypto(&frames, 0, bytes_span(&hello));
		quic_initial(&datagram, &p, bytes_span(&frames));
		fresh_flow();
		if (feed(bytes_span(&datagram)) != QUIC_NEW)
			fail_msg("a token of %zu bytes", n);
	}
}

/* A packet that was cut or touched anywhere is no packet: its seal is over all of it. */
static void test_mangled(void **state)
{
	static const uint32_t versions[] = { 1, QUIC_V2, 0xff00001d };

	(void)state;
	for (size_t v = 0; v < N_OF(versions); v++) {
		struct quic_packet p = plain_packet();

		p.version = versions[v];
		p.token = span_str("token");
		frames.n = datagram.n = 0;
		quic_crypto(&frames, 0, bytes_span(&hello));
		quic_initial(&datagram, &p, bytes_span(&frames));
		for (size_t n = 0; n < datagram.n; n++) {
			fresh_flow();
			assert_int_not_equal(feed(span_of(datagram.p, n)), QUIC_NEW);
		}
		for (size_t bit = 0; bit < datagram.n * 8; bit++) {
			datagram.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			fresh_flow();
			if (feed(bytes_span(&datagram)) == QUIC_NEW)
				fail_msg("version %x: bit %zu was flipped", versions[v], bit);
			datagram.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
	}
}

/* Frames that were damaged before they were sealed: whatever comes, it comes from the packet. */
static void test_mangled_frames(void **state)
{
	static struct bytes whole;
	struct quic_packet  p = plain_packet();

	(void)state;
	frames.n = 0;
	for (const char *s = ".A%B@!C^~_DEFGHx"; *s; s++)
		put_frame(*s);
	whole = frames;
	for (size_t n = 0; n < whole.n; n++) {
		struct span front;

		datagram.n = 0;
		quic_initial(&datagram, &p, span_of(whole.p, n));
		fresh_flow();
		feed(bytes_span(&datagram));
		front = stream_front(flow.stream);
		assert_true(front.n <= hello.n && memcmp(front.p, hello.p, front.n) == 0);
	}
	for (size_t bit = 0; bit < whole.n * 8; bit++) {
		frames = whole;
		frames.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		datagram.n = 0;
		quic_initial(&datagram, &p, bytes_span(&frames));
		fresh_flow();
		feed(bytes_span(&datagram));
		assert_true(stream_front(flow.stream).n <= whole.n);
	}
}

/* The longest hello that is kept, in frames of every size and any order, each frame twice. */
static void test_shuffled(void **state)
{
	static uint8_t big[STREAM_MAX];
	uint64_t       seed = 3;

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)unit_random(&seed);
	for (unsigned round = 0; round < 20; round++) {
		size_t             len = 1 + (size_t)(unit_random(&seed) % 1100), n = (sizeof(big) + len - 1) / len;
		size_t             step = 7919, at = (size_t)(unit_random(&seed) % n); /* a prime: visits all */
		struct quic_packet p = plain_packet();

		fresh_flow();
		for (size_t i = 0; i < 2 * n; i++, at = (at + step) % n) {
			size_t here = at * len, m = sizeof(big) - here < len ? sizeof(big) - here : len;

			frames.n = datagram.n = 0;
			quic_crypto(&frames, here, span_of(big + here, m));
			quic_initial(&datagram, &p, bytes_span(&frames));
			assert_int_equal(feed(bytes_span(&datagram)), i < n ? QUIC_NEW : QUIC_NOTHING);
		}
		same_bytes("shuffled", stream_front(flow.stream), span_of(big, sizeof(big)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts), cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_no_id),
		cmocka_unit_test(test_name),    cmocka_unit_test(test_google),
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_long_id), cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_mangled), cmocka_unit_test(test_mangled_frames),
		cmocka_unit_test(test_shuffled),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initials that were sealed with the keys printed in RFC 9001 and RFC 9369 open, all others do not.
 */
#include "reassemble/crypto.h"

#include "quic.h"
#include "unit.h"

static const struct initial_secrets v1 = {{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34,
					   0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8,
					   0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
					  "quic key",
					  "quic iv",
					  "quic hp"};
static const struct initial_secrets v2 = {{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6,
					   0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26,
					   0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
					  "quicv2 key",
					  "quicv2 iv",
					  "quicv2 hp"};
static const struct initial_secrets draft29 = {{0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2,
						0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61,
						0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
					       "quic key",
					       "quic iv",
					       "quic hp"};

/* The examples' connection ID and CRYPTO frame, RFC 9001 A.1 and A.2. */
#define DCID "\x83\x94\xc8\xf0\x3e\x51\x57\x08"
static const char crypto_frame[] =
	"060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c000004"
	"1301"
	"1302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800"
	"100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753d"
	"e1"
	"71fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00"
	"0201"
	"01001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff080110010480007530090110"
	"0f08"
	"8394c8f03e51570806048000ffff";

static const struct row {
	const char                   *what;
	uint32_t                      version;
	const struct initial_secrets *secrets;
	const char                   *key, *iv, *hp; /* the client's, as published */
	const char                   *head, *tag; /* of the example's packet, where there is one */
} rows[] = {
	{"version 1, RFC 9001 A", 1, &v1, "1f369613dd76d5467730efcbe3b1a22d",
	 "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2",
	 "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
	 "e221af44860018ab0856972e194cd934"},
	{"version 2, RFC 9369 A", QUIC_V2, &v2, "8b1a0bc121284290a29e0971b5cd045d",
	 "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9",
	 "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485", NULL},
	{"draft 29, its section A.1", 0xff00001d, &draft29, "175257a31eb09dea9366d8bb79ad80ba",
	 "6b26114b9cba2b63a9e8dd4f", "9ddd12c994c0698b89374a9c077a3077", NULL, NULL},
};

static struct span dcid(void)
{
	return span_of(DCID, 8);
}

static void put_hex(struct bytes *b, const char *hex)
{
	for (; hex[0] && hex[1]; hex += 2) {
		unsigned v = 0;

		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		bytes_num(b, 1, v);
	}
}

static void same_hex(const char *what, const void *got, const char *hex)
{
	static struct bytes b;

	b.n = 0;
	put_hex(&b, hex);
	same_bytes(what, span_of(got, b.n), bytes_span(&b));
}

/* The published keys themselves: nothing of our own derivation is in them. */
static struct quic_keys published(const struct row *row)
{
	static struct bytes b;
	struct quic_keys    k;

	b.n = 0;
	put_hex(&b, row->key);
	put_hex(&b, row->iv);
	put_hex(&b, row->hp);
	assert_int_equal(b.n, sizeof(k));
	memcpy(&k, b.p, sizeof(k));
	return k;
}

static const struct span *example_frames(void)
{
	static struct bytes b;
	static struct span  s;

	b.n = 0;
	put_hex(&b, crypto_frame);
	assert_int_equal(b.n, 245);
	quic_padding(&b, 1162 - b.n);
	s = bytes_span(&b);
	return &s;
}

/* Opens from a block of exactly its size. */
static size_t open_packet(const struct initial_secrets *s, struct span id, struct span packet,
                          size_t number_at, uint8_t out[static INITIAL_MAX])
{
	uint8_t *copy = malloc(packet.n);
	size_t   n;

	if (packet.n)
		memcpy(copy, packet.p, packet.n);
	n = crypto_open_initial(s, id, span_of(copy, packet.n), number_at, out);
	free(copy);
	return n;
}

static void test_published(void **state)
{
	static struct bytes b;
	static uint8_t      out[INITIAL_MAX];

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		const struct row  *row = &rows[i];
		struct quic_keys   theirs = published(row),
				 ours = quic_keys(row->version, dcid(), false);
		struct quic_packet p = {
			.version = row->version, .dcid = dcid(), .number = 2, .keys = &theirs};

		same_bytes(row->what, span_of(&ours, sizeof(ours)),
			   span_of(&theirs, sizeof(theirs)));
		b.n = 0;
		quic_initial(&b, &p, *example_frames());
		same_num(row->what, "length", (long long)b.n, 1200);
		if (row->head)
			same_hex(row->what, b.p, row->head);
		if (row->tag)
			same_hex(row->what, b.p + b.n - QUIC_TAG, row->tag);
		same_num(row->what, "opened",
			 (long long)open_packet(row->secrets, dcid(), bytes_span(&b), 18, out),
			 1162);
		same_bytes(row->what, span_of(out, 1162), *example_frames());
		for (size_t k = 0; k < N_OF(rows); k++)
			same_num(row->what, rows[k].what,
				 open_packet(rows[k].secrets, dcid(), bytes_span(&b), 18, out) > 0,
				 k == i);
	}
}

/* Whatever the header looks like, what was sealed comes out, and only for its own connection ID. */
static void test_shapes(void **state)
{
	static const size_t   frames_n[] = { 0, 1, 2, 3, 4, 5, 15, 16, 17, 300, 1200, 9000 };
	static const size_t   ids[] = {0, 1, 7, 8, 20}, tokens[] = {0, 1, 63, 64, 400, 900, 1150};
	static const uint32_t numbers[] = { 0, 1, 0x7f, 0xff, 0xfffe, 0xabcdef, 0xffffffff };
	static struct bytes   b, frames;
	static uint8_t        out[INITIAL_MAX], id[20], token[1200];
	uint64_t              seed = 1;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		uint64_t           r = unit_random(&seed);
		struct quic_packet p = { .number_len = (unsigned)(r & 3) + 1 };
		size_t             number_at, n = frames_n[r % 97 % N_OF(frames_n)], got, least;

		p.dcid = span_of(id, ids[r % 89 % N_OF(ids)]);
		p.scid = span_of(id, ids[r % 83 % N_OF(ids)]);
		p.token = span_of(token, tokens[r % 79 % N_OF(tokens)]);
		p.number = numbers[r % 73 % N_OF(numbers)];
		for (size_t i = 0; i < sizeof(id); i++)
			id[i] = (uint8_t)unit_random(&seed);
		frames.n = b.n = 0;
		while (frames.n < n)
			bytes_num(&frames, 1, unit_random(&seed) & 0xff);
		quic_initial(&b, &p, bytes_span(&frames));
		least = p.number_len < 4 ? 4 - p.number_len : 0;
		if (n < least) {
			quic_padding(&frames, least - n);
			n = least;
		}
		number_at = b.n - QUIC_TAG - n - p.number_len;
		got = open_packet(&v1, p.dcid, bytes_span(&b), number_at, out);
		/* what is longer than any datagram is not opened, and empty is as good as closed */
		if (b.n > INITIAL_MAX)
			assert_int_equal(got, 0);
		else if (got != n || memcmp(out, frames.p, n) != 0)
			fail_msg("round %u: %zu of %zu bytes, token %zu", round, got, n, p.token.n);
		if (p.dcid.n) {
			id[0] ^= 1;
			assert_int_equal(open_packet(&v1, p.dcid, bytes_span(&b), number_at, out),
					 0);
		}
	}
}

/* No cut, no flipped bit and no wrong place for the number is taken for the real thing. */
static void test_mangled(void **state)
{
	static struct bytes b;
	static uint8_t      out[INITIAL_MAX];
	struct quic_packet  p = {.dcid = dcid(),
				 .scid = span_str("sender"),
				 .token = span_str("ticket"),
				 .number = 7,
				 .number_len = 2};
	size_t              number_at = 1 + 4 + 9 + 7 + 7 + 1;

	(void)state;
	quic_initial(&b, &p, span_str("\1\1\1\1\1\1\1\1\1\1"));
	assert_int_equal(open_packet(&v1, dcid(), bytes_span(&b), number_at, out), 10);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(open_packet(&v1, dcid(), span_of(b.p, n), number_at, out), 0);
	for (size_t at = 0; at < b.n + 600; at++)
		assert_int_equal(open_packet(&v1, dcid(), bytes_span(&b), at, out) > 0,
				 at == number_at);
	for (size_t bit = 0; bit < b.n * 8; bit++) {
		b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_equal(open_packet(&v1, dcid(), bytes_span(&b), number_at, out), 0);
		b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

static void test_server(void **state)
{
	static struct bytes b;
	static uint8_t      out[INITIAL_MAX];
	struct quic_packet  p = { .dcid = dcid(), .server = true };

	(void)state;
	quic_initial(&b, &p, *example_frames());
	assert_int_equal(open_packet(&v1, dcid(), bytes_span(&b), 18, out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published), cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_mangled), cmocka_unit_test(test_server)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

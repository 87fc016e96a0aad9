/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hellos of DTLS: whole, in fragments of any size and order, of both versions, with a cookie. */
#include "reassemble/dtls.h"

#include "bytes.h"
#include "name/parsers.h"
#include "unit.h"

/* ClientHello body: version, random, session, cookie of two bytes, one suite, null, server_name. */
#define BODY(v) v "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0\2ck\0\2\23\1\1\0\0\27\0\0\0\23\0\21\0\0\16listed.example"

static struct stream_pool *pool;
static struct stream      *s;

static void fresh_stream(void)
{
	if (!pool)
		pool = stream_pool_new(1, STREAM_PIECES);
	if (s)
		stream_put(pool, s);
	s = stream_get(pool, 0, true);
	assert_non_null(s);
}

/* One record with the bytes [at, at + n) of body. */
static void record(struct bytes *b, const char *version, struct span body, size_t at, size_t n)
{
	const uint8_t head[] = { 22, (uint8_t)version[0], (uint8_t)version[1], 0, 0, 0, 0, 0, 0, 0, 1,
		                 (uint8_t)((n + 12) >> 8), (uint8_t)(n + 12), 1,
		                 0, (uint8_t)(body.n >> 8), (uint8_t)body.n, 0, 0,
		                 0, (uint8_t)(at >> 8), (uint8_t)at, 0, (uint8_t)(n >> 8), (uint8_t)n };

	bytes_add(b, span_of(head, sizeof(head)));
	bytes_add(b, span_of(body.p + at, n));
}

static void names_listed(const char *what)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(stream_front(s), &err, true);
	struct names  got;

	same_num(what, "result", dtls_names(&w, &got), WIRE_OK);
	same_num(what, "names", got.n, 1);
	same_text(what, got.v[0].text, "listed.example");
}

static void test_fragments(void **state)
{
	static const struct span bodies[] = { LIT(BODY("\376\375")), LIT(BODY("\376\377")) };
	static struct bytes      b;

	(void)state;
	for (size_t v = 0; v < 2; v++) {
		struct span body = bodies[v];

		for (size_t size = 1; size <= body.n; size++)
			for (unsigned reversed = 0; reversed < 2; reversed++) {
				size_t n = (body.n + size - 1) / size;

				fresh_stream();
				for (size_t i = 0; i < n; i++) {
					size_t at = (reversed ? n - 1 - i : i) * size;

					b.n = 0;
					record(&b, (const char *)body.p, body, at,
					       size < body.n - at ? size : body.n - at);
					assert_true(dtls_is(bytes_span(&b)));
					assert_true(dtls_datagram(s, bytes_span(&b)));
					assert_false(dtls_datagram(s, bytes_span(&b))); /* sent again */
				}
				names_listed(v ? "DTLS 1.0" : "DTLS 1.2");
			}
	}
}

/* Every truncation, and lengths that lie: nothing is read past the end, nothing is a hello. */
static void test_damage(void **state)
{
	static const struct span body = LIT(BODY("\376\375"));
	static struct bytes      b;

	(void)state;
	b.n = 0;
	record(&b, "\376\375", body, 0, body.n);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, b.p, n);
		fresh_stream();
		assert_false(dtls_is(span_of(copy, n)));
		assert_false(dtls_datagram(s, span_of(copy, n)));
		free(copy);
	}
	b.p[0] = 23;
	assert_false(dtls_is(bytes_span(&b)));
	b.p[0] = 22;
	b.p[2] = 0xfc;
	assert_false(dtls_is(bytes_span(&b)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

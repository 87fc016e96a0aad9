/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments in every order, against a model that is too simple to be wrong. */
#include "reassemble/stream.h"

#include "unit.h"

static struct stream_pool *pool;

static int with_pool(void **state)
{
	(void)state;
	pool = stream_pool_new(2, 2 * STREAM_PIECES);
	return pool ? 0 : -1;
}

static int without_pool(void **state)
{
	(void)state;
	stream_pool_free(pool);
	return 0;
}

/* A script: "at:bytes" puts a segment in, "-n" consumes; the front is compared at the end. */
static const struct row {
	const char *what;
	bool        anchored;
	const char *steps[8];
	const char *front;
	bool        conflict;
} rows[] = {
	{ "in order", false, { "0:abc", "3:def" }, "abcdef", false },
	{ "reversed", false, { "3:def", "0:abc" }, "abcdef", false },
	{ "one byte each, reversed", false, { "3:d", "2:c", "1:b", "0:a" }, "abcd", false },
	{ "a hole", false, { "0:abc", "4:ef" }, "abc", false },
	{ "a hole that is filled", false, { "0:abc", "4:ef", "3:d" }, "abcdef", false },
	{ "two holes, the later filled", false, { "0:a", "2:c", "4:e", "3:d" }, "a", false },
	{ "the same again", false, { "0:abc", "0:abc" }, "abc", false },
	{ "a retransmission with more", false, { "0:abc", "0:abcdef" }, "abcdef", false },
	{ "an overlap", false, { "0:abcd", "2:cdef" }, "abcdef", false },
	{ "other bytes: the first copy wins", false, { "0:abcd", "2:XYef" }, "abcdef", true },
	{ "other bytes under a hole", false, { "2:cd", "0:abXY" }, "abcd", true },
	{ "other bytes in the middle", false, { "0:a", "4:e", "0:XbcdYf" }, "abcdef", true },
	{ "anchored: nothing before it", true, { "-2:xyabc", "3:d" }, "abcd", false },
	{ "anchored: wholly before it", true, { "-4:wxyz", "0:ab" }, "ab", false },
	{ "consumed", false, { "0:abcdef", "-4" }, "ef", false },
	{ "consumed to the end, then more", false, { "0:abc", "-3", "3:def" }, "def", false },
	{ "consumed in front of a hole", false, { "0:abc", "5:fg", "-3", "3:de" }, "defg", false },
	{ "what was consumed does not come back", false, { "0:abc", "-3", "0:abcd" }, "d", false },
	{ "nothing but an empty segment", false, { "0:" }, "", false },
};

static void play(const struct row *row, uint32_t isn)
{
	struct stream *s = stream_get(
		pool, isn + (row->anchored ? 0 : (uint32_t)atoi(row->steps[0])), row->anchored);
	struct span    front;

	assert_non_null(s);
	for (unsigned i = 0; i < N_OF(row->steps) && row->steps[i]; i++) {
		const char *bytes = strchr(row->steps[i], ':');
		int         at = atoi(row->steps[i]);

		if (bytes)
			stream_add(s, isn + (uint32_t)at, span_str(bytes + 1));
		else
			stream_consume(s, (size_t)-at);
	}
	front = stream_front(s);
	if (front.n != strlen(row->front) || memcmp(front.p, row->front, front.n) != 0)
		fail_msg("%s, from %u: got %.*s", row->what, isn, (int)front.n,
			 (const char *)front.p);
	same_num(row->what, "conflict", s->conflict, row->conflict);
	stream_put(pool, s);
}

static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		play(&rows[i], 1000);
		for (uint32_t back = 0; back < 8; back++) /* numbers wrap in the middle */
			play(&rows[i], UINT32_MAX - back);
		play(&rows[i], 0x7ffffffe); /* and change their sign */
	}
}

static void test_results(void **state)
{
	struct stream *s = stream_get(pool, 100, false);
	static uint8_t big[STREAM_MAX + 100];

	(void)state;
	assert_int_equal(stream_add(s, 100, span_str("abc")), STREAM_OK);
	assert_int_equal(stream_add(s, 100, span_str("abc")), STREAM_OLD);
	assert_int_equal(stream_add(s, 101, span_str("X")), STREAM_OLD);
	assert_int_equal(stream_add(s, 100, span_of("", 0)), STREAM_OLD);
	assert_int_equal(stream_add(s, 90, span_str("0123456789")), STREAM_OK);
	assert_int_equal(s->base, 90);
	stream_consume(s, 13);
	assert_true(s->anchored);
	assert_int_equal(stream_add(s, 90, span_str("0123456789")), STREAM_OLD);
	assert_int_equal(stream_front(s).n, 0);
	assert_int_equal(stream_add(s, 103, span_of(big, sizeof(big))), STREAM_OK); /* what fits */
	assert_int_equal(stream_front(s).n, STREAM_MAX);
	assert_int_equal(stream_add(s, 103 + STREAM_MAX, span_str("a")), STREAM_FULL);
	stream_put(pool, s);
}

static void test_limits(void **state)
{
	struct stream *s = stream_get(pool, 5000, false);

	(void)state;
	assert_int_equal(stream_add(s, 5000, span_str("abc")), STREAM_OK);
	assert_int_equal(stream_add(s, 5000 + STREAM_MAX, span_str("x")), STREAM_FULL);
	assert_int_equal(stream_add(s, 5000 + STREAM_MAX - 1, span_str("xyz")), STREAM_OK);
	assert_int_equal(s->end, STREAM_MAX);
	assert_int_equal(stream_add(s, 4999, span_str("x")), STREAM_FULL); /* no room to move up */
	assert_int_equal(stream_add(s, 5000U + 0x80000000U, span_str("x")), STREAM_FULL);
	assert_int_equal(stream_front(s).n, 3);
	stream_put(pool, s);

	s = stream_get(pool, 5000, false);
	assert_int_equal(stream_add(s, 5000, span_str("abc")), STREAM_OK);
	assert_int_equal(stream_add(s, 5003U - STREAM_MAX, span_str("x")), STREAM_OK);
	assert_int_equal(stream_add(s, 5002U - STREAM_MAX, span_str("x")), STREAM_FULL);
	stream_put(pool, s);
}

static void test_pool(void **state)
{
	struct stream *a = stream_get(pool, 1, false), *b = stream_get(pool, 2, true);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_null(stream_get(pool, 3, false));
	stream_add(a, 1, span_str("left over"));
	stream_put(pool, a);
	stream_put(pool, NULL);
	a = stream_get(pool, 7, false);
	assert_non_null(a);
	assert_int_equal(stream_front(a).n, 0);
	assert_int_equal(a->end, 0);
	stream_put(pool, a);
	stream_put(pool, b);
	stream_pool_free(NULL);
}

/* Fewer bytes stand for the front: what follows is where it was, what comes once more is no conflict. */
static void test_shrink(void **state)
{
	struct stream *s = stream_get(pool, 1000, true);
	static uint8_t big[600];
	uint32_t       left = stream_pool_left(pool);

	(void)state;
	stream_add(s, 1000, span_of(big, sizeof(big)));
	assert_int_equal(stream_pool_left(pool), left - 4);
	stream_shrink(s, span_str("short"));
	assert_int_equal(stream_pool_left(pool), left);
	assert_int_equal(stream_front(s).n, 5);
	assert_int_equal(stream_add(s, 1000, span_of(big, sizeof(big))), STREAM_OLD);
	assert_int_equal(stream_add(s, 1300, span_of(big, 10)), STREAM_OLD);
	assert_int_equal(stream_add(s, 999, span_str("x")), STREAM_FULL);
	assert_false(s->conflict);
	assert_int_equal(stream_add(s, 1598, span_str("??er")), STREAM_OK);
	assert_false(s->conflict);
	same_bytes("shrunk, then longer", stream_front(s), span_str("shorter"));
	stream_shrink(s, span_str("sh"));
	assert_int_equal(stream_add(s, 1602, span_str("ine")), STREAM_OK);
	same_bytes("shrunk twice", stream_front(s), span_str("shine"));
	stream_add(s, 1602, span_str("XY"));
	assert_true(s->conflict);
	s->conflict = false;
	stream_consume(s, 4);
	assert_int_equal(s->shrunk, 0);
	assert_int_equal(stream_add(s, 1605, span_str("!")), STREAM_OK);
	same_bytes("then consumed", stream_front(s), span_str("e!"));
	stream_put(pool, s);
}

/* ---- against a model ---- */

enum { SPACE = 700 };

struct model {
	int  byte[SPACE]; /* -1: not there */
	int  base;
	bool anchored, conflict;
};

/* First copy wins; returns whether anything was new. */
static bool model_add(struct model *m, int at, const uint8_t *p, int n)
{
	bool fresh = false;

	if (!m->anchored && at < m->base)
		m->base = at;
	for (int i = 0; i < n; i++) {
		int *slot = &m->byte[at + i];

		if (at + i < m->base)
			continue;
		m->conflict |= *slot >= 0 && *slot != p[i];
		fresh |= *slot < 0;
		if (*slot < 0)
			*slot = p[i];
	}
	return fresh;
}

static void model_compare(const struct model *m, const struct stream *s, uint64_t seed)
{
	struct span front = stream_front(s);
	size_t      n = 0;

	while (m->base + (int)n < SPACE && m->byte[m->base + (int)n] >= 0)
		n++;
	if (front.n != n || s->conflict != m->conflict)
		fail_msg("seed %llu: front %zu, expected %zu", (unsigned long long)seed, front.n,
			 n);
	for (size_t i = 0; i < n; i++)
		if (front.p[i] != m->byte[m->base + (int)i])
			fail_msg("seed %llu: byte %zu", (unsigned long long)seed, i);
}

static void brute_force(uint64_t seed)
{
	uint64_t       rnd = seed;
	uint32_t       isn = (uint32_t)unit_random(&rnd);
	int            first = (int)(unit_random(&rnd) % (SPACE / 2));
	struct model   m = { .base = first };
	struct stream *s;

	if (seed % 3 == 0)
		isn = UINT32_MAX - (uint32_t)(seed % SPACE);
	m.anchored = seed % 4 == 0;
	for (int i = 0; i < SPACE; i++)
		m.byte[i] = -1;
	s = stream_get(pool, isn + (uint32_t)first, m.anchored);
	for (unsigned step = 0; step < 60; step++) {
		int     n = 1 + (int)(unit_random(&rnd) % 40);
		int     at = step ? (int)(unit_random(&rnd) % (SPACE - 40)) : first;
		uint8_t bytes[40];
		bool    fresh, wholly_old = m.anchored && at + n <= m.base;

		for (int i = 0; i < n; i++)
			bytes[i] = (uint8_t)((at + i) * 7 + (unit_random(&rnd) % 50 == 0));
		fresh = !wholly_old && model_add(&m, at, bytes, n);
		assert_int_equal(stream_add(s, isn + (uint32_t)at, span_of(bytes, (size_t)n)),
		                 fresh ? STREAM_OK : STREAM_OLD);
		model_compare(&m, s, seed);
		if (unit_random(&rnd) % 16 == 0) {
			size_t eat =
				stream_front(s).n ? (size_t)(unit_random(&rnd) % (stream_front(s).n + 1)) : 0;

			stream_consume(s, eat);
			m.base += (int)eat;
			m.anchored = true;
			model_compare(&m, s, seed);
		}
	}
	stream_put(pool, s);
}

static void test_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2000; seed++)
		brute_force(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts), cmocka_unit_test(test_results),
		cmocka_unit_test(test_limits),  cmocka_unit_test(test_pool),    cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, with_pool, without_pool);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fragments in every order, against a model that is too simple to be wrong. */
#include "reassemble/fragment.h"

#include <netinet/in.h>

#include "base/clock.h"
#include "unit.h"

#define S NS_PER_S

enum { SLOTS = 32, LIFE_S = 30 };

static const uint64_t start = 1727582400 * S;

static struct fragments *fragments;

static int with_fragments(void **state)
{
	(void)state;
	fragments = fragments_new();
	return fragments ? 0 : -1;
}

static int without_fragments(void **state)
{
	(void)state;
	fragments_free(fragments);
	return 0;
}

static struct packet packet_of(uint32_t id)
{
	return (struct packet){ .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 192, 0, 2, 1 } },
		                .proto = IPPROTO_UDP, .fragment = { .id = id } };
}

/* A fragment from a block of exactly its size. Returns whether the packet is whole. */
static bool add_at(struct packet p, size_t offset, struct span bytes, bool more, uint64_t now,
                   struct span *whole)
{
	uint8_t *copy = malloc(bytes.n);
	bool     r;

	if (bytes.n)
		memcpy(copy, bytes.p, bytes.n);
	p.payload = span_of(copy, bytes.n);
	p.fragment.offset = (uint16_t)offset;
	p.fragment.more = more;
	*whole = span_of(NULL, 0);
	r = fragments_add(fragments, &p, now, whole);
	free(copy);
	return r;
}

static bool add(struct packet p, size_t offset, const char *bytes, bool more, uint64_t now)
{
	struct span whole;

	return add_at(p, offset, span_str(bytes), more, now, &whole);
}

/* "block:bytes", with '+' behind when more follows; a digit stands for eight of it. What is whole
 * after a step is expected from the last one only. */
static const struct row {
	const char *what;
	const char *steps[6];
	const char *whole; /* NULL: never */
} rows[] = {
	{ "two in order", { "0:01+", "2:2xyz" }, "012xyz" },
	{ "two, the last first", { "2:2xyz", "0:01+" }, "012xyz" },
	{ "three, shuffled", { "1:1+", "2:ab", "0:0+" }, "01ab" },
	{ "all at once", { "0:0ab" }, "0ab" }, /* an atomic fragment, RFC 6946 */
	{ "the last never comes", { "0:01+", "2:2+" }, NULL },
	{ "a gap", { "0:0+", "2:2" }, NULL },
	{ "a gap that is filled", { "0:0+", "2:2", "1:1+" }, "012" },
	{ "the first is missing", { "1:1+", "2:2" }, NULL },
	{ "twice the same", { "0:0+", "0:0+", "1:1" }, "01" },
	{ "an overlap: the first copy wins", { "0:01+", "1:78+", "3:3" }, "0183" },
	{ "an overlap from the front", { "1:12+", "0:789+", "3:3" }, "7123" },
	{ "a large one over small ones", { "1:1+", "3:3+", "0:98765" }, "91735" },
	{ "two ends: the first counts", { "1:1", "3:3", "0:0+" }, "01" },
	{ "an end within what has come", { "0:0123+", "1:1" }, "01" },
	{ "an end of a few bytes within", { "0:0abcdefgh+", "1:xyz" }, "0abc" },
	{ "seven bytes are no block", { "0:abcdefg+", "0:0+", "1:1" }, "01" },
	{ "bytes behind the last block do not count", { "0:0abc+", "1:1" }, "01" },
	{ "an end of no bytes", { "0:0+", "1:" }, NULL },
	{ "no bytes in the middle", { "0:0+", "1:+", "1:1" }, "01" },
	{ "the end at 64 KiB", { "8191:9" }, NULL },
	{ "beyond 64 KiB", { "8191:9a", "8190:88+", "8191:99", "0:0+", "1:1" }, "01" },
};

static size_t expand(const char *s, uint8_t out[static 64])
{
	size_t n = 0;

	for (; *s && *s != '+'; s++) {
		size_t times = *s >= '0' && *s <= '9' ? 8 : 1;

		memset(out + n, *s, times);
		n += times;
	}
	return n;
}

static bool step(const char *s, struct packet p, struct span *whole)
{
	uint8_t bytes[64];
	char   *colon;
	size_t  block = strtoul(s, &colon, 10), n = expand(colon + 1, bytes);

	return add_at(p, block * 8, span_of(bytes, n), strchr(s, '+') != NULL, start, whole);
}

static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		const struct row *row = &rows[i];
		struct packet     p = packet_of((uint32_t)i);
		struct span       whole;
		bool              done = false;

		for (unsigned k = 0; k < N_OF(row->steps) && row->steps[k]; k++) {
			if (done)
				fail_msg("%s: whole before step %u", row->what, k + 1);
			done = step(row->steps[k], p, &whole);
		}
		same_num(row->what, "whole", done, row->whole != NULL);
		if (row->whole) {
			uint8_t expected[64];
			size_t  n = expand(row->whole, expected);

			same_bytes(row->what, whole, span_of(expected, n));
		}
	}
}

/* Everything that tells one packet's fragments from another's. */
static void test_keys(void **state)
{
	const struct packet one = packet_of(0x01020304);
	struct {
		const char   *what;
		struct packet p;
	} own[] = {
		{ "id", one }, { "id's high half (IPv6)", one }, { "source", one }, { "destination", one },
		{ "protocol", one }, { "the other way", one }, { "IPv6 with the same bytes", one },
	};

	(void)state;
	own[0].p.fragment.id ^= 1;
	own[1].p.fragment.id ^= 0x10000;
	own[2].p.src.b[3] ^= 1;
	own[3].p.dst.b[3] ^= 1;
	own[4].p.proto = IPPROTO_TCP;
	own[5].p.src = one.dst;
	own[5].p.dst = one.src;
	own[6].p.src.len = own[6].p.dst.len = 16;
	for (size_t i = 0; i < N_OF(own); i++) {
		if (add(one, 0, "AAAAAAAA", true, start))
			fail_msg("%s: whole at once", own[i].what);
		if (add(own[i].p, 8, "end", false, start))
			fail_msg("%s: taken for the same packet", own[i].what);
		if (!add(one, 8, "end", false, start))
			fail_msg("%s: the packet was lost", own[i].what);
		if (!add(own[i].p, 0, "BBBBBBBB", true, start))
			fail_msg("%s: the other packet was lost", own[i].what);
	}
}

static void test_ipv6(void **state)
{
	struct packet p = { .src = { 16, { 0xfd, 1 } }, .dst = { 16, { 0xfd, 2 } }, .proto = IPPROTO_UDP,
		            .fragment = { .id = 0xfffffffe } };
	struct span   whole;

	(void)state;
	assert_false(add(p, 0, "01234567", true, start));
	assert_true(add_at(p, 8, span_str("89"), false, start, &whole));
	same_bytes("IPv6", whole, span_str("0123456789"));
}

/* What was put together is forgotten: its id may be used again. */
static void test_again(void **state)
{
	struct packet p = packet_of(7);
	struct span   whole;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		char first[9];

		snprintf(first, sizeof(first), "%08u", i);
		assert_false(add(p, 0, first, true, start));
		assert_true(add_at(p, 8, span_str("end"), false, start, &whole));
		assert_memory_equal(whole.p, first, 8);
		assert_int_equal(whole.n, 11);
	}
}

static void test_ageing(void **state)
{
	struct packet p = packet_of(9);

	(void)state;
	assert_false(add(p, 0, "AAAAAAAA", true, start));
	assert_true(add(p, 8, "end", false, start + LIFE_S * S - 1));
	assert_false(add(p, 0, "AAAAAAAA", true, start));
	assert_false(add(p, 8, "end", false, start + LIFE_S * S)); /* a new packet begins */
	assert_true(add(p, 0, "AAAAAAAA", true, start + LIFE_S * S));
	assert_false(add(p, 0, "AAAAAAAA", true, 0)); /* a capture without time */
	assert_true(add(p, 8, "end", false, 0));
}

/* Only so many packets are kept; the oldest goes. */
static void test_eviction(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SLOTS + 3; i++)
		assert_false(add(packet_of(i), 0, "AAAAAAAA", true, start + i));
	for (uint32_t i = SLOTS + 3; i-- > 3;)
		if (!add(packet_of(i), 8, "end", false, start + 100))
			fail_msg("packet %u was lost", i);
	for (uint32_t i = 0; i < 3; i++)
		assert_false(add(packet_of(i), 8, "end", false, start + 100));
}

/* The largest packet, in fragments of every size and any order. */
static void test_largest(void **state)
{
	static uint8_t big[65536];
	uint64_t       seed = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)unit_random(&seed);
	for (unsigned round = 0; round < 60; round++) {
		size_t        total = round == 0 ? sizeof(big) : 1 + (size_t)(unit_random(&seed) % sizeof(big));
		size_t        len = 8 + (size_t)(unit_random(&seed) % 190) * 8, n = (total + len - 1) / len;
		size_t        at = (size_t)(unit_random(&seed) % n);
		struct packet p = packet_of(round);
		struct span   whole = { 0 };

		for (size_t i = 0; i < n; i++, at = (at + 7919) % n) { /* a prime: visits all */
			size_t here = at * len, m = total - here < len ? total - here : len;
			bool   last = here + m == total;

			same_num("largest", "whole",
			         add_at(p, here, span_of(big + here, m), !last, start, &whole), i == n - 1);
		}
		same_bytes("largest", whole, span_of(big, total));
	}
}

/* Lengths that lie: nothing is ever written beyond a packet's place. */
static void test_lies(void **state)
{
	static uint8_t big[65536];
	uint64_t       seed = 6;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t      r = unit_random(&seed);
		struct packet p = packet_of((uint32_t)(r >> 60));
		struct span   whole = { 0 };
		size_t        offset = r & 0xfff8, n = (size_t)(r >> 16) & (i & 1 ? 0xffff : 0x3f);

		if (add_at(p, offset, span_of(big, n), r >> 40 & 1, start + i, &whole))
			assert_true(whole.n > 0 && whole.n <= sizeof(big));
		else
			assert_int_equal(whole.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, with_fragments, without_fragments)
		TEST(test_scripts), TEST(test_keys),    TEST(test_ipv6), TEST(test_again),
		TEST(test_ageing),  TEST(test_eviction), TEST(test_largest), TEST(test_lies),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

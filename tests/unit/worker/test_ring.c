/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring between a packet thread and the log thread: order, when it is full, past its end. */
#include "worker/ring.h"
#include "unit.h"

static bool push(struct ring *r, uint64_t number)
{
	return ring_push(r, &(struct event){ .flow_id = number });
}

static void test_rounded_down(void **state)
{
	static const struct {
		uint32_t asked, slots;
	} rows[] = { { 1, 1 }, { 2, 2 }, { 2730, 2048 }, { 4096, 4096 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ring *r = ring_new(rows[i].asked, 64);
		uint32_t     n = 0;

		assert_non_null(r);
		while (push(r, n))
			n++;
		assert_int_equal(n, rows[i].slots);
		free(r);
	}
}

static void test_in_order_past_the_end(void **state)
{
	struct ring *r = ring_new(4, 64);
	uint64_t     in = 0, out = 0;

	(void)state;
	assert_non_null(r);
	assert_null(ring_peek(r));
	r->head = r->tail = UINT32_MAX - 1; /* the counters wrap soon */
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(ring_used(r), i);
			assert_true(push(r, in++));
		}
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(ring_peek(r)->flow_id, out++);
			ring_pop(r);
		}
	}
	assert_null(ring_peek(r));
	free(r);
}

/* What an event borrows is copied; where there is no room for it, it goes without. */
static void test_bytes(void **state)
{
	struct ring *r = ring_new(4, 64);
	uint8_t      packet[40], payload[8];

	(void)state;
	assert_non_null(r);
	r->freed = r->taken = UINT32_MAX - 70; /* the counters wrap soon */
	for (unsigned round = 0; round < 50; round++) {
		size_t       n = 1 + round * 7 % sizeof(packet), m = round % sizeof(payload);
		struct event e = { .bytes = { span_of(packet, n), span_of(payload, m), 99, 98 } };

		memset(packet, (int)round, sizeof(packet));
		memset(payload, (int)round + 100, sizeof(payload));
		assert_true(ring_push(r, &e));
		memset(packet, 0xff, sizeof(packet));
		e.bytes = ring_peek(r)->bytes;
		assert_int_equal(e.bytes.packet.n, n);
		assert_int_equal(e.bytes.payload.n, m);
		assert_int_equal(e.bytes.packet.p[n - 1], round);
		assert_true(m == 0 || e.bytes.payload.p[m - 1] == round + 100);
		ring_pop(r);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(ring_push(r, &(struct event){ .bytes = { .packet = span_of(packet, 25), .length = 25 } }));
	ring_pop(r);
	ring_pop(r);
	assert_int_equal(ring_peek(r)->bytes.packet.n, 0);
	assert_int_equal(ring_peek(r)->bytes.length, 25);
	ring_pop(r);
	assert_true(r->freed == r->taken);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounded_down),
		cmocka_unit_test(test_in_order_past_the_end),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

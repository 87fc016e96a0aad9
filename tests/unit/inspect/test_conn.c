/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow table: keys, its bounds, ageing, streams that change hands, one record per 30 s. */
#include "inspect/conn.h"

#include <netinet/in.h>

#include "base/clock.h"
#include "unit.h"

#define S NS_PER_S

static const uint64_t start = 1727582400 * S;

/* A packet that belongs to flow number n. */
static struct packet packet_of(uint32_t n)
{
	struct packet p = { .src = { 4, { 10, 0, (uint8_t)(n >> 8), (uint8_t)n } },
		            .dst = { 4, { 192, 0, 2, 1 } }, .sport = 40000, .dport = 443,
		            .proto = IPPROTO_TCP };

	return p;
}

static struct conn *get(struct conns *t, uint32_t n, uint64_t now, bool *evicted)
{
	struct packet p = packet_of(n);
	bool          other;

	return conn_get(t, &p, now, evicted ? evicted : &other);
}

static struct conn *find(struct conns *t, uint32_t n)
{
	struct packet p = packet_of(n);

	return conn_find(t, &p);
}

/* Faults that the table has counted since it was asked last: one flow lost what was kept for it. */
static unsigned lost_now(struct conns *t, enum fault what)
{
	unsigned n = t->reading.faults[what];

	t->reading.faults[what] = 0;
	return n;
}

static void test_keys(void **state)
{
	static const struct {
		const char   *what;
		struct packet p;
	} rows[] = {
		{ "source",
		  { .src = { 4, { 10, 0, 0, 2 } },
		    .dst = { 4, { 192, 0, 2, 1 } },
		    .sport = 1,
		    .dport = 2,
		    .proto = 6 } },
		{ "destination",
		  { .src = { 4, { 10, 0, 0, 1 } },
		    .dst = { 4, { 192, 0, 2, 2 } },
		    .sport = 1,
		    .dport = 2,
		    .proto = 6 } },
		{ "source port",
		  { .src = { 4, { 10, 0, 0, 1 } },
		    .dst = { 4, { 192, 0, 2, 1 } },
		    .sport = 9,
		    .dport = 2,
		    .proto = 6 } },
		{ "destination port",
		  { .src = { 4, { 10, 0, 0, 1 } },
		    .dst = { 4, { 192, 0, 2, 1 } },
		    .sport = 1,
		    .dport = 9,
		    .proto = 6 } },
		{ "protocol",
		  { .src = { 4, { 10, 0, 0, 1 } },
		    .dst = { 4, { 192, 0, 2, 1 } },
		    .sport = 1,
		    .dport = 2,
		    .proto = 17 } },
		{ "interface: a tenant with the same addresses",
		  { .src = { 4, { 10, 0, 0, 1 } },
		    .dst = { 4, { 192, 0, 2, 1 } },
		    .sport = 1,
		    .dport = 2,
		    .proto = 6,
		    .ifin = 7 } },
		{ "the other way",
		  { .src = { 4, { 192, 0, 2, 1 } },
		    .dst = { 4, { 10, 0, 0, 1 } },
		    .sport = 2,
		    .dport = 1,
		    .proto = 6 } },
		{ "IPv6 with the same bytes",
		  { .src = { 16, { 10, 0, 0, 1 } },
		    .dst = { 16, { 192, 0, 2, 1 } },
		    .sport = 1,
		    .dport = 2,
		    .proto = 6 } },
	};
	const struct packet one = { .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 192, 0, 2, 1 } },
		                    .sport = 1, .dport = 2, .proto = 6 };
	struct conns  *t = conns_new(64, 1);
	struct conn        *f;
	bool                evicted;

	(void)state;
	assert_non_null(t);
	f = conn_get(t, &one, start, &evicted);
	assert_ptr_equal(conn_get(t, &one, start, &evicted), f);
	for (size_t i = 0; i < N_OF(rows); i++) {
		if (conn_find(t, &rows[i].p))
			fail_msg("%s: does not tell flows apart", rows[i].what);
		assert_ptr_not_equal(conn_get(t, &rows[i].p, start, &evicted), f);
		assert_false(evicted);
	}
	assert_ptr_equal(conn_find(t, &one), f);
	assert_true(f->id < UINT64_C(1) << 53);
	conns_free(t);
	conns_free(NULL);
}

/* As many as it holds, then the longest idle one goes for each that comes. */
static void test_capacity(void **state)
{
	struct conns *t = conns_new(100, 1);
	bool               evicted;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		assert_non_null(get(t, i, start + i, &evicted));
		assert_false(evicted);
	}
	get(t, 0, start + 200, NULL); /* not the longest idle any more */
	assert_non_null(get(t, 100, start + 201, &evicted));
	assert_true(evicted);
	assert_non_null(find(t, 0));
	assert_null(find(t, 1));
	for (uint32_t i = 101; i < 1000; i++) {
		get(t, i, start + 300 + i, &evicted);
		assert_true(evicted);
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(find(t, i) != NULL, i >= 900);
	conns_free(t);
}

static void test_ageing(void **state)
{
	static const struct {
		const char *what;
		bool        stream;
		uint64_t    idle;
		bool        there;
	} rows[] = {
		{ "119 s idle", false, 119 * S, true },
		{ "120 s idle", false, 120 * S, false },
		{ "119 s with a stream", true, 119 * S, true },
		{ "120 s with a stream", true, 120 * S, false },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct conns *t = conns_new(4, 1);
		struct conn       *f = get(t, 7, start, NULL);

		if (rows[i].stream)
			assert_non_null(conn_need_stream(t, f, 1, false));
		conns_age(t, start + rows[i].idle);
		same_num(rows[i].what, "still there", find(t, 7) != NULL, rows[i].there);
		conns_age(t, start + rows[i].idle); /* and an empty table */
		conns_free(t);
	}
}

static void test_touched_is_young(void **state)
{
	struct conns *t = conns_new(4, 1);

	(void)state;
	get(t, 1, start, NULL);
	get(t, 2, start + S, NULL);
	get(t, 1, start + 100 * S, NULL);
	conns_age(t, start + 150 * S);
	assert_non_null(find(t, 1));
	assert_null(find(t, 2));
	conns_age(t, start - 1000 * S); /* a clock that jumps back forgets nobody */
	assert_non_null(find(t, 1));
	conns_free(t);
}

static void test_restart(void **state)
{
	struct conns *t = conns_new(4, 1);
	struct conn       *f = get(t, 1, start, NULL);
	uint64_t           id = f->id;

	(void)state;
	assert_non_null(conn_need_stream(t, f, 5, true));
	f->order.anchored = f->fate.drop = true;
	f->state = f->fate.state = f->tcp.segments = 3;
	assert_true(conn_first_record(f, 1, start));
	conn_restart(t, f, start + S);
	assert_null(f->stream);
	assert_false(f->order.anchored || f->fate.drop || f->fate.state || f->state || f->tcp.segments);
	assert_true(conn_first_record(f, 1, start + S));
	assert_true(f->id != id);
	assert_ptr_equal(find(t, 1), f);
	conns_free(t);
}

/* Streams are fewer than flows: the longest idle flow's is taken. */
static void test_streams_change_hands(void **state)
{
	struct conns *t = conns_new(8, 2);
	struct conn       *f[3];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		f[i] = get(t, i, start + i, NULL);
		assert_non_null(conn_need_stream(t, f[i], 100, true));
		assert_int_equal(lost_now(t, FAULT_streams_full), i == 2);
	}
	assert_null(f[0]->stream);
	assert_non_null(f[1]->stream);
	assert_int_equal(f[2]->stream->base, 100);
	assert_true(f[2]->stream->anchored);
	assert_ptr_equal(conn_need_stream(t, f[1], 7, false), f[1]->stream);
	assert_int_equal(lost_now(t, FAULT_streams_full), 0);
	conn_drop_stream(t, f[1]);
	conn_drop_stream(t, f[1]);
	assert_non_null(conn_need_stream(t, f[0], 1, false));
	assert_int_equal(lost_now(t, FAULT_streams_full), 0);
	/* nobody waits for the rest of what is idle for so long */
	assert_non_null(conn_need_stream(t, get(t, 4, start + 21 * S, NULL), 1, false));
	assert_int_equal(lost_now(t, FAULT_streams_full), 0);
	assert_int_equal((f[0]->stream != NULL) + (f[2]->stream != NULL), 1);
	conns_free(t);
}

static void test_forgotten_flow_gives_its_stream_back(void **state)
{
	struct conns *t = conns_new(1, 1);

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		struct conn *f = get(t, i, start + i, NULL);

		assert_non_null(conn_need_stream(t, f, 1, false));
		assert_int_equal(lost_now(t, FAULT_streams_full), 0);
	}
	conns_free(t);
}

static void test_record_once(void **state)
{
	static const struct {
		const char *what;
		uint32_t    hash;
		unsigned    at; /* s after the start */
		bool        record;
	} rows[] = {
		{ "the first", 1, 0, true },
		{ "again at once", 1, 0, false },
		{ "another name", 2, 0, true },
		{ "29 s later", 1, 29, false },
		{ "30 s later", 1, 30, true },
		{ "counted from then", 1, 59, false },
		{ "a third name", 3, 59, true },
		{ "a fourth", 4, 59, true },
		{ "a fifth takes the oldest place", 5, 59, true },
		{ "which was the second's", 2, 59, true },
		{ "the newest are still known", 5, 60, false },
		{ "the name whose hash is 0", 0, 61, true },
		{ "and again", 0, 61, false },
	};
	struct conn f = { 0 };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		same_num(rows[i].what, "record",
			 conn_first_record(&f, rows[i].hash, start + rows[i].at * S),
			 rows[i].record);
}

/* One source takes an eighth of the streams, then what came last of its own. */
static void test_share_of_a_source(void **state)
{
	enum { STREAMS = 64, SHARE = 8 };
	struct conns *t = conns_new(100, STREAMS);
	struct packet      pkt = packet_of(0), other = packet_of(1);
	struct conn       *f[SHARE + 1], *o;
	bool               evicted;

	(void)state;
	o = conn_get(t, &other, start, &evicted);
	assert_non_null(conn_need_stream(t, o, 1, false));
	for (uint32_t i = 0; i <= SHARE; i++) {
		pkt.sport = (uint16_t)i;
		f[i] = conn_get(t, &pkt, start + 1 + i, &evicted);
		assert_non_null(conn_need_stream(t, f[i], 1, false));
		assert_int_equal(lost_now(t, FAULT_source_streams), i == SHARE);
	}
	assert_non_null(o->stream); /* idle for longer, but another's */
	for (uint32_t i = 0; i <= SHARE; i++) {
		assert_int_equal(f[i]->stream == NULL, i == SHARE - 1);
		assert_int_equal(f[i]->lost, i == SHARE - 1 ? FAULT_source_streams + 1 : 0);
	}
	conn_drop_stream(t, f[1]);
	assert_non_null(conn_need_stream(t, f[SHARE - 1], 1, false));
	assert_int_equal(lost_now(t, FAULT_streams_full), 0);
	conns_free(t);
}

/* A flood takes no stream from a source that has few: the busiest one loses what came last. */
static void test_flood_of_a_source(void **state)
{
	enum { STREAMS = 8, FLOOD = 100 };
	struct conns  *t = conns_new(300, STREAMS);
	struct packet  pkt = packet_of(7);
	struct conn   *quiet = get(t, 1, start, NULL), *first = NULL;
	bool           evicted;

	(void)state;
	assert_non_null(conn_need_stream(t, quiet, 1, false));
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct conn *c;

		pkt.src.b[3] = (uint8_t)(100 + i % 3); /* three sources, more than their share */
		pkt.sport = (uint16_t)i;
		c = conn_get(t, &pkt, start + 1 + i, &evicted);
		first = first ? first : c;
		assert_non_null(conn_need_stream(t, c, 1, false));
	}
	assert_non_null(quiet->stream);
	assert_non_null(first->stream); /* the newest goes, not the one that waits longest */
	assert_false(quiet->lost);
	conn_restart(t, quiet, start + 200);
	assert_false(quiet->lost);
	conns_free(t);
}

/* When the table is full, flows for which nothing is kept go first, however many come. */
static void test_waiting_outlives_others(void **state)
{
	struct conns *t = conns_new(8, 4);
	bool          evicted;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_non_null(conn_need_stream(t, get(t, i, start + i, NULL), 1, false));
	for (uint32_t i = 10; i < 1000; i++)
		get(t, i, start + i, &evicted);
	assert_true(evicted);
	for (uint32_t i = 0; i < 3; i++)
		assert_non_null(find(t, i)->stream);
	conns_free(t);
}

/* What no rest is to be expected of loses before the busiest source does; likewise one that waits for its server, which is
 * then gone, and known to be when it comes back. */
static void test_unexpected_first(void **state)
{
	struct conns *t = conns_new(16, 4);
	struct packet flood = packet_of(7);
	struct conn  *idle[2], *c;
	bool          evicted;

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		idle[i] = get(t, i, start + i, NULL);
	assert_non_null(conn_need_stream(t, idle[0], 1, false));
	idle[1]->state = CONN_AWAITS_SERVER;
	conn_account(t, idle[1]);
	for (uint16_t i = 0; i < 4; i++) {
		flood.sport = i;
		c = conn_get(t, &flood, start + 3 * S, &evicted);
		assert_non_null(conn_need_stream(t, c, 1, false));
	}
	assert_int_equal(lost_now(t, FAULT_streams_full), 2);
	assert_null(idle[0]->stream);
	assert_int_equal(idle[0]->lost, FAULT_streams_full + 1);
	assert_null(find(t, 1));
	assert_int_equal(get(t, 1, start + 4 * S, NULL)->lost, FAULT_flows_full + 1);
	conn_restart(t, find(t, 1), start + 4 * S);
	assert_int_equal(find(t, 1)->lost, 0);
	conns_free(t);
}

/* Pieces run out before connections do: the longest idle holder of some loses, not one that has none. */
static void test_pieces_run_out(void **state)
{
	static const uint8_t long_bytes[1300];
	struct conns        *t = conns_new(64, 40);
	struct conn         *small = get(t, 1, start, NULL), *first = NULL, *c = NULL;

	(void)state;
	stream_add(conn_need_stream(t, small, 1, true), 1, span_of(long_bytes, 100));
	conn_account(t, small);
	for (uint32_t i = 2; i < 34; i++) {
		c = get(t, i, start + i, NULL);
		first = first ? first : c;
		stream_add(conn_need_stream(t, c, 1, true), 1, span_of(long_bytes, sizeof(long_bytes)));
		conn_account(t, c);
	}
	assert_true(lost_now(t, FAULT_streams_full) > 0);
	assert_null(first->stream);
	assert_int_equal(small->stream->front, 100);
	assert_int_equal(c->stream->front, sizeof(long_bytes));
	conns_free(t);
}

/* Only what waits when its worker dies is known to the next one, once, and for as long as an idle connection is. */
static void test_outlives(void **state)
{
	void         *memory = calloc(1, conns_kept_size(16));
	struct conns *first = conns_new(16, 8), *next = conns_new(16, 8);
	struct packet waited = packet_of(1), read = packet_of(2), late = packet_of(3);

	(void)state;
	conns_keep(first, memory);
	for (uint32_t i = 1; i <= 3; i++)
		assert_non_null(conn_need_stream(first, get(first, i, start, NULL), 1, true));
	conn_drop_stream(first, find(first, 2));
	assert_false(conn_is_inherited(first, &waited));
	conns_keep(next, memory);
	next->reading.now = start + S;
	assert_true(conn_is_inherited(next, &waited));
	assert_false(conn_is_inherited(next, &read));
	assert_int_equal(get(next, 1, start + S, NULL)->lost, FAULT_worker_died + 1);
	assert_int_equal(get(next, 2, start + S, NULL)->lost, 0);
	assert_false(conn_is_inherited(next, &waited));
	assert_true(conn_is_inherited(next, &late));
	conns_age(next, start + S);
	conns_age(next, start + S + BOUND_IDLE * S);
	assert_false(conn_is_inherited(next, &late));
	conns_free(first);
	conns_free(next);
	free(memory);
}

/* Segments that may be decoys are a flow of their own. */
static void test_decoys_apart(void **state)
{
	struct conns *t = conns_new(4, 1);
	struct packet      decoy = packet_of(1);
	struct conn       *f = get(t, 1, start, NULL);
	bool               evicted;

	(void)state;
	decoy.decoy = true;
	assert_null(conn_find(t, &decoy));
	assert_ptr_not_equal(conn_get(t, &decoy, start, &evicted), f);
	assert_ptr_equal(find(t, 1), f);
	conns_age(t, start + 200 * S);
	assert_null(conn_find(t, &decoy));
	conns_free(t);
}

/* Random gets, ages and drops against the table's own promises. */
static void test_random(void **state)
{
	enum { FLOWS = 20, KEYS = 60 };
	struct conns *t = conns_new(FLOWS, 5);
	uint64_t           last[KEYS] = { 0 }, now = start, rnd = 42;

	(void)state;
	for (unsigned step = 0; step < 50000; step++) {
		uint32_t     key = (uint32_t)(unit_random(&rnd) % KEYS);
		struct conn *f;
		unsigned     n = 0, younger = 0;
		bool         evicted;

		now += unit_random(&rnd) % (2 * S);
		conns_age(t, now);
		f = get(t, key, now, &evicted);
		assert_non_null(f);
		assert_int_equal(f->last, now);
		last[key] = now;
		if (unit_random(&rnd) % 3 == 0)
			assert_non_null(conn_need_stream(t, f, step, false));
		if (unit_random(&rnd) % 5 == 0)
			conn_drop_stream(t, f);
		for (uint32_t k = 0; k < KEYS; k++) {
			n += find(t, k) != NULL;
			younger += last[k] > last[key];
		}
		assert_in_range(n, 1, FLOWS);
		assert_int_equal(younger, 0);
		for (uint32_t k = 0; step % 64 == 0 && k < KEYS; k++) {
			unsigned newer = 0;

			for (uint32_t o = 0; o < KEYS; o++)
				newer += last[o] > last[k];
			if (find(t, k) && newer >= FLOWS && !find(t, k)->waits && !find(t, k)->lost)
				fail_msg("step %u: a flow idle for longer than %d others", step,
					 FLOWS);
		}
	}
	conns_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_ageing),
		cmocka_unit_test(test_touched_is_young),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_streams_change_hands),
		cmocka_unit_test(test_forgotten_flow_gives_its_stream_back),
		cmocka_unit_test(test_record_once),
		cmocka_unit_test(test_share_of_a_source),
		cmocka_unit_test(test_flood_of_a_source),
		cmocka_unit_test(test_waiting_outlives_others),
		cmocka_unit_test(test_unexpected_first),
		cmocka_unit_test(test_pieces_run_out),
		cmocka_unit_test(test_outlives),
		cmocka_unit_test(test_decoys_apart),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

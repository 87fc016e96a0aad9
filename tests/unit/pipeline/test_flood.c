/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exhaustion frees nobody: floods of half messages beside honest clients, one client's own share, connections whose
 * beginning was lost, and what `on-fault` makes of those.
 */
#include "pipeline.h"

#include "base/diag.h"
#include "hello.h"
#include "inspect/conn.h"
#include "rig.h"
#include "unit.h"

#define LISTED "blocked.nfqd.invalid" /* the canary's */
#define S      NS_PER_S

static struct bytes hs, listed, innocent, half;

static void silent(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token, (void)text;
}

static void make_hello(struct bytes *out, const char *name, unsigned flags)
{
	struct hello h = { .sni = name, .flags = flags };

	hs.n = out->n = 0;
	hello_build(&hs, &h);
	hello_records(out, bytes_span(&hs), 0, 0);
}

static int prepare(void **state)
{
	(void)state;
	diag_register(silent);
	make_hello(&listed, LISTED, HELLO_SNI_LAST | HELLO_13);
	make_hello(&innocent, "www.example.org", HELLO_SNI_LAST | HELLO_13);
	return 0;
}

static struct rig *rig_with(struct rig_conf conf)
{
	struct err  err = { .text = "" };
	struct rig *r = rig_new(&conf, &err);

	if (!r)
		fail_msg("%s", err.text);
	return r;
}

/* A client of its own for each number; 50,000 and above flood. */
static struct rig_conn client(uint32_t n, uint16_t sport, uint16_t dport)
{
	struct rig_conn c = rig_conn4(sport, dport);

	c.f.src.b[1] = (uint8_t)(n >> 16);
	c.f.src.b[2] = (uint8_t)(n >> 8);
	c.f.src.b[3] = (uint8_t)n;
	return c;
}

static struct span part(const struct bytes *b, size_t from, size_t to)
{
	return span_of(b->p + from, to - from);
}

/* ---- beside a flood ---- */

enum {
	WAITING = 3072, /* a twentieth of what there is */
	RATE = 1000,    /* and of the rate that is to be borne */
	HONEST = 40,
	SECONDS = 10
};

/* One spoofed source more, or one of a few. */
static void flood(struct rig *r, unsigned i, unsigned sources, bool ahead)
{
	struct rig_conn c = client(50000 + i % sources, (uint16_t)(1024 + i % 60000), 443);

	rig_tcp(r, &c, ahead ? 1400 : 0, bytes_span(&half));
}

/* Honest hellos in four parts within two seconds: one begins every quarter of a second, from one of four clients. */
static unsigned honest(struct rig *r, const struct bytes *hello, unsigned sources, bool ahead, uint8_t want)
{
	struct rig_conn c[HONEST];
	unsigned        parts[HONEST] = { 0 }, wrong = 0;
	uint64_t        start = r->now;

	for (unsigned i = 0; i < SECONDS * RATE; i++) {
		unsigned ms = i * 1000 / RATE;

		r->now = start + ms * NS_PER_MS;
		flood(r, i, sources, ahead);
		for (unsigned k = 0; k < HONEST; k++) {
			unsigned begin = k * (SECONDS - 2) * 1000 / HONEST;
			size_t   cut[] = { 0, 40, 60, hello->n - 20, hello->n };

			if (parts[k] == 4 || ms < begin + parts[k] * 666)
				continue;
			if (parts[k] == 0)
				c[k] = client(k % 4, (uint16_t)(2000 + k), 443);
			struct span   bytes = part(hello, cut[parts[k]], cut[parts[k] + 1]);
			struct verdict v = rig_tcp(r, &c[k], cut[parts[k]], bytes);

			wrong += v.state != (parts[k] == 3 ? want : STATE_UNDECIDED);
			parts[k]++;
		}
	}
	return wrong;
}

static void test_floods(void **state)
{
	static const struct {
		const char *what;
		size_t      size;
		unsigned    sources;
		bool        hello, ahead;
	} rows[] = {
		{ "first bytes of hellos", 60, 2500, true, false },
		{ "likewise, of few sources", 60, 20, true, false },
		{ "likewise, of one", 60, 1, true, false },
		{ "most of long hellos", 1300, 2500, true, false },
		{ "likewise, of few sources", 1300, 20, true, false },
		{ "bytes of no protocol", 1300, 2500, false, false },
		{ "bytes that lie after a hole", 1300, 2500, true, true },
		{ "one byte", 1, 2500, true, false },
	};
	static struct bytes flood_hello;

	(void)state;
	make_hello(&flood_hello, "flood.example.net", HELLO_SNI_LAST | HELLO_13 | HELLO_PQ);
	for (size_t i = 0; i < 2 * N_OF(rows); i++) {
		struct rig *r = rig_with((struct rig_conf){ .flows = WAITING / 3 * 4, .streams = WAITING });
		bool        bad = i % 2;

		half.n = 0;
		bytes_fill(&half, 0x81, rows[i / 2].size);
		if (rows[i / 2].hello)
			memcpy(half.p, flood_hello.p, half.n);
		same_num(rows[i / 2].what, bad ? "listed: wrong verdicts" : "innocent: wrong verdicts",
			 honest(r, bad ? &listed : &innocent, rows[i / 2].sources, rows[i / 2].ahead,
				bad ? STATE_REJECTED : STATE_ALLOWED), 0);
		rig_free(r);
	}
}

/* When pieces are scarce a long hello is kept in its own room, and its name is still read. */
static void test_shrunk(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ .streams = 1024, .events = EVENTS_ALL });
	static struct bytes hello[2];
	unsigned        n = 0;

	(void)state;
	make_hello(&hello[0], LISTED, HELLO_SNI_LAST | HELLO_13 | HELLO_PQ);
	make_hello(&hello[1], "www.example.org", HELLO_SNI_LAST | HELLO_13 | HELLO_PQ);
	half.n = 0;
	bytes_fill(&half, 0x81, 1300);
	while (!conn_room_is_scarce(r->p.conns)) {
		struct rig_conn c = client(50000 + n++, 1024, 443);

		rig_tcp(r, &c, 0, bytes_span(&half));
		assert_in_range(n, 1, 100);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct rig_conn c = client(i, 2000, 443);
		uint32_t        left = stream_pool_left(r->p.conns->pool);

		assert_int_equal(rig_tcp(r, &c, 0, part(&hello[i], 0, 900)).state, STATE_UNDECIDED);
		assert_int_equal(rig_tcp(r, &c, 900, part(&hello[i], 900, 1300)).state, STATE_UNDECIDED);
		assert_int_equal(stream_pool_left(r->p.conns->pool), left);
		rig_tcp(r, &c, 0, part(&hello[i], 0, 900)); /* a retransmission contradicts nothing */
		assert_int_equal(rig_count(r, COUNT_fault_overlap), 0);
		assert_int_equal(rig_tcp(r, &c, 1300, part(&hello[i], 1300, hello[i].n)).state,
				 i ? STATE_ALLOWED : STATE_REJECTED);
	}
	assert_int_equal(rig_count(r, COUNT_fault_streams_full), 0);
	rig_free(r);
}

/* ---- one client's own share ---- */

static void test_own_hellos(void **state)
{
	enum { N = 64 };
	struct rig     *r = rig_with((struct rig_conf){ .flows = 1024, .streams = 8 * N });
	struct rig_conn c[N];

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		c[i] = client(1, (uint16_t)(2000 + i), 443);
		rig_tcp(r, &c[i], 0, part(&listed, 0, 60));
	}
	r->now += S;
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(rig_tcp(r, &c[i], 60, part(&listed, 60, listed.n)).state, STATE_REJECTED);
	rig_free(r);
}

static void test_own_questions(void **state)
{
	enum { N = 2000 };
	static const struct span query =
		LIT("\0\46" "\22\64\1\0\0\1\0\0\0\0\0\0" "\7blocked\4nfqd\7invalid\0" "\0\1\0\1");
	struct rig     *r = rig_with((struct rig_conf){ .flows = 3 * 8 * N, .streams = 8 * N });
	unsigned        refused = 0;

	(void)state;
	for (size_t at = 0; at < query.n; at++) {
		for (unsigned i = 0; i < N; i++) {
			struct rig_conn c = client(1, (uint16_t)(2000 + i), 53);

			refused += rig_tcp(r, &c, at, span_of(query.p + at, 1)).drop;
		}
		r->now += S / 2;
	}
	assert_int_equal(refused, N);
	rig_free(r);
}

/* ---- whose beginning was lost ---- */

/* Another client takes the only room there is. */
static void lose_beginning(struct rig *r, const struct rig_conn *c)
{
	struct rig_conn other = client(9, 2000, 443);
	struct verdict  v;

	assert_int_equal(rig_tcp(r, c, 0, part(&listed, 0, 60)).state, STATE_UNDECIDED);
	v = rig_tcp(r, &other, 0, part(&innocent, 0, 60));
	assert_false(v.drop); /* the newcomer is not to blame */
	assert_int_equal(v.state, STATE_UNDECIDED);
	assert_int_equal(rig_count(r, COUNT_fault_streams_full), 1);
}

static void test_on_fault(void **state)
{
	static const struct {
		const char *what;
		int         mode, action;
		uint16_t    port;
		uint8_t     state;
		unsigned    resets;
	} rows[] = {
		{ "pass", MODE_ENFORCE, ON_FAULT_PASS, 443, STATE_UNDECIDED, 0 },
		{ "drop", MODE_ENFORCE, ON_FAULT_DROP, 443, STATE_DROPPED, 0 },
		{ "drop, on any port", MODE_ENFORCE, ON_FAULT_DROP, 7000, STATE_DROPPED, 0 },
		{ "reset", MODE_ENFORCE, ON_FAULT_RESET, 443, STATE_REJECTED, 1 },
		{ "reset, DNS over TLS", MODE_ENFORCE, ON_FAULT_RESET, 853, STATE_REJECTED, 1 },
		{ "reset, on another port", MODE_ENFORCE, ON_FAULT_RESET, 7000, STATE_UNDECIDED, 0 },
		{ "reset in mode log", MODE_LOG, ON_FAULT_RESET, 443, STATE_UNDECIDED, 0 },
		{ "drop in mode log", MODE_LOG, ON_FAULT_DROP, 443, STATE_UNDECIDED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		uint32_t        bit = 1U << FAULT_streams_full;
		struct rig     *r = rig_with((struct rig_conf){ .streams = 1, .mode = rows[i].mode,
			                                        .drop = rows[i].action == ON_FAULT_DROP ? bit : 0,
			                                        .reset = rows[i].action == ON_FAULT_RESET ? bit : 0 });
		struct rig_conn c = client(1, 2000, rows[i].port);
		struct verdict  v;

		lose_beginning(r, &c);
		v = rig_tcp(r, &c, 60, part(&listed, 60, listed.n));
		same_num(rows[i].what, "state", v.state, rows[i].state);
		same_num(rows[i].what, "drop", v.drop, rows[i].state == STATE_DROPPED);
		same_num(rows[i].what, "resets", (long long)rig_count(r, COUNT_resets), rows[i].resets);
		same_num(rows[i].what, "packets to the server", r->p.inject.n, rows[i].resets);
		same_num(rows[i].what, "counted", (long long)rig_count(r, COUNT_fault_streams_full), 1);
		v = rig_tcp(r, &c, 0, span_of("", 0)); /* what else comes meets the same */
		rig_free(r);
	}
}

/* A whole hello on a connection that lost an earlier message is judged by itself, also with `reset`. */
static void test_later_message(void **state)
{
	static const struct {
		const struct bytes *hello;
		uint8_t             state;
	} rows[] = { { &listed, STATE_REJECTED }, { &innocent, STATE_ALLOWED } };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rig     *r = rig_with((struct rig_conf){ .streams = 1, .reset = 1U << FAULT_streams_full });
		struct rig_conn c = client(1, 2000, 443);

		lose_beginning(r, &c);
		assert_int_equal(rig_tcp(r, &c, 0, bytes_span(rows[i].hello)).state, rows[i].state);
		assert_int_equal(rig_count(r, COUNT_resets), 0);
		rig_free(r);
	}
}

/* The second request's beginning is lost: what is left of it is the business of no proxy. */
static void test_lost_request(void **state)
{
	static const char first[] = "GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n", second[] = "GET / HT",
			  rest[] = "TP/1.1\r\nHost: " LISTED "\r\n\r\n";
	struct rig     *r = rig_with((struct rig_conf){ .streams = 1 });
	struct rig_conn c = client(1, 2000, 80), other = client(9, 2000, 443);
	size_t          at = strlen(first);

	(void)state;
	rig_tcp(r, &c, 0, span_str(first));
	rig_tcp(r, &c, at, span_str(second));
	rig_tcp(r, &other, 0, part(&innocent, 0, 60));
	assert_int_equal(rig_count(r, COUNT_fault_streams_full), 1);
	at += strlen(second);
	assert_int_equal(rig_tcp(r, &c, at, span_str(rest)).state, STATE_UNDECIDED);
	at += strlen(rest);
	for (unsigned i = 0; i < 40; i++, at += half.n)
		assert_int_equal(rig_tcp(r, &c, at, bytes_span(&half)).state, STATE_UNDECIDED);
	assert_int_equal(rig_tcp(r, &c, at, span_str("GET / HTTP/1.1\r\nHost: " LISTED "\r\n\r\n")).state, STATE_REJECTED);
	rig_free(r);
}

/* The table is full and the connection itself was forgotten: its packets look like a new one's, but are not let go. */
static void test_forgotten(void **state)
{
	(void)state;
	for (unsigned reset = 0; reset < 2; reset++) {
		struct rig     *r = rig_with((struct rig_conf){ .flows = 8, .streams = 6,
			                                        .reset = reset << FAULT_flows_full });
		struct rig_conn c = client(1, 2000, 443), later;
		size_t          at = 60;

		half.n = 0;
		bytes_fill(&half, 0x81, 1300);
		rig_tcp(r, &c, 0, part(&listed, 0, at));
		for (unsigned i = 0; i < 100; i++) {
			struct rig_conn other = client(50000 + i, 2000, 443);

			rig_tcp(r, &other, 0, part(&innocent, 0, 60));
		}
		assert_true(rig_count(r, COUNT_fault_flows_full) > 0);
		assert_int_equal(rig_tcp(r, &c, at, part(&listed, at, listed.n)).state,
				 reset ? STATE_REJECTED : STATE_UNDECIDED);
		for (unsigned i = 0; !reset && i < 40; i++, at += half.n)
			assert_int_equal(rig_tcp(r, &c, at, bytes_span(&half)).state, STATE_UNDECIDED);
		later = client(2, 2000, 443); /* one that nothing was forgotten of goes its way */
		assert_int_equal(rig_tcp(r, &later, 0, bytes_span(&innocent)).state, STATE_ALLOWED);
		rig_free(r);
	}
}

/*
 * Whether the server took STARTTLS is not seen. Bytes of a hello in what follows are read as one, wherever they are: no text
 * holds them, and a server may have thrown away what came before. Taken for one by mistake, they stop nothing.
 */
static void test_refused_starttls(void **state)
{
	static const char hello[] = "EHLO lab\r\n", starttls[] = "STARTTLS\r\n",
			  mail[] = "MAIL FROM:<a@example.org>\r\n", more[] = "RCPT TO:<b@example.org>\r\nDATA\r\n",
			  text[] = "binary: \x16\x03\x01\x02\x05\x01 and more text\r\n";
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = client(1, 2000, 25), listed_conn = client(2, 2000, 25);
	const char     *lines[] = { hello, starttls, mail, more, text };
	uint8_t         last = STATE_UNDECIDED;
	size_t          at = 0;

	(void)state;
	for (size_t i = 0; i < N_OF(lines); at += strlen(lines[i++])) {
		struct verdict v = rig_tcp(r, &c, at, span_str(lines[i]));

		assert_false(v.drop || v.state > STATE_ALLOWED);
	}
	for (unsigned i = 0; i < 30 && last == STATE_UNDECIDED; i++, at += half.n) {
		struct verdict v = rig_tcp(r, &c, at, bytes_span(&half));

		assert_false(v.drop || v.state > STATE_ALLOWED);
		last = v.state;
	}
	assert_int_equal(last, STATE_ALLOWED); /* after 16 KiB at the latest */
	at = 0;
	for (size_t i = 0; i < 2; at += strlen(lines[i++]))
		assert_int_equal(rig_tcp(r, &listed_conn, at, span_str(lines[i])).state, STATE_UNDECIDED);
	rig_tcp(r, &listed_conn, at, span_str("NOOP\r\n"));
	at += strlen("NOOP\r\n");
	rig_tcp(r, &listed_conn, at, part(&listed, 0, 60));
	assert_int_equal(rig_tcp(r, &listed_conn, at + 60, part(&listed, 60, listed.n)).state, STATE_REJECTED);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floods),        cmocka_unit_test(test_shrunk),
		cmocka_unit_test(test_own_hellos),    cmocka_unit_test(test_own_questions),
		cmocka_unit_test(test_on_fault),      cmocka_unit_test(test_later_message),
		cmocka_unit_test(test_lost_request),  cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_refused_starttls),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole packets through all rooms: however a listed name is cut, ordered and repeated, its
 * connection is refused exactly once and recorded exactly once, and nobody else is bothered.
 */
#include "pipeline.h"

#include <unistd.h>

#include "base/diag.h"
#include "hello.h"
#include "rig.h"
#include "unit.h"

static const char pack[] = "pack: test\nvendor: Test\ntitle: Names for tests\nversion: "
			   "2026.11.23.1\nexpires: 2099-01-01\n"
			   "license: CC0-1.0\n"
			   "sources:\n  - {id: s, title: t, url: \"https://example.com/\", "
			   "publisher: p, retrieved: 2026-11-23}\n"
			   "stages:\n  - {id: now, from: 1990-01-01T00:00:00Z, action: block, "
			   "basis: site, citation: test}\n"
			   "entries:\n"
			   "  - {id: listed, names: [.listed.example], category: update, sources: "
			   "[s], confidence: high,\n"
			   "     side_effect: none}\n"
			   "  - {id: free, names: [free.listed.example], category: web, sources: "
			   "[s], confidence: high,\n"
			   "     action: allow, side_effect: none}\n"
			   "nets:\n"
			   "  - {cidr: 198.51.100.0/24, asn: 64496, category: update, sources: "
			   "[s], confidence: high,\n"
			   "     side_effect: none}\n"
			   "tests:\n  match: [listed.example]\n  no_match: [example]\n  allow: "
			   "[free.listed.example]\n";

static char         pack_path[] = "/tmp/nfqd-test-XXXXXX.yaml";
static struct bytes msg;
static uint16_t     port; /* every connection has its own */

static struct rig *rig_with(struct rig_conf conf)
{
	struct err  err = { .text = "" };
	struct rig *r;

	conf.rules = pack_path;
	r = rig_new(&conf, &err);
	if (!r)
		fail_msg("%s", err.text);
	return r;
}

static void silent(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token, (void)text;
}

static int write_pack(void **state)
{
	int fd = mkstemps(pack_path, 5);

	(void)state;
	diag_register(silent);
	port = 1024;
	return fd >= 0 && write(fd, pack, sizeof(pack) - 1) == (ssize_t)sizeof(pack) - 1 &&
			       close(fd) == 0
		       ? 0
		       : -1;
}

static int remove_pack(void **state)
{
	(void)state;
	return unlink(pack_path);
}

/* ---- datagrams ---- */

#define Q "\22\64\1\0\0\1\0\0\0\0\0\0"
#define LISTED "\3www\6listed\7example\0"
#define OTHER "\3www\5other\7example\0"
#define A_IN "\0\1\0\1"

static void test_dns_udp(void **state)
{
	static const struct {
		const char *what;
		struct span msg;
		uint16_t    port;
		bool        drop;
		unsigned    events;
	} rows[] = {
		{ "listed", LIT(Q LISTED A_IN), 53, true, 1 },
		{ "the suffix itself", LIT(Q "\6listed\7example\0" A_IN), 53, true, 1 },
		{ "in mixed case", LIT(Q "\3wWw\6LiStEd\7EXAMPLE\0" A_IN), 53, true, 1 },
		{ "AAAA", LIT(Q LISTED "\0\34\0\1"), 53, true, 1 },
		{ "HTTPS", LIT(Q LISTED "\0\101\0\1"), 53, true, 1 },
		{ "another name", LIT(Q OTHER A_IN), 53, false, 0 },
		{ "no boundary before the suffix", LIT(Q "\11notlisted\7example\0" A_IN), 53, false,
		  0 },
		{ "the suffix in the middle", LIT(Q "\6listed\7example\4evil\0" A_IN), 53, false,
		  0 },
		{ "a dot in a label is no boundary", LIT(Q "\12www.listed\7example\0" A_IN), 53,
		  false, 0 },
		{ "an allowed name below it", LIT(Q "\4free\6listed\7example\0" A_IN), 53, false,
		  1 },
		{ "the listed name second",
		  LIT("\22\64\1\0\0\2\0\0\0\0\0\0" OTHER A_IN LISTED A_IN), 53, true, 1 },
		{ "with EDNS",
		  LIT("\22\64\1\0\0\1\0\0\0\0\0\1" LISTED A_IN "\0\0\51\4\320\0\0\200\0\0\0"), 53,
		  true, 1 },
		{ "damage behind the question",
		  LIT("\22\64\1\0\0\1\0\0\0\0\0\1" LISTED A_IN "\0\0"), 53, true, 1 },
		{ "damage behind the name", LIT("\22\64\1\0\0\2\0\0\0\0\0\0" LISTED A_IN "\77"), 53,
		  true, 1 },
		{ "an answer", LIT("\22\64\201\200\0\1\0\0\0\0\0\0" LISTED A_IN), 53, false, 0 },
		{ "another opcode", LIT("\22\64\50\0\0\1\0\0\0\0\0\0" LISTED A_IN), 53, false, 0 },
		{ "rubbish", LIT("rubbish rubbish rubbish"), 53, false, 0 },
		{ "an empty datagram", LIT(""), 53, false, 0 },
		{ "mDNS", LIT(Q LISTED A_IN), 5353, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < 2 * N_OF(rows); i++) {
		struct rig     *r = rig_with((struct rig_conf){ 0 });
		struct rig_conn c = i % 2 ? rig_conn6(++port, rows[i / 2].port)
		                          : rig_conn4(++port, rows[i / 2].port);
		struct verdict  v = rig_udp(r, &c, rows[i / 2].msg);

		same_num(rows[i / 2].what, "drop", v.drop, rows[i / 2].drop);
		same_num(rows[i / 2].what, "events", r->n_events, rows[i / 2].events);
		same_num(rows[i / 2].what, "answers", r->p.inject.n,
			 rows[i / 2].drop && i / 2 != 13);
		if (rows[i / 2].port == 53)
			same_num(rows[i / 2].what, "state", v.state, STATE_UNDECIDED);
		rig_free(r);
	}
}

/* A and AAAA leave one socket within a millisecond: each is judged for itself. */
static void test_dns_one_socket(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = rig_conn4(++port, 53);

	(void)state;
	assert_true(rig_udp(r, &c, (struct span)LIT(Q LISTED A_IN)).drop);
	assert_false(rig_udp(r, &c, (struct span)LIT(Q OTHER A_IN)).drop);
	assert_true(rig_udp(r, &c, (struct span)LIT(Q LISTED "\0\34\0\1")).drop);
	assert_int_equal(r->p.inject.n, 1);
	assert_int_equal(r->n_events, 2);
	assert_true(rig_udp(r, &c, (struct span)LIT(Q LISTED A_IN)).drop); /* asked again */
	assert_int_equal(r->n_events, 2);
	assert_int_equal(rig_count(r, COUNT_rejected), 3);
	r->now += 31 * NS_PER_S;
	assert_true(rig_udp(r, &c, (struct span)LIT(Q LISTED A_IN)).drop);
	assert_int_equal(r->n_events, 3);
	rig_free(r);
}

/* ---- answers ---- */

#define ALIAS "\22\64\201\200\0\1\0\1\0\0\0\0" OTHER A_IN "\300\14\0\5\0\1\0\0\1\54\0\24" LISTED

static struct rig_conn turned_round(struct rig_conn c)
{
	struct addr a = c.f.src;

	c.f.src = c.f.dst;
	c.f.dst = a;
	c.f.dport = c.f.sport;
	c.f.sport = 53;
	return c;
}

/* What takes an answer's place: the same ends, and a refusal of the same question. */
static void is_refusal(const struct rig_conn *c, struct verdict v, uint8_t proto)
{
	struct packet pkt = { 0 };
	struct span   dns;

	assert_false(v.drop);
	assert_int_equal(v.state, STATE_UNDECIDED);
	assert_int_equal(decode_ip(v.replaced, &pkt), DECODE_OK);
	assert_int_equal(pkt.proto, proto);
	assert_true(addr_eq(&pkt.src, &c->f.src) && addr_eq(&pkt.dst, &c->f.dst));
	assert_int_equal(pkt.sport, 53);
	assert_int_equal(pkt.dport, c->f.dport);
	dns = proto == IPPROTO_UDP ? pkt.payload : span_of(pkt.payload.p + 2, pkt.payload.n - 2);
	assert_memory_equal(dns.p, "\22\64\201\203\0\1\0\0", 8); /* NXDOMAIN, nothing in it */
	assert_memory_equal(dns.p + 12, OTHER A_IN, sizeof(OTHER A_IN) - 1);
	if (proto == IPPROTO_TCP) {
		assert_int_equal(pkt.seq, c->f.seq);
		assert_int_equal(pkt.ack, c->f.ack);
		assert_int_equal(pkt.tcp_flags, TCP_ACK | TCP_FIN | 0x08);
	}
}

static void test_answer_udp(void **state)
{
	(void)state;
	for (unsigned six = 0; six < 2; six++) {
		struct rig     *r = rig_with((struct rig_conf){ .events = EVENTS_ALL });
		struct rig_conn c = turned_round(six ? rig_conn6(++port, 53) : rig_conn4(++port, 53));

		is_refusal(&c, rig_udp(r, &c, (struct span)LIT(ALIAS)), IPPROTO_UDP);
		assert_int_equal(r->p.inject.n, 0);
		assert_int_equal(r->n_events, 1);
		assert_string_equal(r->events[0].name.text, "www.listed.example");
		assert_string_equal(r->events[0].origin.text, "www.other.example");
		assert_true(addr_eq(&r->events[0].src, &c.f.dst));
		assert_int_equal(r->events[0].dport, 53);
		assert_int_equal(rig_udp(r, &c, (struct span)LIT(ALIAS)).replaced.n > 0, 1);
		assert_int_equal(r->n_events, 1);
		rig_free(r);
	}
}

static void test_answer_tcp(void **state)
{
	static struct bytes stream;
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = turned_round(rig_conn4(++port, 53));
	struct verdict  v;

	(void)state;
	stream.n = 0;
	bytes_block(&stream, 2, (struct span)LIT(ALIAS));
	is_refusal(&c, rig_tcp(r, &c, 0, bytes_span(&stream)), IPPROTO_TCP);
	assert_int_equal(r->p.inject.n, 1); /* a reset for the resolver */
	assert_true(rig_tcp(r, &c, 0, bytes_span(&stream)).drop); /* sent again */

	/* the client has its beginning: both ends are reset, one by the kernel */
	c = turned_round(rig_conn4(++port, 53));
	v = rig_tcp(r, &c, 0, span_of(stream.p, 20));
	assert_true(v.state == STATE_UNDECIDED && !v.drop && !v.replaced.n);
	v = rig_tcp(r, &c, 20, span_of(stream.p + 20, stream.n - 20));
	assert_int_equal(v.state, STATE_REJECTED);
	assert_int_equal(r->p.inject.n, 1);
	assert_true(addr_eq(&r->p.inject.waiting[0].to, &c.f.dst));
	assert_int_equal(r->n_events, 2);

	/* whatever a resolver's port says, the questions to it are still judged */
	c = turned_round(rig_conn4(++port, 53));
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(rig_tcp(r, &c, i * 4, (struct span)LIT("rubb")).state, STATE_UNDECIDED);
	rig_free(r);
}

/* What this machine's resolver is told passes while a client waits for it, and not for long. */
static void test_answer_on_its_way(void **state)
{
	static const struct {
		uint32_t ifin, ifout;
		unsigned after;
		bool     passes;
	} rows[] = {
		{ 2, 0, 0, true },  /* on its way in, for a question that came in */
		{ 2, 0, 3, false }, /* too late */
		{ 0, 1, 0, false }, /* to the client itself */
		{ 2, 1, 0, false }, /* routed */
	};
	uint8_t packet[200];

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rig       *r = rig_with((struct rig_conf){ 0 });
		struct rig_conn   asks = rig_conn4(++port, 53), says = turned_round(asks);
		struct raw_packet raw = { .link = LINK_IP, .ts = r->now, .ifin = 1 };
		struct verdict    v;

		raw.data = span_of(packet, forge_udp(&asks.f, (struct span)LIT(Q OTHER A_IN), packet,
		                                     sizeof(packet)));
		assert_false(pipeline_packet(&r->p, &raw).drop);
		raw.data = span_of(packet, forge_udp(&says.f, (struct span)LIT(ALIAS), packet,
		                                     sizeof(packet)));
		raw.ts += rows[i].after * NS_PER_S;
		raw.ifin = rows[i].ifin;
		raw.ifout = rows[i].ifout;
		v = pipeline_packet(&r->p, &raw);
		assert_int_equal(v.replaced.n == 0, rows[i].passes);
		assert_int_equal(r->n_events, !rows[i].passes);
		rig_free(r);
	}
}

/* ---- the first message of a connection ---- */

struct expected {
	uint8_t  state;
	unsigned events;
};

static const struct expected refused = { STATE_REJECTED, 1 }, let_go = { STATE_ALLOWED, 0 },
			     goes_on = { STATE_UNDECIDED, 0 }; /* another request may follow */

/* Sends pieces of msg in an order; cuts[i] is where piece i begins. Every segment passes undecided
 * until one decides, all behind it get the same answer, and one record is made. */
static void send_pieces(struct rig *r, const char *what, const size_t *cuts, const size_t *order,
			size_t n, struct expected expected)
{
	struct rig_conn c = rig_conn4(++port, 443);
	unsigned        events = r->n_events;
	bool            decided = false;

	for (size_t i = 0; i < n; i++) {
		size_t at = cuts[order[i]], end = order[i] + 1 < n ? cuts[order[i] + 1] : msg.n;
		struct verdict v = rig_tcp(r, &c, at, span_of(msg.p + at, end - at));

		if (v.state == STATE_UNDECIDED && !v.drop && !decided)
			continue;
		decided = true;
		if (v.state != expected.state)
			fail_msg("%s, first cut at %zu of %zu: piece %zu of %zu got %d", what,
			         n > 1 ? cuts[1] : 0, msg.n, i, n, v.state);
	}
	if (!decided && expected.state != STATE_UNDECIDED)
		fail_msg("%s, first cut at %zu, first piece %zu: never decided", what,
			 n > 1 ? cuts[1] : 0, order[0]);
	if (r->n_events - events != expected.events)
		fail_msg("%s: %u events", what, r->n_events - events);
}

static void make_message(unsigned kind, const char *name)
{
	char text[300];

	msg.n = 0;
	switch (kind) {
	case 0: hello_simple(&msg, name, HELLO_13); break;
	case 1: hello_simple(&msg, name, HELLO_13 | HELLO_PQ | HELLO_SNI_LAST); break;
	case 2: {
		static struct bytes hs;
		struct hello        h = { .sni = name, .flags = HELLO_13 | HELLO_GREASE };

		hs.n = 0;
		hello_build(&hs, &h);
		hello_records(&msg, bytes_span(&hs), 2, 40);
		break;
	}
	default:
		snprintf(text, sizeof(text),
			 "GET /index.html HTTP/1.1\r\nUser-Agent: test\r\nHost: %s\r\n\r\n", name);
		bytes_text(&msg, text);
	}
}

static const char *const kinds[] = { "a hello", "a post-quantum hello, name last",
				     "a hello in small records", "a request" };

/* Runs a shape for every kind of message, listed and not. */
static void for_all(void (*shape)(struct rig *r, const char *what, struct expected expected))
{
	struct rig *r = rig_with((struct rig_conf){ 0 });

	for (unsigned k = 0; k < N_OF(kinds); k++) {
		make_message(k, "www.listed.example");
		shape(r, kinds[k], refused);
		make_message(k, "www.other.example");
		shape(r, kinds[k], k == 3 ? goes_on : let_go);
	}
	rig_free(r);
}

static void whole(struct rig *r, const char *what, struct expected expected)
{
	send_pieces(r, what, (size_t[]){ 0 }, (size_t[]){ 0 }, 1, expected);
}

static void test_whole(void **state)
{
	(void)state;
	for_all(whole);
}

static void two_ways(struct rig *r, const char *what, struct expected expected)
{
	for (size_t cut = 1; cut < msg.n; cut++) {
		send_pieces(r, what, (size_t[]){ 0, cut }, (size_t[]){ 0, 1 }, 2, expected);
		send_pieces(r, what, (size_t[]){ 0, cut }, (size_t[]){ 1, 0 }, 2, expected);
	}
}

static void test_every_cut_in_two(void **state)
{
	(void)state;
	for_all(two_ways);
}

/* Pieces of a size in order, reversed, and shuffled by twenty seeds. */
static void pieces(struct rig *r, const char *what, size_t size, struct expected expected)
{
	static size_t cuts[4096], order[4096];
	size_t        n = (msg.n + size - 1) / size;

	assert_true(n <= N_OF(cuts));
	for (size_t i = 0; i < n; i++)
		cuts[i] = i * size;
	for (uint64_t seed = 0; seed < 22; seed++) {
		uint64_t rnd = seed;

		for (size_t i = 0; i < n; i++)
			order[i] = seed == 1 ? n - 1 - i : i;
		for (size_t i = n; seed > 1 && i > 1; i--) {
			size_t o = (size_t)(unit_random(&rnd) % i), swap = order[o];

			order[o] = order[i - 1];
			order[i - 1] = swap;
		}
		send_pieces(r, what, cuts, order, n, expected);
	}
}

static void bytes_alone(struct rig *r, const char *what, struct expected expected)
{
	pieces(r, what, 1, expected);
}

static void small_pieces(struct rig *r, const char *what, struct expected expected)
{
	for (size_t size = 2; size < 40; size = size * 2 + 1)
		pieces(r, what, size, expected);
}

static void test_one_byte_segments(void **state)
{
	(void)state;
	for_all(bytes_alone);
}

static void test_small_segments(void **state)
{
	(void)state;
	for_all(small_pieces);
}

/* Retransmissions and overlaps with the same bytes change nothing. */
static void overlapping(struct rig *r, const char *what, struct expected expected)
{
	struct rig_conn c = rig_conn4(++port, 443);
	unsigned        events = r->n_events;
	struct verdict  v = { 0 };

	for (size_t at = 0; at < msg.n && v.state == STATE_UNDECIDED; at += 20) {
		size_t from = at < 30 ? 0 : at - 30, to = at + 20 < msg.n ? at + 20 : msg.n;

		v = rig_tcp(r, &c, from, span_of(msg.p + from, to - from));
		if (v.state == STATE_UNDECIDED)
			v = rig_tcp(r, &c, at, span_of(msg.p + at, to - at));
	}
	same_num(what, "state", v.state, expected.state);
	same_num(what, "events", r->n_events - events, expected.events);
	same_num(what, "overlaps", (long long)rig_count(r, COUNT_fault_overlap), 0);
}

static void test_overlaps(void **state)
{
	(void)state;
	for_all(overlapping);
}

static void test_different_overlap(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = rig_conn4(++port, 443);

	(void)state;
	make_message(0, "www.listed.example");
	rig_tcp(r, &c, 0, span_of(msg.p, 60));
	rig_tcp(r, &c, 40, span_str("decoy decoy decoy decoy"));
	assert_int_equal(rig_count(r, COUNT_fault_overlap), 1);
	rig_free(r);
}

static void test_ports_and_families(void **state)
{
	static const uint16_t ports[] = { 443, 8443, 25, 80, 53, 1 };
	struct rig           *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	for (unsigned k = 0; k < N_OF(kinds); k++) {
		make_message(k, "www.listed.example");
		for (size_t i = 0; i < 2 * N_OF(ports); i++) {
			struct rig_conn c = i % 2 ? rig_conn6(++port, ports[i / 2])
			                          : rig_conn4(++port, ports[i / 2]);

			same_num(kinds[k], "state", rig_tcp(r, &c, 0, bytes_span(&msg)).state,
				 STATE_REJECTED);
		}
	}
	rig_free(r);
}

/* ---- what follows a decision ---- */

static void test_decision_stays(void **state)
{
	static const struct {
		const char *what, *name;
		uint8_t     state;
	} rows[] = { { "refused", "www.listed.example", STATE_REJECTED },
		     { "allowed", "www.other.example", STATE_ALLOWED } };
	struct rig *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rig_conn c = rig_conn4(++port, 443);
		unsigned        events = r->n_events;
		size_t          end;

		make_message(0, rows[i].name);
		same_num(rows[i].what, "hello", rig_tcp(r, &c, 0, bytes_span(&msg)).state,
			 rows[i].state);
		same_num(rows[i].what, "again", rig_tcp(r, &c, 0, bytes_span(&msg)).state,
			 rows[i].state);
		events = r->n_events - events;
		end = msg.n;
		make_message(0, i ? "www.listed.example" : "www.other.example");
		for (unsigned s = 0; s < 10; s++) { /* for longer than an idle flow is kept */
			r->now += 60 * NS_PER_S;
			same_num(rows[i].what, "minutes later",
				 rig_tcp(r, &c, end + s * msg.n, span_of(msg.p + 1, msg.n)).state,
				 rows[i].state);
		}
		same_num(rows[i].what, "events", events, rows[i].state == STATE_REJECTED);
	}
	assert_int_equal(r->n_events, 1);
	rig_free(r);
}

/* The ports of a connection that never said more are used again: the new one is decided, at once or, when
 * the rest of the old one might still come, before long. */
static void test_ports_of_half_a_message(void **state)
{
	static const struct {
		const char *what;
		unsigned    pause; /* s */
		uint8_t     state;
	} rows[] = { { "soon", 1, STATE_UNDECIDED }, { "later", 61, STATE_ALLOWED } };
	struct rig *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rig_conn c = rig_conn4(++port, 443);
		struct verdict  v = { 0 };

		rig_tcp(r, &c, 0, span_str("example.com\r\n"));
		r->now += rows[i].pause * NS_PER_S;
		make_message(0, "www.other.example");
		same_num(rows[i].what, "hello", rig_tcp(r, &c, 1 << 30, bytes_span(&msg)).state, rows[i].state);
		for (unsigned s = 1; s < 60; s++) {
			r->now += NS_PER_S;
			v = rig_tcp(r, &c, (1 << 30) + msg.n * s, bytes_span(&msg));
		}
		same_num(rows[i].what, "what follows", v.state, STATE_ALLOWED);
	}
	rig_free(r);
}

/* The first hello may have been a decoy: another one on its connection is looked at, too. */
static void test_second_hello(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = rig_conn4(++port, 443);

	(void)state;
	make_message(0, "www.other.example");
	assert_int_equal(rig_tcp(r, &c, 0, bytes_span(&msg)).state, STATE_ALLOWED);
	assert_int_equal(rig_tcp(r, &c, 0, bytes_span(&msg)).state, STATE_ALLOWED);
	make_message(0, "www.listed.example");
	assert_int_equal(rig_tcp(r, &c, 0, bytes_span(&msg)).state, STATE_REJECTED);
	make_message(0, "www.other.example");
	assert_int_equal(rig_tcp(r, &c, 0, bytes_span(&msg)).state, STATE_REJECTED);
	assert_int_equal(r->n_events, 1);
	rig_free(r);
}

/* ---- decoys ---- */

/* A segment as c sends it, with a hop limit and TCP options of its own. */
static struct verdict odd_segment(struct rig *r, const struct rig_conn *c, size_t at, struct span data,
				  uint8_t hops, struct span options)
{
	static uint8_t packet[70000];
	struct forge   f = c->f;
	size_t         n, ip = f.src.len == 4 ? 20 : 40;

	f.seq += (uint32_t)at;
	n = forge_tcp(&f, data, packet, sizeof(packet));
	assert_true(n > 0 && options.n % 4 == 0);
	memmove(packet + ip + 20 + options.n, packet + ip + 20, data.n);
	if (options.n)
		memcpy(packet + ip + 20, options.p, options.n);
	packet[ip + 12] = (uint8_t)((5 + options.n / 4) << 4);
	n += options.n;
	if (ip == 20) {
		packet[2] = (uint8_t)(n >> 8);
		packet[3] = (uint8_t)n;
		packet[8] = hops;
	} else {
		packet[4] = (uint8_t)((n - 40) >> 8);
		packet[5] = (uint8_t)(n - 40);
		packet[7] = hops;
	}
	return rig_raw(r, span_of(packet, n), LINK_IP, false);
}

#define MD5_OPTION "\1\1\23\22" "0123456789abcdef"

static void test_decoys(void **state)
{
	static const struct {
		const char *what;
		uint8_t     hops, flags;
		struct span options;
		bool        decoy;
	} rows[] = {
		{ "13 hops left", 13, TCP_ACK, LIT(""), false },
		{ "12 hops left", 12, TCP_ACK, LIT(""), true },
		{ "an MD5 signature", 64, TCP_ACK, LIT(MD5_OPTION), true },
		{ "other options", 64, TCP_ACK, LIT("\1\1\10\12" "12345678"), false },
		{ "options that lie", 64, TCP_ACK, LIT("\10\0\23\22"), false },
		{ "no ACK", 64, 0, LIT(""), true },
	};
	struct rig *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	for (size_t i = 0; i < 2 * N_OF(rows); i++) {
		struct rig_conn c = i % 2 ? rig_conn6(++port, 443) : rig_conn4(++port, 443), d = c;
		const char     *what = rows[i / 2].what;

		d.f.tcp_flags = rows[i / 2].flags;
		make_message(0, "www.other.example");
		same_num(what, "unlisted",
			 odd_segment(r, &d, 0, bytes_span(&msg), rows[i / 2].hops, rows[i / 2].options)
				 .state,
			 rows[i / 2].decoy ? STATE_UNDECIDED : STATE_ALLOWED);
		make_message(0, "www.listed.example");
		rig_tcp(r, &c, 0, span_of(msg.p, 60));
		same_num(what, "the real one", rig_tcp(r, &c, 60, span_of(msg.p + 60, msg.n - 60)).state,
			 STATE_REJECTED); /* in place of one that was allowed, too */

		d.f.sport = ++port;
		odd_segment(r, &d, 0, span_of(msg.p, 60), rows[i / 2].hops, rows[i / 2].options);
		same_num(what, "nothing but decoys",
			 odd_segment(r, &d, 60, span_of(msg.p + 60, msg.n - 60), rows[i / 2].hops,
				     rows[i / 2].options)
				 .state,
			 STATE_REJECTED);
	}
	assert_int_equal(rig_count(r, COUNT_decoys), 3 * 2 * 3);
	rig_free(r);
}

static void test_syn_begins_anew(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = rig_conn4(++port, 443), syn;

	(void)state;
	make_message(0, "www.listed.example");
	assert_int_equal(rig_tcp(r, &c, 0, bytes_span(&msg)).state, STATE_REJECTED);
	syn = c;
	syn.f.tcp_flags = TCP_SYN;
	syn.f.seq = c.f.seq = 5000;
	assert_int_equal(rig_tcp(r, &syn, 0, span_of(NULL, 0)).state, STATE_UNDECIDED);
	make_message(0, "www.other.example");
	assert_int_equal(rig_tcp(r, &c, 1, bytes_span(&msg)).state, STATE_ALLOWED);
	rig_free(r);
}

/* RFC 7413: a hello in the SYN; and a SYN that brings half of it. */
static void test_fast_open(void **state)
{
	(void)state;
	for (unsigned k = 0; k < N_OF(kinds); k++) {
		struct rig     *r = rig_with((struct rig_conf){ 0 });
		struct rig_conn c = rig_conn4(++port, 443), syn = c;

		make_message(k, "www.listed.example");
		syn.f.tcp_flags = TCP_SYN;
		same_num(kinds[k], "all in the SYN", rig_tcp(r, &syn, 0, bytes_span(&msg)).state,
		         STATE_REJECTED);
		syn.f.sport = c.f.sport = ++port;
		same_num(kinds[k], "half in the SYN",
			 rig_tcp(r, &syn, 0, span_of(msg.p, msg.n / 2)).state, STATE_UNDECIDED);
		same_num(
			kinds[k], "the other half",
			rig_tcp(r, &c, msg.n / 2 + 1, span_of(msg.p + msg.n / 2, msg.n - msg.n / 2))
				.state,
			STATE_REJECTED);
		rig_free(r);
	}
}

static void test_flags(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = rig_conn4(++port, 443);

	(void)state;
	make_message(0, "www.listed.example");
	assert_int_equal(rig_tcp(r, &c, 0, span_of(NULL, 0)).state, STATE_UNDECIDED);
	c.f.tcp_flags = TCP_RST;
	assert_int_equal(rig_tcp(r, &c, 0, span_str("why")).state, STATE_UNDECIDED);
	c.f.tcp_flags = TCP_ACK | TCP_FIN;
	assert_int_equal(rig_tcp(r, &c, 0, bytes_span(&msg)).state, STATE_REJECTED);
	rig_free(r);
}

/* The reset towards the server carries exactly the number it waits for (RFC 5961 3.2). */
static void test_reset_number(void **state)
{
	static const struct {
		const char *what;
		size_t      order[3];
		size_t      next; /* in thirds */
	} rows[] = {
		{ "in order", { 0, 1, 2 }, 2 },
		{ "reversed", { 2, 1, 0 }, 0 },
		{ "the middle last", { 0, 2, 1 }, 1 },
	};
	struct rig *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	make_message(0, "www.listed.example");
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rig_conn c = rig_conn4(++port, 443);
		size_t          cuts[] = { 0, 10, 20, msg.n };
		struct packet   rst;

		for (unsigned s = 0; s < 3; s++) {
			size_t o = rows[i].order[s];

			rig_tcp(r, &c, cuts[o], span_of(msg.p + cuts[o], cuts[o + 1] - cuts[o]));
		}
		same_num(rows[i].what, "packets of ours", r->p.inject.n, 1);
		same_num(rows[i].what, "decodes",
			 decode_ip(span_of(r->p.inject.waiting[0].data, r->p.inject.waiting[0].len),
				   &rst),
			 DECODE_OK);
		same_num(rows[i].what, "is a reset", rst.tcp_flags & TCP_RST, TCP_RST);
		same_num(rows[i].what, "number", rst.seq, c.f.seq + (uint32_t)cuts[rows[i].next]);
		same_num(rows[i].what, "port", rst.dport, 443);
	}
	rig_free(r);
}

static void test_mode_log(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ .mode = MODE_LOG });
	struct rig_conn tls = rig_conn4(++port, 443), dns = rig_conn4(++port, 53);

	(void)state;
	make_message(0, "www.listed.example");
	assert_int_equal(rig_tcp(r, &tls, 0, bytes_span(&msg)).state, STATE_ALLOWED);
	assert_false(rig_udp(r, &dns, (struct span)LIT(Q LISTED A_IN)).drop);
	assert_int_equal(r->p.inject.n, 0);
	assert_int_equal(r->n_events, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(r->events[i].listed);
		assert_int_equal(r->events[i].decision.action, ACTION_LOG);
		assert_int_equal(r->events[i].decision.would, ACTION_REJECT);
		assert_int_equal(r->events[i].sent, SENT_NOTHING);
	}
	assert_int_equal(rig_count(r, COUNT_would_reject), 2);
	assert_int_equal(rig_count(r, COUNT_rejected), 0);
	rig_free(r);
}

static void test_events_all(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ .events = EVENTS_ALL });
	struct rig_conn tls = rig_conn4(++port, 443), dns = rig_conn4(++port, 53);

	(void)state;
	make_message(0, "WWW.other.example.");
	rig_tcp(r, &tls, 0, bytes_span(&msg));
	rig_udp(r, &dns, (struct span)LIT(Q OTHER "\0\34\0\1"));
	assert_int_equal(r->n_events, 2);
	assert_string_equal(r->events[0].name.text, "www.other.example");
	assert_int_equal(r->events[0].app, APP_TLS);
	assert_int_equal(r->events[0].tls.version, 0x0304);
	assert_false(r->events[0].listed);
	assert_int_equal(r->events[1].app, APP_DNS);
	assert_int_equal(r->events[1].dns_type, 28);
	assert_int_equal(r->events[1].dns.id, 0x1234);
	rig_free(r);
}

/* ---- no name, no protocol ---- */

static void test_address(void **state)
{
	static const struct {
		const char *what;
		struct span first;
		uint8_t     elsewhere;
	} rows[] = {
		{ "a hello without a name",
		  LIT("\26\3\1\0\57\1\0\0\53\3\3aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0\0\2"
		      "\23\1\1\0\0\0"),
		  STATE_WANT_REPLIES },
		{ "a request without a Host", LIT("GET / HTTP/1.0\r\n\r\n"), STATE_UNDECIDED },
	};
	struct rig *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rig_conn c = rig_conn4(++port, 443);

		same_num(rows[i].what, "elsewhere", rig_tcp(r, &c, 0, rows[i].first).state,
			 rows[i].elsewhere);
		c.f.dst = (struct addr){ 4, { 198, 51, 100, 7 } };
		same_num(rows[i].what, "a listed network", rig_tcp(r, &c, 0, rows[i].first).state,
		         STATE_REJECTED);
		same_text(rows[i].what, r->events[i].name.text, "198.51.100.7");
		same_num(rows[i].what, "seen in", r->events[i].name.seen_in, SEEN_ADDRESS);
	}
	assert_int_equal(r->n_events, N_OF(rows));
	rig_free(r);
}

static void test_unknown_protocol(void **state)
{
	static const struct {
		const char *what;
		size_t      size;     /* of each segment */
		unsigned    segments; /* at most so many until it is allowed */
	} rows[] = {
		{ "one byte each", 1, 1024 }, { "100 bytes each", 100, 16 },
		{ "1000 bytes each", 1000, 5 }, { "4096 bytes at once", 4096, 1 },
		{ "a packet of 60 kB", 60000, 1 },
	};
	static uint8_t data[60000];
	struct rig    *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	memset(data, 0x81, sizeof(data));
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rig_conn c = rig_conn4(++port, 4444);
		unsigned        n = 0;

		while (n < 2000 &&
		       rig_tcp(r, &c, n * rows[i].size, span_of(data, rows[i].size)).state !=
			       STATE_ALLOWED)
			n++;
		if (n + 1 > rows[i].segments)
			fail_msg("%s: allowed after %u segments", rows[i].what, n + 1);
		same_num(rows[i].what, "stays allowed",
			 rig_tcp(r, &c, (n + 1) * rows[i].size, span_of(data, 10)).state,
			 STATE_ALLOWED);
	}
	assert_int_equal(rig_count(r, COUNT_unknown), N_OF(rows));
	assert_int_equal(r->n_events, 0);
	rig_free(r);
}

/* With the SYN seen, the first bytes are known to be the first. */
static void test_unknown_after_syn(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = rig_conn4(++port, 22), syn = c;

	(void)state;
	syn.f.tcp_flags = TCP_SYN;
	rig_tcp(r, &syn, 0, span_of(NULL, 0));
	assert_int_equal(rig_tcp(r, &c, 1, span_str("SSH-2.0-x\r\n")).state, STATE_ALLOWED);
	rig_free(r);
}

/* ---- DNS over TCP ---- */

static void dns_message(const char *name)
{
	static struct bytes one;

	one.n = 0;
	bytes_dns_query(&one, 7, name, 1);
	bytes_block(&msg, 2, bytes_span(&one));
}

static void test_dns_tcp(void **state)
{
	static const struct {
		const char *what, *names[4];
		bool        drop;
	} rows[] = {
		{ "listed", { "www.listed.example" }, true },
		{ "another name", { "www.other.example" }, false },
		{ "two other names", { "a.other.example", "b.other.example" }, false },
		{ "the second listed", { "a.other.example", "www.listed.example" }, true },
		{ "the last of three listed",
		  { "a.other.example", "b.other.example", "listed.example" },
		  true },
		{ "the first listed", { "listed.example", "a.other.example" }, true },
	};
	struct rig *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		msg.n = 0;
		for (unsigned n = 0; n < 4 && rows[i].names[n]; n++)
			dns_message(rows[i].names[n]);
		for (size_t cut = 0; cut < msg.n; cut++) {
			struct rig_conn c = rig_conn4(++port, 53);
			unsigned        events = r->n_events;
			struct verdict  a = rig_tcp(r, &c, 0, span_of(msg.p, cut)), b;

			if (a.drop) {
				b = a;
			} else {
				same_num(rows[i].what, "state", a.state, STATE_UNDECIDED);
				b = rig_tcp(r, &c, cut, span_of(msg.p + cut, msg.n - cut));
			}
			if (b.drop != rows[i].drop || b.state != STATE_UNDECIDED)
				fail_msg("%s, cut at %zu: drop %d, state %d", rows[i].what, cut,
					 b.drop, b.state);
			same_num(rows[i].what, "events", r->n_events - events, rows[i].drop);
			if (rows[i].drop) /* the answer with the end of the connection, and the
					     reset */
				same_num(rows[i].what, "packets of ours", r->p.inject.n, 2);
		}
	}
	rig_free(r);
}

/* Each of many queries on one connection, in segments of every kind. */
static void test_dns_tcp_long_connection(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = rig_conn4(++port, 53);
	size_t          at = 0;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		size_t cut;

		msg.n = 0;
		dns_message("www.other.example");
		cut = i % msg.n;
		r->now += 10 * NS_PER_S;
		assert_int_equal(rig_tcp(r, &c, at, span_of(msg.p, cut)).state, STATE_UNDECIDED);
		if (i % 3 == 0) /* a retransmission */
			rig_tcp(r, &c, at, span_of(msg.p, cut));
		assert_int_equal(rig_tcp(r, &c, at + cut, span_of(msg.p + cut, msg.n - cut)).state,
		                 STATE_UNDECIDED);
		at += msg.n;
	}
	assert_int_equal(rig_count(r, COUNT_names), 40);
	msg.n = 0;
	dns_message("www.listed.example");
	assert_false(rig_tcp(r, &c, at + 5, span_of(msg.p + 5, msg.n - 5)).drop);
	assert_true(rig_tcp(r, &c, at, span_of(msg.p, 5)).drop);
	assert_true(rig_tcp(r, &c, at, bytes_span(&msg)).drop); /* sent again */
	assert_int_equal(r->n_events, 1);
	rig_free(r);
}

/* ---- exceptions: counted, and passed ---- */

static void test_exc_decode(void **state)
{
	struct rig *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	assert_int_equal(rig_raw(r, span_str("rubbish"), LINK_IP, false).state, STATE_UNDECIDED);
	assert_int_equal(rig_raw(r, span_str(""), LINK_IP, false).state, STATE_UNDECIDED);
	assert_int_equal(rig_count(r, COUNT_fault_decode), 2);
	assert_int_equal(rig_count(r, COUNT_passed), 2);
	assert_int_equal(rig_count(r, COUNT_packets), 2);
	rig_free(r);
}

static void test_exc_parse(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn udp = rig_conn4(++port, 53), tcp = rig_conn4(++port, 443), syn;

	(void)state;
	assert_false(rig_udp(r, &udp, (struct span)LIT(Q "\300\14" A_IN)).drop);
	assert_int_equal(rig_count(r, COUNT_fault_parse), 1);
	syn = tcp; /* with which these bytes are known to be the first */
	syn.f.tcp_flags = TCP_SYN;
	rig_tcp(r, &syn, 0, span_of(NULL, 0));
	assert_int_equal(rig_tcp(r, &tcp, 1, (struct span)LIT("\26\3\1\0\4\1\0\0\0")).state,
			 STATE_ALLOWED);
	assert_int_equal(rig_count(r, COUNT_fault_parse), 2);
	rig_free(r);
}

static void test_exc_hello_size(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = rig_conn4(++port, 443);
	static uint8_t  filler[1000];
	uint8_t         state_of = STATE_UNDECIDED;
	size_t          at = 9;

	(void)state;
	memset(filler, 0xff, sizeof(filler)); /* lengths as large as they can be */
	rig_tcp(r, &c, 0, (struct span)LIT("\26\3\1\100\0\1\377\377\377"));
	for (; at < 20000 && state_of == STATE_UNDECIDED; at += sizeof(filler))
		state_of = rig_tcp(r, &c, at, span_of(filler, sizeof(filler))).state;
	assert_int_equal(state_of, STATE_ALLOWED);
	assert_in_range(at, 16000, 18000);
	assert_true(rig_count(r, COUNT_fault_hello_size) + rig_count(r, COUNT_fault_parse) == 1);
	rig_free(r);
}

static void test_exc_flows_full(void **state)
{
	struct rig *r = rig_with((struct rig_conf){ .flows = 4 });

	(void)state;
	make_message(0, "www.other.example");
	for (unsigned i = 0; i < 10; i++) {
		struct rig_conn c = rig_conn4(++port, 443);

		assert_int_equal(rig_tcp(r, &c, 0, bytes_span(&msg)).state, STATE_ALLOWED);
	}
	assert_int_equal(rig_count(r, COUNT_fault_flows_full), 6);
	rig_free(r);
}

static void test_exc_stream_full(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ .streams = 2 });
	struct rig_conn c[3];

	(void)state;
	make_message(0, "www.listed.example");
	for (unsigned i = 0; i < 3; i++) {
		c[i] = rig_conn4(++port, 443);
		assert_int_equal(rig_tcp(r, &c[i], 0, span_of(msg.p, 50)).state, STATE_UNDECIDED);
	}
	assert_int_equal(rig_count(r, COUNT_fault_streams_full), 1);
	for (unsigned i = 0; i < 3; i++) /* what came last before it goes */
		assert_int_equal(rig_tcp(r, &c[i], 50, span_of(msg.p + 50, msg.n - 50)).state,
				 i == 1 ? STATE_UNDECIDED : STATE_REJECTED);
	rig_free(r);
}

/* A client that uses up its share is not let go for it: what is left of the message decides nothing, and
 * the next one on the connection is read. */
static void test_lost_beginning(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ .streams = 1 });
	struct rig_conn lost = rig_conn4(++port, 443), other = rig_conn6(++port, 443);
	static uint8_t  rest[3000];
	size_t          at = 50;

	(void)state;
	memset(rest, 0x81, sizeof(rest));
	make_message(0, "www.listed.example");
	rig_tcp(r, &lost, 0, span_of(msg.p, at));
	rig_tcp(r, &other, 0, span_of(msg.p, at));
	assert_int_equal(rig_count(r, COUNT_fault_streams_full), 1);
	for (unsigned i = 0; i < 40; i++, at += sizeof(rest))
		assert_int_equal(rig_tcp(r, &lost, at, span_of(rest, sizeof(rest))).state, STATE_UNDECIDED);
	assert_int_equal(rig_tcp(r, &lost, at, bytes_span(&msg)).state, STATE_REJECTED);
	rig_free(r);
}

static void test_exc_cut(void **state)
{
	struct rig     *r = rig_with((struct rig_conf){ 0 });
	struct rig_conn c = rig_conn4(++port, 53);
	uint8_t         packet[200];
	size_t n = forge_udp(&c.f, (struct span)LIT(Q LISTED A_IN), packet, sizeof(packet));

	(void)state;
	assert_false(rig_raw(r, span_of(packet, n - 12), LINK_IP, true).drop);
	assert_int_equal(rig_count(r, COUNT_fault_cut), 1);
	rig_free(r);
}

/* What is passed by default is dropped when the site says so: the packet, or the connection. */
static void test_exception_policies(void **state)
{
	static const struct {
		const char    *what;
		enum fault exception;
		enum counter   counter;
		uint16_t       port;
		struct span    first;
		bool           repeated; /* until it is too much */
		uint8_t        state;    /* when dropped */
	} rows[] = {
		{ "a damaged query", FAULT_parse, COUNT_fault_parse, 53, LIT("\0\16" Q "\77a"), false,
		  STATE_UNDECIDED },
		{ "a hello without an end", FAULT_hello_size, COUNT_fault_hello_size, 443,
		  LIT("\26\3\1\77\377\1\1\0\0"), true, STATE_DROPPED },
	};
	static uint8_t filler[1000];

	(void)state;
	memset(filler, 0xff, sizeof(filler));
	for (size_t i = 0; i < 2 * N_OF(rows); i++) {
		bool        drop = i % 2;
		struct rig *r = rig_with(
			(struct rig_conf){ .drop = drop ? 1U << rows[i / 2].exception : 0 });
		struct rig_conn c = rig_conn4(++port, rows[i / 2].port);
		struct verdict  v = rig_tcp(r, &c, 0, rows[i / 2].first);

		for (size_t at = rows[i / 2].first.n;
		     rows[i / 2].repeated && at < 20000 && v.state == STATE_UNDECIDED; at += 1000)
			v = rig_tcp(r, &c, at, span_of(filler, 1000));
		same_num(rows[i / 2].what, "drop", v.drop, drop);
		same_num(rows[i / 2].what, "count", (long long)rig_count(r, rows[i / 2].counter), 1);
		if (drop)
			same_num(rows[i / 2].what, "state", v.state, rows[i / 2].state);
		rig_free(r);
	}
}

/* ---- several requests, and what a server answers ---- */

static struct verdict request(struct rig *r, const struct rig_conn *c, size_t *at, const char *text)
{
	struct verdict v = rig_tcp(r, c, *at, span_str(text));

	*at += strlen(text);
	return v;
}

#define GET(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"
#define PUT(host, field) "PUT / HTTP/1.1\r\nHost: " host "\r\n" field "\r\n\r\n"

static void test_requests(void **state)
{
	static const struct {
		const char *what, *first, *second;
		uint8_t     one, two; /* states */
	} rows[] = {
		{ "another host", GET("www.other.example"), GET("www.listed.example"), STATE_UNDECIDED,
		  STATE_REJECTED },
		{ "a long body", PUT("www.other.example", "Content-Length: 65537"), "x", STATE_ALLOWED,
		  STATE_ALLOWED },
		{ "a body in chunks", PUT("www.other.example", "Transfer-Encoding: chunked"),
		  "1\r\nx\r\n0\r\n\r\n" GET("www.listed.example"), STATE_UNDECIDED, STATE_REJECTED },
		{ "half a body in chunks", PUT("www.other.example", "Transfer-Encoding: chunked") "3\r\nx",
		  "yz\r\n0\r\n\r\n" GET("www.listed.example"), STATE_UNDECIDED, STATE_REJECTED },
		{ "a long body in chunks", PUT("www.other.example", "Transfer-Encoding: chunked"), "10001\r\n",
		  STATE_UNDECIDED, STATE_ALLOWED },
		{ "no chunks", PUT("www.other.example", "Transfer-Encoding: chunked"), "body\r\n", STATE_UNDECIDED,
		  STATE_ALLOWED },
		{ "a request in a chunk", PUT("www.other.example", "Transfer-Encoding: chunked"),
		  "2d\r\n" GET("www.listed.example") "\r\n", STATE_UNDECIDED, STATE_UNDECIDED },
		{ "a short body", PUT("www.other.example", "Content-Length: 4"),
		  "body" GET("www.listed.example"), STATE_UNDECIDED, STATE_REJECTED },
		{ "a body that looks like a request",
		  PUT("www.other.example", "Content-Length: 45"), GET("www.listed.example"),
		  STATE_UNDECIDED, STATE_UNDECIDED },
		{ "something else", GET("www.other.example"), "\1\2\3 what", STATE_UNDECIDED,
		  STATE_ALLOWED },
		{ "SOCKS", "\5\1\1\5\1\1", "", STATE_UNDECIDED, STATE_UNDECIDED },
	};
	struct rig *r = rig_with((struct rig_conf){ 0 });

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rig_conn c = rig_conn4(++port, 80);
		size_t          at = 0;

		same_num(rows[i].what, "first", request(r, &c, &at, rows[i].first).state, rows[i].one);
		same_num(rows[i].what, "second", request(r, &c, &at, rows[i].second).state,
			 rows[i].two);
	}
	struct rig_conn c = rig_conn4(++port, 80);
	size_t          at = 0;

	for (unsigned i = 1; i < 64; i++)
		same_num("one of many", "state", request(r, &c, &at, GET("www.other.example")).state,
		         STATE_UNDECIDED);
	same_num("the 64th", "state", request(r, &c, &at, GET("www.other.example")).state, STATE_ALLOWED);
	same_num("one behind it", "state", request(r, &c, &at, GET("www.listed.example")).state,
	         STATE_REJECTED);
	rig_free(r);
}

/* A hello without a name, then what the server says to it. Certificates: tests/replay. */
static void test_want_replies(void **state)
{
	static const char  hello13[] = "\26\3\3\0\64\2\0\0\60\3\3aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0\23\1\0"
				       "\0\10\0\53\0\2\3\4\0\0";
	static const struct {
		const char *what;
		struct span answer;
		uint8_t     state;
		uint64_t    exceptions;
	} rows[] = {
		{ "another protocol", LIT("HTTP/1.0 400 Bad Request\r\n"), STATE_ALLOWED, 0 },
		{ "half a record", LIT("\26\3\3\0\64\2\0\0"), STATE_UNDECIDED, 0 },
		{ "TLS 1.3", LIT(hello13), STATE_ALLOWED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct rig     *r = rig_with((struct rig_conf){ 0 });
		struct rig_conn c = rig_conn4(++port, 443), s = c;

		make_message(0, NULL);
		same_num(rows[i].what, "hello", rig_tcp(r, &c, 0, bytes_span(&msg)).state,
			 STATE_WANT_REPLIES);
		s.f.src = c.f.dst;
		s.f.dst = c.f.src;
		s.f.sport = 443;
		s.f.dport = c.f.sport;
		s.f.seq = c.f.ack;
		same_num(rows[i].what, "answer", rig_tcp(r, &s, 0, rows[i].answer).state,
			 rows[i].state);
		same_num(rows[i].what, "client behind it",
			 rig_tcp(r, &c, msg.n, span_str("more")).state, rows[i].state);
		same_num(rows[i].what, "exceptions", (long long)rig_count(r, COUNT_fault_certificate),
			 (long long)rows[i].exceptions);
		rig_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_udp),
		cmocka_unit_test(test_dns_one_socket),
		cmocka_unit_test(test_answer_udp),
		cmocka_unit_test(test_answer_tcp),
		cmocka_unit_test(test_answer_on_its_way),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_every_cut_in_two),
		cmocka_unit_test(test_one_byte_segments),
		cmocka_unit_test(test_small_segments),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_different_overlap),
		cmocka_unit_test(test_ports_and_families),
		cmocka_unit_test(test_decision_stays),
		cmocka_unit_test(test_ports_of_half_a_message), cmocka_unit_test(test_second_hello),
		cmocka_unit_test(test_decoys),
		cmocka_unit_test(test_syn_begins_anew),
		cmocka_unit_test(test_fast_open),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_reset_number),
		cmocka_unit_test(test_mode_log),
		cmocka_unit_test(test_events_all),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_unknown_protocol),
		cmocka_unit_test(test_unknown_after_syn),
		cmocka_unit_test(test_dns_tcp),
		cmocka_unit_test(test_dns_tcp_long_connection),
		cmocka_unit_test(test_exception_policies),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_want_replies),
		cmocka_unit_test(test_exc_decode),
		cmocka_unit_test(test_exc_parse),
		cmocka_unit_test(test_exc_hello_size),
		cmocka_unit_test(test_exc_flows_full),
		cmocka_unit_test(test_exc_stream_full),
		cmocka_unit_test(test_lost_beginning),
		cmocka_unit_test(test_exc_cut),
	};

	return cmocka_run_group_tests(tests, write_pack, remove_pack);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose question it is: what passes on behalf of a client, and what does not: another name or type, a later time, a
 * program that is not the resolver, a client that may not ask. What comes back is learned from by nobody.
 */
#include "errand.h"

#include <unistd.h>

#include "base/diag.h"
#include "rig.h"
#include "unit.h"

#define Q      "\22\64\1\0\0\1\0\0\0\0\0\0"
#define R      "\22\64\201\200\0\1\0\1\0\0\0\0"
#define NAME   "\1a\1b\6listed\7example\0"
#define ABOVE  "\1b\6listed\7example\0"
#define HIDDEN "\1_\1b\6listed\7example\0"
#define SECOND "\6second\7example\0"
#define A_IN   "\0\1\0\1"
#define AAAA   "\0\34\0\1"
#define TXT    "\0\20\0\1"
#define A_RR   "\300\14\0\1\0\1\0\0\1\54\0\4\313\0\161\120"
#define CNAME  "\300\14\0\5\0\1\0\0\1\54\0\20" SECOND

static const char text[] =
	"rules: [%s]\n"
	"policies:\n"
	"  - {name: mine, clients: [10.1.0.2], match: {packs: [test], categories: [update]}, action: log}\n"
	"  - {name: all, action: reject}\n"
	"exceptions:\n"
	"  - {name: e, names: [a.b.listed.example], clients: [10.1.0.4], owner: o, reason: r, expires: %s}\n";
static const char pack[] = "pack: test\nvendor: Test\nversion: 2026.11.23.1\n"
			   "sources: [{id: s, title: t}]\n"
			   "stages: [{id: now, from: 1990-01-01, action: block, basis: site, citation: c}]\n"
			   "entries:\n"
			   "  - {id: one, names: [.listed.example], category: update, sources: [s], confidence: high, side_effect: none}\n"
			   "  - {id: two, names: [second.example], category: telemetry, sources: [s], confidence: high, side_effect: none}\n";

static char     folder[] = "/tmp/nfqd-test-XXXXXX", pack_path[64], conf_path[64];
static uint16_t sport = 1024;

struct lab {
	struct rig     *r;
	struct errands *errands;
	int             whose; /* enum errand_state, of whatever socket is asked about */
	unsigned        asked;
	uint16_t        port[ERRAND_PORTS];
};

static struct lab lab;

static int whose(void *ctx, const struct packet *pkt, const uint16_t port[], const struct addr *client)
{
	(void)ctx, (void)pkt, (void)client;
	lab.asked++;
	memcpy(lab.port, port, sizeof(lab.port));
	return lab.whose;
}

static void silent(enum diag_level level, const char *token, const char *what)
{
	(void)level, (void)token, (void)what;
}

static void write_text(const char *path, const char *what)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(what, f);
	assert_int_equal(fclose(f), 0);
}

static int prepare(void **state)
{
	char    conf[1024], soon[CLOCK_TEXT];
	int64_t now = INT64_C(1800000000) + 86400;

	(void)state;
	diag_register(silent);
	assert_non_null(mkdtemp(folder));
	snprintf(pack_path, sizeof(pack_path), "%s/pack.yaml", folder);
	snprintf(conf_path, sizeof(conf_path), "%s/nfqd.yaml", folder);
	clock_text_iso(now, soon);
	snprintf(conf, sizeof(conf), text, pack_path, soon);
	write_text(pack_path, pack);
	write_text(conf_path, conf);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	unlink(pack_path);
	unlink(conf_path);
	return rmdir(folder);
}

static void begin(int owner)
{
	struct err err = { .text = "" };

	lab = (struct lab){ .whose = owner, .errands = calloc(1, sizeof(struct errands)) };
	lab.r = rig_new(&(struct rig_conf){ .file = conf_path }, &err);
	if (!lab.r || !lab.errands)
		fail_msg("%s", err.text);
	lab.r->p.errands = lab.errands;
	lab.r->p.whose = whose;
}

static void end(void)
{
	rig_free(lab.r);
	free(lab.errands);
}

/* One datagram between a client or this host (10.1.0.1) and a resolver. */
static struct verdict datagram(uint8_t from, uint32_t ifin, uint16_t port, struct span msg)
{
	static uint8_t    packet[512];
	struct rig_conn   c = rig_conn4(++sport, port);
	struct raw_packet raw = { .link = LINK_IP, .ts = lab.r->now, .ifin = ifin };

	c.f.src.b[3] = from;
	raw.data = span_of(packet, forge_udp(&c.f, msg, packet, sizeof(packet)));
	lab.r->p.inject.n = 0;
	return pipeline_packet(&lab.r->p, &raw);
}

static struct verdict client(uint8_t from, struct span msg) { return datagram(from, 3, 53, msg); }
static struct verdict host(struct span msg) { return datagram(1, 0, 53, msg); }

/* An answer on its way in, to this host. */
static struct verdict answer(struct span msg)
{
	static uint8_t    packet[512];
	struct rig_conn   c = rig_conn4(53, sport);
	struct raw_packet raw = { .link = LINK_IP, .ts = lab.r->now, .ifin = 2 };
	struct addr       a = c.f.src;

	c.f.src = c.f.dst;
	c.f.dst = a;
	c.f.dst.b[3] = 1;
	raw.data = span_of(packet, forge_udp(&c.f, msg, packet, sizeof(packet)));
	return pipeline_packet(&lab.r->p, &raw);
}

static unsigned watched;

static void count_watched(void *ctx, const struct addr *a, uint32_t left)
{
	(void)ctx, (void)a, (void)left;
	watched++;
}

/* ---- the question ---- */

static void test_question(void **state)
{
	static const struct {
		const char *what;
		uint8_t     from; /* who asked for NAME, A */
		int         after; /* seconds */
		int         whose;
		struct span msg;
		bool        drop;
		unsigned    asked; /* about sockets */
	} rows[] = {
		{ "when the clock was set back by an hour", 2, -3600, ERRAND_PASSES, LIT(Q NAME A_IN), true, 0 },
		{ "the same", 2, 0, ERRAND_PASSES, LIT(Q NAME A_IN), false, 1 },
		{ "likewise, by an exception", 4, 0, ERRAND_PASSES, LIT(Q NAME A_IN), false, 1 },
		{ "as long as a client waits", 2, 5, ERRAND_PASSES, LIT(Q NAME A_IN), false, 1 },
		{ "later", 2, 6, ERRAND_PASSES, LIT(Q NAME A_IN), true, 0 },
		{ "of a client that is refused", 3, 0, ERRAND_PASSES, LIT(Q NAME A_IN), true, 0 },
		{ "another type", 2, 0, ERRAND_PASSES, LIT(Q NAME AAAA), true, 0 },
		{ "another name", 2, 0, ERRAND_PASSES, LIT(Q SECOND A_IN), true, 0 },
		{ "one above it", 2, 0, ERRAND_PASSES, LIT(Q ABOVE A_IN), false, 1 },
		{ "one above it, of a type that no walk asks for", 2, 0, ERRAND_PASSES, LIT(Q ABOVE TXT), true, 0 },
		{ "one above it, as some resolvers ask", 4, 0, ERRAND_PASSES, LIT(Q HIDDEN A_IN), false, 1 },
		{ "by another program", 2, 0, ERRAND_NONE, LIT(Q NAME A_IN), true, 1 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct verdict v;

		begin(rows[i].whose);
		assert_int_equal(client(rows[i].from, (struct span)LIT(Q NAME A_IN)).drop, rows[i].from == 3);
		lab.r->now += (uint64_t)((int64_t)rows[i].after * (int64_t)NS_PER_S);
		lab.r->n_events = 0;
		v = host(rows[i].msg);
		same_num(rows[i].what, "drop", v.drop, rows[i].drop);
		same_num(rows[i].what, "asked", lab.asked, rows[i].asked);
		same_num(rows[i].what, "records", lab.r->n_events, 1);
		same_num(rows[i].what, "client", lab.r->events[0].client.addr.b[3], rows[i].drop ? 0 : rows[i].from);
		same_num(rows[i].what, "counted", (long long)rig_count(lab.r, COUNT_errands), !rows[i].drop);
		end();
	}
}

/* What is not known in time is neither refused, which a cache would keep, nor let pass. */
static void test_unknown(void **state)
{
	struct verdict v;

	(void)state;
	begin(ERRAND_UNKNOWN);
	client(2, (struct span)LIT(Q NAME A_IN));
	v = host((struct span)LIT(Q NAME A_IN));
	assert_true(v.drop);
	assert_int_equal(lab.r->p.inject.n, 0);
	assert_int_equal(lab.r->n_events, 1);
	assert_int_equal(rig_count(lab.r, COUNT_errands_unknown), 1);
	lab.whose = ERRAND_PASSES;
	assert_false(host((struct span)LIT(Q NAME A_IN)).drop);
	end();
}

/* A resolver that asks another one on this host, on a port of its own. */
static void test_chain(void **state)
{
	(void)state;
	begin(ERRAND_PASSES);
	client(2, (struct span)LIT(Q NAME A_IN));
	assert_false(datagram(1, 0, 5335, (struct span)LIT(Q NAME A_IN)).drop);
	assert_false(host((struct span)LIT(Q NAME A_IN)).drop);
	assert_int_equal(lab.port[0], 53);
	assert_int_equal(lab.port[1], 5335);
	end();
}

/* A neighbour's flood of other names does not make this one pass; what it costs is refused. */
static void test_flood(void **state)
{
	char wire[] = Q "\10aaaaaaaa\6listed\7example\0" A_IN;

	(void)state;
	begin(ERRAND_PASSES);
	for (unsigned i = 0; i < 20 * ERRANDS_SLOTS; i++) {
		for (unsigned k = 0; k < 5; k++)
			wire[13 + k] = (char)('a' + (i >> 4 * k & 15));
		client(2, span_of(wire, sizeof(wire) - 1));
	}
	assert_true(host((struct span)LIT(Q NAME A_IN)).drop);
	client(2, (struct span)LIT(Q NAME A_IN));
	assert_false(host((struct span)LIT(Q NAME A_IN)).drop);
	end();
}

/* The resolver is another machine: what it asks is refused, and recorded as the client's. */
static void test_elsewhere(void **state)
{
	(void)state;
	begin(ERRAND_PASSES);
	client(2, (struct span)LIT(Q NAME A_IN));
	assert_true(client(9, (struct span)LIT(Q NAME A_IN)).drop);
	assert_int_equal(lab.r->events[1].client.addr.len, 0);
	/* 203.0.113.5, whom rig_conn4() asks, asks in turn */
	struct rig_conn   c = rig_conn4(++sport, 53);
	uint8_t           packet[200];
	struct raw_packet raw = { .link = LINK_IP, .ts = lab.r->now, .ifin = 4 };

	c.f.src = c.f.dst;
	c.f.dst.b[3] = 77;
	raw.data = span_of(packet, forge_udp(&c.f, (struct span)LIT(Q NAME A_IN), packet, sizeof(packet)));
	assert_true(pipeline_packet(&lab.r->p, &raw).drop);
	assert_int_equal(lab.r->events[2].client.addr.b[3], 2);
	end();
}

/* Two questions in one datagram, of two clients: each record names its own. One that nobody asked for refuses both, and
 * a client that puts one that it may ask beside one that it may not begins no errand. */
static void test_two_questions(void **state)
{
#define TWO "\22\64\1\0\0\2\0\0\0\0\0\0"
	(void)state;
	begin(ERRAND_PASSES);
	client(2, (struct span)LIT(Q ABOVE A_IN));
	client(4, (struct span)LIT(Q NAME A_IN));
	lab.r->n_events = 0;
	assert_false(host((struct span)LIT(TWO ABOVE A_IN NAME A_IN)).drop);
	assert_int_equal(lab.r->n_events, 2);
	assert_int_equal(lab.r->events[0].client.addr.b[3], 2);
	assert_int_equal(lab.r->events[1].client.addr.b[3], 4);
	assert_true(host((struct span)LIT(TWO NAME A_IN NAME AAAA)).drop); /* nobody asked for the second */
	lab.r->n_events = 0;
	assert_true(host((struct span)LIT(TWO ABOVE A_IN SECOND A_IN)).drop);
	assert_int_equal(lab.r->n_events, 2);
	assert_int_equal(lab.r->events[0].client.addr.b[3], 2);
	assert_int_equal(lab.r->events[1].client.addr.len, 0);
	end();
	begin(ERRAND_PASSES);
	assert_true(client(2, (struct span)LIT(TWO NAME A_IN SECOND A_IN)).drop);
	assert_true(host((struct span)LIT(Q NAME A_IN)).drop);
	assert_true(host((struct span)LIT(Q SECOND A_IN)).drop);
	end();
}

/* ---- the answer ---- */

static void test_answer(void **state)
{
	static const struct {
		const char *what;
		unsigned    after;
		struct span msg;
		uint8_t     from;
		bool        second; /* may the resolver ask for it next? */
	} rows[] = {
		{ "addresses", 0, LIT(R NAME A_IN A_RR), 2, false },
		{ "late", 9, LIT(R NAME A_IN A_RR), 2, false },
		{ "an alias, where the policy only logs the name", 0, LIT(R NAME A_IN CNAME), 2, false },
		{ "an alias of an excepted name", 0, LIT(R NAME A_IN CNAME), 4, true },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct verdict v;

		begin(ERRAND_PASSES);
		client(rows[i].from, (struct span)LIT(Q NAME A_IN));
		assert_false(host((struct span)LIT(Q NAME A_IN)).drop);
		lab.r->now += (uint64_t)rows[i].after * NS_PER_S;
		lab.r->n_events = 0;
		v = answer(rows[i].msg);
		same_num(rows[i].what, "passes", v.drop || v.replaced.n, false);
		same_num(rows[i].what, "records", lab.r->n_events, 0);
		watched = 0;
		watch_each(&lab.r->watch, lab.r->now, count_watched, NULL);
		same_num(rows[i].what, "watched", watched, 0);
		same_num(rows[i].what, "leads on", !host((struct span)LIT(Q SECOND A_IN)).drop, rows[i].second);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question), cmocka_unit_test(test_unknown), cmocka_unit_test(test_chain),
		cmocka_unit_test(test_flood), cmocka_unit_test(test_elsewhere), cmocka_unit_test(test_two_questions), cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}

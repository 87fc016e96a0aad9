/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The n-th allocation fails, for n growing until everything goes well: reading a configuration
 * and its packs, a reload of a running parent, its control requests, and the way of packets. Each
 * time the failure is said, what was running runs on, and nothing is leaked.
 */
#include "oom.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/diag.h"
#include "hello.h"
#include "log/sink.h"
#include "parent/parent_private.h"
#include "rig.h"
#include "unit.h"

static const char pack_text[] =
	"pack: test\nvendor: Test\ntitle: Names for tests\nversion: 2026.11.23.1\n"
	"expires: 2099-01-01\nlicense: CC0-1.0\n"
	"sources:\n  - {id: s, title: t, url: \"https://example.com/\", publisher: p, "
	"retrieved: 2026-11-23}\n"
	"stages:\n  - {id: now, from: 1990-01-01T00:00:00Z, action: block, basis: site, "
	"citation: test}\n"
	"entries:\n  - {id: listed, names: [.listed.example, \"s[1-9].range.example\"], "
	"names-file: names.txt, category: update, sources: [s], confidence: high, "
	"ports: [tcp/443, udp], products: [x], side_effect: none}\n"
	"nets:\n  - {cidr: 198.51.100.0/24, asn: 64496, category: update, sources: [s], "
	"confidence: high, side_effect: none}\n"
	"tests:\n  match: [listed.example]\n  no_match: [example]\n";
static const char conf_text[] =
	"rules: [pack.yaml]\n"
	"inspect: {inside: [lan0, 10.0.0.0/8], queues: 1}\n"
	"policies:\n"
	"  - {name: lab, clients: [10.20.0.0/16], match: {packs: [test], categories: [update], "
	"ports: [tcp/443]}, action: log, dns: nodata}\n"
	"  - {name: all, match: {packs: [test]}, action: stage}\n"
	"exceptions:\n  - {name: x, names: [free.listed.example], owner: o, reason: r, "
	"expires: 2027-03-01}\n"
	"state: state.json\n"
	"log: {events: all, outputs: [{type: text, path: \"-\"}]}\n";

/* in memory: a state file is synced to its disk, thousands of times here */
static char folder[] = "/dev/shm/nfqd-oom-XXXXXX";

static void silent(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token, (void)text;
}

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
	(void)state;
	diag_register(silent);
	json_set_alloc_funcs(malloc, free); /* ours, under a sanitizer, too */
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	write_text("pack.yaml", pack_text);
	write_text("names.txt", "a.example\n.b.example\n# none\nc*.example\n");
	write_text("nfqd.yaml", conf_text);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"pack.yaml", "names.txt", "nfqd.yaml", "state.json",
					    "state.json.new"};

	(void)state;
	for (size_t i = 0; i < N_OF(names); i++)
		unlink(names[i]);
	return chdir("/") < 0 || rmdir(folder) < 0;
}

/* ---- the sweep ----------------------------------------------------------------------------- */

struct sweep {
	void *(*prepare)(void);     /* may be NULL; nothing fails in it */
	int (*run)(void *prepared); /* 0; -1: it failed, and said so */
	void (*end)(void *prepared);
};

/* Each of the first hundred allocations, then ever fewer: all of them take minutes, and are for a night
 * (NFQD_OOM_ALL=1). */
static long next(long n)
{
	return n < 100 || getenv("NFQD_OOM_ALL") ? n + 1 : n + 1 + n / 40;
}

/* Returns how many allocations the run makes, about. The first time, none fails: libc fills what it keeps.
 */
static long sweep(const struct sweep *s)
{
	for (long n = 0;; n = next(n)) {
		long  before = oom_live;
		void *x = s->prepare ? s->prepare() : NULL;
		bool  failed;
		int   r;

		oom_begin(n);
		r = s->run(x);
		failed = oom_end();
		if (s->end)
			s->end(x);
		if (r < 0 && !failed)
			fail_msg("allocation %ld: failed without need", n);
		if (n > 0 && oom_leaked(before) != 0 && !oom_excused)
			fail_msg("allocation %ld: %ld blocks leaked", n, oom_leaked(before));
		if (n > 0 && !failed)
			return n - 1;
	}
}

/* ---- load ---------------------------------------------------------------------------------- */

static int load(void *none)
{
	struct err    err = { .text = "" };
	struct conf  *c = conf_load("nfqd.yaml", &err);
	struct image *img = NULL;
	int           r = c ? conf_compile(c, &img, &err) : -1;

	(void)none;
	if (r < 0 && !err.text[0])
		fail_msg("it failed without a word");
	if (r == 0 && !image_check(img, (size_t)img->size))
		fail_msg("it did not fail, and the image is damaged");
	free(img);
	conf_free(c);
	return r;
}

static void test_load(void **state)
{
	const struct sweep s = { .run = load };

	(void)state;
	assert_true(sweep(&s) > 50);
}

/* ---- reload -------------------------------------------------------------------------------- */

static void *parent_new(void)
{
	struct err     err = { .text = "" };
	struct parent *p = calloc(1, sizeof(*p));

	*p = (struct parent){ .worker = -1, .mode = -1, .mode_timer = -1, .signals = -1,
		              .learned = -1, .answer_names = -1, .ask_names = -1 };
	p->shared = shared_new();
	p->boot = p->conf = conf_load("nfqd.yaml", &err);
	if (!p->conf)
		fail_msg("%s", err.text);
	unlink(p->conf->state);
	state_open(&p->state, p->conf->state);
	p->in.rules = parent_build_rules(p, p->conf, NULL, &p->img, &err);
	if (p->in.rules < 0)
		fail_msg("%s", err.text);
	p->generation = 1;
	return p;
}

static void parent_end(void *ctx)
{
	struct parent *p = ctx;

	close(p->in.rules);
	image_unmap(p->img);
	if (p->conf != p->boot)
		conf_free(p->conf);
	conf_free(p->boot);
	state_fini(&p->state);
	json_decref(p->changes);
	munmap(p->shared, sizeof(*p->shared));
	free(p);
}

/* The rules in force judge as before, whichever they are. */
static void check_rules(const struct parent *p)
{
	struct ruleset rs;

	assert_true(image_check(p->img, (size_t)p->img->size));
	ruleset_open(&rs, p->img);
	assert_int_equal(rs.n_packs, 2); /* the canary's, too */
	assert_true(p->conf->n_policies == 2 && strcmp(p->conf->policies[1].name, "all") == 0);
}

static int reload(void *ctx)
{
	struct parent *p = ctx;
	struct err     err = { .text = "" };
	uint64_t       before = p->generation;
	int            r = parent_reload(p, &err);

	if (r < 0 && !err.text[0])
		fail_msg("it failed without a word");
	if (p->generation != before + (r == 0))
		fail_msg("generation %d, the reload returned %d", (int)p->generation, r);
	oom_left = 0;
	check_rules(p);
	return r;
}

static void test_reload(void **state)
{
	const struct sweep s = {parent_new, reload, parent_end};

	(void)state;
	assert_true(sweep(&s) > 50);
}

static int rebuild(void *ctx)
{
	struct parent *p = ctx;
	struct err     err = { .text = "" };
	uint64_t       before = p->generation;
	int            r = parent_rebuild(p, &err);

	if (r < 0 && (!err.text[0] || p->generation != before))
		fail_msg("it failed without a word, or in part");
	oom_left = 0;
	check_rules(p);
	return r;
}

static void test_rebuild(void **state)
{
	const struct sweep s = {parent_new, rebuild, parent_end};

	(void)state;
	assert_true(sweep(&s) > 5);
}

/* ---- control requests ---------------------------------------------------------------------- */

static const char *question; /* of this sweep */

static int ask(void *ctx)
{
	struct parent *p = ctx;
	struct err     err = { .text = "" };
	json_t        *request = json_loads(question, 0, NULL), *answer = NULL;
	const char    *word = json_string_value(json_object_get(request, "command"));

	for (unsigned i = 0; word && i < parent_n_commands; i++)
		if (strcmp(parent_commands[i].word, word) == 0)
			answer = parent_commands[i].run(p, request, &err);
	json_decref(request);
	json_decref(answer);
	oom_left = 0;
	check_rules(p);
	return answer ? 0 : -1;
}

static void test_requests(void **state)
{
	static const char *const questions[] = {
		"{\"command\":\"why\",\"name\":\"a.listed.example\",\"client\":\"10.20.0.1\"}",
		"{\"command\":\"allow\",\"name\":\".listed.example\",\"for\":\"1h\",\"reason\":"
		"\"r\","
		"\"caller\":\"root\"}",
		"{\"command\":\"exceptions\"}",
		"{\"command\":\"mode\",\"mode\":\"log\",\"caller\":\"root\"}",
	};
	const struct sweep s = {parent_new, ask, parent_end};

	(void)state;
	for (size_t i = 0; i < N_OF(questions); i++) {
		question = questions[i];
		assert_true(sweep(&s) > 5);
	}
}

/* ---- packets ------------------------------------------------------------------------------- */

static struct ruleset rules;
static struct image  *image;

static void *pipeline_rules(void)
{
	struct err   err = { .text = "" };
	struct conf *c = conf_load("nfqd.yaml", &err);

	if (!c || conf_compile(c, &image, &err) < 0)
		fail_msg("%s", err.text);
	conf_free(c);
	ruleset_open(&rules, image);
	return calloc(1, sizeof(struct rig));
}

static void pipeline_end(void *ctx)
{
	free(ctx);
	free(image);
}

/* One packet, which lies in the caller's memory: the rig's own way would allocate. */
static void put(struct rig *r, const struct rig_conn *c, bool udp, size_t at, struct span data)
{
	static uint8_t    packet[2048];
	struct forge      f = c->f;
	struct raw_packet raw = { .ts = r->now, .link = LINK_IP };
	size_t            n;

	f.seq += (uint32_t)at;
	n = udp ? forge_udp(&f, data, packet, sizeof(packet))
		: forge_tcp(&f, data, packet, sizeof(packet));
	assert_true(n > 0);
	raw.data = span_of(packet, n);
	r->p.inject.n = 0;
	pipeline_packet(&r->p, &raw);
}

/* Listed and not, whole and in two parts, with an event each. */
static void send_all(struct rig *r)
{
	static struct bytes message;
	struct rig_conn     dns = rig_conn4(4000, 53), tls = rig_conn4(4001, 443),
			other = rig_conn4(4002, 443);
	struct span hello;

	message.n = 0;
	bytes_dns_query(&message, 1, "www.listed.example", 1);
	put(r, &dns, true, 0, bytes_span(&message));
	message.n = 0;
	hello_simple(&message, "www.listed.example", HELLO_13);
	hello = bytes_span(&message);
	put(r, &tls, false, hello.n / 2, span_of(hello.p + hello.n / 2, hello.n - hello.n / 2));
	put(r, &tls, false, 0, span_of(hello.p, hello.n / 2));
	message.n = 0;
	hello_simple(&message, "www.example", HELLO_13);
	put(r, &other, false, 0, bytes_span(&message));
	assert_true(rig_count(r, COUNT_rejected) == 2 && rig_count(r, COUNT_allowed) == 1);
	for (unsigned i = 0; i < r->n_events; i++) {
		static const struct identity id = { .host = "test" };
		struct record                rec = { .event = &r->events[i], .identity = &id };
		static char                  line[EVE_MAX];

		assert_true(eve_line(&rec, line, sizeof(line)) > 0);
	}
}

static int packets(void *ctx)
{
	struct rig *r = ctx;
	int         err;

	r->now = UINT64_C(1800000000) * NS_PER_S;
	r->p = (struct pipeline){ .rules = &rules, .count = &r->count, .watch = &r->watch,
		                  .asked = &r->asked, .emit = rig_emit, .emit_ctx = r };
	r->p.inject.fds = INJECTOR_NONE;
	err = pipeline_init(&r->p, 64, 8);
	if (err < 0)
		return -1;
	if (oom_end())
		fail_msg("an allocation failed, and nothing else");
	oom_begin(1); /* from here on nothing is asked for */
	send_all(r);
	if (oom_end())
		fail_msg("the packet path allocates");
	pipeline_fini(&r->p);
	return 0;
}

static void test_packets(void **state)
{
	const struct sweep s = {pipeline_rules, packets, pipeline_end};

	(void)state;
	assert_true(sweep(&s) > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),    cmocka_unit_test(test_reload),
		cmocka_unit_test(test_rebuild), cmocka_unit_test(test_requests),
		cmocka_unit_test(test_packets),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of watched addresses: what is learned, for how long, and what a full one forgets. (That one
 * unlisted name is enough to clear an address: tests/replay/42-answers.case.) */
#include "match/watch.h"

#include <netinet/in.h>

#include "base/clock.h"
#include "support.h"

enum { T0 = 1800000000 };

static char             *https[] = { "tcp/443" };
static char             *names[][1] = { { ".listed.example" }, { "shared.example" }, { "web.example" } };
static struct pack_entry entries[] = {
	{ .id = "listed", .names = names[0], .n_names = 1 },
	{ .id = "shared", .names = names[1], .n_names = 1, .shared = true },
	{ .id = "web", .names = names[2], .n_names = 1, .ports = https, .n_ports = 1 },
};
static struct pack   pack = { .id = "p", .path = "p", .entries = entries, .n_entries = N_OF(entries) };
static struct addr   resolver = { 4, { 9, 9, 9, 9 } };
static struct watch *w;
static struct ruleset rs;

static int set_up(void **state)
{
	*state = image_of((struct pack *[]){ &pack }, 1);
	ruleset_open(&rs, *state);
	w = calloc(1, sizeof(*w));
	if (w)
		watch_init(w);
	return w ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	free(w);
	return 0;
}

static struct addr nth(uint32_t i)
{
	return (struct addr){ 4, { 203, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };
}

static bool learn(const char *name, struct addr a, uint32_t ttl, uint32_t at_least, uint32_t seconds)
{
	struct names n = { .n = 1, .app = APP_DNS, .dns = { .n_addrs = 1, .addrs = { { a, ttl } } } };

	name_canonical(&n.v[0], span_str(name));
	return watch_learn(w, &rs, &n, &resolver, at_least, (T0 + (uint64_t)seconds) * NS_PER_S);
}

static bool is_watched(struct addr a, uint16_t port, uint32_t seconds)
{
	struct name  learned_for;
	struct match m;

	return watch_match(w, &rs, &a, IPPROTO_TCP, port, (T0 + (uint64_t)seconds) * NS_PER_S,
	                   &learned_for, &m);
}

static void test_how_long(void **state)
{
	static const struct {
		const char *what;
		uint32_t    ttl, at_least, last;
	} rows[] = {
		{ "as the answer says", 300, WATCH_MIN, 300 },
		{ "a minute at least", 1, WATCH_MIN, 60 },
		{ "until it is asked again", 300, 7200, 7200 },
		{ "a day at most", 1000000, WATCH_MIN, 86400 },
	};

	(void)state;
	for (uint32_t i = 0; i < N_OF(rows); i++) {
		assert_true(learn("a.listed.example", nth(i), rows[i].ttl, rows[i].at_least, 0));
		if (!is_watched(nth(i), 443, rows[i].last) || is_watched(nth(i), 443, rows[i].last + 1))
			fail_msg("%s", rows[i].what);
	}
}

static void test_news(void **state)
{
	(void)state;
	assert_true(learn("listed.example", nth(1), 300, WATCH_MIN, 0));
	assert_false(learn("listed.example", nth(1), 300, WATCH_MIN, 0));
	assert_false(learn("listed.example", nth(1), 300, WATCH_MIN, 5)); /* hardly longer */
	assert_true(is_watched(nth(1), 443, 305));
	assert_true(learn("listed.example", nth(1), 300, WATCH_MIN, 100));
	assert_false(learn("other.example", nth(1), 300, WATCH_MIN, 101));
	assert_false(is_watched(nth(1), 443, 102));
}

/* The A record and what DNS64 makes of it are one address; so are connections to either. */
static void test_translated(void **state)
{
	struct addr real = { 4, { 198, 51, 100, 9 } }, translated;

	(void)state;
	assert_int_equal(addr_parse("64:ff9b::198.51.100.9", &translated), 0);
	assert_true(learn("listed.example", translated, 300, WATCH_MIN, 0));
	assert_true(is_watched(translated, 443, 1));
	assert_true(is_watched(real, 443, 1));
	assert_false(learn("listed.example", real, 300, WATCH_MIN, 1));
	assert_false(learn("other.example", real, 300, WATCH_MIN, 2));
	assert_false(is_watched(translated, 443, 3));
	assert_int_equal(addr_parse("64:ff9b::127.0.0.1", &translated), 0);
	assert_false(learn("listed.example", translated, 300, WATCH_MIN, 0));
}

static void test_whom(void **state)
{
	(void)state;
	learn("shared.example", nth(1), 300, WATCH_MIN, 0);
	assert_false(is_watched(nth(1), 443, 1));
	learn("web.example", nth(2), 300, WATCH_MIN, 0);
	assert_true(is_watched(nth(2), 443, 1));
	assert_false(is_watched(nth(2), 80, 1)); /* not what the vendor uses it for */
	assert_false(is_watched(nth(3), 443, 1));
	learn("listed.example", (struct addr){ 16, { 0x20, 1, [15] = 9 } }, 300, WATCH_MIN, 0);
	assert_true(is_watched((struct addr){ 16, { 0x20, 1, [15] = 9 } }, 443, 1));
}

static void count_one(void *ctx, const struct addr *a, uint32_t left)
{
	(void)a;
	*(unsigned *)ctx += left > 0;
}

/* More addresses than fit: the table stays full of the ones that last longest. */
static void test_full(void **state)
{
	unsigned held = 0, lasting = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		learn("listed.example", nth(i), 80000, WATCH_MIN, 0);
	for (uint32_t i = 0; i < 4 * WATCH_SLOTS; i++)
		learn("listed.example", nth(1000 + i), 300, WATCH_MIN, 0);
	watch_each(w, T0 * NS_PER_S, count_one, &held);
	for (uint32_t i = 0; i < 1000; i++)
		lasting += is_watched(nth(i), 443, 1);
	assert_in_range(held, WATCH_SLOTS * 9 / 10, WATCH_SLOTS);
	assert_in_range(lasting, 990, 1000);
}

/* A process that died while it wrote leaves one slot that nobody reads, and no one waits. */
static void test_half_written(void **state)
{
	(void)state;
	learn("listed.example", nth(1), 300, WATCH_MIN, 0);
	for (unsigned i = 0; i < WATCH_SLOTS; i++)
		if (w->slots[i].until)
			atomic_fetch_add(&w->slots[i].lock.version, 1);
	assert_false(is_watched(nth(1), 443, 1));
	assert_true(learn("listed.example", nth(1), 300, WATCH_MIN, 0)); /* in another place */
	assert_true(is_watched(nth(1), 443, 1));
}

/* A worker that was taken over may write anything there; the parent reads it. */
static void test_no_address(void **state)
{
	static const uint8_t lengths[] = { 0, 5, 17, 255 };
	unsigned             seen = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(lengths); i++) {
		w->slots[i].until = T0 + 60;
		w->slots[i].addr.len = lengths[i];
	}
	watch_each(w, T0 * NS_PER_S, count_one, &seen);
	assert_int_equal(seen, 0);
	w->slots[0].addr.len = 4;
	watch_each(w, T0 * NS_PER_S, count_one, &seen);
	assert_int_equal(seen, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_how_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_news, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_translated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_whom, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_half_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_address, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

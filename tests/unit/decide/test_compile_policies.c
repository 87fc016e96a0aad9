/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person can write wrongly in policies and exceptions. */
#include "../match/support.h"
#include "base/diag.h"
#include "decide/policy.h"

static char *list(const char *word, char *buf)
{
	snprintf(buf, 64, "%s", word);
	return buf;
}

/* A policy or exception with one list or text set; "where: what" is the answer. */
static void build_text(const struct policy_in *p, unsigned n, const struct exception_in *e,
                       unsigned n_e, char *out, size_t room)
{
	struct pack               kav = { .id = "kav", .path = "kav" };
	struct pack              *packs[] = { &kav };
	const struct rs_settings  settings = { .mode = MODE_ENFORCE };
	struct policy_where       where = { .wrong = NULL };
	struct err                err = { .text = "" };
	struct image_builder      b;

	image_init(&b);
	assert_int_equal(ruleset_compile(&b, packs, 1, &err), 0);
	if (policy_compile(&b, p, n, e, n_e, &settings, &where, &err) == 0)
		snprintf(out, room, "ok");
	else
		snprintf(out, room, "%s: %s", where.path, err.text);
	image_fini(&b);
}

static void test_policies(void **state)
{
	static const struct {
		const char *what, *key, *value, *expected;
	} rows[] = {
		{ "a pack", "packs", "kav", "ok" },
		{ "an unknown pack", "packs", "avk",
		  "policies[0].match.packs[0]: policy 'p': pack 'avk' is unknown (allowed: kav)" },
		{ "an unknown category", "categories", "updates",
		  "policies[0].match.categories[0]: policy 'p': 'updates' is unknown (allowed: update, "
		  "telemetry, reputation, activation, account, push, crash, web, resolver, canary, firmware, "
		  "licence)" },
		{ "an unknown confidence", "confidence", "certain",
		  "policies[0].match.confidence[0]: policy 'p': 'certain' is unknown (allowed: low, "
		  "medium, high)" },
		{ "a bad port", "ports", "https",
		  "policies[0].match.ports[0]: policy 'p': bad port 'https' (write tcp/443, udp/443, "
		  "any/443, tcp/100-199, tcp or udp)" },
		{ "a network", "clients", "10.20.0.0/16", "ok" },
		{ "a MAC", "clients", "3c:52:82:00:00:01", "ok" },
		{ "an interface", "clients", "eth0.10", "ok" },
		{ "bits after the prefix", "clients", "10.20.0.1/16",
		  "policies[0].clients[0]: policy 'p': bad client '10.20.0.1/16' (an address, a network "
		  "such as 10.0.0.0/8 with zero bits after the prefix, a MAC such as "
		  "3c:52:82:00:00:01, an interface, or this-machine)" },
		{ "no address", "clients", "10.20.0.256",
		  "policies[0].clients[0]: policy 'p': bad client '10.20.0.256' (an address, a network "
		  "such as 10.0.0.0/8 with zero bits after the prefix, a MAC such as "
		  "3c:52:82:00:00:01, an interface, or this-machine)" },
		{ "a name too long for an interface", "clients", "reception-computer",
		  "policies[0].clients[0]: policy 'p': bad client 'reception-computer' (an address, a "
		  "network such as 10.0.0.0/8 with zero bits after the prefix, a MAC such as "
		  "3c:52:82:00:00:01, an interface, or this-machine)" },
		{ "a bad date", "from", "soon",
		  "policies[0].from[0]: policy 'p': from: 'soon' is not a date (write 2027-03-01 or "
		  "2027-03-01T12:00:00Z)" },
		{ "until before from", "until", "2020-01-01",
		  "policies[0].until[0]: policy 'p': until is not after from" },
		{ "a time to observe", "observe-for", "7d", "ok" },
		{ "no time", "observe-for", "a week",
		  "policies[0].observe-for[0]: policy 'p': observe-for: 'a week' is not a length of time up to 52w "
		  "(write 12h, 7d or 2w)" },
		{ "too long a time", "observe-for", "53w",
		  "policies[0].observe-for[0]: policy 'p': observe-for: '53w' is not a length of time up to 52w "
		  "(write 12h, 7d or 2w)" },
		{ "the canary's name", "name", "canary",
		  "policies[0].name[0]: policy 'canary': this name belongs to the built-in policy" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		char             buf[64], got[1200];
		char            *v[] = { list(rows[i].value, buf) };
		struct policy_in p = { .name = "p", .action = ACTION_REJECT };
		const char      *key = rows[i].key;

		p.packs = v;
		p.n_packs = strcmp(key, "packs") == 0;
		p.categories = v;
		p.n_categories = strcmp(key, "categories") == 0;
		p.confidence = v;
		p.n_confidence = strcmp(key, "confidence") == 0;
		p.ports = v;
		p.n_ports = strcmp(key, "ports") == 0;
		p.clients = v;
		p.n_clients = strcmp(key, "clients") == 0;
		p.from = strcmp(key, "from") == 0 ? buf : "2024-01-01";
		p.until = strcmp(key, "until") == 0 ? buf : NULL;
		p.observe_for = strcmp(key, "observe-for") == 0 ? buf : NULL;
		p.name = strcmp(key, "name") == 0 ? buf : p.name;
		build_text(&p, 1, NULL, 0, got, sizeof(got));
		same_text(rows[i].what, got, rows[i].expected);
	}
}

static void test_same_name(void **state)
{
	struct policy_in p[] = { { .name = "a" }, { .name = "b" }, { .name = "a" } };
	char             got[1200];

	(void)state;
	build_text(p, 3, NULL, 0, got, sizeof(got));
	assert_string_equal(got, "policies[2].name[0]: policy 'a': an earlier policy has the same name");
}

static void test_exceptions(void **state)
{
	static char               *bad[] = { "a/b" };
	static struct exception_in good = { .name = "g", .owner = "o", .reason = "r",
		                            .expires = "2001-01-01" };
	static struct {
		const char         *what;
		struct exception_in in;
		const char         *expected;
	} rows[] = {
		{ "expired ones load", { .name = "e", .owner = "o", .reason = "r", .expires = "2020-01-01" },
		  "ok" },
		{ "no owner", { .name = "e", .reason = "r", .expires = "2020-01-01" },
		  "exceptions[1].name[0]: exception 'e': needs owner, reason and expires" },
		{ "no end", { .name = "e", .owner = "o", .reason = "r" },
		  "exceptions[1].name[0]: exception 'e': needs owner, reason and expires" },
		{ "a bad end", { .name = "e", .owner = "o", .reason = "r", .expires = "never" },
		  "exceptions[1].expires[0]: exception 'e': expires: 'never' is not a date (write "
		  "2027-03-01 or 2027-03-01T12:00:00Z)" },
		{ "a bad client",
		  { .name = "e", .owner = "o", .reason = "r", .expires = "2020-01-01", .clients = bad,
		    .n_clients = 1 },
		  "exceptions[1].clients[0]: exception 'e': bad client 'a/b' (an address, a network such "
		  "as 10.0.0.0/8 with zero bits after the prefix, a MAC such as 3c:52:82:00:00:01, "
		  "an interface, or this-machine)" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct exception_in in[] = { good, rows[i].in };
		char                got[1200];

		build_text(NULL, 0, in, 2, got, sizeof(got));
		same_text(rows[i].what, got, rows[i].expected);
	}
}

static char said[1024];

static void hear(enum diag_level level, const char *token, const char *text)
{
	snprintf(said, sizeof(said), "%d %s: %s", (int)level, token, text);
}

static void test_warns(void **state)
{
	static char *none[] = { "no such" };
	static const struct {
		struct policy_in p;
		const char      *said;
	} rows[] = {
		{ { .name = "quiet", .action = ACTION_DROP },
		  "2 policy: policy 'quiet' drops silently: the product then asks its public "
		  "resolvers; 'reject' answers it at once" },
		{ { .name = "typo", .action = ACTION_LOG, .products = none, .n_products = 1 },
		  "2 policy: policy 'typo': no entry of the packs names product 'no such'" },
		{ { .name = "plain", .action = ACTION_LOG }, "" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct policy_in p = rows[i].p;
		char             got[1200];

		said[0] = '\0';
		diag_register(hear);
		build_text(&p, 1, NULL, 0, got, sizeof(got));
		diag_register(NULL);
		assert_string_equal(got, "ok");
		assert_string_equal(said, rows[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_same_name),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_warns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

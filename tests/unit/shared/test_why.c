/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers to "why?", key by key, on a pack and a configuration written for it. */
#include "shared/why.h"

#include "../match/support.h"
#include "shared/conf.h"
#include "shared/state.h"

static const char pack_text[] =
	"pack: kav\nvendor: K\nversion: 2026.01.02.1\n"
	"sources: [{id: s, url: \"https://k.x/ports\"}, {id: t, title: a book}]\n"
	"stages:\n"
	"  - {id: announced, from: 2024-06-24T04:00:00Z, action: log, basis: vendor, citation: letter}\n"
	"  - {id: in-force, from: 2024-09-29T04:00:00Z, action: block, categories: [update], basis: law, "
	"citation: 89 FR 52434}\n"
	"entries:\n"
	"  - {id: up, names: [\"s[0-9].up.k.x\"], category: update, sources: [s, t], confidence: high, "
	"side_effect: databases age}\n"
	"  - {id: zone, names: [.k.x], category: web, sources: [s], confidence: low, side_effect: none, "
	"action: log}\n"
	"  - {id: tool, names: [tool.k.x], category: web, sources: [s], confidence: high, side_effect: "
	"none, action: allow}\n"
	"nets:\n"
	"  - {cidr: 192.0.2.0/24, category: update, ports: [udp/2000], sources: [s], confidence: high}\n"
	"  - {cidr: \"2001:db8::/32\", category: update, sources: [s], confidence: high}\n";

static const char conf_text[] =
	"rules: [kav.yaml]\n"
	"policies:\n"
	"  - {name: lab, clients: [10.20.0.0/16, \"3c:52:82:00:00:01\", lab0], action: log}\n"
	"  - {name: quiet, clients: [10.30.0.1], action: drop}\n"
	"  - {name: web-only, clients: [10.40.0.1], match: {ports: [tcp/443]}, action: reject}\n"
	"  - {name: guests, clients: [10.50.0.1], action: reject, dns: refused}\n"
	"  - {name: slow, clients: [10.60.0.1], action: stage, observe-for: 2d}\n"
	"  - {name: site, match: {packs: [kav]}, action: stage}\n"
	"exceptions:\n"
	"  - {name: case, names: [s5.up.k.x], owner: alice, reason: tests, expires: 2026-02-01}\n";

static struct conf  *conf;
static struct image *img;

#define AFTER "2026-01-15"

struct row {
	const char *what;
	const char *name, *client, *at, *port;
	const char *path, *expected; /* a place in the answer, and the JSON there */
};

#define UP "s3.up.k.x"

static const struct row rows[] = {
	{ "a listed name", UP, NULL, AFTER, NULL, "listed", "true" },
	{ "its rule", UP, NULL, AFTER, NULL, "rule", "\"up\"" },
	{ "its pack", UP, NULL, AFTER, NULL, "pack", "\"kav\"" },
	{ "the pack's version", UP, NULL, AFTER, NULL, "pack_version", "\"2026.01.02.1\"" },
	{ "as written", UP, NULL, AFTER, NULL, "pattern", "\"s[0-9].up.k.x\"" },
	{ "its category", UP, NULL, AFTER, NULL, "category", "\"update\"" },
	{ "what a user notices", UP, NULL, AFTER, NULL, "side_effect", "\"databases age\"" },
	{ "who says so", UP, NULL, AFTER, NULL, "sources", "[\"https://k.x/ports\",\"a book\"]" },
	{ "the policy", UP, NULL, AFTER, NULL, "policy", "\"site\"" },
	{ "the action", UP, NULL, AFTER, NULL, "action", "\"reject\"" },
	{ "the time", UP, NULL, AFTER, NULL, "at", "\"2026-01-15T00:00:00Z\"" },
	{ "the stage", UP, NULL, AFTER, NULL, "stage",
	  "{\"id\":\"in-force\",\"from\":\"2024-09-29T04:00:00Z\",\"action\":\"block\",\"citation\":"
	  "\"89 FR 52434\",\"basis\":\"law\"}" },
	{ "no next stage", UP, NULL, AFTER, NULL, "next_stage", "null" },
	{ "before it", UP, NULL, "2024-09-29T03:59:59Z", NULL, "action", "\"log\"" },
	{ "the next stage", UP, NULL, "2024-09-29T03:59:59Z", NULL, "next_stage.id", "\"in-force\"" },
	{ "before all", UP, NULL, "2024-01-01", NULL, "stage", "null" },
	{ "before all, action", UP, NULL, "2024-01-01", NULL, "action", "\"log\"" },
	{ "every match, the winner first", UP, NULL, AFTER, NULL, "matches.0.standing", "\"decides\"" },
	{ "and the others", UP, NULL, AFTER, NULL, "matches.1.rule", "\"zone\"" },
	{ "which lost", UP, NULL, AFTER, NULL, "matches.1.standing", "\"outweighed\"" },
	{ "what a client sees", UP, NULL, AFTER, NULL, "client_sees",
	  "{\"dns\":\"NXDOMAIN\",\"tcp\":\"RST\",\"udp\":\"ICMP port unreachable\"}" },
	{ "how to allow it", UP, "10.9.9.9", AFTER, NULL, "allow_command",
	  "\"nfqctl allow s3.up.k.x --client 10.9.9.9 --for 1h --reason '...'\"" },
	{ "no need to", "tool.k.x", NULL, AFTER, NULL, "allow_command", "null" },

	{ "capitals and a dot", "S3.Up.K.X.", NULL, AFTER, NULL, "name", "\"s3.up.k.x\"" },
	{ "a URL", "https://me@S3.up.k.x:8443/a?b#c", NULL, AFTER, NULL, "name", "\"s3.up.k.x\"" },
	{ "without its scheme", "s3.up.k.x/path", NULL, AFTER, NULL, "rule", "\"up\"" },
	{ "a host and a port", "s3.up.k.x:443", NULL, AFTER, NULL, "rule", "\"up\"" },

	{ "an allow entry", "tool.k.x", NULL, AFTER, NULL, "action", "\"allow\"" },
	{ "why it is allowed", "tool.k.x", NULL, AFTER, NULL, "because",
	  "\"entry tool of pack kav must never be blocked\"" },
	{ "an entry that is only recorded", "www.k.x", NULL, AFTER, NULL, "action", "\"log\"" },
	{ "why", "www.k.x", NULL, AFTER, NULL, "because",
	  "\"policy site follows the pack's calendar, and the pack only records this entry\"" },

	{ "a client by network", UP, "10.20.3.4", AFTER, NULL, "policy", "\"lab\"" },
	{ "a whole network", UP, "10.20.0.0/24", AFTER, NULL, "policy", "\"lab\"" },
	{ "by MAC", UP, "3C:52:82:00:00:01", AFTER, NULL, "policy", "\"lab\"" },
	{ "by interface", UP, "lab0", AFTER, NULL, "action", "\"log\"" },
	{ "in silence", UP, "10.30.0.1", AFTER, NULL, "client_sees",
	  "{\"dns\":\"nothing\",\"tcp\":\"nothing\",\"udp\":\"nothing\"}" },
	{ "refused", UP, "10.50.0.1", AFTER, NULL, "client_sees.dns", "\"REFUSED\"" },
	{ "a policy of one port", "www.k.x", "10.40.0.1", AFTER, NULL, "client_sees",
	  "{\"dns\":\"the resolver's answer\",\"tcp\":\"RST\",\"udp\":\"the connection\"}" },
	{ "another port", "www.k.x", "10.40.0.1", AFTER, "80", "policy", "\"site\"" },
	{ "that port", "www.k.x", "10.40.0.1", AFTER, "tcp/443", "policy", "\"web-only\"" },
	{ "a pack that is new to the policy", UP, "10.60.0.1", AFTER, NULL, "action", "\"log\"" },
	{ "why less is done", UP, "10.60.0.1", AFTER, NULL, "lowered",
	  "\"the pack is new: it is only observed until 2026-01-16T00:00:00Z\"" },
	{ "what would be done", UP, "10.60.0.1", AFTER, NULL, "would", "\"reject\"" },
	{ "when it is not new any more", UP, "10.60.0.1", "2026-01-16", NULL, "action", "\"reject\"" },

	{ "an exception", "s5.up.k.x", NULL, AFTER, NULL, "exception",
	  "{\"name\":\"case\",\"owner\":\"alice\",\"reason\":\"tests\",\"expires\":"
	  "\"2026-02-01T00:00:00Z\"}" },
	{ "what it does", "s5.up.k.x", NULL, AFTER, NULL, "action", "\"allow\"" },
	{ "when it is over", "s5.up.k.x", NULL, "2026-02-01", NULL, "action", "\"reject\"" },

	{ "an unlisted name", "example.org", NULL, AFTER, NULL, "listed", "false" },
	{ "which passes", "example.org", NULL, AFTER, NULL, "action", "\"allow\"" },
	{ "and is near to nothing", "example.org", NULL, AFTER, NULL, "nearest", "null" },
	{ "has no rule", "example.org", NULL, AFTER, NULL, "rule", "null" },

	{ "an address, at the port that the pack lists", "192.0.2.7", NULL, AFTER, NULL, "rule",
	  "\"net-192.0.2.0/24\"" },
	{ "its port", "192.0.2.7", NULL, AFTER, NULL, "port", "\"udp/2000\"" },
	{ "at another port", "192.0.2.7", NULL, AFTER, "443", "listed", "false" },
	{ "the network as written", "192.0.2.7", NULL, AFTER, NULL, "pattern", "\"192.0.2.0/24\"" },
	{ "nobody asks a resolver", "192.0.2.7", NULL, AFTER, NULL, "client_sees.dns", "null" },
	{ "IPv6", "2001:DB8::7", NULL, AFTER, NULL, "name", "\"2001:db8::7\"" },
	{ "in a URL", "https://[2001:db8::7]:443/", NULL, AFTER, NULL, "rule",
	  "\"net-2001:db8::/32\"" },
};

static json_t *ask(const struct row *r, struct err *err)
{
	struct ruleset rs;
	json_t        *question = json_pack("{s:s*, s:s*, s:s*, s:s*}", "name", r->name, "client",
	                                    r->client, "at", r->at, "port", r->port);
	json_t        *answer;

	ruleset_open(&rs, img);
	answer = why(&rs, question, err);
	json_decref(question);
	return answer;
}

/* The value at a path of keys and numbers. */
static const json_t *place(const json_t *o, const char *path)
{
	char  copy[100], *rest = copy, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	while (o && (key = strsep(&rest, ".")) != NULL)
		o = json_is_array(o) ? json_array_get(o, strtoul(key, NULL, 10)) :
		                       json_object_get(o, key);
	return o;
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err err = { .text = "" };
		json_t    *answer = ask(&rows[i], &err);
		char      *got = json_dumps(place(answer, rows[i].path), JSON_COMPACT | JSON_ENCODE_ANY);

		same_text(rows[i].what, got ? got : err.text, rows[i].expected);
		free(got);
		json_decref(answer);
	}
}

static void test_nonsense(void **state)
{
	static const struct row questions[] = {
		{ "no name", NULL, NULL, NULL, NULL, NULL, "the name is missing" },
		{ "an empty one", "", NULL, NULL, NULL, NULL, "the name is missing" },
		{ "a URL without a host", "https:///x", NULL, NULL, NULL, NULL, "'/x' holds no name" },
		{ "a mistyped address", "300.1.1.1", NULL, NULL, NULL, NULL, "'300.1.1.1' is neither a name nor an address" },
		{ "a mistyped address as client", "a.b", "10.0.0.300", NULL, NULL, NULL,
		  "client: '10.0.0.300' is not an address, network, MAC, interface or this-machine" },
		{ "no client", "a.b", "10.0.0.300/7", NULL, NULL, NULL,
		  "client: '10.0.0.300/7' is not an address, network, MAC, interface or this-machine" },
		{ "no time", "a.b", NULL, "now", NULL, NULL,
		  "at: 'now' is not a time (write 2024-09-29 or 2024-09-29T04:00:00Z)" },
		{ "no port", "a.b", NULL, NULL, "https", NULL,
		  "port: 'https' is not a port (write 443, tcp/443 or udp/443)" },
		{ "too large a port", "a.b", NULL, NULL, "65536", NULL,
		  "port: '65536' is not a port (write 443, tcp/443 or udp/443)" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(questions); i++) {
		struct err err = { .text = "" };

		assert_null(ask(&questions[i], &err));
		same_text(questions[i].what, err.text, questions[i].expected);
	}
}

/* The nearest name above one that is not listed itself. */
static void test_nearest(void **state)
{
	static const char exact[] =
		"pack: kav\nvendor: K\nversion: 1\nsources: [{id: s, url: u}]\nstages: []\nentries:\n"
		"  - {id: up, names: [up.k.x], category: update, sources: [s], confidence: high, "
		"side_effect: none}\n";
	struct row     question = { .name = "a.b.up.k.x" };
	struct image  *saved = img;
	struct err     err = { .text = "" };
	char          *rules[] = { (char[]){ "exact.yaml" } };
	struct conf   *c;
	json_t        *answer;

	(void)state;
	write_file("exact.yaml", exact);
	c = conf_default(rules, 1, &err);
	assert_int_equal(conf_compile(c, &img, &err), 0);
	answer = ask(&question, &err);
	assert_true(json_is_false(json_object_get(answer, "listed")));
	assert_string_equal(json_string_value(place(answer, "nearest.name")), "up.k.x");
	assert_string_equal(json_string_value(place(answer, "nearest.rule")), "up");
	json_decref(answer);
	free(img);
	img = saved;
	conf_free(c);
}

static int setup(void **state)
{
	struct err   err = { .text = "" };
	struct state kept;
	struct overlay  live = { .mode = MODE_ENFORCE, .state = &kept };
	int          r;

	if (enter_folder(state) < 0 || state_read(&kept, "nowhere", &err) < 0)
		return -1;
	state_first_seen(&kept, "kav", 1768348800); /* 2026-01-14 */
	write_file("kav.yaml", pack_text);
	write_file("nfqd.yaml", conf_text);
	conf = conf_load("nfqd.yaml", &err);
	r = conf ? conf_compile_running(conf, &live, NULL, &img, &err) : -1;
	state_fini(&kept);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	return r;
}

static int teardown(void **state)
{
	free(img);
	conf_free(conf);
	return leave_folder(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shared/conf.h"

#include <sys/stat.h>

#include "../match/support.h"
#include "base/diag.h"

static const char pack_text[] =
	"pack: kaspersky\n"
	"vendor: K\n"
	"version: 1\n"
	"sources: [{id: s, url: u}]\n"
	"stages: []\n"
	"entries:\n"
	"  - {id: e, names: [.k.x], category: web, sources: [s], confidence: low, side_effect: none}\n";

/* The published example of a configuration: must load as it stands. */
static const char contract[] =
	"# every key but `rules` has a default\n"
	"mode: enforce                  # enforce | log (decide and record, touch nothing)\n"
	"fail: open                     # open | closed: what happens to packets when nfqd cannot "
	"answer\n"
	"rules:                         # pack files or folders of them\n"
	"  - rules/kaspersky.yaml\n"
	"inspect:\n"
	"  forward: true                # what this machine routes\n"
	"  output: true                 # what runs on it\n"
	"  inside: auto                 # interfaces or networks whose clients are judged\n"
	"  queues: auto                 # auto | 1..16\n"
	"  mark-mask: 0x70000000        # three adjacent bits\n"
	"policies:                      # first match wins\n"
	"  - name: lab-may-update\n"
	"    clients: [10.20.0.0/16, \"fd00:20::/32\", \"3c:52:82:00:00:01\"]\n"
	"    match: {packs: [kaspersky], categories: [update]}\n"
	"    action: log\n"
	"  - name: banned-vendors\n"
	"    match: {packs: [kaspersky]}\n"
	"    action: stage              # allow | log | drop | reject | stage\n"
	"    dns: nxdomain              # nxdomain | refused | nodata | sinkhole\n"
	"exceptions:\n"
	"  - name: support-case-4711\n"
	"    names: [\".activation-v2.kaspersky.com\"]\n"
	"    clients: [10.30.0.7]\n"
	"    owner: alice@example.org\n"
	"    reason: licence transfer under way\n"
	"    expires: 2027-03-01\n"
	"default: allow\n"
	"control: /run/nfqd/control.sock\n"
	"log:\n"
	"  events: matches              # matches | all\n"
	"  outputs:\n"
	"    - {type: file, path: /var/log/nfqd/eve.json}\n"
	"    - {type: text, path: \"-\"}\n";

static struct conf *load(const char *text, struct err *err)
{
	write_file("nfqd.yaml", text);
	return conf_load("nfqd.yaml", err);
}

static void test_contract(void **state)
{
	struct err    err = { .text = "" };
	struct conf  *c = load(contract, &err);
	struct image *img = NULL;

	(void)state;
	assert_string_equal(err.text, "");
	assert_int_equal(c->n_policies, 2);
	assert_int_equal(c->policies[0].n_clients, 3);
	assert_string_equal(c->policies[0].categories[0], "update");
	assert_int_equal(c->policies[1].action, ACTION_STAGE);
	assert_int_equal(c->n_exceptions, 1);
	assert_int_equal(c->n_outputs, 2);
	assert_int_equal(c->outputs[1].type, SINK_TEXT);
	assert_string_equal(c->outputs[1].path, "-");
	assert_int_equal(conf_compile(c, &img, &err), 0);
	assert_int_equal(image_n(img, RS_POLICY), 3); /* and the canary's */
	assert_int_equal(image_n(img, RS_PACK), 2);
	free(img);
	conf_free(c);
}

static void is_default(const struct conf *c)
{
	assert_int_equal(c->mode, MODE_ENFORCE);
	assert_int_equal(c->fail, FAIL_OPEN);
	assert_true(c->inspect.forward);
	assert_true(c->inspect.output);
	assert_false(c->inspect.marked_output);
	assert_int_equal(c->inspect.n_inside, 1);
	assert_string_equal(c->inspect.inside[0], "auto");
	assert_int_equal(c->inspect.queues, 0); /* auto */
	assert_in_range(conf_queues(c), 1, 4);
	assert_int_equal(c->inspect.queue_num, 0);
	assert_int_equal(c->inspect.mark_mask, 0); /* not given */
	assert_int_equal(c->n_policies, 1);
	assert_string_equal(c->policies[0].name, "all-packs");
	assert_int_equal(c->policies[0].action, ACTION_STAGE);
	assert_int_equal(c->n_exceptions, 0);
	assert_int_equal(c->default_action, ACTION_ALLOW);
	assert_string_equal(c->control, "/run/nfqd/control.sock");
	assert_int_equal(c->events, EVENTS_MATCHES);
}

static void test_defaults(void **state)
{
	struct err   err = { .text = "" };
	struct conf *c = load("rules: [rules/kaspersky.yaml]\n", &err);

	(void)state;
	assert_string_equal(err.text, "");
	is_default(c);
	assert_int_equal(c->n_outputs, 1);
	assert_int_equal(c->outputs[0].type, SINK_EVE);
	assert_string_equal(c->outputs[0].path, "/var/log/nfqd/eve.json");
	conf_free(c);
}

static void test_without_file(void **state)
{
	char *const   rules[] = { "rules/kaspersky.yaml" };
	struct err    err = { .text = "" };
	struct conf  *c = conf_default(rules, 1, &err);
	struct image *img = NULL;

	(void)state;
	assert_non_null(c);
	is_default(c);
	assert_int_equal(c->n_outputs, 1);
	assert_string_equal(c->outputs[0].path, "-");
	assert_int_equal(conf_compile(c, &img, &err), 0);
	assert_int_equal(image_n(img, RS_PACK), 2);
	free(img);
	conf_free(c);
}

static void test_values(void **state)
{
	struct err   err = { .text = "" };
	struct conf *c = load("rules: [rules]\n"
	                      "mode: log\nfail: closed\ndefault: log\ncontrol: /tmp/x\n"
	                      "inspect:\n"
	                      "  forward: false\n  output: no\n  answers: false\n"
	                      "  inside: [lan0, 10.0.0.0/8]\n"
	                      "  queues: 16\n  queue-num: 65000\n  mark-mask: 7\n  marked-output: queue\n"
	                      "  nat64: [\"2001:db8:64::/48\"]\n"
	                      "resolve: {server: \"2620:fe::9\", interval: 2h, jitter: 90s}\n"
	                      "policies: []\n"
	                      "log: {events: all, outputs: [{type: text}]}\n",
	                      &err);

	(void)state;
	assert_string_equal(err.text, "");
	assert_int_equal(c->mode, MODE_LOG);
	assert_int_equal(c->fail, FAIL_CLOSED);
	assert_int_equal(c->default_action, ACTION_LOG);
	assert_string_equal(c->control, "/tmp/x");
	assert_false(c->inspect.forward);
	assert_false(c->inspect.output);
	assert_false(c->inspect.answers);
	assert_string_equal(c->resolve.server, "2620:fe::9");
	assert_int_equal(c->resolve.interval, 7200);
	assert_int_equal(c->resolve.jitter, 90);
	assert_int_equal(c->inspect.n_inside, 2);
	assert_string_equal(c->inspect.inside[1], "10.0.0.0/8");
	assert_int_equal(c->inspect.queues, 16);
	assert_int_equal(c->inspect.queue_num, 65000);
	assert_int_equal(c->inspect.mark_mask, 7);
	assert_true(c->inspect.marked_output);
	assert_int_equal(c->inspect.n_nat64, 1);
	assert_string_equal(c->inspect.nat64[0], "2001:db8:64::/48");
	assert_int_equal(c->n_policies, 0);
	assert_int_equal(c->events, EVENTS_ALL);
	assert_int_equal(c->n_outputs, 1);
	assert_string_equal(c->outputs[0].path, "-");
	conf_free(c);
}

#define RULES "rules: [rules/kaspersky.yaml]\n"

static void test_messages(void **state)
{
	static const struct {
		const char *what, *text, *expected;
	} rows[] = {
		{ "no rules", "mode: log\n", "nfqd.yaml:1: missing key 'rules'" },
		{ "an empty list of rules", "rules: []\n", "nfqd.yaml:1: rules: must not be empty" },
		{ "rules that are not there", "rules:\n  - rules/kaspersky.yaml\n  - rules/x.yaml\n",
		  "nfqd.yaml:3: rules: 'rules/x.yaml': No such file or directory (looked for in "
		  "the current folder and beside this file)" },
		{ "a misspelt key", RULES "policy: []\n",
		  "nfqd.yaml:2: unknown key 'policy' (allowed: mode, fail, rules, profiles, inspect, resolve, update, "
		  "sightings, policies, include, exceptions, default, on-fault, heartbeat, heartbeat-forward, pair-address, control, state, log)" },
		{ "a misspelt action", RULES "policies:\n  - name: p\n    action: dropp\n",
		  "nfqd.yaml:4: policy 'p': action: 'dropp' is not one of allow, log, reject, drop, stage" },
		{ "a policy without a name", RULES "policies:\n  - action: drop\n",
		  "nfqd.yaml:3: policy 1: missing key 'name'" },
		{ "a misspelt condition",
		  RULES "policies:\n  - name: p\n    match: {pack: [kaspersky]}\n    action: log\n",
		  "nfqd.yaml:4: policy 'p': unknown key 'pack' (allowed: packs, names, names-file, categories, products, "
		  "confidence, ports)" },
		{ "a profile that no pack has", RULES "profiles: [us-federal-contractr]\n",
		  "nfqd.yaml:2: profiles: no stage of the packs has the profile "
		  "'us-federal-contractr'" },
		{ "an unknown pack",
		  RULES "policies:\n  - {name: a, action: log}\n  - name: b\n    match:\n      packs:\n"
			"        - kaspersky\n        - kaspersski\n    action: log\n",
		  "nfqd.yaml:8: policy 'b': pack 'kaspersski' is unknown (allowed: kaspersky, canary)" },
		{ "a bad client of a policy",
		  RULES "policies:\n  - name: a\n    action: log\n    clients: [10.0.0.1, 10.0.0.0/33]\n",
		  "nfqd.yaml:5: policy 'a': bad client '10.0.0.0/33' (an address, a network such as "
		  "10.0.0.0/8 with zero bits after the prefix, a MAC such as 3c:52:82:00:00:01, an "
		  "interface, or this-machine)" },
		{ "a bad date of a policy", RULES "policies:\n  - {name: a, action: log}\n"
		  "  - name: b\n    action: log\n    from: x\n",
		  "nfqd.yaml:6: policy 'b': from: 'x' is not a date (write 2027-03-01 or "
		  "2027-03-01T12:00:00Z)" },
		{ "an exception without an end",
		  RULES "exceptions:\n  - {name: e, names: [a.b], owner: o, reason: r}\n",
		  "nfqd.yaml:3: exception 'e': missing key 'expires'" },
		{ "two exceptions of one name",
		  RULES "exceptions:\n  - {name: e, names: [a.b], owner: o, reason: r, expires: 2020-01-01}\n"
			"  - {name: e, names: [a.c], owner: o, reason: r, expires: 2020-01-01}\n",
		  "nfqd.yaml:4: exception 'e': an earlier exception has the same name" },
		{ "a name that would paint the screen",
		  RULES "policies:\n  - {name: \"a\\e[2J\", action: log}\n",
		  "nfqd.yaml:3: policy 'a\\x1b[2J': name: contains a control character" },
		{ "a bad name of an exception",
		  RULES "exceptions:\n  - name: e\n    names: [a.b, \"*.b\"]\n    owner: o\n    reason: r\n"
			"    expires: 2027-01-01\n",
		  "nfqd.yaml:4: exception 'e': name '*.b': a label of '*' alone: write .example.com for "
		  "all below a name" },
		{ "too many queues", RULES "inspect: {queues: 17}\n",
		  "nfqd.yaml:2: queues: '17' is not auto or a number between 1 and 16" },
		{ "queues past the last number", RULES "inspect:\n  queues: 2\n  queue-num: 65535\n",
		  "nfqd.yaml:4: queue-num: '65535' leaves no room for 2 queues of each kind, 64 apart, below 65536" },
		{ "no number of queues", RULES "inspect: {queues: many}\n",
		  "nfqd.yaml:2: queues: 'many' is not auto or a number between 1 and 16" },
		{ "no queue at all", RULES "inspect: {queues: 0}\n",
		  "nfqd.yaml:2: queues: '0' is not auto or a number between 1 and 16" },
		{ "too large a queue number", RULES "inspect:\n  queue-num: 65536\n",
		  "nfqd.yaml:3: queue-num: '65536' is not a number between 0 and 65535" },
		{ "no prefix of NAT64", RULES "inspect:\n  nat64: [\"2001:db8::/33\"]\n",
		  "nfqd.yaml:3: nat64: '2001:db8::/33' is not an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits "
		  "(write 2001:db8:64::/96)" },
		{ "no resolver", RULES "resolve:\n  server: dns.google\n",
		  "nfqd.yaml:3: server: 'dns.google' is not an address (write 9.9.9.9 or 2620:fe::fe)" },
		{ "a time without a unit", RULES "resolve:\n  server: 9.9.9.9\n  interval: 6\n",
		  "nfqd.yaml:4: interval: '6' is not a time between 1m and 30d (write 90s, 10m, 6h or 7d)" },
		{ "too often", RULES "resolve:\n  server: 9.9.9.9\n  interval: 59s\n",
		  "nfqd.yaml:4: interval: '59s' is not a time between 1m and 30d (write 90s, 10m, 6h or 7d)" },
		{ "too long", RULES "resolve:\n  server: 9.9.9.9\n  jitter: 31d\n",
		  "nfqd.yaml:4: jitter: '31d' is not a time between 0s and 30d (write 90s, 10m, 6h or 7d)" },
		{ "a key that is in no section", RULES "heartbeat: on\n",
		  "nfqd.yaml:2: heartbeat: 'on' is not off or a time between 1s and 1d (write 90s, 10m, 6h or 7d)" },
		{ "an empty inside", RULES "inspect:\n  inside: []\n",
		  "nfqd.yaml:3: inside: must not be empty" },
		{ "auto in a list", RULES "inspect:\n  inside:\n    - lan0\n    - auto\n",
		  "nfqd.yaml:5: inside: 'auto' cannot be combined with interfaces or networks" },
		{ "a file without a path", RULES "log:\n  outputs:\n    - {type: file}\n",
		  "nfqd.yaml:4: output of type file: missing key 'path'" },
		{ "an unknown output", RULES "log:\n  outputs:\n    - {type: pigeon}\n",
		  "nfqd.yaml:4: output 1: type: 'pigeon' is not one of file, text, syslog, unix" },
		{ "two outputs into one file",
		  RULES "log:\n  outputs:\n    - {type: text}\n    - {type: file, path: \"-\"}\n",
		  "nfqd.yaml:5: output 2: '-' is the path of output 1, too" },
		{ "a socket's path that is too long",
		  RULES "control: /run/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		  "nfqd.yaml:2: control: a socket's path has at most 107 characters" },
		{ "a damaged pack", "rules: [broken.yaml]\n", "broken.yaml:1: missing key 'version'" },
	};

	(void)state;
	write_file("broken.yaml", "pack: p\nvendor: v\nsources: []\nstages: []\nentries: []\n");
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err    err = { .text = "" };
		struct conf  *c = load(rows[i].text, &err);
		struct image *img = NULL;

		if (c)
			if (conf_compile(c, &img, &err) == 0)
				fail_msg("%s: loads", rows[i].what);
		same_text(rows[i].what, err.text, rows[i].expected);
		conf_free(c);
	}
}

static void test_beside_the_file(void **state)
{
	struct err    err = { .text = "" };
	struct image *img = NULL;
	struct conf  *c;

	(void)state;
	assert_int_equal(mkdir("etc", 0700), 0);
	write_file("etc/beside.yaml", pack_text);
	write_file("etc/nfqd.yaml", "rules: [beside.yaml]\n");
	c = conf_load("etc/nfqd.yaml", &err);
	assert_string_equal(err.text, "");
	assert_string_equal(c->rules[0], "etc/beside.yaml");
	assert_int_equal(conf_compile(c, &img, &err), 0);
	free(img);
	conf_free(c);
}

/* What a configuration says that holds, as YAML; the caller's to free. */
static char *written(const struct conf *c)
{
	char  *text = NULL;
	size_t n;
	FILE  *f = open_memstream(&text, &n);

	assert_non_null(f);
	assert_int_equal(conf_write(c, f), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* What is written loads, says the same when it is written again, and needs no restart. */
static void test_round_trip(void **state)
{
	static const char *const rows[] = {
		contract,
		RULES,
		RULES "inspect: {inside: lan0, queues: 3, mark-mask: 7}\nresolve: {server: 9.9.9.9}\n",
		RULES "on-exception: {parse: drop}\nlog: {outputs: [{type: text}]}\nmode: log\n",
		RULES "policies: []\nexceptions:\n  - {name: \"a: b\", names: [a.b], owner: \"#\", "
		      "reason: 'it''s', expires: 2020-01-01}\n",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct err   err = { .text = "" };
		struct conf *first = load(rows[i], &err), *second;
		char        *once, *twice, keys[512];

		same_text(rows[i], err.text, "");
		once = written(first);
		second = load(once, &err);
		same_text(once, err.text, "");
		twice = written(second);
		assert_string_equal(once, twice);
		assert_int_equal(conf_needs_restart(first, second, keys, sizeof(keys)), 0);
		assert_int_equal(first->inspect.queues, second->inspect.queues);
		assert_int_equal(first->resolve.jitter, second->resolve.jitter);
		assert_memory_equal(first->on_fault, second->on_fault, sizeof(first->on_fault));
		free(once);
		free(twice);
		conf_free(first);
		conf_free(second);
	}
}

/* Of every key that is settled at the start a reload says that it is. */
static void test_needs_restart(void **state)
{
	static const struct {
		const char *text, *keys;
	} rows[] = {
		{ RULES "mode: log\ndefault: log\nlog: {events: all}\n", "" },
		{ RULES "log: {client-names: no}\n", "log.client-names" },
		{ RULES "log: {outputs: [{type: text}]}\n", "log.outputs" },
		{ RULES "fail: closed\ninspect: {queues: 2, inside: [lan0]}\n",
		  "fail, inspect.inside, inspect.queues" },
		{ RULES "inspect: {answers: no, forward: true}\ncontrol: /tmp/x\n",
		  "control, inspect.answers" },
		{ RULES "resolve: {server: 9.9.9.9}\non-fault: {cut: drop}\n", "" },
	};
	struct err   err = { .text = "" };
	struct conf *now = load(RULES, &err);

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct conf *next = load(rows[i].text, &err);
		char         keys[512];

		same_text(rows[i].text, err.text, "");
		conf_needs_restart(now, next, keys, sizeof(keys));
		same_text(rows[i].text, keys, rows[i].keys);
		conf_free(next);
	}
	conf_free(now);
}

static char said[200];

static void hear(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token;
	snprintf(said, sizeof(said), "%s", text);
}

static void test_old_name_of_faults(void **state)
{
	struct err   err = { .text = "" };
	struct conf *c;

	(void)state;
	diag_register(hear);
	c = load(RULES "on-exception: {parse: drop}\n", &err);
	assert_string_equal(err.text, "");
	assert_string_equal(said, "nfqd.yaml:2: 'on-exception' is now called 'on-fault'");
	diag_register(NULL);
	assert_int_equal(c->on_fault[FAULT_parse], ON_FAULT_DROP);
	assert_int_equal(c->on_fault[FAULT_cut], ON_FAULT_PASS);
	conf_free(c);
	assert_null(load(RULES "on-fault: {}\non-exception: {parse: drop}\n", &err));
	assert_string_equal(err.text, "nfqd.yaml:3: key 'on-fault' is given twice");
}

static int setup(void **state)
{
	if (enter_folder(state) < 0 || mkdir("rules", 0700) < 0)
		return -1;
	write_file("rules/kaspersky.yaml", pack_text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contract),     cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_without_file), cmocka_unit_test(test_values),
		cmocka_unit_test(test_messages),     cmocka_unit_test(test_beside_the_file),
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_needs_restart),
		cmocka_unit_test(test_old_name_of_faults),
	};

	return cmocka_run_group_tests(tests, setup, leave_folder);
}

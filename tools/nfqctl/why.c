/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl why: asks the running daemon. Where none answers, or when a configuration or packs are given, it
 * loads them here and runs the same code.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nfqctl.h"
#include "rules.h"
#include "shared/conf.h"
#include "parent/ctl.h"
#include "shared/state.h"
#include "shared/why.h"

#define DEFAULT_CONF "/etc/nfqd/nfqd.yaml"

struct source {
	const char *conf;
	char      **rules;
	unsigned    n_rules;
	const char *client;
	bool        force; /* the client may be an interface that is not here */
};

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl why NAME [--client A [--force]] [--at TIME] [--port N] [--json]\n"
	            "                  [-c FILE | --rules PATH]...\n");
	return result;
}

/* ---- without a daemon ---------------------------------------------------------------------- */

/* Without a configuration: packs in the working directory, else the installed ones, as `nfqd` has them. */
static struct conf *find_conf(const struct source *s, struct err *err)
{
	static char *const here[] = { "rules/kaspersky.yaml" };
	const char        *file = s->conf;

	if (!file && s->n_rules == 0 && access(DEFAULT_CONF, R_OK) == 0)
		file = DEFAULT_CONF;
	if (file) {
		fprintf(stderr, "nfqctl: by the configuration %s\n", file);
		return conf_load(file, err);
	}
	if (s->n_rules)
		return conf_default(s->rules, s->n_rules, err);
	if (access(here[0], R_OK) == 0) {
		fprintf(stderr, "nfqctl: no configuration: by %s, as the pack says\n", here[0]);
		return conf_default(here, 1, err);
	}
	fprintf(stderr, "nfqctl: no configuration: by the installed packs, as they say\n");
	return conf_default(NULL, 0, err);
}

/* The exceptions of `nfqctl allow` that a daemon would have if it started now. */
static void read_state(struct state *state, const struct conf *conf)
{
	struct err err = { 0 };

	if (state_read(state, conf->state, &err) < 0)
		fprintf(stderr, "nfqctl: without the exceptions that were made at run time: %s\n",
		        err.text);
}

static json_t *answer_here(const struct source *s, const json_t *question, struct err *err)
{
	struct conf   *conf = find_conf(s, err);
	struct state   state = { 0 };
	struct image  *img = NULL;
	json_t        *answer = NULL;
	struct ruleset rs;

	if (!conf)
		return NULL;
	read_state(&state, conf);
	if (conf_compile_running(conf, &(struct overlay){ .mode = conf->mode, .state = &state }, NULL, &img,
	                    err) == 0) {
		ruleset_open(&rs, img);
		answer = why(&rs, question, err);
	}
	free(img);
	state_fini(&state);
	conf_free(conf);
	return answer;
}

/* ---- the answer in words ------------------------------------------------------------------- */

static void print_stage(const char *title, const json_t *s, const char *when)
{
	if (!json_is_object(s))
		return;
	printf("  %-10s %s (%s) %s %s, basis %s: %s\n", title, text_of(s, "id"),
	       text_of(s, "action"), when, text_of(s, "from"), text_of(s, "basis"), text_of(s, "citation"));
}

static void print_matches(const json_t *matches)
{
	const json_t *m;
	size_t        i;

	json_array_foreach(matches, i, m)
		printf("  %-10s %s/%s: %s (%s, confidence %s, %s): %s\n", i ? "" : "matches",
		       text_of(m, "pack"), text_of(m, "rule"), text_of(m, "pattern"),
		       text_of(m, "category"), text_of(m, "confidence"), text_of(m, "entry"),
		       text_of(m, "standing"));
}

static void print_listed(const json_t *a)
{
	const json_t *e = json_object_get(a, "exception"), *source;
	size_t        i;

	printf("  %-10s %s/%s %s (%s)\n", "rule", text_of(a, "pack"), text_of(a, "rule"),
	       text_of(a, "pack_version"), text_of(a, "category"));
	printf("  %-10s %s\n", "policy", text_of(a, "policy"));
	print_stage("stage", json_object_get(a, "stage"), "since");
	print_stage("next", json_object_get(a, "next_stage"), "from");
	if (json_is_object(e))
		printf("  %-10s %s until %s (%s: %s)\n", "exception", text_of(e, "name"),
		       text_of(e, "expires"), text_of(e, "owner"), text_of(e, "reason"));
	print_matches(json_object_get(a, "matches"));
	printf("  %-10s %s\n", "effect", text_of(a, "side_effect"));
	json_array_foreach(json_object_get(a, "sources"), i, source)
		printf("  %-10s %s\n", i ? "" : "sources", json_string_value(source));
}

static void print(const json_t *a)
{
	const json_t *sees = json_object_get(a, "client_sees"), *near = json_object_get(a, "nearest");
	const char   *lowered = json_string_value(json_object_get(a, "lowered"));
	const char   *allow = json_string_value(json_object_get(a, "allow_command"));

	printf("%s at %s: %s\n", text_of(a, "name"), text_of(a, "at"), text_of(a, "action"));
	printf("  %-10s %s\n", "because", text_of(a, "because"));
	if (lowered)
		printf("  %-10s %s (it would be: %s)\n", "but", lowered, text_of(a, "would"));
	if (json_is_true(json_object_get(a, "listed")))
		print_listed(a);
	else if (json_is_object(near))
		printf("  %-10s %s is listed, by %s/%s\n", "nearest", text_of(near, "name"),
		       text_of(near, "pack"), text_of(near, "rule"));
	printf("  %-10s DNS %s; TCP %s; UDP %s\n", "client", text_of(sees, "dns"),
	       text_of(sees, "tcp"), text_of(sees, "udp"));
	if (allow)
		printf("  %-10s %s\n", "to allow", allow);
}

/* ---- the command --------------------------------------------------------------------------- */

static int run(struct nfqctl *ctl, const struct source *s, const json_t *question, bool as_json)
{
	struct err err = { 0 }, unheard = { 0 };
	int        fd = s->conf || s->n_rules ? -1 : ctl_connect(ctl->socket, &unheard);
	json_t    *answer;

	if (unheard.text[0])
		fprintf(stderr, "nfqctl: %s\n", unheard.text);
	answer = fd >= 0 ? ctl_talk(fd, question, &err) : answer_here(s, question, &err);
	if (!answer)
		fprintf(stderr, "nfqctl: %s\n", err.text);
	return print_answer(answer, as_json, print);
}

static int parse(int argc, char **argv, json_t *question, struct source *s, bool *as_json)
{
	static const struct option options[] = {
		{ "client", required_argument, NULL, 'C' }, { "at", required_argument, NULL, 'a' },
		{ "port", required_argument, NULL, 'p' },   { "config", required_argument, NULL, 'c' },
		{ "rules", required_argument, NULL, 'r' },  { "json", no_argument, NULL, 'j' },
		{ "force", no_argument, NULL, 'f' },        { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const char *const keys[] = { ['a'] = "at", ['p'] = "port" };
	char                     name[HOST_TEXT + 1];
	int                      o;

	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (o) {
		case 'C': s->client = optarg; break;
		case 'f': s->force = true; break;
		case 'a':
		case 'p': json_object_set_new(question, keys[o], json_string(optarg)); break;
		case 'c': s->conf = optarg; break;
		case 'r': s->rules[s->n_rules++] = optarg; break;
		case 'j': *as_json = true; break;
		default: return o == 'h' ? CTL_DONE : CTL_USAGE;
		}
	}
	if (!words_are(argc, argv, "NAME") || are_both(argv[0], "-c", s->conf, "--rules", s->n_rules))
		return CTL_USAGE;
	json_object_set_new(question, "name", json_string(hostname_typed(argv[optind], name)));
	return -1;
}

/* Another machine's configuration has interfaces of its own. */
static bool complete(const struct nfqctl *ctl, const char *command, struct source *s, json_t *question)
{
	char       client[CLIENT_TEXT];
	struct err err = { .text = "" };

	if (!client_ok(ctl, command, &s->client, s->force || s->conf || s->n_rules, client))
		return false;
	if (s->client)
		json_object_set_new(question, "client", json_string(s->client));
	if (why_check(question, &err) < 0)
		wrong_usage(command, "%s", err.text);
	return !err.text[0];
}

int cmd_why(struct nfqctl *ctl, int argc, char **argv)
{
	struct source s = { .rules = calloc((size_t)argc + 1, sizeof(*s.rules)) };
	json_t       *question = json_pack("{s:s}", "command", "why");
	bool          as_json = false;
	int           r = s.rules ? parse(argc, argv, question, &s, &as_json) : CTL_FAILED;

	if (r < 0)
		r = complete(ctl, argv[0], &s, question) ? run(ctl, &s, question, as_json) : CTL_USAGE;
	else if (s.rules)
		usage(r == CTL_DONE ? stdout : stderr, r);
	json_decref(question);
	free(s.rules);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl status: whether this machine is protected, as one sentence and as the exit status; then what the running
 * daemon does, and its counters. */
#include <stdio.h>
#include <string.h>

#include "nfqctl.h"
#include "parent/ctl.h"
#include "shared/site_names.h"

/* Policies with names of their own are packs to the ruleset; for people they are one thing, the configuration. */
static bool is_own(const json_t *pack)
{
	return strncmp(text_of(pack, "pack"), SITE_PACK, strlen(SITE_PACK)) == 0;
}

static void print_packs_in_force(const json_t *packs)
{
	const char *before = " by";
	bool        own = false;
	json_t     *pack;
	size_t      i;

	json_array_foreach(packs, i, pack) {
		own |= is_own(pack);
		if (strcmp(text_of(pack, "pack"), "canary") == 0 || is_own(pack))
			continue;
		printf("%s %s %s%s", before, text_of(pack, "pack"), text_of(pack, "version"),
		       json_is_string(json_object_get(pack, "observed_until")) ? " (only observed so far)" : "");
		before = ",";
	}
	if (own)
		printf("%s policies of this site's own", before);
}

/* The first line. A reason more is a line more. */
static void print_sentence(const json_t *s)
{
	json_t *reason;
	size_t  i;

	printf("%s since %s", json_is_true(json_object_get(s, "protected")) ? "protected" : "NOT PROTECTED",
	       text_of(s, "since"));
	if (json_is_true(json_object_get(s, "protected")))
		print_packs_in_force(json_object_get(s, "packs"));
	json_array_foreach(json_object_get(s, "reasons"), i, reason)
		printf("%s%s", i ? "\n  and " : ": ", text_of(reason, "text"));
	putchar('\n');
}

static void print_reload(const json_t *reload)
{
	const char *at = json_string_value(json_object_get(reload, "failed_at"));

	if (at)
		printf("reload: %s at %s: %s\n",
		       json_is_true(json_object_get(reload, "failed")) ? "THE LAST ONE FAILED"
		                                                       : "one failed, a later one did not,",
		       at, text_of(reload, "error"));
}

static void print_mode(const json_t *s)
{
	const char   *until = json_string_value(json_object_get(s, "mode_until"));
	const json_t *clock = json_object_get(s, "clock"), *state = json_object_get(s, "state");
	const char   *problem = json_string_value(json_object_get(state, "problem"));

	printf("nfqd %s, mode %s", text_of(s, "version"), text_of(s, "mode"));
	if (until)
		printf(" until %s", until);
	printf(", fail %s, up %lld s\n", text_of(s, "fail"), number_of(s, "uptime_s"));
	if (json_is_true(json_object_get(clock, "wrong")))
		printf("the clock is wrong: it says %s, before the packs were made; judged as of %s\n",
		       text_of(clock, "now"), text_of(clock, "judged_as"));
	if (problem)
		printf("state: %s\n", problem);
}

static void print_pack(const json_t *pack)
{
	const char *observed = json_string_value(json_object_get(pack, "observed_until"));

	printf("pack %s %s, expires %s", text_of(pack, "pack"), text_of(pack, "version"),
	       text_of(pack, "expires"));
	if (observed && json_is_null(json_object_get(pack, "first_seen")))
		printf(", only observed: the clock is wrong, and its time has not begun");
	else if (observed)
		printf(", only observed until %s", observed);
	printf("\n");
}

static void print_packs(const json_t *packs)
{
	const json_t *pack;
	size_t        i, own = 0;

	json_array_foreach(packs, i, pack) {
		own += is_own(pack);
		if (!is_own(pack))
			print_pack(pack);
	}
	if (own)
		printf("%zu polic%s with names of this site's own\n", own, own == 1 ? "y" : "ies");
}

static void print_steering(const json_t *steering)
{
	const json_t *prefilter = json_object_get(steering, "prefilter");

	printf("steering by %s: %lld bypassed the daemon, %lld of local tunnels, %lld without a "
	       "connection entry, put back %lld times\n",
	       text_of(steering, "backend"), number_of(steering, "bypassed"),
	       number_of(steering, "marked_output"), number_of(steering, "no_conntrack"),
	       number_of(steering, "repairs"));
	printf("states in %s; verdicts %s\n", text_of(steering, "storage"),
	       text_of(steering, "verdicts"));
	if (json_string_value(json_object_get(steering, "flowtable")))
		printf("flow offload by %s: %lld acknowledgements held back, %lld connections let go "
		       "UNINSPECTED\n", text_of(steering, "flowtable"), number_of(steering, "held"),
		       number_of(steering, "uninspected"));
	if (json_is_true(json_object_get(prefilter, "on")))
		printf("prefilter: %lld questions and %lld answers passed in the kernel\n",
		       number_of(prefilter, "passed_questions"), number_of(prefilter, "passed_answers"));
	else if (prefilter)
		printf("prefilter: off: %s\n", text_of(prefilter, "reason"));
	if (strncmp(text_of(steering, "backend"), "xt ", 3) == 0)
		puts("a saved ruleset (nft list ruleset) will not load: this kernel's nft has no `queue`");
	if (number_of(steering, "own_answers_lost"))
		printf("%lld forged answers to programs of this host were dropped by a rule on their way\n",
		       number_of(steering, "own_answers_lost"));
	if (number_of(steering, "unmet"))
		printf("%lld packets came back without having met the rule of their verdict: the table is "
		       "not the one that this daemon loaded\n", number_of(steering, "unmet"));
	if (json_is_false(json_object_get(steering, "queueing")))
		puts("NOTHING IS INSPECTED: workers die at their start (fail: open)");
	if (json_is_false(json_object_get(steering, "in_place")))
		puts("THE TABLE IS GONE: another program removed it");
}

static void print_log(const json_t *log)
{
	const json_t *output;
	size_t        i;

	printf("log: %lld records, %lld lost\n", number_of(log, "seq"), number_of(log, "lost"));
	json_array_foreach(json_object_get(log, "outputs"), i, output)
		if (number_of(output, "lost") || json_is_true(json_object_get(output, "stuck")))
			printf("log %s %s: %lld written, %lld lost%s\n", text_of(output, "type"),
			       text_of(output, "path"), number_of(output, "written"),
			       number_of(output, "lost"),
			       json_is_true(json_object_get(output, "stuck"))
			               ? "; ITS READER HAS STOPPED" : "");
	if (number_of(log, "lost_with_worker"))
		printf("log: %lld of these lost with a worker that ended\n",
		       number_of(log, "lost_with_worker"));
	if (number_of(log, "diag_lost"))
		printf("standard error: %lld lines lost: it had no room\n", number_of(log, "diag_lost"));
}

static const char *word_of(const json_t *result)
{
	return json_is_string(json_object_get(result, "why")) ? text_of(result, "why")
	                                                       : text_of(result, "result");
}

/* One line; those channels that are not refused by name. */
static void print_heartbeat(json_t *beat)
{
	const char *state = text_of(beat, "state"), *way, *channel;
	json_t     *channels, *result;

	if (json_object_get(beat, "role"))
		printf("pair: %s\n", text_of(beat, "role"));
	if (strcmp(state, "off") == 0 || strcmp(state, "waiting") == 0) {
		printf("heartbeat: %s\n", state);
		return;
	}
	printf("heartbeat: %s at %s", strcmp(state, "open") == 0 ? "OPEN" : state, text_of(beat, "at"));
	if (json_object_get(beat, "reason"))
		printf(": %s", text_of(beat, "reason"));
	json_object_foreach(json_object_get(beat, "channels"), way, channels)
		json_object_foreach(channels, channel, result)
			if (strcmp(text_of(result, "result"), "refused") != 0)
				printf("; %s %s %s", way, channel, word_of(result));
	putchar('\n');
}

static void print(const json_t *s)
{
	json_t     *steering = json_object_get(s, "steering"), *log = json_object_get(s, "log");
	json_t     *counters = json_object_get(s, "counters"), *item, *value;
	const char *key;
	size_t      i;

	print_sentence(s);
	print_reload(json_object_get(s, "reload"));
	print_mode(s);
	printf("worker %lld, restarted %lld times", number_of(s, "worker_pid"), number_of(s, "worker_restarts"));
	if (number_of(s, "worker_hangs"))
		printf(", %lld of them hung", number_of(s, "worker_hangs"));
	if (number_of(s, "worker_forbidden_calls"))
		printf(", %lld MADE A FORBIDDEN SYSTEM CALL", number_of(s, "worker_forbidden_calls"));
	printf("; ruleset generation %lld, %lld names\n",
	       number_of(s, "generation"),
	       number_of(s, "names"));
	print_packs(json_object_get(s, "packs"));
	json_array_foreach(json_object_get(s, "queues"), i, item)
		printf("queue %lld: %lld packets, %lld waiting, %lld dropped full, %lld dropped unread\n",
		       number_of(item, "num"), number_of(item, "queued"), number_of(item, "waiting"),
		       number_of(item, "dropped"), number_of(item, "user_dropped"));
	if (steering)
		print_steering(steering);
	item = json_object_get(s, "capture");
	if (item)
		printf("watching %s: %lld packets, %lld dropped by the kernel; nothing is blocked\n",
		       text_of(item, "interface"), number_of(item, "received"), number_of(item, "dropped"));
	json_array_foreach(json_object_get(s, "checks"), i, item)
		printf("check %s: %s %s; cure: %s\n", text_of(item, "check"), text_of(item, "where"),
		       text_of(item, "text"), text_of(item, "cure"));
	print_heartbeat(json_object_get(s, "heartbeat"));
	print_log(log);
	json_object_foreach(counters, key, value)
		if (json_integer_value(value))
			printf("%-16s %lld\n", key, (long long)json_integer_value(value));
}

json_t *status_of_no_daemon(const char *why)
{
	return json_pack("{s:i, s:b, s:[{s:s, s:s}]}", "schema", STATUS_SCHEMA, "protected", 0, "reasons", "reason", "no-daemon",
	                 "text", why);
}

/* Nobody is asked: for people on standard error, for programs as JSON, too. */
static int no_answer(bool as_json, bool no_daemon, const struct err *err)
{
	fprintf(stderr, "nfqctl: %s%s\n", no_daemon ? "NOT PROTECTED, no daemon: " : "", err->text);
	if (as_json && no_daemon)
		print_answer(status_of_no_daemon(err->text), true, print);
	return no_daemon ? CTL_NO_DAEMON : CTL_FAILED;
}

int cmd_status(struct nfqctl *ctl, int argc, char **argv)
{
	bool       as_json = false, no_daemon, is_protected;
	struct err err = { .text = "" };
	int        r = only_json(argc, argv, &as_json);
	json_t    *answer;

	if (r >= 0)
		return r;
	answer = ask_status(ctl, &no_daemon, &err);
	if (!answer)
		return no_answer(as_json, no_daemon, &err);
	is_protected = json_is_true(json_object_get(answer, "protected"));
	r = print_answer(answer, as_json, print);
	return r != CTL_DONE || is_protected ? r : CTL_FAILED;
}

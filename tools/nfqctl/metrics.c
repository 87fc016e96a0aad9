/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl metrics: the status as Prometheus text. A row of the table is a metric; its labels are words of ours, pack
 * names, queue and output numbers: never a client or a name that somebody asked for, so that there are few series.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "nfqctl.h"

struct row;

/* The values of a metric, a line each. */
typedef void values(FILE *out, const struct row *r, const json_t *status);

struct row {
	const char *name, *type, *help;
	values     *values;
	const char *path; /* of a value in the status, with dots; for values() */
};

/* ---- a value ---- */

static json_t *at(const json_t *object, const char *path)
{
	size_t  n = strcspn(path, ".");
	json_t *member = json_object_getn(object, path, n);

	return path[n] && member ? at(member, path + n + 1) : member;
}

/* A time becomes seconds, a yes 1. False: there is no value. */
static bool value_of(const json_t *v, double *out)
{
	int64_t seconds;

	if (json_is_boolean(v))
		*out = json_is_true(v);
	else if (json_is_number(v))
		*out = json_number_value(v);
	else if (json_is_string(v) && clock_parse(json_string_value(v), &seconds) == 0)
		*out = (double)seconds;
	else
		return false;
	return true;
}

static void print_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
}

/* label NULL: none; second NULL: one label alone. */
static void print_value(FILE *out, const char *name, const char *label, const char *text, const char *second,
                        const char *text2, double value)
{
	fprintf(out, "%s", name);
	if (label) {
		fprintf(out, "{%s=\"", label);
		print_text(out, text);
		if (second) {
			fprintf(out, "\",%s=\"", second);
			print_text(out, text2);
		}
		fprintf(out, "\"}");
	}
	fprintf(out, " %.16g\n", value);
}

/* ---- kinds of metrics ---- */

static void one(FILE *out, const struct row *r, const json_t *status)
{
	double v;

	if (value_of(at(status, r->path), &v))
		print_value(out, r->name, NULL, NULL, NULL, NULL, v);
}

static void is_not(FILE *out, const struct row *r, const json_t *status)
{
	double v;

	if (value_of(at(status, r->path), &v))
		print_value(out, r->name, NULL, NULL, NULL, NULL, v == 0);
}

static void is_there(FILE *out, const struct row *r, const json_t *status)
{
	print_value(out, r->name, NULL, NULL, NULL, NULL, json_integer_value(at(status, r->path)) > 0);
}

static void info(FILE *out, const struct row *r, const json_t *status)
{
	print_value(out, r->name, "version", text_of(status, "version"), "fail", text_of(status, "fail"), 1);
}

static const char *const modes[] = { "enforce", "log", "off", NULL };
static const char *const states[] = { "off", "waiting", "refused", "not inspected", "open", "failed", NULL };
static const char *const reasons[] = { "mode", "watching", "fail-open", "not-steering", "heartbeat-open",
	                               "heartbeat-failed", "pack-expired", NULL };

/* One of several words holds. */
static void words(FILE *out, const struct row *r, const char *label, const char *const all[], const char *is)
{
	for (; *all; all++)
		print_value(out, r->name, label, *all, NULL, NULL, strcmp(*all, is) == 0);
}

static void mode(FILE *out, const struct row *r, const json_t *status)
{
	words(out, r, "mode", modes, text_of(status, "mode"));
}

static void heartbeat_state(FILE *out, const struct row *r, const json_t *status)
{
	words(out, r, "state", states, text_of(at(status, "heartbeat"), "state"));
}

static void not_protected(FILE *out, const struct row *r, const json_t *status)
{
	for (const char *const *word = reasons; *word; word++) {
		const json_t *reason;
		size_t        i;
		bool          holds = false;

		json_array_foreach(at(status, "reasons"), i, reason)
			holds |= strcmp(text_of(reason, "reason"), *word) == 0;
		print_value(out, r->name, "reason", *word, NULL, NULL, holds);
	}
}

static void channels(FILE *out, const struct row *r, const json_t *status)
{
	const char *way, *channel;
	json_t     *ways = at(status, "heartbeat.channels"), *of_way, *result;

	json_object_foreach(ways, way, of_way)
		json_object_foreach(of_way, channel, result)
			print_value(out, r->name, "way", way, "channel", channel,
			            strcmp(text_of(result, "result"), "refused") == 0);
}

static void packs(FILE *out, const struct row *r, const json_t *status)
{
	const json_t *pack;
	size_t        i;
	double        v;

	json_array_foreach(at(status, "packs"), i, pack) {
		if (!r->path)
			print_value(out, r->name, "pack", text_of(pack, "pack"), "version", text_of(pack, "version"), 1);
		else if (value_of(json_object_get(pack, r->path), &v))
			print_value(out, r->name, "pack", text_of(pack, "pack"), NULL, NULL, v);
	}
}

static void queues(FILE *out, const struct row *r, const json_t *status)
{
	const json_t *queue;
	size_t        i;
	char          num[16];

	json_array_foreach(at(status, "queues"), i, queue) {
		snprintf(num, sizeof(num), "%lld", number_of(queue, "num"));
		print_value(out, r->name, "queue", num, NULL, NULL, (double)number_of(queue, r->path));
	}
}

static void outputs(FILE *out, const struct row *r, const json_t *status)
{
	const json_t *output;
	size_t        i;
	double        v;
	char          num[24];

	json_array_foreach(at(status, "log.outputs"), i, output) {
		snprintf(num, sizeof(num), "%zu", i);
		if (value_of(json_object_get(output, r->path), &v))
			print_value(out, r->name, "output", num, "type", text_of(output, "type"), v);
	}
}

static void counters(FILE *out, const struct row *r, const json_t *status)
{
	const char *name;
	json_t     *count;

	json_object_foreach(at(status, "counters"), name, count)
		print_value(out, r->name, "event", name, NULL, NULL, json_number_value(count));
}

/* ---- the table ---- */

#define COUNTER "counter"
#define GAUGE   "gauge"

static const struct row rows[] = {
	{ "nfqd_up", GAUGE, "Whether a daemon answers.", NULL, NULL },
	{ "nfqd_build_info", GAUGE, "Version, and what happens when nfqd cannot answer.", info, NULL },
	{ "nfqd_protected", GAUGE, "Whether what is listed is refused.", one, "protected" },
	{ "nfqd_not_protected", GAUGE, "What speaks against it.", not_protected, NULL },
	{ "nfqd_protection_changed_timestamp_seconds", GAUGE, "Since when that is so.", one, "since" },
	{ "nfqd_mode", GAUGE, "The mode in force.", mode, NULL },
	{ "nfqd_uptime_seconds", GAUGE, "Since the daemon's start.", one, "uptime_s" },
	{ "nfqd_worker_up", GAUGE, "Whether there is a process that judges packets.", is_there, "worker_pid" },
	{ "nfqd_worker_restarts_total", COUNTER, "Workers that took the place of one that had died.", one,
	  "worker_restarts" },
	{ "nfqd_worker_hangs_total", COUNTER, "Workers that were killed because they hung.", one, "worker_hangs" },
	{ "nfqd_worker_forbidden_calls_total", COUNTER, "Workers killed for a forbidden system call.", one,
	  "worker_forbidden_calls" },
	{ "nfqd_resolver_restarts_total", COUNTER, "Resolver processes started anew.", one, "resolver.restarts" },
	{ "nfqd_fail_open", GAUGE, "Whether nothing is inspected because workers die.", is_not, "steering.queueing" },
	{ "nfqd_table_in_place", GAUGE, "Whether the nft table is there.", one, "steering.in_place" },
	{ "nfqd_table_repairs_total", COUNTER, "Times that the nft table was put back.", one, "steering.repairs" },
	{ "nfqd_bypassed_packets_total", COUNTER, "Packets that passed because no program read the queue.", one,
	  "steering.bypassed" },
	{ "nfqd_prefilter_on", GAUGE, "Plain DNS messages about unlisted names pass in the kernel.", one, "steering.prefilter.on" },
	{ "nfqd_prefilter_questions_total", COUNTER, "Questions that passed in the kernel.", one,
	  "steering.prefilter.passed_questions" },
	{ "nfqd_prefilter_answers_total", COUNTER, "Answers that passed in the kernel.", one,
	  "steering.prefilter.passed_answers" },
	{ "nfqd_questions_total", COUNTER, "DNS questions judged: with a prefilter, the candidates.", one,
	  "counters.questions" },
	{ "nfqd_questions_unlisted_total", COUNTER, "Of those: with a prefilter, the false candidates, and what it does not read.",
	  one, "counters.questions_unlisted" },
	{ "nfqd_uninspected_connections_total", COUNTER, "Connections let go to a flowtable.", one,
	  "steering.uninspected" },
	{ "nfqd_queue_packets_total", COUNTER, "Packets that the kernel queued.", queues, "queued" },
	{ "nfqd_queue_waiting_packets", GAUGE, "Packets that wait for a verdict.", queues, "waiting" },
	{ "nfqd_queue_full_drops_total", COUNTER, "Packets lost because the queue was full.", queues, "dropped" },
	{ "nfqd_queue_buffer_drops_total", COUNTER, "Packets lost because the socket was full.", queues,
	  "user_dropped" },
	{ "nfqd_events_total", COUNTER, "The counters of nfqctl status.", counters, NULL },
	{ "nfqd_heartbeat_state", GAUGE, "What the latest heartbeat has shown.", heartbeat_state, NULL },
	{ "nfqd_heartbeat_timestamp_seconds", GAUGE, "When the latest heartbeat ended.", one, "heartbeat.at" },
	{ "nfqd_heartbeat_interval_seconds", GAUGE, "Time between two heartbeats.", one, "heartbeat.every_s" },
	{ "nfqd_heartbeat_refused", GAUGE, "Whether the heartbeat was refused on a channel.", channels, NULL },
	{ "nfqd_reload_failed", GAUGE, "Whether the latest reload failed.", one, "reload.failed" },
	{ "nfqd_reload_timestamp_seconds", GAUGE, "When the latest reload was.", one, "reload.at" },
	{ "nfqd_ruleset_generation", GAUGE, "Generation of the rules in force.", one, "generation" },
	{ "nfqd_ruleset_names", GAUGE, "Names in the rules in force.", one, "names" },
	{ "nfqd_pack_info", GAUGE, "Version of a pack in force.", packs, NULL },
	{ "nfqd_pack_expiry_timestamp_seconds", GAUGE, "When a pack expires.", packs, "expires" },
	{ "nfqd_clock_wrong", GAUGE, "Whether the clock is before the packs' own dates.", one, "clock.wrong" },
	{ "nfqd_records_total", COUNTER, "Records made.", one, "log.seq" },
	{ "nfqd_records_lost_total", COUNTER, "Records that did not reach an output.", one, "log.lost" },
	{ "nfqd_sightings_bytes", GAUGE, "Size of the database of machines.", one, "sightings.bytes" },
	{ "nfqd_sightings_missed_total", COUNTER, "Records that did not reach the database of machines.", one,
	  "sightings.missed" },
	{ "nfqd_sightings_limit_bytes", GAUGE, "Size that the database of machines may have.", one, "sightings.max_bytes" },
	{ "nfqd_sightings_forgotten_total", COUNTER, "Machines forgotten for want of room, those that hardly called first.", one,
	  "sightings.forgotten" },
	{ "nfqd_sightings_folded_total", COUNTER, "Days that became one sum for want of room.", one,
	  "sightings.folded_days" },
	{ "nfqd_output_written_total", COUNTER, "Records written, by output.", outputs, "written" },
	{ "nfqd_output_lost_total", COUNTER, "Records lost, by output.", outputs, "lost" },
	{ "nfqd_output_stuck", GAUGE, "Whether an output's reader has stopped.", outputs, "stuck" },
};

void metrics_print(FILE *out, const json_t *status)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		if (r->values && !status)
			continue;
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", r->name, r->help, r->name, r->type);
		if (r->values)
			r->values(out, r, status);
		else
			print_value(out, r->name, NULL, NULL, NULL, NULL, status != NULL);
	}
}

/* ---- the command ---- */

/* A reader sees the old file or the new one, never half of one. The folder may be another user's: what stands in the
 * new one's place is not written to. */
static int write_file(const char *path, const json_t *status)
{
	char  temp[4096];
	FILE *out;
	int   fd, r;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return fprintf(stderr, "nfqctl: %s: the path is too long\n", path), CTL_FAILED;
	unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (out) {
		metrics_print(out, status);
		r = fchmod(fd, 0644) < 0 || fflush(out) == EOF || ferror(out);
		if (fclose(out) == 0 && !r && rename(temp, path) == 0)
			return CTL_DONE;
	}
	fprintf(stderr, "nfqctl: %s: %m\n", path);
	if (fd >= 0)
		unlink(temp);
	return CTL_FAILED;
}

static int run(struct nfqctl *ctl, const char *file)
{
	struct err err = { .text = "" };
	bool       no_daemon;
	json_t    *status = ask_status(ctl, &no_daemon, &err);
	int        r = CTL_DONE;

	if (!status)
		fprintf(stderr, "nfqctl: %s\n", err.text);
	if (!status && !no_daemon)
		return CTL_FAILED;
	if (file)
		r = write_file(file, status);
	else
		metrics_print(stdout, status);
	if (!file && !status)
		r = CTL_NO_DAEMON;
	json_decref(status);
	return r;
}

int cmd_metrics(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "textfile", required_argument, NULL, 't' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	const char *file = NULL;
	int         o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) == 't')
		file = optarg;
	if (o != -1 || !words_are(argc, argv, "")) {
		fprintf(o == 'h' ? stdout : stderr, "usage: nfqctl metrics [--textfile FILE]\n");
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	return run(ctl, file);
}

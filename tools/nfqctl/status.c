/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl status: what the running daemon does and has counted. */
#include <getopt.h>
#include <stdio.h>

#include "nfqctl.h"
#include "run/ctl.h"

static long long number(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

static void print(json_t *s)
{
	json_t     *steering = json_object_get(s, "steering"), *log = json_object_get(s, "log");
	json_t     *counters = json_object_get(s, "counters"), *item, *value;
	const char *key;
	size_t      i;

	printf("nfqd %s, mode %s, fail %s, up %lld s\n", text(s, "version"), text(s, "mode"),
	       text(s, "fail"), number(s, "uptime_s"));
	printf("worker %lld, restarted %lld times; ruleset generation %lld, %lld names\n",
	       number(s, "worker_pid"), number(s, "worker_restarts"), number(s, "generation"),
	       number(s, "names"));
	json_array_foreach(json_object_get(s, "packs"), i, item)
		printf("pack %s %s, expires %s\n", text(item, "pack"), text(item, "version"),
		       text(item, "expires"));
	json_array_foreach(json_object_get(s, "queues"), i, item)
		printf("queue %lld: %lld packets, %lld waiting, %lld dropped full, %lld dropped unread\n",
		       number(item, "num"), number(item, "queued"), number(item, "waiting"),
		       number(item, "dropped"), number(item, "user_dropped"));
	printf("steering by %s: %lld bypassed the daemon, %lld of local tunnels, %lld without a "
	       "connection entry, %lld with a foreign mark\n",
	       text(steering, "backend"), number(steering, "bypassed"),
	       number(steering, "marked_output"), number(steering, "no_conntrack"),
	       number(steering, "foreign_mark"));
	printf("log: %lld records, %lld lost\n", number(log, "seq"), number(log, "lost"));
	json_object_foreach(counters, key, value)
		if (json_integer_value(value))
			printf("%-16s %lld\n", key, (long long)json_integer_value(value));
}

int cmd_status(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
		                                 { NULL, 0, NULL, 0 } };
	struct err err = { 0 };
	bool       as_json = false;
	json_t    *request, *status;
	int        o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o != 'j')
			return CTL_USAGE;
		as_json = true;
	}
	request = json_pack("{s:s}", "command", "status");
	status = ctl_ask(ctl->socket, request, &err);
	json_decref(request);
	if (!status) {
		fprintf(stderr, "nfqctl: %s\n", err.text);
		return CTL_FAILED;
	}
	if (as_json) {
		json_object_del(status, "ok");
		json_dumpf(status, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print(status);
	}
	json_decref(status);
	return CTL_DONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl doctor: what keeps nfqd from protecting this machine, each with what mends it. What the running daemon
 * says of itself comes first, then the checks (parent/checks.h), made here: they need no daemon.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/steer.h"
#include "nfqctl.h"
#include "parent/checks.h"
#include "parent/ctl.h"
#include "shared/conf.h"

#define DEFAULT_CONF "/etc/nfqd/nfqd.yaml"

enum { WIDTH = 80, INDENT = 2 };

/* ---- the checks ---- */

static void run_checks(json_t *findings, const struct conf *conf, bool running)
{
	struct steer_means means = { .mark_token = false };
	struct err         unable = { .text = "" };
	struct checks_ask  ask = { .conf = conf, .running = running };

	if (conf) {
		ask.inside = conf->inspect.inside;
		ask.n_inside = conf->inspect.n_inside;
		ask.proxies = conf->inspect.proxies;
		ask.n_proxies = conf->inspect.n_proxies;
	}
	json_t            *found;

	(void)!steer_probe(&means, &unable); /* what it is unable to do is a check */
	ask.mark_token = means.mark_token;
	ask.marked_output = conf && conf->inspect.marked_output;
	found = checks_run(&ask);
	json_array_extend(findings, found);
	json_decref(found);
}

static json_t *examine(struct nfqctl *ctl, const char *path)
{
	struct err   wrong = { .text = "" }, unheard = { .text = "" };
	struct conf *conf = path || access(DEFAULT_CONF, F_OK) == 0 ? conf_load(path ? path : DEFAULT_CONF, &wrong)
	                                                            : conf_default(NULL, 0, &wrong);
	json_t      *findings = json_array(), *status;
	bool         no_daemon;

	if (!conf)
		json_array_append_new(findings, checks_of_configuration(&wrong));
	status = ask_status(ctl, &no_daemon, &unheard);
	if (status)
		doctor_of_daemon(findings, status);
	else if (no_daemon)
		doctor_add(findings, "daemon", ctl->socket, "is where no daemon answers: nothing is judged", "start it",
		    "systemctl start nfqd");
	else
		doctor_add(findings, "rights", unheard.text, "and so this is not known", "ask as root", "sudo nfqctl doctor");
	run_checks(findings, conf, !no_daemon);
	json_decref(status);
	conf_free(conf);
	return findings;
}

/* ---- in words ---- */

/* Wrapped at words; the first line begins at column. */
static void print_wrapped(const char *text, unsigned column)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > INDENT && column + n + 1 > WIDTH) {
			printf("\n%*s", INDENT, "");
			column = INDENT;
		} else if (column > INDENT) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)n, text);
		column += (unsigned)n;
		text += n + (text[n] == ' ');
	}
	putchar('\n');
}

static void print_findings(const json_t *answer)
{
	const json_t *one;
	size_t        i;

	json_array_foreach(json_object_get(answer, "findings"), i, one) {
		char text[2048];

		printf("%s\n%*s", text_of(one, "check"), INDENT, "");
		snprintf(text, sizeof(text), "%s %s", text_of(one, "where"), text_of(one, "text"));
		print_wrapped(text, INDENT);
		printf("%*scure:", INDENT, "");
		print_wrapped(text_of(one, "cure"), INDENT + 5);
		if (json_object_get(one, "command"))
			printf("%*s$ %s\n", INDENT, "", text_of(one, "command"));
	}
}

int cmd_doctor(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		                                 { "json", no_argument, NULL, 'j' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	const char *path = NULL;
	bool        as_json = false, sound;
	json_t     *findings;
	int         o;

	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (o == 'c')
			path = optarg;
		else if (o == 'j')
			as_json = true;
		else
			break;
	}
	if (o != -1 || !words_are(argc, argv, "")) {
		fprintf(o == 'h' ? stdout : stderr, "usage: nfqctl doctor [-c FILE] [--json]\n");
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	findings = examine(ctl, path);
	sound = json_array_size(findings) == 0;
	o = print_answer(json_pack("{s:i, s:o}", "schema", 1, "findings", findings), as_json, print_findings);
	return sound ? o : CTL_FAILED;
}

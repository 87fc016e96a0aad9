/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl replay: judges the bytes in records again, by the rules that were in force then or by those that
 * are named, and says of each whether it comes to the same. The bytes are read by the daemon's own code.
 */
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "nfqctl.h"
#include "replay.h"
#include "shared/conf.h"

static const char usage[] =
	"usage: nfqctl replay [--kept FOLDER | -c FILE | --rules PATH...] [--json] FILE...\n"
	"  judges the packets in records (EVE JSON lines) again and prints agree, differ or not reproducible\n"
	"  --kept FOLDER  where the daemon keeps what was in force (default " DEFAULT_KEPT ")\n"
	"  -c, --rules    judge by these instead\n"
	"exit status: 0 no record differs, 1 one does, or a file cannot be read or has no record, 2 usage\n";

struct counts {
	unsigned agree, differ, not;
};

static void print_one(const json_t *record, const struct replay_result *r, bool as_json)
{
	static const char *const words[] = { [REPLAY_AGREES] = "agree", [REPLAY_DIFFERS] = "differ",
		                             [REPLAY_NOT] = "not reproducible" };
	const json_t *own = json_object_get(record, "nfqd");
	char          id[128];

	snprintf(id, sizeof(id), "%s/%lld/%lld", text_of(own, "sensor"), number_of(own, "boot"), number_of(own, "seq"));
	if (as_json) {
		json_t *out = json_pack("{s:s, s:s, s:s, s:s}", "record", id, "name", text_of(own, "name"), "result",
		                        words[r->outcome], "why", r->why);

		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(out);
		return;
	}
	printf("%-16s  %s  %s%s%s\n", words[r->outcome], id, text_of(own, "name"), r->why[0] ? "  " : "", r->why);
}

/* -1: it cannot be read, or not one of its lines is a record; the reason was printed. */
static int replay_file(struct replay *replay, const char *path, bool as_json, struct counts *n)
{
	FILE  *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char  *line = NULL;
	size_t room = 0;
	unsigned long at = 0, good = 0, first_bad = 0;
	bool   failed;

	if (!f) {
		fprintf(stderr, "nfqctl: %s: %m\n", path);
		return -1;
	}
	while (getline(&line, &room, f) > 0) {
		json_t              *record = json_loads(line, 0, NULL);
		struct replay_result r;

		at++;
		good += record != NULL;
		if (record && json_object_get(record, "alert")) {
			r = replay_record(replay, record);
			n->agree += r.outcome == REPLAY_AGREES;
			n->differ += r.outcome == REPLAY_DIFFERS;
			n->not += r.outcome == REPLAY_NOT;
			print_one(record, &r, as_json);
		} else if (!record && first_bad == 0) {
			first_bad = at;
		}
		json_decref(record);
	}
	failed = ferror(f);
	if (failed)
		fprintf(stderr, "nfqctl: %s: %m\n", path);
	free(line);
	if (f != stdin)
		fclose(f);
	if (first_bad)
		fprintf(stderr, "nfqctl: %s:%lu: not JSON; %lu such lines of %lu are passed over\n", path, first_bad, at - good, at);
	return failed || (at && !good) ? -1 : 0;
}

int cmd_replay(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kept", required_argument, NULL, 'k' }, { "config", required_argument, NULL, 'c' },
		{ "rules", required_argument, NULL, 'r' }, { "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },       { NULL, 0, NULL, 0 },
	};
	enum { RULES_MAX = 64 };
	char         *rules[RULES_MAX];
	const char   *kept = DEFAULT_KEPT, *conf = NULL;
	unsigned      n_rules = 0;
	bool          as_json = false;
	struct counts n = { 0 };
	struct replay replay;
	struct err    err = { .text = "" };
	int           o, status = CTL_DONE;

	(void)ctl;
	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (o == 'k')
			kept = optarg;
		else if (o == 'c')
			conf = optarg;
		else if (o == 'r' && n_rules < RULES_MAX)
			rules[n_rules++] = optarg;
		else if (o == 'r')
			return wrong_usage(argv[0], "at most %d --rules", RULES_MAX);
		else if (o == 'j')
			as_json = true;
		else
			return fputs(usage, o == 'h' ? stdout : stderr), o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	if (!words_are(argc, argv, "FILE...") || are_both(argv[0], "-c", conf, "--rules", n_rules))
		return fputs(usage, stderr), CTL_USAGE;
	if (replay_open(&replay, kept, conf, rules, n_rules, &err) < 0) {
		fprintf(stderr, "nfqctl: %s\n", err.text);
		return CTL_FAILED;
	}
	for (int i = optind; i < argc; i++)
		if (replay_file(&replay, argv[i], as_json, &n) < 0)
			status = CTL_FAILED;
	replay_close(&replay);
	fprintf(stderr, "%u agree, %u differ, %u are not reproducible\n", n.agree, n.differ, n.not);
	return n.differ ? CTL_FAILED : status;
}

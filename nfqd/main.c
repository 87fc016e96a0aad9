/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqd: the command line, and the mode of operation that it asks for. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "offline/check.h"
#include "offline/offline.h"
#include "parent/parent.h"
#include "shared/conf.h"
#include "shared/json_schema.h"
#include "shared/privs.h"

#define DEFAULT_CONF "/etc/nfqd/nfqd.yaml"
#define RULES_MAX    64
#define READS_MAX    256

enum { EXIT_USAGE = 2 };

#ifndef NFQD_COMMIT
#define NFQD_COMMIT ""
#endif
#ifndef NFQD_WITH
#define NFQD_WITH     ""
#define NFQD_LEFT_OUT ""
#endif
#ifdef NFQD_NO_SECCOMP
#define SECCOMP "without system call filters (a sanitizer's build)"
#else
#define SECCOMP "with system call filters"
#endif
#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static const char usage[] =
	"usage: nfqd [-c FILE | --rules PATH...] [-d]\n"
	"                                            run inline: judge this machine's traffic\n"
	"       nfqd -i IFACE [--filter BPF] [-c FILE | --rules PATH...] [--events matches|all]\n"
	"                                            watch an interface: record, never block\n"
	"       nfqd -t [-d | --json] [-c FILE | --rules PATH...]\n"
	"                                            check configuration and packs, then exit\n"
	"       nfqd --schema config|pack             print the JSON Schema of nfqd.yaml, or of a pack\n"
	"       nfqd -r FILE... [-c FILE | --rules PATH...] [--events matches|all]\n"
	"                                            judge capture files (- is standard input): record, never\n"
	"                                            block; several in the order of their packets' times\n"
	"\n"
	"  -c, --config FILE   configuration (default " DEFAULT_CONF ")\n"
	"  -t, --test          check the configuration and exit; needs no privileges\n"
	"      --json          what -t finds, as JSON on standard output\n"
	"  -i, --interface IFACE  inspect a copy of what passes there (any: everywhere); needs root\n"
	"      --filter BPF    only these packets, see pcap-filter(7)\n"
	"  -r, --read FILE     read packets from a capture (pcap, pcapng; also gzipped), write EVE JSON lines to\n"
	"                      standard output; repeatable\n"
	"      --rules PATH    a pack or a folder of packs, instead of the configuration's; repeatable\n"
	"      --events WHICH  matches (default): listed names only; all: every name\n"
	"      --user NAME     the user that the worker runs as (default: nfqd, or $NFQD_USER)\n"
	"  -d, --debug         say more on standard error; with -t print the configuration in effect\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"Exit codes: 0 done, 1 failed, 2 wrong usage. See nfqd(8).\n";

struct options {
	const char *conf, *reads[READS_MAX];
	unsigned    n_reads;
	struct tap tap;
	char       *rules[RULES_MAX];
	unsigned    n_rules;
	int         events; /* enum events; -1: not given */
	const char *schema; /* NULL: not asked for */
	bool        test, json, debug, done;
};

static int bad_usage(const char *what)
{
	fprintf(stderr, "nfqd: %s\n%s", what, usage);
	return EXIT_USAGE;
}

static int parse_events(const char *word, int *events)
{
	*events = word_find(events_words, word);
	if (*events >= 0)
		return 0;
	fprintf(stderr, "nfqd: --events: '%s' is unknown (allowed: matches, all)\n%s", word, usage);
	return EXIT_USAGE;
}

static int add_read(struct options *o, const char *path)
{
	if (o->n_reads == READS_MAX)
		return bad_usage("-r takes at most 256 files");
	o->reads[o->n_reads++] = path;
	return 0;
}

/* The first line is for programs. */
static void say_version(void)
{
	puts("nfqd " NFQD_VERSION);
	printf("commit %s\n", NFQD_COMMIT[0] ? NFQD_COMMIT : "unknown (built outside a repository)");
	puts("built by " COMPILER ", " SECCOMP);
	if (NFQD_WITH[0])
		puts("with " NFQD_WITH);
	if (NFQD_LEFT_OUT[0])
		puts("without " NFQD_LEFT_OUT);
}

static int parse(int argc, char **argv, struct options *o)
{
	enum { OPT_USER = 300, OPT_RULES = 256, OPT_EVENTS, OPT_FILTER, OPT_JSON, OPT_SCHEMA };
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },  { "test", no_argument, NULL, 't' },
		{ "read", required_argument, NULL, 'r' },    { "debug", no_argument, NULL, 'd' },
		{ "interface", required_argument, NULL, 'i' },
		{ "filter", required_argument, NULL, OPT_FILTER },
		{ "user", required_argument, NULL, OPT_USER },
		{ "rules", required_argument, NULL, OPT_RULES },
		{ "events", required_argument, NULL, OPT_EVENTS },
		{ "json", no_argument, NULL, OPT_JSON },     { "schema", required_argument, NULL, OPT_SCHEMA },
		{ "version", no_argument, NULL, 'V' },       { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	for (int i = 1; i < argc; i++)
		if (!*argv[i])
			return bad_usage("an argument is empty");
	while ((c = getopt_long(argc, argv, "c:ti:r:dVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c': o->conf = optarg; break;
		case 't': o->test = true; break;
		case 'i': o->tap.device = optarg; break;
		case OPT_USER: privs_choose_user(optarg); break;
		case OPT_JSON: o->json = true; break;
		case OPT_SCHEMA: o->schema = optarg; break;
		case OPT_FILTER: o->tap.filter = optarg; break;
		case 'r':
			if (add_read(o, optarg) != 0)
				return EXIT_USAGE;
			break;
		case 'd': diag_set_level(DIAG_DEBUG); o->debug = true; break;
		case 'V': say_version(); o->done = true; return 0;
		case 'h': fputs(usage, stdout); o->done = true; return 0;
		case OPT_EVENTS:
			if (parse_events(optarg, &o->events) != 0)
				return EXIT_USAGE;
			break;
		case OPT_RULES:
			if (o->n_rules == RULES_MAX)
				return bad_usage("too many --rules");
			o->rules[o->n_rules++] = optarg;
			break;
		default: fputs(usage, stderr); return EXIT_USAGE;
		}
	}
	if (o->tap.filter && !o->tap.device)
		return bad_usage("--filter is for use with -i");
	if (o->json && !o->test)
		return bad_usage("--json is for use with -t");
	while (o->n_reads && optind < argc) /* as a shell writes *.pcap */
		if (add_read(o, argv[optind++]) != 0)
			return EXIT_USAGE;
	if ((o->tap.device != NULL) + (o->n_reads > 0) + o->test + (o->schema != NULL) > 1)
		return bad_usage("-i, -r, -t and --schema exclude each other");
	if (optind < argc)
		fprintf(stderr, "nfqd: unexpected argument '%s'\n%s", argv[optind], usage);
	return optind < argc ? EXIT_USAGE : 0;
}

/* A file that exists but cannot be read is not missing: loading it reports why. */
static bool no_default_conf(void)
{
	return access(DEFAULT_CONF, F_OK) != 0 && errno == ENOENT;
}

/* A capture needs no configuration; the daemon uses the installed one. Reports what the user did not
 * choose. */
static struct conf *load(const struct options *o, struct err *err)
{
	bool         without = !o->conf && (o->n_rules || o->n_reads || no_default_conf());
	struct conf *conf;

	if (o->conf)
		conf = conf_load(o->conf, err);
	else if (without)
		conf = conf_default((char *const *)o->rules, o->n_rules, err);
	else
		conf = conf_load(DEFAULT_CONF, err);
	if (conf && without && !o->n_rules)
		diag_line("nfqd: without a configuration: by %s",
		          conf->n_rules ? conf->rules[0] : "the canary alone, name packs with --rules");
	if (conf && o->events >= 0)
		conf->events = o->events;
	return conf;
}

/* A configuration that is not there is a mistake. */
static int check(const struct options *o, struct err *err)
{
	const struct check_in in = { .path = o->n_rules ? NULL : o->conf ? o->conf : DEFAULT_CONF, .rules = o->rules,
		                     .n_rules = o->n_rules, .all = o->debug, .json = o->json };

	if (!o->conf && !o->n_rules && no_default_conf())
		return err_set(err, "no configuration: " DEFAULT_CONF " does not exist (name one with -c, or packs with "
		                    "--rules)");
	return check_run(&in, err);
}

static int print_schema(const char *of, struct err *err)
{
	json_t *o = json_schema(of, err);
	int     r = o ? json_dumpf(o, stdout, JSON_INDENT(2)) : -1;

	if (r == 0)
		putchar('\n');
	json_decref(o);
	return r;
}

/* What a full disk did not take of -V, -h and -t was not said: no success. */
static int said(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	diag_line("nfqd: standard output: %s", strerror(errno ? errno : EIO));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options o = { .events = -1 };
	struct err     err = { 0 };
	int            r = parse(argc, argv, &o);
	struct conf   *conf;

	if (r || o.done)
		return r ? r : said();
	if (o.conf && o.n_rules)
		return bad_usage("--rules is for use without -c: the configuration names its packs");
	conf = o.test || o.schema ? NULL : load(&o, &err);
	if (o.schema) {
		r = print_schema(o.schema, &err);
	} else if (o.test) {
		r = check(&o, &err);
	} else if (!conf) {
		parent_not_started();
		r = -1;
	} else if (o.n_reads) {
		r = offline_run(o.reads, o.n_reads, conf, &err);
		conf_free(conf);
	} else {
		r = parent_run(conf, o.tap.device ? &o.tap : NULL, &err);
	}
	if (r < 0 && err.text[0])
		diag_line("nfqd: %s", err.text);
	return r < 0 ? EXIT_FAILURE : o.test || o.schema ? said() : EXIT_SUCCESS;
}

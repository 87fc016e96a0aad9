/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl: queries and controls a running nfqd, and maintains rule packs. The table of sub-commands. */
#include "nfqctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/nfqd/control.sock"

static int cmd_completion(struct nfqctl *ctl, int argc, char **argv);

static const struct nfqctl_command commands[] = {
	{ "status", cmd_status, "[--json]", "whether this machine is protected, since when, by which packs; then what the daemon does" },
	{ "doctor", cmd_doctor, "[-c FILE] [--json]",
	  "what keeps this machine from being protected, each with what mends it (with or without a daemon)" },
	{ "metrics", cmd_metrics, "[--textfile FILE]", "the status as Prometheus text" },
	{ "why", cmd_why, "NAME [--client A [--force]] [--at TIME] [--port N] [--json] [-c FILE | --rules PATH]...",
	  "what is done about a name or address, and why (with or without a daemon)" },
	{ "allow", cmd_allow, "NAME [--client A [--force]] --for 1h|ever|--until DATE --reason TEXT [--json]",
	  "let a name pass for a while, or for ever" },
	{ "block", cmd_block, "NAME [--client A [--force]] [--reason TEXT] [-c FILE]",
	  "refuse a name of one's own, for ever: a policy in the file that the configuration includes" },
	{ "exceptions", cmd_exceptions, "[--revoke NAME|ID] [--json]",
	  "list or revoke names that are allowed for a while" },
	{ "mode", cmd_mode, "[enforce|log|off [--for 10m]] [--json]",
	  "block, only record, or leave everything alone" },
	{ "state", cmd_state, "export|import ...", "exceptions and mode of one daemon of a pair, for the other one" },
	{ "reload", cmd_reload, "[--json]", "read configuration and packs again" },
	{ "rotate", cmd_rotate, "[--json]", "open the files of records anew, after they were renamed" },
	{ "handover", cmd_handover, "[--json]", "before a restart by the service manager: packets wait for the next nfqd" },
	{ "top", cmd_top, "[--once] [FILE]", "who asks for what now, and what becomes of it, on the whole screen" },
	{ "tail", cmd_tail,
	  "[-f] [--client C] [--name N] [--vendor V] [--action A] [--channel C] [FILE]",
	  "the last records, and with -f those that come" },
	{ "hosts", cmd_hosts,
	  "[--vendor V] [--since 7d] [--until DATE] [--leaked] [--sort KEY] [--json] [--from FILE|- ...]",
	  "the machines that call a listed vendor, since when, and whether they were refused" },
	{ "host", cmd_host, "ID [--since 7d] [--json] | --split ADDRESS | --merge ID | --forget",
	  "all about one machine; split, merge or forget what was told wrong" },
	{ "report", cmd_report, "--html FILE | --csv | --json [--since 30d] [--until DATE] [--vendor V]",
	  "machines, trend, channels, on whose word, and whether nfqd was watching" },
	{ "preview", cmd_preview, "[--pack FILE | -c FILE] [--at DATE] [--since 7d] [--json]",
	  "what would have been refused with this pack, or at that date, by machine and name" },
	{ "sightings", cmd_sightings, "rebuild LOG...", "make the database of machines anew of records" },
	{ "log", cmd_log, "verify|prove|key|resend ...",
	  "check, prove and send again what was recorded" },
	{ "replay", cmd_replay, "[--kept FOLDER | -c FILE | --rules PATH...] [--json] FILE...",
	  "judge the packets in records again (needs no daemon)" },
	{ "evidence", cmd_evidence, "SENSOR/BOOT/SEQ [--out FOLDER] [--kept FOLDER] [FILE]...",
	  "all there is about one record, as a folder of files and a page of text (needs no daemon)" },
	{ "rules", cmd_rules, "lint|list|show|diff|import|export|verify ...",
	  "check, show, make, convert and look up rule packs (needs no daemon)" },
	{ "completion", cmd_completion, "bash|zsh|fish", "a script with which that shell completes nfqctl" },
	{ NULL, NULL, NULL, NULL },
};

static int cmd_completion(struct nfqctl *ctl, int argc, char **argv)
{
	(void)ctl;
	return print_completion(commands, argc, argv);
}

static void help(void)
{
	printf("usage: nfqctl [-s SOCKET] COMMAND ...\n\n"
	       "  -s, --socket SOCKET   the daemon's control socket (" DEFAULT_SOCKET ")\n"
	       "  -h, --help            this text\n"
	       "  -V, --version         the version\n\ncommands:\n");
	nfqctl_help(commands, "nfqctl");
	printf("\nexit status: 0 done, 1 failed, 2 usage; status: 0 protected, 1 not; status, metrics: 3 no daemon\n");
}

void nfqctl_help(const struct nfqctl_command *rows, const char *prefix)
{
	for (; rows->name; rows++)
		printf("  %s %s%s%s\n        %s\n", prefix, rows->name, *rows->args ? " " : "",
		       rows->args, rows->help);
}

int nfqctl_run(const struct nfqctl_command *rows, const char *prefix, struct nfqctl *ctl, int argc,
               char **argv)
{
	char whole[64];

	for (const struct nfqctl_command *r = rows; argc > 0 && r->name; r++)
		if (strcmp(r->name, argv[0]) == 0) {
			snprintf(whole, sizeof(whole), "%s %s", prefix, r->name);
			argv[0] = whole;
			return r->main(ctl, argc, argv);
		}
	if (argc > 0)
		wrong_usage(prefix, "unknown command '%s'", argv[0]);
	else
		wrong_usage(prefix, "a command is missing");
	fprintf(stderr, "commands:");
	for (; rows->name; rows++)
		fprintf(stderr, " %s", rows->name);
	fprintf(stderr, "\n");
	return CTL_USAGE;
}

int nfqctl_run_group(const struct nfqctl_command *rows, const char *prefix, struct nfqctl *ctl, int argc,
                     char **argv)
{
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		nfqctl_help(rows, prefix);
		return CTL_DONE;
	}
	return nfqctl_run(rows, prefix, ctl, argc - 1, argv + 1);
}

/* What a full disk did not take was not said: no success. */
static int said(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "nfqctl: standard output: %s\n", strerror(errno ? errno : EIO));
	return status == CTL_DONE ? CTL_FAILED : status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct nfqctl ctl = { .socket = DEFAULT_SOCKET };
	int           o;

	while ((o = getopt_long(argc, argv, "+s:hV", options, NULL)) != -1) {
		if (o == 's') {
			ctl.socket = optarg;
		} else if (o == 'h') {
			help();
			return said(CTL_DONE);
		} else if (o == 'V') {
			printf("nfqctl %s\n", NFQD_VERSION);
			return said(CTL_DONE);
		} else {
			return CTL_USAGE;
		}
	}
	for (int i = 1; i < argc; i++)
		if (!*argv[i]) /* a variable that was not set, in a script */
			return wrong_usage("nfqctl", "the argument after '%s' is empty", argv[i - 1]);
	argc -= optind;
	argv += optind;
	optind = 0; /* the sub-command scans its own arguments from the start */
	return said(nfqctl_run(commands, "nfqctl", &ctl, argc, argv));
}

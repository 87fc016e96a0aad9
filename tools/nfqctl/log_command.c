/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl log: the table of what can be done with records. Only `key`, and `resend` without files, ask the daemon. */
#include "log.h"
#include "nfqctl.h"

const struct nfqctl_command log_commands[] = {
	{ "verify", cmd_log_verify, "FILE... [--key KEY]... [--checkpoint FILE]...",
	  "say which records are proved to be as they were written, and which are not" },
	{ "prove", cmd_log_prove, "BOOT:SEQ|SENSOR/BOOT/SEQ FILE...",
	  "print the proof of one record, to be checked without the log" },
	{ "key", cmd_log_key, "[--rotate] [--json]", "print the key that checkpoints are verified with" },
	{ "resend", cmd_log_resend, "BOOT:FROM-TO [--output N] [FILE...]",
	  "write records again, to standard output or an output of the daemon's" },
	{ NULL, NULL, NULL, NULL },
};

int cmd_log(struct nfqctl *ctl, int argc, char **argv)
{
	return nfqctl_run_group(log_commands, "nfqctl log", ctl, argc, argv);
}

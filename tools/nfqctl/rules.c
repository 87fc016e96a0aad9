/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl rules: the table of sub-commands for rule packs. None of them needs a daemon. */
#include "nfqctl.h"

const struct nfqctl_command rules_commands[] = {
	{ "lint", cmd_rules_lint, "FILE...", "say everything that is wrong with packs" },
	{ "list", cmd_rules_list, "[--json] [--rules PATH]...", "show every rule of the packs" },
	{ "show", cmd_rules_show, "[--json] [--rules PATH]... NAME|ADDRESS|ID",
	  "what the packs say of a name, an address or an entry" },
	{ "diff", cmd_rules_diff, "[--json | --changes] OLD NEW", "what changed between two versions of a pack" },
	{ "import", cmd_rules_import, "FORMAT|auto FILE|- --out NAME.yaml [--pack ID] [--vendor TEXT] [--title TEXT] [--category WORD] [--exceptions own|global] [--force]",
	  "make a pack of a list made elsewhere" },
	{ "export", cmd_rules_export, "--format FORMAT [--categories WORD,...] [--with-log] PACK...",
	  "write packs as lists for other programs" },
	{ "verify", cmd_rules_verify,
	  "[--server ADDR[:PORT]] [--concurrency N] [--timeout S] [--json] [PACK...]",
	  "look every exact name up: which are dead, moved, the vendor's own" },
	{ "check", cmd_rules_check, "--popular FILE|- [--json] [--rules PATH]...",
	  "which names of a ranking the packs would refuse, or miss" },
	{ "cite", cmd_rules_cite, "--against FOLDER [PACK...]",
	  "read cited files again: which names stand in none of them" },
	{ "new", cmd_rules_new, "[--out FILE] VENDOR", "ask for what a pack needs, and write it" },
	{ "publish", cmd_rules_publish, "--key FILE --out FOLDER PACK... | --new-key NAME --key FILE",
	  "make a signed release of packs" },
	{ "update", cmd_rules_update, "[--from URL|FOLDER] [--key KEY]... [--check] | --rollback",
	  "take a newer release, when all of it can be verified" },
	{ "sids", cmd_rules_sids, "[--first NUMBER] FILE...", "give entries that have none a signature id" },
	{ NULL, NULL, NULL, NULL },
};

int cmd_rules(struct nfqctl *ctl, int argc, char **argv)
{
	return nfqctl_run_group(rules_commands, "nfqctl rules", ctl, argc, argv);
}

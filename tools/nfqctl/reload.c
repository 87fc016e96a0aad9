/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl reload: waits until every thread reads the new rules, or says why the old ones stay. */
#include <getopt.h>
#include <stdio.h>

#include "nfqctl.h"

static long long number(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

static void print(const json_t *answer)
{
	const json_t *pack;
	size_t        i;

	printf("generation %lld -> %lld\n", number(answer, "from"), number(answer, "to"));
	printf("entries: %lld added, %lld removed; names: %lld added, %lld removed, %lld now\n",
	       number(answer, "entries_added"), number(answer, "entries_removed"),
	       number(answer, "names_added"), number(answer, "names_removed"),
	       number(answer, "names"));
	json_array_foreach(json_object_get(answer, "packs"), i, pack)
		printf("pack %s: %s -> %s\n", text_of(pack, "pack"), text_of(pack, "from"),
		       text_of(pack, "to"));
}

int cmd_reload(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
		                                 { NULL, 0, NULL, 0 } };
	bool    as_json = false;
	json_t *answer;
	int     o, r = CTL_DONE;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o != 'j')
			return CTL_USAGE;
		as_json = true;
	}
	if (optind < argc) {
		fprintf(stderr, "usage: nfqctl reload [--json]\n");
		return CTL_USAGE;
	}
	answer = ask(ctl, json_pack("{s:s}", "command", "reload"));
	if (!answer)
		return CTL_FAILED;
	if (as_json)
		r = print_json(answer);
	else
		print(answer);
	json_decref(answer);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl reload: waits until every thread reads the new rules, or says why the old ones stay. nfqctl rotate: the
 * outputs are opened anew, and the rules stay. nfqctl handover: what the unit says before a restart.
 */
#include <stdio.h>

#include "nfqctl.h"

static void print(const json_t *answer)
{
	const json_t *pack;
	size_t        i;

	printf("generation %lld -> %lld\n", number_of(answer, "from"), number_of(answer, "to"));
	printf("entries: %lld added, %lld removed; names: %lld added, %lld removed, %lld now\n",
	       number_of(answer, "entries_added"), number_of(answer, "entries_removed"),
	       number_of(answer, "names_added"), number_of(answer, "names_removed"),
	       number_of(answer, "names"));
	json_array_foreach(json_object_get(answer, "packs"), i, pack)
		printf("pack %s: %s -> %s\n", text_of(pack, "pack"), text_of(pack, "from"),
		       text_of(pack, "to"));
}

int cmd_reload(struct nfqctl *ctl, int argc, char **argv)
{
	bool as_json = false;
	int  r = only_json(argc, argv, &as_json);

	return r >= 0 ? r : print_answer(ask(ctl, json_pack("{s:s}", "command", "reload")), as_json, print);
}

static void print_reopened(const json_t *answer)
{
	printf("%lld outputs opened anew\n", number_of(answer, "reopened"));
}

int cmd_rotate(struct nfqctl *ctl, int argc, char **argv)
{
	bool as_json = false;
	int  r = only_json(argc, argv, &as_json);

	return r >= 0 ? r
	              : print_answer(ask(ctl, json_pack("{s:s}", "command", "rotate")), as_json, print_reopened);
}

static void print_announced(const json_t *answer)
{
	printf("when nfqd ends within %lld seconds, packets wait for the next one\n", number_of(answer, "seconds"));
}

int cmd_handover(struct nfqctl *ctl, int argc, char **argv)
{
	bool as_json = false;
	int  r = only_json(argc, argv, &as_json);

	return r >= 0 ? r
	              : print_answer(ask(ctl, json_pack("{s:s}", "command", "handover")), as_json, print_announced);
}

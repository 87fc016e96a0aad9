/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report of `nfqctl rules verify` as text: made from its JSON, one line per name, so that diff can
 * compare two runs. */
#include <stdio.h>
#include <string.h>

#include "nfqctl.h"
#include "rules_verify.h"

static void print_way(const json_t *report)
{
	const json_t *canary = json_object_get(report, "canary");

	printf("# What the names of packs came to, on %s\n# server: %s\n# canary %s: %s%s%s\n",
	       text_of(report, "date"), text_of(report, "server"), VERIFY_CANARY,
	       text_of(canary, "status"), json_object_get(canary, "why") ? ": " : "",
	       json_object_get(canary, "why") ? text_of(canary, "why") : "");
	if (json_is_true(json_object_get(report, "enforcing_nfqd_seen")))
		printf("# BEHIND AN ENFORCING NFQD: what it blocks is not known here. Ask from elsewhere.\n");
	else
		printf("# no enforcing nfqd seen (a resolver between that makes up its own answers can "
		       "hide it)\n");
}

static void print_row(const json_t *row, const char *pack, int width)
{
	printf("%s  %-7s  %-*s  %s", pack, text_of(row, "status"), width, text_of(row, "name"),
	       text_of(row, "entry"));
	if (json_object_get(row, "net"))
		printf("  in the pack's own %s", text_of(row, "net"));
	if (json_object_get(row, "leads_to"))
		printf("  leads to %s, outside the pack's own zones", text_of(row, "leads_to"));
	if (json_object_get(row, "why"))
		printf("  %s", text_of(row, "why"));
	putchar('\n');
}

static void print_pack(const json_t *pack)
{
	const json_t *rows = json_object_get(pack, "results"), *row;
	int           width = 0;
	json_t       *count;
	const char   *word;
	size_t        i;

	json_array_foreach(rows, i, row) {
		int n = (int)strlen(text_of(row, "name"));

		width = n > width ? n : width;
	}
	printf("#\n# %s %s: %zu names, %lld patterns that cannot be asked for\n#",
	       text_of(pack, "pack"), text_of(pack, "version"), json_array_size(rows),
	       (long long)json_integer_value(json_object_get(pack, "patterns")));
	json_object_foreach(json_object_get(pack, "counts"), word, count)
		printf(" %s %lld", word, (long long)json_integer_value(count));
	putchar('\n');
	json_array_foreach(rows, i, row)
		print_row(row, text_of(pack, "pack"), width);
}

int verify_print(json_t *report)
{
	const json_t *pack;
	size_t        i;

	print_way(report);
	json_array_foreach(json_object_get(report, "packs"), i, pack)
		print_pack(pack);
	json_decref(report);
	return CTL_DONE;
}

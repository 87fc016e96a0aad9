/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl rules list: every entry and network of the packs, as a table or as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/pack.h"
#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules.h"

/* ---- JSON ---------------------------------------------------------------------------------- */

static void add_json(void *ctx, const struct rules_item *r)
{
	json_t *o = json_object();

	json_object_set_new(o, "pack", json_string(r->p->id));
	json_object_set_new(o, "pack_version", json_string(r->p->version));
	json_object_set_new(o, "vendor", json_string(r->p->vendor));
	json_object_set_new(o, "id", json_string(r->id));
	json_object_set_new(o, "names", rules_texts(r->names, r->n_names));
	if (r->names_file)
		json_object_set_new(o, "names_file", json_string(r->names_file));
	if (r->cidr)
		json_object_set_new(o, "cidr", json_string(r->cidr));
	if (r->asn)
		json_object_set_new(o, "asn", json_integer(r->asn));
	json_object_set_new(o, "category", json_string(category_words[r->category]));
	json_object_set_new(o, "action", json_string(entry_action_words[r->action]));
	json_object_set_new(o, "confidence", json_string(confidence_words[r->confidence]));
	json_object_set_new(o, "ports", rules_texts(r->ports, r->n_ports));
	json_object_set_new(o, "products", rules_texts(r->products, r->n_products));
	json_object_set_new(o, "sources", rules_sources(r));
	json_object_set_new(o, "side_effect", r->side_effect ? json_string(r->side_effect) : json_null());
	json_object_set_new(o, "shared", json_boolean(r->shared));
	json_array_append_new(ctx, o);
}

static int list_json(const struct packs *packs)
{
	json_t *all = json_array();

	rules_items(packs, add_json, all);
	return rules_print_json(all);
}

/* ---- the table ----------------------------------------------------------------------------- */

struct widths {
	int pack, id;
};

static int wider(int width, const char *text)
{
	int n = (int)strlen(text);

	return n > width ? n : width;
}

static void measure(void *ctx, const struct rules_item *r)
{
	struct widths *w = ctx;

	w->pack = wider(w->pack, r->p->id);
	w->id = wider(w->id, r->id);
}

static void print_row(void *ctx, const struct rules_item *r)
{
	const struct widths *w = ctx;

	printf("%-*s  %-*s  %-10s  %-6s  %-10s  ", w->pack, r->p->id, w->id, r->id,
	       category_words[r->category], entry_action_words[r->action], confidence_words[r->confidence]);
	if (r->cidr)
		printf("%s", r->cidr);
	for (unsigned i = 0; i < r->n_names; i++)
		printf("%s%s", i ? ", " : "", r->names[i]);
	if (r->names_file)
		printf("%sthose of %s", r->n_names ? ", " : "", r->names_file);
	putchar('\n');
}

static int list_table(const struct packs *packs)
{
	struct widths w = { .pack = 4, .id = 4 };

	rules_items(packs, measure, &w);
	printf("%-*s  %-*s  %-10s  %-6s  %-10s  %s\n", w.pack, "PACK", w.id, "RULE", "CATEGORY",
	       "ACTION", "CONFIDENCE", "NAMES");
	rules_items(packs, print_row, &w);
	return CTL_DONE;
}

/* ---- the command --------------------------------------------------------------------------- */

int cmd_rules_list(struct nfqctl *ctl, int argc, char **argv)
{
	struct rules_args a;
	struct packs      packs;
	int               r = rules_args(&a, argc, argv, "", "list [--json] [--rules PATH]...");

	(void)ctl;
	if (r >= 0)
		return r;
	r = CTL_FAILED;
	if (rules_load(&packs, a.paths, a.n) == 0) {
		r = a.json ? list_json(&packs) : list_table(&packs);
		packs_free(&packs);
	}
	free(a.paths);
	return r;
}

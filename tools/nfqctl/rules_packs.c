/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading packs and walking over what is in them, for the sub-commands of `nfqctl rules`. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/yaml.h"
#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules.h"

#ifndef NFQD_DATADIR
#define NFQD_DATADIR "/usr/share/nfqd/rules"
#endif

int rules_load(struct packs *out, char *const paths[], unsigned n)
{
	static char *const here[] = { "rules" }, *const installed[] = { NFQD_DATADIR };
	struct err         err = { .text = "" };

	if (n == 0) {
		paths = access("rules", F_OK) == 0 ? here : installed;
		n = 1;
	}
	if (packs_load(out, paths, n, &err) == 0)
		return 0;
	fprintf(stderr, "nfqctl: %s\n", err.text);
	return -1;
}

struct image *rules_image(const struct packs *packs)
{
	struct err           err = { .text = "" };
	struct image_builder b;
	struct image        *img = NULL;

	image_init(&b);
	if (ruleset_compile(&b, packs->v, packs->n, &err) == 0 && ruleset_index(&b, &err) == 0 &&
	    !(img = image_finish(&b)))
		err_set(&err, "out of memory");
	image_fini(&b);
	if (!img)
		fprintf(stderr, "nfqctl: %s\n", err.text);
	return img;
}

int rules_args(struct rules_args *a, int argc, char **argv, const char *words, const char *usage)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "rules", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	*a = (struct rules_args){ .paths = calloc((size_t)argc + 1, sizeof(*a->paths)) };
	if (!a->paths)
		return CTL_FAILED;
	while ((o = getopt_long(argc, argv, "jr:h", options, NULL)) != -1) {
		if (o == 'j')
			a->json = true;
		else if (o == 'r')
			a->paths[a->n++] = optarg;
		else
			break;
	}
	if (o == -1 && words_are(argc, argv, words))
		return -1;
	fprintf(o == 'h' ? stdout : stderr, "usage: nfqctl rules %s\n", usage);
	free(a->paths);
	return o == 'h' ? CTL_DONE : CTL_USAGE;
}

int rules_names(const struct pack *p, unsigned entry, rules_name *each, void *ctx, struct err *err)
{
	const struct pack_entry *e = &p->entries[entry];
	int                      r = 0;

	for (unsigned i = 0; r >= 0 && i < e->n_names; i++)
		r = each(ctx, e->names[i], p->path,
		         yaml_doc_line(p->doc, "entries[%u].names[%u]", entry, i));
	/* another is refused when the pack is checked; lint goes on, and must not read it */
	if (r >= 0 && e->names_file && pack_names_file_ok(e))
		r = pack_names_file(p, e, each, ctx, err);
	return r;
}

void rules_entry(const struct pack *p, unsigned i, struct rules_item *out)
{
	const struct pack_entry *e = &p->entries[i];

	*out = (struct rules_item){ .p = p,
		                    .id = e->id,
		                    .names = e->names,
		                    .n_names = e->n_names,
		                    .names_file = e->names_file,
		                    .ports = e->ports,
		                    .n_ports = e->n_ports,
		                    .products = e->products,
		                    .n_products = e->n_products,
		                    .sources = e->sources,
		                    .n_sources = e->n_sources,
		                    .side_effect = e->side_effect,
		                    .remark = e->remark,
		                    .category = e->category,
		                    .confidence = e->confidence,
		                    .action = e->action,
		                    .shared = e->shared };
}

void rules_net(const struct pack *p, unsigned i, struct rules_item *out)
{
	const struct pack_net *n = &p->nets[i];

	*out = (struct rules_item){ .p = p,
		                    .id = n->id,
		                    .cidr = n->cidr,
		                    .asn = n->asn,
		                    .ports = n->ports,
		                    .n_ports = n->n_ports,
		                    .sources = n->sources,
		                    .n_sources = n->n_sources,
		                    .side_effect = n->side_effect,
		                    .remark = n->remark,
		                    .category = n->category,
		                    .confidence = n->confidence,
		                    .action = n->action };
}

void rules_items(const struct packs *packs, rules_each *each, void *ctx)
{
	struct rules_item item;

	for (unsigned i = 0; i < packs->n; i++) {
		for (unsigned k = 0; k < packs->v[i]->n_entries; k++) {
			rules_entry(packs->v[i], k, &item);
			each(ctx, &item);
		}
		for (unsigned k = 0; k < packs->v[i]->n_nets; k++) {
			rules_net(packs->v[i], k, &item);
			each(ctx, &item);
		}
	}
}

json_t *rules_sources(const struct rules_item *item)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < item->n_sources; i++)
		json_array_append_new(a, json_string(rules_source(item->p, item->sources[i])));
	return a;
}

const char *rules_source(const struct pack *p, const char *id)
{
	for (unsigned i = 0; i < p->n_sources; i++)
		if (strcmp(p->sources[i].id, id) == 0)
			return p->sources[i].url   ? p->sources[i].url :
			       p->sources[i].title ? p->sources[i].title :
			                             id;
	return "";
}

json_t *rules_texts(char *const v[], unsigned n)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(a, json_string(v[i]));
	return a;
}

int rules_print_json(json_t *o)
{
	int r = json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	json_decref(o);
	putchar('\n');
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

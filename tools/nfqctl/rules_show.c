/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules show: everything that the packs say of a name or an address (each entry and network that
 * matches it, and which of them win), or of an entry or network, by its id. Sites' policies are not asked.
 */
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/pattern.h"
#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules.h"

struct show {
	struct packs   packs;
	struct ruleset rs;
	struct match   match;
	struct name    name;
	struct addr    addr; /* len 0: the word is none */
	const char    *word; /* as asked */
	json_t        *found;
	/* the entry or network at hand */
	struct rules_item item;
	bool              taken;
};

static json_t *stages(const struct pack *p, int category)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < p->n_stages; i++) {
		const struct pack_stage *s = &p->stages[i];
		bool                     covers = s->n_categories == 0;

		for (unsigned k = 0; k < s->n_categories; k++)
			covers |= s->categories[k] == category;
		if (covers)
			json_array_append_new(
				a, json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?}", "id", s->id, "from",
			                     s->from, "action", stage_action_words[s->action], "basis",
			                     basis_words[s->basis], "citation", s->citation,
			                     "profile", s->profile));
	}
	return a;
}

/* An address is asked about with a port that the network at hand is for. */
static void match_addr(struct show *x)
{
	struct rs_port port = { .first = 0 };

	if (x->item.n_ports && port_parse(x->item.ports[0], &port) < 0)
		port = (struct rs_port){ .first = 0 };
	ruleset_match_addr(&x->rs, &x->addr, port.proto ? port.proto : IPPROTO_TCP,
	                   port.first ? port.first : 443, false, &x->match);
}

static bool wins(const struct show *x)
{
	for (unsigned i = 0; i < x->match.n; i++) {
		const struct rs_rule *r = &x->rs.rules[x->match.hits[i].rule];

		if (strcmp(rs_text(&x->rs, r->id), x->item.id) == 0 &&
		    strcmp(rs_text(&x->rs, x->rs.packs[r->pack].id), x->item.p->id) == 0)
			return true;
	}
	return false;
}

static void add(struct show *x, const char *pattern)
{
	const struct rules_item *r = &x->item;
	json_t                  *o;

	o = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s, s:b, s:o, s:o, s:s?, s:s?, s:o}", "pack",
	              r->p->id, "pack_version", r->p->version, "vendor", r->p->vendor, "id", r->id,
	              "pattern", pattern, "category", category_words[r->category], "action",
	              entry_action_words[r->action], "confidence", confidence_words[r->confidence],
	              "wins", pattern && wins(x), "ports", rules_texts(r->ports, r->n_ports), "sources",
	              rules_sources(r), "side_effect", r->side_effect, "remark", r->remark, "stages",
	              stages(r->p, r->category));
	if (!pattern)
		json_object_set_new(o, "names", rules_texts(r->names, r->n_names));
	if (r->asn)
		json_object_set_new(o, "asn", json_integer(r->asn));
	json_array_append_new(x->found, o);
}

static int same(void *ctx, const char *text, size_t len)
{
	struct show *x = ctx;

	x->taken |= x->name.len == len && memcmp(x->name.text, text, len) == 0;
	return 0;
}

/* Is it this name, or one above it? */
static int same_or_above(void *ctx, const char *text, size_t len)
{
	struct show *x = ctx;
	size_t       n = x->name.len;

	x->taken |= n > len && x->name.text[n - len - 1] == '.' &&
	            memcmp(x->name.text + n - len, text, len) == 0;
	return same(ctx, text, len);
}

static int take(void *ctx, const char *name, const char *path, unsigned line)
{
	struct show   *x = ctx;
	struct err     unused = { .text = "" };
	struct pattern p;
	struct labels  l;
	uint8_t        n;

	(void)path;
	(void)line;
	if (pattern_parse(&p, name, &unused) < 0)
		return 0;
	x->taken = false;
	labels_split(&l, x->name.text, x->name.len);
	if (p.kind == PATTERN_GLOB)
		x->taken = glob_match(name, &l, &n);
	else
		pattern_expand(&p, p.below ? same_or_above : same, x);
	if (x->taken)
		add(x, name);
	return 0;
}

static void collect_net(struct show *x)
{
	struct net net;

	if (strcmp(x->item.id, x->word) == 0 || strcmp(x->item.cidr, x->word) == 0) {
		add(x, x->item.cidr);
	} else if (x->addr.len && net_parse(x->item.cidr, &net) == 0 && net_has(&net, &x->addr)) {
		match_addr(x);
		add(x, x->item.cidr);
	}
}

static int collect(struct show *x, struct err *err)
{
	for (unsigned i = 0; i < x->packs.n; i++) {
		const struct pack *p = x->packs.v[i];

		for (unsigned k = 0; k < p->n_entries; k++) {
			rules_entry(p, k, &x->item);
			if (strcmp(x->item.id, x->word) == 0)
				add(x, NULL);
			else if (!x->addr.len && rules_names(p, k, take, x, err) < 0)
				return -1;
		}
		for (unsigned k = 0; k < p->n_nets; k++) {
			rules_net(p, k, &x->item);
			collect_net(x);
		}
	}
	return 0;
}

static void print(const json_t *found)
{
	static const char *const keys[] = { "pattern", "category", "action", "confidence",
		                            "side_effect", "remark" };
	const json_t            *o, *item;
	size_t                   i, k;

	json_array_foreach(found, i, o) {
		printf("%s/%s%s\n", json_string_value(json_object_get(o, "pack")),
		       json_string_value(json_object_get(o, "id")),
		       json_is_true(json_object_get(o, "wins")) ? " (wins)" : "");
		for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			if (json_is_string(json_object_get(o, keys[k])))
				printf("  %-12s %s\n", keys[k],
				       json_string_value(json_object_get(o, keys[k])));
		json_array_foreach(json_object_get(o, "names"), k, item)
			printf("  %-12s %s\n", "name", json_string_value(item));
		json_array_foreach(json_object_get(o, "ports"), k, item)
			printf("  %-12s %s\n", "port", json_string_value(item));
		json_array_foreach(json_object_get(o, "sources"), k, item)
			printf("  %-12s %s\n", "source", json_string_value(item));
		json_array_foreach(json_object_get(o, "stages"), k, item)
			printf("  %-12s %s from %s: %s%s%s\n", "stage", text_of(item, "id"),
			       text_of(item, "from"), text_of(item, "action"),
			       json_is_string(json_object_get(item, "profile")) ? ", profile " : "",
			       json_is_string(json_object_get(item, "profile")) ? text_of(item, "profile") : "");
	}
}

/* A word with blanks or control characters in it can be nothing that a pack lists; nor may it reach the terminal. */
static int check_word(const char *word, struct err *err)
{
	for (const char *c = word; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(err, "'%s' is not a name, address or rule id", word);
	return 0;
}

static int show(struct show *x, bool json)
{
	struct err           err = { .text = "" };
	struct image_builder b;
	struct image        *img = NULL;
	int                  r;

	image_init(&b);
	r = check_word(x->word, &err);
	r = r < 0 ? r : ruleset_compile(&b, x->packs.v, x->packs.n, &err);
	r = r < 0 ? r : ruleset_index(&b, &err);
	if (r == 0 && !(img = image_finish(&b)))
		r = err_set(&err, "out of memory");
	image_fini(&b);
	if (r == 0) {
		ruleset_open(&x->rs, img);
		if (addr_parse(x->word, &x->addr) < 0 && name_canonical(&x->name, span_str(x->word)))
			ruleset_match_name(&x->rs, &x->name, &x->match);
		r = collect(x, &err);
	}
	free(img);
	if (r < 0) {
		fprintf(stderr, "nfqctl: %s\n", err.text);
		return CTL_FAILED;
	}
	if (json)
		return rules_print_json(json_incref(x->found));
	print(x->found);
	if (json_array_size(x->found) == 0)
		printf("%s: no pack lists it\n", x->word);
	return CTL_DONE;
}

int cmd_rules_show(struct nfqctl *ctl, int argc, char **argv)
{
	struct show       x = { .found = NULL };
	struct rules_args a;
	int               r = rules_args(&a, argc, argv, "NAME|ADDRESS|ID", "show [--json] [--rules PATH]... NAME|ADDRESS|ID");

	(void)ctl;
	if (r >= 0)
		return r;
	r = CTL_FAILED;
	if (rules_load(&x.packs, a.paths, a.n) == 0) {
		x.found = json_array();
		x.word = argv[optind];
		r = show(&x, a.json);
		json_decref(x.found);
		packs_free(&x.packs);
	}
	free(a.paths);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl rules diff: what changed between two versions of a pack: header, sources, stages, entries and
 * networks, their fields, their names. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules_diff.h"

static int add_name(void *ctx, const char *name, const char *path, unsigned line)
{
	(void)path;
	(void)line;
	return json_object_set_new(ctx, name, json_true());
}

static json_t *or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

/* One entry or network; takes names: an object, so that their order does not count. */
static json_t *item_json(const struct rules_item *r, json_t *names)
{
	json_t *asn = r->asn ? json_integer(r->asn) : json_null();

	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "names", names,
	                 "cidr", or_null(r->cidr), "asn", asn, "category", category_words[r->category],
	                 "action", entry_action_words[r->action], "confidence",
	                 confidence_words[r->confidence], "shared", r->shared, "ports",
	                 rules_texts(r->ports, r->n_ports), "products",
	                 rules_texts(r->products, r->n_products), "sources",
	                 rules_texts(r->sources, r->n_sources), "side_effect", or_null(r->side_effect),
	                 "remark", or_null(r->remark));
}

static json_t *stage_json(const struct pack_stage *s)
{
	json_t *categories = json_array();

	for (unsigned i = 0; i < s->n_categories; i++)
		json_array_append_new(categories, json_string(category_words[s->categories[i]]));
	return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o}", "from", s->from, "action",
	                 stage_action_words[s->action], "categories", categories, "basis",
	                 basis_words[s->basis], "citation", or_null(s->citation), "profile",
	                 or_null(s->profile));
}

static json_t *source_json(const struct pack_source *s)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "title", or_null(s->title), "url", or_null(s->url),
	                 "publisher", or_null(s->publisher), "retrieved", or_null(s->retrieved));
}

/* Keys that no entry can have for an id. */
static void put(json_t *all, const char *kind, const char *id, json_t *o)
{
	char key[128];

	snprintf(key, sizeof(key), "%s %s", kind, id);
	json_object_set_new(all, key, o);
}

static void put_head(json_t *all, const struct pack *p)
{
	put(all, "pack", p->id,
	    json_pack("{s:s, s:s, s:o, s:o, s:o}", "version", p->version, "vendor", p->vendor, "title",
	              or_null(p->title), "expires", or_null(p->expires), "license", or_null(p->license)));
	for (unsigned i = 0; i < p->n_sources; i++)
		put(all, "source", p->sources[i].id, source_json(&p->sources[i]));
	for (unsigned i = 0; i < p->n_stages; i++)
		put(all, "stage", p->stages[i].id, stage_json(&p->stages[i]));
}

static int put_items(json_t *all, const struct pack *p, struct err *err)
{
	struct rules_item item;

	for (unsigned i = 0; i < p->n_entries; i++) {
		json_t *names = json_object();
		int     r = rules_names(p, i, add_name, names, err);

		rules_entry(p, i, &item);
		json_object_set_new(all, item.id, item_json(&item, names));
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < p->n_nets; i++) {
		rules_net(p, i, &item);
		json_object_set_new(all, item.id, item_json(&item, json_object()));
	}
	return 0;
}

json_t *diff_pack(const char *path)
{
	struct err   err = { .text = "" };
	struct pack *p = pack_load(path, &err);
	json_t      *all = json_object();

	if (p)
		put_head(all, p);
	if (!p || put_items(all, p, &err) < 0) {
		fprintf(stderr, "nfqctl: %s\n", err.text);
		json_decref(all);
		all = NULL;
	}
	pack_free(p);
	return all;
}

/* The keys that only a has. */
static json_t *only_in(json_t *a, json_t *b)
{
	json_t     *keys = json_array(), *v;
	const char *key;

	json_object_foreach(a, key, v)
		if (!json_object_get(b, key))
			json_array_append_new(keys, json_string(key));
	return keys;
}

static json_t *changes(json_t *old, json_t *new)
{
	json_t     *fields = json_object(), *v;
	const char *key;

	json_object_foreach(old, key, v) {
		json_t *now = json_object_get(new, key);

		if (json_equal(v, now))
			continue;
		json_object_set_new(fields, key,
		                    json_is_object(v) ? json_pack("{s:o, s:o}", "added", only_in(now, v),
		                                                  "removed", only_in(v, now)) :
		                                        json_pack("{s:O, s:O}", "old", v, "new", now));
	}
	return fields;
}

json_t *diff_of(json_t *old, json_t *new)
{
	json_t     *changed = json_object(), *v;
	const char *id;

	json_object_foreach(old, id, v) {
		json_t *now = json_object_get(new, id);

		if (now && !json_equal(v, now))
			json_object_set_new(changed, id, changes(v, now));
	}
	return json_pack("{s:o, s:o, s:o}", "added", only_in(new, old), "removed", only_in(old, new),
	                 "changed", changed);
}

static void print(const json_t *d)
{
	static const char *const lists[] = { "added", "removed" };
	json_t                  *fields, *change, *v;
	const char              *id, *key;
	size_t                   i;

	for (unsigned l = 0; l < 2; l++)
		json_array_foreach(json_object_get(d, lists[l]), i, v)
			printf("%c %s\n", "+-"[l], json_string_value(v));
	json_object_foreach(json_object_get(d, "changed"), id, fields)
		json_object_foreach(fields, key, change) {
			char *was = json_dumps(json_object_get(change, "old"), JSON_ENCODE_ANY);
			char *now = json_dumps(json_object_get(change, "new"), JSON_ENCODE_ANY);

			if (was && now)
				printf("~ %s: %s: %s -> %s\n", id, key, was, now);
			for (unsigned l = 0; l < 2; l++)
				json_array_foreach(json_object_get(change, lists[l]), i, v)
					printf("~ %s: name %c %s\n", id, "+-"[l], json_string_value(v));
			free(was);
			free(now);
		}
}

static int diff_files(const char *from, const char *to, bool json)
{
	json_t *old = diff_pack(from), *new = old ? diff_pack(to) : NULL, *d;
	int     r = CTL_FAILED;

	if (new) {
		d = diff_of(old, new);
		if (!json)
			print(d);
		r = json ? rules_print_json(json_incref(d)) : CTL_DONE;
		json_decref(d);
	}
	json_decref(old);
	json_decref(new);
	return r;
}

int cmd_rules_diff(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
		                                 { "changes", no_argument, NULL, 'c' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	bool json = false, changes = false;
	int  o;

	(void)ctl;
	while ((o = getopt_long(argc, argv, "jh", options, NULL)) == 'j' || o == 'c') {
		json |= o == 'j';
		changes |= o == 'c';
	}
	if (o != -1 || !words_are(argc, argv, "OLD NEW") || are_both(argv[0], "--json", json, "--changes", changes)) {
		fprintf(o == 'h' ? stdout : stderr, "usage: nfqctl rules diff [--json | --changes] OLD NEW\n");
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	return changes ? diff_changes(argv[optind], argv[optind + 1]) :
	                 diff_files(argv[optind], argv[optind + 1], json);
}

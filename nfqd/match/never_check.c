/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which names of packs would block what must stay open. Both directions are checked: what the packs'
 * ruleset says about every name of the list (a broad pattern that covers one), and what the list says about
 * every name of the packs (a name below one of its zones).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "match/names.h"
#include "match/never.h"

#define PROBE "nfqd-never-probe."

struct checker {
	const struct never   *never;
	struct ruleset        list; /* the list's own */
	const struct ruleset *rs;
	struct pack *const   *packs;
	unsigned              n_packs;
	struct never_hit     *v;
	unsigned              n, room;
	bool                  failed; /* no memory */
	/* at hand: a name of the list; an entry of a pack, and the name being looked at */
	unsigned    item, name, pack, entry;
	const char *written;
};

/* ---- what was found ------------------------------------------------------------------------ */

static void found(struct checker *x, const struct never_hit *h)
{
	for (unsigned i = 0; i < x->n; i++)
		if (x->v[i].pack == h->pack && x->v[i].entry == h->entry &&
		    strcmp(x->v[i].name, h->name) == 0) {
			x->v[i].more += x->v[i].item != h->item || x->v[i].kept_at != h->kept_at;
			return;
		}
	if (x->n == x->room) {
		unsigned          room = x->room * 2 + 16;
		struct never_hit *v = realloc(x->v, room * sizeof(*v));

		x->failed |= !v;
		if (!v)
			return;
		x->v = v;
		x->room = room;
	}
	x->v[x->n++] = *h;
}

static bool may_block(const struct pack_entry *e)
{
	return e->action == ENTRY_STAGE && !e->override_reason;
}

/* The pack and the entry of a rule; NULL: the rule is a network's. Rules are in the order of entries and
 * nets. */
static const struct pack_entry *entry_of(const struct checker *x, uint32_t rule, unsigned *pack,
                                         unsigned *entry)
{
	for (*pack = 0; *pack < x->n_packs; ++*pack) {
		const struct pack *p = x->packs[*pack];

		if (rule < p->n_entries + p->n_nets) {
			*entry = rule;
			return rule < p->n_entries ? &p->entries[rule] : NULL;
		}
		rule -= p->n_entries + p->n_nets;
	}
	return NULL;
}

/* ---- names of the list, against the packs -------------------------------------------------- */

static void check_sample(struct checker *x, const char *text)
{
	const struct never_item *item = &x->never->items[x->item];
	struct name              name;
	struct match             m;

	if (!name_canonical(&name, span_str(text)))
		return;
	ruleset_match_name(x->rs, &name, &m);
	for (unsigned i = 0; i < m.n; i++) {
		struct never_hit         h = { .never = x->never,
			                       .kept = item->names[x->name],
			                       .item = x->item,
			                       .kept_at = x->name };
		unsigned                 pack;
		const struct pack_entry *e = entry_of(x, m.hits[i].rule, &pack, &h.entry);

		if (!e || !may_block(e))
			continue;
		h.pack = x->packs[pack];
		hit_pattern(x->rs, &m.hits[i], &name, h.name);
		found(x, &h);
	}
}

/* '*' becomes a label that no pack lists by itself. */
static void plain(const char *text, char out[static PATTERN_TEXT + 1])
{
	snprintf(out, PATTERN_TEXT + 1, "%s", text);
	for (char *c = out; *c; c++)
		if (*c == '*')
			*c = 'x';
}

static int check_kept(void *ctx, const char *text, size_t len)
{
	struct checker *x = ctx;
	char            name[PATTERN_TEXT + 1], below[PATTERN_TEXT + sizeof(PROBE)];

	(void)len;
	plain(text, name);
	check_sample(x, name);
	snprintf(below, sizeof(below), PROBE "%s", name);
	if (x->never->items[x->item].names[x->name][0] == '.')
		check_sample(x, below);
	return 0;
}

static void check_list(struct checker *x)
{
	struct pattern p;
	struct err     unused = { .text = "" };

	for (x->item = 0; x->item < x->never->n_items; x->item++)
		for (x->name = 0; x->name < x->never->items[x->item].n_names; x->name++)
			if (pattern_parse(&p, x->never->items[x->item].names[x->name], &unused) == 0)
				pattern_expand(&p, check_kept, x);
}

/* ---- names of packs, against the list ------------------------------------------------------ */

/* Finds the name of an item: the first one with this text. */
static unsigned kept_name(const struct checker *x, unsigned item, const char *pattern)
{
	const struct never_item *it = &x->never->items[item];

	for (unsigned i = 0; i < it->n_names; i++)
		if (strcmp(it->names[i], pattern) == 0)
			return i;
	return 0;
}

static int check_listed(void *ctx, const char *text, size_t len)
{
	struct checker  *x = ctx;
	char             one[PATTERN_TEXT + 1], pattern[NAME_TEXT + 2];
	struct never_hit h = { .never = x->never, .pack = x->packs[x->pack], .entry = x->entry };
	struct name      name;
	struct match     m;

	(void)len;
	plain(text, one);
	if (!name_canonical(&name, span_str(one)))
		return 0;
	ruleset_match_name(&x->list, &name, &m);
	if (m.n == 0 || x->list.rules[m.hits[0].rule].pack != 0)
		return 0; /* not listed, or below a shared zone */
	hit_pattern(&x->list, &m.hits[0], &name, pattern);
	h.item = x->never->item_of[m.hits[0].rule];
	h.kept_at = kept_name(x, h.item, pattern);
	h.kept = x->never->items[h.item].names[h.kept_at];
	snprintf(h.name, sizeof(h.name), "%s", x->written);
	for (char *c = h.name; *c; c++)
		*c = (char)ascii_lower((uint8_t)*c);
	found(x, &h);
	return -1; /* one name of a range is enough */
}

static int check_name(void *ctx, const char *name, const char *path, unsigned line)
{
	struct checker *x = ctx;
	struct err      unused = { .text = "" };
	struct pattern  p;

	(void)path;
	(void)line;
	x->written = name;
	if (pattern_parse(&p, name, &unused) == 0)
		pattern_expand(&p, check_listed, x);
	return 0;
}

static int check_entry(struct checker *x, struct err *err)
{
	const struct pack       *p = x->packs[x->pack];
	const struct pack_entry *e = &p->entries[x->entry];

	if (!may_block(e))
		return 0;
	for (unsigned i = 0; i < e->n_names; i++)
		check_name(x, e->names[i], NULL, 0);
	return e->names_file ? pack_names_file(p, e, check_name, x, err) : 0;
}

static int check_packs(struct checker *x, struct err *err)
{
	for (x->pack = 0; x->pack < x->n_packs; x->pack++)
		for (x->entry = 0; x->entry < x->packs[x->pack]->n_entries; x->entry++)
			if (check_entry(x, err) < 0)
				return -1;
	return 0;
}

int never_check(const struct never *n, struct pack *const packs[], unsigned n_packs,
                const struct ruleset *rs, never_say *each, void *ctx, struct err *err)
{
	struct checker x = { .never = n, .rs = rs, .packs = packs, .n_packs = n_packs };
	int            r;

	ruleset_open(&x.list, n->img);
	check_list(&x);
	r = check_packs(&x, err);
	for (unsigned i = 0; r == 0 && i < x.n; i++)
		each(ctx, &x.v[i]);
	free(x.v);
	if (x.failed)
		return err_set(err, "out of memory");
	return r < 0 ? r : (int)x.n;
}

/* ---- saying it ----------------------------------------------------------------------------- */

unsigned never_line(const struct never_hit *hit)
{
	const struct pack_entry *e = &hit->pack->entries[hit->entry];
	struct err               unused = { .text = "" };
	struct pattern           p, q;

	if (pattern_parse(&q, hit->name, &unused) == 0)
		for (unsigned i = 0; i < e->n_names; i++)
			if (pattern_parse(&p, e->names[i], &unused) == 0 && p.below == q.below &&
			    strcmp(p.text, q.text) == 0)
				return yaml_doc_line(hit->pack->doc, "entries[%u].names[%u]", hit->entry, i);
	return yaml_doc_line(hit->pack->doc, "entries[%u]", hit->entry);
}

void never_text(const struct never_hit *hit, char *out, size_t room)
{
	const struct never_item *item = &hit->never->items[hit->item];
	char                     more[40] = "";

	if (hit->more)
		snprintf(more, sizeof(more), " and %u more", hit->more);
	snprintf(out, room,
	         "entry '%s': name '%s' would block '%s'%s, which %s:%u keeps open: %s "
	         "(override: REASON, where that is meant)",
	         hit->pack->entries[hit->entry].id, hit->name, hit->kept, more, hit->never->path,
	         yaml_doc_line(hit->never->doc, "never[%u].names[%u]", hit->item, hit->kept_at),
	         item->reason);
}

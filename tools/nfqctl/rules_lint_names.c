/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lints names: each one by itself (a public suffix, not an IDNA name), and against each other (twice,
 * already covered, undone by an allow). Names of a names-file are only checked by themselves: lists made
 * elsewhere repeat themselves, which costs a ruleset nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/pattern.h"
#include "match/ruleset.h"
#include "rules_lint.h"

/* A name of a pack's own list, ranges counted out. */
struct listed {
	char                    *text; /* lower case, without a leading dot */
	bool                     below;
	unsigned                 pack, line;
	const struct pack_entry *entry;
};

struct table {
	struct lint   *lint;
	struct listed *v;
	size_t         n, room;
	bool           failed; /* no memory */
	/* being collected */
	unsigned pack, entry;
	struct listed now;
};

/* By text, then exact names before suffixes, then in the order of the packs. */
static int listed_order(const void *va, const void *vb)
{
	const struct listed *a = va, *b = vb;
	int                  r = strcmp(a->text, b->text);

	if (r)
		return r;
	if (a->below != b->below)
		return a->below ? 1 : -1;
	if (a->pack != b->pack)
		return a->pack < b->pack ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* ---- each name by itself ------------------------------------------------------------------- */

/* The part to the right of the label with the last '*': the names that the pattern can match lie below
 * it. */
static const char *fixed_part(const char *text)
{
	const char *star = strrchr(text, '*'), *dot = star ? strchr(star, '.') : NULL;

	return !star ? text : dot ? dot + 1 : "";
}

static void check_name(struct lint *l, const struct pattern *p, const char *id, const char *name,
                       const char *path, unsigned line)
{
	if (!hostname_idna_ok(p->text))
		lint_wrong(l, path, line, "entry '%s': name '%s': an xn-- label that IDNA would not make",
		           id, name);
	/* as a plain name it is one host, and lists of hosts have some */
	if (p->kind != PATTERN_EXACT && hostname_is_public_suffix(fixed_part(p->text)))
		lint_wrong(l, path, line,
		           "entry '%s': name '%s': '%s' is a public suffix, under which anyone can have "
		           "names",
		           id, name, fixed_part(p->text));
}

static int add_listed(void *ctx, const char *name, size_t len)
{
	struct table *t = ctx;

	if (t->n == t->room) {
		size_t         room = t->room * 2 + 256;
		struct listed *v = realloc(t->v, room * sizeof(*v));

		if (!v)
			return -1;
		t->v = v;
		t->room = room;
	}
	t->v[t->n] = t->now;
	t->v[t->n].text = strndup(name, len);
	if (!t->v[t->n].text)
		return -1;
	t->n++;
	return 0;
}

static int take_name(void *ctx, const char *name, const char *path, unsigned line)
{
	struct table      *t = ctx;
	const struct pack *p = t->lint->packs[t->pack];
	struct err         why = { .text = "" };
	struct pattern     pattern;
	bool               own = strcmp(path, p->path) == 0;

	t->now = (struct listed){ .pack = t->pack, .line = line, .entry = &p->entries[t->entry] };
	if (pattern_parse(&pattern, name, &why) < 0) {
		if (!own) /* otherwise already reported when the pack was checked */
			lint_wrong(t->lint, path, line, "entry '%s': name '%s': %s", t->now.entry->id,
			           name, why.text);
		t->lint->broken[t->pack] = true;
		return 0;
	}
	check_name(t->lint, &pattern, t->now.entry->id, name, path, line);
	t->now.below = pattern.below;
	if (own && pattern_expand(&pattern, add_listed, t) < 0)
		t->failed = true;
	return 0;
}

/* ---- against each other -------------------------------------------------------------------- */

static bool same_texts(char *const a[], unsigned n_a, char *const b[], unsigned n_b)
{
	if (n_a != n_b)
		return false;
	for (unsigned i = 0; i < n_a; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

/* Do neither a stage nor a policy nor a user distinguish them? */
static bool same_effect(const struct pack_entry *a, const struct pack_entry *b)
{
	return a->category == b->category && a->action == b->action &&
	       a->confidence == b->confidence && a->shared == b->shared &&
	       strcmp(a->side_effect, b->side_effect) == 0 &&
	       same_texts(a->ports, a->n_ports, b->ports, b->n_ports) &&
	       same_texts(a->products, a->n_products, b->products, b->n_products);
}

static void say_pair(struct table *t, const struct listed *x, const struct listed *other,
                     const char *what)
{
	lint_wrong(t->lint, t->lint->packs[x->pack]->path, x->line,
	           "entry '%s': name '%s%s' %s entry '%s' on line %u%s%s", x->entry->id,
	           x->below ? "." : "", x->text, what, other->entry->id, other->line,
	           x->pack == other->pack ? "" : " of ",
	           x->pack == other->pack ? "" : t->lint->packs[other->pack]->path);
}

/* Both may be right (a service that two vendors share), but a reviewer should know. */
static void warn_of_both(const struct table *t, const struct listed *a, const struct listed *b)
{
	const struct pack *p = t->lint->packs[a->pack], *q = t->lint->packs[b->pack];

	if (a->below == b->below && strcmp(p->vendor, q->vendor) != 0)
		fprintf(stderr, "%s:%u: warning: entry '%s': name '%s%s' is also in entry '%s' on line %u of %s\n",
		        q->path, b->line, b->entry->id, b->below ? "." : "", b->text, a->entry->id, a->line,
		        p->path);
}

/* Two entries with the same text, a before b: the exact one comes first. */
static void check_pair(struct table *t, const struct listed *a, const struct listed *b)
{
	bool allow_a = a->entry->action == ENTRY_ALLOW, allow_b = b->entry->action == ENTRY_ALLOW;

	if (a->pack != b->pack && (a->entry->protects == PROTECTS_PACK || b->entry->protects == PROTECTS_PACK))
		return;
	if (allow_a && !allow_b && a->below == b->below)
		say_pair(t, b, a, "has no effect: it is allowed by");
	else if (allow_b && !allow_a)
		say_pair(t, a, b, "has no effect: it is allowed by");
	else if (a->pack == b->pack && a->below == b->below)
		say_pair(t, b, a, "is already in");
	else if (a->pack != b->pack && allow_a == allow_b)
		warn_of_both(t, a, b);
}

/* The suffix pattern of the same pack at this text; NULL: there is none. */
static const struct listed *find_suffix(const struct table *t, const char *text, unsigned pack)
{
	struct listed key = { .text = (char *)text, .below = true, .pack = pack, .line = 0 };
	size_t        lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (listed_order(&t->v[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < t->n && t->v[lo].below && t->v[lo].pack == pack &&
	                       strcmp(t->v[lo].text, text) == 0 ?
	               &t->v[lo] :
	               NULL;
}

/* What would match without x: the next shorter suffix of its pack. */
static void check_covered(struct table *t, const struct listed *x)
{
	const char          *s = x->text;
	const struct listed *other = x->below ? NULL : find_suffix(t, s, x->pack);

	while (!other && (s = strchr(s, '.')))
		other = find_suffix(t, ++s, x->pack);
	if (other && same_effect(x->entry, other->entry))
		say_pair(t, x, other, "is already covered, with the same effect, by");
}

static void check_all(struct table *t)
{
	qsort(t->v, t->n, sizeof(*t->v), listed_order);
	for (size_t i = 0; i < t->n; i++) {
		for (size_t k = i; k > 0 && strcmp(t->v[k - 1].text, t->v[i].text) == 0; k--)
			check_pair(t, &t->v[k - 1], &t->v[i]);
		check_covered(t, &t->v[i]);
	}
}

void lint_names(struct lint *l)
{
	struct table t = { .lint = l };

	for (t.pack = 0; t.pack < l->n; t.pack++)
		for (t.entry = 0; t.entry < l->packs[t.pack]->n_entries; t.entry++) {
			struct err err = { .text = "" };

			if (rules_names(l->packs[t.pack], t.entry, take_name, &t, &err) == 0)
				continue;
			lint_wrong(l, NULL, 0, "%s", err.text);
			l->broken[t.pack] = true;
		}
	if (t.failed)
		lint_wrong(l, NULL, 0, "out of memory");
	else if (t.n > 0)
		check_all(&t);
	for (size_t i = 0; i < t.n; i++)
		free(t.v[i].text);
	free(t.v);
}

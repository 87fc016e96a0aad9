/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lints numbers and ids over time: each pack allots its signature ids from a block of its own, and neither
 * the number nor the id of something retired is ever reused.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/yaml.h"
#include "rules_lint.h"

/* Something that has a number, or should: an entry, a network, something retired. */
struct numbered {
	const char *what, *id;
	unsigned    sid, line;
};

struct numbers {
	struct lint       *lint;
	const struct pack *p;
	struct numbered   *v;
	unsigned           n;
};

#define LINE(p, ...) yaml_doc_line((p)->doc, __VA_ARGS__)

static int by_sid(const void *va, const void *vb)
{
	const struct numbered *a = va, *b = vb;

	if (a->sid != b->sid)
		return a->sid < b->sid ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static void add(struct numbers *x, const char *what, const char *id, unsigned sid, unsigned line)
{
	x->v[x->n++] = (struct numbered){ what, id, sid, line };
}

static void collect(struct numbers *x)
{
	const struct pack *p = x->p;

	for (unsigned i = 0; i < p->n_entries; i++)
		add(x, "entry", p->entries[i].id, p->entries[i].sid, LINE(p, "entries[%u]", i));
	for (unsigned i = 0; i < p->n_nets; i++)
		add(x, "net", p->nets[i].id, p->nets[i].sid, LINE(p, "nets[%u]", i));
	for (unsigned i = 0; i < p->n_retired; i++)
		add(x, "retired", p->retired[i].id, p->retired[i].sid, LINE(p, "retired[%u]", i));
}

unsigned lint_next_sid(const struct pack *p)
{
	unsigned next = p->sids;

	for (unsigned i = 0; i < p->n_entries; i++)
		if (p->entries[i].sid >= next)
			next = p->entries[i].sid + 1;
	for (unsigned i = 0; i < p->n_nets; i++)
		if (p->nets[i].sid >= next)
			next = p->nets[i].sid + 1;
	for (unsigned i = 0; i < p->n_retired; i++)
		if (p->retired[i].sid >= next)
			next = p->retired[i].sid + 1;
	return next;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static void check_number(struct numbers *x, const struct numbered *one)
{
	const struct pack *p = x->p;

	if (one->sid == 0 && strcmp(one->what, "retired") != 0)
		lint_wrong(x->lint, p->path, one->line, "%s '%s': missing key 'sid' (the next one is %u)",
		           one->what, one->id, lint_next_sid(p));
	else if (one->sid && (one->sid < p->sids || one->sid >= p->sids + SID_BLOCK))
		lint_wrong(x->lint, p->path, one->line,
		           "%s '%s': sid: %u is not one of the pack's, %u to %u", one->what, one->id,
		           one->sid, p->sids, p->sids + SID_BLOCK - 1);
}

static void check_block(struct numbers *x)
{
	const struct pack *p = x->p;

	if (p->sids < SID_FIRST || p->sids > SID_LAST || p->sids % SID_BLOCK)
		lint_wrong(x->lint, p->path, LINE(p, "sids"),
		           "sids: %u is not the first of %u numbers between %u and %u", p->sids,
		           SID_BLOCK, SID_FIRST, SID_LAST);
	for (unsigned i = 0; i < x->n; i++)
		check_number(x, &x->v[i]);
}

static void check_same(struct numbers *x)
{
	qsort(x->v, x->n, sizeof(*x->v), by_sid);
	for (unsigned i = 1; i < x->n; i++)
		if (x->v[i].sid && x->v[i].sid == x->v[i - 1].sid)
			lint_wrong(x->lint, x->p->path, x->v[i].line,
			           "%s '%s': sid: %u is already used on line %u", x->v[i].what, x->v[i].id,
			           x->v[i].sid, x->v[i - 1].line);
}

/* Without a block of its own a pack has no numbers to give away. */
static void check_none(struct numbers *x)
{
	for (unsigned i = 0; i < x->n; i++)
		if (x->v[i].sid)
			lint_wrong(x->lint, x->p->path, x->v[i].line,
			           "%s '%s': sid: needs 'sids' in the pack's header", x->v[i].what,
			           x->v[i].id);
}

/* ---- what is retired, and dates ------------------------------------------------------------ */

static void check_retired(struct numbers *x)
{
	const struct pack *p = x->p;

	for (unsigned i = 0; i < p->n_retired; i++)
		for (unsigned k = 0; k < x->n; k++)
			if (strcmp(x->v[k].what, "retired") != 0 &&
			    strcmp(x->v[k].id, p->retired[i].id) == 0)
				lint_wrong(x->lint, p->path, x->v[k].line,
				           "%s '%s': this id was retired on line %u and is not used again",
				           x->v[k].what, x->v[k].id, LINE(p, "retired[%u]", i));
}

static void check_reviewed(struct lint *l, const struct pack *p)
{
	int64_t added, reviewed;

	for (unsigned i = 0; i < p->n_entries; i++) {
		const struct pack_entry *e = &p->entries[i];

		if (e->added && e->reviewed && clock_parse(e->added, &added) == 0 &&
		    clock_parse(e->reviewed, &reviewed) == 0 && reviewed < added)
			lint_wrong(l, p->path, LINE(p, "entries[%u].reviewed", i),
			           "entry '%s': reviewed: '%s' is before it was added", e->id, e->reviewed);
	}
}

void lint_sids(struct lint *l, const struct pack *p)
{
	struct numbers x = { .lint = l, .p = p };

	x.v = calloc(p->n_entries + p->n_nets + p->n_retired + 1U, sizeof(*x.v));
	if (!x.v) {
		lint_wrong(l, NULL, 0, "out of memory");
		return;
	}
	collect(&x);
	check_retired(&x);
	if (p->sids)
		check_block(&x);
	else
		check_none(&x);
	if (p->sids)
		check_same(&x);
	check_reviewed(l, p);
	free(x.v);
}

void lint_blocks(struct lint *l)
{
	for (unsigned a = 0; a < l->n; a++)
		for (unsigned b = 0; b < a; b++)
			if (l->packs[a]->sids && l->packs[a]->sids == l->packs[b]->sids)
				lint_wrong(l, l->packs[a]->path, LINE(l->packs[a], "sids"),
				           "sids: %u is already the block of %s", l->packs[a]->sids,
				           l->packs[b]->path);
}

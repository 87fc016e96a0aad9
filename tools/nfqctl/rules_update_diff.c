/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a release changes: packs and their versions, and the names that would be refused from then on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/policy.h"
#include "match/pattern.h"
#include "rules_update.h"

enum { SHOWN = 20 }; /* names */

/* One side of the comparison. */
struct side {
	struct packs   packs;
	struct image  *img;
	struct ruleset rs;
};

struct diff {
	struct side  *from, *to;
	int64_t       now;
	unsigned long n;
	const char   *sign;
};

static int side_open(struct side *s, char *folder)
{
	if (rules_load(&s->packs, &folder, 1) < 0)
		return -1;
	s->img = rules_image(&s->packs);
	if (!s->img)
		return -1;
	ruleset_open(&s->rs, s->img);
	return 0;
}

static void side_close(struct side *s)
{
	packs_free(&s->packs);
	free(s->img);
}

static bool refused(const struct side *s, const struct name *name, int64_t now)
{
	struct match m;

	ruleset_match_name(&s->rs, name, &m);
	for (unsigned i = 0; i < m.n; i++) {
		const struct rs_rule *r = &s->rs.rules[m.hits[i].rule];
		int32_t stage = stage_in_force(&s->rs, &s->rs.packs[r->pack], r->category, now);

		if (r->action == ENTRY_STAGE && stage >= 0 && s->rs.stages[stage].action != ACTION_LOG)
			return true;
	}
	return false;
}

/* A name of the side at hand that the other side would let pass; of a '*', one that it stands for. */
static int compare(void *ctx, const char *text, size_t len)
{
	struct diff *d = ctx;
	char         one[PATTERN_TEXT + 1];
	struct name  name;

	(void)len;
	snprintf(one, sizeof(one), "%s", text);
	for (char *c = one; *c; c++)
		*c = *c == '*' ? 'x' : *c;
	if (!name_canonical(&name, span_str(one)) || !refused(d->to, &name, d->now) ||
	    refused(d->from, &name, d->now))
		return 0;
	if (d->n++ < SHOWN)
		printf("%s %s\n", d->sign, text);
	return 0;
}

static int take(void *ctx, const char *text, const char *path, unsigned line)
{
	struct err     unused = { .text = "" };
	struct pattern p;

	(void)path;
	(void)line;
	if (pattern_parse(&p, text, &unused) == 0)
		pattern_expand(&p, compare, ctx);
	return 0;
}

/* Names that one side refuses and the other does not; returns how many. */
static unsigned long names(struct side *from, struct side *to, const char *sign)
{
	struct diff d = { .from = from, .to = to, .sign = sign, .now = (int64_t)(clock_now() / NS_PER_S) };
	struct err  unused = { .text = "" };

	for (unsigned i = 0; i < to->packs.n; i++)
		for (unsigned k = 0; k < to->packs.v[i]->n_entries; k++)
			if (rules_names(to->packs.v[i], k, take, &d, &unused) < 0)
				return d.n;
	if (d.n > SHOWN)
		printf("%s ... and %lu more\n", sign, d.n - SHOWN);
	return d.n;
}

static const struct pack *find(const struct packs *packs, const char *id)
{
	for (unsigned i = 0; i < packs->n; i++)
		if (strcmp(packs->v[i]->id, id) == 0)
			return packs->v[i];
	return NULL;
}

static void versions(const struct packs *old, const struct packs *now)
{
	for (unsigned i = 0; i < now->n; i++) {
		const struct pack *p = now->v[i], *before = find(old, p->id);

		if (!before)
			printf("pack %s %s: new\n", p->id, p->version);
		else if (strcmp(before->version, p->version) != 0)
			printf("pack %s %s -> %s\n", p->id, before->version, p->version);
	}
	for (unsigned i = 0; i < old->n; i++)
		if (!find(now, old->v[i]->id))
			printf("pack %s %s: gone\n", old->v[i]->id, old->v[i]->version);
}

struct both {
	struct side *old, *now;
	int64_t      at;
};

static bool refuses(void *ctx, bool after, const char *text)
{
	struct both *b = ctx;
	struct name  name;

	return name_canonical(&name, span_str(text)) && refused(after ? b->now : b->old, &name, b->at);
}

int update_diff(struct updater *u, uint64_t current)
{
	struct side   old = { .img = NULL }, now = { .img = NULL };
	struct both   both = { &old, &now, (int64_t)(clock_now() / NS_PER_S) };
	char          path[UPDATE_PATH];
	unsigned long more, less;
	int           r = -1;

	if (current == 0)
		return 0;
	if (snprintf(path, sizeof(path), "%s/%" PRIu64, u->into, current) < (int)sizeof(path) &&
	    side_open(&old, path) == 0 && side_open(&now, u->staged) == 0) {
		versions(&old.packs, &now.packs);
		more = names(&old, &now, "+");
		less = names(&now, &old, "-");
		printf("%lu names would be refused that were not, %lu no longer\n", more, less);
		r = update_seen_diff(u, refuses, &both);
	}
	side_close(&old);
	side_close(&now);
	return r < 0 ? err_set(&u->err, "%s: the release cannot be compared", u->into) : 0;
}

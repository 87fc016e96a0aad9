/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which names an export blocks and which it keeps open: what the matcher says about every pattern and the
 * names below it, and how much of that the format can express.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/policy.h"
#include "match/pattern.h"
#include "rules_export.h"

/* ---- what is blocked ----------------------------------------------------------------------- */

bool export_blocks(const struct exporter *x, const struct rs_rule *r)
{
	int32_t stage;

	if (r->action == ENTRY_ALLOW || !(x->categories & 1U << r->category))
		return false;
	if (x->with_log)
		return true;
	stage = stage_in_force(&x->rs, &x->rs.packs[r->pack], r->category,
	                       (int64_t)(clock_now() / NS_PER_S));
	return r->action == ENTRY_STAGE && stage >= 0 && x->rs.stages[stage].action == ACTION_REJECT;
}

static bool name_blocked(const struct exporter *x, const char *text)
{
	struct name  name;
	struct match m;

	if (!name_canonical(&name, span_str(text)))
		return false;
	ruleset_match_name(&x->rs, &name, &m);
	for (unsigned i = 0; i < m.n; i++)
		if (export_blocks(x, &x->rs.rules[m.hits[i].rule]))
			return true;
	return false;
}

/* Are names below this one blocked, except those that are listed themselves? */
static bool below_blocked(const struct exporter *x, const char *text)
{
	char probe[HOST_TEXT + 20];

	snprintf(probe, sizeof(probe), "nfqd-export-probe.%s", text);
	return name_blocked(x, probe);
}

static bool parent_blocked(const struct exporter *x, const char *text)
{
	const char *dot = strchr(text, '.');

	return dot && below_blocked(x, dot + 1);
}

/* ---- holes --------------------------------------------------------------------------------- */

static int text_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* No suffix at this text or above it can be written without an exception, which this format lacks. */
static void add_hole(struct exporter *x, const char *text)
{
	for (; text; text = strchr(text, '.')) {
		char **v;

		text += *text == '.';
		v = realloc(x->holes, (x->n_holes + 1) * sizeof(*v));
		if (v)
			x->holes = v;
		if (!v || !(x->holes[x->n_holes] = strdup(text))) {
			err_set(&x->err, "out of memory");
			return;
		}
		x->n_holes++;
	}
}

static bool has_hole(const struct exporter *x, const char *text)
{
	return x->n_holes &&
	       bsearch(&text, x->holes, x->n_holes, sizeof(*x->holes), text_order) != NULL;
}

/* ---- names --------------------------------------------------------------------------------- */

/* Between a wildcard and a name below it a zone gets nodes that the wildcard does not reach. */
static void unhide(struct exporter *x, const char *text)
{
	const char *dot = strchr(text, '.');

	if (!x->format->hides || !dot || strcmp(dot + 1, x->parent) == 0)
		return; /* a sibling has done it */
	snprintf(x->parent, sizeof(x->parent), "%s", dot + 1);
	for (; dot && below_blocked(x, dot + 1) && !has_hole(x, dot + 1); dot = strchr(dot + 1, '.'))
		x->format->block(x->body, &(struct export_name){ .text = dot + 1,
		                                                 .below = true,
		                                                 .below_blocked = true });
}

/* The last labels of a name. */
static const char *tail(const char *text, unsigned labels)
{
	const char *at = text + strlen(text);

	while (at > text && (at[-1] != '.' || --labels > 0))
		at--;
	return at;
}

/* Is an exception around a name, which the format lets win over a longer pattern, written too? */
static bool inside_exception(const struct exporter *x, const char *text)
{
	struct hit  hits[32];
	struct name name;
	unsigned    n;

	if (!x->format->exceptions_win || !name_canonical(&name, span_str(text)))
		return false;
	n = ruleset_match_all(&x->rs, &name, hits, 32);
	for (unsigned i = 0; i < n && i < 32; i++) {
		const struct rs_rule *r = &x->rs.rules[hits[i].rule];

		if (hits[i].kind != PATTERN_EXACT && !export_blocks(x, r) &&
		    (r->action == ENTRY_ALLOW || parent_blocked(x, tail(name.text, hits[i].labels))))
			return true;
	}
	return false;
}

static void block(struct exporter *x, struct export_name *n)
{
	if (inside_exception(x, n->text)) {
		export_lose(x, LOST_INSIDE, n->below ? "." : "", n->text);
		return;
	}
	if (n->below && !n->apex_blocked && x->format->needs_apex) {
		export_lose(x, LOST_APEX, ".", n->text);
		return;
	}
	if (n->below ? !n->below_blocked : !n->apex_blocked)
		return; /* a longer pattern, or an allow of another pack, takes precedence */
	if (n->below && (!x->format->says_below || has_hole(x, n->text))) {
		export_lose(x, x->format->says_below ? LOST_HOLE : LOST_BELOW, ".", n->text);
		n->below = false;
	}
	n->below_blocked &= !has_hole(x, n->text);
	if (!n->below && !n->apex_blocked)
		return;
	x->names++;
	unhide(x, n->text);
	x->format->block(x->body, n);
}

/* Is a name one that a pattern with '*' would block? */
static bool in_glob(const struct exporter *x, const char *text)
{
	struct hit  hits[32];
	struct name name;
	unsigned    n;

	if (!name_canonical(&name, span_str(text)))
		return false;
	n = ruleset_match_all(&x->rs, &name, hits, 32);
	for (unsigned i = 0; i < n && i < 32; i++)
		if (hits[i].kind == PATTERN_GLOB && export_blocks(x, &x->rs.rules[hits[i].rule]))
			return true;
	return false;
}

/* What is not blocked matters only below something that is; an allow is always written. */
static void keep_open(struct exporter *x, const struct export_name *n, bool allow)
{
	bool inside = parent_blocked(x, n->text) || (!n->below && n->below_blocked) ||
	              (x->format->glob && in_glob(x, n->text));

	if (n->below ? n->below_blocked : n->apex_blocked)
		return;
	if (!inside && !allow)
		return;
	if (x->collecting && !x->format->says_exceptions && inside)
		add_hole(x, n->text);
	if (x->collecting)
		return;
	if (!x->format->says_exceptions) {
		if (allow)
			export_lose(x, LOST_EXCEPTION, n->below ? "." : "", n->text);
		return;
	}
	if (x->format->opens_below && !n->below && n->below_blocked)
		export_lose(x, LOST_OPEN, "", n->text);
	x->exceptions++;
	unhide(x, n->text);
	x->format->open(x->body, n);
}

static int take_name(void *ctx, const char *text, size_t len)
{
	struct exporter      *x = ctx;
	const struct rs_rule *r = &x->rs.rules[x->rule];
	struct export_name    n = { .text = text,
		                    .below = x->below,
		                    .rs = &x->rs,
		                    .rule = r,
		                    .apex_blocked = name_blocked(x, text),
		                    .below_blocked = below_blocked(x, text) };

	(void)len;
	if (!export_blocks(x, r))
		keep_open(x, &n, r->action == ENTRY_ALLOW);
	else if (!x->collecting)
		block(x, &n);
	return 0;
}

/* Written as the format requires; what only stays open is left out where nothing around it is blocked. */
static void write_glob(struct exporter *x, const struct pattern *p, const char *around)
{
	const struct rs_rule *r = &x->rs.rules[x->rule];
	bool                  blocked = export_blocks(x, r);
	struct export_name    n = { .text = p->text, .below = p->below, .rs = &x->rs, .rule = r };

	if (!blocked && r->action != ENTRY_ALLOW && !(around && below_blocked(x, around)))
		return;
	x->names += blocked;
	x->exceptions += !blocked;
	x->format->glob(x->body, &n, blocked);
}

/* Where a format has no globs, a glob is left out, and so is whatever would cover it. */
static void take_glob(struct exporter *x, const char *name, const struct pattern *p)
{
	const char *star = strrchr(p->text, '*'), *dot = strchr(star, '.');

	if (x->format->glob) {
		if (!x->collecting)
			write_glob(x, p, dot ? dot + 1 : NULL);
		return;
	}

	if (!x->collecting && x->rs.rules[x->rule].action != ENTRY_ALLOW &&
	    export_blocks(x, &x->rs.rules[x->rule]))
		export_lose(x, LOST_GLOB, "", name);
	else if (x->collecting && dot && !export_blocks(x, &x->rs.rules[x->rule]))
		add_hole(x, dot + 1);
}

static void count_left_out(struct exporter *x, const char *name)
{
	const struct rs_rule *r = &x->rs.rules[x->rule];

	if (x->collecting || r->action == ENTRY_ALLOW || export_blocks(x, r))
		return;
	export_lose(x, x->categories & 1U << r->category ? LOST_LOG : LOST_CATEGORY, "", name);
}

static int take_pattern(void *ctx, const char *name, const char *path, unsigned line)
{
	struct exporter *x = ctx;
	struct pattern   p;

	if (x->format->row) {
		x->format->row(x->body, x->packs[x->pack], x->sha256[x->pack], x->entry, name);
		return 0;
	}
	if (pattern_parse(&p, name, &(struct err){ .text = "" }) < 0)
		return err_set(&x->err, "%s:%u: name '%s' is not a pattern", path, line, name);
	count_left_out(x, name);
	x->below = p.below;
	if (p.kind == PATTERN_GLOB)
		take_glob(x, name, &p);
	else
		pattern_expand(&p, take_name, x);
	return x->err.text[0] ? -1 : 0;
}

/* Rules are in the ruleset in the order of entries and networks in the packs. */
static int each_pattern(struct exporter *x)
{
	x->rule = 0;
	for (x->pack = 0; x->pack < x->n; x->pack++) {
		const struct pack *p = x->packs[x->pack];

		for (x->entry = 0; x->entry < p->n_entries; x->entry++, x->rule++)
			if ((x->format->row == NULL || x->categories & 1U << p->entries[x->entry].category) &&
			    rules_names(p, x->entry, take_pattern, x, &x->err) < 0)
				return -1;
		x->rule += p->n_nets;
	}
	return 0;
}

int export_names(struct exporter *x)
{
	x->collecting = true;
	if (!x->format->row && each_pattern(x) < 0)
		return -1;
	if (x->n_holes)
		qsort(x->holes, x->n_holes, sizeof(*x->holes), text_order);
	x->collecting = false;
	return each_pattern(x);
}

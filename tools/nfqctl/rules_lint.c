/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules lint: everything that is wrong with packs, one problem per line. match/pack_check.c finds
 * what a daemon refuses; this file finds what a daemon could live with but a reviewer should not.
 * rules_lint_names.c checks names.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/yaml.h"
#include "match/never.h"
#include "nfqctl.h"
#include "rules_lint.h"

#define UNATTRIBUTED "urn:nfqd:unattributed" /* the source that has no address */

static void say(void *ctx, const char *text)
{
	struct lint *l = ctx;

	l->problems++;
	fprintf(stderr, "%s\n", text);
}

void lint_wrong(struct lint *l, const char *path, unsigned line, const char *fmt, ...)
{
	struct err one = { .text = "" };
	va_list    ap;

	va_start(ap, fmt);
	err_vset_at(&one, path, line, fmt, ap);
	va_end(ap);
	say(l, one.text);
}

void lint_warn(const char *path, unsigned line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: warning: ", path, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
}

#define WRONG(l, p, line, ...) lint_wrong(l, (p)->path, line, __VA_ARGS__)
#define LINE(p, ...)           yaml_doc_line((p)->doc, __VA_ARGS__)

/* ---- entries and networks -------------------------------------------------------------------- */

static bool all_unattributed(const struct rules_item *r)
{
	for (unsigned i = 0; i < r->n_sources; i++)
		if (strcmp(rules_source(r->p, r->sources[i]), UNATTRIBUTED) != 0)
			return false;
	return r->n_sources > 0;
}

/* A sighting without an address never blocks by itself, and says that it is weak. */
static void check_unattributed(struct lint *l, const struct rules_item *r, const char *what,
                               const char *id, unsigned line)
{
	if (all_unattributed(r) && (r->confidence != CONF_LOW || r->action == ENTRY_STAGE))
		WRONG(l, r->p, line,
		      "%s '%s': its only source is '%s': needs confidence low and action log or allow",
		      what, id, r->sources[0]);
}

static void check_entries(struct lint *l, const struct pack *p)
{
	struct rules_item r;

	for (unsigned i = 0; i < p->n_entries; i++) {
		rules_entry(p, i, &r);
		check_unattributed(l, &r, "entry", r.id, LINE(p, "entries[%u]", i));
	}
}

/* Networks that no single owner holds: the counterpart of a public suffix. */
enum { WIDEST_4 = 8, WIDEST_6 = 16 };

static void check_net(struct lint *l, const struct rules_item *r, unsigned line)
{
	char       text[ADDR_TEXT + 8];
	struct net net;

	if (!r->side_effect)
		WRONG(l, r->p, line, "net '%s': missing key 'side_effect'", r->cidr);
	if (net_parse(r->cidr, &net) < 0)
		return; /* already reported when the pack was checked */
	addr_text(&net.addr, text);
	snprintf(text + strlen(text), 8, "/%u", net.bits);
	if (strcmp(text, r->cidr) != 0)
		WRONG(l, r->p, line, "net '%s': write it as '%s'", r->cidr, text);
	if (net.bits < (net.addr.len == 4 ? WIDEST_4 : WIDEST_6) && r->n_ports == 0 &&
	    r->action == ENTRY_STAGE)
		WRONG(l, r->p, line,
		      "net '%s': wider than what one vendor holds: needs 'ports' or action log", r->cidr);
}

static void check_nets(struct lint *l, const struct pack *p)
{
	struct rules_item r;

	for (unsigned i = 0; i < p->n_nets; i++) {
		rules_net(p, i, &r);
		check_net(l, &r, LINE(p, "nets[%u]", i));
		check_unattributed(l, &r, "net", r.cidr, LINE(p, "nets[%u]", i));
	}
}

/* ---- stages -------------------------------------------------------------------------------- */

static unsigned stage_bits(const struct pack_stage *s)
{
	unsigned bits = s->n_categories ? 0 : ~0U;

	for (unsigned i = 0; i < s->n_categories; i++)
		bits |= 1U << s->categories[i];
	return bits;
}

/* Which of two stages of the same hour is in force must not depend on their order in the file. */
static bool same_profile(const struct pack_stage *a, const struct pack_stage *b)
{
	return !a->profile || !b->profile || strcmp(a->profile, b->profile) == 0;
}

static void check_same_hour(struct lint *l, const struct pack *p, unsigned i)
{
	int64_t at, other;

	for (unsigned k = 0; k < i; k++)
		if (clock_parse(p->stages[i].from, &at) == 0 &&
		    clock_parse(p->stages[k].from, &other) == 0 && at == other &&
		    same_profile(&p->stages[i], &p->stages[k]) &&
		    stage_bits(&p->stages[i]) & stage_bits(&p->stages[k]))
			WRONG(l, p, LINE(p, "stages[%u]", i),
			      "stage '%s': begins with stage '%s' and covers a category of it",
			      p->stages[i].id, p->stages[k].id);
}

static bool has_vendor_source(const struct pack *p)
{
	for (unsigned i = 0; i < p->n_sources; i++)
		if (p->sources[i].publisher && strcmp(p->sources[i].publisher, "vendor") == 0)
			return true;
	return false;
}

/*
 * A citation must support what it is cited for. What the pack alone can show: a law has a number to find it
 * by; no text covers every category, so a stage that blocks by law or by the vendor's word names its
 * categories; and what the vendor says comes from a source of the vendor's.
 */
static const char *citation_gap(const struct pack *p, const struct pack_stage *s)
{
	if (s->basis == BASIS_LAW && strcspn(s->citation, "0123456789") == strlen(s->citation))
		return "basis law, but the citation has no number to find the law by";
	if (s->basis != BASIS_SITE && s->action == ACTION_REJECT && s->n_categories == 0)
		return "blocks every category, which no citation covers: name them under 'categories', "
		       "or write basis: site";
	if (s->basis == BASIS_VENDOR && !has_vendor_source(p))
		return "basis vendor, but no source of the pack has publisher: vendor";
	return NULL;
}

static void warn(const struct pack *p, unsigned line, const char *what, const char *id,
                 const char *text)
{
	lint_warn(p->path, line, "%s '%s' %s", what, id, text);
}

static void check_stages(struct lint *l, const struct pack *p)
{
	for (unsigned i = 0; i < p->n_stages; i++) {
		const struct pack_stage *s = &p->stages[i];
		const char              *why = s->citation ? citation_gap(p, s) : NULL;

		if (!s->citation)
			WRONG(l, p, LINE(p, "stages[%u]", i), "stage '%s': missing key 'citation'",
			      s->id);
		if (why)
			warn(p, LINE(p, "stages[%u]", i), "stage", s->id, why);
		check_same_hour(l, p, i);
	}
}

/* ---- the pack as a whole ------------------------------------------------------------------- */

static void check_has_tests(struct lint *l, const struct pack *p)
{
	const struct pack_tests *t = p->tests;
	unsigned                 line = LINE(p, "tests");

	if (p->n_entries == 0)
		return;
	if (!t || t->n_match + t->n_allow == 0)
		WRONG(l, p, line,
		      "tests: needs at least one name that must match ('match' or 'allow')");
	if (!t || t->n_no_match == 0)
		WRONG(l, p, line, "tests: needs at least one name that must not match ('no_match')");
}

static void check_expired(struct lint *l, const struct pack *p)
{
	char text[64];

	(void)l;
	snprintf(text, sizeof(text), "expired on %s", p->expires ? p->expires : "");
	if (pack_expired(p))
		warn(p, LINE(p, "expires"), "pack", p->id, text);
}

static void lint_pack(struct lint *l, unsigned i)
{
	static void (*const checks[])(struct lint *, const struct pack *) = {
		lint_sources, check_entries,   check_nets,
		check_stages, check_has_tests, check_expired,
		lint_sids,
	};
	struct err err = { .text = "" };

	l->broken[i] = pack_check(l->packs[i], &err) < 0;
	for (size_t k = 0; k < sizeof(checks) / sizeof(checks[0]); k++)
		checks[k](l, l->packs[i]);
}

static void run_tests(struct lint *l, struct pack *p, bool broken)
{
	struct err err = { .text = "" };
	unsigned   before = l->problems;

	if (pack_test(p, &err) < 0 && l->problems == before && !broken)
		say(l, err.text); /* about the file as a whole, without a line */
}

/* ---- all packs together -------------------------------------------------------------------- */

/* Records and policies identify packs and entries only by their ids. */
static void check_ids(struct lint *l)
{
	for (unsigned a = 0; a < l->n; a++)
		for (unsigned b = 0; b < a; b++) {
			const struct pack *p = l->packs[a], *q = l->packs[b];

			if (strcmp(p->id, q->id) == 0)
				WRONG(l, p, LINE(p, "pack"), "pack '%s': this id is already used in %s",
				      p->id, q->path);
			for (unsigned i = 0; i < p->n_entries; i++)
				for (unsigned k = 0; k < q->n_entries; k++)
					if (strcmp(p->entries[i].id, q->entries[k].id) == 0)
						WRONG(l, p, LINE(p, "entries[%u].id", i),
						      "entry '%s': this id is already used in %s "
						      "on line %u",
						      p->entries[i].id, q->path,
						      LINE(q, "entries[%u].id", k));
		}
}

static void lint_never_file(struct lint *l, const char *path)
{
	struct err    err = { .text = "" };
	struct never *never = never_load(path, say, l, &err);

	l->never_broken |= !never;
	never_free(never);
}

static void lint_file(struct lint *l, const char *path)
{
	struct err       err = { .text = "" };
	unsigned         before = l->problems;
	struct yaml_doc *doc = yaml_doc_open(path, say, l, &err);
	bool             never = doc && never_is(doc);
	struct pack     *p = NULL;

	yaml_doc_free(doc);
	if (never)
		lint_never_file(l, path);
	else if (doc)
		p = pack_open(path, say, l, &err);
	if (p)
		l->packs[l->n++] = p;
	else if (!never && l->problems == before)
		say(l, err.text);
}

/* Finds the list of what must stay open that applies to these packs. */
static void lint_find_never(struct lint *l, char *const paths[], unsigned n)
{
	struct err err = { .text = "" };

	l->never = never_find(paths, n, &err);
	if (!l->never && !l->never_broken)
		say(l, err.text);
}

static int lint_all(char *const paths[], unsigned n)
{
	struct lint l = { .packs = calloc(n, sizeof(*l.packs)),
		          .broken = calloc(n, sizeof(*l.broken)) };

	if (!l.packs || !l.broken)
		say(&l, "out of memory");
	else
		for (unsigned i = 0; i < n; i++)
			lint_file(&l, paths[i]);
	lint_find_never(&l, paths, n);
	for (unsigned i = 0; i < l.n; i++)
		lint_pack(&l, i);
	lint_names(&l);
	check_ids(&l);
	lint_blocks(&l);
	for (unsigned i = 0; i < l.n; i++) {
		if (l.broken[i])
			lint_mend(l.packs[i]);
		run_tests(&l, l.packs[i], l.broken[i]);
		lint_never(&l, l.packs[i], l.broken[i]);
		pack_free(l.packs[i]);
	}
	never_free(l.never);
	free(l.packs);
	free(l.broken);
	return l.problems ? CTL_FAILED : CTL_DONE;
}

int cmd_rules_lint(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	int                        o;

	(void)ctl;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		fprintf(o == 'h' ? stdout : stderr, "usage: nfqctl rules lint FILE...\n");
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	if (!words_are(argc, argv, "FILE...")) {
		fprintf(stderr, "usage: nfqctl rules lint FILE...\n");
		return CTL_USAGE;
	}
	return lint_all(argv + optind, (unsigned)(argc - optind));
}

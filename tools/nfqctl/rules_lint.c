/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules lint: everything that is wrong with a pack, one problem per line. What a daemon refuses
 * is found by match/pack.c; here is what it could live with but a reviewer should not.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/yaml.h"
#include "match/names.h"
#include "match/pack.h"
#include "nfqctl.h"

struct lint {
	const struct pack *p;
	unsigned           problems;
};

static void say(void *ctx, const char *text)
{
	struct lint *l = ctx;

	l->problems++;
	fprintf(stderr, "%s\n", text);
}

/* Through the document, whose problems say() is told. */
#define WRONG(l, line, ...)                                                                        \
	do {                                                                                       \
		struct err unused = { .text = "" };                                                \
		yaml_doc_error((l)->p->doc, &unused, line, __VA_ARGS__);                           \
	} while (0)
#define LINE(l, ...) yaml_doc_line((l)->p->doc, __VA_ARGS__)

/* ---- names given twice --------------------------------------------------------------------- */

struct named {
	char    *text;
	unsigned entry, name;
};

static int named_order(const void *va, const void *vb)
{
	const struct named *a = va, *b = vb;
	int                 r = strcmp(a->text, b->text);

	if (r)
		return r;
	if (a->entry != b->entry)
		return a->entry < b->entry ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name;
}

/* As it is indexed: lower case, without a trailing dot. NULL: no pattern. */
static char *canonical(const char *name)
{
	struct err     unused = { .text = "" };
	struct pattern p;
	char          *text;

	if (pattern_parse(&p, name, &unused) < 0)
		return NULL;
	return asprintf(&text, "%s%s", p.below ? "." : "", p.text) < 0 ? NULL : text;
}

static unsigned collect(const struct pack *p, struct named *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n_entries; i++)
		for (unsigned k = 0; k < p->entries[i].n_names; k++) {
			out[n] = (struct named){ canonical(p->entries[i].names[k]), i, k };
			n += out[n].text != NULL;
		}
	return n;
}

static void check_twice(struct lint *l)
{
	const struct pack *p = l->p;
	unsigned           n = 0;
	struct named      *v;

	for (unsigned i = 0; i < p->n_entries; i++)
		n += p->entries[i].n_names;
	v = calloc(n + 1U, sizeof(*v));
	if (!v)
		return;
	n = collect(p, v);
	qsort(v, n, sizeof(*v), named_order);
	for (unsigned i = 1; i < n; i++)
		if (strcmp(v[i].text, v[i - 1].text) == 0)
			WRONG(l, LINE(l, "entries[%u].names[%u]", v[i].entry, v[i].name),
			      "entry '%s': name '%s' is already in entry '%s' on line %u",
			      p->entries[v[i].entry].id, v[i].text, p->entries[v[i - 1].entry].id,
			      LINE(l, "entries[%u].names[%u]", v[i - 1].entry, v[i - 1].name));
	for (unsigned i = 0; i < n; i++)
		free(v[i].text);
	free(v);
}

/* ---- proof and tests ----------------------------------------------------------------------- */

static void check_proof(struct lint *l)
{
	const struct pack *p = l->p;

	for (unsigned i = 0; i < p->n_sources; i++)
		if (!p->sources[i].url && !p->sources[i].title)
			WRONG(l, LINE(l, "sources[%u]", i), "source '%s': needs a url or a title",
			      p->sources[i].id);
	for (unsigned i = 0; i < p->n_nets; i++)
		if (!p->nets[i].side_effect)
			WRONG(l, LINE(l, "nets[%u]", i), "net '%s': missing key 'side_effect'",
			      p->nets[i].cidr);
	for (unsigned i = 0; i < p->n_stages; i++)
		if (!p->stages[i].citation)
			WRONG(l, LINE(l, "stages[%u]", i), "stage '%s': missing key 'citation'",
			      p->stages[i].id);
}

static void check_has_tests(struct lint *l)
{
	const struct pack_tests *t = l->p->tests;
	unsigned                 line = LINE(l, "tests");

	if (l->p->n_entries == 0)
		return;
	if (!t || t->n_match + t->n_allow == 0)
		WRONG(l, line, "tests: needs at least one name that must match ('match' or 'allow')");
	if (!t || t->n_no_match == 0)
		WRONG(l, line, "tests: needs at least one name that must not match ('no_match')");
}

/* A pack past its date still works: the daemon must not stop protecting because nobody looked. */
static void warn_expired(const struct lint *l)
{
	int64_t at;

	if (l->p->expires && clock_parse(l->p->expires, &at) == 0 &&
	    at <= (int64_t)(clock_now() / NS_PER_S))
		fprintf(stderr, "%s:%u: warning: pack '%s' expired on %s\n", l->p->path,
		        LINE(l, "expires"), l->p->id, l->p->expires);
}

/* ---- one file ------------------------------------------------------------------------------ */

static void lint_pack(struct lint *l, struct pack *p, struct err *err)
{
	bool loads = pack_check(p, err) == 0;

	l->p = p;
	check_twice(l);
	check_proof(l);
	check_has_tests(l);
	warn_expired(l);
	if (loads && pack_test(p, err) < 0 && l->problems == 0)
		say(l, err->text); /* about the whole, at no line */
}

static bool lint_file(const char *path)
{
	struct lint  l = { .problems = 0 };
	struct err   err = { .text = "" };
	struct pack *p = pack_open(path, say, &l, &err);

	if (p)
		lint_pack(&l, p, &err);
	else if (l.problems == 0)
		say(&l, err.text);
	pack_free(p);
	return l.problems == 0;
}

int cmd_rules_lint(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	int                        o, result = CTL_DONE;

	(void)ctl;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		printf("usage: nfqctl rules lint FILE...\n");
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	if (optind == argc) {
		fprintf(stderr, "usage: nfqctl rules lint FILE...\n");
		return CTL_USAGE;
	}
	for (int i = optind; i < argc; i++)
		if (!lint_file(argv[i]))
			result = CTL_FAILED;
	return result;
}

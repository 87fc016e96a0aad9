/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a pack from the answers of rules_new.c: one source, one stage from today, entries that are
 * numbered from a free block where the packs beside it have blocks, and tests that follow from the names.
 */
#include "rules_new.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/image.h"
#include "match/pattern.h"
#include "match/ruleset.h"
#include "rules.h"

struct writer {
	const struct new_pack *p;
	const char            *path;
	FILE                  *f;
	unsigned               sids; /* 0: the packs beside it have none */
	char                   today[11];
	/* for the tests: what each name comes to */
	struct ruleset rs;
	json_t        *tests[3];
};

enum { TEST_MATCH, TEST_ALLOW, TEST_NO_MATCH };

/* ---- YAML ---------------------------------------------------------------------------------- */

/* Double-quoted: whatever the answer holds, it is a text. */
static void put(FILE *f, const char *text)
{
	putc('"', f);
	for (; *text; text++)
		fprintf(f, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	putc('"', f);
}

static void put_key(FILE *f, const char *key, const char *text)
{
	fputs(key, f);
	put(f, text);
	putc('\n', f);
}

static void put_head(const struct writer *w)
{
	char version[16];

	snprintf(version, sizeof(version), "%.4s.%.2s.%.2s.1", w->today, w->today + 5, w->today + 8);
	fprintf(w->f, "# SPDX-License-Identifier: CC0-1.0\npack: %s\n", w->p->id);
	put_key(w->f, "vendor: ", w->p->vendor);
	put_key(w->f, "title: ", w->p->title);
	fprintf(w->f, "version: %s\n", version);
	if (w->sids)
		fprintf(w->f, "sids: %u\n", w->sids);
	fprintf(w->f, "expires: %lu%s\nlicense: CC0-1.0\n", strtoul(w->today, NULL, 10) + 1,
	        strcmp(w->today + 4, "-02-29") == 0 ? "-02-28" : w->today + 4);
	fprintf(w->f, "\nsources:\n  - id: source-1\n");
	put_key(w->f, "    title: ", w->p->source_title);
	put_key(w->f, "    url: ", w->p->url);
	put_key(w->f, "    publisher: ", w->p->publisher);
	fprintf(w->f, "    retrieved: %s\n\nstages:\n", w->today);
	fprintf(w->f, "  - {id: %s-site, from: %sT00:00:00Z, action: block, basis: site, citation: \"site policy "
	              "from the day of this pack; no law is cited\"}\n", w->p->id, w->today);
}

static void put_names(const struct writer *w, const char *names)
{
	char copy[NEW_TEXT], *save, *name;

	snprintf(copy, sizeof(copy), "%s", names);
	name = strtok_r(copy, NEW_BLANKS, &save);
	fprintf(w->f, "    names: [");
	while (name) {
		put(w->f, name);
		name = strtok_r(NULL, NEW_BLANKS, &save);
		fprintf(w->f, "%s", name ? ", " : "]\n");
	}
}

static void put_entry(const struct writer *w, unsigned i)
{
	const struct new_entry *e = &w->p->entries[i];

	fprintf(w->f, "  - id: %s-%u\n", w->p->id, i + 1);
	if (w->sids)
		fprintf(w->f, "    sid: %u\n", w->sids + i);
	put_names(w, e->names);
	fprintf(w->f, "    category: %s\n    sources: [source-1]\n    confidence: %s\n", e->category,
	        strcmp(w->p->publisher, "vendor") == 0 ? "high" : "medium");
	if (strcmp(e->action, "block") != 0)
		fprintf(w->f, "    action: %s\n", e->action);
	put_key(w->f, "    side_effect: ", e->side_effect);
	fprintf(w->f, "    added: %s\n", w->today);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void add_test(struct writer *w, const char *text)
{
	struct match m = { .n = 0 };
	struct name  name;
	int          kind = TEST_NO_MATCH;

	if (!name_canonical(&name, span_str(text)))
		return;
	ruleset_match_name(&w->rs, &name, &m);
	if (m.n)
		kind = w->rs.rules[m.hits[0].rule].action == ENTRY_ALLOW ? TEST_ALLOW : TEST_MATCH;
	for (size_t i = 0; i < json_array_size(w->tests[kind]); i++)
		if (strcmp(json_string_value(json_array_get(w->tests[kind], i)), name.text) == 0)
			return;
	json_array_append_new(w->tests[kind], json_string(name.text));
}

/* The first and the last name of a range; a '*' is an x; with what is below a zone and beside it. */
struct ends {
	char first[PATTERN_TEXT + 1], last[PATTERN_TEXT + 1];
};

static int take_end(void *ctx, const char *name, size_t len)
{
	struct ends *e = ctx;

	snprintf(e->last, sizeof(e->last), "%.*s", (int)len, name);
	for (char *c = e->last; *c; c++)
		*c = *c == '*' ? 'x' : *c;
	if (!e->first[0])
		snprintf(e->first, sizeof(e->first), "%s", e->last);
	return 0;
}

static void test_pattern(struct writer *w, const char *text)
{
	struct err     unused = { .text = "" };
	struct ends    ends = { .first = "" };
	char           other[PATTERN_TEXT + 16];
	struct pattern p;

	if (pattern_parse(&p, text, &unused) < 0 || pattern_expand(&p, take_end, &ends) < 0)
		return;
	add_test(w, ends.first);
	add_test(w, ends.last);
	if (p.below) {
		snprintf(other, sizeof(other), "www.%s", ends.first);
		add_test(w, other);
	}
	snprintf(other, sizeof(other), "not%s", ends.first);
	add_test(w, other);
	snprintf(other, sizeof(other), "%s.evil.test", ends.first);
	add_test(w, other);
}

static void put_tests(const struct writer *w)
{
	static const char *const words[] = { "match", "allow", "no_match" };
	json_t                  *name;
	size_t                   i;

	fprintf(w->f, "\ntests:\n");
	for (unsigned k = 0; k < 3; k++) {
		if (json_array_size(w->tests[k]) == 0)
			continue;
		fprintf(w->f, "  %s:\n", words[k]);
		json_array_foreach(w->tests[k], i, name)
			fprintf(w->f, "    - %s\n", json_string_value(name));
	}
}

static void test_all(struct writer *w)
{
	char copy[NEW_TEXT], *save, *name;

	for (unsigned i = 0; i < w->p->n_entries; i++) {
		snprintf(copy, sizeof(copy), "%s", w->p->entries[i].names);
		for (name = strtok_r(copy, NEW_BLANKS, &save); name; name = strtok_r(NULL, NEW_BLANKS, &save))
			test_pattern(w, name);
	}
	add_test(w, "unlisted.example");
}

/* What the names come to is asked of the pack itself, which is there but for its tests. */
static int write_tests(struct writer *w)
{
	char         *paths[] = { (char *)w->path };
	struct packs  packs;
	struct image *img;

	if (fflush(w->f) != 0 || rules_load(&packs, paths, 1) < 0)
		return -1;
	img = rules_image(&packs);
	packs_free(&packs);
	if (!img)
		return -1;
	ruleset_open(&w->rs, img);
	for (unsigned k = 0; k < 3; k++)
		w->tests[k] = json_array();
	test_all(w);
	put_tests(w);
	for (unsigned k = 0; k < 3; k++)
		json_decref(w->tests[k]);
	free(img);
	return 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* The block after the highest of the packs in the folder; 0: none of them has one. */
static unsigned free_block(const char *path)
{
	struct err   unused = { .text = "" };
	char        *copy = strdup(path), *folder = copy ? dirname(copy) : NULL;
	unsigned     highest = 0;
	struct packs packs;

	if (folder && packs_load(&packs, &folder, 1, &unused) == 0) {
		for (unsigned i = 0; i < packs.n; i++)
			if (packs.v[i]->sids > highest && strcmp(packs.v[i]->id, "canary") != 0)
				highest = packs.v[i]->sids;
		packs_free(&packs);
	}
	free(copy);
	return highest && highest + SID_BLOCK <= SID_LAST ? highest + SID_BLOCK : 0;
}

int new_write(const struct new_pack *p, const char *path)
{
	struct writer w = { .p = p, .path = path, .sids = free_block(path) };
	char          now[CLOCK_TEXT];
	int           r;

	clock_text_iso((int64_t)(clock_now() / NS_PER_S), now);
	snprintf(w.today, sizeof(w.today), "%.10s", now);
	w.f = fopen(path, "wxe");
	if (!w.f) {
		fprintf(stderr, "nfqctl: %s: %s\n", path, strerror(errno));
		return -1;
	}
	put_head(&w);
	fprintf(w.f, "\nentries:\n");
	for (unsigned i = 0; i < p->n_entries; i++)
		put_entry(&w, i);
	r = write_tests(&w);
	if (fclose(w.f) != 0 && r == 0) {
		fprintf(stderr, "nfqctl: %s: %s\n", path, strerror(errno));
		r = -1;
	}
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules check: compares a ranking of busy names (Umbrella, Tranco, Majestic) with the packs. Prints
 * what any pack would refuse today, with its rank, and which busy names lie below a zone that is only
 * recorded: these show a maintainer what a pack misses.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/policy.h"
#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules.h"

struct check {
	struct ruleset rs;
	int64_t        now;
	unsigned long  names, refused, below;
	json_t        *rows[2]; /* refused, below a zone; NULL: for people */
};

/* ---- one line of the ranking --------------------------------------------------------------- */

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* "rank,name", "rank,rank,name,..." or a name alone, whose rank is its line. NULL: a heading or nothing. */
static const char *read_rank(char *line, unsigned long at, unsigned long *rank)
{
	char *save, *word = strtok_r(line, ",\t \r\n\"", &save);

	*rank = at;
	for (unsigned i = 0; word && i < 3 && is_number(word); i++) {
		if (i == 0)
			*rank = strtoul(word, NULL, 10);
		word = strtok_r(NULL, ",\t \r\n\"", &save);
	}
	return word && strchr(word, '.') ? word : NULL;
}

/* ---- what the packs say of it -------------------------------------------------------------- */

static bool refuses(const struct check *c, const struct rs_rule *r)
{
	int32_t stage = stage_in_force(&c->rs, &c->rs.packs[r->pack], r->category, c->now);

	return r->action == ENTRY_STAGE && stage >= 0 && c->rs.stages[stage].action != ACTION_LOG;
}

static void report(struct check *c, unsigned kind, unsigned long rank, const struct name *name,
                   const struct hit *h)
{
	static const char *const words[] = { "refused", "below" };
	const struct rs_rule    *r = &c->rs.rules[h->rule];
	const char              *pack = rs_text(&c->rs, c->rs.packs[r->pack].id), *id = rs_text(&c->rs, r->id);
	char                     pattern[NAME_TEXT + 2];

	hit_pattern(&c->rs, h, name, pattern);
	if (c->rows[kind])
		json_array_append_new(c->rows[kind],
		                      json_pack("{s:I, s:s, s:s, s:s, s:s, s:s}", "rank", (json_int_t)rank,
		                                "name", name->text, "pack", pack, "rule", id, "category",
		                                category_words[r->category], "pattern", pattern));
	else
		printf("%-8s %8lu  %s  %s/%s  %s\n", words[kind], rank, name->text, pack, id, pattern);
}

static unsigned labels_of(const struct name *name)
{
	unsigned n = 1;

	for (const char *c = name->text; *c; c++)
		n += *c == '.';
	return n;
}

static void check_name(struct check *c, unsigned long rank, const char *text)
{
	struct name  name;
	struct match m;

	if (!name_canonical(&name, span_str(text)))
		return;
	c->names++;
	ruleset_match_name(&c->rs, &name, &m);
	for (unsigned i = 0; i < m.n; i++) {
		const struct rs_rule *r = &c->rs.rules[m.hits[i].rule];

		if (refuses(c, r)) {
			c->refused++;
			report(c, 0, rank, &name, &m.hits[i]);
		} else if (r->action != ENTRY_ALLOW && m.hits[i].kind == PATTERN_SUFFIX &&
		           m.hits[i].labels < labels_of(&name)) {
			c->below++;
			report(c, 1, rank, &name, &m.hits[i]);
		}
	}
}

static int check_file(struct check *c, const char *path)
{
	FILE         *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char         *line = NULL;
	size_t        room = 0;
	unsigned long at = 0, rank;

	if (!f) {
		fprintf(stderr, "nfqctl: %s: %s\n", path, strerror(errno));
		return CTL_FAILED;
	}
	while (getline(&line, &room, f) > 0) {
		const char *name = read_rank(line, ++at, &rank);

		if (name)
			check_name(c, rank, name);
	}
	free(line);
	if (f != stdin)
		fclose(f);
	if (c->names == 0) {
		fprintf(stderr, "nfqctl: %s: not a ranking of names (rank,name on each line)\n", path);
		return CTL_FAILED;
	}
	return CTL_DONE;
}

/* ---- the command --------------------------------------------------------------------------- */

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl rules check --popular FILE|- [--json] [--rules PATH]...\n");
	return result;
}

static int print_summary(struct check *c, const char *path)
{
	if (c->rows[0])
		return rules_print_json(json_pack("{s:I, s:o, s:o}", "names", (json_int_t)c->names, "refused",
		                                  c->rows[0], "below_recorded_zones", c->rows[1]));
	printf("%s: %lu names, %lu refused, %lu below a zone that is only recorded\n", path, c->names,
	       c->refused, c->below);
	return CTL_DONE;
}

static int run(char *const paths[], unsigned n, const char *popular, bool json)
{
	struct check  c = { .now = (int64_t)(clock_now() / NS_PER_S) };
	struct packs  packs;
	struct image *img;
	int           r;

	if (rules_load(&packs, paths, n) < 0)
		return CTL_FAILED;
	img = rules_image(&packs);
	packs_free(&packs);
	if (!img)
		return CTL_FAILED;
	ruleset_open(&c.rs, img);
	for (unsigned i = 0; json && i < 2; i++)
		c.rows[i] = json_array();
	r = check_file(&c, popular);
	if (r == CTL_DONE)
		r = print_summary(&c, popular);
	else
		for (unsigned i = 0; i < 2; i++)
			json_decref(c.rows[i]);
	free(img);
	return r;
}

int cmd_rules_check(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "popular", required_argument, NULL, 'p' }, { "json", no_argument, NULL, 'j' },
		{ "rules", required_argument, NULL, 'r' },   { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char      **paths = calloc((size_t)argc + 1, sizeof(*paths));
	const char *popular = NULL;
	unsigned    n = 0;
	bool        json = false;
	int         o, r = -1;

	(void)ctl;
	while (paths && r < 0 && (o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'p')
			popular = optarg;
		else if (o == 'j')
			json = true;
		else if (o == 'r')
			paths[n++] = optarg;
		else
			r = o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
	}
	if (r < 0 && !popular)
		r = usage(stderr, wrong_usage(argv[0], "--popular is missing"));
	if (r < 0)
		r = words_are(argc, argv, "") ? run(paths, n, popular, json) : usage(stderr, CTL_USAGE);
	free(paths);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules cite: searches the cited files in a folder again and prints which names of the packs are in
 * none of them. Nothing is fetched: a maintainer puts the files there.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/regular.h"
#include "match/pattern.h"
#include "nfqctl.h"
#include "rules.h"

#define CITED_MAX  (64u << 20)
#define CITED_PATH 4096

/* The words of a cited file that can be names, sorted; they lie in text, in lower case. */
struct cited {
	char  *text; /* NULL: the file was not found */
	char **v;
	size_t n;
};

struct cite {
	const char        *folder;
	const struct pack *p; /* the pack being checked */
	struct cited      *sources; /* beside p->sources */
	unsigned           entry;
	unsigned long      files, found, lost, unread;
};

/* ---- a cited file -------------------------------------------------------------------------- */

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.' || c == '*';
}

/* "*.example.com." and ".example.com" stand for example.com here. */
static char *trim_word(char *word)
{
	size_t n;

	while (*word == '.' || (word[0] == '*' && word[1] == '.'))
		word++;
	n = strlen(word);
	while (n > 0 && word[n - 1] == '.')
		word[--n] = '\0';
	return strchr(word, '.') ? word : NULL;
}

static int add_word(struct cited *c, char *word, size_t *room)
{
	char **v = c->v;

	if (c->n == *room) {
		*room = *room * 2 + 1024;
		v = realloc(v, *room * sizeof(*v));
		if (!v)
			return -ENOMEM;
		c->v = v;
	}
	c->v[c->n++] = word;
	return 0;
}

static int word_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts the text into words; n bytes and a NUL. */
static int split_words(struct cited *c, size_t n)
{
	size_t room = 0, at = 0;
	int    r = 0;

	while (r == 0 && at < n) {
		size_t from = at;
		char  *word;

		for (; at < n && is_name_char(c->text[at]); at++)
			c->text[at] = (char)tolower((unsigned char)c->text[at]);
		c->text[at++] = '\0';
		word = trim_word(c->text + from);
		if (word)
			r = add_word(c, word, &room);
	}
	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), word_order);
	return r;
}

static int read_cited(struct cited *c, const char *path)
{
	FILE  *f = regular_fopen(path);
	char  *small;
	size_t n;

	if (!f)
		return -errno;
	c->text = malloc(CITED_MAX + 1);
	n = c->text ? fread(c->text, 1, CITED_MAX, f) : 0;
	fclose(f);
	if (!c->text)
		return -ENOMEM;
	small = realloc(c->text, n + 1);
	if (small)
		c->text = small;
	return split_words(c, n);
}

/* ---- where it lies ------------------------------------------------------------------------- */

/* OWNER/REPO and the file's path, of https://github.com/OWNER/REPO/blob/REVISION/PATH. */
static bool checkout_path(const char *place, char *out, size_t room)
{
	static const char host[] = "github.com/";
	const char       *repo = place + sizeof(host) - 1, *blob = strstr(place, "/blob/"), *path;

	if (strncmp(place, host, sizeof(host) - 1) != 0 || !blob)
		return false;
	path = strchr(blob + strlen("/blob/"), '/');
	return path && snprintf(out, room, "%.*s%s", (int)(blob - repo), repo, path) < (int)room;
}

/* One of the places below the folder where the file may lie; false: there is no such place. */
static bool place_of(const struct cite *c, const struct pack_source *s, unsigned i, char *out)
{
	const char *place = s->url ? strstr(s->url, "://") : NULL;
	char        path[CITED_PATH / 2] = "";

	if (i == 0)
		snprintf(path, sizeof(path), "%s/%s", c->p->id, s->id);
	else if (i == 1 && place)
		snprintf(path, sizeof(path), "%s", place + 3);
	else if (!place || !checkout_path(place + 3, path, sizeof(path)))
		return false;
	return !strstr(path, "..") && snprintf(out, CITED_PATH, "%s/%s", c->folder, path) < CITED_PATH;
}

static void find_cited(struct cite *c, unsigned source)
{
	char path[CITED_PATH];

	for (unsigned i = 0; i < 3 && !c->sources[source].text; i++)
		if (place_of(c, &c->p->sources[source], i, path) &&
		    read_cited(&c->sources[source], path) == 0)
			c->files++;
}

/* ---- does a name stand in it --------------------------------------------------------------- */

static bool ends_below(const char *word, const struct pattern *p)
{
	size_t n = strlen(word);

	return n > p->len && word[n - p->len - 1] == '.' && strcmp(word + n - p->len, p->text) == 0;
}

/* A '*' of the pattern matches itself, or what a source has in its place. */
static bool glob_stands(const struct pattern *p, const char *word)
{
	char          glob[PATTERN_TEXT + 1];
	struct labels labels;
	uint8_t       n;

	if (strlen(word) >= NAME_TEXT || strspn(word, ".") > 0 || strstr(word, ".."))
		return false;
	snprintf(glob, sizeof(glob), "%s%s", p->below ? "." : "", p->text);
	labels_split(&labels, word, strlen(word));
	return glob_match(glob, &labels, &n);
}

static bool has_word(const struct cited *c, const char *word)
{
	return c->n && bsearch(&word, c->v, c->n, sizeof(*c->v), word_order);
}

static bool stands_in(const struct cited *c, const struct pattern *p)
{
	if (has_word(c, p->text))
		return true;
	for (size_t i = 0; i < c->n; i++)
		if ((p->below && ends_below(c->v[i], p)) ||
		    (p->kind == PATTERN_GLOB && glob_stands(p, c->v[i])))
			return true;
	return false;
}

/* One of a range's names. */
struct counted {
	const struct cite *c;
	unsigned           found;
};

static bool stands_anywhere(const struct cite *c, const struct pattern *p)
{
	const struct pack_entry *e = &c->p->entries[c->entry];

	for (unsigned i = 0; i < e->n_sources; i++)
		for (unsigned k = 0; k < c->p->n_sources; k++)
			if (strcmp(c->p->sources[k].id, e->sources[i]) == 0 && stands_in(&c->sources[k], p))
				return true;
	return false;
}

static int count_one(void *ctx, const char *name, size_t len)
{
	struct counted *n = ctx;
	struct pattern  p = { .kind = PATTERN_EXACT, .len = (uint16_t)len };

	snprintf(p.text, sizeof(p.text), "%s", name);
	n->found += stands_anywhere(n->c, &p);
	return 0;
}

/* ---- what is said -------------------------------------------------------------------------- */

/* The sources of the entry that were found, or those that were not. */
static unsigned list_sources(const struct cite *c, bool there, char *out, size_t room)
{
	const struct pack_entry *e = &c->p->entries[c->entry];
	unsigned                 n = 0;

	*out = '\0';
	for (unsigned i = 0; i < e->n_sources; i++)
		for (unsigned k = 0; k < c->p->n_sources; k++) {
			size_t used = strlen(out);

			if (strcmp(c->p->sources[k].id, e->sources[i]) != 0 ||
			    (c->sources[k].text != NULL) != there)
				continue;
			snprintf(out + used, room - used, "%s%s", n++ ? ", " : "", e->sources[i]);
		}
	return n;
}

static void say_lost(struct cite *c, const char *name, const char *path, unsigned line, unsigned some,
                     unsigned all)
{
	char     read[512], missing[512], count[64] = "";
	unsigned away = list_sources(c, false, missing, sizeof(missing));

	list_sources(c, true, read, sizeof(read));
	if (all > 1)
		snprintf(count, sizeof(count), "%u of its %u names ", all - some, all);
	printf("%s:%u: entry '%s': name '%s': %sin none of: %s%s%s\n", path, line,
	       c->p->entries[c->entry].id, name, count, read, away ? "; not here to be read: " : "", missing);
	if (away)
		c->unread++;
	else
		c->lost++;
}

static int check_name(void *ctx, const char *name, const char *path, unsigned line)
{
	struct cite   *c = ctx;
	struct counted range = { .c = c };
	struct pattern p;
	struct err     err = { .text = "" };
	char           any[512];
	unsigned       all;

	if (pattern_parse(&p, name, &err) < 0)
		return 0; /* the pack would not have loaded */
	if (list_sources(c, true, any, sizeof(any)) == 0) {
		c->unread++;
		return 0;
	}
	all = p.ranges ? p.names : 1;
	if (p.ranges)
		pattern_expand(&p, count_one, &range);
	else
		range.found = stands_anywhere(c, &p);
	if (range.found < all)
		say_lost(c, name, path, line, range.found, all);
	else
		c->found++;
	return 0;
}

static int check_pack(struct cite *c, const struct pack *p)
{
	struct err err = { .text = "" };
	int        r = 0;

	c->p = p;
	c->sources = calloc(p->n_sources + 1U, sizeof(*c->sources));
	if (!c->sources)
		return -1;
	for (unsigned i = 0; i < p->n_sources; i++)
		find_cited(c, i);
	for (c->entry = 0; r == 0 && c->entry < p->n_entries; c->entry++)
		r = rules_names(p, c->entry, check_name, c, &err);
	if (r < 0)
		fprintf(stderr, "nfqctl: %s\n", err.text);
	for (unsigned i = 0; i < p->n_sources; i++) {
		free(c->sources[i].text);
		free(c->sources[i].v);
	}
	free(c->sources);
	return r;
}

/* ---- the command --------------------------------------------------------------------------- */

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl rules cite --against FOLDER [PACK...]\n");
	return result;
}

static int run(struct cite *c, char *const paths[], unsigned n)
{
	struct packs packs;
	int          r = 0;

	if (rules_load(&packs, paths, n) < 0)
		return CTL_FAILED;
	for (unsigned i = 0; r == 0 && i < packs.n; i++)
		if (strcmp(packs.v[i]->id, "canary") != 0) /* always loaded, and a name of our own */
			r = check_pack(c, packs.v[i]);
	packs_free(&packs);
	if (r == 0 && c->files == 0) {
		fprintf(stderr, "nfqctl: %s: no cited file lies there (HOST/PATH of its address, or PACK/SOURCE)\n",
		        c->folder);
		return CTL_FAILED;
	}
	if (r == 0)
		printf("%lu cited files: %lu names found, %lu in none, %lu whose other sources are not here\n",
		       c->files, c->found, c->lost, c->unread);
	return r < 0 || c->lost ? CTL_FAILED : CTL_DONE;
}

int cmd_rules_cite(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "against", required_argument, NULL, 'a' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	struct cite                c = { .folder = NULL };
	int                        o;

	(void)ctl;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o != 'a')
			return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
		c.folder = optarg;
	}
	if (!c.folder)
		return usage(stderr, wrong_usage(argv[0], "--against is missing"));
	return run(&c, argv + optind, (unsigned)(argc - optind));
}

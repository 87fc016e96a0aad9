/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules export: packs as lists for other programs. What a pack would block today is exported,
 * nothing else, and never more: what must stay open below a name becomes an exception, or where the
 * format has none the name is left out. What the matcher says decides, not the order of the entries;
 * what was lost stands in the header.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "decide/policy.h"
#include "match/pattern.h"
#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules_export.h"

#define EXAMPLES 20

enum lost {
	LOST_LOG,
	LOST_CATEGORY,
	LOST_BELOW,
	LOST_GLOB,
	LOST_HOLE,
	LOST_EXCEPTION,
	LOST_NET,
	LOST_NET_HOLE,
	LOST_NAME,
	LOSSES,
};
static const char *const lost_words[] = {
	[LOST_LOG] = "only recorded by the pack: left out",
	[LOST_CATEGORY] = "of another category: left out",
	[LOST_BELOW] = "suffixes: only the name itself is here, not what is below it",
	[LOST_GLOB] = "patterns with '*': left out",
	[LOST_HOLE] = "suffixes below which something stays open that cannot be said here: left out",
	[LOST_EXCEPTION] = "exceptions, which this format cannot say; nothing here blocks them",
	[LOST_NET] = "networks: left out",
	[LOST_NET_HOLE] = "networks inside which something stays open: left out",
	[LOST_NAME] = "name patterns: left out",
};

struct exporter {
	const struct export_format *format;
	unsigned                    categories; /* bit per category; what is exported */
	bool                        with_log;
	struct pack               **packs;
	char (*sha256)[2 * SHA256_DIGEST_SIZE + 1];
	unsigned       n;
	struct image  *img;
	struct ruleset rs;
	FILE          *body;
	struct err     err;
	unsigned long  names, exceptions;
	/* the pattern at hand */
	unsigned pack, entry, rule;
	bool     below, collecting;
	char     parent[HOST_TEXT]; /* of the name before, for unhide() */
	/* texts of suffixes that may not be exported whole, sorted */
	char  **holes;
	size_t  n_holes;
	char   *lost[LOSSES][EXAMPLES];
	unsigned n_lost[LOSSES];
};

static void lose(struct exporter *x, enum lost why, const char *dot, const char *text)
{
	unsigned at = x->n_lost[why]++;

	if (at < EXAMPLES && asprintf(&x->lost[why][at], "%s%s", dot, text) < 0)
		x->lost[why][at] = NULL;
}

/* ---- what is blocked ----------------------------------------------------------------------- */

static bool blocks(const struct exporter *x, const struct rs_rule *r)
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
		if (blocks(x, &x->rs.rules[m.hits[i].rule]))
			return true;
	return false;
}

/* Are names below this one blocked, other than those listed by themselves? */
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

/* No suffix at this text or above it can be said without an exception that this format lacks. */
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

static void block(struct exporter *x, struct export_name *n)
{
	if (n->below ? !n->below_blocked : !n->apex_blocked)
		return; /* something longer, or an allow of another pack, has taken it over */
	if (n->below && (!x->format->says_below || has_hole(x, n->text))) {
		lose(x, x->format->says_below ? LOST_HOLE : LOST_BELOW, ".", n->text);
		n->below = false;
	}
	n->below_blocked &= !has_hole(x, n->text);
	if (!n->below && !n->apex_blocked)
		return;
	x->names++;
	unhide(x, n->text);
	x->format->block(x->body, n);
}

/* What is not blocked matters only below something that is; an allow is always said. */
static void keep_open(struct exporter *x, const struct export_name *n, bool allow)
{
	bool inside = parent_blocked(x, n->text) || (!n->below && n->below_blocked);

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
			lose(x, LOST_EXCEPTION, n->below ? "." : "", n->text);
		return;
	}
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
		                    .apex_blocked = name_blocked(x, text),
		                    .below_blocked = below_blocked(x, text) };

	(void)len;
	if (!blocks(x, r))
		keep_open(x, &n, r->action == ENTRY_ALLOW);
	else if (!x->collecting)
		block(x, &n);
	return 0;
}

/* A glob has no exact counterpart anywhere: it is left out, and what would swallow one too. */
static void take_glob(struct exporter *x, const char *name, const struct pattern *p)
{
	const char *star = strrchr(p->text, '*'), *dot = strchr(star, '.');

	if (!x->collecting && x->rs.rules[x->rule].action != ENTRY_ALLOW &&
	    blocks(x, &x->rs.rules[x->rule]))
		lose(x, LOST_GLOB, "", name);
	else if (x->collecting && dot && !blocks(x, &x->rs.rules[x->rule]))
		add_hole(x, dot + 1);
}

static void count_left_out(struct exporter *x, const char *name)
{
	const struct rs_rule *r = &x->rs.rules[x->rule];

	if (x->collecting || r->action == ENTRY_ALLOW || blocks(x, r))
		return;
	lose(x, x->categories & 1U << r->category ? LOST_LOG : LOST_CATEGORY, "", name);
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
		return err_set(&x->err, "%s:%u: name '%s' is no pattern", path, line, name);
	count_left_out(x, name);
	x->below = p.below;
	if (p.kind == PATTERN_GLOB)
		take_glob(x, name, &p);
	else
		pattern_expand(&p, take_name, x);
	return x->err.text[0] ? -1 : 0;
}

/* Rules stand in the ruleset as entries and networks do in the packs. */
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

static int export_names(struct exporter *x)
{
	x->collecting = true;
	if (!x->format->row && each_pattern(x) < 0)
		return -1;
	if (x->n_holes)
		qsort(x->holes, x->n_holes, sizeof(*x->holes), text_order);
	x->collecting = false;
	return each_pattern(x);
}

/* ---- networks ------------------------------------------------------------------------------ */

static enum export_as net_as(const struct exporter *x, const struct pack_net *n, unsigned rule)
{
	if (n->action == ENTRY_ALLOW || !(x->categories & 1U << n->category))
		return EXPORT_NOT;
	return blocks(x, &x->rs.rules[rule]) ? EXPORT_BLOCKED : EXPORT_RECORDED;
}

/* All of them, also those that are not exported: they may lie inside one that is. */
static unsigned collect_nets(struct exporter *x, struct export_net *v)
{
	unsigned n = 0, rule = 0;

	for (unsigned i = 0; i < x->n; i++) {
		const struct pack *p = x->packs[i];

		for (unsigned k = 0; k < p->n_entries; k++)
			x->n_lost[LOST_NAME] += p->entries[k].n_names + (p->entries[k].names_file != NULL);
		rule += p->n_entries;
		for (unsigned k = 0; k < p->n_nets; k++, rule++) {
			v[n] = (struct export_net){ .in = &p->nets[k],
				                    .pack = i,
				                    .as = net_as(x, &p->nets[k], rule) };
			if (net_parse(p->nets[k].cidr, &v[n].net) == 0)
				n++;
		}
	}
	return n;
}

static int export_nets(struct exporter *x, struct export_net *v)
{
	unsigned n = collect_nets(x, v);

	for (unsigned i = 0; i < n; i++)
		if (v[i].as == EXPORT_BLOCKED && export_net_has_hole(v, n, i)) {
			lose(x, LOST_NET_HOLE, "", v[i].in->cidr);
			v[i].as = EXPORT_NOT;
		}
	for (unsigned i = 0; i < n; i++)
		x->names += v[i].as != EXPORT_NOT;
	return x->format->nets(x->body, v, n) < 0 ? err_set(&x->err, "out of memory") : 0;
}

static int write_nets(struct exporter *x)
{
	unsigned           n = 0;
	struct export_net *v;
	int                r;

	for (unsigned i = 0; i < x->n; i++)
		n += x->packs[i]->n_nets;
	v = calloc(n + 1U, sizeof(*v));
	r = v ? export_nets(x, v) : err_set(&x->err, "out of memory");
	free(v);
	return r;
}

static void lose_nets(struct exporter *x)
{
	for (unsigned i = 0; i < x->n; i++)
		for (unsigned k = 0; k < x->packs[i]->n_nets; k++) {
			if (x->format->net_row && x->categories & 1U << x->packs[i]->nets[k].category)
				x->format->net_row(x->body, x->packs[i], x->sha256[i], k);
			if (!x->format->net_row)
				lose(x, LOST_NET, "", x->packs[i]->nets[k].cidr);
		}
}

/* ---- the header ---------------------------------------------------------------------------- */

static int hash_file(const char *path, char hex[static 2 * SHA256_DIGEST_SIZE + 1], struct err *err)
{
	struct sha256_ctx ctx;
	uint8_t           block[65536], digest[SHA256_DIGEST_SIZE];
	FILE             *f = fopen(path, "re");
	size_t            n;

	if (!f)
		return err_set(err, "%s: %s", path, strerror(errno));
	sha256_init(&ctx);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		sha256_update(&ctx, n, block);
	fclose(f);
	sha256_digest(&ctx, sizeof(digest), digest);
	for (unsigned i = 0; i < sizeof(digest); i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", digest[i]);
	return 0;
}

static void print_losses(const struct exporter *x, const char *c)
{
	for (unsigned i = 0; i < LOSSES; i++) {
		if (!x->n_lost[i])
			continue;
		printf("%s lost: %u %s\n", c, x->n_lost[i], lost_words[i]);
		for (unsigned k = 0; k < x->n_lost[i] && k < EXAMPLES && x->lost[i][k]; k++)
			printf("%s   %s\n", c, x->lost[i][k]);
		if (x->n_lost[i] > EXAMPLES && x->lost[i][0])
			printf("%s   ... and %u more\n", c, x->n_lost[i] - EXAMPLES);
	}
}

static void print_pack(const struct exporter *x, unsigned i, const char *c)
{
	const struct pack *p = x->packs[i];
	char               path[4096], hex[2 * SHA256_DIGEST_SIZE + 1];
	struct err         unused = { .text = "" };

	printf("%s pack %s %s, expires %s%s, SHA-256 %s\n", c, p->id, p->version,
	       p->expires ? p->expires : "never", pack_expired(p) ? " (EXPIRED)" : "", x->sha256[i]);
	for (unsigned k = 0; k < p->n_entries; k++)
		if (p->entries[k].names_file &&
		    pack_names_path(p, &p->entries[k], path, sizeof(path)) == 0 &&
		    hash_file(path, hex, &unused) == 0)
			printf("%s   names of %s, SHA-256 %s\n", c, p->entries[k].names_file, hex);
}

static void print_header(const struct exporter *x)
{
	const char *c = x->format->comment;
	char        now[CLOCK_TEXT];

	if (!c)
		return;
	clock_text_iso((int64_t)(clock_now() / NS_PER_S), now);
	printf("%s %s list, made %s by nfqctl " NFQD_VERSION "\n", c, x->format->name, now);
	for (unsigned i = 0; i < x->n; i++)
		print_pack(x, i, c);
	printf("%s categories:", c);
	for (unsigned i = 0; i < CAT_N; i++)
		if (x->categories & 1U << i)
			printf(" %s", category_words[i]);
	printf("%s\n", x->with_log ? "; with what is only recorded" : "");
	printf("%s %lu %s, %lu exceptions\n", c, x->names, x->format->nets ? "networks" : "names",
	       x->exceptions);
	print_losses(x, c);
}

static int copy_body(FILE *body)
{
	char   block[65536];
	size_t n;

	rewind(body);
	while ((n = fread(block, 1, sizeof(block), body)) > 0)
		if (fwrite(block, 1, n, stdout) != n)
			return -1;
	return ferror(body) || fflush(stdout) != 0 ? -1 : 0;
}

/* ---- the command --------------------------------------------------------------------------- */

static int load(struct exporter *x, char *const paths[], unsigned n)
{
	struct image_builder b;
	int                  r;

	x->packs = calloc(n, sizeof(struct pack *));
	x->sha256 = calloc(n, sizeof(*x->sha256));
	if (!x->packs || !x->sha256)
		return err_set(&x->err, "out of memory");
	while (x->n < n) {
		struct pack *p = pack_load(paths[x->n], &x->err);

		if (!p)
			return -1;
		x->packs[x->n++] = p;
		if (hash_file(p->path, x->sha256[x->n - 1], &x->err) < 0)
			return -1;
	}
	image_init(&b);
	r = ruleset_compile(&b, x->packs, x->n, &x->err);
	r = r < 0 ? r : ruleset_index(&b, &x->err);
	x->img = r < 0 ? NULL : image_finish(&b);
	image_fini(&b);
	if (!x->img)
		return err_set(&x->err, "out of memory");
	ruleset_open(&x->rs, x->img);
	return 0;
}

static int write_all(struct exporter *x)
{
	x->body = tmpfile();
	if (!x->body)
		return err_set(&x->err, "no temporary file: %s", strerror(errno));
	if (x->format->begin)
		x->format->begin(x->body, x->packs[0]);
	if ((x->format->nets ? write_nets(x) : export_names(x)) < 0)
		return -1;
	if (!x->format->nets)
		lose_nets(x);
	print_header(x);
	return copy_body(x->body) < 0 ? err_set(&x->err, "cannot write: %s", strerror(errno)) : 0;
}

static void done(struct exporter *x)
{
	for (unsigned i = 0; i < x->n; i++)
		pack_free(x->packs[i]);
	for (size_t i = 0; i < x->n_holes; i++)
		free(x->holes[i]);
	for (unsigned i = 0; i < LOSSES; i++)
		for (unsigned k = 0; k < EXAMPLES; k++)
			free(x->lost[i][k]);
	if (x->body)
		fclose(x->body);
	free(x->holes);
	free(x->packs);
	free(x->sha256);
	free(x->img);
}

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl rules export --format FORMAT [--categories WORD,...] [--with-log]\n"
	            "                           PACK...\n"
	            "formats:");
	for (const struct export_format *f = export_formats; f->name; f++)
		fprintf(to, " %s", f->name);
	fprintf(to, "\n");
	return result;
}

static const struct export_format *format_named(const char *name)
{
	for (const struct export_format *f = export_formats; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	fprintf(stderr, "nfqctl: format '%s' is unknown\n", name);
	return NULL;
}

/* 0: one of them is no category. */
static unsigned categories_parse(char *words)
{
	unsigned bits = 0;

	for (char *save, *w = strtok_r(words, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		unsigned i = 0;

		while (category_words[i] && strcmp(category_words[i], w) != 0)
			i++;
		if (!category_words[i]) {
			fprintf(stderr, "nfqctl: category '%s' is unknown\n", w);
			return 0;
		}
		bits |= 1U << i;
	}
	return bits;
}

static int parse(struct exporter *x, int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'f' }, { "categories", required_argument, NULL, 'c' },
		{ "with-log", no_argument, NULL, 'l' },     { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "f:h", options, NULL)) != -1) {
		if (o == 'f')
			x->format = format_named(optarg);
		else if (o == 'c')
			x->categories = categories_parse(optarg);
		else if (o == 'l')
			x->with_log = true;
		else
			return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
	}
	return x->format && x->categories && optind < argc ? -1 : usage(stderr, CTL_USAGE);
}

int cmd_rules_export(struct nfqctl *ctl, int argc, char **argv)
{
	struct exporter x = { .categories = ~0U };
	int             r = parse(&x, argc, argv);

	(void)ctl;
	if (r >= 0)
		return r;
	r = load(&x, argv + optind, (unsigned)(argc - optind));
	r = r < 0 ? r : write_all(&x);
	if (r < 0)
		fprintf(stderr, "nfqctl: %s\n", x.err.text);
	done(&x);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules export: writes packs as lists for other programs. A list blocks what a pack would block
 * today, nothing else and never more: a name that must stay open below a blocked one becomes an exception
 * or, where the format has none, the blocked name is left out. The matcher decides, not the order of the
 * entries; the header says what was lost.
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
#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules_export.h"

static const char *const lost_words[] = {
	[LOST_LOG] = "only recorded by the pack: left out",
	[LOST_CATEGORY] = "of another category: left out",
	[LOST_BELOW] = "suffixes: only the name itself is here, not what is below it",
	[LOST_APEX] = "suffixes whose own name stays open, which cannot be said here: left out",
	[LOST_GLOB] = "patterns with '*': left out",
	[LOST_HOLE] = "suffixes below which something stays open that cannot be said here: left out",
	[LOST_EXCEPTION] = "exceptions, which this format cannot say; nothing here blocks them",
	[LOST_OPEN] = "exceptions of a name alone, which here open what is below it, too",
	[LOST_INSIDE] = "names inside an exception, which this format lets win: left out",
	[LOST_NET] = "networks: left out",
	[LOST_NET_HOLE] = "networks inside which something stays open: left out",
	[LOST_NAME] = "name patterns: left out",
};


void export_lose(struct exporter *x, enum lost why, const char *dot, const char *text)
{
	unsigned at = x->n_lost[why]++;

	if (at < EXAMPLES && asprintf(&x->lost[why][at], "%s%s", dot, text) < 0)
		x->lost[why][at] = NULL;
}

/* ---- networks ------------------------------------------------------------------------------ */

static enum export_as net_as(const struct exporter *x, const struct pack_net *n, unsigned rule)
{
	if (n->action == ENTRY_ALLOW || !(x->categories & 1U << n->category))
		return EXPORT_NOT;
	return export_blocks(x, &x->rs.rules[rule]) ? EXPORT_BLOCKED : EXPORT_RECORDED;
}

/* All networks, including those that are not exported: they may lie inside one that is. */
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
			export_lose(x, LOST_NET_HOLE, "", v[i].in->cidr);
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
				export_lose(x, LOST_NET, "", x->packs[i]->nets[k].cidr);
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

/* A line of a list of names, and where it stood. */
struct row {
	const char *text;
	size_t      at;
};

static int row_order(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;
	int               r = strcmp(a->text, b->text);

	return r ? r : a->at < b->at ? -1 : a->at > b->at;
}

static int by_place(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;

	return a->at < b->at ? -1 : a->at > b->at;
}

static int print_once(struct row *v, size_t n)
{
	size_t kept = 0;

	qsort(v, n, sizeof(*v), row_order);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(v[i].text, v[kept - 1].text) != 0)
			v[kept++] = v[i];
	qsort(v, kept, sizeof(*v), by_place);
	for (size_t i = 0; i < kept; i++)
		puts(v[i].text);
	return ferror(stdout) || fflush(stdout) != 0 ? -1 : 0;
}

/* Copies each line once, in the order of their first occurrence: entries may name the same thing. */
static int copy_once(FILE *body)
{
	long        size = fflush(body) == 0 ? ftell(body) : -1;
	char       *text = size < 0 ? NULL : malloc((size_t)size + 1), *at = text, *end;
	struct row *v = NULL;
	size_t      n = 0;
	int         r = -1;

	rewind(body);
	if (text && fread(text, 1, (size_t)size, body) == (size_t)size) {
		text[size] = '\0';
		for (const char *c = text; *c; c++)
			n += *c == '\n';
		v = calloc(n + 1, sizeof(*v));
	}
	for (n = 0; v && (end = strchr(at, '\n')); at = end + 1, n++) {
		*end = '\0';
		v[n] = (struct row){ at, n };
	}
	if (v)
		r = print_once(v, n);
	free(v);
	free(text);
	return r;
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
	return (x->format->block && !x->format->again ? copy_once(x->body) : copy_body(x->body)) < 0 ? err_set(&x->err, "cannot write: %s", strerror(errno)) : 0;
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

/* 0: one of the words is not a category. */
static unsigned categories_parse(char *words)
{
	unsigned bits = 0;

	for (char *save, *w = strtok_r(words, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		unsigned i = 0;

		while (category_words[i] && strcmp(category_words[i], w) != 0)
			i++;
		if (!category_words[i]) {
			is_word("nfqctl rules export", "--categories", w, category_words);
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
	bool named = false;
	int  o;

	while ((o = getopt_long(argc, argv, "f:h", options, NULL)) != -1) {
		named |= o == 'f';
		if (o == 'f')
			x->format = format_named(optarg);
		else if (o == 'c')
			x->categories = categories_parse(optarg);
		else if (o == 'l')
			x->with_log = true;
		else
			return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
	}
	if (!x->format && !named)
		wrong_usage(argv[0], "--format is missing");
	return x->format && x->categories && words_are(argc, argv, "PACK...") ? -1 : usage(stderr, CTL_USAGE);
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules update: a newer release of the list, from a folder or a web server that is not trusted.
 * Everything is verified before anything is changed: the signature by a key that this machine names, the
 * number, the end, the program's version, the digest of every file, lint. What fails leaves the packs
 * that are in force.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "nfqctl.h"
#include "rules_update.h"
#include "shared/conf.h"

#define DEFAULT_CONF "/etc/nfqd/nfqd.yaml"
#define DEFAULT_INTO "/var/lib/nfqd/rules"
#define CLOCKS_DIFFER 86400 /* seconds: of the publisher's clock and this one */
#define ROTATION     "rotation.note" /* the last note that named new keys */

/* ---- keys ---------------------------------------------------------------------------------- */

static int add_key(struct updater *u, const char *text)
{
	if (u->n_keys == UPDATE_KEYS)
		return err_set(&u->err, "more than %d keys", UPDATE_KEYS);
	if (note_key_parse(text, false, &u->keys[u->n_keys], &u->err) < 0)
		return -1;
	u->n_keys++;
	return 0;
}

/* Keys that a note names which one of ours signed. */
static int add_rotated(struct updater *u, const char *note, size_t n)
{
	struct rules_index index;
	struct err         unused = { .text = "" };
	unsigned           by;
	long               text = note_verify(note, n, u->keys, u->n_keys, &by, &unused);
	int                r = 0;

	if (text < 0 || index_parse(note, (size_t)text, &index, &unused) < 0)
		return 0; /* signed by a key that is no longer ours: it says nothing */
	for (unsigned i = 0; r == 0 && i < index.n_keys; i++)
		r = add_key(u, index.keys[i]);
	index_free(&index);
	return r;
}

static int read_rotation(struct updater *u)
{
	struct err unused = { .text = "" };
	char       path[UPDATE_PATH];
	size_t     n;
	char      *note;
	int        r;

	if (snprintf(path, sizeof(path), "%s/" ROTATION, u->into) >= (int)sizeof(path) ||
	    !(note = index_read_file(path, NOTE_MAX, &n, &unused)))
		return 0;
	r = add_rotated(u, note, n);
	free(note);
	return r;
}

/* ---- the index ----------------------------------------------------------------------------- */

/* Compares 0.10.2 and 0.9: below 0, 0 or above. */
static int version_order(const char *a, const char *b)
{
	while (*a || *b) {
		char         *end_a, *end_b;
		unsigned long x = strtoul(a, &end_a, 10), y = strtoul(b, &end_b, 10);

		if (x != y)
			return x < y ? -1 : 1;
		a = *end_a ? end_a + 1 : end_a;
		b = *end_b ? end_b + 1 : end_b;
	}
	return 0;
}

static int check_index(struct updater *u)
{
	const struct rules_index *x = &u->index;
	uint64_t                  highest = store_highest(u);
	int64_t                   now = (int64_t)(clock_now() / NS_PER_S);
	char                      expires[CLOCK_TEXT], date[CLOCK_TEXT];

	clock_text_iso(x->expires, expires);
	clock_text_iso(x->date, date);
	if (x->number < highest)
		return err_set(&u->err, "release %" PRIu64 " is older than %" PRIu64 ", which was here already",
		               x->number, highest);
	if (now + CLOCKS_DIFFER < x->date)
		return err_set(&u->err, "release %" PRIu64 " is of %s: the clock of this machine is behind, so "
		               "nothing can be said of its end", x->number, date);
	if (now >= x->expires)
		return err_set(&u->err, "release %" PRIu64 " expired on %s: the mirror stands still", x->number,
		               expires);
	if (version_order(NFQD_VERSION, x->program) < 0)
		return err_set(&u->err, "release %" PRIu64 " needs nfqd %s, this is " NFQD_VERSION, x->number,
		               x->program);
	return 0;
}

static int read_index(struct updater *u)
{
	unsigned by;
	long     text;

	u->note = update_fetch(u, INDEX_NOTE, NOTE_MAX, &u->note_n);
	if (!u->note)
		return -1;
	text = note_verify(u->note, u->note_n, u->keys, u->n_keys, &by, &u->err);
	if (text < 0 || index_parse(u->note, (size_t)text, &u->index, &u->err) < 0)
		return -1;
	return check_index(u);
}

/* ---- the files ----------------------------------------------------------------------------- */

static int take_file(struct updater *u, const struct index_file *f)
{
	char   name[HEX_SHA256 + 8], path[UPDATE_PATH], sha256[HEX_SHA256];
	size_t n;
	char  *data;
	int    r;

	snprintf(name, sizeof(name), "files/%s", f->sha256);
	data = update_fetch(u, name, (size_t)f->size, &n);
	if (!data)
		return -1;
	sha256_hex(data, n, sha256);
	if (n != f->size || strcmp(sha256, f->sha256) != 0)
		r = err_set(&u->err, "%s: not the file that the index names", f->name);
	else if (snprintf(path, sizeof(path), "%s/%s", u->staged, f->name) >= (int)sizeof(path))
		r = err_set(&u->err, "%s: the path is too long", u->into);
	else
		r = index_write_file(path, data, n, &u->err);
	free(data);
	return r;
}

static int take_files(struct updater *u)
{
	char path[UPDATE_PATH];

	if (snprintf(u->staged, sizeof(u->staged), "%s/.staged", u->into) >= (int)sizeof(u->staged) ||
	    snprintf(path, sizeof(path), "%s/.staged/" INDEX_NOTE, u->into) >= (int)sizeof(path))
		return err_set(&u->err, "%s: the path is too long", u->into);
	store_remove(u->staged); /* of a run that was ended */
	if (mkdir(u->staged, 0755) < 0)
		return err_set(&u->err, "%s: %s", u->staged, strerror(errno));
	for (unsigned i = 0; i < u->index.n_files; i++)
		if (take_file(u, &u->index.files[i]) < 0)
			return -1;
	return index_write_file(path, u->note, u->note_n, &u->err);
}

static int lint_staged(struct updater *u)
{
	unsigned n = u->index.n_files, words = 1;
	char   **argv = calloc(n + 2U, sizeof(*argv));
	int      r = argv ? 0 : err_set(&u->err, "out of memory");

	if (argv)
		argv[0] = (char[]){ "lint" };
	for (unsigned i = 0; r == 0 && i < n; i++) {
		size_t len = strlen(u->index.files[i].name);

		if (strcmp(u->index.files[i].name + len - 4, ".txt") == 0)
			continue;
		if (asprintf(&argv[words], "%s/%s", u->staged, u->index.files[i].name) < 0)
			r = err_set(&u->err, "out of memory");
		words += r == 0;
	}
	optind = 0;
	if (r == 0 && cmd_rules_lint(NULL, (int)words, argv) != CTL_DONE)
		r = err_set(&u->err, "release %" PRIu64 " does not lint", u->index.number);
	for (unsigned i = 1; argv && i < words; i++)
		free(argv[i]);
	free(argv);
	return r;
}

/* ---- the steps ----------------------------------------------------------------------------- */

static int keep_rotation(struct updater *u)
{
	char path[UPDATE_PATH];

	if (u->index.n_keys == 0)
		return 0;
	if (snprintf(path, sizeof(path), "%s/" ROTATION, u->into) >= (int)sizeof(path))
		return err_set(&u->err, "%s: the path is too long", u->into);
	return index_write_file(path, u->note, u->note_n, &u->err);
}

static int apply(struct updater *u, uint64_t current)
{
	if (take_files(u) < 0 || lint_staged(u) < 0 || update_diff(u, current) < 0)
		return -1;
	if (u->check) {
		printf("release %" PRIu64 " can be taken\n", u->index.number);
		return 0;
	}
	if (keep_rotation(u) < 0 || store_commit(u) < 0)
		return -1;
	printf("release %" PRIu64 " is in %s/current: nfqctl reload puts it in force\n", u->index.number,
	       u->into);
	return 0;
}

/* A release of the number that is in force, but not the same one, is as wrong as an older one. */
static int check_same(struct updater *u)
{
	char   path[UPDATE_PATH];
	size_t n;
	char  *note;
	bool   same;

	if (snprintf(path, sizeof(path), "%s/%" PRIu64 "/" INDEX_NOTE, u->into, u->index.number) >=
	    (int)sizeof(path))
		return err_set(&u->err, "%s: the path is too long", u->into);
	note = index_read_file(path, NOTE_MAX, &n, &u->err);
	same = note && n == u->note_n && memcmp(note, u->note, n) == 0;
	free(note);
	if (!same)
		return err_set(&u->err, "another release of the number %" PRIu64 ", which is here already",
		               u->index.number);
	return 0;
}

static int update(struct updater *u)
{
	uint64_t current = store_current(u);
	int      r;

	if (read_rotation(u) < 0 || read_index(u) < 0)
		return -1;
	if (store_has(u, u->index.number) && check_same(u) < 0)
		return -1;
	if (u->index.number == current) {
		printf("release %" PRIu64 " is in force already\n", current);
		return 0;
	}
	r = apply(u, current);
	if (*u->staged)
		store_remove(u->staged); /* of what was not put in force */
	return r;
}

static int rollback(struct updater *u)
{
	uint64_t current = store_current(u), before = store_before(u, current);

	if (before == 0)
		return err_set(&u->err, "%s: no release before %" PRIu64 " is kept", u->into, current);
	if (store_switch(u, before) < 0)
		return -1;
	printf("release %" PRIu64 " is in %s/current: nfqctl reload puts it in force\n", before, u->into);
	return 0;
}

/* ---- the command --------------------------------------------------------------------------- */

/* What the command line leaves out, the configuration says. */
static int read_conf(struct updater *u, const char *path, struct conf **conf)
{
	if (!path && access(DEFAULT_CONF, F_OK) < 0)
		return 0;
	*conf = conf_load(path ? path : DEFAULT_CONF, &u->err);
	if (!*conf)
		return -1;
	u->from = u->from ? u->from : (*conf)->update.from;
	u->into = u->into ? u->into : (*conf)->update.into;
	for (unsigned i = 0; i < (*conf)->n_outputs && u->n_records < UPDATE_RECORDS; i++)
		if ((*conf)->outputs[i].path && strcmp((*conf)->outputs[i].path, "-") != 0)
			u->records[u->n_records++] = (*conf)->outputs[i].path;
	for (unsigned i = 0; i < (*conf)->update.n_keys; i++)
		if (add_key(u, (*conf)->update.keys[i]) < 0)
			return -1;
	return 0;
}

static int start(struct updater *u, const char *conf_path, bool back)
{
	struct conf *conf = NULL;
	int          lock, r = read_conf(u, conf_path, &conf);

	u->into = u->into ? u->into : DEFAULT_INTO;
	if (r == 0 && !back && !u->from)
		r = err_set(&u->err, "no --from, and the configuration has no update: {from: ...}");
	if (r == 0 && !back && u->n_keys == 0)
		r = err_set(&u->err, "no --key, and the configuration has no update: {keys: [...]}");
	lock = r < 0 ? -1 : store_open(u);
	if (lock >= 0) {
		r = back ? rollback(u) : update(u);
		close(lock);
	} else {
		r = -1;
	}
	if (r < 0)
		fprintf(stderr, "nfqctl: %s%s\n", u->err.text, back ? "" : " (the packs in force stay)");
	free(u->note);
	index_free(&u->index);
	conf_free(conf);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl rules update [--from URL|FOLDER] [--key KEY]... [--into FOLDER] [--check]\n"
	            "                           [--ca FILE] [--conf FILE]\n"
	            "       nfqctl rules update --rollback [--into FOLDER] [--conf FILE]\n");
	return result;
}

int cmd_rules_update(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' }, { "key", required_argument, NULL, 'k' },
		{ "into", required_argument, NULL, 'i' }, { "check", no_argument, NULL, 'C' },
		{ "ca", required_argument, NULL, 'a' },   { "conf", required_argument, NULL, 'c' },
		{ "rollback", no_argument, NULL, 'r' },   { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct updater u;
	const char           *conf = NULL;
	bool                  back = false;
	int                   o, r = 0;

	(void)ctl;
	u = (struct updater){ .from = NULL };
	while (r == 0 && (o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 'f': u.from = optarg; break;
		case 'k': r = add_key(&u, optarg); break;
		case 'i': u.into = optarg; break;
		case 'C': u.check = true; break;
		case 'a': u.ca = optarg; break;
		case 'c': conf = optarg; break;
		case 'r': back = true; break;
		default: return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
		}
	}
	if (r < 0) {
		wrong_usage(argv[0], "--key: '%s': %s", optarg, u.err.text);
		return CTL_USAGE;
	}
	return words_are(argc, argv, "") ? start(&u, conf, back) : usage(stderr, CTL_USAGE);
}

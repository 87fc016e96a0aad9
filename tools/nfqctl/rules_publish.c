/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules publish: a release of the list as a folder that any web server can serve: the packs by
 * their digests, and an index of them as a signed note. What does not lint is not released. Also makes
 * the key that it is signed by.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/yaml.h"
#include "match/never.h"
#include "nfqctl.h"
#include "tlog/note.h"
#include "rules.h"
#include "rules_index.h"

#define LIFE (90 * INT64_C(86400)) /* seconds that a release is good for */

struct publisher {
	const char        *key_file, *out, *expires, *program, *next_key;
	struct note_key    key;
	struct rules_index index;
	struct err         err;
};

/* ---- keys ---------------------------------------------------------------------------------- */

static int make_key(const char *name, const char *file)
{
	struct err      err = { .text = "" };
	struct note_key signer, verifier;
	char            text[NOTE_KEY_TEXT];
	int             fd, n;

	if (note_key_new(name, &signer, &err) < 0) {
		fprintf(stderr, "nfqctl: %s\n", err.text);
		return CTL_FAILED;
	}
	note_key_text(&signer, true, text);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	n = fd < 0 ? -1 : dprintf(fd, "%s\n", text);
	if (fd >= 0 && close(fd) < 0)
		n = -1;
	if (n < 0) {
		fprintf(stderr, "nfqctl: %s: %s\n", file, strerror(errno));
		return CTL_FAILED;
	}
	note_key_public(&signer, &verifier);
	note_key_text(&verifier, false, text);
	printf("%s\n", text);
	return CTL_DONE;
}

static int read_key(struct publisher *p)
{
	size_t n;
	char  *text = index_read_file(p->key_file, NOTE_KEY_TEXT, &n, &p->err);
	int    r = text ? note_key_parse(text, true, &p->key, &p->err) : -1;

	free(text);
	return r;
}

/* ---- files --------------------------------------------------------------------------------- */

/* Puts a file into the index; one that two entries or packs name stands there once. */
static int add_to_index(struct publisher *p, const struct index_file *f, const char *path)
{
	struct rules_index *x = &p->index;

	for (unsigned i = 0; i < x->n_files; i++)
		if (strcmp(x->files[i].name, f->name) == 0)
			return strcmp(x->files[i].sha256, f->sha256) == 0
			               ? 0
			               : err_set(&p->err, "%s: another file of the release has this name", path);
	if (x->n_files == INDEX_FILES_MAX)
		return err_set(&p->err, "more than %d files", INDEX_FILES_MAX);
	x->files[x->n_files++] = *f;
	return 0;
}

static int copy_file(struct publisher *p, const char *path, const char *version)
{
	struct index_file f = { .size = 0 };
	const char       *slash = strrchr(path, '/');
	char              to[4096];
	size_t            n;
	char             *data = index_read_file(path, INDEX_FILE_MAX, &n, &p->err);
	int               r = -1;

	if (!data)
		return -1;
	snprintf(f.name, sizeof(f.name), "%.127s", slash ? slash + 1 : path);
	snprintf(f.version, sizeof(f.version), "%.39s", version);
	f.size = n;
	sha256_hex(data, n, f.sha256);
	if (!index_name_ok(f.name) || strcspn(f.version, " \t\n") != strlen(f.version))
		err_set(&p->err, "%s: a name or version that a release cannot have", path);
	else if (snprintf(to, sizeof(to), "%s/files/%s", p->out, f.sha256) >= (int)sizeof(to))
		err_set(&p->err, "%s: the path is too long", p->out);
	else
		r = index_write_file(to, data, n, &p->err);
	free(data);
	return r < 0 ? r : add_to_index(p, &f, path);
}

static int copy_pack(struct publisher *p, const char *path)
{
	struct pack *pack = pack_load(path, &p->err);
	char         file[4096];
	int          r = pack ? copy_file(p, path, pack->version) : -1;

	for (unsigned i = 0; r == 0 && i < pack->n_entries; i++)
		if (pack->entries[i].names_file) {
			r = pack_names_path(pack, &pack->entries[i], file, sizeof(file));
			r = r < 0 ? r : copy_file(p, file, "-");
		}
	pack_free(pack);
	return r;
}

static int copy_any(struct publisher *p, const char *path)
{
	struct yaml_doc *doc = yaml_doc_open(path, NULL, NULL, &p->err);
	bool             never = doc && never_is(doc);

	yaml_doc_free(doc);
	if (!doc)
		return -1;
	return never ? copy_file(p, path, "-") : copy_pack(p, path);
}

/* ---- the index ----------------------------------------------------------------------------- */

/* One more than that of the release that lies there. */
static uint64_t next_number(const struct publisher *p)
{
	struct rules_index before;
	struct note_key    key;
	struct err         unused = { .text = "" };
	char               path[4096];
	uint64_t           number = 0;
	unsigned           by;
	size_t             n;
	char              *note;
	long               text;

	note_key_public(&p->key, &key);
	if (snprintf(path, sizeof(path), "%s/" INDEX_NOTE, p->out) >= (int)sizeof(path) ||
	    !(note = index_read_file(path, NOTE_MAX, &n, &unused)))
		return 1;
	text = note_verify(note, n, &key, 1, &by, &unused);
	if (text > 0 && index_parse(note, (size_t)text, &before, &unused) == 0) {
		number = before.number;
		index_free(&before);
	}
	free(note);
	return number + 1;
}

static int write_index(struct publisher *p)
{
	char *text = index_text(&p->index), *note = NULL, line[NOTE_LINE], path[4096];
	int   r = -1, n;

	if (!text)
		return err_set(&p->err, "out of memory");
	note_sign(&p->key, text, strlen(text), line);
	n = asprintf(&note, "%s\n%s", text, line);
	if (n < 0)
		note = NULL;
	if (!note)
		err_set(&p->err, "out of memory");
	else if (snprintf(path, sizeof(path), "%s/" INDEX_NOTE, p->out) >= (int)sizeof(path))
		err_set(&p->err, "%s: the path is too long", p->out);
	else
		r = index_write_file(path, note, (size_t)n, &p->err);
	free(note);
	free(text);
	return r;
}

static int fill_head(struct publisher *p)
{
	struct note_key next;

	p->index.date = (int64_t)(clock_now() / NS_PER_S);
	p->index.expires = p->index.date + LIFE;
	if (p->expires && clock_parse(p->expires, &p->index.expires) < 0)
		return err_set(&p->err, "--expires: '%s' is not a date", p->expires);
	snprintf(p->index.program, sizeof(p->index.program), "%.31s", p->program);
	if (p->next_key) {
		if (note_key_parse(p->next_key, false, &next, &p->err) < 0)
			return -1;
		snprintf(p->index.keys[p->index.n_keys++], sizeof(p->index.keys[0]), "%s", p->next_key);
	}
	if (!p->index.number)
		p->index.number = next_number(p);
	return 0;
}

/* ---- the command --------------------------------------------------------------------------- */

static int make_folders(struct publisher *p)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/files", p->out) >= (int)sizeof(path))
		return err_set(&p->err, "%s: the path is too long", p->out);
	if ((mkdir(p->out, 0755) < 0 && errno != EEXIST) || (mkdir(path, 0755) < 0 && errno != EEXIST))
		return err_set(&p->err, "%s: %s", p->out, strerror(errno));
	return 0;
}

static int publish(struct publisher *p, char *const paths[], unsigned n)
{
	int r;

	p->index.files = calloc(INDEX_FILES_MAX, sizeof(*p->index.files));
	if (!p->index.files)
		return err_set(&p->err, "out of memory");
	r = read_key(p);
	r = r < 0 ? r : make_folders(p);
	r = r < 0 ? r : fill_head(p);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = copy_any(p, paths[i]);
	return r < 0 ? r : write_index(p);
}

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl rules publish --key FILE --out FOLDER [--number N] [--expires DATE]\n"
	            "                            [--program VERSION] [--next-key KEY] PACK...\n"
	            "       nfqctl rules publish --new-key NAME --key FILE\n");
	return result;
}

static int run(struct publisher *p, int argc, char **argv)
{
	char **lint = calloc((size_t)argc + 2, sizeof(*lint));
	int    r = CTL_FAILED;

	if (!lint)
		return CTL_FAILED;
	lint[0] = argv[0];
	memcpy(lint + 1, argv + optind, (size_t)(argc - optind) * sizeof(*lint));
	argc -= optind;
	optind = 0;
	if (cmd_rules_lint(NULL, argc + 1, lint) == CTL_DONE) {
		r = publish(p, lint + 1, (unsigned)argc) < 0 ? CTL_FAILED : CTL_DONE;
		if (r == CTL_DONE)
			printf("%s: release %llu, %u files\n", p->out, (unsigned long long)p->index.number,
			       p->index.n_files);
		else
			fprintf(stderr, "nfqctl: %s\n", p->err.text);
		index_free(&p->index);
	}
	free(lint);
	return r;
}

/* Not the highest that there is: no release could follow. */
static int read_number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out > 0 && *out < UINT64_MAX)
		return 0;
	fprintf(stderr, "nfqctl: --number: '%s' is not a number between 1 and 18446744073709551614\n", text);
	return -1;
}

int cmd_rules_publish(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },     { "out", required_argument, NULL, 'o' },
		{ "number", required_argument, NULL, 'n' },  { "expires", required_argument, NULL, 'e' },
		{ "program", required_argument, NULL, 'p' }, { "next-key", required_argument, NULL, 'x' },
		{ "new-key", required_argument, NULL, 'm' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct publisher p = { .program = NFQD_VERSION };
	const char      *new_key = NULL;
	int              o;

	(void)ctl;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 'k': p.key_file = optarg; break;
		case 'o': p.out = optarg; break;
		case 'n':
			if (read_number(optarg, &p.index.number) < 0)
				return CTL_USAGE;
			break;
		case 'e': p.expires = optarg; break;
		case 'p': p.program = optarg; break;
		case 'x': p.next_key = optarg; break;
		case 'm': new_key = optarg; break;
		default: return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
		}
	}
	if (new_key && p.key_file && optind == argc)
		return make_key(new_key, p.key_file);
	if (!p.key_file || (!new_key && !p.out))
		return usage(stderr, wrong_usage(argv[0], "%s is missing", p.key_file ? "--out" : "--key"));
	if (!words_are(argc, argv, new_key ? "" : "PACK..."))
		return usage(stderr, CTL_USAGE);
	return run(&p, argc, argv);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules import: turns a list made elsewhere into a small pack that only records, and a plain file of
 * names beside it. The list is read once, block by block, whatever its size (rules_import_read.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules_import.h"

/* ---- the files beside each other ----------------------------------------------------------- */

/* NAME.yaml -> NAME<end>, written under a temporary name until everything is done. */
static int output_open(struct importer *x, struct output *o, const char *end)
{
	size_t      n = strlen(x->out) - strlen(".yaml");
	const char *slash;
	char        temporary[sizeof(o->path) + 8];

	if (snprintf(o->path, sizeof(o->path), "%.*s%s", (int)n, x->out, end) >= (int)sizeof(o->path))
		return -ENAMETOOLONG;
	slash = strrchr(o->path, '/');
	if (snprintf(o->name, sizeof(o->name), "%s", slash ? slash + 1 : o->path) >=
	    (int)sizeof(o->name))
		return -ENAMETOOLONG;
	snprintf(temporary, sizeof(temporary), "%s.new", o->path);
	o->f = fopen(temporary, "we");
	return o->f ? 0 : -errno;
}

static bool exists(const struct importer *x, const char *end)
{
	char path[sizeof(x->names.path)];
	int  stem = (int)(strlen(x->out) - strlen(".yaml"));

	return snprintf(path, sizeof(path), "%.*s%s", stem, x->out, end) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

/* Would the list itself be overwritten? */
static bool is_list(const struct output *o, int fd)
{
	struct stat list, there;

	return fstat(fd, &list) == 0 && stat(o->path, &there) == 0 && list.st_dev == there.st_dev &&
	       list.st_ino == there.st_ino;
}

/* Moves the file into place if it has content, else removes it. */
static int output_close(struct output *o, bool keep_it)
{
	char temporary[sizeof(o->path) + 8];
	int  r = o->f && (fflush(o->f) != 0 || ferror(o->f)) ? -EIO : 0;

	if (!o->f)
		return 0;
	fclose(o->f);
	snprintf(temporary, sizeof(temporary), "%s.new", o->path);
	if (keep_it && r == 0)
		return rename(temporary, o->path) < 0 ? -errno : 0;
	unlink(temporary);
	return r;
}

/* ---- the pack's tests ---------------------------------------------------------------------- */

/* The first candidate that no exception of the list cancels. */
static const char *positive(struct importer *x)
{
	char  line[HOST_TEXT + 2], temporary[sizeof(x->allow.path) + 8];
	bool  taken_back[CANDIDATES] = { false };
	FILE *f;

	snprintf(temporary, sizeof(temporary), "%s.new", x->allow.path);
	f = fflush(x->allow.f) == 0 ? fopen(temporary, "re") : NULL;
	if (!f)
		return NULL;
	while (fgets(line, sizeof(line), f)) {
		const char *name = line + (line[0] == '.');

		line[strcspn(line, "\n")] = '\0';
		for (unsigned i = 0; i < x->candidates; i++)
			taken_back[i] |= strcmp(x->candidate[i], name) == 0;
	}
	fclose(f);
	for (unsigned i = 0; i < x->candidates; i++)
		if (!taken_back[i])
			return x->candidate[i];
	return NULL;
}

static int write_pack(struct importer *x, struct sha256_ctx *hash)
{
	uint8_t       digest[SHA256_DIGEST_SIZE];
	char          hex[2 * SHA256_DIGEST_SIZE + 1], negative[HOST_TEXT + 32];
	struct output yaml = { .n = 0 };
	int           r = output_open(x, &yaml, ".yaml");

	sha256_digest(hash, sizeof(digest), digest);
	for (unsigned i = 0; i < sizeof(digest); i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", digest[i]);
	/* a look-alike; nothing below .invalid was taken */
	snprintf(negative, sizeof(negative), "%.180s.not-listed.invalid",
	         x->candidates ? x->candidate[0] : x->allowed);
	x->pack.sha256 = hex;
	x->pack.names_file = x->names.n ? x->names.name : NULL;
	x->pack.allow_file = x->allow.n ? x->allow.name : NULL;
	x->pack.match = positive(x);
	x->pack.allow = *x->allowed ? x->allowed : NULL;
	x->pack.no_match = negative;
	if (r == 0 && import_pack_write(yaml.f, &x->pack) < 0)
		r = -EIO;
	return r < 0 ? (void)output_close(&yaml, false), r : output_close(&yaml, true);
}

/* ---- which format -------------------------------------------------------------------------- */

static const struct import_format *format_named(const char *name)
{
	for (const struct import_format *f = import_formats; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

/* ---- the command --------------------------------------------------------------------------- */

static int failed(const struct importer *x, const char *what, int r)
{
	fprintf(stderr, "nfqctl: %s: %s%s%s\n", x->pack.file, what, r ? ": " : "",
	        r ? strerror(-r) : "");
	return -1;
}

static int mostly_skipped(const struct importer *x)
{
	char text[128];

	snprintf(text, sizeof(text), "read as %s most lines say nothing (%lu names, %lu lines skipped); "
	                             "name the format",
	         x->format->name, x->names.n + x->allow.n, x->skipped);
	return failed(x, text, 0);
}

static int import(struct importer *x, int fd)
{
	struct sha256_ctx hash;
	int               r;

	sha256_init(&hash);
	x->told = !x->format;
	if (x->told)
		x->format = import_format_told(x, fd);
	if (!x->format && !x->no_text)
		return failed(x, "of none of the formats, or no file; name the format", 0);
	if (x->no_text)
		return failed(x, x->no_text, 0);
	x->pack.format = x->format->name;
	r = output_open(x, &x->names, ".txt");
	r = r < 0 ? r : output_open(x, &x->allow, ".allow.txt");
	if (r < 0)
		return failed(x, x->out, r);
	if (is_list(&x->names, fd) || is_list(&x->allow, fd))
		return failed(x, "the names of --out would be written over it", 0);
	if (!x->force && (exists(x, ".yaml") || exists(x, ".txt") || exists(x, ".allow.txt")))
		return failed(x, "what --out names is there already; --force writes over it", 0);
	r = x->format->cancels ? import_collect_cancelled(x, fd) : 0;
	r = r < 0 ? r : import_read(x, fd, &hash);
	if (r < 0)
		return failed(x, x->no_text ? x->no_text : "cannot be read", x->no_text ? 0 : r);
	if (x->names.n + x->allow.n == 0)
		return failed(x, "there is no name in it", 0);
	if (x->told && x->skipped > x->names.n + x->allow.n)
		return mostly_skipped(x);
	r = write_pack(x, &hash);
	return r < 0 ? failed(x, x->out, r) : 0;
}

/* Copies standard input to a file that can be read twice. Returns a descriptor or -errno. */
static int spool(int fd)
{
	FILE   *f = tmpfile();
	char    block[65536];
	ssize_t n = 0;
	int     copy;

	while (f && ((n = read(fd, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0 && fwrite(block, 1, (size_t)n, f) != (size_t)n)
			break;
	if (!f || n != 0 || fflush(f) != 0 || lseek(fileno(f), 0, SEEK_SET) < 0) {
		if (f)
			fclose(f);
		return -EIO;
	}
	copy = dup(fileno(f));
	fclose(f);
	return copy < 0 ? -errno : copy;
}

static int list_open(const struct importer *x)
{
	int fd, copy;

	if (strcmp(x->pack.file, "-") != 0) {
		fd = open(x->pack.file, O_RDONLY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	fd = dup(0);
	if (fd < 0 || !x->format || !x->format->cancels || lseek(fd, 0, SEEK_CUR) >= 0)
		return fd < 0 ? -errno : fd;
	copy = spool(fd);
	close(fd);
	return copy;
}

static int run(struct importer *x)
{
	int  fd = list_open(x);
	bool done;

	if (fd < 0)
		return failed(x, "cannot be opened", fd), CTL_FAILED;
	done = import(x, fd) == 0;
	close(fd);
	done &= output_close(&x->names, done && x->names.n) == 0;
	done &= output_close(&x->allow, done && x->allow.n) == 0;
	if (!done)
		return CTL_FAILED;
	printf("%s: %s, %lu names, %lu exceptions, %lu lines skipped\n", x->out, x->format->name,
	       x->names.n, x->allow.n, x->skipped);
	if (x->allow.n && x->pack.global)
		fprintf(stderr, "%s: the exceptions also protect these names from other packs\n", x->out);
	return CTL_DONE;
}

static const char id_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/* A pack's id from the file it will be in. */
static void default_id(const char *out, char id[static 64])
{
	const char *slash = strrchr(out, '/');

	snprintf(id, 64, "%s", slash ? slash + 1 : out);
	id[strcspn(id, ".")] = '\0';
	for (char *c = id; *c; c++)
		if (!strchr(id_letters, *c))
			*c = '-';
}

static bool is_id(const char *id)
{
	if (!id || (*id && strlen(id) <= 64 && id[strspn(id, id_letters)] == '\0'))
		return true;
	fprintf(stderr, "nfqctl: --pack '%s': up to 64 letters, digits, '-' and '_'\n", id);
	return false;
}

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl rules import FORMAT|auto FILE|- --out NAME.yaml [--pack ID]\n"
	            "                           [--vendor TEXT] [--title TEXT] [--category WORD]\n"
	            "                           [--exceptions own|global] [--block] [--force]\n"
	            "formats:");
	for (const struct import_format *f = import_formats; f->name; f++)
		fprintf(to, " %s", f->name);
	fprintf(to, "\n");
	return result;
}

static bool is_category(const char *word)
{
	for (unsigned i = 0; category_words[i]; i++)
		if (strcmp(category_words[i], word) == 0)
			return true;
	fprintf(stderr, "nfqctl: category '%s' is unknown\n", word);
	return false;
}

static bool is_pack_path(const char *out)
{
	size_t n = out ? strlen(out) : 0;

	if (n > 5 && strcmp(out + n - 5, ".yaml") == 0 && out[n - 6] != '/')
		return true;
	fprintf(stderr, "nfqctl: --out needs the name of a pack, NAME.yaml\n");
	return false;
}

static int start(struct importer *x, int argc, char **argv)
{
	char **words = argv + optind;
	char id[64], title[4096];
	int  r;

	if (!words_are(argc, argv, "FORMAT FILE") || !is_pack_path(x->out) || !is_category(x->pack.category) || !is_id(x->pack.id))
		return usage(stderr, CTL_USAGE);
	x->format = format_named(words[0]);
	if (!x->format && (strcmp(words[0], "auto") != 0 || strcmp(words[1], "-") == 0)) {
		fprintf(stderr, "nfqctl: '%s' is not a list format%s\n", words[0],
		        words[1][0] == '-' ? " that cannot be read twice" : "");
		return usage(stderr, CTL_USAGE);
	}
	x->pack.file = words[1];
	default_id(x->out, id);
	snprintf(title, sizeof(title), "Names imported from %s", words[1]);
	x->pack.id = x->pack.id ? x->pack.id : id;
	x->pack.title = x->pack.title ? x->pack.title : title;
	r = run(x);
	import_end(x);
	x->pack = (struct import_pack){ 0 }; /* it borrowed the texts above */
	return r;
}

int cmd_rules_import(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "out", required_argument, NULL, 'o' },   { "pack", required_argument, NULL, 'p' },
		{ "vendor", required_argument, NULL, 'v' }, { "title", required_argument, NULL, 't' },
		{ "category", required_argument, NULL, 'c' }, { "exceptions", required_argument, NULL, 'e' },
		{ "block", no_argument, NULL, 'b' },
		{ "force", no_argument, NULL, 'f' },          { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct importer x;
	int                    o;

	(void)ctl;
	import_begin(&x, NULL);
	x.pack = (struct import_pack){ .vendor = "imported", .category = "web" };
	while ((o = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (o) {
		case 'o': x.out = optarg; break;
		case 'p': x.pack.id = optarg; break;
		case 'v': x.pack.vendor = optarg; break;
		case 't': x.pack.title = optarg; break;
		case 'c': x.pack.category = optarg; break;
		case 'f': x.force = true; break;
		case 'b': x.pack.block = true; break;
		case 'e':
			x.pack.global = strcmp(optarg, "global") == 0;
			if (!x.pack.global && strcmp(optarg, "own") != 0)
				return usage(stderr, wrong_usage(argv[0], "--exceptions: '%s' is not own or global", optarg));
			break;
		default: return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
		}
	}
	return start(&x, argc, argv);
}

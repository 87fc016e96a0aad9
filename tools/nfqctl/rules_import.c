/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules import: a list made elsewhere becomes a small pack that only records, and a plain file
 * of names beside it. The list is read once, block by block, whatever its size; what cannot be taken
 * is said with its line and why.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "match/pattern.h"
#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules_import.h"

#define BLOCK        (256 * 1024)
#define LINE_LONGEST 8192
#define TEXT_OF(n)   TEXT_OF_(n)
#define TEXT_OF_(n)  #n
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define PROBE_LINES  500 /* from which the format is told */
#define CANDIDATES   16  /* names one of which becomes the pack's positive test */

struct output {
	char          path[4096], name[256]; /* name: without the folder */
	FILE         *f;
	unsigned long n;
};

struct importer {
	struct import_lines         lines; /* first: take() gets no other pointer */
	const struct import_format *format;
	struct import_pack          pack;
	const char                 *out;
	bool                        probing, begun;
	const char                 *no_text; /* what the file is instead of a list */
	unsigned                    line;
	struct err                  why; /* the first bad name of the line */
	unsigned long               skipped;
	struct output               names, allow;
	struct {
		struct output *to; /* NULL: it is written */
		char           text[HOST_TEXT];
		bool           below;
	} last;
	char                        candidate[CANDIDATES][HOST_TEXT];
	unsigned                    candidates;
	char                        allowed[HOST_TEXT]; /* the first exception */
};

/* ---- one name ------------------------------------------------------------------------------ */

/* To lower case and A-labels, without a final dot. */
static const char *canonical(const char *name, char out[static HOST_TEXT])
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] >= 0x80)
			return hostname_to_ascii(name, out) < 0 ? "no name that IDNA knows" : NULL;
	n -= n > 1 && name[n - 1] == '.';
	if (n >= HOST_TEXT)
		return "longer than any name";
	for (size_t i = 0; i < n; i++)
		out[i] = (char)ascii_lower((uint8_t)name[i]);
	out[n] = '\0';
	return NULL;
}

/* What lint would refuse, and what would mean something else as a pattern. */
static const char *unfit(struct importer *x, const char *name)
{
	static const struct {
		const char *tld, *why;
	} nowhere[] = {
		{ ".invalid", "a name below .invalid, which never exists" },
		{ ".localhost", "a name of the machine itself" },
		{ ".localdomain", "a name of the machine itself" },
	};
	struct pattern p;
	const char    *tld = strrchr(name, '.');

	if (strpbrk(name, "*["))
		return "a '*' or '[' inside a name";
	if (name[0] == '.')
		return "an empty label";
	if (pattern_parse(&p, name, &x->why) < 0)
		return x->why.text;
	for (size_t i = 0; tld && i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		if (strcmp(tld, nowhere[i].tld) == 0)
			return nowhere[i].why;
	if (strstr(name, "xn--") && !hostname_idna_ok(name))
		return "an xn-- label that IDNA would not make";
	return hostname_is_public_suffix(name) ? "a public suffix" : NULL;
}

/* Keeps what the pack's tests are made of. */
static void keep(struct importer *x, const char *name, bool allow)
{
	if (!allow && x->candidates < CANDIDATES)
		snprintf(x->candidate[x->candidates++], HOST_TEXT, "%s", name);
	if (allow && !*x->allowed)
		snprintf(x->allowed, sizeof(x->allowed), "%s", name);
}

static void write_last(struct importer *x)
{
	if (x->last.to)
		fprintf(x->last.to->f, "%s%s\n", x->last.below ? "." : "", x->last.text);
	x->last.to = NULL;
}

static const char *take(struct import_lines *lines, const char *name, unsigned taken)
{
	struct importer *x = (struct importer *)lines;
	struct output   *to = taken & TAKE_ALLOW ? &x->allow : &x->names;
	char             text[HOST_TEXT];
	const char      *why = canonical(name, text);

	why = why ? why : unfit(x, text);
	if (why)
		return why;
	to->n++;
	if (x->probing)
		return NULL;
	keep(x, text, to == &x->allow);
	write_last(x);
	x->last.to = to;
	x->last.below = taken & TAKE_BELOW;
	memcpy(x->last.text, text, sizeof(text));
	return NULL;
}

static bool narrow(struct import_lines *lines, const char *name, unsigned taken)
{
	struct importer     *x = (struct importer *)lines;
	const struct output *opposite = taken & TAKE_ALLOW ? &x->names : &x->allow;
	char                 text[HOST_TEXT];

	if (x->last.to != opposite || !x->last.below || canonical(name, text) ||
	    strcmp(x->last.text, text) != 0)
		return false;
	x->last.below = false;
	return true;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Somebody else wrote the line: what of it would do something to a terminal is not shown. */
static void skip(struct importer *x, const char *why, const char *shown)
{
	char text[400];

	x->skipped++;
	if (x->probing)
		return;
	snprintf(text, sizeof(text), shown ? "%s: '%s'" : "%s", why, shown);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = *c == '\t' ? ' ' : '?';
	fprintf(stderr, "%s:%u: skipped: %s\n", x->pack.file, x->line, text);
}

static void read_line(struct importer *x, char *line)
{
	char        shown[61];
	const char *why;

	x->why.text[0] = '\0';
	snprintf(shown, sizeof(shown), "%.*s", (int)strcspn(line, "\r\n"), line);
	why = x->format->line(&x->lines, line);
	if (why)
		skip(x, why, shown);
}

struct reader {
	char   line[LINE_LONGEST + 1];
	size_t len;
	bool   too_long;
};

static void end_line(struct importer *x, struct reader *r)
{
	char *line = r->line;

	r->line[r->len] = '\0';
	if (x->line++ == 0 && strncmp(line, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		line += strlen(BYTE_ORDER_MARK);
	if (r->too_long)
		skip(x, "longer than " TEXT_OF(LINE_LONGEST) " characters", NULL);
	else if (strlen(r->line) != r->len)
		skip(x, "a NUL character", NULL);
	else
		read_line(x, line);
	r->len = 0;
	r->too_long = false;
}

static void add_bytes(struct reader *r, const char *p, size_t n)
{
	if (r->len + n > LINE_LONGEST) {
		r->too_long = true;
		return;
	}
	memcpy(r->line + r->len, p, n);
	r->len += n;
}

static void read_block(struct importer *x, struct reader *r, const char *p, const char *end)
{
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		add_bytes(r, p, (size_t)((nl ? nl : end) - p));
		if (nl)
			end_line(x, r);
		p = nl ? nl + 1 : end;
	}
}

/* What a file is instead of text; NULL: it may be some. */
static const char *no_text(const char *p, size_t n)
{
	static const struct {
		const char *magic, *what;
	} kinds[] = {
		{ "\x1f\x8b", "compressed with gzip: unpack it first" },
		{ "\xfd" "7zXZ", "compressed with xz: unpack it first" },
		{ "\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first" },
		{ "BZh", "compressed with bzip2: unpack it first" },
		{ "PK\3\4", "a zip archive: unpack it first" },
		{ "\xff\xfe", "UTF-16: make it UTF-8 first" },
		{ "\xfe\xff", "UTF-16: make it UTF-8 first" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (n >= strlen(kinds[i].magic) && memcmp(p, kinds[i].magic, strlen(kinds[i].magic)) == 0)
			return kinds[i].what;
	return NULL;
}

/* Reads the whole list, or when probing its beginning. */
static int read_list(struct importer *x, int fd, struct sha256_ctx *hash)
{
	static char          block[BLOCK];
	static struct reader r;
	ssize_t              n;

	x->line = 0;
	r.len = 0;
	r.too_long = false;
	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!x->begun && (x->no_text = no_text(block, (size_t)n)))
			return -EILSEQ;
		x->begun = true;
		sha256_update(hash, (size_t)n, (const uint8_t *)block);
		read_block(x, &r, block, block + n);
		if (x->probing && x->line >= PROBE_LINES)
			return 0;
	}
	if (r.len > 0 || r.too_long)
		end_line(x, &r);
	write_last(x);
	return 0;
}

/* ---- which format -------------------------------------------------------------------------- */

static const struct import_format *format_named(const char *name)
{
	for (const struct import_format *f = import_formats; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

/* The format in which most of the first lines make sense. NULL: none of them does. */
static const struct import_format *format_told(struct importer *ask, int fd)
{
	const struct import_format *best = NULL;
	unsigned long               most = 0;

	for (const struct import_format *f = import_formats; f->name; f++) {
		struct importer   x = { .lines = { .take = take, .narrow = narrow }, .format = f, .probing = true };
		struct sha256_ctx unused;

		x.pack.file = ask->pack.file;
		sha256_init(&unused);
		if (lseek(fd, 0, SEEK_SET) < 0 || read_list(&x, fd, &unused) < 0) {
			ask->no_text = x.no_text;
			return NULL;
		}
		if (x.names.n + x.allow.n > most) {
			most = x.names.n + x.allow.n;
			best = f;
		}
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? NULL : best;
}

/* ---- the files beside each other ----------------------------------------------------------- */

/* NAME.yaml -> NAME<end>, written under a name of its own until all is done. */
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

/* Would the list itself be written over? */
static bool is_list(const struct output *o, int fd)
{
	struct stat list, there;

	return fstat(fd, &list) == 0 && stat(o->path, &there) == 0 && list.st_dev == there.st_dev &&
	       list.st_ino == there.st_ino;
}

/* Puts the file in its place when it has something to say, else takes it away. */
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

/* The first candidate that no exception of the list takes back. */
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

/* ---- the command --------------------------------------------------------------------------- */

static int failed(const struct importer *x, const char *what, int r)
{
	fprintf(stderr, "nfqctl: %s: %s%s%s\n", x->pack.file, what, r ? ": " : "",
	        r ? strerror(-r) : "");
	return -1;
}

static int import(struct importer *x, int fd)
{
	struct sha256_ctx hash;
	int               r;

	sha256_init(&hash);
	if (!x->format)
		x->format = format_told(x, fd);
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
	r = read_list(x, fd, &hash);
	if (r < 0)
		return failed(x, x->no_text ? x->no_text : "cannot be read", x->no_text ? 0 : r);
	if (x->names.n + x->allow.n == 0)
		return failed(x, "there is no name in it", 0);
	r = write_pack(x, &hash);
	return r < 0 ? failed(x, x->out, r) : 0;
}

static int run(struct importer *x)
{
	int  fd = strcmp(x->pack.file, "-") == 0 ? dup(0) : open(x->pack.file, O_RDONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return failed(x, "cannot be opened", -errno), CTL_FAILED;
	done = import(x, fd) == 0;
	close(fd);
	done &= output_close(&x->names, done && x->names.n) == 0;
	done &= output_close(&x->allow, done && x->allow.n) == 0;
	if (!done)
		return CTL_FAILED;
	printf("%s: %s, %lu names, %lu exceptions, %lu lines skipped\n", x->out, x->format->name,
	       x->names.n, x->allow.n, x->skipped);
	if (x->allow.n)
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

static int start(struct importer *x, int n, char **words)
{
	char id[64], title[4096];

	if (n != 2 || !is_pack_path(x->out) || !is_category(x->pack.category) || !is_id(x->pack.id))
		return usage(stderr, CTL_USAGE);
	x->format = format_named(words[0]);
	if (!x->format && (strcmp(words[0], "auto") != 0 || strcmp(words[1], "-") == 0)) {
		fprintf(stderr, "nfqctl: '%s' is no format of a list%s\n", words[0],
		        words[1][0] == '-' ? " that cannot be read twice" : "");
		return usage(stderr, CTL_USAGE);
	}
	x->pack.file = words[1];
	default_id(x->out, id);
	snprintf(title, sizeof(title), "Names imported from %s", words[1]);
	x->pack.id = x->pack.id ? x->pack.id : id;
	x->pack.title = x->pack.title ? x->pack.title : title;
	return run(x);
}

int cmd_rules_import(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "out", required_argument, NULL, 'o' },   { "pack", required_argument, NULL, 'p' },
		{ "vendor", required_argument, NULL, 'v' }, { "title", required_argument, NULL, 't' },
		{ "category", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct importer x;
	int                    o;

	(void)ctl;
	x = (struct importer){ .lines = { .take = take, .narrow = narrow }, .pack = { .vendor = "imported", .category = "web" } };
	while ((o = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (o) {
		case 'o': x.out = optarg; break;
		case 'p': x.pack.id = optarg; break;
		case 'v': x.pack.vendor = optarg; break;
		case 't': x.pack.title = optarg; break;
		case 'c': x.pack.category = optarg; break;
		default: return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
		}
	}
	return start(&x, argc - optind, argv + optind);
}

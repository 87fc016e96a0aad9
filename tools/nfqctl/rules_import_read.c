/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a list: block by block into lines, each line by its format; each name is made canonical and checked
 * before it is taken. A line that cannot be taken is reported with its number and the reason.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "match/pattern.h"
#include "rules_import.h"

#define BLOCK        (256 * 1024)
#define LINE_LONGEST 8192
#define TEXT_OF(n)   TEXT_OF_(n)
#define TEXT_OF_(n)  #n
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define PROBE_LINES  500 /* from which the format is detected */

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

/* Finds what lint would refuse, and what would mean something else as a pattern. */
static const char *unfit(struct importer *x, const char *name, unsigned taken)
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

	if (strpbrk(name, taken & TAKE_GLOB ? "[" : "*["))
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
	if (!(taken & TAKE_BELOW))
		return NULL; /* as a plain name it is one host */
	return hostname_is_public_suffix(name) ? "all below a public suffix" : NULL;
}

/* Keeps names for the pack's tests. */
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

	why = why ? why : unfit(x, text, taken);
	if (why)
		return why;
	to->n++;
	if (x->probing)
		return NULL;
	if (!(taken & TAKE_GLOB))
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

/* Others wrote the line: what would control a terminal is not shown. */
static void skip(struct importer *x, const char *why, const char *shown)
{
	char text[400];

	if (x->collecting)
		return;
	x->skipped++;
	if (x->probing)
		return;
	snprintf(text, sizeof(text), shown ? "%s: '%s'" : "%s", why, shown);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = *c == '\t' ? ' ' : '?';
	fprintf(stderr, "%s:%u: skipped: %s\n", x->pack.file, x->line, text);
}

static void collect(struct importer *x, const char *line)
{
	char   rule[LINE_LONGEST + 1];
	char **v;

	if (!import_adblock_rule(line, rule, sizeof(rule)))
		return;
	v = realloc(x->cancelled, (x->n_cancelled + 1) * sizeof(*v));
	if (v)
		x->cancelled = v;
	if (v && (v[x->n_cancelled] = strdup(rule)))
		x->n_cancelled++;
}

static int text_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is the rule cancelled by another one, or is it the cancelling one itself? */
static bool is_cancelled(const struct importer *x, const char *line)
{
	char  rule[LINE_LONGEST + 1];
	char *key = rule;

	if (x->n_cancelled == 0)
		return false;
	return import_adblock_rule(line, rule, sizeof(rule)) ||
	       bsearch(&key, x->cancelled, x->n_cancelled, sizeof(*x->cancelled), text_order);
}

static void read_line(struct importer *x, char *line)
{
	char        shown[61];
	const char *why;

	x->why.text[0] = '\0';
	if (x->collecting) {
		collect(x, line);
		return;
	}
	if (is_cancelled(x, line))
		return;
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

/* What a file is instead of text; NULL: it may be text. */
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

/* Reads the whole list or, when probing, its beginning. */
int import_read(struct importer *x, int fd, struct sha256_ctx *hash)
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

void import_begin(struct importer *x, const struct import_format *format)
{
	*x = (struct importer){ .lines = { .take = take, .narrow = narrow }, .format = format };
}

int import_collect_cancelled(struct importer *x, int fd)
{
	struct sha256_ctx unused;
	int               r;

	sha256_init(&unused);
	x->collecting = true;
	r = import_read(x, fd, &unused);
	x->collecting = x->begun = false;
	if (x->n_cancelled)
		qsort(x->cancelled, x->n_cancelled, sizeof(*x->cancelled), text_order);
	return r < 0 ? r : lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

void import_end(struct importer *x)
{
	for (size_t i = 0; i < x->n_cancelled; i++)
		free(x->cancelled[i]);
	free(x->cancelled);
	x->cancelled = NULL;
	x->n_cancelled = 0;
}

const struct import_format *import_format_told(struct importer *ask, int fd)
{
	const struct import_format *best = NULL;
	unsigned long               most = 0;

	for (const struct import_format *f = import_formats; f->name; f++) {
		struct importer   x;
		struct sha256_ctx unused;

		import_begin(&x, f);
		x.probing = true;
		x.pack.file = ask->pack.file;
		sha256_init(&unused);
		if (lseek(fd, 0, SEEK_SET) < 0 || import_read(&x, fd, &unused) < 0) {
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


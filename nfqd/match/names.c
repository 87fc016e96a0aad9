/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses, expands, fingerprints and matches name patterns. Knows nothing of rules. */
#include "match/names.h"

#include <stdio.h>
#include <string.h>

#define LABEL_LEN_MAX  63
#define HOST_LEN_MAX   253
#define RANGE_DIGITS   6
#define RANGES_MAX     8

/* ---- ranges -------------------------------------------------------------------------------- */

struct range {
	uint32_t lo, hi;
	unsigned width; /* digits of every number; 0: as many as it needs */
	unsigned text;  /* characters, brackets included */
};

static unsigned digits(const char *p)
{
	unsigned n = 0;

	while (p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

static uint32_t number(const char *p, unsigned n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v * 10 + (uint32_t)(*p++ - '0');
	return v;
}

/* p is at '['. */
static int range_parse(const char *p, struct range *r, struct err *err)
{
	unsigned a = digits(p + 1), b;

	if (a == 0 || a > RANGE_DIGITS || p[1 + a] != '-')
		return err_set(err, "a range is written [lo-hi] with numbers of up to %d digits",
		               RANGE_DIGITS);
	b = digits(p + 2 + a);
	if (b == 0 || b > RANGE_DIGITS || p[2 + a + b] != ']')
		return err_set(err, "a range is written [lo-hi] with numbers of up to %d digits",
		               RANGE_DIGITS);
	*r = (struct range){ .lo = number(p + 1, a),
		             .hi = number(p + 2 + a, b),
		             .width = a == b ? a : 0,
		             .text = a + b + 3 };
	if (r->lo > r->hi)
		return err_set(err, "the range ends before it begins");
	if (a != b && p[1] == '0' && a > 1)
		return err_set(err, "a range whose numbers begin with 0 needs bounds of equal width");
	return 0;
}

/* ---- reading ------------------------------------------------------------------------------- */

struct reader {
	const char  *at;
	struct err  *err;
	struct range ranges[RANGES_MAX];
	unsigned     n_ranges;
	unsigned     len;    /* of the longest name so far */
	unsigned     label;  /* of the label being read */
	unsigned     labels; /* finished ones */
	bool         star, star_last, digits_only, lone_star;
};

static bool is_ldh(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static int read_range(struct reader *r)
{
	struct range *range = &r->ranges[r->n_ranges];
	unsigned      width;

	if (r->n_ranges == RANGES_MAX)
		return err_set(r->err, "more than %d ranges", RANGES_MAX);
	if (range_parse(r->at, range, r->err) < 0)
		return -1;
	width = range->text - 3 - digits(r->at + 1); /* of the upper bound */
	r->at += range->text;
	r->label += width;
	r->n_ranges++;
	r->lone_star = false;
	return 0;
}

static int read_char(struct reader *r)
{
	char c = *r->at;

	if (c == '[')
		return read_range(r);
	if (c == '*' && r->star && r->at[-1] == '*')
		return err_set(r->err, "'**': one '*' is one or more characters of one label");
	if (c == '*') {
		r->star = r->star_last = true;
		r->lone_star = r->label == 0;
	} else if ((unsigned char)c >= 0x80) {
		return err_set(r->err, "not ASCII: write the name in its xn-- form");
	} else if (!is_ldh(c)) {
		return err_set(r->err, "'%c' cannot be part of a name", c < ' ' ? '?' : c);
	}
	r->digits_only &= c >= '0' && c <= '9';
	r->lone_star &= c == '*';
	r->label++;
	r->at++;
	return 0;
}

/* One label, up to its dot or the end. */
static int read_label(struct reader *r)
{
	const char *begin = r->at;

	r->label = 0;
	r->star_last = r->lone_star = false;
	r->digits_only = true;
	while (*r->at && *r->at != '.')
		if (read_char(r) < 0)
			return -1;
	if (r->at == begin)
		return err_set(r->err, "an empty label (two dots side by side, or nothing at all)");
	if (r->lone_star)
		return err_set(r->err, "a label of '*' alone: write .example.com for all below a name");
	if (*begin == '-' || r->at[-1] == '-')
		return err_set(r->err, "a label begins or ends with '-'");
	if (r->label > LABEL_LEN_MAX)
		return err_set(r->err, "a label is longer than %d characters", LABEL_LEN_MAX);
	r->len += r->label + (r->labels > 0);
	r->labels++;
	return 0;
}

static int check_whole(const struct reader *r)
{
	if (r->labels < 2)
		return err_set(r->err, "a single label: a name needs at least two");
	if (r->len > HOST_LEN_MAX)
		return err_set(r->err, "longer than %d characters", HOST_LEN_MAX);
	if (r->digits_only)
		return err_set(r->err, "the last label is a number: addresses belong under 'nets'");
	if (r->star_last)
		return err_set(r->err, "the last label may not have a '*'");
	if (r->star && r->n_ranges > 0)
		return err_set(r->err, "either ranges or '*', not both");
	return 0;
}

static int count_names(struct pattern *p, const struct reader *r)
{
	uint64_t n = 1;

	for (unsigned i = 0; i < r->n_ranges; i++) {
		n *= r->ranges[i].hi - r->ranges[i].lo + 1;
		if (n > PATTERN_NAMES_MAX)
			return err_set(r->err, "stands for more than %d names", PATTERN_NAMES_MAX);
	}
	p->names = (uint32_t)n;
	return 0;
}

/* Lower case, without the leading dot and one trailing dot. */
static int take_text(struct pattern *p, const char *text, struct err *err)
{
	size_t n;

	p->below = text[0] == '.';
	text += p->below;
	n = strlen(text);
	if (n > 1 && text[n - 1] == '.')
		n--;
	if (n >= sizeof(p->text))
		return err_set(err, "longer than %d characters", HOST_LEN_MAX);
	for (size_t i = 0; i < n; i++)
		p->text[i] = (char)ascii_lower((uint8_t)text[i]);
	p->text[n] = '\0';
	p->len = (uint16_t)n;
	return 0;
}

int pattern_parse(struct pattern *p, const char *text, struct err *err)
{
	struct reader r = { .at = p->text, .err = err };

	if (take_text(p, text, err) < 0)
		return -1;
	do {
		r.at += r.labels > 0; /* the dot */
		if (read_label(&r) < 0)
			return -1;
	} while (*r.at);
	p->ranges = r.n_ranges > 0;
	p->kind = r.star ? PATTERN_GLOB : p->below ? PATTERN_SUFFIX : PATTERN_EXACT;
	return check_whole(&r) < 0 ? -1 : count_names(p, &r);
}

/* ---- counting out -------------------------------------------------------------------------- */

struct expander {
	pattern_each *each;
	void         *ctx;
	char          name[PATTERN_TEXT];
};

/* Copies the text up to the next range, then recurses once per number of it; as deep as there are
 * ranges. */
static int expand(struct expander *x, size_t len, const char *rest)
{
	size_t       plain = strcspn(rest, "[");
	struct range range = { 0 };
	struct err   unused = { .text = "" };
	int          r = 0;

	memcpy(x->name + len, rest, plain);
	len += plain;
	x->name[len] = '\0';
	if (rest[plain] == '\0')
		return x->each(x->ctx, x->name, len);
	if (range_parse(rest + plain, &range, &unused) < 0)
		return -1;
	for (uint32_t v = range.lo; r >= 0 && v <= range.hi; v++) {
		int n = snprintf(x->name + len, sizeof(x->name) - len, "%0*u", (int)range.width, v);

		r = expand(x, len + (size_t)n, rest + plain + range.text);
	}
	return r;
}

int pattern_expand(const struct pattern *p, pattern_each *each, void *ctx)
{
	struct expander x = { .each = each, .ctx = ctx };

	return p->ranges ? expand(&x, 0, p->text) : each(ctx, p->text, p->len);
}

/* ---- labels and fingerprints --------------------------------------------------------------- */

void labels_split(struct labels *l, const char *text, size_t len)
{
	l->text = text;
	l->len = (unsigned)len;
	l->n = 0;
	for (size_t i = len; i > 0; i--)
		if (text[i - 1] == '.' && l->n < LABELS_MAX - 1)
			l->start[l->n++] = (uint16_t)i;
	l->start[l->n++] = 0;
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return label_word(v);
}

/* The last n bytes of a label, 1 to 7, where it ends at end and has length bytes; without a copy of a length that
 * the compiler does not know. */
static uint64_t load_rest(const uint8_t *end, size_t n, size_t length)
{
	const uint8_t *p = end - n;
	uint64_t       v = 0;

	if (length >= sizeof(v))
		return load64(end - sizeof(v)) >> (64 - 8 * n);
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

uint64_t fp_extend(uint64_t seed, uint64_t fp, struct span label)
{
	uint64_t       h = label_hash_begin(seed, (uint32_t)label.n);
	const uint8_t *p = label.p, *end = p + label.n;

	for (; end - p >= 8; p += 8)
		h = label_hash_word(h, load64(p));
	if (p < end)
		h = label_hash_word(h, load_rest(end, (size_t)(end - p), label.n));
	return name_hash_extend(fp, h);
}

uint64_t fp_of_pattern(uint64_t seed, const char *name, size_t len)
{
	struct labels l;
	uint64_t      fp = seed;

	labels_split(&l, name, len);
	for (unsigned i = 0; i < l.n; i++) {
		struct span label = label_at(&l, i);

		if (memchr(label.p, '*', label.n))
			break;
		fp = fp_extend(seed, fp, label);
	}
	return fp;
}

/* ---- globs --------------------------------------------------------------------------------- */

/* An odd byte is written \DDD: four characters of the text, one of the name. */
static size_t char_len(struct span s, size_t at)
{
	return s.p[at] == '\\' && s.n - at >= 4 ? 4 : 1;
}

/*
 * Greedy from the left; on a mismatch the last '*' takes one character more. Going back to the last '*' is
 * enough: an earlier one that takes more could only leave less for the rest.
 */
static bool label_match(struct span glob, struct span s)
{
	size_t g = 0, i = 0, star = SIZE_MAX, taken = 0;

	while (i < s.n) {
		if (g < glob.n && glob.p[g] == '*') {
			star = g++;
			i = taken = i + char_len(s, i);
		} else if (g < glob.n && glob.p[g] == s.p[i]) {
			g++;
			i++;
		} else if (star != SIZE_MAX && taken < s.n) {
			g = star + 1;
			i = taken = taken + char_len(s, taken);
		} else {
			return false;
		}
	}
	return g == glob.n;
}

bool glob_match(const char *glob, const struct labels *name, uint8_t *labels)
{
	bool          below = glob[0] == '.';
	struct labels g;

	labels_split(&g, glob + below, strlen(glob + below));
	*labels = (uint8_t)g.n;
	if (below ? g.n > name->n : g.n != name->n)
		return false;
	for (unsigned i = 0; i < g.n; i++)
		if (!label_match(label_at(&g, i), label_at(name, i)))
			return false;
	return true;
}

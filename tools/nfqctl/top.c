/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl top: who asks for what now, and what becomes of it. The rows, and the way without a screen. */
#include "top.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/printable.h"
#include "follow.h"
#include "nfqctl.h"

enum { LOOK_BACK = 4 << 20 /* bytes of the file that are read first */, WIDE = 120 };

const char *const top_verdict_words[TOP_VERDICTS] = { "refused", "logged", "allowed" };
const char *const top_sort_words[TOP_SORTS] = { "rate", "last", "client", "name" };

/* ---- rows ---- */

static bool verdict_of(const char *action, enum top_verdict *out)
{
	static const struct {
		const char      *action;
		enum top_verdict verdict;
	} words[] = { { "reject", TOP_REFUSED }, { "drop", TOP_REFUSED }, { "log", TOP_LOGGED }, { "allow", TOP_ALLOWED } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].action, action) == 0) {
			*out = words[i].verdict;
			return true;
		}
	return false;
}

/* The row, a new one, or NULL: there is no room. */
static struct top_row *row_of(struct top_table *t, const char *client, const char *name, enum top_verdict verdict)
{
	struct top_row *r;

	for (unsigned i = 0; i < t->n; i++) {
		r = &t->rows[i];
		if (r->verdict == verdict && strcmp(r->name, name) == 0 && strcmp(r->client, client) == 0)
			return r;
	}
	if (t->n == TOP_ROWS)
		return NULL;
	r = &t->rows[t->n++];
	*r = (struct top_row){ .verdict = verdict };
	snprintf(r->client, sizeof(r->client), "%s", client);
	snprintf(r->name, sizeof(r->name), "%s", name);
	return r;
}

/* Seconds in which nothing came are zero again. */
static void advance(struct top_row *r, int64_t second)
{
	for (int64_t s = r->last + 1; s <= second && s <= r->last + TOP_SECONDS; s++)
		r->in_second[s % TOP_SECONDS] = 0;
	if (second > r->last)
		r->last = second;
}

void top_count(struct top_table *t, const json_t *record)
{
	const json_t    *own = json_object_get(record, "nfqd");
	const char      *label = json_string_value(json_object_get(json_object_get(own, "client"), "name"));
	const char      *name = json_string_value(json_object_get(own, "name"));
	char             client[64], safe[TOP_TEXT], when[20];
	enum top_verdict verdict;
	struct top_row  *r;
	int64_t          second;

	snprintf(when, sizeof(when), "%s", text_of(record, "timestamp"));
	if (!verdict_of(text_of(own, "action"), &verdict) || clock_parse(when, &second) < 0)
		return;
	printable(text_of(record, "src_ip"), client, sizeof(client));
	printable(name && *name ? name : text_of(record, "dest_ip"), safe, sizeof(safe));
	r = row_of(t, client, safe, verdict);
	if (!r) {
		t->forgotten++;
		return;
	}
	if (label)
		printable(label, r->label, sizeof(r->label));
	advance(r, second);
	if (second > r->last - TOP_SECONDS)
		r->in_second[second % TOP_SECONDS]++;
}

unsigned top_recent(const struct top_row *r, int64_t now, unsigned seconds)
{
	unsigned n = 0;

	for (int64_t s = now - (int64_t)seconds + 1; s <= r->last; s++)
		n += s > r->last - TOP_SECONDS ? r->in_second[s % TOP_SECONDS] : 0;
	return n;
}

/* ---- order ---- */

static int64_t sort_now; /* qsort() hands nothing on */

static int by_rate(const void *x, const void *y)
{
	const struct top_row *a = x, *b = y;
	unsigned              m = top_recent(a, sort_now, TOP_RATE_SECONDS), n = top_recent(b, sort_now, TOP_RATE_SECONDS);

	if (m == n) {
		m = top_recent(a, sort_now, TOP_SECONDS);
		n = top_recent(b, sort_now, TOP_SECONDS);
	}
	return m == n ? strcmp(a->name, b->name) : m < n ? 1 : -1;
}

static int by_last(const void *x, const void *y)
{
	const struct top_row *a = x, *b = y;

	return a->last == b->last ? strcmp(a->name, b->name) : a->last < b->last ? 1 : -1;
}

static int by_name(const void *x, const void *y)
{
	const struct top_row *a = x, *b = y;
	int                   r = strcmp(a->name, b->name);

	return r ? r : strcmp(a->client, b->client);
}

static int by_client(const void *x, const void *y)
{
	const struct top_row *a = x, *b = y;
	int                   r = strcmp(a->client, b->client);

	return r ? r : strcmp(a->name, b->name);
}

void top_sort(struct top_table *t, enum top_sort by, int64_t now)
{
	static int (*const orders[TOP_SORTS])(const void *, const void *) = { by_rate, by_last, by_client, by_name };
	unsigned kept = 0;

	for (unsigned i = 0; i < t->n; i++)
		if (t->rows[i].last > now - TOP_SECONDS)
			t->rows[kept++] = t->rows[i];
	t->n = kept;
	sort_now = now;
	qsort(t->rows, t->n, sizeof(*t->rows), orders[by]);
}

bool top_matches(const struct top_row *r, const char *filter)
{
	return strcasestr(r->client, filter) || strcasestr(r->label, filter) || strcasestr(r->name, filter) ||
	       strcasestr(top_verdict_words[r->verdict], filter);
}

/* ---- as text ---- */

void top_line(const struct top_row *r, int64_t now, unsigned width, char *out, size_t room)
{
	int         client = width >= 100 ? 30 : 16, name = (int)width - client - 25;
	const char *who = r && *r->label ? r->label : r ? r->client : "CLIENT";

	if (name < 8)
		name = 8;
	if (r)
		snprintf(out, room, "%-*.*s %-*.*s %-8s %6.1f %7u", client, client, who, name, name, r->name,
		         top_verdict_words[r->verdict],
		         top_recent(r, now, TOP_RATE_SECONDS) / (double)TOP_RATE_SECONDS,
		         top_recent(r, now, TOP_SECONDS));
	else
		snprintf(out, room, "%-*s %-*s %-8s %6s %7s", client, who, name, "NAME", "VERDICT", "/s", "/min");
}

static void take_line(void *ctx, const char *line, size_t n)
{
	struct top_table *t = ctx;
	json_t           *record = follow_record(&t->count, line, n);

	top_count(t, record);
	json_decref(record);
}

int top_read(struct top_table *t, struct follow *f)
{
	int r = f->fd < 0 ? 0 : follow_more(f, take_line, t);

	follow_again(f);
	return r;
}

static void print_once(struct top_table *t)
{
	int64_t now = (int64_t)(clock_now() / NS_PER_S);
	char    line[512];

	top_sort(t, TOP_BY_RATE, now);
	top_line(NULL, now, WIDE, line, sizeof(line));
	puts(line);
	for (unsigned i = 0; i < t->n; i++) {
		top_line(&t->rows[i], now, WIDE, line, sizeof(line));
		puts(line);
	}
}

/* ---- the command ---- */

static int run(struct nfqctl *ctl, const char *path, bool once)
{
	json_t          *status = path ? NULL : ask(ctl, json_pack("{s:s}", "command", "status"));
	struct top_table t = { .rows = calloc(TOP_ROWS, sizeof(*t.rows)) };
	struct follow    f = { .fd = -1 };
	int              r = CTL_FAILED;

	if (status)
		path = follow_path_of(status);
	if (status && !path)
		fprintf(stderr, "nfqctl top: the daemon writes no file: name one\n");
	if (path && t.rows && follow_open(&f, path) < 0) {
		fprintf(stderr, "nfqctl top: %s: %s\n", path, strerror(errno));
	} else if (path && t.rows) {
		follow_from_last_bytes(&f, LOOK_BACK);
		r = top_read(&t, &f) < 0 ? CTL_FAILED : CTL_DONE;
		if (follow_is_foreign(&t.count)) {
			fprintf(stderr, "nfqctl top: %s: none of its lines is a record of nfqd\n", path);
			r = CTL_FAILED;
		}
		if (r == CTL_DONE && once)
			print_once(&t);
		else if (r == CTL_DONE)
			r = top_screen(ctl, &t, &f);
	}
	follow_close(&f);
	free(t.rows);
	json_decref(status);
	return r;
}

int cmd_top(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "once", no_argument, NULL, 'o' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	bool once = false;
	int  o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) == 'o')
		once = true;
	if (o != -1 || !words_are(argc, argv, "[FILE]")) {
		fprintf(o == 'h' ? stdout : stderr, "usage: nfqctl top [--once] [FILE]\n");
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	return run(ctl, argv[optind], once);
}

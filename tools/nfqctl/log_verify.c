/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl log verify: checks lines against checkpoints. Each checkpoint proves the lines since the last one that
 * held; where one does not hold, its own hashes of the tree are where the next one goes on from, so that a damage
 * is told within the minute in which the line was written.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "nfqctl.h"

struct report {
	const struct log_trail *t;
	const struct log_boot  *b;
	uint64_t                problems;
	struct tree_range       tree; /* proved or taken from a checkpoint so far */
	uint64_t                told; /* lines before it need no word about their absence */
	uint64_t                proved, since; /* lines; where the present stretch of proved ones begins */
};

__attribute__((format(printf, 2, 3))) static void problem(struct report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("  PROBLEM: ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	r->problems++;
}

/* Lines as the numbers of their records. */
static void say(uint64_t begin, uint64_t end, const char *what)
{
	if (begin + 1 == end)
		printf("  %" PRIu64 ": %s\n", end, what);
	else if (begin < end)
		printf("  %" PRIu64 "-%" PRIu64 ": %s\n", begin + 1, end, what);
}

/* ---- one stretch --------------------------------------------------------------------------- */

enum reach { REACHED, MISSING, IN_GAP };

/* Appends lines, and for those that are lost what their gap record gives, up to a size. */
static enum reach extend(const struct log_boot *b, struct tree_range *tree, uint64_t size)
{
	while (tree->end < size) {
		uint64_t                n;
		const struct tree_hash *lost = log_boot_gap_node(b, tree->end, &n);
		const struct log_line  *line = log_boot_line(b, tree->end);

		if (lost && !log_boot_has(b, tree->end, n)) {
			struct tree_range one = { .begin = tree->end, .end = tree->end + n, .n = 1 };

			one.node[0] = *lost;
			if (one.end > size)
				return IN_GAP;
			if (!tree_join(tree, &one))
				return MISSING;
		} else if (line) {
			tree_append(tree, &line->hash);
		} else {
			return MISSING;
		}
	}
	return REACHED;
}

static bool is_first(const struct report *r)
{
	return r->b == r->t->boot || strcmp(r->b->sensor, r->b[-1].sensor) != 0;
}

static bool in_gap(const struct log_boot *b, uint64_t line)
{
	for (size_t i = 0; i < b->n_gaps; i++)
		if (line >= b->gap[i].lines.begin && line < b->gap[i].lines.end)
			return true;
	return false;
}

/* The first line at or after this one that is here or told as lost; `end` when there is none. */
static uint64_t next_known(const struct log_boot *b, uint64_t from, uint64_t end)
{
	uint64_t next = end;

	for (size_t i = 0; i < b->n_lines && b->line[i].number < next; i++)
		if (b->line[i].number >= from)
			next = b->line[i].number;
	for (size_t i = 0; i < b->n_gaps; i++)
		if (b->gap[i].lines.end > from && b->gap[i].lines.begin < next)
			next = b->gap[i].lines.begin > from ? b->gap[i].lines.begin : from;
	return next;
}

/* The number behind a line that is here, or behind the gap that tells of it; 0: neither. A gap may have more
 * numbers than could be counted. */
static uint64_t known_end(const struct log_boot *b, uint64_t line)
{
	uint64_t end = log_boot_line(b, line) ? line + 1 : 0;

	for (size_t i = 0; i < b->n_gaps; i++)
		if (line >= b->gap[i].lines.begin && line < b->gap[i].lines.end && b->gap[i].lines.end > end)
			end = b->gap[i].lines.end;
	return end;
}

/* Every stretch of lines up to `end` that is neither here nor told as lost. why: how we know of them. */
static void tell_missing(struct report *r, uint64_t end, const char *why)
{
	const struct log_boot *b = r->b;

	while (r->told < end) {
		uint64_t next = next_known(b, r->told, end), known;

		if (next > r->told && r->told == 0 && is_first(r) && b->n_lines)
			say(0, next, "not in these files");
		else if (next > r->told)
			problem(r, "records %" PRIu64 "-%" PRIu64 " are missing (%s)", r->told + 1, next, why);
		r->told = next;
		while (r->told < end && (known = known_end(b, r->told)) > 0)
			r->told = known;
	}
}

/* ---- one boot ------------------------------------------------------------------------------ */

static void end_stretch(struct report *r)
{
	say(r->since, r->since + r->proved, "proved");
	r->proved = 0;
}

static void go_on_from(struct report *r, const struct log_checkpoint *c)
{
	if (c->tree.n)
		r->tree = c->tree;
	r->since = r->tree.end;
}

static void check_one(struct report *r, const struct log_checkpoint *c)
{
	struct tree_range tree = r->tree;
	enum reach        reach = extend(r->b, &tree, c->said.size);
	struct tree_hash  root = tree_root(&tree);
	uint64_t          before = r->tree.end;
	char              why[128];

	if (reach == REACHED && memcmp(&root, &c->said.root, sizeof(root)) == 0) {
		r->proved += tree.end - before;
		r->tree = tree;
		return;
	}
	end_stretch(r);
	snprintf(why, sizeof(why), "a checkpoint from %s covers %" PRIu64 " records", c->from, c->said.size);
	if (reach == REACHED)
		problem(r, "records %" PRIu64 "-%" PRIu64 " are not those that were signed: they were changed",
		        before + 1, c->said.size);
	else if (reach == MISSING)
		tell_missing(r, c->said.size, why);
	if (reach != REACHED && c->tree.n && next_known(r->b, before, c->said.size) < c->said.size)
		say(before > 0 || log_boot_line(r->b, 0) ? before
		                                         : next_known(r->b, before, c->said.size),
		    c->said.size, "not proved: records among or before these are missing");
	go_on_from(r, c);
}

static void check_order(struct report *r)
{
	const struct log_boot *b = r->b;

	for (size_t i = 0; i < b->n_lines; i++) {
		const struct log_line *l = &b->line[i];

		if (i && l->number == l[-1].number)
			problem(r, "%s:%u: another record has the number %" PRIu64 ", too",
			        r->t->file[l->file], l->at, l->number + 1);
		else if (l->late && !in_gap(b, l->number))
			problem(r, "%s:%u: record %" PRIu64 " stands after one with a higher number",
			        r->t->file[l->file], l->at, l->number + 1);
	}
}

static void check_tail(struct report *r)
{
	const struct log_boot *b = r->b;
	uint64_t               end = b->n_lines ? b->line[b->n_lines - 1].number + 1 : 0;
	uint64_t               from = r->tree.end;

	for (size_t i = 0; i < b->n_gaps; i++)
		end = b->gap[i].lines.end > end ? b->gap[i].lines.end : end;
	tell_missing(r, end, "there is a hole in the numbers");
	if (b->n_lines && next_known(b, from, end) < end)
		say(next_known(b, from, end), end, "not proved: after the last checkpoint");
	if (b->ended > end)
		tell_missing(r, b->ended, "the next boot says how many there were");
}

static void tell_gaps(const struct log_boot *b)
{
	for (size_t i = 0; i < b->n_gaps; i++) {
		const struct log_gap *g = &b->gap[i];
		char                  what[160];

		if (log_boot_has(b, g->lines.begin, g->lines.end - g->lines.begin))
			continue;
		snprintf(what, sizeof(what), "%s: %s", g->maybe ? "some are lost" : "lost", g->why);
		say(g->lines.begin, g->lines.end, what);
	}
}

static void check_boot(struct report *r)
{
	const struct log_boot *b = r->b;
	int                    output = log_boot_output(b);

	printf("sensor %s boot %" PRIu64 ": %zu records\n", b->sensor, b->boot, b->n_lines);
	tree_begin(&r->tree, 0);
	r->told = r->proved = r->since = 0;
	if (output == -2) {
		problem(r, "these are files of more than one output: verify one output at a time");
		return;
	}
	check_order(r);
	for (size_t i = 0; i < b->n_checkpoints; i++) {
		const struct log_checkpoint *c = &b->checkpoint[i];

		if (output >= 0 && c->output != (unsigned)output)
			continue;
		if (!c->trusted)
			problem(r, "the checkpoint of %" PRIu64 " records is not signed by a key that is trusted "
			        "here", c->said.size);
		else if (c->said.size >= r->tree.end)
			check_one(r, c);
	}
	end_stretch(r);
	check_tail(r);
	tell_gaps(b);
}

/* ---- the command --------------------------------------------------------------------------- */

struct arguments {
	struct note_key keys[LOG_KEYS];
	unsigned        n_keys;
	const char     *notes[LOG_KEYS];
	unsigned        n_notes;
};

static char *read_note(const char *path, struct err *err)
{
	FILE  *f = fopen(path, "re");
	char  *text = calloc(1, CHECKPOINT_NOTE + 1);
	size_t n = f && text ? fread(text, 1, CHECKPOINT_NOTE, f) : 0;

	if (f)
		fclose(f);
	if (n)
		return text;
	err_set(err, "%s: cannot be read", path);
	free(text);
	return NULL;
}

/* A key, or a file with one. */
static int add_key(struct arguments *a, const char *text, struct err *err)
{
	char  line[NOTE_KEY_TEXT + 2] = "";
	FILE *f = strchr(text, '+') ? NULL : fopen(text, "re");

	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	if (a->n_keys == LOG_KEYS)
		return err_set(err, "more than %d keys", LOG_KEYS);
	return note_key_parse(f ? line : text, false, &a->keys[a->n_keys++], err);
}

static int add_notes(const struct arguments *a, struct log_trail *t, struct err *err)
{
	for (unsigned i = 0; i < a->n_notes; i++) {
		char *note = read_note(a->notes[i], err);
		int   r = note ? log_trail_add_note(t, note, a->notes[i], err) : -1;

		free(note);
		if (r < 0)
			return -1;
	}
	return 0;
}

static uint64_t check_all(const struct log_trail *t)
{
	struct report r = { .t = t };

	for (size_t i = 0; i < t->n_boots; i++) {
		r.b = &t->boot[i];
		if (r.b->n_lines || r.b->n_checkpoints || r.b->ended)
			check_boot(&r);
	}
	return r.problems;
}

static void say_limits(const struct log_trail *t, const struct arguments *a)
{
	if (t->foreign)
		printf("%" PRIu64 " lines are no records of nfqd's\n", t->foreign);
	if (a->n_keys == 0)
		puts("The key is the one that the log itself names: --key gives one that was kept elsewhere.");
	puts("What was cut off at the end shows only against a checkpoint that was kept elsewhere "
	     "(--checkpoint).");
}

static int verify(const struct arguments *a, const char *const *files, unsigned n, struct err *err)
{
	struct log_trail t = { .n_boots = 0 };
	uint64_t         problems = 0;
	int              r = log_trail_read(&t, files, n, err);

	if (r == 0 && t.n_boots == 0 && t.foreign)
		r = err_set(err, "%s: none of the lines is a record of nfqd", files[0]);
	if (r == 0)
		r = add_notes(a, &t, err);
	if (r == 0) {
		log_trail_trust(&t, a->keys, a->n_keys);
		problems = check_all(&t);
		say_limits(&t, a);
	}
	log_trail_free(&t);
	return r < 0 || problems ? -1 : 0;
}

int cmd_log_verify(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "key", required_argument, NULL, 'k' },
		                                 { "checkpoint", required_argument, NULL, 'c' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	static struct arguments    a;
	struct err                 err = { 0 };
	int                        o, r = 0;

	(void)ctl;
	while (r == 0 && (o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'k')
			r = add_key(&a, optarg, &err);
		else if (o == 'c' && a.n_notes < LOG_KEYS)
			a.notes[a.n_notes++] = optarg;
		else if (o == 'c')
			r = err_set(&err, "at most %d files of checkpoints", LOG_KEYS);
		else
			r = o == 'h' ? 1 : -1;
	}
	if (err.text[0])
		wrong_usage(argv[0], "'%s': %s", optarg, err.text);
	if (r != 0 || !words_are(argc, argv, "FILE...")) {
		fputs("usage: nfqctl log verify FILE... [--key KEY]... [--checkpoint FILE]...\n",
		      r > 0 ? stdout : stderr);
		return r > 0 ? CTL_DONE : CTL_USAGE;
	}
	r = verify(&a, (const char *const *)(argv + optind), (unsigned)(argc - optind), &err);
	if (err.text[0])
		fprintf(stderr, "nfqctl log verify: %s\n", err.text);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Record files, read: each line by its place (sensor, boot, seq), and what gap and checkpoint records say. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "log.h"
#include "progress.h"

/* ---- files --------------------------------------------------------------------------------- */

/* Reads a line of any length into *buf, grown as needed. Its length without the newline; -1: the end. */
static long read_line(gzFile f, char **buf, size_t *room)
{
	size_t  n = 0;
	z_off_t before;

	for (;;) {
		if (n + 2 > *room) {
			size_t more = *room ? 2 * *room : 16384;
			char  *grown = realloc(*buf, more);

			if (!grown)
				return -1;
			*buf = grown;
			*room = more;
		}
		before = gztell(f);
		if (!gzgets(f, *buf + n, (int)(*room - n)))
			return n ? (long)n : -1;
		n += (size_t)(gztell(f) - before); /* after a power cut there may be NULs in it */
		if (n && (*buf)[n - 1] == '\n')
			return (long)n - 1;
	}
}

static int each_line_of(const char *path, unsigned file, log_line_fn *fn, void *ctx, struct err *err)
{
	gzFile          f = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rbe");
	char           *buf = NULL;
	size_t          room = 0;
	uint32_t        at = 0;
	long            n;
	int             wrong, r;
	const char     *reason;
	char            what[64];
	struct progress progress;

	if (!f)
		return err_set(err, "%s: %s", path, strerror(errno));
	snprintf(what, sizeof(what), "reading %s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	progress_begin(&progress, what, "lines", 0);
	while ((n = read_line(f, &buf, &room)) >= 0) {
		if (!fn(ctx, file, ++at, buf, (size_t)n))
			break;
		progress_at(&progress, at);
	}
	progress_end(&progress);
	reason = gzerror(f, &wrong);
	r = n >= 0 || wrong >= 0 ? 0 :
	    wrong == Z_BUF_ERROR ? err_set(err, "%s: it is cut short: its end is missing after line %" PRIu32, path, at) :
	                           err_set(err, "%s: %s", path, wrong == Z_ERRNO ? strerror(errno) : reason);
	gzclose(f);
	free(buf);
	return r;
}

int log_each_line(const char *const *files, unsigned n, log_line_fn *fn, void *ctx, struct err *err)
{
	for (unsigned i = 0; i < n; i++)
		if (each_line_of(files[i], i, fn, ctx, err) < 0)
			return -1;
	return 0;
}

/* ---- records ------------------------------------------------------------------------------- */

static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value ? value : "";
}

static uint64_t number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

bool log_place(const json_t *json, const json_t **own, const char **sensor, uint64_t *boot, uint64_t *seq,
               const char **kind)
{
	*own = json_object_get(json, "nfqd");
	*sensor = text(*own, "sensor");
	*boot = number(*own, "boot");
	*seq = number(*own, "seq");
	*kind = text(*own, "kind");
	return strlen(*sensor) == LOG_SENSOR - 1 && *boot > 0 && *seq > 0 && *seq < UINT64_C(1) << 53;
}

bool log_parse_place(const char *from, char sensor[static LOG_SENSOR], uint64_t *boot, uint64_t *seq)
{
	int end = 0;

	sensor[0] = '\0';
	if (sscanf(from, "%36[0-9a-f-]/%" SCNu64 "/%" SCNu64 "%n", sensor, boot, seq, &end) == 3 &&
	    strlen(sensor) == LOG_SENSOR - 1 && !from[end])
		return *seq > 0;
	sensor[0] = '\0';
	end = 0;
	return sscanf(from, "%" SCNu64 ":%" SCNu64 "%n", boot, seq, &end) == 2 && !from[end] && *seq > 0;
}

/* ---- growing ------------------------------------------------------------------------------- */

/* Room for one more of n things, zeroed. Out of memory ends the program: nothing is half read. */
static void *one_more(void *v, size_t n, size_t size)
{
	char *grown = v;

	if ((n & (n - 1)) == 0)
		grown = realloc(v, (n ? 2 * n : 1) * size);
	if (!grown) {
		fputs("nfqctl: out of memory\n", stderr);
		abort();
	}
	memset(grown + n * size, 0, size);
	return grown;
}

static struct log_boot *boot_of(struct log_trail *t, const char *sensor, uint64_t boot, bool make)
{
	for (size_t i = t->n_boots; i-- > 0;)
		if (t->boot[i].boot == boot && strcmp(t->boot[i].sensor, sensor) == 0)
			return &t->boot[i];
	if (!make)
		return NULL;
	t->boot = one_more(t->boot, t->n_boots, sizeof(*t->boot));
	snprintf(t->boot[t->n_boots].sensor, LOG_SENSOR, "%s", sensor);
	t->boot[t->n_boots].boot = boot;
	return &t->boot[t->n_boots++];
}

/* ---- what records say ---------------------------------------------------------------------- */

/* The hashes of a range; false: they cannot be. */
static bool read_nodes(const json_t *from, uint64_t begin, uint64_t end, struct tree_range *out)
{
	const json_t *node;
	size_t        i;

	*out = (struct tree_range){ .begin = begin, .end = end };
	json_array_foreach(from, i, node) {
		const char *hash = json_string_value(node);

		if (i >= TREE_NODES || !hash || !tree_hash_parse(hash, strlen(hash), &out->node[i]))
			return false;
		out->n++;
	}
	return begin < end && tree_range_ok(out);
}

static void take_gap(struct log_boot *b, const json_t *own)
{
	struct log_gap gap = { .output = (unsigned)number(own, "output") };
	uint64_t       from = number(own, "from"), to = number(own, "to");

	if (from == 0 || !read_nodes(json_object_get(own, "hashes"), from - 1, to, &gap.lines))
		return;
	snprintf(gap.why, sizeof(gap.why), "%s", text(own, "why"));
	gap.maybe = strstr(gap.why, "may be missing") != NULL;
	b->gap = one_more(b->gap, b->n_gaps, sizeof(*b->gap));
	b->gap[b->n_gaps++] = gap;
}

/* A note that is about this boot. */
static int add_note(struct log_boot *b, const char *note, const char *from, const json_t *tree, struct err *err)
{
	struct log_checkpoint c = { .from = from };
	const char           *sensor;
	size_t                n;
	uint64_t              boot;

	if (checkpoint_parse(note, strlen(note), &c.said, err) < 0)
		return -1;
	if (!checkpoint_origin_parse(c.said.origin, &sensor, &n, &boot, &c.output) || boot != b->boot ||
	    n != strlen(b->sensor) || memcmp(sensor, b->sensor, n) != 0)
		return err_set(err, "a checkpoint of another log: %s", c.said.origin);
	if (!read_nodes(tree, 0, c.said.size, &c.tree))
		c.tree.n = 0;
	c.note = strdup(note);
	b->checkpoint = one_more(b->checkpoint, b->n_checkpoints, sizeof(*b->checkpoint));
	b->checkpoint[b->n_checkpoints++] = c;
	return c.note ? 0 : err_set(err, "out of memory");
}

static void take_checkpoint(struct log_boot *b, const json_t *own)
{
	struct err ignored = { 0 }; /* a note that is damaged proves nothing, and its line shows as changed */

	(void)!add_note(b, text(own, "note"), "its record", json_object_get(own, "tree"), &ignored);
}

/* What a start says of the boot before it. */
static void take_start(struct log_trail *t, const char *sensor, uint64_t boot, const json_t *own)
{
	struct log_boot *b = boot_of(t, sensor, boot, true);
	const json_t    *last = json_object_get(own, "last"), *note;
	uint64_t         before = number(last, "boot");
	size_t           i;

	snprintf(b->key, sizeof(b->key), "%s", text(own, "key"));
	if (!before)
		return;
	b = boot_of(t, sensor, before, true);
	if (json_is_true(json_object_get(last, "stopped")))
		b->ended = number(last, "seq");
	json_array_foreach(json_object_get(last, "checkpoints"), i, note) {
		struct err ignored = { 0 };

		(void)!add_note(b, json_is_string(note) ? json_string_value(note) : "", "the next boot's start",
		                NULL, &ignored);
	}
}

static void take_rotation(struct log_trail *t, const json_t *own)
{
	t->rotation = one_more(t->rotation, t->n_rotations, sizeof(*t->rotation));
	snprintf(t->rotation[t->n_rotations++].note, sizeof(t->rotation->note), "%s", text(own, "note"));
}

/* ---- reading ------------------------------------------------------------------------------- */

struct reader {
	struct log_trail *t;
	uint64_t          boot, highest; /* of the file, so far */
	unsigned          file;
};

static void take_own(struct log_trail *t, const char *sensor, uint64_t boot, const char *kind,
                     const json_t *own)
{
	if (strcmp(kind, "gap") == 0)
		take_gap(boot_of(t, sensor, boot, true), own);
	else if (strcmp(kind, "checkpoint") == 0)
		take_checkpoint(boot_of(t, sensor, boot, true), own);
	else if (strcmp(kind, "start") == 0)
		take_start(t, sensor, boot, own);
	else if (strcmp(kind, "key") == 0)
		take_rotation(t, own);
}

static bool take_line(void *ctx, unsigned file, uint32_t at, const char *line, size_t n)
{
	struct reader   *r = ctx;
	json_t          *json = json_loadb(line, n, 0, NULL);
	struct log_line  l = { .file = file, .at = at };
	struct log_boot *b;
	const json_t    *own;
	const char      *sensor, *kind;
	uint64_t         boot, seq;

	if (!log_place(json, &own, &sensor, &boot, &seq, &kind)) {
		r->t->foreign += n > 0;
		json_decref(json);
		return true;
	}
	if (file != r->file || boot != r->boot)
		r->highest = 0;
	r->file = file;
	r->boot = boot;
	l.number = seq - 1;
	l.hash = tree_leaf(line, n);
	l.late = seq < r->highest;
	r->highest = seq > r->highest ? seq : r->highest;
	b = boot_of(r->t, sensor, boot, true);
	b->line = one_more(b->line, b->n_lines, sizeof(*b->line));
	b->line[b->n_lines++] = l;
	take_own(r->t, sensor, boot, kind, own);
	json_decref(json);
	return true;
}

static int by_number(const void *a, const void *b)
{
	const struct log_line *x = a, *y = b;
	int                    r = (x->number > y->number) - (x->number < y->number);

	if (r == 0)
		r = memcmp(x->hash.b, y->hash.b, TREE_HASH);
	if (r == 0)
		r = (int)x->late - (int)y->late;
	if (r == 0)
		r = (x->file > y->file) - (x->file < y->file);
	return r ? r : (x->at > y->at) - (x->at < y->at);
}

static int by_size(const void *a, const void *b)
{
	const struct log_checkpoint *x = a, *y = b;
	int r = (x->said.size > y->said.size) - (x->said.size < y->said.size);

	return r ? r : (y->tree.n > 0) - (x->tree.n > 0);
}

static int by_boot(const void *a, const void *b)
{
	const struct log_boot *x = a, *y = b;
	int                    r = strcmp(x->sensor, y->sensor);

	return r ? r : (x->boot > y->boot) - (x->boot < y->boot);
}

/* The same line twice, as after `log resend`, is one. */
static void sort_lines(struct log_boot *b)
{
	size_t n = 0;

	if (b->n_lines)
		qsort(b->line, b->n_lines, sizeof(*b->line), by_number);
	for (size_t i = 0; i < b->n_lines; i++)
		if (n == 0 || b->line[n - 1].number != b->line[i].number ||
		    memcmp(&b->line[n - 1].hash, &b->line[i].hash, sizeof(b->line[i].hash)) != 0)
			b->line[n++] = b->line[i];
	b->n_lines = n;
	if (b->n_checkpoints)
		qsort(b->checkpoint, b->n_checkpoints, sizeof(*b->checkpoint), by_size);
}

int log_trail_read(struct log_trail *t, const char *const *files, unsigned n, struct err *err)
{
	struct reader r = { .t = t };

	*t = (struct log_trail){ .file = (const char **)(uintptr_t)files, .n_files = n };
	if (log_each_line(files, n, take_line, &r, err) < 0)
		return -1;
	if (t->n_boots)
		qsort(t->boot, t->n_boots, sizeof(*t->boot), by_boot);
	for (size_t i = 0; i < t->n_boots; i++)
		sort_lines(&t->boot[i]);
	return 0;
}

int log_trail_add_note(struct log_trail *t, const char *note, const char *from, struct err *err)
{
	struct checkpoint c;
	const char       *sensor;
	size_t            n;
	uint64_t          boot;
	unsigned          output;

	if (checkpoint_parse(note, strlen(note), &c, err) < 0)
		return -1;
	if (!checkpoint_origin_parse(c.origin, &sensor, &n, &boot, &output))
		return err_set(err, "%s: not a checkpoint of nfqd's", from);
	for (size_t i = 0; i < t->n_boots; i++) {
		struct log_boot *b = &t->boot[i];

		if (b->boot != boot || strlen(b->sensor) != n || memcmp(b->sensor, sensor, n) != 0)
			continue;
		if (add_note(b, note, from, NULL, err) < 0)
			return -1;
		sort_lines(b);
		return 0;
	}
	return err_set(err, "%s: no line of %s is in these files", from, c.origin);
}

void log_trail_free(struct log_trail *t)
{
	for (size_t i = 0; i < t->n_boots; i++) {
		struct log_boot *b = &t->boot[i];

		for (size_t k = 0; k < b->n_checkpoints; k++)
			free(b->checkpoint[k].note);
		free(b->line);
		free(b->gap);
		free(b->checkpoint);
	}
	free(t->boot);
	free(t->rotation);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever happens to an output, its lines and its gap records together give the root of its tree: full disks,
 * stuck readers, truncation, dead workers. The reader here knows only what a record says.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "log/sink.h"
#include "unit.h"

#include "events.h"
#include "full_disk.h"

static struct fixture     fix;
static struct ledger      kept[SINKS_MAX];
static struct sink_counts counts[SINKS_MAX];
static _Atomic uint64_t   seq;
static struct sinks      *dead[16]; /* whose process ended without a word */
static unsigned           n_dead;

static void quiet(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token, (void)text;
}

static int memory_file(void)
{
	int fd = memfd_create("ledger", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	return fd;
}

/* A worker begins: the first one, or the successor of one that died. */
static struct sinks *begin(const int *fd, unsigned n)
{
	struct sinks *s = sinks_new(false);

	assert_non_null(s);
	sinks_number_by(s, &seq);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(sinks_add(s, SINK_EVE, dup(fd[i]), &counts[i]), 0);
		sinks_keep(s, i, &kept[i]);
	}
	sinks_recover(s);
	sinks_flush(s);
	return s;
}

static void die(struct sinks *s)
{
	assert_true(n_dead < N_OF(dead));
	dead[n_dead++] = s;
}

static void fresh(void)
{
	memset(kept, 0, sizeof(kept));
	memset(counts, 0, sizeof(counts));
	seq = 0;
}

static void write_n(struct sinks *s, unsigned n)
{
	struct event e = event_blocked_dns(&fix);

	for (unsigned i = 0; i < n; i++)
		sinks_write(s, &e, &(struct sink_hints){ .ifname = "lan0" });
}

/* ---- a reader ---- */

struct reading {
	struct tree_range tree; /* of the lines and gaps, from the first one on */
	uint64_t          lines, gaps, lost; /* lost: lines, by the gaps of this output */
};

static void join_gap(struct reading *r, const json_t *own)
{
	const json_t     *hash;
	size_t            i;
	struct tree_range gap;

	tree_begin(&gap, (uint64_t)json_integer_value(json_object_get(own, "from")) - 1);
	gap.end = (uint64_t)json_integer_value(json_object_get(own, "to"));
	json_array_foreach(json_object_get(own, "hashes"), i, hash)
		assert_true(tree_hash_parse(json_string_value(hash), json_string_length(hash),
		                            &gap.node[gap.n++]));
	assert_true(tree_join(&r->tree, &gap));
	r->gaps++;
	r->lost += gap.end - gap.begin;
}

/* One line at its place; a gap comes before it. */
static void take_line(struct reading *r, const char *line, size_t n, unsigned output)
{
	json_t          *json = json_loadb(line, n, 0, NULL);
	const json_t    *own = json_object_get(json, "nfqd");
	const char      *kind = json_string_value(json_object_get(own, "kind"));
	struct tree_hash hash = tree_leaf(line, n);

	if (!json)
		fail_msg("not JSON: %.*s", (int)n, line);
	if (kind && strcmp(kind, "gap") == 0 &&
	    (unsigned)json_integer_value(json_object_get(own, "output")) == output)
		join_gap(r, own);
	else if (kind && strcmp(kind, "gap") == 0)
		assert_null(json_object_get(own, "hashes"));
	assert_int_equal(json_integer_value(json_object_get(own, "seq")), r->tree.end + 1);
	tree_append(&r->tree, &hash);
	r->lines++;
	json_decref(json);
}

static char *slurp(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)size + 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)size, 0), size);
	text[size] = '\0';
	return text;
}

/* What the file proves is what the ledger holds. */
static struct reading expect_proved(int fd, unsigned output)
{
	char             *text = slurp(fd);
	struct reading    r = { .lines = 0 };
	struct ledger    *l = &kept[output];
	struct tree_hash  a, b;
	struct tree_range whole = l->kept[l->live].since;

	tree_begin(&r.tree, 0);
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		if (end > line)
			take_line(&r, line, (size_t)(end - line), output);
	free(text);
	assert_int_equal(whole.begin, 0);
	assert_int_equal(whole.end, r.tree.end);
	a = tree_root(&whole);
	b = tree_root(&r.tree);
	assert_memory_equal(&a, &b, sizeof(a));
	return r;
}

/* ---- what happens ---- */

static void test_nothing(void **state)
{
	int            fd = memory_file();
	struct sinks  *s;
	struct reading r;

	(void)state;
	fresh();
	s = begin(&fd, 1);
	write_n(s, 300);
	sinks_write_own(s, 1, "\"kind\":\"mode\"");
	sinks_flush(s);
	r = expect_proved(fd, 0);
	assert_int_equal(r.lines, 301);
	assert_int_equal(r.gaps, 0);
	sinks_free(s);
	close(fd);
}

static void test_full_disk(void **state)
{
	char           path[] = "/tmp/nfqd-test-ledger-XXXXXX";
	int            fd[] = { mkostemp(path, O_APPEND), open("/dev/null", O_WRONLY | O_CLOEXEC) };
	struct sinks  *s;
	struct reading r;

	(void)state;
	assert_true(fd[0] >= 0);
	unlink(path);
	fresh();
	s = begin(fd, 2);
	limit_file_size(3000);
	for (unsigned i = 0; i < 50; i++) {
		write_n(s, 1);
		sinks_flush(s);
	}
	limit_file_size(RLIM_INFINITY);
	sinks_flush(s);
	write_n(s, 2);
	sinks_flush(s);
	r = expect_proved(fd[0], 0);
	assert_int_equal(r.gaps, 1);
	assert_int_equal(r.lost, counts[0].lost);
	assert_in_range(r.lost, 40, 49);
	assert_int_equal(r.lines + r.lost, 53); /* one record tells of the gap, in both */
	assert_int_equal(counts[1].written, 53);
	sinks_free(s);
	close(fd[0]);
	close(fd[1]);
}

/* Bytes that the reader of a pipe takes, into a file. */
static void drain(int reader, int into)
{
	char    bytes[4096];
	ssize_t n;

	while ((n = read(reader, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(into, bytes, (size_t)n), n);
}

static void test_stuck_reader(void **state)
{
	int            p[2], got = memory_file();
	struct sinks  *s;
	struct reading r;

	(void)state;
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	fresh();
	s = begin(&p[1], 1);
	write_n(s, 2000);
	sinks_flush(s);
	for (unsigned i = 0; i < 20; i++) {
		drain(p[0], got);
		write_n(s, 3);
		sinks_flush(s);
	}
	drain(p[0], got);
	r = expect_proved(got, 0);
	assert_int_equal(r.gaps, 1);
	assert_int_equal(r.lost, counts[0].lost);
	assert_int_equal(r.lines + r.lost, 2061);
	sinks_free(s);
	close(p[0]);
	close(p[1]);
	close(got);
}

/* The lines that a worker had numbered and not written are a gap; numbers go on. */
static void test_dead_workers(void **state)
{
	int            fd[] = { memory_file(), memory_file() };
	struct sinks  *s;
	struct reading r;

	(void)state;
	fresh();
	for (unsigned i = 0; i < 6; i++) {
		s = begin(fd, 2);
		write_n(s, 5 + 100 * i);
		sinks_flush(s);
		write_n(s, i % 3 * 40);
		die(s);
	}
	s = begin(fd, 2);
	write_n(s, 1);
	sinks_flush(s);
	for (unsigned i = 0; i < 2; i++) {
		r = expect_proved(fd[i], i);
		assert_int_equal(r.gaps, 4);
		assert_int_equal(r.lost, 2 * (40 + 80));
		assert_int_equal(counts[i].lost, r.lost);
		assert_int_equal(counts[i].written, r.lines);
	}
	sinks_free(s);
	close(fd[0]);
	close(fd[1]);
}

/* Workers that die while their output is full: the record of what is lost waits for one that finds room. */
static void test_dead_in_a_gap(void **state)
{
	char           path[] = "/tmp/nfqd-test-ledger-XXXXXX";
	int            fd = mkostemp(path, O_APPEND);
	struct sinks  *s;
	struct reading r;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	fresh();
	limit_file_size(3000);
	for (unsigned i = 0; i < 4; i++) {
		s = begin(&fd, 1);
		write_n(s, 700);
		sinks_flush(s);
		write_n(s, i);
		die(s);
	}
	limit_file_size(RLIM_INFINITY);
	s = begin(&fd, 1);
	write_n(s, 2);
	sinks_flush(s);
	assert_int_equal(counts[0].written + counts[0].lost, counts[0].taken);
	{
		char *text = slurp(fd), *torn = text;

		/* the line that the full disk cut stands alone, and is told as lost */
		while ((torn = strstr(torn, "\n{")) != NULL && strchr(torn + 1, '\n') &&
		       strchr(torn + 1, '\n')[-1] == '}')
			torn++;
		assert_non_null(torn);
		assert_int_equal(ftruncate(fd, torn + 1 - text), 0);
		torn = strchr(torn + 1, '\n') + 1;
		assert_int_equal(write(fd, torn, strlen(torn)), strlen(torn));
		free(text);
	}
	r = expect_proved(fd, 0);
	assert_in_range(r.gaps, 1, 4);
	assert_int_equal(r.lost, counts[0].lost);
	sinks_free(s);
	close(fd);
}

/* copytruncate: what was written within two seconds may be missing, and is told. */
static void test_truncated(void **state)
{
	int           fd = memory_file();
	struct sinks *s;
	char         *text;

	(void)state;
	fresh();
	s = begin(&fd, 1);
	write_n(s, 10);
	sinks_flush(s);
	assert_int_equal(ftruncate(fd, 0), 0);
	write_n(s, 1);
	sinks_flush(s);
	text = slurp(fd);
	assert_non_null(strstr(text, "\"kind\":\"gap\",\"output\":0,\"from\":1,\"to\":10,\"why\":\"the file was "
	                             "truncated: these may be missing\",\"hashes\":[\""));
	free(text);
	sinks_free(s);
	close(fd);
}

/* ---- checkpoints ---- */

/* As the parent does it, without a key. */
static bool answer(struct ledger *l, struct tree_range *tree)
{
	struct tree_range next = *tree;
	bool              good = tree_join(&next, &l->range);

	if (good) {
		*tree = next;
		snprintf(l->members, sizeof(l->members), "\"kind\":\"checkpoint\",\"size\":%d",
		         (int)tree->end);
		l->size = tree->end;
	}
	l->answered = l->ask;
	return good;
}

static void expect_answer(struct ledger_work *w, struct tree_range *tree, const struct tree_range *all)
{
	struct tree_hash a, b;

	assert_null(ledger_answer(w));
	assert_true(answer(&kept[0], tree));
	assert_non_null(ledger_answer(w));
	assert_int_equal(tree->end, all->end);
	a = tree_root(tree);
	b = tree_root(all);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void test_checkpoints(void **state)
{
	struct tree_range  tree, all;
	struct ledger_work w = { .kept = NULL };
	struct tree_hash   leaf = tree_leaf("x", 1);

	(void)state;
	fresh();
	kept[0].signs = true;
	tree_begin(&tree, 0);
	tree_begin(&all, 0);
	ledger_open(&w, &kept[0]);
	ledger_ask(&w);
	assert_true(ledger_is_answered(&w)); /* of no line there is no checkpoint */
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned k = 0; k < 7 * i % 11; k++) {
			ledger_add(&w, &leaf);
			tree_append(&all, &leaf);
			ledger_wrote(&w, 1, 1);
		}
		ledger_save(&w);
		ledger_ask(&w);
		if (i % 5 == 1) { /* a refusal: the next question covers these, too */
			kept[0].answered = kept[0].ask;
		} else if (i % 5 == 2) { /* no answer, and the worker dies */
			ledger_open(&w, &kept[0]);
			(void)ledger_recover(&w, all.end);
			assert_true(ledger_is_answered(&w));
		} else if (kept[0].ask != kept[0].answered) {
			expect_answer(&w, &tree, &all);
		}
	}
	ledger_add(&w, &leaf);
	ledger_ask(&w);
	tree.end++; /* not what was signed last */
	assert_false(answer(&kept[0], &tree));
	assert_null(ledger_answer(&w));
}

/* What a worker that was taken over left there ends no successor. */
static void test_hostile_memory(void **state)
{
	uint64_t random = 1;
	int      fd = memory_file();

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		struct sinks *s;
		uint8_t      *bytes = (uint8_t *)&kept[0];

		fresh();
		for (size_t k = 0; k < sizeof(kept[0]); k++)
			bytes[k] = (uint8_t)unit_random(&random);
		if (i % 3 == 0) {
			memset(kept[0].kept, 0, sizeof(kept[0].kept));
			kept[0].written = unit_random(&random) >> i;
		}
		if (i % 3 == 1)
			kept[0].kept[0] = kept[0].kept[1] = (struct ledger_ranges){
				.since = { .begin = 3, .end = 4, .n = 1 },
				.lost = { .begin = 900, .end = 901, .n = 1 },
			};
		s = begin(&fd, 1);
		write_n(s, 3);
		sinks_flush(s);
		sinks_free(s);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),       cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_stuck_reader),  cmocka_unit_test(test_dead_workers),
		cmocka_unit_test(test_dead_in_a_gap), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_checkpoints),   cmocka_unit_test(test_hostile_memory),
	};
	int failed;

	signal(SIGXFSZ, SIG_IGN);
	diag_register(quiet);
	fixture_open(&fix);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_close(&fix);
	for (unsigned i = 0; i < n_dead; i++)
		sinks_free(dead[i]);
	return failed;
}

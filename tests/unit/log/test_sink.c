/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sinks on real descriptors: full disks, stuck readers, torn lines, reopening; and which queries
 * are taken for relayed ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/diag.h"
#include "events.h"
#include "full_disk.h"
#include "log/sink.h"

static struct fixture fix;
static unsigned       warnings;

static void count_warnings(enum diag_level level, const char *token, const char *text)
{
	assert_string_equal(token, "log");
	assert_non_null(strstr(text, "records lost so far"));
	warnings += level == DIAG_WARN;
}

static struct sinks *sinks_on(enum sink_type type, int fd)
{
	struct sinks *s = sinks_new(false);

	assert_non_null(s);
	assert_int_equal(sinks_add(s, type, fd, NULL), 0);
	warnings = 0;
	return s;
}

static void write_n(struct sinks *s, unsigned n)
{
	struct event e = event_blocked_dns(&fix);

	for (unsigned i = 0; i < n; i++)
		sinks_write(s, &e, &(struct sink_hints){ .ifname = "lan0", .client = "reception-pc" });
}

static int memory_file(void)
{
	int fd = memfd_create("sink", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* All that a file or pipe holds, NUL-terminated. */
static char *slurp(int fd)
{
	size_t  size = 16 << 20, n = 0;
	char   *text = malloc(size);
	ssize_t r;

	assert_non_null(text);
	while ((r = read(fd, text + n, size - 1 - n)) > 0)
		n += (size_t)r;
	text[n] = '\0';
	return text;
}

static char *slurp_file(int fd)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return slurp(fd);
}

/* Checks the lines from seq to seq + n - 1, each whole; returns what follows. */
static const char *expect_lines(const char *text, uint64_t seq, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const char *end = strchr(text, '\n');
		json_t     *json;

		assert_non_null(end);
		json = json_loadb(text, (size_t)(end - text), 0, NULL);
		assert_non_null(json);
		assert_int_equal(
		        json_integer_value(json_object_get(json_object_get(json, "nfqd"), "seq")),
		        seq + i);
		json_decref(json);
		text = end + 1;
	}
	return text;
}

static void expect_counts(const struct sinks *s, uint64_t written, uint64_t lost)
{
	assert_int_equal(sinks_written(s), written);
	assert_int_equal(sinks_lost(s), lost);
}

/* ---- files ---- */

static void test_numbers(void **state)
{
	int           fd = memory_file(), copy = dup(fd);
	struct sinks *s = sinks_on(SINK_EVE, fd);
	char         *text;
	const char   *rest;

	(void)state;
	sinks_set_seq(s, 0); /* nothing is known of earlier ones */
	write_n(s, 3);
	expect_counts(s, 0, 0); /* buffered */
	sinks_flush(s);
	expect_counts(s, 3, 0);
	sinks_set_seq(s, 88213);
	write_n(s, 2);
	sinks_free(s);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* was taken */
	text = slurp_file(copy);
	rest = expect_lines(text, 1, 3);
	rest = expect_lines(rest, 88213, 2);
	assert_string_equal(rest, "");
	free(text);
	close(copy);
}

/* More than the buffer holds is written on the way, and only whole lines at a time. */
static void test_buffer_fills(void **state)
{
	int           fd = memory_file();
	struct sinks *s = sinks_on(SINK_EVE, dup(fd));
	char         *text;

	(void)state;
	write_n(s, 500);
	assert_in_range(sinks_written(s), 50, 499);
	text = slurp_file(fd);
	assert_string_equal(expect_lines(text, 1, (unsigned)sinks_written(s)), "");
	free(text);
	sinks_free(s);
	text = slurp_file(fd);
	assert_string_equal(expect_lines(text, 1, 500), "");
	free(text);
	close(fd);
}

static void test_two_sinks(void **state)
{
	int           eve = memory_file(), text = memory_file();
	struct sinks *s = sinks_on(SINK_EVE, dup(eve));
	char         *got;

	(void)state;
	assert_int_equal(sinks_add(s, SINK_TEXT, dup(text), NULL), 0);
	write_n(s, 2);
	sinks_flush(s);
	expect_counts(s, 4, 0);
	sinks_free(s);
	got = slurp_file(text);
	assert_non_null(strstr(got, "  BLOCKED  10.0.0.7 ")); /* no file gets colours */
	assert_int_equal(got[strlen(got) - 1], '\n');
	free(got);
	got = slurp_file(eve);
	assert_string_equal(expect_lines(got, 1, 2), "");
	free(got);
	close(eve);
	close(text);
}

static void test_too_many(void **state)
{
	struct sinks *s = sinks_new(false);
	int           r = 0, n = 0;

	(void)state;
	while ((r = sinks_add(s, SINK_EVE, dup(STDERR_FILENO), NULL)) == 0)
		assert_in_range(++n, 1, 64);
	assert_int_equal(r, -ENOSPC);
	sinks_free(s);
	sinks_free(NULL);
}

static void test_standard_output_stays(void **state)
{
	struct sinks *s = sinks_on(SINK_EVE, STDOUT_FILENO);

	(void)state;
	sinks_free(s);
	assert_true(fcntl(STDOUT_FILENO, F_GETFD) >= 0);
}

/* ---- files that refuse ---- */

static void test_full_disk(void **state)
{
	struct sinks *s = sinks_on(SINK_EVE, open("/dev/full", O_WRONLY | O_CLOEXEC));
	int           fd = memory_file();
	char         *text;

	(void)state;
	write_n(s, 3);
	sinks_flush(s);
	expect_counts(s, 0, 2); /* the first one is tried again */
	write_n(s, 1000);
	sinks_flush(s);
	expect_counts(s, 0, 1002);
	assert_int_equal(warnings, 1); /* not one per record */
	sinks_reopen(s, 0, dup(fd));
	write_n(s, 2);
	sinks_flush(s);
	expect_counts(s, 3, 1002);
	sinks_free(s);
	text = slurp_file(fd);
	assert_string_equal(expect_lines(expect_lines(text, 1, 1), 1004, 2), ""); /* the gap shows in the numbers */
	free(text);
	close(fd);
}

/* The disk fills up inside a line; later there is room again, and the line is completed. */
static void test_torn_line(void **state)
{
	char          path[] = "/tmp/nfqd-test-sink-XXXXXX";
	int           fd = mkstemp(path);
	struct sinks *s = sinks_on(SINK_EVE, dup(fd));
	char         *text;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	limit_file_size(3000);
	write_n(s, 5);
	sinks_flush(s);
	expect_counts(s, 2, 2);
	write_n(s, 1);
	sinks_flush(s);
	expect_counts(s, 2, 3);
	limit_file_size(RLIM_INFINITY);
	write_n(s, 2);
	sinks_flush(s);
	expect_counts(s, 5, 3);
	sinks_free(s);
	text = slurp_file(fd);
	assert_string_equal(expect_lines(expect_lines(text, 1, 3), 7, 2), "");
	free(text);
	close(fd);
}

static void test_no_reader(void **state)
{
	int           p[2];
	struct sinks *s;

	(void)state;
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	s = sinks_on(SINK_EVE, p[1]);
	write_n(s, 2);
	sinks_flush(s);
	expect_counts(s, 0, 1);
	sinks_free(s);
}

/* ---- readers without room ---- */

static struct sinks *sinks_on_pipe(int *reader, int *writer)
{
	int p[2];

	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	assert_true(fcntl(p[0], F_SETPIPE_SZ, 4096) > 0);
	*reader = p[0];
	*writer = p[1];
	return sinks_on(SINK_EVE, p[1]);
}

/* What does not fit waits for the next flush; nothing is lost, nothing is torn. */
static void test_reader_late(void **state)
{
	int           reader, writer;
	struct sinks *s = sinks_on_pipe(&reader, &writer);
	char         *got = calloc(1, 1 << 20), *part;
	size_t        n = 0;

	(void)state;
	assert_non_null(got);
	write_n(s, 40);
	while (sinks_written(s) < 40) {
		sinks_flush(s);
		part = slurp(reader);
		memcpy(got + n, part, strlen(part));
		n += strlen(part);
		free(part);
	}
	expect_counts(s, 40, 0);
	assert_string_equal(expect_lines(got, 1, 40), "");
	free(got);
	sinks_free(s);
	close(reader);
}

/* The line that stuck half-way into the old pipe comes whole in the new file. */
static void test_reopen_stuck(void **state)
{
	int           reader, writer, fd = memory_file();
	struct sinks *s = sinks_on_pipe(&reader, &writer);
	unsigned      through;
	char         *text;

	(void)state;
	write_n(s, 20);
	sinks_flush(s);
	through = (unsigned)sinks_written(s);
	assert_in_range(through, 1, 19);
	sinks_reopen(s, 0, dup(fd));
	assert_int_equal(fcntl(writer, F_GETFD), -1);
	sinks_flush(s);
	expect_counts(s, 20, 0);
	text = slurp_file(fd);
	assert_string_equal(expect_lines(text, through + 1, 20 - through), "");
	free(text);
	text = slurp(reader);
	(void)expect_lines(text, 1, through);
	free(text);
	sinks_free(s);
	close(reader);
	close(fd);
}

/* A reader that stopped is never waited for, and no other sink loses anything by it. The records
 * that no longer fit are counted, for its sink alone. */
static void test_reader_stuck(void **state)
{
	int                reader, writer, file = memory_file();
	struct sinks      *s = sinks_on_pipe(&reader, &writer);
	struct sink_counts other = { 0 };
	struct pollfd      fds[SINKS_MAX];
	uint64_t           stuck_written;
	char              *text;

	(void)state;
	assert_int_equal(sinks_add(s, SINK_EVE, dup(file), &other), 0);
	assert_int_equal(fcntl(writer, F_GETFL) & O_NONBLOCK, O_NONBLOCK); /* or this test hangs */
	write_n(s, 1000);
	sinks_flush(s);
	assert_int_equal(other.taken, 1000);
	assert_int_equal(other.written, 1000);
	assert_int_equal(other.lost, 0);
	stuck_written = sinks_written(s) - other.written;
	assert_true(stuck_written > 0 && sinks_lost(s) > 100 && stuck_written + sinks_lost(s) < 1000);
	assert_int_equal(warnings, 1);
	assert_int_equal(sinks_poll(s, fds), 1);
	assert_int_equal(fds[0].fd, writer);
	text = slurp_file(file);
	assert_string_equal(expect_lines(text, 1, 1000), "");
	free(text);
	close(reader);
	sinks_free(s);
	close(file);
}

/* What a process had taken and neither written nor counted is lost when the next one begins. */
static void test_counts_outlive(void **state)
{
	struct sink_counts counts = { .taken = 100, .written = 90, .lost = 4 };
	struct sinks      *s = sinks_new(false);
	int                file = memory_file();

	(void)state;
	assert_non_null(s);
	assert_int_equal(sinks_add(s, SINK_EVE, dup(file), &counts), 0);
	assert_int_equal(counts.lost, 10);
	write_n(s, 3);
	sinks_free(s);
	assert_int_equal(counts.taken, 103);
	assert_int_equal(counts.written, 93);
	assert_int_equal(counts.lost, 10);
	close(file);
}

static void *read_slowly(void *arg)
{
	int   fd = *(int *)arg;
	char *text = calloc(1, 1 << 22);
	char  got[1000];
	size_t  n = 0;
	ssize_t r;

	while (text && (r = read(fd, got, sizeof(got))) > 0) {
		memcpy(text + n, got, (size_t)r);
		n += (size_t)r;
	}
	return text;
}

/* A whole capture file goes through a slow pipe that does not block: `nfqd -r FILE | reader`. */
static void test_reader_slow(void **state)
{
	int           reader, writer;
	struct sinks *s = sinks_on_pipe(&reader, &writer);
	int           own = dup(writer);
	pthread_t     thread;
	void         *text;

	(void)state;
	sinks_free(s);
	s = sinks_new(true);
	assert_non_null(s);
	assert_int_equal(sinks_add(s, SINK_EVE, own, NULL), 0);
	assert_int_equal(fcntl(reader, F_SETFL, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	write_n(s, 2000);
	expect_counts(s, sinks_written(s), 0);
	sinks_free(s);
	pthread_join(thread, &text);
	assert_non_null(text);
	assert_string_equal(expect_lines(text, 1, 2000), "");
	free(text);
	close(reader);
}

static void test_reopen(void **state)
{
	int           old = memory_file(), new = memory_file();
	struct sinks *s = sinks_on(SINK_EVE, dup(old));
	char         *text;

	(void)state;
	write_n(s, 3);
	sinks_reopen(s, 0, dup(new));
	write_n(s, 2);
	sinks_reopen(s, 0, -1);       /* could not be opened: the old one stays */
	sinks_reopen(s, 7, dup(new)); /* nobody's: closed */
	sinks_free(s);
	text = slurp_file(old);
	assert_string_equal(expect_lines(text, 1, 3), "");
	free(text);
	text = slurp_file(new);
	assert_string_equal(expect_lines(text, 4, 2), "");
	free(text);
	close(old);
	close(new);
}

/* ---- relayed queries ---- */

struct query {
	uint32_t    ifin; /* 0: a program of this machine */
	const char *to, *name;
	uint16_t    type;
	unsigned    ms;
	bool        relayed;
};

static const struct relay_case {
	const char  *what;
	struct query q[4]; /* up to the first without a name */
} relay_cases[] = {
	{ "a client asks the router, its resolver asks upstream",
	  { { 2, "10.0.0.1", "a.example", 1, 0, false },
	    { 0, "9.9.9.9", "a.example", 1, 20, true } } },
	{ "a program asks the stub, which asks upstream twice",
	  { { 0, "127.0.0.53", "a.example", 1, 0, false },
	    { 0, "9.9.9.9", "a.example", 1, 20, true },
	    { 0, "149.112.112.112", "a.example", 1, 1900, true } } },
	{ "IPv6 loopback",
	  { { 0, "::1", "a.example", 28, 0, false },
	    { 0, "2620:fe::fe", "a.example", 28, 1, true } } },
	{ "a program asks upstream by itself",
	  { { 0, "9.9.9.9", "a.example", 1, 0, false },
	    { 0, "9.9.9.9", "a.example", 1, 5, false } } },
	{ "a forwarded query is nobody's relay",
	  { { 2, "10.0.0.1", "a.example", 1, 0, false },
	    { 3, "9.9.9.9", "a.example", 1, 5, false } } },
	{ "another type",
	  { { 2, "10.0.0.1", "a.example", 1, 0, false },
	    { 0, "9.9.9.9", "a.example", 28, 5, false } } },
	{ "another name",
	  { { 2, "10.0.0.1", "a.example", 1, 0, false },
	    { 0, "9.9.9.9", "b.example", 1, 5, false } } },
	{ "too late",
	  { { 2, "10.0.0.1", "a.example", 1, 0, false },
	    { 0, "9.9.9.9", "a.example", 1, 2000, true },
	    { 0, "9.9.9.9", "a.example", 1, 2001, false } } },
	{ "asked again in between",
	  { { 2, "10.0.0.1", "a.example", 1, 0, false },
	    { 3, "10.0.0.1", "a.example", 1, 1500, false },
	    { 0, "9.9.9.9", "a.example", 1, 3000, true } } },
	{ "threads hand over out of order",
	  { { 2, "10.0.0.1", "a.example", 1, 10, false },
	    { 0, "9.9.9.9", "a.example", 1, 9, true } } },
	{ "the stub's own query to itself is not relayed",
	  { { 2, "10.0.0.1", "a.example", 1, 0, false },
	    { 0, "127.0.0.1", "a.example", 1, 5, false } } },
};

static void test_relayed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(relay_cases) / sizeof(relay_cases[0]); i++) {
		int           fd = memory_file();
		struct sinks *s = sinks_on(SINK_EVE, dup(fd));
		char         *text;
		const char   *line;

		for (const struct query *q = relay_cases[i].q; q->name; q++) {
			struct event e = event_plain(&fix, APP_DNS, SEEN_DNS_QUERY, q->name);

			e.ifin = q->ifin;
			e.dst = event_addr(q->to);
			e.dns_type = q->type;
			e.ts += q->ms * NS_PER_MS;
			sinks_write(s, &e, &(struct sink_hints){ 0 });
		}
		sinks_free(s);
		line = text = slurp_file(fd);
		for (const struct query *q = relay_cases[i].q; q->name; q++) {
			const char *mark = strstr(line, "\"relayed\":");

			assert_non_null(mark);
			if ((mark[10] == 't') != q->relayed)
				fail_msg("%s: query %d", relay_cases[i].what,
				         (int)(q - relay_cases[i].q) + 1);
			line = strchr(line, '\n') + 1;
		}
		free(text);
		close(fd);
	}
}

/* Only questions are relayed: the connection that follows is a sighting of its own. */
static void test_relayed_is_dns(void **state)
{
	int           fd = memory_file();
	struct sinks *s = sinks_on(SINK_EVE, dup(fd));
	struct event  e = event_plain(&fix, APP_TLS, SEEN_TLS_SNI, "a.example");
	char         *text;

	(void)state;
	sinks_write(s, &e, &(struct sink_hints){ 0 });
	e.ifin = 0;
	sinks_write(s, &e, &(struct sink_hints){ 0 });
	sinks_free(s);
	text = slurp_file(fd);
	assert_null(strstr(text, "\"relayed\":true"));
	free(text);
	close(fd);
}

/* The table forgets, it does not grow or mistake one name for another. */
static void test_relay_many_names(void **state)
{
	int           fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int           out = memory_file();
	struct sinks *s = sinks_on(SINK_EVE, fd);
	struct event  e;
	char          name[32], *text;
	unsigned      known = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		e = event_plain(&fix, APP_DNS, SEEN_DNS_QUERY, name);
		sinks_write(s, &e, &(struct sink_hints){ 0 });
	}
	sinks_reopen(s, 0, dup(out));
	for (int i = 9000; i < 11000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		e = event_plain(&fix, APP_DNS, SEEN_DNS_QUERY, name);
		e.ifin = 0;
		sinks_write(s, &e, &(struct sink_hints){ 0 });
	}
	sinks_free(s);
	text = slurp_file(out);
	for (const char *p = text; (p = strstr(p, "\"relayed\":true")) != NULL; p++)
		known++;
	assert_in_range(known, 800, 1000);
	free(text);
	close(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_buffer_fills),
		cmocka_unit_test(test_two_sinks),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_standard_output_stays),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_torn_line),
		cmocka_unit_test(test_no_reader),
		cmocka_unit_test(test_reader_late),
		cmocka_unit_test(test_reopen_stuck),
		cmocka_unit_test(test_reader_stuck),
		cmocka_unit_test(test_counts_outlive),
		cmocka_unit_test(test_reader_slow),
		cmocka_unit_test(test_reopen),
		cmocka_unit_test(test_relayed),
		cmocka_unit_test(test_relayed_is_dns),
		cmocka_unit_test(test_relay_many_names),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	diag_register(count_warnings);
	fixture_open(&fix);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_close(&fix);
	return failed;
}

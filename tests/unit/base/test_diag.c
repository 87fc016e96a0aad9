/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a daemon never wait for a reader of standard error, and none is lost without being counted. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/outlet.h"

enum { MANY = 2000, THREADS = 4 };

static _Atomic uint64_t lost;
static int              saved;

static int save_stderr(void **state)
{
	(void)state;
	saved = dup(STDERR_FILENO);
	return saved < 0;
}

static int restore_stderr(void **state)
{
	(void)state;
	return dup2(saved, STDERR_FILENO) < 0 || close(saved) < 0;
}

/* Standard error is now a pipe of one page; returns the end to read from. */
static int stderr_is_pipe(void)
{
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_true(fcntl(p[1], F_SETPIPE_SZ, 4096) > 0);
	assert_true(dup2(p[1], STDERR_FILENO) >= 0);
	close(p[1]);
	return p[0];
}

static void slurp(int fd, char *out, size_t room)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t        n = 0;

	while (n < room - 1 && poll(&p, 1, 0) == 1) {
		ssize_t r = read(fd, out + n, room - 1 - n);

		assert_true(r > 0);
		n += (size_t)r;
	}
	out[n] = '\0';
}

static unsigned lines_in(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

/* The pipe was given to us blocking: a line too many would block this test for good. */
static void test_stuck(void **state)
{
	static char text[1 << 20];
	int         fd = stderr_is_pipe(), flags = fcntl(STDERR_FILENO, F_GETFL);
	unsigned    got;

	(void)state;
	assert_false(flags & O_NONBLOCK);
	lost = 0;
	diag_never_wait(&lost);
	for (unsigned i = 0; i < MANY; i++)
		diag_warn("test", "line %u", i);
	assert_in_range(lost, 1, MANY - 64);
	got = 0;
	do {
		slurp(fd, text, sizeof(text));
		got += lines_in(text, "test: line ");
		diag_drain();
	} while (!lines_in(text, "lines lost"));
	assert_int_equal(got + lost, MANY);
	diag_warn("test", "after");
	slurp(fd, text, sizeof(text));
	assert_non_null(strstr(text, "nfqd: warning: test: after\n"));
	close(fd);
}

static void *speak(void *arg)
{
	for (unsigned i = 0; i < MANY; i++)
		diag_info("test", "thread %c line %u", *(const char *)arg, i);
	return NULL;
}

/* Whole lines, whoever speaks at the same time; and the thread that drains is woken. */
static void test_threads(void **state)
{
	static char  text[1 << 16];
	static const char names[THREADS] = "abcd";
	int          fd = stderr_is_pipe(), wake = eventfd(0, EFD_NONBLOCK);
	pthread_t    threads[THREADS];
	uint64_t     said = 0;
	eventfd_t    times;

	(void)state;
	lost = 0;
	diag_never_wait(&lost);
	diag_drained_by(wake);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, speak, (void *)(uintptr_t)&names[i]), 0);
	while (said + lost < THREADS * MANY) {
		diag_drain();
		slurp(fd, text, sizeof(text));
		said += lines_in(text, "nfqd: test: thread ");
		assert_int_equal(lines_in(text, "\n"), lines_in(text, "nfqd: "));
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(said + lost, THREADS * MANY);
	assert_int_equal(eventfd_read(wake, &times), 0);
	close(wake);
	close(fd);
}

/* A program of the same file keeps its own way of waiting. */
static void test_others_still_wait(void **state)
{
	int p[2], own;

	(void)state;
	assert_int_equal(pipe(p), 0);
	own = outlet_duplicate(p[1]);
	assert_true(own >= 0);
	assert_true(fcntl(own, F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(p[1], F_GETFL) & O_NONBLOCK);
	close(own);
	close(p[0]);
	close(p[1]);
}

/* Not opened anew: it is looked at before each write. */
static void test_full_without_nonblock(void **state)
{
	static char   much[1 << 16];
	struct outlet o;
	int           p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	o = outlet_of(p[1]);
	while (outlet_write(&o, much, sizeof(much)) > 0)
		;
	assert_int_equal(outlet_write(&o, much, sizeof(much)), -EAGAIN);
	outlet_close(&o);
	close(p[0]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	o = outlet_of(p[1]);
	while (outlet_write(&o, much, sizeof(much)) > 0)
		;
	assert_int_equal(outlet_write(&o, much, sizeof(much)), -EAGAIN);
	outlet_close(&o);
	close(p[0]);
}

/* After the clock was set back a kind of line is not silent until it comes to the old time again. */
static void test_rate(void **state)
{
	struct diag_rate rate = { 0 };
	uint64_t         now = 1000 * NS_PER_S;

	(void)state;
	assert_true(diag_may(&rate, now));
	assert_false(diag_may(&rate, now + 9 * NS_PER_S));
	assert_true(diag_may(&rate, now + 10 * NS_PER_S));
	assert_true(diag_may(&rate, now / 2));
	assert_false(diag_may(&rate, now / 2 + NS_PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stuck, save_stderr, restore_stderr),
		cmocka_unit_test_setup_teardown(test_threads, save_stderr, restore_stderr),
		cmocka_unit_test(test_others_still_wait),
		cmocka_unit_test(test_full_without_nonblock),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

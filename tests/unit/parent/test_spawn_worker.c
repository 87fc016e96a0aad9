/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new ruleset for a worker that hangs: whom the parent signals, by a clock that moves while it waits. */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "parent/parent_private.h"
#include "unit.h"

enum { WORKER = 4321, CALLS = 16 };

static uint64_t now_ms = 1000000;
static pid_t    killed[CALLS];
static unsigned kills;

/* In place of libc's: no process is signalled, and waiting takes no time. */
int kill(pid_t pid, int sig)
{
	assert_int_equal(sig, SIGKILL);
	assert_true(kills < CALLS);
	killed[kills++] = pid;
	return 0;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	(void)fds, (void)n;
	now_ms += (uint64_t)timeout;
	return 0;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	*ts = (struct timespec){ .tv_sec = (time_t)(now_ms / 1000), .tv_nsec = (long)(now_ms % 1000) * 1000000 };
	return 0;
}

static void silence(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token, (void)text;
}

static void offer(struct parent *p, bool record_waits)
{
	struct conf conf = { .fail = FAIL_CLOSED };
	struct err  err = { 0 };
	int         pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	*p = (struct parent){ .boot = &conf, .conf = &conf, .shared = shared_new(), .worker = WORKER,
		              .in = { .parent = pair[0], .queues = 1 },
		              .tap = &(struct tap){ .device = "none" } };
	assert_non_null(p->shared);
	p->shared->count[0].v[COUNT_records] = record_waits;
	kills = 0;
	assert_int_equal(parent_offer_rules(p, -1, 2, &err), -1);
	assert_string_equal(err.text, "the worker ended or hung over the new ruleset");
	close(pair[0]);
	close(pair[1]);
}

/* It is killed, does not end, and is given up before the time for the answer is over. */
static void a_worker_that_outlives_sigkill(void **state)
{
	static struct parent p;

	(void)state;
	offer(&p, true);
	assert_int_equal(kills, 1);
	assert_int_equal(killed[0], WORKER);
	assert_int_equal(p.worker, -1);
}

/* One that only does not answer is killed when the time is over. */
static void a_worker_that_does_not_answer(void **state)
{
	static struct parent p;

	(void)state;
	offer(&p, false);
	assert_true(kills >= 1);
	for (unsigned i = 0; i < kills; i++)
		assert_int_equal(killed[i], WORKER);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_worker_that_outlives_sigkill),
		                            cmocka_unit_test(a_worker_that_does_not_answer) };

	diag_register(silence);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

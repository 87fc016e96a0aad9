/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which program has a socket: of this process, its children and init's; and that looking takes a bounded time. */
#include "parent/programs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "unit.h"

enum { YES = 10, NO, LATER, SKIPPED };

static uint16_t listening; /* the resolver's port */

static int udp(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t          n = sizeof(a);
	int                fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		_exit(99);
	*port = ntohs(a.sin_port);
	return fd;
}

static struct ask question(uint16_t sport)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };
	struct ask           q;

	memset(&q, 0, sizeof(q));
	q.proto = IPPROTO_UDP;
	q.sport = sport;
	q.dport = 9;
	q.port[0] = listening;
	q.src.len = q.dst.len = 4;
	memcpy(q.src.b, loopback, 4);
	memcpy(q.dst.b, loopback, 4);
	return q;
}

static enum ask_says ask(uint16_t sport)
{
	struct ask q = question(sport);

	return programs_ask(&q);
}

/* A busy machine has thousands of processes: then it is looked in parts. */
static enum ask_says ask_until(uint16_t sport)
{
	uint64_t      end = clock_monotonic() + 60 * NS_PER_S;
	enum ask_says says;

	while ((says = ask(sport)) >= ASK_LATER && clock_monotonic() < end)
		usleep(50000);
	return says;
}

static void silent(enum diag_level level, const char *token, const char *what)
{
	(void)level, (void)token, (void)what;
}

static void test_own(void **state)
{
	uint16_t from, none;
	int      resolver = udp(&listening), asker = udp(&from), other = udp(&none);

	(void)state;
	assert_int_equal(ask_until(from), ASK_YES);
	close(other);
	assert_int_equal(ask_until(none), ASK_NO);
	close(resolver);
	assert_int_equal(ask_until(from), ASK_NO);
	close(asker);
}

/* The child has the asker's socket alone, as dnsmasq's has for a question over TCP; it stays until it is told to end. */
static void test_child(void **state)
{
	uint16_t from = 0;
	int      resolver = udp(&listening), says[2], go[2], status;
	char     byte;
	pid_t    child;

	(void)state;
	assert_int_equal(pipe(says), 0);
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child == 0) {
		close(resolver);
		close(go[1]);
		udp(&from);
		_exit(write(says[1], &from, sizeof(from)) < 0 || read(go[0], &byte, 1) < 0);
	}
	assert_int_equal(read(says[0], &from, sizeof(from)), sizeof(from));
	assert_int_equal(ask_until(from), ASK_YES);
	close(go[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(go[0]);
	close(says[0]);
	close(says[1]);
	close(resolver);
}

/* In a place of its own: its first process holds the port, and another one, whose parent it is, asks. */
static void as_init(void)
{
	uint16_t from;
	int      resolver, status;
	pid_t    child;

	if (mount(NULL, "/proc", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0)
		_exit(SKIPPED);
	resolver = udp(&listening);
	child = fork();
	if (child == 0) {
		close(resolver);
		udp(&from);
		_exit(YES + (ask_until(from) == ASK_YES ? 0 : NO - YES));
	}
	_exit(waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 99);
}

static void test_init(void **state)
{
	int   status;
	pid_t outer = fork(), inner;

	(void)state;
	if (outer == 0) {
		if (unshare(CLONE_NEWPID | CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) < 0)
			_exit(SKIPPED);
		inner = fork();
		if (inner == 0)
			as_init();
		_exit(waitpid(inner, &status, 0) == inner ? WEXITSTATUS(status) : 99);
	}
	assert_int_equal(waitpid(outer, &status, 0), outer);
	if (WEXITSTATUS(status) == SKIPPED) {
		print_message("# no namespaces here\n"); /* prove takes cmocka's skip() for a failure */
		return;
	}
	assert_int_equal(WEXITSTATUS(status), NO);
}

/* As many as can be asked, for three seconds: of each second a part is spent, and the rest is counted. */
static void test_flood(void **state)
{
	uint64_t begin, spent = 0, all, late = programs_late();
	uint16_t from;
	unsigned n = 0;
	int      resolver = udp(&listening), asker = udp(&from);

	(void)state;
	assert_int_equal(ask_until(from), ASK_YES);
	all = clock_monotonic();
	for (; clock_monotonic() < all + 3 * NS_PER_S;) {
		begin = clock_monotonic();
		if (ask(from) >= ASK_LATER)
			n++;
		else
			spent += clock_monotonic() - begin;
	}
	all = clock_monotonic() - all;
	assert_in_range(n, 1, UINT32_MAX);
	assert_in_range(programs_late() - late, n, n + 100);
	assert_in_range(spent, 0, all * 3 / 4); /* a fifth, and what the last one of each second was over it */
	close(resolver);
	close(asker);
}

/* One client asks as much as it can: another one is heard in the same second. */
static void test_share(void **state)
{
	uint16_t      from;
	int           resolver = udp(&listening), asker = udp(&from);
	struct ask    greedy = question(from), modest = greedy;
	uint64_t      end = clock_monotonic() + 60 * NS_PER_S;
	enum ask_says says = ASK_LATER;
	unsigned      refused = 0;

	(void)state;
	greedy.client = greedy.src;
	modest.client = (struct addr){ .len = 4, .b = { 192, 0, 2, 1 } };
	assert_int_equal(ask_until(from), ASK_YES);
	while (says != ASK_YES && clock_monotonic() < end) { /* a machine that is slow may need longer for one than it has */
		if (programs_ask(&greedy) != ASK_SHARE)
			continue;
		refused++;
		says = programs_ask(&modest);
	}
	assert_in_range(refused, 1, UINT32_MAX);
	assert_int_equal(says, ASK_YES);
	close(resolver);
	close(asker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_child),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_share),
	};

	diag_register(silent);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

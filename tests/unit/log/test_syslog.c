/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records on a syslog daemon's socket, which this test holds. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/outlet.h"
#include "events.h"
#include "log/sink.h"
#include "unit.h"

static struct fixture fixture;
static char           folder[] = "/tmp/nfqd-syslog.XXXXXX", path[64];

static int daemon_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlink(path);
	memcpy(a.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static struct sinks *sinks_on(struct sink_counts *counts)
{
	struct sinks *s = sinks_new(false);
	struct err    err = { .text = "" };
	int           fd = sink_open(SINK_SYSLOG, path, &err);

	assert_string_equal(err.text, "");
	assert_int_equal(sinks_add(s, SINK_SYSLOG, fd, counts), 0);
	return s;
}

/* The next message; "" when there is none. */
static const char *message(int fd)
{
	static char text[16384];
	ssize_t     n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void expect(int fd, const char *header, const char *action)
{
	const char *m = message(fd);
	json_t     *json;

	if (strncmp(m, header, strlen(header)) != 0)
		fail_msg("%s", m);
	json = json_loads(m + strlen(header), 0, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json_object_get(json, "nfqd"), "action")),
	                    action);
	json_decref(json);
}

static void test_messages(void **state)
{
	int                     fd = daemon_socket();
	struct sink_counts      counts = { 0 };
	struct sinks           *s = sinks_on(&counts);
	struct identity         me = { .host = "gw-berlin-1" };
	struct event            blocked = event_blocked_dns(&fixture), logged = event_logged_tls(&fixture);
	const struct sink_hints none = { 0 };

	(void)state;
	sinks_identify(s, &me);
	sinks_write(s, &blocked, &none);
	sinks_write(s, &logged, &none);
	sinks_write_own(s, blocked.ts, "\"kind\":\"heartbeat\"");
	sinks_flush(s);
	assert_int_equal(counts.lost, 0);
	expect(fd, "<28>1 2026-11-23T16:20:31.482113Z gw-berlin-1 nfqd - listed - ", "reject");
	expect(fd, "<29>1 2026-11-23T16:20:31.482113Z gw-berlin-1 nfqd - listed - ", "log");
	assert_non_null(strstr(message(fd), " nfqd - daemon - {"));
	assert_string_equal(message(fd), "");
	sinks_free(s);
	close(fd);
}

/* The daemon restarts: what was written in between waits for its new socket. */
static void test_restart(void **state)
{
	int                     fd = daemon_socket();
	struct sink_counts      counts = { 0 };
	struct sinks           *s = sinks_on(&counts);
	struct event            e = event_blocked_dns(&fixture);
	const struct sink_hints none = { 0 };
	struct err              err = { .text = "" };
	struct pollfd           fds[SINKS_MAX];

	(void)state;
	close(fd);
	sinks_write(s, &e, &none);
	sinks_flush(s);
	assert_true(counts.gone);
	assert_int_equal(sinks_poll(s, fds), 0); /* nothing to wait for here */
	unlink(path);
	assert_int_equal(sink_open(SINK_SYSLOG, path, &err), -1);
	assert_non_null(strstr(err.text, "no syslog daemon"));
	fd = daemon_socket();
	err.text[0] = '\0';
	sinks_reopen(s, 0, sink_open(SINK_SYSLOG, path, &err));
	sinks_flush(s);
	assert_false(counts.gone);
	assert_int_equal(counts.lost, 0);
	assert_int_equal(counts.written, 1);
	assert_true(strncmp(message(fd), "<28>1 ", 6) == 0);
	sinks_free(s);
	close(fd);
}

/* A full socket is not waited for; what it has no room for is written later. */
static void test_no_room(void **state)
{
	int                     fd = daemon_socket();
	struct sink_counts      counts = { 0 };
	struct sinks           *s = sinks_on(&counts);
	struct event            e = event_blocked_dns(&fixture);
	const struct sink_hints none = { 0 };
	unsigned                came = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		sinks_write(s, &e, &none);
	sinks_flush(s);
	assert_true(counts.stuck);
	assert_int_equal(counts.lost, 0);
	for (; came < 100; came++) {
		while (!*message(fd))
			sinks_flush(s);
	}
	sinks_flush(s);
	assert_int_equal(counts.written, 100);
	sinks_free(s);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	fixture_open(&fixture);
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(folder);
	fixture_close(&fixture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages), cmocka_unit_test(test_restart),
		                            cmocka_unit_test(test_no_room) };

	return cmocka_run_group_tests(tests, setup, teardown);
}

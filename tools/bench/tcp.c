/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New connections that open with a ClientHello: the client sends the hello of a file in one segment or
 * in two, the server waits for all of it and answers a few bytes, the client resets. What a web client
 * costs the daemon, without the cost of real TLS. Says what it did as one JSON object.
 *
 *   tcp serve ADDRESS PORT BYTES                              until it is ended
 *   tcp connect ADDRESS PORT FILE SEGMENTS COUNT AT_ONCE
 *   tcp small ADDRESS PORT FILE CONNECTIONS COUNT             after a hello on each, COUNT times over all a few bytes
 *                                                             there and a few back; only those are timed
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { EVENTS = 64, HELLO_MAX = 4096, FDS = 65536, SMALL = 100, SMALL_CONNECTIONS = 64 };

static const char reply[] = "HTTP/1.1 200 OK";

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void watch(int epoll, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		fail("epoll");
}

/* ---- the server ---- */

static void serve_one(int fd, unsigned whole, unsigned *have)
{
	char    buf[HELLO_MAX];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			close(fd);
		return;
	}
	*have += (unsigned)n;
	if (*have >= whole)
		send(fd, reply, sizeof(reply), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void serve(const struct sockaddr_in *sa, unsigned whole)
{
	static unsigned    have[FDS];
	struct epoll_event events[EVENTS];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 || listen(fd, 4096) < 0)
		fail("listen");
	watch(epoll, fd, EPOLLIN);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int client;

			if (events[i].data.fd != fd) {
				serve_one(events[i].data.fd, whole, &have[events[i].data.fd]);
				continue;
			}
			while ((client = accept(fd, NULL, NULL)) >= 0 && client < FDS) {
				have[client] = 0;
				watch(epoll, client, EPOLLIN);
			}
		}
	}
}

/* ---- the client ---- */

struct client {
	struct sockaddr_in to;
	char               hello[HELLO_MAX];
	size_t             size;
	unsigned           segments, begun, done, failed, count;
	int                epoll;
};

static void begin(struct client *c)
{
	struct linger now = { .l_onoff = 1 };
	int           fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	if (c->begun == c->count)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (fd < 0 || (connect(fd, (struct sockaddr *)&c->to, sizeof(c->to)) < 0 && errno != EINPROGRESS))
		fail("connect");
	watch(c->epoll, fd, EPOLLOUT);
	c->begun++;
}

static void send_hello(struct client *c, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
	size_t             first = c->segments == 2 ? c->size / 2 : c->size;

	if (send(fd, c->hello, first, MSG_NOSIGNAL) == (ssize_t)first && first < c->size)
		send(fd, c->hello + first, c->size - first, MSG_NOSIGNAL);
	epoll_ctl(c->epoll, EPOLL_CTL_MOD, fd, &e);
}

static void connections(struct client *c, unsigned at_once)
{
	struct epoll_event events[EVENTS];

	for (unsigned i = 0; i < at_once; i++)
		begin(c);
	while (c->done < c->count) {
		int n = epoll_wait(c->epoll, events, EVENTS, 5000);

		if (n == 0) /* those that are open were lost */
			return;
		for (int i = 0; i < n; i++) {
			char buf[sizeof(reply)];
			int  fd = events[i].data.fd;

			if (events[i].events == EPOLLOUT) {
				send_hello(c, fd);
				continue;
			}
			c->failed += recv(fd, buf, sizeof(buf), 0) <= 0;
			close(fd);
			c->done++;
			begin(c);
		}
	}
}

static void exchange(int fd, const char *data, size_t n)
{
	char buf[sizeof(reply)];

	if (send(fd, data, n, MSG_NOSIGNAL) != (ssize_t)n || recv(fd, buf, sizeof(buf), MSG_WAITALL) != sizeof(buf))
		fail("exchange");
}

/* What an allowed connection costs; c->segments of them. */
static int small(struct client *c)
{
	static const char some[SMALL];
	int               fds[SMALL_CONNECTIONS], one = 1;
	double            start, cpu;

	for (unsigned i = 0; i < c->segments; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (connect(fds[i], (struct sockaddr *)&c->to, sizeof(c->to)) < 0)
			fail("connect");
		exchange(fds[i], c->hello, c->size);
	}
	start = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 0; i < c->count; i++)
		exchange(fds[i % c->segments], some, sizeof(some));
	printf("{\"sent\": %u, \"seconds\": %.4f, \"cpu_us\": %.0f}\n", c->count, seconds(CLOCK_MONOTONIC) - start,
	       (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6);
	return 0;
}

int main(int argc, char **argv)
{
	static struct client c;
	double               start = seconds(CLOCK_MONOTONIC);

	if (argc == 5 && strcmp(argv[1], "serve") == 0) {
		c.to = address(argv[2], argv[3]);
		serve(&c.to, (unsigned)strtoul(argv[4], NULL, 10));
	}
	if (!(argc == 8 && strcmp(argv[1], "connect") == 0) && !(argc == 7 && strcmp(argv[1], "small") == 0))
		return fputs("usage: see the first lines of the source\n", stderr), 2;
	c.to = address(argv[2], argv[3]);
	c.size = read_file(argv[4], c.hello, sizeof(c.hello));
	c.segments = (unsigned)strtoul(argv[5], NULL, 10);
	c.count = (unsigned)strtoul(argv[6], NULL, 10);
	if (argc == 7)
		return c.segments && c.segments <= SMALL_CONNECTIONS ? small(&c) : 2;
	c.epoll = epoll_create1(0);
	connections(&c, (unsigned)strtoul(argv[7], NULL, 10));
	printf("{\"done\": %u, \"failed\": %u, \"seconds\": %.4f, \"cpu_us\": %.0f}\n", c.done,
	       c.failed + c.count - c.done, seconds(CLOCK_MONOTONIC) - start,
	       seconds(CLOCK_PROCESS_CPUTIME_ID) * 1e6);
	return 0;
}

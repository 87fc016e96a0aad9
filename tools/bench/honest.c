/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Honest clients beside a flood: connections whose listed hello comes in two to four parts, none of which
 * may be answered, and others whose innocent hello comes whole, all of which must be, and soon. Says what
 * it saw as one JSON object.
 *
 *   honest ADDRESS PORT LISTED COUNT SPAN_MS INNOCENT COUNT SECONDS
 *
 * LISTED and INNOCENT are files with a hello. Both kinds begin evenly over SECONDS; the last part of a
 * listed hello follows its first after SPAN_MS at most. The environment's SOURCES may list local addresses to send
 * from, in turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { CONNS_MAX = 65536, HELLO_MAX = 4096, PARTS_MAX = 4, FIRST_MIN = 20, EVENTS = 64 };

#define MS       UINT64_C(1000000)
#define PATIENCE (8000 * MS)

struct hello {
	uint8_t bytes[HELLO_MAX];
	size_t  size;
};

enum fate { FATE_NONE, FATE_ANSWERED, FATE_RESET, FATE_LOST };

struct conn {
	int           fd;
	bool          listed;
	enum fate     fate;
	uint64_t      begun, took; /* ns */
	unsigned      part, parts;
	size_t        cut[PARTS_MAX + 1];
	uint64_t      due[PARTS_MAX]; /* ns: when each part is sent */
};

static struct hello       hellos[2]; /* innocent, listed */
static struct conn        conns[CONNS_MAX];
static struct sockaddr_in to, sources[SOURCES_MAX];
static unsigned           n_conns, n_sources, open_conns;
static uint64_t           rnd = 7;
static int                epoll;

static uint64_t next_random(uint64_t below)
{
	rnd ^= rnd >> 12;
	rnd ^= rnd << 25;
	rnd ^= rnd >> 27;
	return (rnd * UINT64_C(2685821657736338717) >> 11) % below;
}

/* ---- one connection ---- */

/* Where a listed hello is cut, and when its parts come. */
static void plan(struct conn *c, uint64_t at, uint64_t span)
{
	size_t size = hellos[c->listed].size;

	c->begun = at;
	c->parts = c->listed ? 2 + (unsigned)next_random(PARTS_MAX - 1) : 1;
	c->cut[c->parts] = size;
	for (unsigned i = 1; i < c->parts; i++) /* the first part is short of any name */
		c->cut[i] = i == 1 ? FIRST_MIN + next_random(60) : c->cut[i - 1] + 1 + next_random((size - c->cut[i - 1]) / 2);
	for (unsigned i = 0; i < c->parts; i++)
		c->due[i] = at + (c->parts > 1 ? span * i / (c->parts - 1) : 0);
}

static void finish(struct conn *c, enum fate fate)
{
	c->fate = fate;
	c->took = now() - c->begun;
	close(c->fd);
	open_conns--;
}

static void begin(struct conn *c)
{
	struct linger      abort = { .l_onoff = 1 };
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	int                one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	if (c->fd < 0 || (n_sources && bind(c->fd, (struct sockaddr *)&sources[next_random(n_sources)], sizeof(to)) < 0))
		fail("bind");
	c->begun = now();
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		fail("connect");
	e.events = EPOLLOUT;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
		fail("epoll");
	open_conns++;
}

/* Sends what is due; a refused connection is noticed when it is read. */
static void send_due(struct conn *c)
{
	const struct hello *h = &hellos[c->listed];

	while (c->part < c->parts && now() >= c->due[c->part]) {
		size_t from = c->cut[c->part], n = c->cut[c->part + 1] - from;

		if (send(c->fd, h->bytes + from, n, MSG_NOSIGNAL) != (ssize_t)n) {
			finish(c, errno == EAGAIN ? FATE_LOST : FATE_RESET);
			return;
		}
		c->part++;
	}
}

static void on_event(struct conn *c, uint32_t events)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	char               buf[64];
	ssize_t            n;

	if (events == EPOLLOUT) {
		epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e);
		send_due(c);
		return;
	}
	n = recv(c->fd, buf, sizeof(buf), 0);
	if (n > 0)
		finish(c, FATE_ANSWERED);
	else if (n == 0 || errno != EAGAIN)
		finish(c, FATE_RESET);
}

/* ---- all of them ---- */

static int by_begin(const void *a, const void *b)
{
	const struct conn *x = a, *y = b;

	return x->begun < y->begun ? -1 : x->begun > y->begun;
}

static void plan_all(unsigned listed, unsigned innocent, uint64_t span, uint64_t length)
{
	uint64_t start = now() + 50 * MS;

	n_conns = listed + innocent;
	if (n_conns == 0 || n_conns > CONNS_MAX)
		fail("count");
	for (unsigned i = 0; i < n_conns; i++) {
		unsigned k = i < listed ? i : i - listed, of = i < listed ? listed : innocent;

		conns[i].listed = i < listed;
		plan(&conns[i], start + length * k / of, span);
	}
	qsort(conns, n_conns, sizeof(conns[0]), by_begin);
}

/* Connections begin in order; the parts of those that are open are looked for once a millisecond. */
static void run(void)
{
	struct epoll_event events[EVENTS];
	unsigned           next = 0, oldest = 0;

	while (next < n_conns || open_conns) {
		int      n = epoll_wait(epoll, events, EVENTS, 1);
		uint64_t t = now();

		for (int i = 0; i < n; i++)
			on_event(events[i].data.ptr, events[i].events);
		while (next < n_conns && conns[next].due[0] <= t)
			begin(&conns[next++]);
		while (oldest < next && conns[oldest].fate)
			oldest++;
		for (unsigned i = oldest; i < next; i++) {
			if (!conns[i].fate && conns[i].part)
				send_due(&conns[i]);
			if (!conns[i].fate && t > conns[i].due[conns[i].parts - 1] + PATIENCE)
				finish(&conns[i], FATE_LOST);
		}
	}
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void report(void)
{
	static uint64_t took[CONNS_MAX];
	unsigned        n = 0, count[2][FATE_LOST + 1] = { 0 };

	for (unsigned i = 0; i < n_conns; i++) {
		count[conns[i].listed][conns[i].fate]++;
		if (!conns[i].listed && conns[i].fate == FATE_ANSWERED)
			took[n++] = conns[i].took;
	}
	qsort(took, n, sizeof(took[0]), by_size);
	printf("{\"leaked\": %u, \"refused\": %u, \"lost\": %u, \"answered\": %u, \"unanswered\": %u, "
	       "\"p50_us\": %.0f, \"p99_us\": %.0f}\n",
	       count[1][FATE_ANSWERED], count[1][FATE_RESET], count[1][FATE_LOST], n,
	       count[0][FATE_RESET] + count[0][FATE_LOST], n ? (double)took[n / 2] / 1e3 : 0,
	       n ? (double)took[n - 1 - n / 100] / 1e3 : 0);
}

int main(int argc, char **argv)
{
	if (argc != 9)
		return fputs("usage: see the first lines of the source\n", stderr), 2;
	to = address(argv[1], argv[2]);
	hellos[true].size = read_file(argv[3], hellos[true].bytes, sizeof(hellos[true].bytes));
	hellos[false].size = read_file(argv[6], hellos[false].bytes, sizeof(hellos[false].bytes));
	n_sources = read_sources(sources);
	epoll = epoll_create1(0);
	plan_all((unsigned)strtoul(argv[4], NULL, 10), (unsigned)strtoul(argv[7], NULL, 10),
	         strtoul(argv[5], NULL, 10) * MS, strtoul(argv[8], NULL, 10) * 1000 * MS);
	run();
	report();
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams of every kind: sends those of a file (each behind its length, two bytes), answers as a
 * resolver for which every name exists. Says what it did as one JSON object.
 *
 *   udp serve ADDRESS PORT                        answer questions, until it is ended
 *   udp sink ADDRESS PORT                         hold the port and read nothing
 *   udp flood ADDRESS PORT FILE COUNT RATE        RATE a second; 0: as fast as they go
 *   udp fresh ADDRESS PORT FILE COUNT RATE        each from the next port: a connection of its own
 *   udp latency ADDRESS PORT FILE COUNT RATE      ask and wait for the answer
 *   udp flows ADDRESS PORT FILE COUNT RATE        64 sockets: each sends the whole file once, and after a
 *                                                 moment 160 bytes that mean nothing, COUNT over all; only
 *                                                 those are timed
 *
 * The environment's SOURCES may list local addresses to send from, in turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { FIRST_PORT = 10000, PORTS = 50000 };
enum { FLOWS = 64, FLOW_BYTES = 160, SETTLE_NS = 300000000 };
enum { BURST = 32, SOCKETS = 16, DATAGRAM = 1500, DATAGRAMS = 65536, FINE_RATE = 20000 };

struct load {
	struct sockaddr_in to;
	struct iovec       datagram[DATAGRAMS];
	unsigned           datagrams, count;
	uint64_t           pause; /* ns between two datagrams */
	int                sockets[SOCKETS];
	struct sockaddr_in sources[SOURCES_MAX];
	unsigned           n_sources; /* 0: as the kernel chooses */
	uint64_t           start;     /* of what is timed */
	double             cpu_us;    /* the process had used by then */
};

static double cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int bound(const struct sockaddr_in *sa)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (fd < 0 || bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0)
		fail("bind");
	return fd;
}

/* The i-th socket; port 0: any. */
static int connected(const struct load *l, unsigned i, unsigned port)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int                fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (l->n_sources)
		from.sin_addr = l->sources[i % l->n_sources].sin_addr;
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		fail("bind");
	if (fd < 0 || connect(fd, (const struct sockaddr *)&l->to, sizeof(l->to)) < 0)
		fail("connect");
	return fd;
}

static void read_datagrams(struct load *l, const char *path)
{
	FILE   *f = fopen(path, "rb");
	uint8_t head[2];

	if (!f)
		fail(path);
	while (l->datagrams < DATAGRAMS && fread(head, 2, 1, f) == 1) {
		size_t   n = (size_t)(head[0] << 8 | head[1]);
		uint8_t *data = malloc(n);

		if (!data || fread(data, n, 1, f) != 1)
			fail(path);
		l->datagram[l->datagrams++] = (struct iovec){ data, n };
	}
	fclose(f);
}

/* ---- the servers ---- */

/* The question with an A record behind it; what else the query held is left out. */
static size_t answer(uint8_t *m, size_t n)
{
	static const uint8_t record[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1 };
	size_t               at = 12;

	while (at < n && m[at])
		at += m[at] + 1U;
	at += 5;
	if (at > n)
		return 0;
	m[2] |= 0x80;
	m[3] = 0x80;
	memcpy(m + 6, (const uint8_t[]){ 0, 1, 0, 0, 0, 0 }, 6);
	memcpy(m + at, record, sizeof(record));
	return at + sizeof(record);
}

static void serve(const struct sockaddr_in *sa)
{
	static uint8_t     data[BURST][DATAGRAM];
	struct sockaddr_in from[BURST];
	struct iovec       iov[BURST];
	struct mmsghdr     msgs[BURST];
	int                fd = bound(sa);

	for (;;) {
		int n;

		for (unsigned i = 0; i < BURST; i++) {
			iov[i] = (struct iovec){ data[i], DATAGRAM - 16 };
			msgs[i].msg_hdr = (struct msghdr){ .msg_name = &from[i], .msg_namelen = sizeof(from[i]),
				                           .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		n = recvmmsg(fd, msgs, BURST, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			iov[i].iov_len = answer(data[i], msgs[i].msg_len);
		if (n > 0)
			sendmmsg(fd, msgs, (unsigned)n, 0);
	}
}

/* ---- the clients ---- */

static unsigned flood(struct load *l)
{
	struct mmsghdr msgs[BURST] = { 0 };
	uint64_t       next = now();
	unsigned       sent = 0;

	for (unsigned i = 0; i < SOCKETS; i++)
		l->sockets[i] = connected(l, i, 0);
	for (unsigned round = 0; sent < l->count; round++) {
		/* sleeping for each packet would be what is measured */
		unsigned burst = l->pause > NS / FINE_RATE || l->count - sent < BURST ? 1 : BURST;

		for (unsigned i = 0; i < burst; i++)
			msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &l->datagram[(sent + i) % l->datagrams],
				                           .msg_iovlen = 1 };
		if (l->pause)
			wait_until(next += l->pause * burst);
		if (sendmmsg(l->sockets[round % SOCKETS], msgs, burst, 0) < 0 && errno != ECONNREFUSED)
			fail("send");
		sent += burst;
	}
	return sent;
}

static unsigned fresh(struct load *l)
{
	uint64_t next = now();

	for (unsigned i = 0; i < l->count; i++) {
		const struct iovec *d = &l->datagram[i % l->datagrams];
		int                 fd = connected(l, i, FIRST_PORT + i % PORTS);

		if (l->pause)
			wait_until(next += l->pause);
		if (send(fd, d->iov_base, d->iov_len, 0) < 0)
			fail("send");
		close(fd);
	}
	return l->count;
}

/* What comes to a firewall once a flow is known: the opening is not timed, and is decided by then. */
static unsigned flows(struct load *l)
{
	static uint8_t nothing[FLOW_BYTES];
	struct iovec   iov = { memset(nothing, 0x5a, sizeof(nothing)), sizeof(nothing) };
	struct mmsghdr msgs[BURST];
	int            fds[FLOWS];
	unsigned       sent = 0;

	for (unsigned i = 0; i < BURST; i++)
		msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1 };
	for (unsigned i = 0; i < FLOWS; i++) {
		fds[i] = connected(l, i, 0);
		for (unsigned k = 0; k < l->datagrams; k++)
			if (send(fds[i], l->datagram[k].iov_base, l->datagram[k].iov_len, 0) < 0)
				fail("send");
	}
	wait_until(now() + SETTLE_NS);
	l->start = now();
	l->cpu_us = cpu_us();
	for (unsigned i = 0; sent < l->count; i++, sent += BURST)
		if (sendmmsg(fds[i % FLOWS], msgs, BURST, 0) < 0)
			fail("send");
	return sent;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Prints the middle and the slow end of the answer times. */
static unsigned latency(struct load *l)
{
	int             fd = connected(l, 0, 0);
	struct timeval  tv = { .tv_sec = 1 };
	uint64_t       *ns = calloc(l->count, sizeof(*ns)), next = now();
	unsigned        lost = 0;
	uint8_t         got[DATAGRAM];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	for (unsigned i = 0; i < l->count; i++) {
		const struct iovec *d = &l->datagram[i % l->datagrams];
		uint64_t            start;

		wait_until(next += l->pause);
		start = now();
		lost += send(fd, d->iov_base, d->iov_len, 0) < 0 || recv(fd, got, sizeof(got), 0) < 0;
		ns[i] = now() - start;
	}
	qsort(ns, l->count, sizeof(*ns), by_size);
	printf("{\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"worst_us\": %.1f, \"lost\": %u, ",
	       (double)ns[l->count / 2] / 1e3, (double)ns[l->count * 9 / 10] / 1e3,
	       (double)ns[l->count * 99ULL / 100] / 1e3, (double)ns[l->count - 1] / 1e3, lost);
	free(ns);
	return l->count;
}

static const struct {
	const char *word;
	unsigned (*send)(struct load *l);
	const char *before; /* of the JSON object */
} loads[] = { { "flood", flood, "{" }, { "fresh", fresh, "{" }, { "latency", latency, "" },
	      { "flows", flows, "{" } };

int main(int argc, char **argv)
{
	static struct load l;
	uint64_t           rate;

	if (argc < 4)
		return fputs("usage: see the first lines of the source\n", stderr), 2;
	l.to = address(argv[2], argv[3]);
	if (strcmp(argv[1], "serve") == 0)
		serve(&l.to);
	if (strcmp(argv[1], "sink") == 0 && bound(&l.to) >= 0)
		pause();
	if (argc != 7)
		return 2;
	l.n_sources = read_sources(l.sources);
	read_datagrams(&l, argv[4]);
	l.count = (unsigned)strtoul(argv[5], NULL, 10);
	rate = strtoull(argv[6], NULL, 10);
	l.pause = rate ? NS / rate : 0;
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		if (strcmp(argv[1], loads[i].word) == 0) {
			unsigned sent;

			l.start = now();
			fputs(loads[i].before, stdout);
			sent = loads[i].send(&l);
			printf("\"sent\": %u, \"seconds\": %.4f, \"cpu_us\": %.0f}\n", sent,
			       (double)(now() - l.start) / 1e9, cpu_us() - l.cpu_us);
			return 0;
		}
	return 2;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prober: asks for the canary's name over every channel at once and waits for the refusals. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heartbeat.h"
#include "prober/prober_private.h"

enum { WINDOW_MS = 1500 };

struct probe {
	int      fd; /* -1: not waiting for an answer */
	bool     sent;
	uint64_t at; /* when the message was sent, ns */
};

struct beat {
	int          parent;
	bool         local;  /* sent by this host, not routed */
	uint16_t     number;
	unsigned     waiting; /* probes without an answer */
	struct probe probes[PROBE_CHANNELS_N];
};

static void tell(const struct beat *b, unsigned channel, enum prober_report_kind kind, int error, uint64_t us)
{
	prober_tell(b->parent, &(struct prober_report){ .kind = (uint8_t)kind, .channel = (uint8_t)channel,
		                                        .beat = b->number, .error = error,
		                                        .us = (uint32_t)us });
}

static void end_probe(struct beat *b, unsigned channel)
{
	struct probe *p = &b->probes[channel];

	close(p->fd);
	p->fd = -1;
	b->waiting--;
}

static void send_message(struct beat *b, unsigned channel)
{
	struct probe *p = &b->probes[channel];
	uint8_t       bytes[PROBE_MESSAGE];
	size_t        n = probe_message((enum probe_channel)channel, b->number, bytes);

	p->at = clock_monotonic();
	p->sent = true;
	if (send(p->fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n)
		return;
	tell(b, channel, PROBER_UNSENT, errno, 0);
	end_probe(b, channel);
}

/* A local probe may only go to the far end of its own link: without a direct route the kernel sends nothing. */
static int open_socket(bool stream, bool local)
{
	int fd = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || !local || setsockopt(fd, SOL_SOCKET, SO_DONTROUTE, &(int){ 1 }, sizeof(int)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void begin_probe(struct beat *b, unsigned channel)
{
	const struct probe_row *row = &probe_rows[channel];
	struct probe           *p = &b->probes[channel];
	bool                    stream = row->proto == IPPROTO_TCP;
	struct sockaddr_in      to = { .sin_family = AF_INET, .sin_port = htons(row->port) };

	to.sin_addr.s_addr = inet_addr(HEARTBEAT_RESPONDER);
	p->sent = false;
	p->fd = open_socket(stream, b->local);
	if (p->fd < 0) {
		tell(b, channel, PROBER_UNSENT, errno, 0);
		return;
	}
	b->waiting++;
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		tell(b, channel, PROBER_UNSENT, errno, 0);
		end_probe(b, channel);
	} else if (!stream) {
		send_message(b, channel);
	}
}

static void on_connected(struct beat *b, unsigned channel)
{
	struct probe *p = &b->probes[channel];
	int           error = 0;
	socklen_t     len = sizeof(error);

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		tell(b, channel, PROBER_UNSENT, error ? error : errno, 0);
		end_probe(b, channel);
		return;
	}
	tell(b, channel, PROBER_REACHED, 0, 0);
	send_message(b, channel);
}

/* The responder says nothing, so an answer, a reset or an ICMP error is the refusal. */
static void on_answer(struct beat *b, unsigned channel)
{
	struct probe *p = &b->probes[channel];
	uint8_t       bytes[PROBE_MESSAGE];

	if (recv(p->fd, bytes, sizeof(bytes), 0) < 0 && errno == EAGAIN)
		return;
	tell(b, channel, PROBER_REFUSED, 0, (clock_monotonic() - p->at) / 1000);
	end_probe(b, channel);
}

static void listen_until(struct beat *b, uint64_t end)
{
	struct pollfd fds[PROBE_CHANNELS_N];

	while (b->waiting && clock_monotonic() < end) {
		for (unsigned c = 0; c < PROBE_CHANNELS_N; c++)
			fds[c] = (struct pollfd){ b->probes[c].fd, b->probes[c].sent ? POLLIN : POLLOUT, 0 };
		if (poll(fds, PROBE_CHANNELS_N, (int)((end - clock_monotonic()) / 1000000 + 1)) <= 0)
			continue;
		for (unsigned c = 0; c < PROBE_CHANNELS_N; c++)
			if (fds[c].revents && b->probes[c].sent)
				on_answer(b, c);
			else if (fds[c].revents)
				on_connected(b, c);
	}
}

static void run(int parent, bool local, uint16_t number)
{
	struct beat b = { .parent = parent, .local = local, .number = number };

	for (unsigned c = 0; c < PROBE_CHANNELS_N; c++)
		begin_probe(&b, c);
	listen_until(&b, clock_monotonic() + WINDOW_MS * 1000000ULL);
	for (unsigned c = 0; c < PROBE_CHANNELS_N; c++)
		if (b.probes[c].fd >= 0)
			end_probe(&b, c);
	tell(&b, 0, PROBER_DONE, 0, 0);
}

void client_loop(int parent, bool local)
{
	prober_command number;

	while (recv(parent, &number, sizeof(number), 0) == sizeof(number))
		run(parent, local, number);
}

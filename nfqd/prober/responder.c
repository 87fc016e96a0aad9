/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The far end: says what arrived, and answers nothing. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "prober/prober_private.h"

static int listen_on(const struct probe_row *row)
{
	bool               stream = row->proto == IPPROTO_TCP;
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(row->port) };
	int fd = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 &&
	    (!stream || listen(fd, RESPONDER_CONNECTIONS) == 0))
		return fd;
	if (fd >= 0)
		close(fd);
	return -errno;
}

int responder_open(struct responder *r)
{
	*r = (struct responder){ .next = 0 };
	for (unsigned i = 0; i < RESPONDER_CONNECTIONS; i++)
		r->accepted[i].fd = -1;
	for (unsigned c = 0; c < PROBE_CHANNELS_N; c++) {
		r->listening[c] = listen_on(&probe_rows[c]);
		if (r->listening[c] < 0)
			return r->listening[c];
	}
	return 0;
}

static void tell_arrived(int parent, enum probe_channel channel)
{
	prober_tell(parent, &(struct prober_report){ .kind = PROBER_ARRIVED, .channel = (uint8_t)channel });
}

static void forget(struct responder *r, unsigned i)
{
	if (r->accepted[i].fd >= 0)
		close(r->accepted[i].fd);
	r->accepted[i].fd = -1;
}

static void on_listening(struct responder *r, int parent, enum probe_channel channel)
{
	uint8_t  bytes[PROBE_MESSAGE];
	unsigned i = r->next;

	if (probe_rows[channel].proto == IPPROTO_UDP) {
		while (recv(r->listening[channel], bytes, sizeof(bytes), 0) > 0)
			tell_arrived(parent, channel);
		return;
	}
	forget(r, i);
	r->accepted[i].fd = accept4(r->listening[channel], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	r->accepted[i].channel = channel;
	r->next = (i + 1) % RESPONDER_CONNECTIONS;
}

static void on_accepted(struct responder *r, int parent, unsigned i)
{
	uint8_t bytes[PROBE_MESSAGE];
	ssize_t n = recv(r->accepted[i].fd, bytes, sizeof(bytes), 0);

	if (n > 0)
		tell_arrived(parent, r->accepted[i].channel);
	else if (n == 0 || errno != EAGAIN)
		forget(r, i);
}

void responder_loop(struct responder *r, int parent)
{
	enum { ACCEPTED = PROBE_CHANNELS_N, PARENT = ACCEPTED + RESPONDER_CONNECTIONS, ALL };
	struct pollfd fds[ALL];

	for (;;) {
		for (unsigned c = 0; c < PROBE_CHANNELS_N; c++)
			fds[c] = (struct pollfd){ r->listening[c], POLLIN, 0 };
		for (unsigned i = 0; i < RESPONDER_CONNECTIONS; i++) /* a negative descriptor is passed over */
			fds[ACCEPTED + i] = (struct pollfd){ r->accepted[i].fd, POLLIN, 0 };
		fds[PARENT] = (struct pollfd){ parent, POLLIN, 0 };
		if (poll(fds, ALL, -1) < 0 && errno != EINTR)
			return;
		if (fds[PARENT].revents) /* it has no command for us: it has gone */
			return;
		for (unsigned i = 0; i < RESPONDER_CONNECTIONS; i++)
			if (fds[ACCEPTED + i].revents)
				on_accepted(r, parent, i);
		for (unsigned c = 0; c < PROBE_CHANNELS_N; c++)
			if (fds[c].revents)
				on_listening(r, parent, (enum probe_channel)c);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The far end: reports what arrived and never answers. Neighbours can reach it, too, so it counts nothing but a
 * prober's complete message: if the canary's name gets through, the channel is open, whoever sent it. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/heartbeat.h"
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

/* The ID of a DNS message (its first two bytes) is not compared: it differs each time. */
static bool is_probe(enum probe_channel channel, const uint8_t *bytes, ssize_t n)
{
	uint8_t message[PROBE_MESSAGE];
	size_t  len = probe_message(channel, 0, message), skip = channel == PROBE_DNS_UDP ? 2 : 0;

	if (channel == PROBE_DNS_TCP)
		skip = 4; /* the length prefix adds nothing to n */
	return n == (ssize_t)len && memcmp(bytes + skip, message + skip, len - skip) == 0;
}

static bool is_prober(const struct sockaddr_in *from)
{
	return heartbeat_is_prober((const unsigned char *)&from->sin_addr.s_addr);
}

static void forget(struct responder *r, unsigned i)
{
	if (r->accepted[i].fd >= 0)
		close(r->accepted[i].fd);
	r->accepted[i].fd = -1;
}

static void on_listening(struct responder *r, int parent, enum probe_channel channel)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	socklen_t          len = sizeof(from);
	uint8_t            bytes[PROBE_MESSAGE];
	unsigned           i = r->next;
	int                fd;
	ssize_t            n;

	if (probe_rows[channel].proto == IPPROTO_UDP) {
		while ((n = recv(r->listening[channel], bytes, sizeof(bytes), 0)) >= 0)
			if (is_probe(channel, bytes, n))
				tell_arrived(parent, channel);
		return;
	}
	fd = accept4(r->listening[channel], (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0 && !is_prober(&from)) {
		close(fd);
	} else if (fd >= 0) {
		forget(r, i);
		r->accepted[i].fd = fd;
		r->accepted[i].channel = channel;
		r->next = (i + 1) % RESPONDER_CONNECTIONS;
	}
}

static void on_accepted(struct responder *r, int parent, unsigned i)
{
	uint8_t bytes[PROBE_MESSAGE];
	ssize_t n = recv(r->accepted[i].fd, bytes, sizeof(bytes), 0);

	if (n > 0 && is_probe(r->accepted[i].channel, bytes, n))
		tell_arrived(parent, r->accepted[i].channel);
	else if (n >= 0 || errno != EAGAIN)
		forget(r, i);
}

void responder_loop(struct responder *r, int parent)
{
	enum { ACCEPTED = PROBE_CHANNELS_N, PARENT = ACCEPTED + RESPONDER_CONNECTIONS, ALL };
	struct pollfd fds[ALL];

	for (;;) {
		for (unsigned c = 0; c < PROBE_CHANNELS_N; c++)
			fds[c] = (struct pollfd){ r->listening[c], POLLIN, 0 };
		for (unsigned i = 0; i < RESPONDER_CONNECTIONS; i++) /* poll() ignores a negative descriptor */
			fds[ACCEPTED + i] = (struct pollfd){ r->accepted[i].fd, POLLIN, 0 };
		fds[PARENT] = (struct pollfd){ parent, POLLIN, 0 };
		if (poll(fds, ALL, -1) < 0 && errno != EINTR)
			return;
		if (fds[PARENT].revents) /* the parent sends the responder no commands: its end of the socket is closed */
			return;
		for (unsigned i = 0; i < RESPONDER_CONNECTIONS; i++)
			if (fds[ACCEPTED + i].revents)
				on_accepted(r, parent, i);
		for (unsigned c = 0; c < PROBE_CHANNELS_N; c++)
			if (fds[c].revents)
				on_listening(r, parent, (enum probe_channel)c);
	}
}

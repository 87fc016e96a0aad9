/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The resolver's process: its loop, and reverse look-ups with c-ares. */
#include "resolver/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "resolver/resolve_private.h"
#include "shared/privs.h"

enum {
	TIMEOUT_MS = 2000,
	TRIES = 2,
	AT_ONCE = 64,
	IDLE_S = 1, /* counts its rounds at least this often */
	SOCKETS = ARES_GETSOCK_MAXNUM - 1 /* the macros of ares.h shift the last one out of an int */
};

struct question {
	struct hosts *hosts;
	struct addr   addr;
	unsigned     *open;
};

static void on_answer(void *arg, int status, int timeouts, struct hostent *host)
{
	struct question *q = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS && host && host->h_name)
		host_put(q->hosts, &q->addr, host->h_name, clock_now());
	(*q->open)--;
	free(q);
}

static void ask_for(ares_channel channel, struct hosts *h, const struct addr *a, unsigned *open)
{
	uint64_t         now = clock_now();
	struct question *q;

	if (host_is_asked(h, a, now) || *open == AT_ONCE)
		return;
	q = malloc(sizeof(*q));
	if (!q)
		return;
	*q = (struct question){ h, *a, open };
	(*open)++;
	host_put(h, a, "", now); /* the question is on its way: once is enough */
	ares_gethostbyaddr(channel, q->addr.b, a->len, a->len == 4 ? AF_INET : AF_INET6, on_answer, q);
}

/* Appends the sockets that a channel waits for to the n that fds has. */
static unsigned wait_for(ares_channel channel, struct pollfd *fds, unsigned n)
{
	ares_socket_t socks[ARES_GETSOCK_MAXNUM];
	int           bits = channel ? ares_getsock(channel, socks, SOCKETS) : 0;

	for (unsigned i = 0; i < SOCKETS; i++) {
		bool writable = ARES_GETSOCK_WRITABLE(bits, i);

		if (writable || ARES_GETSOCK_READABLE(bits, i))
			fds[n++] = (struct pollfd){ socks[i],
				                    (short)(writable ? POLLIN | POLLOUT : POLLIN), 0 };
	}
	return n;
}

static void serve(ares_channel channel, const struct pollfd *fds, unsigned n)
{
	const ares_socket_t none = ARES_SOCKET_BAD;

	if (!channel)
		return;
	for (unsigned i = 0; i < n; i++)
		ares_process_fd(channel, fds[i].revents & ~POLLOUT ? fds[i].fd : none,
		                fds[i].revents & POLLOUT ? fds[i].fd : none);
	ares_process_fd(channel, none, none); /* time-outs */
}

static int patience(ares_channel a, ares_channel b)
{
	struct timeval tv, max = { .tv_sec = IDLE_S }, *next = ares_timeout(a, &max, &tv);

	if (b)
		next = ares_timeout(b, next, &tv);
	return (int)(next->tv_sec * 1000 + next->tv_usec / 1000 + 1);
}

static void loop(ares_channel channel, struct rounds *rounds, const struct resolver_in *in,
                 unsigned *open)
{
	for (;;) {
		struct pollfd fds[2 * SOCKETS + 1] = { { in->ask, POLLIN, 0 } };
		unsigned      own, n;
		struct addr   a;
		ssize_t       got;

		(*in->beats)++;
		diag_drain();
		rounds_go_on(rounds);
		own = wait_for(channel, fds, 1);
		n = wait_for(rounds->channel, fds, own);
		poll(fds, n, patience(channel, rounds->channel));
		serve(channel, fds + 1, own - 1);
		serve(rounds->channel, fds + own, n - own);
		if (!fds[0].revents)
			continue;
		got = read(in->ask, &a, sizeof(a));
		if (got < 0 && errno == EAGAIN) /* the resolver that this one replaces took it */
			continue;
		if (got != sizeof(a))
			return;
		ask_for(channel, in->hosts, &a, open);
	}
}

static int set_priority(ares_socket_t fd, int type, void *priority)
{
	(void)type;
	return setsockopt(fd, SOL_SOCKET, SO_PRIORITY, priority, sizeof(uint32_t));
}

ares_channel resolver_channel(const struct resolver_in *in)
{
	/* DNS only: a hosts file is out of reach */
	struct ares_options options = { .timeout = TIMEOUT_MS, .tries = TRIES, .lookups = (char[]){ "b" } };
	ares_channel        channel;

	if (ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS) !=
	    ARES_SUCCESS)
		return NULL;
	ares_set_socket_configure_callback(channel, set_priority, (void *)(uintptr_t)&in->priority);
	return channel;
}

int resolver_main(const struct resolver_in *in)
{
	struct err    err = { 0 };
	unsigned      open = 0; /* questions on their way; ares_destroy() ends them */
	struct rounds rounds;
	ares_channel  channel;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	diag_never_wait(in->diag_lost);
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS || !(channel = resolver_channel(in)) ||
	    rounds_init(&rounds, in) < 0) {
		diag_warn("resolver", "c-ares cannot be initialized: clients have no names");
		return 1;
	}
	if (privs_drop(in->empty_folder, PRIVS_RESOLVER, PRIVS_NET_ADMIN, &err) < 0 ||
	    privs_seccomp(PRIVS_SOCKETS, &err) < 0) {
		diag_warn("resolver", "%s", err.text);
		return 1;
	}
	loop(channel, &rounds, in, &open);
	ares_destroy(channel);
	if (rounds.channel)
		ares_destroy(rounds.channel);
	ares_library_cleanup();
	return 0;
}

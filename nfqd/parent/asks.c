/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packet threads' questions about sockets of this host: a pair of sockets for each thread, which outlives a worker. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "parent/parent_private.h"
#include "parent/programs.h"

static void on_ask(struct poller_source *s)
{
	struct ask        q;
	struct ask_answer a;

	if (recv(s->fd, &q, sizeof(q), MSG_DONTWAIT) != sizeof(q) || (q.src.len != 4 && q.src.len != 16) ||
	    q.dst.len != q.src.len || q.client.len > sizeof(q.client.b))
		return;
	memset(&a, 0, sizeof(a));
	a.number = q.number;
	a.says = (uint8_t)programs_ask(&q);
	if (send(s->fd, &a, sizeof(a), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		diag_debug("programs", "answer: %m");
}

int parent_open_asks(struct parent *p, struct err *err)
{
	for (unsigned i = 0; i < QUEUES_MAX; i++)
		p->in.whose[i] = p->asks[i].fd = -1;
	for (unsigned i = 0; !p->tap && i < p->in.queues; i++) {
		int pair[2], r;

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
			return err_set(err, "socketpair: %s", strerror(errno));
		p->asks[i] = (struct poller_source){ on_ask, p, pair[0] };
		p->in.whose[i] = pair[1];
		r = poller_watch(&p->poller, &p->asks[i], EPOLLIN);
		if (r < 0)
			return err_set(err, "epoll: %s", strerror(-r));
	}
	return 0;
}

void parent_close_asks(struct parent *p)
{
	for (unsigned i = 0; i < p->in.queues; i++) {
		if (p->asks[i].fd <= 0)
			continue;
		poller_forget(&p->poller, &p->asks[i]);
		close(p->asks[i].fd);
		close(p->in.whose[i]);
	}
}

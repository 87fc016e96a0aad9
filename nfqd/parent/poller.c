/* SPDX-License-Identifier: GPL-2.0-or-later */
/* epoll, and a list of timers short enough to be searched. */
#include "parent/poller.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

uint64_t poller_ms(void)
{
	return clock_monotonic() / NS_PER_MS;
}

int poller_open(struct poller *p)
{
	*p = (struct poller){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
	return p->epoll < 0 ? -errno : 0;
}

void poller_close(struct poller *p)
{
	if (p->epoll >= 0)
		close(p->epoll);
	p->epoll = -1;
}

static int control(struct poller *p, int op, struct poller_source *s, uint32_t what)
{
	struct epoll_event e = { .events = what, .data.ptr = s };

	return epoll_ctl(p->epoll, op, s->fd, &e) < 0 ? -errno : 0;
}

int poller_watch(struct poller *p, struct poller_source *s, uint32_t what)
{
	return control(p, EPOLL_CTL_ADD, s, what);
}

int poller_change(struct poller *p, struct poller_source *s, uint32_t what)
{
	return control(p, EPOLL_CTL_MOD, s, what);
}

void poller_forget(struct poller *p, struct poller_source *s)
{
	epoll_ctl(p->epoll, EPOLL_CTL_DEL, s->fd, NULL);
}

void poller_unset(struct poller *p, struct poller_timer *t)
{
	struct poller_timer **at = &p->timers;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
	t->due = 0;
}

void poller_set(struct poller *p, struct poller_timer *t, uint64_t ms)
{
	poller_unset(p, t);
	t->due = poller_ms() + ms;
	t->next = p->timers;
	p->timers = t;
}

static struct poller_timer *earliest(const struct poller *p)
{
	struct poller_timer *first = p->timers;

	for (struct poller_timer *t = first; t; t = t->next)
		if (t->due < first->due)
			first = t;
	return first;
}

static int patience(const struct poller *p)
{
	const struct poller_timer *t = earliest(p);
	uint64_t                   now = poller_ms();

	if (!t)
		return -1;
	if (t->due <= now)
		return 0;
	return t->due - now > INT_MAX ? INT_MAX : (int)(t->due - now);
}

void poller_turn(struct poller *p)
{
	struct epoll_event   e;
	struct poller_timer *t;

	if (epoll_wait(p->epoll, &e, 1, patience(p)) == 1) {
		struct poller_source *s = e.data.ptr;

		s->run(s);
	}
	t = earliest(p);
	if (t && t->due <= poller_ms()) {
		poller_unset(p, t);
		t->run(t);
	}
}

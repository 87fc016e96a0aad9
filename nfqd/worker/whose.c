/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question and its answer, with a deadline: a parent that is busy must not hold up a queue. */
#include "worker/whose.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "decode/packet.h"
#include "errand.h"
#include "shared/asks.h"

enum { PATIENCE_MS = 600, PAUSE_MS = 2000 /* after an answer that did not come */ };

static bool send_question(const struct whose *w, const struct packet *pkt, const uint16_t port[])
{
	struct ask q;

	memset(&q, 0, sizeof(q)); /* the padding, too */
	q.number = w->number;
	q.proto = pkt->proto;
	q.sport = pkt->sport;
	q.dport = pkt->dport;
	q.src = pkt->src;
	q.dst = pkt->dst;
	memcpy(q.port, port, sizeof(q.port));
	return send(w->fd, &q, sizeof(q), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(q);
}

/* Answers to questions that were given up are skipped. */
static int wait_answer(const struct whose *w, uint64_t end)
{
	struct pollfd     pfd = { .fd = w->fd, .events = POLLIN };
	struct ask_answer a;

	for (uint64_t now = clock_monotonic(); now < end; now = clock_monotonic()) {
		if (poll(&pfd, 1, (int)((end - now) / NS_PER_MS) + 1) <= 0)
			continue;
		if (recv(w->fd, &a, sizeof(a), MSG_DONTWAIT) != sizeof(a))
			return ERRAND_UNKNOWN;
		if (a.number == w->number && a.says != ASK_LATER)
			return a.says == ASK_YES ? ERRAND_PASSES : ERRAND_NONE;
		if (a.number == w->number)
			return ERRAND_UNKNOWN;
	}
	return ERRAND_UNKNOWN;
}

int whose_is(struct whose *w, const struct packet *pkt, const uint16_t port[])
{
	uint64_t now = clock_monotonic(), end = now + PATIENCE_MS * NS_PER_MS;
	int      state;

	if (w->fd < 0)
		return ERRAND_NONE;
	if (now < w->again)
		return ERRAND_UNKNOWN;
	w->number++;
	if (!send_question(w, pkt, port))
		return ERRAND_UNKNOWN;
	state = wait_answer(w, end);
	if (state == ERRAND_UNKNOWN && clock_monotonic() >= end)
		w->again = clock_monotonic() + PAUSE_MS * NS_PER_MS;
	return state;
}

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

/*
 * A thread that waits judges nothing else, so it has an account of time: PATIENCE_MS at most, a tenth of what goes by
 * comes in. One question may wait for all of it, a flood of them for a tenth of the time. What is not asked is dropped,
 * and the resolver asks again.
 */
enum { PATIENCE_MS = 600, LEAST_MS = 100, INCOME = 10, PAUSE_MS = 20 /* after an answer that there were too many */ };

static bool send_question(const struct whose *w, const struct packet *pkt, const uint16_t port[], const struct addr *client)
{
	struct ask q;

	memset(&q, 0, sizeof(q)); /* the padding, too */
	q.number = w->number;
	q.proto = pkt->proto;
	q.sport = pkt->sport;
	q.dport = pkt->dport;
	q.src = pkt->src;
	q.dst = pkt->dst;
	q.client = *client;
	memcpy(q.port, port, sizeof(q.port));
	return send(w->fd, &q, sizeof(q), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(q);
}

/* Answers to questions that were given up are skipped. */
static int wait_answer(struct whose *w, uint64_t end)
{
	struct pollfd     pfd = { .fd = w->fd, .events = POLLIN };
	struct ask_answer a;

	for (uint64_t now = clock_monotonic(); now < end; now = clock_monotonic()) {
		if (poll(&pfd, 1, (int)((end - now) / NS_PER_MS) + 1) <= 0)
			continue;
		if (recv(w->fd, &a, sizeof(a), MSG_DONTWAIT) != sizeof(a))
			return ERRAND_UNKNOWN;
		if (a.number == w->number && a.says == ASK_SHARE) /* others may ask at once */
			return ERRAND_UNASKED;
		if (a.number == w->number && a.says != ASK_LATER)
			return a.says == ASK_YES ? ERRAND_PASSES : ERRAND_NONE;
		if (a.number == w->number) {
			w->again = clock_monotonic() + PAUSE_MS * NS_PER_MS;
			return ERRAND_UNASKED;
		}
	}
	return ERRAND_UNKNOWN;
}

static void earn(struct whose *w, uint64_t now)
{
	w->credit += (now - w->at) / INCOME;
	if (w->credit > PATIENCE_MS * NS_PER_MS)
		w->credit = PATIENCE_MS * NS_PER_MS;
	w->at = now;
}

int whose_is(struct whose *w, const struct packet *pkt, const uint16_t port[], const struct addr *client)
{
	uint64_t now = clock_monotonic(), spent;
	int      state;

	if (w->fd < 0)
		return ERRAND_NONE;
	earn(w, now);
	if (now < w->again || w->credit < LEAST_MS * NS_PER_MS)
		return ERRAND_UNASKED;
	w->number++;
	if (!send_question(w, pkt, port, client))
		return ERRAND_UNASKED;
	state = wait_answer(w, now + w->credit);
	spent = clock_monotonic() - now;
	w->credit -= spent < w->credit ? spent : w->credit;
	return state;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The limit that nfqd is measured against: the same steering, the same reading and answering of the
 * queue, and nothing in between. Questions to a resolver pass, every other connection is allowed for
 * good; a hello that goes on in another segment waits for it, or fewer packets would be queued.
 *
 *   bare QUEUES INTERFACE     clients are behind INTERFACE; until SIGTERM
 *   bare QUEUES               without steering: somebody else's rules queue, to number 0 and up
 */
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/steer.h"

enum { QUEUES_MAX = 16, IP_HEADER = 20, PORT_DNS = 53, RECORD_HEADER = 5 };

static _Atomic bool ended;
static bool         steered;

/* IPv4 without options is all that the bench sends. */
static struct verdict judge(const struct raw_packet *raw)
{
	const uint8_t *l4 = raw->data.p + IP_HEADER;
	size_t         at;

	if (!steered) /* nothing would look at a state */
		return (struct verdict){ .state = STATE_UNDECIDED };
	if ((l4[2] << 8 | l4[3]) == PORT_DNS)
		return (struct verdict){ .state = STATE_UNDECIDED };
	at = IP_HEADER + (size_t)(l4[12] >> 4) * 4;
	if (raw->data.p[9] == IPPROTO_TCP && raw->data.n > at + RECORD_HEADER &&
	    raw->data.n - at - RECORD_HEADER < (size_t)(raw->data.p[at + 3] << 8 | raw->data.p[at + 4]) &&
	    raw->data.p[at] == 22)
		return (struct verdict){ .state = STATE_UNDECIDED };
	return (struct verdict){ .state = STATE_ALLOWED };
}

static void *consume(void *ctx)
{
	struct capture   *c = ctx;
	struct raw_packet burst[CAPTURE_BURST];

	while (!atomic_load_explicit(&ended, memory_order_relaxed)) {
		int n = c->ops->recv(c, burst);

		for (int i = 0; i < n; i++)
			c->ops->verdict(c, &burst[i], judge(&burst[i]));
		if (n < 0 || c->ops->flush(c) < 0)
			exit(1);
	}
	return NULL;
}

static struct capture *open_queue(uint16_t num, struct steer_conf *conf, struct err *err)
{
	struct queue_conf queue = { .num = num, .fail_open = true, .labels = conf->means.labels,
		                    .glue = conf->means.glue, .mark_token = conf->means.mark_token,
		                    .token = conf->tokens.verdict };
	int               fd = queue_bind(&queue, err);

	conf->means.glue = queue.glue;
	return fd < 0 ? NULL : queue_open(fd, &queue, err);
}

static int steer_until_signal(const struct steer_conf *conf, const sigset_t *set, struct err *err)
{
	struct steer *steer = steered ? steer_install(conf, err) : NULL;
	int           signal_number;

	if (steered && (!steer || steer_wake(steer, err) < 0))
		return -1;
	fputs("bare: ready\n", stderr);
	sigwait(set, &signal_number);
	if (steer) {
		steer_stop_queueing(steer);
		steer_remove(steer);
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned          queues = argc == 2 || argc == 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	struct capture   *capture[QUEUES_MAX];
	pthread_t         thread[QUEUES_MAX];
	struct steer_conf conf = { .queues = (uint16_t)queues, .fail_open = true, .forward = true,
		                   .output = true, .n_inside = 1 };
	struct err        err = { 0 };
	sigset_t          set;

	if (queues == 0 || queues > QUEUES_MAX)
		return fputs("usage: bare QUEUES [INTERFACE]\n", stderr), 2;
	steered = argc == 3;
	conf.inside = &argv[2];
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (steer_tokens_new(&conf.tokens, &err) < 0 || steer_probe(&conf.means, &err) < 0)
		return fprintf(stderr, "bare: %s\n", err.text), 1;
	for (unsigned i = 0; i < queues; i++) {
		capture[i] = open_queue((uint16_t)i, &conf, &err);
		if (!capture[i] || pthread_create(&thread[i], NULL, consume, capture[i]) != 0)
			return fprintf(stderr, "bare: %s\n", err.text), 1;
	}
	if (steer_until_signal(&conf, &set, &err) < 0)
		return fprintf(stderr, "bare: %s\n", err.text), 1;
	atomic_store(&ended, true);
	for (unsigned i = 0; i < queues; i++) {
		pthread_join(thread[i], NULL);
		capture[i]->ops->close(capture[i]);
	}
	return 0;
}

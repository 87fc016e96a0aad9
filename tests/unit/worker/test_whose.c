/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet thread's questions to the parent: a parent that does not answer, or has too much to do, holds up no queue. */
#include "worker/whose.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "decode/packet.h"
#include "errand.h"
#include "shared/asks.h"
#include "unit.h"

static int                   pair[2];
static const uint16_t        port[ERRAND_PORTS] = { 53 };
static const struct packet   pkt = { .proto = IPPROTO_UDP, .sport = 1024, .dport = 53, .src = { .len = 4 }, .dst = { .len = 4 } };

static int open_pair(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
}

static int close_pair(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static unsigned questions(void)
{
	struct ask q;
	unsigned   n = 0;

	while (recv(pair[1], &q, sizeof(q), MSG_DONTWAIT) == sizeof(q))
		n++;
	return n;
}

static void test_silent(void **state)
{
	struct whose w = { .fd = pair[0] };
	uint64_t     begin = clock_monotonic();
	unsigned     unasked = 0;

	(void)state;
	assert_int_equal(whose_is(&w, &pkt, port, &pkt.src), ERRAND_UNKNOWN);
	for (unsigned i = 0; i < 1000; i++)
		unasked += whose_is(&w, &pkt, port, &pkt.src) == ERRAND_UNASKED;
	/* on a machine that is slow the account has grown meanwhile */
	assert_in_range(questions(), 1, 1 + (clock_monotonic() - begin) / NS_PER_S);
	assert_in_range(unasked, 1000 - (clock_monotonic() - begin) / NS_PER_S, 1000);
}

/* Answers all that come with the same. */
static void *parent(void *says)
{
	struct ask q;

	while (recv(pair[1], &q, sizeof(q), 0) == sizeof(q)) {
		struct ask_answer a = { .number = q.number, .says = *(uint8_t *)says };

		if (send(pair[1], &a, sizeof(a), MSG_NOSIGNAL) < 0)
			break;
	}
	return NULL;
}

static void test_answers(void **state)
{
	static const struct {
		uint8_t           says;
		enum errand_state is;
	} rows[] = { { ASK_YES, ERRAND_PASSES }, { ASK_NO, ERRAND_NONE }, { ASK_LATER, ERRAND_UNASKED },
		     { ASK_SHARE, ERRAND_UNASKED } };

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct whose w = { .fd = pair[0], .number = i * 1000 };
		pthread_t    thread;
		uint8_t      says = rows[i].says;

		assert_int_equal(pthread_create(&thread, NULL, parent, &says), 0);
		same_num("says", "state", whose_is(&w, &pkt, port, &pkt.src), rows[i].is);
		shutdown(pair[1], SHUT_RD);
		pthread_join(thread, NULL);
		close_pair(NULL);
		assert_int_equal(open_pair(NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_silent, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_answers, open_pair, close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

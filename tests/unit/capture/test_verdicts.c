/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts as netlink messages: which packets share one. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "capture/nfq_private.h"

#include "unit.h"

enum { STRAY = QUEUE_STRAY * QUEUE_STEP, SINGLE = NFQNL_MSG_VERDICT, UP_TO = NFQNL_MSG_VERDICT_BATCH };

/* Of each packet the queue, its id and the verdict; of each message the queue, the id, what NFQA_VERDICT_HDR says. */
static const struct row {
	const char *what;
	struct {
		uint16_t       queue;
		uint32_t       id;
		struct verdict v;
	} packets[5];
	struct {
		uint16_t queue;
		uint32_t id;
		unsigned type, verdict;
	} messages[5];
} rows[] = {
	{ "one packet that passes", { { 0, 1, { 0 } } }, { { 0, 1, SINGLE, NF_ACCEPT } } },
	{ "those that pass share a message",
	  { { 0, 4, { 0 } }, { 0, 5, { 0 } }, { 0, 6, { 0 } } },
	  { { 0, 6, UP_TO, NF_ACCEPT } } },
	{ "one that is dropped comes between",
	  { { 0, 1, { 0 } }, { 0, 2, { 0 } }, { 0, 3, { .drop = true } }, { 0, 4, { 0 } }, { 0, 5, { 0 } } },
	  { { 0, 2, UP_TO, NF_ACCEPT }, { 0, 3, SINGLE, NF_DROP }, { 0, 5, UP_TO, NF_ACCEPT } } },
	{ "one that meets its token's rule comes between",
	  { { 0, 1, { 0 } }, { 0, 2, { .state = STATE_ALLOWED } }, { 0, 3, { 0 } } },
	  { { 0, 1, SINGLE, NF_ACCEPT }, { 0, 2, SINGLE, NF_REPEAT }, { 0, 3, SINGLE, NF_ACCEPT } } },
	{ "one that is replaced is for itself",
	  { { 0, 1, { 0 } }, { 0, 2, { .replaced = { (const uint8_t *)"E", 1 } } }, { 0, 3, { 0 } } },
	  { { 0, 1, SINGLE, NF_ACCEPT }, { 0, 2, SINGLE, NF_ACCEPT }, { 0, 3, SINGLE, NF_ACCEPT } } },
	{ "each queue counts for itself",
	  { { 0, 7, { 0 } }, { STRAY, 1, { 0 } }, { STRAY, 2, { 0 } }, { 0, 8, { 0 } } },
	  { { 0, 7, SINGLE, NF_ACCEPT }, { STRAY, 2, UP_TO, NF_ACCEPT }, { 0, 8, SINGLE, NF_ACCEPT } } },
};

static void compare(const struct row *row, const struct nfq *q)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)q->verdicts;
	int                    left = (int)q->verdict_used;
	unsigned               n = 0;

	for (; n < 5 && row->messages[n].id; n++, nlh = mnl_nlmsg_next(nlh, &left)) {
		const struct nfgenmsg              *g = mnl_nlmsg_get_payload(nlh);
		const struct nlattr                *attr = mnl_nlmsg_get_payload_offset(nlh, sizeof(*g));
		const struct nfqnl_msg_verdict_hdr *v = mnl_attr_get_payload(attr);

		assert_true(mnl_nlmsg_ok(nlh, left));
		assert_int_equal(nlh->nlmsg_type, NFNL_SUBSYS_QUEUE << 8 | row->messages[n].type);
		assert_int_equal(ntohs(g->res_id), row->messages[n].queue);
		assert_int_equal(mnl_attr_get_type(attr), NFQA_VERDICT_HDR);
		assert_int_equal(ntohl(v->id), row->messages[n].id);
		assert_int_equal(ntohl(v->verdict), row->messages[n].verdict);
	}
	assert_int_equal(left, 0);
}

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nfq *q = calloc(1, sizeof(*q));

		print_message("# %s\n", rows[i].what);
		assert_non_null(q);
		q->conf = (struct queue_conf){ .labels = true, .token = 0x12300000 };
		for (unsigned n = 0; n < 5 && rows[i].packets[n].id; n++) {
			struct raw_packet raw = { .queue = rows[i].packets[n].queue, .id = rows[i].packets[n].id };

			verdict_put(q, &raw, rows[i].packets[n].v);
		}
		compare(&rows[i], q);
		free(q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels whose nft has no `queue`: the xt NFQUEUE target inside our own chains, through nft_compat. nft's
 * text cannot write that rule, so the queue chains are filled in a second batch of netlink messages; what
 * stands in them until then, and after the rule, follows `fail:`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/steer_private.h"

enum { ANSWER_SECONDS = 2, NFQUEUE_REVISION = 3 };

struct nlmsghdr *batch_put(struct batch *b, unsigned type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(b->data + b->used);
	struct nfgenmsg *g;
	bool             frame = type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END;

	nlh->nlmsg_type = (uint16_t)(frame ? type : NFNL_SUBSYS_NFTABLES << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++b->sequence;
	b->acks += (flags & NLM_F_ACK) != 0;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	*g = (struct nfgenmsg){ family, NFNETLINK_V0, htons(frame ? NFNL_SUBSYS_NFTABLES : 0) };
	return nlh;
}

void batch_advance(struct batch *b, const struct nlmsghdr *nlh)
{
	b->used += NLMSG_ALIGN(nlh->nlmsg_len);
}

void rule_expression(struct rule *r, const char *name)
{
	if (r->elem) {
		mnl_attr_nest_end(r->nlh, r->data);
		mnl_attr_nest_end(r->nlh, r->elem);
	}
	r->elem = mnl_attr_nest_start(r->nlh, NFTA_LIST_ELEM);
	mnl_attr_put_strz(r->nlh, NFTA_EXPR_NAME, name);
	r->data = mnl_attr_nest_start(r->nlh, NFTA_EXPR_DATA);
}

struct rule rule_begin(struct batch *b, uint8_t family, const char *table, const char *chain, const char *expression)
{
	struct rule r = { .nlh = batch_put(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
		                           family) };

	mnl_attr_put_strz(r.nlh, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(r.nlh, NFTA_RULE_CHAIN, chain);
	r.list = mnl_attr_nest_start(r.nlh, NFTA_RULE_EXPRESSIONS);
	rule_expression(&r, expression);
	return r;
}

/* In an expression `immediate`. */
static void put_code(struct rule *r, uint32_t verdict)
{
	struct nlattr *value, *inner;

	mnl_attr_put_u32(r->nlh, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT));
	value = mnl_attr_nest_start(r->nlh, NFTA_IMMEDIATE_DATA);
	inner = mnl_attr_nest_start(r->nlh, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(r->nlh, NFTA_VERDICT_CODE, htonl(verdict));
	mnl_attr_nest_end(r->nlh, inner);
	mnl_attr_nest_end(r->nlh, value);
}

void rule_verdict(struct rule *r, uint32_t verdict)
{
	rule_expression(r, "immediate");
	put_code(r, verdict);
}

void rule_counter(struct rule *r, const char *name)
{
	mnl_attr_put_u32(r->nlh, NFTA_OBJREF_IMM_TYPE, htonl(NFT_OBJECT_COUNTER));
	mnl_attr_put_strz(r->nlh, NFTA_OBJREF_IMM_NAME, name);
}

void rule_end(struct batch *b, struct rule *r)
{
	mnl_attr_nest_end(r->nlh, r->data);
	mnl_attr_nest_end(r->nlh, r->elem);
	mnl_attr_nest_end(r->nlh, r->list);
	batch_advance(b, r->nlh);
}

static void put_nfqueue(struct rule *r, struct xt_NFQ_info_v3 info)
{
	struct {
		_Alignas(8) struct xt_NFQ_info_v3 v; /* XT_ALIGN() */
	} aligned = { info };

	mnl_attr_put_strz(r->nlh, NFTA_TARGET_NAME, "NFQUEUE");
	mnl_attr_put_u32(r->nlh, NFTA_TARGET_REV, htonl(NFQUEUE_REVISION));
	mnl_attr_put(r->nlh, NFTA_TARGET_INFO, sizeof(aligned), &aligned);
}

/* Counts and queues: one rule, since a jump between the two costs more than either. */
static void put_queue(struct batch *b, const char *chain, struct xt_NFQ_info_v3 info)
{
	struct rule r = rule_begin(b, NFPROTO_INET, "nfqd", chain, "objref");

	rule_counter(&r, "queued");
	rule_expression(&r, "target");
	put_nfqueue(&r, info);
	rule_end(b, &r);
}

static void put_verdict(struct batch *b, const char *chain, uint32_t verdict)
{
	struct rule r = rule_begin(b, NFPROTO_INET, "nfqd", chain, "immediate");

	put_code(&r, verdict);
	rule_end(b, &r);
}

void batch_flush(struct batch *b, const char *chain)
{
	struct nlmsghdr *nlh = batch_put(b, NFT_MSG_DELRULE, NLM_F_ACK, NFPROTO_INET);

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, "nfqd");
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	batch_advance(b, nlh);
}

/* Reads one datagram of acknowledgements; 0 or the first error. */
static int read_acks(int fd, unsigned *missing)
{
	char    in[8192];
	ssize_t n = recv(fd, in, sizeof(in), 0);
	int     left = (int)n, r = 0;

	if (n < 0)
		return -errno;
	for (struct nlmsghdr *nlh = (struct nlmsghdr *)in; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

		if (nlh->nlmsg_type != NLMSG_ERROR)
			continue;
		*missing -= *missing > 0;
		if (r == 0)
			r = e->error;
	}
	return r;
}

int batch_send(struct batch *b, int fd)
{
	unsigned missing = b->acks;
	int      r;

	batch_advance(b, batch_put(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC));
	r = send(fd, b->data, b->used, 0) < 0 ? -errno : 0;
	while (r == 0 && missing > 0)
		r = read_acks(fd, &missing);
	return r;
}

int batch_commit(struct batch *b)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	struct timeval     tv = { .tv_sec = ANSWER_SECONDS };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	r = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : batch_send(b, fd);
	close(fd);
	return r;
}

struct batch *batch_new(void)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b)
		batch_advance(b, batch_put(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC));
	return b;
}

/* In family ip: the kernel looks for ipt_NFQUEUE then, while for inet it has no prefix and asks for nothing. */
int batch_try(void (*put)(struct batch *b))
{
	struct batch    *b = batch_new();
	struct nlmsghdr *nlh;
	int              r;

	if (!b)
		return -ENOMEM;
	nlh = batch_put(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, NFPROTO_IPV4);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, "nfqd_probe");
	batch_advance(b, nlh);
	nlh = batch_put(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFPROTO_IPV4);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, "nfqd_probe");
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, "c");
	batch_advance(b, nlh);
	put(b);
	nlh = batch_put(b, NFT_MSG_DELTABLE, 0, NFPROTO_IPV4);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, "nfqd_probe");
	batch_advance(b, nlh);
	r = batch_commit(b);
	free(b);
	return r;
}

static void put_probe_queue(struct batch *b)
{
	struct rule r = rule_begin(b, NFPROTO_IPV4, "nfqd_probe", "c", "target");

	put_nfqueue(&r, (struct xt_NFQ_info_v3){ .queues_total = 1 });
	rule_end(b, &r);
}

int compat_probe(void)
{
	return batch_try(put_probe_queue);
}

int compat_queue(const struct steer_conf *c, struct err *err)
{
	struct batch *b = batch_new();
	int           r;

	if (!b)
		return err_set(err, "out of memory");
	for (unsigned kind = 0; kind < QUEUE_KINDS; kind++) {
		struct xt_NFQ_info_v3 info = { .queuenum = (uint16_t)(c->queue_num + kind * QUEUE_STEP),
			                       .queues_total = c->queues,
			                       .flags = c->fail_open ? NFQ_FLAG_BYPASS : 0 };

		batch_flush(b, queue_chains[kind]);
		put_queue(b, queue_chains[kind], info);
		put_verdict(b, queue_chains[kind], c->fail_open ? NF_ACCEPT : NF_DROP);
	}
	r = batch_commit(b);
	free(b);
	return r == 0 ? 0 : err_set(err, "nft: the xt NFQUEUE rules were refused: %s", strerror(-r));
}

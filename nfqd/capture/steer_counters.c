/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table's named counters, dumped by nfnetlink: nft reads all rules of all tables before it lists counters
 * (1.0.6), which takes a minute beside a hundred thousand of another program's.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/nlattrs.h"
#include "capture/steer_private.h"

enum { TRIES = 8, ANSWER_SECONDS = 2, MESSAGE = 64 << 10 };

/* What a dump has told so far. */
struct reading {
	struct steer_counts *sum;
	unsigned             found;
	bool                 changed;
};

static void read_counter(const struct nlmsghdr *nlh, struct reading *rd)
{
	struct steer_counts *sum = rd->sum;
	const struct {
		const char *name;
		uint64_t   *to;
	} counters[] = { { "queued", &sum->queued },
		         { "marked_output", &sum->marked_output },
		         { "no_conntrack", &sum->no_conntrack },
		         { "held", &sum->held },
		         { "uninspected", &sum->uninspected },
		         { "passed_questions", &sum->passed[PREFILTER_QUESTION] },
		         { "passed_answers", &sum->passed[PREFILTER_ANSWER] },
		         { "own_answers", &sum->own_answers },
		         { "own_arrived", &sum->own_arrived } };
	struct nlattrs a = { { NULL } }, data = { { NULL } };

	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), nlattrs_keep, &a);
	if (!a.v[NFTA_OBJ_NAME] || !a.v[NFTA_OBJ_DATA])
		return;
	rd->found++;
	mnl_attr_parse_nested(a.v[NFTA_OBJ_DATA], nlattrs_keep, &data);
	for (size_t i = 0; data.v[NFTA_COUNTER_PACKETS] && i < sizeof(counters) / sizeof(counters[0]); i++)
		if (strcmp(mnl_attr_get_str(a.v[NFTA_OBJ_NAME]), counters[i].name) == 0)
			*counters[i].to += be64toh(mnl_attr_get_u64(data.v[NFTA_COUNTER_PACKETS]));
}

/* One message of the dump: 1: go on; 0: it was the last one; or -errno. */
static int take(const struct nlmsghdr *nlh, struct reading *rd)
{
	rd->changed |= (nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (nlh->nlmsg_type == NLMSG_DONE)
		return 0;
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
	read_counter(nlh, rd);
	return 1;
}

/* Reads a dump to its end, so that the next request does not read what is left of this one. */
static int receive(struct counters_socket *c, struct steer_counts *sum)
{
	static _Alignas(struct nlmsghdr) char buf[MESSAGE];
	struct reading rd = { .sum = sum };
	int            r = 1;

	while (r > 0) {
		ssize_t n = mnl_socket_recvfrom(c->nl, buf, sizeof(buf));
		int     left = (int)n;

		if (n < 0)
			return -errno;
		for (const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf; r > 0 && mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			if (nlh->nlmsg_seq == c->sequence)
				r = take(nlh, &rd);
	}
	if (r == 0 && rd.changed)
		return -EINTR;
	return r == 0 && !rd.found ? -ENOENT : r;
}

static int open_socket(struct counters_socket *c)
{
	struct timeval     tv = { .tv_sec = ANSWER_SECONDS };
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (!nl)
		return -errno;
	if (setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
	    mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		int r = -errno;

		mnl_socket_close(nl);
		return r;
	}
	c->nl = nl;
	return 0;
}

/* Returns 0 or -errno; -EINTR: the counters changed during the dump; -ENOENT: the table does not exist. */
static int dump(struct counters_socket *c, uint16_t type, struct steer_counts *sum)
{
	_Alignas(struct nlmsghdr) char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	int              r = c->nl ? 0 : open_socket(c);

	if (r < 0)
		return r;
	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++c->sequence;
	*g = (struct nfgenmsg){ .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, "nfqd");
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	return mnl_socket_sendto(c->nl, nlh, nlh->nlmsg_len) < 0 ? -errno : receive(c, sum);
}

int counters_read(struct counters_socket *c, struct steer_counts *sum)
{
	const struct steer_counts before = *sum;
	int                       r = -EINTR;

	for (unsigned i = 0; i < TRIES && r == -EINTR; i++) {
		*sum = before;
		r = dump(c, NFT_MSG_GETOBJ, sum);
	}
	return r;
}

int counters_reset(struct counters_socket *c)
{
	struct steer_counts unwanted = { 0 };

	return dump(c, NFT_MSG_GETOBJ_RESET, &unwanted);
}

void counters_close(struct counters_socket *c)
{
	if (c->nl)
		mnl_socket_close(c->nl);
	c->nl = NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to the namespace's nft tables, told by the kernel (NFNLGRP_NFTABLES). */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "capture/steer_private.h"

enum { EVENT_BUFFER = 1 << 20, TABLE_NAME = 1 /* the first attribute of every message but NEWGEN */ };

static int membership(int fd, bool on)
{
	int group = NFNLGRP_NFTABLES;

	return setsockopt(fd, SOL_NETLINK, on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group,
	                  sizeof(group));
}

void steer_events_listen(int fd, bool on)
{
	if (fd >= 0 && membership(fd, on) < 0)
		diag_warn("steer", "nft events: %s", strerror(errno));
}

int steer_events_open(struct err *err)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	int size = EVENT_BUFFER;

	if (fd < 0)
		return err_set(err, "nft events: %s", strerror(errno));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || membership(fd, true) < 0) {
		err_set(err, "nft events: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static int read_table(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == TABLE_NAME && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*(const char **)data = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* What a message means for us. The kernel reports elements of sets one by one: those are ignored. */
static unsigned meaning(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(nlh);
	unsigned               what = nlh->nlmsg_type & 0xff;
	const char            *table = NULL;

	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || what == NFT_MSG_NEWGEN)
		return 0;
	if (what == NFT_MSG_NEWFLOWTABLE || what == NFT_MSG_DELFLOWTABLE)
		return STEER_EVENT_FLOWTABLES;
	if (what == NFT_MSG_NEWSETELEM || what == NFT_MSG_DELSETELEM)
		return 0;
	mnl_attr_parse(nlh, sizeof(*g), read_table, &table);
	if (table && g->nfgen_family == NFPROTO_INET && strcmp(table, "nfqd") == 0)
		return STEER_EVENT_OURS;
	return what == NFT_MSG_DELTABLE ? STEER_EVENT_FLOWTABLES : 0;
}

unsigned steer_events_read(int fd)
{
	static _Alignas(struct nlmsghdr) char buf[32768];
	unsigned events = 0;
	ssize_t  n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR))) {
		int left = (int)n;

		if (n < 0 && errno == ENOBUFS) /* some were lost */
			events = STEER_EVENT_OURS | STEER_EVENT_FLOWTABLES;
		for (const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf; n > 0 && mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			events |= meaning(nlh);
	}
	return events;
}

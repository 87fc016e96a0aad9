/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links and default routes through libmnl (rtnetlink(7)). */
#include "parent/routes.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parent/netlink.h"

enum { TRIES = 8 };

struct routes {
	struct mnl_socket *events;
};

struct reading {
	struct iface_link links[IFACES_MAX];
	unsigned       n_links;
	uint32_t       default_via[OUTSIDE_MAX];
	unsigned       n_default;
	uint32_t      *outside;
	unsigned       n_outside;
	struct onlink_net onlink[ONLINK_MAX];
	unsigned       n_onlink;
};

static void add_default(struct reading *rd, uint32_t index)
{
	for (unsigned i = 0; i < rd->n_default; i++)
		if (rd->default_via[i] == index)
			return;
	if (rd->n_default < OUTSIDE_MAX)
		rd->default_via[rd->n_default++] = index;
}

/* RTA_MULTIPATH: several next hops, each with an interface of its own. */
static void add_multipath(struct reading *rd, const struct nlattr *attr)
{
	const uint8_t *p = mnl_attr_get_payload(attr);
	size_t         left = mnl_attr_get_payload_len(attr);

	while (left >= sizeof(struct rtnexthop)) {
		struct rtnexthop hop;
		size_t           step;

		memcpy(&hop, p, sizeof(hop));
		step = (hop.rtnh_len + 3U) & ~3U;
		if (hop.rtnh_len < sizeof(hop) || step > left)
			return;
		add_default(rd, (uint32_t)hop.rtnh_ifindex);
		p += step;
		left -= step;
	}
}

static int on_route_attr(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == RTA_OIF)
		add_default(data, mnl_attr_get_u32(attr));
	else if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
		add_multipath(data, attr);
	return MNL_CB_OK;
}

/* The attributes of a route to a directly connected network. */
struct connected {
	struct onlink_net to;
	uint8_t           len;
	bool              by_gateway;
};

static int on_connected_attr(const struct nlattr *attr, void *data)
{
	struct connected *c = data;

	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF: c->to.index = mnl_attr_get_u32(attr); break;
	case RTA_DST:
		if (mnl_attr_get_payload_len(attr) == c->len)
			c->to.net.addr = addr_from(mnl_attr_get_payload(attr), c->len);
		break;
	case RTA_GATEWAY:
	case RTA_VIA:
	case RTA_MULTIPATH: c->by_gateway = true; break;
	default: break;
	}
	return MNL_CB_OK;
}

static void add_connected(struct reading *rd, const struct nlmsghdr *nlh, const struct rtmsg *rt)
{
	struct connected c = { .len = rt->rtm_family == AF_INET ? 4 : 16 };

	memset(&c.to, 0, sizeof(c.to));
	mnl_attr_parse(nlh, sizeof(*rt), on_connected_attr, &c);
	c.to.net.bits = rt->rtm_dst_len;
	if (c.by_gateway || !c.to.index || !c.to.net.addr.len || rd->n_onlink == ONLINK_MAX)
		return;
	rd->onlink[rd->n_onlink++] = c.to;
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);

	if (rt->rtm_dst_len == 0 && rt->rtm_type == RTN_UNICAST)
		mnl_attr_parse(nlh, sizeof(*rt), on_route_attr, data);
	else if (rt->rtm_type == RTN_UNICAST)
		add_connected(data, nlh, rt);
	return MNL_CB_OK;
}

static int on_link_attr(const struct nlattr *attr, void *data)
{
	const char **name = data;

	if (mnl_attr_get_type(attr) == IFLA_IFNAME)
		*name = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	struct reading         *rd = data;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(nlh);
	uint32_t                index = (uint32_t)link->ifi_index;
	const char             *name = NULL;

	mnl_attr_parse(nlh, sizeof(*link), on_link_attr, &name);
	if (!name || (link->ifi_flags & IFF_LOOPBACK))
		return MNL_CB_OK;
	if (rd->n_links < IFACES_MAX) {
		struct iface_link *l = &rd->links[rd->n_links++];

		l->index = index;
		snprintf(l->name, sizeof(l->name), "%s", name);
	}
	for (unsigned i = 0; i < rd->n_default && rd->n_outside < OUTSIDE_MAX; i++)
		if (rd->default_via[i] == index)
			rd->outside[rd->n_outside++] = index;
	return MNL_CB_OK;
}

static int by_index(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* ifinfomsg is the longest of the headers that these dumps need. */
static int dump(struct mnl_socket *nl, uint16_t type, uint8_t family, mnl_cb_t cb, struct reading *rd)
{
	return netlink_dump(nl, type, sizeof(struct ifinfomsg), family, cb, rd);
}

/* Uses a socket of its own: what an interrupted dump leaves there is discarded with it. Returns 0 or
 * -errno. */
static int read_all(struct reading *rd)
{
	struct mnl_socket *nl = netlink_open(NETLINK_ROUTE, 0);
	int                r;

	if (!nl)
		return -errno;
	r = dump(nl, RTM_GETROUTE, AF_INET, on_route, rd);
	if (r == 0)
		r = dump(nl, RTM_GETROUTE, AF_INET6, on_route, rd);
	if (r == 0)
		r = dump(nl, RTM_GETLINK, AF_UNSPEC, on_link, rd);
	mnl_socket_close(nl);
	return r;
}

int routes_read(struct shared *shared, uint32_t outside[OUTSIDE_MAX], struct err *err)
{
	static struct reading rd;
	int                   r = -EINTR;

	for (unsigned i = 0; i < TRIES && r == -EINTR; i++) {
		rd = (struct reading){ .outside = outside };
		r = read_all(&rd);
	}
	if (r < 0)
		return err_set(err, "the kernel's routes and interfaces: %s", strerror(-r));
	ifaces_replace(shared, rd.links, rd.n_links);
	onlink_replace(&shared->onlink, rd.onlink, rd.n_onlink);
	qsort(outside, rd.n_outside, sizeof(*outside), by_index);
	return (int)rd.n_outside;
}

struct routes *routes_open(struct err *err)
{
	struct routes *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(err, "out of memory"), NULL;
	r->events = netlink_open(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
	if (r->events)
		return r;
	err_set(err, "rtnetlink: %s", strerror(errno));
	routes_close(r);
	return NULL;
}

void routes_close(struct routes *r)
{
	if (!r)
		return;
	if (r->events)
		mnl_socket_close(r->events);
	free(r);
}

int routes_fd(const struct routes *r)
{
	return mnl_socket_get_fd(r->events);
}

void routes_drain(struct routes *r)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];

	while (recv(routes_fd(r), buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

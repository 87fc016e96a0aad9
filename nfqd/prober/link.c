/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

union request {
	struct nlmsghdr header;
	char            room[1024];
};

static struct nlmsghdr *begin(union request *r, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(r->room);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return nlh;
}

/* Sends a request and passes the kernel's reply to cb. Returns 0 or -errno. */
static int ask(struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	_Alignas(struct nlmsghdr) char buf[8192];
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ssize_t            n = -1;
	int                r = -errno;

	if (!nl)
		return r;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) >= 0)
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	r = n < 0 ? -errno : 0;
	if (n >= 0 && mnl_cb_run(buf, (size_t)n, 0, 0, cb, data) < 0)
		r = -errno;
	mnl_socket_close(nl);
	return r;
}

static int change(struct nlmsghdr *nlh)
{
	nlh->nlmsg_flags |= NLM_F_ACK;
	return ask(nlh, NULL, NULL);
}

static struct ifinfomsg *put_link(struct nlmsghdr *nlh, unsigned index)
{
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(nlh, sizeof(*link));

	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)index;
	return link;
}

int link_make_pair(const char *name, pid_t pid)
{
	union request    r;
	struct nlmsghdr *nlh = begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr   *info, *data, *peer;

	put_link(nlh, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_str(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	put_link(nlh, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, LINK_FAR_END);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_PID, (uint32_t)pid);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return change(nlh);
}

static int without_ipv6(unsigned index)
{
	union request    r;
	struct nlmsghdr *nlh = begin(&r, RTM_NEWLINK, 0);
	struct nlattr   *spec, *inet6;

	put_link(nlh, index);
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	return change(nlh);
}

static int add_address(unsigned index, in_addr_t address, unsigned prefix)
{
	union request     r;
	struct nlmsghdr  *nlh = begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = (uint8_t)prefix;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_index = index;
	mnl_attr_put_u32(nlh, IFA_LOCAL, address);
	mnl_attr_put_u32(nlh, IFA_ADDRESS, address);
	return change(nlh);
}

static int set_up(unsigned index)
{
	union request     r;
	struct nlmsghdr  *nlh = begin(&r, RTM_NEWLINK, 0);
	struct ifinfomsg *link = put_link(nlh, index);

	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	return change(nlh);
}

int link_bring_up(const char *name, const char *address, unsigned prefix)
{
	unsigned index = if_nametoindex(name);
	int      r;

	if (index == 0)
		return -errno;
	r = without_ipv6(index);
	if (r < 0 && r != -EAFNOSUPPORT && r != -EOPNOTSUPP) /* a kernel without IPv6 */
		return r;
	r = add_address(index, inet_addr(address), prefix);
	return r < 0 ? r : set_up(index);
}

int link_remove(const char *name)
{
	union request    r;
	struct nlmsghdr *nlh = begin(&r, RTM_DELLINK, 0);
	int              result;

	put_link(nlh, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	result = change(nlh);
	return result == -ENODEV ? 0 : result;
}

static struct rtmsg *put_route(struct nlmsghdr *nlh)
{
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));

	rt->rtm_family = AF_INET;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = RTPROT_STATIC;
	rt->rtm_type = RTN_UNICAST;
	return rt;
}

int link_default_route(const char *gateway)
{
	union request    r;
	struct nlmsghdr *nlh = begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);

	put_route(nlh);
	mnl_attr_put_u32(nlh, RTA_GATEWAY, inet_addr(gateway));
	return change(nlh);
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);

	*(int *)data = rt->rtm_dst_len;
	return MNL_CB_OK;
}

int link_route_bits(const char *address)
{
	union request    r;
	struct nlmsghdr *nlh = begin(&r, RTM_GETROUTE, 0);
	struct rtmsg    *rt = put_route(nlh);
	int              bits = 0, result;

	rt->rtm_dst_len = 32;
	rt->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put_u32(nlh, RTA_DST, inet_addr(address));
	result = ask(nlh, on_route, &bits);
	return result == -ENETUNREACH || result == -EHOSTUNREACH ? 0 : result < 0 ? result : bits;
}

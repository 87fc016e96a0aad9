/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes and IPsec policies, asked of the kernel over netlink. An IPv4 route from an address that is
 * not this host's cannot be looked up as an output route (EINVAL, net/ipv4/route.c,
 * inet_rtm_getroute()); as the route of a packet that came in on `lo` it can, and the same rules
 * apply, because `iif lo` is what output routes match. A strict reverse path filter refuses that
 * look-up; then the route without a source is a guess.
 */
#include "act/ways_private.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LOOPBACK = 1,        /* LOOPBACK_IFINDEX */
	POLICIES_MAX = 4096, /* looked at for one answer; a few milliseconds */
	REQUEST = 256
};

static int netlink_socket(int protocol)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	int                fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

struct ways *ways_open(void)
{
	struct ways *w = calloc(1, sizeof(*w));

	if (w) {
		w->route = netlink_socket(NETLINK_ROUTE);
		w->policy = netlink_socket(NETLINK_XFRM);
	}
	return w;
}

void ways_close(struct ways *w)
{
	if (!w)
		return;
	if (w->route >= 0)
		close(w->route);
	if (w->policy >= 0)
		close(w->policy);
	free(w);
}

/* Sends a request and passes every message of the answer to cb. Returns what mnl_cb_run() returns: -1
 * with errno for an error of the kernel's. */
static int ask(struct ways *w, int fd, struct nlmsghdr *nlh, mnl_cb_t cb, void *ctx)
{
	int     r = MNL_CB_OK;
	ssize_t n;

	while (recv(fd, w->buf, sizeof(w->buf), 0) > 0)
		; /* the rest of an answer that was not read to its end */
	if (send(fd, nlh, nlh->nlmsg_len, 0) < 0)
		return -1;
	while (r > MNL_CB_STOP) {
		n = recv(fd, w->buf, sizeof(w->buf), 0);
		if (n < 0)
			return -1;
		r = mnl_cb_run(w->buf, (size_t)n, 0, 0, cb, ctx);
		if (!(nlh->nlmsg_flags & NLM_F_DUMP))
			break;
	}
	return r;
}

/* ---- routes ---- */

static int read_oif(const struct nlattr *attr, void *ctx)
{
	if (mnl_attr_get_type(attr) == RTA_OIF)
		*(uint32_t *)ctx = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_route(const struct nlmsghdr *nlh, void *ctx)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	uint32_t           *oif = ctx;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    (rtm->rtm_type != RTN_UNICAST && rtm->rtm_type != RTN_LOCAL))
		return MNL_CB_OK;
	return mnl_attr_parse(nlh, sizeof(*rtm), read_oif, oif);
}

/* The interface of a route; 0: none. from NULL: of this host's choice. */
static uint32_t route(struct ways *w, const struct addr *from, const struct addr *to, uint32_t iif,
                      uint32_t oif)
{
	char             buf[REQUEST];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg    *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	uint32_t         found = 0;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rtm->rtm_family = to->len == 4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = (uint8_t)(to->len * 8);
	mnl_attr_put(nlh, RTA_DST, to->len, to->b);
	if (from) {
		rtm->rtm_src_len = (uint8_t)(from->len * 8);
		mnl_attr_put(nlh, RTA_SRC, from->len, from->b);
	}
	if (iif)
		mnl_attr_put_u32(nlh, RTA_IIF, iif);
	if (oif)
		mnl_attr_put_u32(nlh, RTA_OIF, oif);
	errno = 0;
	return ask(w, w->route, nlh, read_route, &found) < 0 ? 0 : found;
}

/* No route, as opposed to a look-up that the kernel does not make. */
static bool is_no_route(int e)
{
	return e == ENETUNREACH || e == EACCES;
}

enum way ways_back(struct ways *w, const struct addr *from, const struct addr *to, uint32_t ifindex)
{
	bool     six = to->len == 16;
	uint32_t found;

	if (w->route < 0)
		return WAY_GUESS;
	if (six || !from)
		found = route(w, from, to, 0, addr_is_link_local(to) ? ifindex : 0);
	else
		found = route(w, from, to, LOOPBACK, 0);
	if (!found && !six && from && !is_no_route(errno))
		found = route(w, from, to, 0, 0); /* an address of this host */
	if (found || six || !from || is_no_route(errno))
		return found == ifindex ? WAY_BACK : WAY_OTHER;
	return route(w, NULL, to, 0, 0) == ifindex ? WAY_GUESS : WAY_OTHER;
}

/* ---- IPsec ---- */

enum { DIRECTIONS = XFRM_POLICY_FWD + 1 };

/* What to look for in a dump of policies: for each direction the first one, by priority, that takes the
 * packet, and whether it lets the packet pass in the clear. */
struct search {
	const struct addr *from, *to;
	unsigned           seen;
	struct {
		bool     found, clear;
		uint32_t priority;
	} best[DIRECTIONS];
};

static bool in_net(const xfrm_address_t *net, uint8_t bits, const struct addr *a)
{
	struct net n = { .addr = addr_from((const uint8_t *)net, a->len), .bits = bits };

	return net_has(&n, a);
}

static bool takes(const struct xfrm_userpolicy_info *p, const struct search *s)
{
	const struct xfrm_selector *sel = &p->sel;
	bool                        out = p->dir == XFRM_POLICY_OUT;
	const struct addr          *src = out ? s->from : s->to, *dst = out ? s->to : s->from;

	if (sel->family != (src->len == 4 ? AF_INET : AF_INET6) && sel->family != AF_UNSPEC)
		return false;
	return in_net(&sel->saddr, sel->prefixlen_s, src) && in_net(&sel->daddr, sel->prefixlen_d, dst);
}

/* A policy without a template lets packets pass as they are; one with an interface's number is for that interface
 * alone, which also secures what is sent on it. */
struct terms {
	bool template, of_interface;
};

static int read_terms(const struct nlattr *attr, void *ctx)
{
	struct terms *t = ctx;

	t->template |= mnl_attr_get_type(attr) == XFRMA_TMPL;
	t->of_interface |= mnl_attr_get_type(attr) == XFRMA_IF_ID && mnl_attr_get_u32(attr) != 0;
	return MNL_CB_OK;
}

static int read_policy(const struct nlmsghdr *nlh, void *ctx)
{
	struct xfrm_userpolicy_info p;
	struct search              *s = ctx;
	struct terms                terms = { .template = false };

	if (++s->seen > POLICIES_MAX)
		return MNL_CB_STOP;
	if (nlh->nlmsg_type != XFRM_MSG_NEWPOLICY || mnl_nlmsg_get_payload_len(nlh) < sizeof(p))
		return MNL_CB_OK;
	memcpy(&p, mnl_nlmsg_get_payload(nlh), sizeof(p)); /* it has members of 8 bytes, netlink aligns to 4 */
	if (p.dir >= DIRECTIONS || !takes(&p, s))
		return MNL_CB_OK;
	if (mnl_attr_parse(nlh, sizeof(p), read_terms, &terms) < 0 || terms.of_interface ||
	    (s->best[p.dir].found && s->best[p.dir].priority <= p.priority))
		return MNL_CB_OK;
	s->best[p.dir].found = true;
	s->best[p.dir].priority = p.priority;
	s->best[p.dir].clear = !terms.template && p.action == XFRM_POLICY_ALLOW;
	return MNL_CB_OK;
}

bool ways_is_secured(struct ways *w, const struct addr *from, const struct addr *to)
{
	struct search    s = { .from = from, .to = to };
	char             buf[REQUEST];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	bool             secured = false;

	if (w->policy < 0)
		return false;
	nlh->nlmsg_type = XFRM_MSG_GETPOLICY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct xfrm_userpolicy_id));
	if (ask(w, w->policy, nlh, read_policy, &s) < 0)
		return errno != EOPNOTSUPP && errno != ENOENT;
	for (unsigned i = 0; i < DIRECTIONS; i++)
		secured |= s.best[i].found && !s.best[i].clear;
	return secured || s.seen > POLICIES_MAX;
}

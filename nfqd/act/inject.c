/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends whole packets, once the verdicts are out. The sockets are opened by the parent; the worker only
 * sends. */
#include "act/inject_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/ways_private.h"

/* ---- sockets ---- */

/* IP_TRANSPARENT: the source may be any address, and the route is chosen for it. An IPv6 socket of
 * IPPROTO_RAW includes the header in any case (raw(7)). */
static int raw_socket(int family, uint32_t priority, struct err *err)
{
	int one = 1, fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW), r;

	if (fd < 0)
		return err_set(err, "raw socket: %s", strerror(errno));
	if (family == AF_INET)
		r = setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one)) < 0 ||
		    setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one)) < 0;
	else
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &one, sizeof(one)) < 0;
	if (r || (priority && setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority)) < 0)) {
		err_set(err, "raw socket: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int injector_open(struct injector_fds *fds, uint32_t forged, struct err *err)
{
	int *const all[] = { &fds->forged4, &fds->forged6, &fds->plain4, &fds->plain6 };

	*fds = INJECTOR_NONE;
	for (unsigned i = 0; i < 4; i++) {
		bool six = i % 2;

		if (six && access("/proc/net/if_inet6", F_OK) != 0)
			continue; /* a kernel without IPv6 has no IPv6 clients either */
		*all[i] = raw_socket(six ? AF_INET6 : AF_INET, i < 2 ? forged : 0, err);
		if (*all[i] < 0)
			return -1;
	}
	/* protocol 0: it never receives */
	fds->link = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fds->link < 0)
		return err_set(err, "packet socket: %s", strerror(errno));
	return 0;
}

void injector_close(struct injector_fds *fds)
{
	int all[INJECTOR_FDS];

	memcpy(all, fds, sizeof(all));
	for (unsigned i = 0; i < INJECTOR_FDS; i++)
		if (all[i] >= 0)
			close(all[i]);
	*fds = INJECTOR_NONE;
}

/* ---- sending ---- */

/* Adds one item of ancillary data; the buffer has room for it. */
static void put_control(struct msghdr *m, int level, int type, struct span data)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)((uint8_t *)m->msg_control + m->msg_controllen);

	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(data.n), .cmsg_level = level, .cmsg_type = type };
	memcpy(CMSG_DATA(c), data.p, data.n);
	m->msg_controllen += CMSG_SPACE(data.n);
}

/* The source address of the packet, and the interface that it must leave by (0: any). */
static void put_source(struct msghdr *m, const struct addr *from, uint32_t oif)
{
	if (from->len == 4) {
		struct in_pktinfo i = { .ipi_ifindex = (int)oif };

		memcpy(&i.ipi_spec_dst, from->b, 4);
		put_control(m, IPPROTO_IP, IP_PKTINFO, span_of(&i, sizeof(i)));
	} else {
		struct in6_pktinfo i = { .ipi6_ifindex = oif };

		memcpy(&i.ipi6_addr, from->b, 16);
		put_control(m, IPPROTO_IPV6, IPV6_PKTINFO, span_of(&i, sizeof(i)));
	}
}

/* Sends by the routes. Returns 0 or -errno. */
static int send_routed(const struct injected *p, uint32_t oif)
{
	union {
		struct cmsghdr align;
		char           b[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t))];
	} control = { .b = { 0 } };
	union {
		struct sockaddr_in  in4;
		struct sockaddr_in6 in6;
	} sa = { .in6 = { 0 } };
	struct iovec  iov = { (void *)(uintptr_t)p->data, p->len };
	struct msghdr m = { .msg_name = &sa, .msg_namelen = sizeof(sa.in4), .msg_iov = &iov,
		            .msg_iovlen = 1, .msg_control = &control };

	if (p->to.len == 4) {
		sa.in4.sin_family = AF_INET;
		memcpy(&sa.in4.sin_addr, p->to.b, 4);
	} else {
		sa.in6.sin6_family = AF_INET6;
		memcpy(&sa.in6.sin6_addr, p->to.b, 16);
		sa.in6.sin6_scope_id = addr_is_link_local(&p->to) ? p->scope : 0;
		m.msg_namelen = sizeof(sa.in6);
	}
	put_source(&m, &p->from, oif);
	if (p->mark) /* CAP_NET_ADMIN, of the worker */
		put_control(&m, SOL_SOCKET, SO_MARK, span_of(&p->mark, sizeof(p->mark)));
	return sendmsg(p->fd, &m, 0) < 0 ? -errno : 0;
}

/* Sends on the interface that the question came in on, to its sender; an interface without link
 * addresses (a tunnel) needs none. Returns 0 or -errno. */
static int send_on_link(const struct injector *inj, const struct injected *p)
{
	struct sockaddr_ll sa = { .sll_family = AF_PACKET, .sll_ifindex = (int)p->scope,
		                  .sll_protocol = htons(p->to.len == 4 ? ETH_P_IP : ETH_P_IPV6) };

	if (p->has_mac) {
		sa.sll_halen = sizeof(p->mac);
		memcpy(sa.sll_addr, p->mac, sizeof(p->mac));
	}
	return sendto(inj->fds.link, p->data, p->len, 0, (struct sockaddr *)&sa, sizeof(sa)) < 0
	               ? -errno
	               : 0;
}

static enum inject_failure failure_of(int r)
{
	static const struct {
		int     error;
		uint8_t failure;
	} rows[] = {
		{ EPERM, INJECT_filter },       { EACCES, INJECT_route },
		{ ENETUNREACH, INJECT_route },  { EHOSTUNREACH, INJECT_route },
		{ EADDRNOTAVAIL, INJECT_route },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].error == -r)
			return rows[i].failure;
	return INJECT_other;
}

/* Returns 0, or -errno with *why. */
static int send_to_client(const struct injector *inj, const struct injected *p,
                          enum inject_failure *why)
{
	enum way way = inj->ways && p->scope ? ways_back(inj->ways, &p->from, &p->to, p->scope)
	                                     : WAY_BACK;
	int      r = -ENETUNREACH;

	if (way != WAY_OTHER)
		r = send_routed(p, way == WAY_GUESS ? p->scope : 0);
	*why = failure_of(r);
	if (r == 0 || !p->scope || inj->fds.link < 0)
		return r;
	if (inj->ways && ways_is_secured(inj->ways, &p->from, &p->to)) {
		if (way == WAY_OTHER) /* the policy, not the interface, says where it goes */
			r = send_routed(p, 0);
		*why = INJECT_ipsec;
		return r;
	}
	r = send_on_link(inj, p);
	if (r < 0 && !p->has_mac)
		*why = INJECT_mac;
	else if (r < 0)
		*why = failure_of(r);
	return r;
}

static void count(struct injector *inj, enum inject_failure why)
{
	inj->failed[why]++;
	inj->failures++;
}

static void fail(struct injector *inj, const struct injected *p, enum inject_failure why, int r,
                 uint64_t now)
{
	static const char *const says[] = {
#define X(id, text, says) says,
		INJECT_FAILURES(X)
#undef X
	};
	char from[ADDR_TEXT], to[ADDR_TEXT];

	count(inj, why);
	if (!diag_may(&inj->said[why], now))
		return;
	addr_text(&p->from, from);
	addr_text(&p->to, to);
	diag_warn("answer", "an answer from %s to %s (interface %u) could not be sent: %s (%s)", from,
	          to, p->scope, says[why], strerror(-r));
}

void injector_flush(struct injector *inj, uint64_t now)
{
	for (unsigned i = 0; i < inj->n; i++) {
		const struct injected *p = &inj->waiting[i];
		enum inject_failure    why;
		int                    r;

		if (p->client) {
			r = send_to_client(inj, p, &why);
		} else {
			r = send_routed(p, 0);
			why = failure_of(r);
		}
		if (r < 0)
			fail(inj, p, why, r, now);
	}
	inj->n = 0;
}

/* ---- waiting ---- */

static struct injected *wait_for_verdicts(struct injector *inj, int fd, const struct forged *packet)
{
	struct injected *p = &inj->waiting[inj->n];

	if (fd < 0)
		return NULL;
	if (packet->n == 0 || inj->n == INJECT_WAIT) {
		count(inj, packet->n ? INJECT_full : INJECT_other);
		return NULL;
	}
	inj->n++;
	p->fd = fd;
	p->len = (uint16_t)packet->n;
	memcpy(p->data, packet->data, packet->n);
	return p;
}

void inject_untracked(struct injector *inj, const struct forged *packet, const struct addr *from,
                      const struct addr *to, const struct raw_packet *raw)
{
	struct injected *p = wait_for_verdicts(inj, to->len == 4 ? inj->fds.forged4 : inj->fds.forged6,
	                                       packet);

	if (!p)
		return;
	p->scope = raw->ifin;
	p->mark = 0;
	p->from = *from;
	p->to = *to;
	p->client = true;
	p->has_mac = raw->has_mac;
	memcpy(p->mac, raw->mac, sizeof(p->mac));
}

void inject_tracked(struct injector *inj, const struct forged *packet, const struct addr *from,
                    const struct addr *to, struct onward way)
{
	struct injected *p = wait_for_verdicts(inj, to->len == 4 ? inj->fds.plain4 : inj->fds.plain6,
	                                       packet);

	if (!p)
		return;
	p->scope = way.scope;
	p->mark = way.mark;
	p->from = *from;
	p->to = *to;
	p->client = p->has_mac = false;
}

bool inject_kernel_reaches(const struct injector *inj, const struct packet *pkt,
                           const struct raw_packet *raw, bool sourced)
{
	return !inj->ways || !raw->ifin ||
	       ways_back(inj->ways, sourced ? &pkt->dst : NULL, &pkt->src, raw->ifin) != WAY_OTHER ||
	       ways_is_secured(inj->ways, &pkt->dst, &pkt->src);
}

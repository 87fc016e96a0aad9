/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw sockets that send whole packets, once the verdicts are out. Opened by the parent; the worker
 * only sends. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/act.h"
#include "act/inject.h"

static int raw_socket(int family, uint32_t mark, struct err *err)
{
	int one = 1, fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);

	if (fd < 0)
		return err_set(err, "raw socket: %s", strerror(errno));
	/* an IPv6 socket of IPPROTO_RAW includes the header anyhow (raw(7)) */
	if ((family == AF_INET && setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one)) < 0) ||
	    (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)) {
		err_set(err, "raw socket: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int injector_open(struct injector_fds *fds, uint32_t forged_mark, struct err *err)
{
	int *const all[] = { &fds->forged4, &fds->forged6, &fds->plain4, &fds->plain6 };

	*fds = INJECTOR_NONE;
	for (unsigned i = 0; i < 4; i++) {
		bool six = i % 2;

		if (six && access("/proc/net/if_inet6", F_OK) != 0)
			continue; /* a kernel without IPv6 has no IPv6 clients either */
		*all[i] = raw_socket(six ? AF_INET6 : AF_INET, i < 2 ? forged_mark : 0, err);
		if (*all[i] < 0)
			return -1;
	}
	return 0;
}

static bool send_one(const struct injected *p)
{
	union {
		struct sockaddr     any;
		struct sockaddr_in  in4;
		struct sockaddr_in6 in6;
	} sa = { 0 };
	socklen_t len = sizeof(sa.in4);

	if (p->to.len == 4) {
		sa.in4.sin_family = AF_INET;
		memcpy(&sa.in4.sin_addr, p->to.b, 4);
	} else {
		sa.in6.sin6_family = AF_INET6;
		memcpy(&sa.in6.sin6_addr, p->to.b, 16);
		sa.in6.sin6_scope_id = addr_is_link_local(&p->to) ? p->scope : 0;
		len = sizeof(sa.in6);
	}
	return sendto(p->fd, p->data, p->len, 0, &sa.any, len) >= 0;
}

void injector_flush(struct injector *inj)
{
	for (unsigned i = 0; i < inj->n; i++)
		inj->failed += !send_one(&inj->waiting[i]);
	inj->n = 0;
}

static void wait_for_verdicts(struct injector *inj, int fd, const struct forged *packet,
                              const struct addr *to, uint32_t scope)
{
	struct injected *p = &inj->waiting[inj->n];

	if (fd < 0)
		return;
	if (packet->n == 0 || inj->n == INJECT_WAIT) {
		inj->failed++;
		return;
	}
	inj->n++;
	*p = (struct injected){ .fd = fd, .scope = scope, .to = *to, .len = (uint16_t)packet->n };
	memcpy(p->data, packet->data, packet->n);
}

void inject_client(struct injector *inj, const struct forged *packet, const struct addr *to,
                   uint32_t scope)
{
	wait_for_verdicts(inj, to->len == 4 ? inj->fds.forged4 : inj->fds.forged6, packet, to, scope);
}

void inject_server(struct injector *inj, const struct forged *packet, const struct addr *to,
                   uint32_t scope)
{
	wait_for_verdicts(inj, to->len == 4 ? inj->fds.plain4 : inj->fds.plain6, packet, to, scope);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw sockets that send whole packets. Opened by the parent; the worker only sends. */
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

int injector_open(struct injector *inj, uint32_t forged_mark, struct err *err)
{
	int *const fds[] = { &inj->forged4, &inj->forged6, &inj->plain4, &inj->plain6 };

	*inj = INJECTOR_NONE;
	for (unsigned i = 0; i < 4; i++) {
		*fds[i] = raw_socket(i % 2 ? AF_INET6 : AF_INET, i < 2 ? forged_mark : 0, err);
		/* a kernel without IPv6 has no IPv6 clients either */
		if (*fds[i] < 0 && (i % 2 == 0 || errno != EAFNOSUPPORT))
			return -1;
	}
	return 0;
}

static void send_packet(struct injector *inj, int fd, const uint8_t *packet, size_t n,
                        const struct addr *to, uint32_t scope)
{
	union {
		struct sockaddr     any;
		struct sockaddr_in  in4;
		struct sockaddr_in6 in6;
	} sa = { 0 };
	socklen_t len = sizeof(sa.in4);

	if (fd < 0)
		return;
	if (to->len == 4) {
		sa.in4.sin_family = AF_INET;
		memcpy(&sa.in4.sin_addr, to->b, 4);
	} else {
		sa.in6.sin6_family = AF_INET6;
		memcpy(&sa.in6.sin6_addr, to->b, 16);
		sa.in6.sin6_scope_id = addr_is_link_local(to) ? scope : 0;
		len = sizeof(sa.in6);
	}
	if (n == 0 || sendto(fd, packet, n, 0, &sa.any, len) < 0)
		inj->failed++;
}

void inject_client(struct injector *inj, const uint8_t *packet, size_t n, const struct addr *to,
                   uint32_t scope)
{
	send_packet(inj, to->len == 4 ? inj->forged4 : inj->forged6, packet, n, to, scope);
}

void inject_server(struct injector *inj, const uint8_t *packet, size_t n, const struct addr *to,
                   uint32_t scope)
{
	send_packet(inj, to->len == 4 ? inj->plain4 : inj->plain6, packet, n, to, scope);
}

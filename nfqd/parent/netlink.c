/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One way to open a netlink socket, and to read a dump to its end. */
#include "parent/netlink.h"

#include <errno.h>

struct mnl_socket *netlink_open(int family, unsigned groups)
{
	struct mnl_socket *nl = mnl_socket_open2(family, SOCK_CLOEXEC);

	if (nl && mnl_socket_bind(nl, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(nl);
		return NULL;
	}
	return nl;
}

int netlink_dump(struct mnl_socket *nl, uint16_t type, size_t header, uint8_t family, mnl_cb_t cb, void *ctx)
{
	static _Alignas(struct nlmsghdr) char buf[64 << 10]; /* a link may take more than a page */
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	uint8_t         *extra = mnl_nlmsg_put_extra_header(nlh, header);
	int              r = MNL_CB_OK;
	ssize_t          n;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	*extra = family;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		r = n < 0 ? MNL_CB_ERROR : mnl_cb_run(buf, (size_t)n, 0, 0, cb, ctx);
	}
	return r < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to parent/: netlink sockets and dumps, through libmnl. */
#ifndef NFQD_PARENT_NETLINK_H
#define NFQD_PARENT_NETLINK_H

#include <libmnl/libmnl.h>

#include "base/err.h"

/* Opens a socket of that family (NETLINK_ROUTE) that is in groups; the caller closes it. NULL with errno. */
struct mnl_socket *netlink_open(int family, unsigned groups);

/*
 * Asks for a dump and hands every message of the answer to cb. header is the size of the header that the
 * type has after netlink's own, the first byte of which is the address family. Returns 0 or -errno; -EINTR:
 * what is listed changed meanwhile (NLM_F_DUMP_INTR).
 */
MUST_CHECK int netlink_dump(struct mnl_socket *nl, uint16_t type, size_t header, uint8_t family, mnl_cb_t cb,
                            void *ctx);

#endif

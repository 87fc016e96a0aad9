/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heartbeat's links, through libmnl (rtnetlink(7), veth(4)). Errors are -errno. */
#ifndef NFQD_PROBER_LINK_H
#define NFQD_PROBER_LINK_H

#include <sys/types.h>

#include "base/err.h"

#define LINK_FAR_END "hb" /* its name in the namespace of its process */

/* Makes a pair of virtual devices: `name` here, and the far end in the network namespace of pid. */
MUST_CHECK int link_make_pair(const char *name, pid_t pid);
/* Gives a device of this namespace an IPv4 address and brings it up. IPv6 stays off: the kernel would send packets of
 * its own. */
MUST_CHECK int link_bring_up(const char *name, const char *address, unsigned prefix);
/* Removes a device of this namespace; 0 also when there is none. */
MUST_CHECK int link_remove(const char *name);
/* Sets the default route of this namespace. */
MUST_CHECK int link_default_route(const char *gateway);
/* Returns the prefix length of the route to an IPv4 address; 0: the default route, or no route. */
MUST_CHECK int link_route_bits(const char *address);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two gateways that stand in for each other: the one that has the pair's address is the active one. */
#include <ifaddrs.h>
#include <netinet/in.h>

#include "base/addr.h"
#include "parent/parent_private.h"

static bool is_of(const struct sockaddr *sa, const struct addr *want)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)sa;
	const struct sockaddr_in  *four = (const struct sockaddr_in *)(const void *)sa;

	if (!sa || sa->sa_family != (want->len == 4 ? AF_INET : AF_INET6))
		return false;
	return memcmp(want->len == 4 ? (const void *)&four->sin_addr : (const void *)&six->sin6_addr, want->b, want->len) == 0;
}

static bool is_here(const struct addr *want)
{
	struct ifaddrs *all = NULL;
	bool            here = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *i = all; i && !here; i = i->ifa_next)
		here = is_of(i->ifa_addr, want);
	freeifaddrs(all);
	return here;
}

const char *pair_role(const struct parent *p)
{
	struct addr want;

	if (!p->boot->pair_address || addr_parse(p->boot->pair_address, &want) < 0)
		return NULL;
	return is_here(&want) ? "active" : "standby";
}

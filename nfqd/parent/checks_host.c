/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces (rtnetlink), default routes, bridge settings and listening programs (/proc). */
#include <ctype.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parent/checks_private.h"
#include "parent/netlink.h"

enum { LINKS_MAX = 1024, KIND = 16, LISTENERS_MAX = 512 };

struct link {
	uint32_t index, master, lower;
	char     name[16], kind[KIND];
	bool     uplink, addressed, shared;
};

struct links {
	unsigned    n;
	struct link v[LINKS_MAX];
};

/* ---- interfaces ---- */

static int read_kind(const struct nlattr *attr, void *ctx)
{
	struct link *l = ctx;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		snprintf(l->kind, sizeof(l->kind), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int read_link_attr(const struct nlattr *attr, void *ctx)
{
	struct link *l = ctx;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME: snprintf(l->name, sizeof(l->name), "%s", mnl_attr_get_str(attr)); break;
	case IFLA_MASTER: l->master = mnl_attr_get_u32(attr); break;
	case IFLA_LINK: l->lower = mnl_attr_get_u32(attr); break;
	case IFLA_LINKINFO: return mnl_attr_parse_nested(attr, read_kind, l);
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct links           *all = ctx;

	if (all->n == LINKS_MAX)
		return MNL_CB_OK;
	all->v[all->n] = (struct link){ .index = (uint32_t)ifi->ifi_index };
	mnl_attr_parse(nlh, sizeof(*ifi), read_link_attr, &all->v[all->n++]);
	return MNL_CB_OK;
}

static struct link *by_index(struct links *all, uint32_t index)
{
	for (unsigned i = 0; i < all->n; i++)
		if (all->v[i].index == index)
			return &all->v[i];
	return NULL;
}

static struct link *by_name(struct links *all, const char *name)
{
	for (unsigned i = 0; i < all->n; i++)
		if (strcmp(all->v[i].name, name) == 0)
			return &all->v[i];
	return NULL;
}

struct forwarding {
	bool unicast, of_bridge;
};

static int read_forwarding_attr(const struct nlattr *attr, void *ctx)
{
	struct forwarding *w = ctx;
	const uint8_t     *mac = mnl_attr_get_payload(attr);

	if (mnl_attr_get_type(attr) == NDA_LLADDR && mnl_attr_get_payload_len(attr) == 6)
		w->unicast = !(mac[0] & 1);
	w->of_bridge |= mnl_attr_get_type(attr) == NDA_MASTER;
	return MNL_CB_OK;
}

/* The addresses that a device accepts besides its own: a macvlan's is among them, even when the macvlan
 * itself is in another namespace. */
static int read_forwarding(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	struct link        *l = by_index(ctx, (uint32_t)nd->ndm_ifindex);
	struct forwarding   w = { false, false };

	mnl_attr_parse(nlh, sizeof(*nd), read_forwarding_attr, &w);
	if (l && nd->ndm_flags & NTF_SELF && w.unicast && !w.of_bridge)
		l->shared = true;
	return MNL_CB_OK;
}

/* A neighbour dump accepts the header of links, too. */
static int dump(struct mnl_socket *nl, uint16_t type, uint8_t family, mnl_cb_t cb, struct links *all)
{
	return netlink_dump(nl, type, sizeof(struct ifinfomsg), family, cb, all);
}

/* ---- default routes and addresses ---- */

static void mark_uplink(struct links *all, const char *name)
{
	struct link *l = by_name(all, name);

	if (l && strcmp(name, "lo") != 0)
		l->uplink = true;
}

static void read_uplinks(struct links *all)
{
	FILE *f = fopen("/proc/net/route", "re");
	char  line[256], name[17];
	unsigned to, mask, bits;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%16s %8x %*x %*x %*d %*d %*d %8x", name, &to, &mask) == 3 && to == 0 &&
		    mask == 0)
			mark_uplink(all, name);
	if (f)
		fclose(f);
	f = fopen("/proc/net/ipv6_route", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strspn(line, "0") >= 32 &&
		    sscanf(line, "%*s %2x %*s %*s %*s %*s %*s %*s %*s %16s", &bits, name) == 2 && bits == 0)
			mark_uplink(all, name);
	if (f)
		fclose(f);
}

static void read_addresses(struct links *all)
{
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list) < 0)
		return;
	for (struct ifaddrs *a = list; a; a = a->ifa_next) {
		struct link *l = by_name(all, a->ifa_name);

		/* every interface has a link-local IPv6 address */
		if (l && a->ifa_addr && a->ifa_addr->sa_family == AF_INET)
			l->addressed = true;
	}
	freeifaddrs(list);
}

/* ---- what is made of interfaces ---- */

static bool is_kind(const struct link *l, const char *const kinds[])
{
	for (unsigned i = 0; kinds[i]; i++)
		if (strcmp(l->kind, kinds[i]) == 0)
			return true;
	return false;
}

static bool is_on(const char *path)
{
	FILE *f = fopen(path, "re");
	int   c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c != EOF && c != '0';
}

static const char bridge_command[] = "modprobe br_netfilter; sysctl net.bridge.bridge-nf-call-iptables=1 "
                                     "net.bridge.bridge-nf-call-ip6tables=1";

/* A bridge between a router's own LAN ports does not matter; one with the uplink, or without an address,
 * is how clients reach the network. */
static void look_at_bridge(struct facts *f, const struct links *all, const struct link *bridge)
{
	unsigned ports = 0;

	for (unsigned i = 0; i < all->n; i++)
		ports += all->v[i].master == bridge->index;
	if (ports >= 2 && (bridge->uplink || !bridge->addressed))
		fact_add(f, FACT_BRIDGE, "%s", bridge->name), fact_mend(f, "%s", bridge_command);
}

static void look_at_links(struct facts *f, struct links *all)
{
	static const char *const vrf[] = { "vrf", NULL }, *const bridges[] = { "bridge", NULL };
	static const char *const sharing[] = { "macvlan", "macvtap", "ipvlan", "ipvtap", NULL };
	bool filtered = is_on("/proc/sys/net/bridge/bridge-nf-call-iptables") &&
	                is_on("/proc/sys/net/bridge/bridge-nf-call-ip6tables");

	for (unsigned i = 0; i < all->n; i++) {
		struct link *l = &all->v[i], *lower = is_kind(l, sharing) ? by_index(all, l->lower) : NULL;

		if (is_kind(l, vrf))
			fact_add(f, FACT_VRF, "%s", l->name);
		if (is_kind(l, bridges) && !filtered)
			look_at_bridge(f, all, l);
		if (lower)
			lower->shared = true;
	}
	for (unsigned i = 0; i < all->n; i++)
		if (all->v[i].uplink && all->v[i].shared)
			fact_add(f, FACT_SHARED, "%s", all->v[i].name);
}

/* ---- programs ---- */

/* Matched by the name of their process. */
static const char *const proxies[] = { "squid",  "privoxy",  "tinyproxy", "3proxy",  "danted", "sockd",
	                               "polipo", "sing-box", "xray",      "v2ray",   "clash",  "mihomo",
	                               "mitmdump", "mitmproxy", "e2guardian", NULL };

/* Sockets that listen on more than this host's loopback. */
struct listeners {
	unsigned n;
	struct {
		unsigned long inode;
		unsigned      port;
	} v[LISTENERS_MAX];
};

static void read_listeners(struct listeners *all, const char *path)
{
	FILE         *f = fopen(path, "re");
	char          line[512], address[33];
	unsigned      port, state;
	unsigned long inode;

	while (f && fgets(line, sizeof(line), f) && all->n < LISTENERS_MAX) {
		if (sscanf(line, "%*d: %32[0-9A-F]:%4x %*[0-9A-F]:%*x %2x %*x:%*x %*x:%*x %*x %*u %*u %lu",
		           address, &port, &state, &inode) != 4 ||
		    state != 10 /* TCP_LISTEN */ || strcmp(address, "0100007F") == 0 ||
		    strcmp(address, "00000000000000000000000001000000") == 0)
			continue;
		all->v[all->n].inode = inode;
		all->v[all->n++].port = port;
	}
	if (f)
		fclose(f);
}

static unsigned port_of(const struct listeners *all, unsigned long inode)
{
	for (unsigned i = 0; i < all->n; i++)
		if (all->v[i].inode == inode)
			return all->v[i].port;
	return 0;
}

/* The port of the first of these sockets that is a program's; 0: none. */
static unsigned listens_on(const struct listeners *all, const char *pid)
{
	char           path[64 + NAME_MAX], to[64];
	DIR           *dir;
	struct dirent *e;
	unsigned       port = 0;
	unsigned long  inode;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && port == 0 && (e = readdir(dir)) != NULL) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, e->d_name);
		n = readlink(path, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		if (sscanf(to, "socket:[%lu]", &inode) == 1)
			port = port_of(all, inode);
	}
	if (dir)
		closedir(dir);
	return port;
}

static bool is_proxy(const char *pid, char name[32])
{
	char  path[64 + NAME_MAX];
	FILE *f;
	bool  known = false;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(name, 32, f)) {
		name[strcspn(name, "\n")] = '\0';
		for (unsigned i = 0; proxies[i] && !known; i++)
			known = strcmp(name, proxies[i]) == 0;
	}
	if (f)
		fclose(f);
	return known;
}

static bool is_named(unsigned port, char *const *ports, unsigned n)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", port);
	for (unsigned i = 0; i < n; i++)
		if (strcmp(ports[i], text) == 0)
			return true;
	return false;
}

static void look_at_programs(struct facts *f, char *const *ports, unsigned n_ports)
{
	static struct listeners all;
	DIR                    *dir = opendir("/proc");
	struct dirent          *e;
	char                    name[32];

	read_listeners(&all, "/proc/net/tcp");
	read_listeners(&all, "/proc/net/tcp6");
	while (dir && (e = readdir(dir)) != NULL) {
		unsigned port = isdigit((unsigned char)e->d_name[0]) && is_proxy(e->d_name, name)
		                        ? listens_on(&all, e->d_name)
		                        : 0;

		if (port && !is_named(port, ports, n_ports))
			fact_add(f, FACT_PROXY, "%s on TCP port %u", name, port);
	}
	if (dir)
		closedir(dir);
}

void facts_of_host(struct facts *f, char *const *ports, unsigned n_ports)
{
	static struct links all;
	struct mnl_socket  *nl = netlink_open(NETLINK_ROUTE, 0);

	if (!nl || dump(nl, RTM_GETLINK, AF_UNSPEC, read_link, &all) < 0) {
		fact_add(f, FACT_UNREADABLE, "the list of interfaces");
	} else {
		(void)dump(nl, RTM_GETNEIGH, AF_BRIDGE, read_forwarding, &all); /* a kernel without bridges has none */
		read_uplinks(&all);
		read_addresses(&all);
		look_at_links(f, &all);
	}
	if (nl)
		mnl_socket_close(nl);
	look_at_programs(f, ports, n_ports);
}

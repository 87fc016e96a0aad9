/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel has for nfqd, and how full it is: means to steer with, queues, buffers, the connection table. */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/steer.h"
#include "parent/checks_private.h"
#include "parent/netlink.h"
#include "shared/conf.h"

enum { FULL_PERCENT = 80 };

/* ---- routing rules ---- */

static int read_rule_attr(const struct nlattr *attr, void *ctx)
{
	uint32_t *v = ctx;

	if (mnl_attr_get_type(attr) == FRA_FWMARK || mnl_attr_get_type(attr) == FRA_PRIORITY)
		v[mnl_attr_get_type(attr) == FRA_PRIORITY] = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_rule(const struct nlmsghdr *nlh, void *ctx)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(nlh);
	uint32_t                   v[2] = { 0, 0 }; /* mark, priority */
	const char                *family = rule->family == AF_INET6 ? "-6" : "-4";

	mnl_attr_parse(nlh, sizeof(*rule), read_rule_attr, v);
	if (v[0]) {
		fact_add(ctx, FACT_RULE_MARK, "ip %s rule, priority %u (fwmark 0x%x)", family, v[1], v[0]);
		fact_mend(ctx, "ip %s rule del priority %u", family, v[1]);
	}
	return MNL_CB_OK;
}

void facts_of_rules(struct facts *f, bool mark_token)
{
	struct mnl_socket *nl = mark_token ? netlink_open(NETLINK_ROUTE, 0) : NULL;

	if (!nl)
		return;
	if (netlink_dump(nl, RTM_GETRULE, sizeof(struct fib_rule_hdr), AF_INET, read_rule, f) < 0 ||
	    netlink_dump(nl, RTM_GETRULE, sizeof(struct fib_rule_hdr), AF_INET6, read_rule, f) < 0)
		fact_add(f, FACT_UNREADABLE, "the routing rules");
	mnl_socket_close(nl);
}

/* ---- queues ---- */

/* The kernel names the socket by a number, which is that of its process in most cases. */
static void look_for_owner(struct facts *f, const struct conf *conf)
{
	for (unsigned i = 0; i < conf_queues(conf); i++) {
		unsigned            num = conf->inspect.queue_num + i;
		struct queue_kernel k;
		char                path[64], name[32] = "a program";
		FILE               *comm;

		if (queue_kernel_sum((uint16_t)num, &k) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%u/comm", k.portid);
		comm = fopen(path, "re");
		if (comm && fgets(name, sizeof(name), comm))
			name[strcspn(name, "\n")] = '\0';
		fact_add(f, FACT_QUEUE_TAKEN, "%s (queue %u, netlink port %u)", name, num, k.portid);
		if (comm) {
			fact_mend(f, "kill %u", k.portid);
			fclose(comm);
		}
		return;
	}
}

static void look_for_losses(struct facts *f, const struct conf *conf)
{
	unsigned long long lost = 0;

	for (unsigned i = 0; i < conf_queues(conf); i++) {
		struct queue_kernel k;

		if (queue_kernel_sum((uint16_t)(conf->inspect.queue_num + i), &k) == 0)
			lost += (unsigned long long)k.dropped + k.user_dropped;
	}
	if (lost)
		fact_add(f, FACT_LOST, "%llu packets", lost);
}

static void look_at_buffer(struct facts *f)
{
	int wanted = 0, size = queue_receive_buffer(&wanted);

	if (size < 0 || size >= wanted)
		return;
	fact_add(f, FACT_BUFFER, "%d KiB of %d KiB", size / 2048, wanted / 2048);
	fact_mend(f, "sysctl net.core.rmem_max=%d", wanted / 2);
}

/* ---- the connection table ---- */

static unsigned long long number_in(const char *path)
{
	FILE              *f = fopen(path, "re");
	unsigned long long v = 0;

	if (f && fscanf(f, "%llu", &v) != 1)
		v = 0;
	if (f)
		fclose(f);
	return v;
}

static void look_at_connections(struct facts *f)
{
	unsigned long long n = number_in("/proc/sys/net/netfilter/nf_conntrack_count");
	unsigned long long max = number_in("/proc/sys/net/netfilter/nf_conntrack_max");

	if (max && n * 100 >= max * FULL_PERCENT) {
		fact_add(f, FACT_CONNTRACK, "the connection table (%llu of %llu)", n, max);
		fact_mend(f, "sysctl net.netfilter.nf_conntrack_max=%llu", 2 * (n > max ? n : max));
	}
}

/* ---- the whole ---- */

void facts_of_kernel(struct facts *f, const struct conf *conf, bool running)
{
	struct steer_means means = { .nft_queue = false };
	struct err         err = { .text = "" };
	long               cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (!running && steer_probe(&means, &err) < 0) {
		fact_add(f, FACT_KERNEL, "%s", err.text);
		fact_mend(f, "modprobe -a nf_conntrack nfnetlink_queue nf_tables nft_ct nft_queue nft_compat xt_NFQUEUE");
	}
	if (running)
		look_for_losses(f, conf);
	else
		look_for_owner(f, conf);
	look_at_buffer(f);
	look_at_connections(f);
	if (cores > 0 && conf->inspect.queues > (unsigned long)cores)
		fact_add(f, FACT_CORES, "%u queue threads on %ld cores", conf->inspect.queues, cores);
}

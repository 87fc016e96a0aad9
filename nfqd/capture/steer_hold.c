/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds under `fail: closed` until a table that another program removed is back: chains that drop what
 * might be undecided, by its port. Written as plain netlink in one transaction of this process, since reading
 * the table's text takes libnftables longer than a question takes to be answered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include "capture/steer_private.h"

enum { LOOPBACK = 1 /* its index in every namespace */, OFFSET_DPORT = 2, PRIORITY = -151 /* mangle - 1 */ };

static const struct {
	const char *name;
	uint32_t    hook, interface; /* by which a packet comes or goes */
} chains[] = { { "hold_in", NF_INET_PRE_ROUTING, NFT_META_IIF },
	       { "hold_out", NF_INET_LOCAL_OUT, NFT_META_OIF },
	       { "hold_proxies", NF_INET_LOCAL_IN, NFT_META_IIF } };

static const uint16_t ports[] = { 53, 80, 443, 853 };

static void put_table(struct batch *b, const char *owner)
{
	struct nlmsghdr *nlh = batch_put(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK, NFPROTO_INET);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, "nfqd");
	steer_put_owner(nlh, owner);
	batch_advance(b, nlh);
}

static void put_chain(struct batch *b, unsigned i)
{
	struct nlmsghdr *nlh = batch_put(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK, NFPROTO_INET);
	struct nlattr   *hook;

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, "nfqd");
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, chains[i].name);
	hook = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(nlh, NFTA_HOOK_HOOKNUM, htonl(chains[i].hook));
	mnl_attr_put_u32(nlh, NFTA_HOOK_PRIORITY, htonl((uint32_t)PRIORITY));
	mnl_attr_nest_end(nlh, hook);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, "filter");
	batch_advance(b, nlh);
}

/* ---- rules: what is compared is in register 1 ---- */

static void put_compare(struct rule *r, const void *value, size_t n)
{
	struct nlattr *data;

	rule_expression(r, "cmp");
	mnl_attr_put_u32(r->nlh, NFTA_CMP_SREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(r->nlh, NFTA_CMP_OP, htonl(NFT_CMP_EQ));
	data = mnl_attr_nest_start(r->nlh, NFTA_CMP_DATA);
	mnl_attr_put(r->nlh, NFTA_DATA_VALUE, n, value);
	mnl_attr_nest_end(r->nlh, data);
}

static void put_loopback(struct batch *b, unsigned i)
{
	struct rule r = rule_begin(b, NFPROTO_INET, "nfqd", chains[i].name, "meta");
	uint32_t    index = LOOPBACK;

	mnl_attr_put_u32(r.nlh, NFTA_META_KEY, htonl(chains[i].interface));
	mnl_attr_put_u32(r.nlh, NFTA_META_DREG, htonl(NFT_REG_1));
	put_compare(&r, &index, sizeof(index));
	rule_verdict(&r, NF_ACCEPT);
	rule_end(b, &r);
}

static void put_port(struct batch *b, unsigned i, uint16_t port)
{
	struct rule r = rule_begin(b, NFPROTO_INET, "nfqd", chains[i].name, "payload");
	uint16_t    value = htons(port);

	mnl_attr_put_u32(r.nlh, NFTA_PAYLOAD_DREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(r.nlh, NFTA_PAYLOAD_BASE, htonl(NFT_PAYLOAD_TRANSPORT_HEADER));
	mnl_attr_put_u32(r.nlh, NFTA_PAYLOAD_OFFSET, htonl(OFFSET_DPORT));
	mnl_attr_put_u32(r.nlh, NFTA_PAYLOAD_LEN, htonl(sizeof(value)));
	put_compare(&r, &value, sizeof(value));
	rule_verdict(&r, NF_DROP);
	rule_end(b, &r);
}

static bool is_wanted(const struct steer_conf *c, uint32_t hook)
{
	return hook == NF_INET_LOCAL_OUT ? c->output : hook == NF_INET_LOCAL_IN ? c->n_proxies > 0 : c->forward;
}

/* The ports that a chain holds: of local proxies, or those where names are said. */
static void put_ports(struct batch *b, unsigned i, const struct steer_conf *c)
{
	bool     own = chains[i].hook == NF_INET_LOCAL_IN;
	unsigned n = own ? c->n_proxies : sizeof(ports) / sizeof(ports[0]);

	for (unsigned k = 0; k < n; k++)
		put_port(b, i, own ? (uint16_t)strtoul(c->proxies[k], NULL, 10) : ports[k]);
}

int steer_hold(struct steer *s)
{
	struct batch *b = batch_new();
	int           r, fd = steer_look_fd(s);

	if (!b)
		return -ENOMEM;
	put_table(b, s->conf.owner);
	for (unsigned i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		if (!is_wanted(&s->conf, chains[i].hook))
			continue;
		put_chain(b, i);
		put_loopback(b, i);
		put_ports(b, i, &s->conf);
	}
	r = batch_send(b, fd);
	free(b);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other tables' chains, rules and flowtables, dumped by nfnetlink: without the elements of sets, which
 * may be many, and with what iptables-nft's targets hold, which a listing in JSON leaves out.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nlattrs.h"
#include "base/shell.h"
#include "parent/checks_private.h"
#include "parent/netlink.h"

struct chain {
	uint8_t  family;
	char     table[64], name[64];
	int      priority; /* INT32_MAX: not a base chain */
	uint32_t hook;
	unsigned rules;    /* seen so far */
	bool     drops;    /* by its policy */
	bool     answers;  /* a rule accepts packets by their connection's state */
	unsigned fronts;   /* hooks that lead here before our chains: bits, 1 << hook */
	bool     called;   /* a rule of another chain leads here */
	bool     by_map;   /* a map names chains that its rules lead to */
};

struct jump {
	unsigned from, to; /* chains */
};

/* What the dumps have shown so far. */
struct dump {
	struct facts *facts;
	struct chain *chain;
	unsigned      chains;
	struct jump  *jump;
	unsigned      jumps;
};

static const char *family_name(uint8_t family)
{
	static const struct {
		uint8_t     family;
		const char *name;
	} names[] = { { NFPROTO_INET, "inet" },   { NFPROTO_IPV4, "ip" },     { NFPROTO_IPV6, "ip6" },
		      { NFPROTO_BRIDGE, "bridge" }, { NFPROTO_NETDEV, "netdev" }, { NFPROTO_ARP, "arp" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].family == family)
			return names[i].name;
	return "?";
}

static bool is_ip(uint8_t family)
{
	return family == NFPROTO_INET || family == NFPROTO_IPV4 || family == NFPROTO_IPV6;
}

static bool is_our_table(uint8_t family, const char *table)
{
	return family == NFPROTO_INET && strcmp(table, "nfqd") == 0;
}

/* ---- attributes ---- */

static struct nlattrs read_nested(const struct nlattr *nest)
{
	struct nlattrs a = { { NULL } };

	if (nest)
		mnl_attr_parse_nested(nest, nlattrs_keep, &a);
	return a;
}

static struct nlattrs message(const struct nlmsghdr *nlh)
{
	struct nlattrs a = { { NULL } };

	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), nlattrs_keep, &a);
	return a;
}

static uint32_t number(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) >= 4 ? ntohl(mnl_attr_get_u32(a)) : 0;
}

static const char *word(const struct nlattr *a)
{
	return a ? mnl_attr_get_str(a) : "";
}

/* ---- chains ---- */

static void fact_of_base(struct dump *d, const struct chain *c, const struct nlattrs *a)
{
	const char *family = family_name(c->family);

	if (strcmp(word(a->v[NFTA_CHAIN_TYPE]), "nat") == 0 && c->priority <= OUR_PRIORITY &&
	    (c->hook == NF_INET_PRE_ROUTING || c->hook == NF_INET_LOCAL_OUT))
		fact_add(d->facts, FACT_NAT_FRONT, "table %s %s, chain %s (priority %d)", family, c->table,
		         c->name, c->priority);
}

static bool lets_clients_through(const struct dump *d, const struct chain *forward)
{
	for (unsigned i = 0; i < d->chains; i++) {
		const struct chain *c = &d->chain[i];

		if (c->family == forward->family && strcmp(c->table, forward->table) == 0 &&
		    strcmp(c->name, "DOCKER-USER") == 0)
			return c->rules > 1; /* one is docker's own RETURN */
	}
	return true; /* not docker's */
}

/* Base chains whose policy is to drop, when their rules have been read. */
static void facts_of_policies(struct dump *d)
{
	for (unsigned i = 0; i < d->chains; i++) {
		const struct chain *c = &d->chain[i];
		const char         *family = family_name(c->family);
		char                table[FACT_COMMAND], name[FACT_COMMAND];

		if (!c->drops)
			continue;
		if (c->hook == NF_INET_LOCAL_OUT && !c->answers) {
			fact_add(d->facts, FACT_OUTPUT, "table %s %s, chain %s", family, c->table, c->name);
			fact_mend(d->facts, "nft insert rule %s %s %s ct state established,related accept", family,
			          shell_word(c->table, table, sizeof(table)), shell_word(c->name, name, sizeof(name)));
		}
		if (c->hook == NF_INET_FORWARD && !lets_clients_through(d, c)) {
			fact_add(d->facts, FACT_DOCKER, "table %s %s, chain %s", family, c->table, c->name);
			fact_mend(d->facts, DOCKER_COMMAND, c->family == NFPROTO_IPV6 ? "ip6tables" : "iptables");
		}
	}
}

static int read_chain(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct nlattrs           a = message(nlh), hook = read_nested(a.v[NFTA_CHAIN_HOOK]);
	struct dump           *d = ctx;
	struct chain          *more = realloc(d->chain, (d->chains + 1) * sizeof(*more)), *c;

	if (!more)
		return MNL_CB_ERROR;
	d->chain = more;
	c = &more[d->chains++];
	*c = (struct chain){ .family = nfg->nfgen_family, .priority = INT32_MAX };
	snprintf(c->table, sizeof(c->table), "%s", word(a.v[NFTA_CHAIN_TABLE]));
	snprintf(c->name, sizeof(c->name), "%s", word(a.v[NFTA_CHAIN_NAME]));
	if (hook.v[NFTA_HOOK_PRIORITY])
		c->priority = (int)number(hook.v[NFTA_HOOK_PRIORITY]);
	c->hook = number(hook.v[NFTA_HOOK_HOOKNUM]);
	c->drops = c->priority != INT32_MAX && is_ip(c->family) && !is_our_table(c->family, c->table) &&
	           a.v[NFTA_CHAIN_POLICY] && number(a.v[NFTA_CHAIN_POLICY]) == NF_DROP;
	if (c->priority <= OUR_PRIORITY)
		c->fronts = 1U << c->hook;
	if (c->priority != INT32_MAX && is_ip(c->family) && !is_our_table(c->family, c->table))
		fact_of_base(d, c, &a);
	return MNL_CB_OK;
}

static struct chain *chain_of(struct dump *d, uint8_t family, const char *table, const char *name)
{
	for (unsigned i = 0; i < d->chains; i++)
		if (d->chain[i].family == family && strcmp(d->chain[i].table, table) == 0 &&
		    strcmp(d->chain[i].name, name) == 0)
			return &d->chain[i];
	return NULL;
}

/* ---- which chains the hooks lead to ---- */

/* The state while a rule is searched for jumps. */
struct search {
	struct dump  *dump;
	struct chain *from;
};

static void add_jump(struct dump *d, struct chain *from, struct chain *to)
{
	struct jump *more = realloc(d->jump, (d->jumps + 1) * sizeof(*more));

	if (!more)
		return;
	d->jump = more;
	more[d->jumps++] = (struct jump){ (unsigned)(from - d->chain), (unsigned)(to - d->chain) };
	to->called = true;
}

static int read_jump(const struct nlattr *element, void *ctx)
{
	struct search *s = ctx;
	struct nlattrs e = read_nested(element), data = read_nested(e.v[NFTA_EXPR_DATA]), value, verdict;
	struct chain  *to;

	if (strcmp(word(e.v[NFTA_EXPR_NAME]), "lookup") == 0)
		s->from->by_map |= data.v[NFTA_LOOKUP_DREG] && number(data.v[NFTA_LOOKUP_DREG]) == NFT_REG_VERDICT;
	if (strcmp(word(e.v[NFTA_EXPR_NAME]), "immediate") != 0)
		return MNL_CB_OK;
	value = read_nested(data.v[NFTA_IMMEDIATE_DATA]);
	verdict = read_nested(value.v[NFTA_DATA_VERDICT]);
	to = verdict.v[NFTA_VERDICT_CHAIN] ? chain_of(s->dump, s->from->family, s->from->table,
	                                              word(verdict.v[NFTA_VERDICT_CHAIN]))
	                                   : NULL;
	if (to)
		add_jump(s->dump, s->from, to);
	return MNL_CB_OK;
}

static int read_jumps(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct nlattrs         a = message(nlh);
	struct search          s = { .dump = ctx };

	s.from = chain_of(ctx, nfg->nfgen_family, word(a.v[NFTA_RULE_TABLE]), word(a.v[NFTA_RULE_CHAIN]));
	if (s.from && a.v[NFTA_RULE_EXPRESSIONS])
		mnl_attr_parse_nested(a.v[NFTA_RULE_EXPRESSIONS], read_jump, &s);
	return MNL_CB_OK;
}

static bool same_table(const struct chain *a, const struct chain *b)
{
	return a->family == b->family && strcmp(a->table, b->table) == 0;
}

/* Where hooks lead one step further. A chain that no rule names may be one that a map does. Returns whether there was
 * any news. */
static bool spread(struct dump *d)
{
	bool news = false;

	for (unsigned i = 0; i < d->jumps; i++) {
		struct chain *to = &d->chain[d->jump[i].to];
		unsigned      before = to->fronts;

		to->fronts |= d->chain[d->jump[i].from].fronts;
		news |= to->fronts != before;
	}
	for (unsigned i = 0; i < d->chains; i++) {
		struct chain *to = &d->chain[i];
		unsigned      before = to->fronts;

		for (unsigned k = 0; k < d->chains && to->priority == INT32_MAX && !to->called; k++)
			if (d->chain[k].by_map && same_table(&d->chain[k], to))
				to->fronts |= d->chain[k].fronts;
		news |= to->fronts != before;
	}
	return news;
}

/* Only tables with a chain in front of ours and with one that no hook calls need another dump. */
static bool has_jumps(const struct dump *d)
{
	for (unsigned i = 0; i < d->chains; i++)
		for (unsigned k = 0; d->chain[i].fronts && k < d->chains; k++)
			if (d->chain[k].priority == INT32_MAX && same_table(&d->chain[i], &d->chain[k]) &&
			    !is_our_table(d->chain[i].family, d->chain[i].table))
				return true;
	return false;
}

/* ---- rules ---- */

/* The state while a rule's expressions are read. */
struct rule {
	struct facts *facts;
	const char   *where;
	bool          front, output; /* see struct xt_rule */
	bool          on_the_way;    /* it meets what this host sends its own programs or others */
	bool          by_sender;     /* it looks at the kind of the sender's address */
	bool          ours;          /* nfqd 0.1.0's, with its comment */
	bool          by_state, accepts;
	bool          sets_ours;     /* the latest constant has a bit that is a label of ours */
	char          remove[FACT_COMMAND];
};

/* The rule just added can be taken away. */
static void mend_by_removal(const struct rule *r)
{
	fact_mend(r->facts, "%s", r->remove);
}

static void on_meta(struct rule *r, const struct nlattrs *a)
{
	if (r->output && a->v[NFTA_META_SREG] && number(a->v[NFTA_META_KEY]) == NFT_META_MARK)
		fact_add(r->facts, FACT_MARK, "%s", r->where), mend_by_removal(r);
}

static bool has_label_of_ours(const struct nlattr *value)
{
	const uint8_t *bytes = value ? mnl_attr_get_payload(value) : NULL;
	uint32_t       words[4];

	if (!value || mnl_attr_get_payload_len(value) != sizeof(words))
		return false;
	memcpy(words, bytes, sizeof(words));
	return (words[3] & 0xfffffff0) != 0; /* 100 to 127 */
}

static void on_immediate(struct rule *r, const struct nlattrs *a)
{
	struct nlattrs data = read_nested(a->v[NFTA_IMMEDIATE_DATA]), verdict = read_nested(data.v[NFTA_DATA_VERDICT]);

	r->sets_ours = has_label_of_ours(data.v[NFTA_DATA_VALUE]);
	r->accepts |= verdict.v[NFTA_VERDICT_CODE] && number(verdict.v[NFTA_VERDICT_CODE]) == NF_ACCEPT;
	if (r->on_the_way && r->by_sender && verdict.v[NFTA_VERDICT_CODE] && number(verdict.v[NFTA_VERDICT_CODE]) == NF_DROP)
		fact_add(r->facts, FACT_RAW_DROP, "%s", r->where);
}

static void on_fib(struct rule *r, const struct nlattrs *a)
{
	r->by_sender |= a->v[NFTA_FIB_RESULT] && number(a->v[NFTA_FIB_RESULT]) == NFT_FIB_RESULT_ADDRTYPE &&
	                a->v[NFTA_FIB_FLAGS] && number(a->v[NFTA_FIB_FLAGS]) & NFTA_FIB_F_SADDR;
}

static void on_ct(struct rule *r, const struct nlattrs *a)
{
	uint32_t key = a->v[NFTA_CT_KEY] ? number(a->v[NFTA_CT_KEY]) : 0;

	r->by_state |= key == NFT_CT_STATE;
	if (key == NFT_CT_LABELS && a->v[NFTA_CT_SREG] && r->sets_ours) {
		fact_add(r->facts, FACT_LABEL, "%s", r->where);
		mend_by_removal(r);
	}
}

static void on_notrack(struct rule *r, const struct nlattrs *a)
{
	(void)a;
	fact_add(r->facts, FACT_NOTRACK, "%s", r->where);
	mend_by_removal(r);
}

static void on_queue(struct rule *r, const struct nlattrs *a)
{
	(void)a;
	fact_add(r->facts, r->front ? FACT_QUEUE_FRONT : FACT_QUEUE, "%s", r->where);
	mend_by_removal(r);
}

static void on_tproxy(struct rule *r, const struct nlattrs *a)
{
	(void)a;
	fact_add(r->facts, FACT_TPROXY, "%s", r->where);
	mend_by_removal(r);
}

static void on_match(struct rule *r, const struct nlattrs *a)
{
	const struct nlattr *info = a->v[NFTA_MATCH_INFO];

	r->by_sender |= strcmp(word(a->v[NFTA_MATCH_NAME]), "addrtype") == 0 && info && mnl_attr_get_payload_len(info) >= 2 &&
	                *(const uint16_t *)mnl_attr_get_payload(info) != 0; /* the sender's, in every revision */
	r->by_state |= strcmp(word(a->v[NFTA_MATCH_NAME]), "conntrack") == 0 ||
	               strcmp(word(a->v[NFTA_MATCH_NAME]), "state") == 0;
	r->ours |= strcmp(word(a->v[NFTA_MATCH_NAME]), "comment") == 0 && info &&
	           mnl_attr_get_payload_len(info) > sizeof("nfqd") &&
	           memcmp(mnl_attr_get_payload(info), "nfqd", sizeof("nfqd")) == 0;
}

static void on_target(struct rule *r, const struct nlattrs *a)
{
	const struct nlattr *info = a->v[NFTA_TARGET_INFO];

	if (!r->ours && info)
		fact_of_xt(r->facts, &(struct xt_rule){ word(a->v[NFTA_TARGET_NAME]), r->where,
		                                        mnl_attr_get_payload(info),
		                                        mnl_attr_get_payload_len(info), r->front,
		                                        r->output, r->remove });
}

static const struct {
	const char *name;
	void (*on)(struct rule *, const struct nlattrs *);
} expressions[] = {
	{ "meta", on_meta },     { "notrack", on_notrack }, { "queue", on_queue },
	{ "tproxy", on_tproxy }, { "match", on_match },     { "target", on_target },
	{ "ct", on_ct },         { "immediate", on_immediate }, { "fib", on_fib },
};

static int read_expression(const struct nlattr *element, void *ctx)
{
	struct nlattrs e = read_nested(element), data = read_nested(e.v[NFTA_EXPR_DATA]);

	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++)
		if (strcmp(word(e.v[NFTA_EXPR_NAME]), expressions[i].name) == 0)
			expressions[i].on(ctx, &data);
	return MNL_CB_OK;
}

static int read_rule(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct nlattrs           a = message(nlh);
	struct dump           *d = ctx;
	const char            *table = word(a.v[NFTA_RULE_TABLE]);
	struct chain          *c = chain_of(d, nfg->nfgen_family, table, word(a.v[NFTA_RULE_CHAIN]));
	char                   where[FACT_WHERE], words[2][FACT_COMMAND];
	struct rule            r = { .facts = d->facts, .where = where };

	if (!c || !is_ip(nfg->nfgen_family) || is_our_table(nfg->nfgen_family, table))
		return MNL_CB_OK;
	r.front = c->fronts != 0;
	r.output = c->fronts & 1U << NF_INET_LOCAL_OUT;
	r.on_the_way = c->fronts & 1U << NF_INET_PRE_ROUTING ||
	               (c->priority != INT32_MAX && c->hook == NF_INET_LOCAL_OUT);
	snprintf(where, sizeof(where), "table %s %s, chain %s, rule %u", family_name(nfg->nfgen_family),
	         table, c->name, ++c->rules);
	if (a.v[NFTA_RULE_HANDLE])
		snprintf(r.remove, sizeof(r.remove), "nft delete rule %s %s %s handle %llu",
		         family_name(nfg->nfgen_family), shell_word(table, words[0], sizeof(words[0])),
		         shell_word(c->name, words[1], sizeof(words[1])), (unsigned long long)be64toh(mnl_attr_get_u64(a.v[NFTA_RULE_HANDLE])));
	if (a.v[NFTA_RULE_EXPRESSIONS])
		mnl_attr_parse_nested(a.v[NFTA_RULE_EXPRESSIONS], read_expression, &r);
	c->answers |= r.by_state && r.accepts;
	return MNL_CB_OK;
}

static int read_flowtable(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct nlattrs           a = message(nlh);
	struct dump           *d = ctx;

	fact_add(d->facts, FACT_FLOWTABLE, "table %s %s, flowtable %s", family_name(nfg->nfgen_family),
	         word(a.v[NFTA_FLOWTABLE_TABLE]), word(a.v[NFTA_FLOWTABLE_NAME]));
	return MNL_CB_OK;
}

/* ---- dumps ---- */

static int dump(struct mnl_socket *nl, uint16_t type, mnl_cb_t cb, struct dump *d)
{
	return netlink_dump(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), sizeof(struct nfgenmsg),
	                    NFPROTO_UNSPEC, cb, d);
}

static bool read_ruleset(struct mnl_socket *nl, struct dump *d)
{
	if (dump(nl, NFT_MSG_GETCHAIN, read_chain, d) < 0 ||
	    (has_jumps(d) && dump(nl, NFT_MSG_GETRULE, read_jumps, d) < 0))
		return false;
	while (spread(d))
		;
	return dump(nl, NFT_MSG_GETRULE, read_rule, d) >= 0;
}

void facts_of_nft(struct facts *f)
{
	struct dump        d = { .facts = f };
	struct mnl_socket *nl = netlink_open(NETLINK_NETFILTER, 0);

	if (!nl || !read_ruleset(nl, &d))
		fact_add(f, FACT_UNREADABLE, "the nft ruleset");
	else
		facts_of_policies(&d), (void)dump(nl, NFT_MSG_GETFLOWTABLE, read_flowtable, &d); /* a kernel without has none */
	free(d.chain);
	free(d.jump);
	if (nl)
		mnl_socket_close(nl);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the checks: the sources collect facts without an opinion; checks.c has the opinions. */
#ifndef NFQD_PARENT_CHECKS_PRIVATE_H
#define NFQD_PARENT_CHECKS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;

enum fact_kind {
	FACT_MARK,       /* a rule that marks this host's own packets before our chains */
	FACT_FLOWTABLE,
	FACT_NOTRACK,
	FACT_QUEUE,      /* another program's NFQUEUE after our chains */
	FACT_QUEUE_FRONT, /* and before them */
	FACT_NAT_FRONT,  /* destination NAT before our chains */
	FACT_TPROXY,
	FACT_RAW_DROP,   /* a rule that drops what this host sends in another's name */
	FACT_OUTPUT,     /* an OUTPUT policy that drops */
	FACT_PROXY,      /* a program that listens */
	FACT_VRF,
	FACT_BRIDGE,     /* traffic across it is not inspected */
	FACT_SHARED,     /* macvlan or the like on an uplink */
	FACT_LABEL,      /* a rule that sets connection labels of ours */
	FACT_RULE_MARK,  /* a routing rule by mark, where verdicts travel in the mark */
	FACT_DOCKER,     /* docker's FORWARD policy */
	FACT_INSIDE,     /* an interface of inspect.inside that does not exist */
	FACT_UNREADABLE, /* a source of facts that could not be read */
	/* of the doctor alone: what keeps nfqd from starting, or from doing well */
	FACT_KERNEL,
	FACT_QUEUE_TAKEN,
	FACT_BUFFER,
	FACT_LOST,
	FACT_CONNTRACK,
	FACT_CONFIGURATION,
	FACT_CLOCK,
	FACT_EXPIRED,
	FACT_UNSIGNED,
	FACT_FOLDER,
	FACT_SPACE,
	FACT_CORES,
	FACT_DNS_TLS,
	FACT_RESOLVER,
	FACT_KINDS
};

#define DOCKER_COMMAND "%s -I DOCKER-USER -i LAN -j ACCEPT" /* LAN: the interface of the site's clients */

enum { FACT_WHERE = 256, FACT_COMMAND = 256, FACTS_MAX = 256, OUR_PRIORITY = -151 /* mangle - 1 */ };

struct facts {
	unsigned n;
	struct fact {
		enum fact_kind kind;
		char           where[FACT_WHERE];
		char           command[FACT_COMMAND]; /* mends it; "": there is no single one */
	} v[FACTS_MAX];
	bool full; /* one more was not added */
};

/* Adds nothing beyond FACTS_MAX. */
__attribute__((format(printf, 3, 4))) void fact_add(struct facts *f, enum fact_kind kind,
                                                    const char *where, ...);

/* The command that mends the fact that was added last. */
__attribute__((format(printf, 2, 3))) void fact_mend(struct facts *f, const char *command, ...);

/* The sources. */
void facts_of_nft(struct facts *f);      /* checks_nft.c: nf_tables, iptables-nft's tables included */
void facts_of_iptables(struct facts *f); /* checks_xt.c: iptables-legacy */
/* checks_host.c: interfaces, programs; the ports of proxies that are known */
void facts_of_host(struct facts *f, char *const *ports, unsigned n_ports);
void facts_of_rules(struct facts *f, bool mark_token); /* checks_kernel.c: routing rules */
void facts_of_kernel(struct facts *f, const struct conf *conf, bool running);
void facts_of_site(struct facts *f, const struct conf *conf); /* checks_site.c: what the configuration names */

void facts_of_inside(struct facts *f, char *const inside[], unsigned n);

/* A rule's target as an xt extension. data are n bytes of the target's own structure. */
struct xt_rule {
	const char *target, *where;
	const void *data;
	size_t      n;
	bool        front;  /* in a chain of a hook, before ours */
	bool        output; /* and that hook is OUTPUT */
	const char *remove; /* the command that takes the rule away */
};
void fact_of_xt(struct facts *f, const struct xt_rule *rule);

#endif

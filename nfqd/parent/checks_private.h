/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the checks: the sources collect facts without an opinion; checks.c has the opinions. */
#ifndef NFQD_PARENT_CHECKS_PRIVATE_H
#define NFQD_PARENT_CHECKS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fact_kind {
	FACT_MARK,       /* a rule that marks this host's own packets before our chains */
	FACT_FLOWTABLE,
	FACT_NOTRACK,
	FACT_QUEUE,      /* another program's NFQUEUE after our chains */
	FACT_QUEUE_FRONT, /* and before them */
	FACT_NAT_FRONT,  /* destination NAT before our chains */
	FACT_TPROXY,
	FACT_OUTPUT,     /* an OUTPUT policy that drops */
	FACT_PROXY,      /* a program that listens */
	FACT_VRF,
	FACT_BRIDGE,     /* traffic across it is not inspected */
	FACT_SHARED,     /* macvlan or the like on an uplink */
	FACT_UNREADABLE, /* a source of facts that could not be read */
	FACT_KINDS
};

enum { FACT_WHERE = 160, FACTS_MAX = 256, OUR_PRIORITY = -151 /* mangle - 1 */ };

struct facts {
	unsigned n;
	struct fact {
		enum fact_kind kind;
		char           where[FACT_WHERE];
	} v[FACTS_MAX];
};

/* Adds nothing beyond FACTS_MAX. */
__attribute__((format(printf, 3, 4))) void fact_add(struct facts *f, enum fact_kind kind,
                                                    const char *where, ...);

/* The sources. */
void facts_of_nft(struct facts *f);      /* checks_nft.c: nf_tables, iptables-nft's tables included */
void facts_of_iptables(struct facts *f); /* checks_xt.c: iptables-legacy */
void facts_of_host(struct facts *f);     /* checks_host.c: interfaces, programs */

/* A rule's target as an xt extension. data are n bytes of the target's own structure. */
struct xt_rule {
	const char *target, *where;
	const void *data;
	size_t      n;
	bool        front;  /* in a chain of a hook, before ours */
	bool        output; /* and that hook is OUTPUT */
};
void fact_of_xt(struct facts *f, const struct xt_rule *rule);

#endif

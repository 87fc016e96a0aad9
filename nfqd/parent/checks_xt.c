/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads iptables-legacy's rules by getsockopt() as libiptc does (linux/netfilter_ipv4/ip_tables.h), so that
 * no iptables program is needed; and says what xt targets mean, which iptables-nft uses, too. Only tables
 * that are in use are read: asking for another one would load and hook it.
 */
#include <errno.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/shell.h"
#include "parent/checks_private.h"

/* ---- what targets mean ---- */

/* Calico's rules in raw's OUTPUT clear bits of the mark and set none: a packet without a mark stays without one. */
static bool only_clears(const struct xt_rule *r)
{
	struct xt_mark_tginfo2 mark;

	if (strcmp(r->target, "MARK") != 0 || r->n < sizeof(mark))
		return false;
	memcpy(&mark, r->data, sizeof(mark));
	return mark.mark == 0;
}

static enum fact_kind kind_of_target(const struct xt_rule *r)
{
	uint16_t flags = 0;

	if (strcmp(r->target, "CT") == 0 && r->n >= sizeof(flags))
		memcpy(&flags, r->data, sizeof(flags)); /* the first member in every revision */
	if (flags & XT_CT_NOTRACK || strcmp(r->target, "NOTRACK") == 0)
		return FACT_NOTRACK;
	if (strcmp(r->target, "NFQUEUE") == 0)
		return r->front ? FACT_QUEUE_FRONT : FACT_QUEUE;
	if (strcmp(r->target, "TPROXY") == 0)
		return FACT_TPROXY;
	if (strcmp(r->target, "FLOWOFFLOAD") == 0)
		return FACT_FLOWTABLE;
	if (r->output && !only_clears(r) &&
	    (strcmp(r->target, "MARK") == 0 || strcmp(r->target, "CONNMARK") == 0))
		return FACT_MARK;
	return FACT_KINDS;
}

void fact_of_xt(struct facts *f, const struct xt_rule *r)
{
	enum fact_kind kind = kind_of_target(r);

	if (kind == FACT_KINDS)
		return;
	fact_add(f, kind, "%s (%s)", r->where, kind == FACT_NOTRACK ? "CT --notrack" : r->target);
	fact_mend(f, "%s", r->remove);
}

/* ---- the tables ---- */

/* The two families differ in the header of an entry; struct ip6t_getinfo is struct ipt_getinfo. */
struct family {
	const char *name, *in_use;
	int         domain, level, get_info, get_entries;
	size_t      header, target_at, next_at; /* of an entry; where its two offsets are */
};

static const struct family families[] = {
	{ "iptables-legacy", "/proc/net/ip_tables_names", AF_INET, IPPROTO_IP, IPT_SO_GET_INFO,
	  IPT_SO_GET_ENTRIES, sizeof(struct ipt_entry), offsetof(struct ipt_entry, target_offset),
	  offsetof(struct ipt_entry, next_offset) },
	{ "ip6tables-legacy", "/proc/net/ip6_tables_names", AF_INET6, IPPROTO_IPV6, IP6T_SO_GET_INFO,
	  IP6T_SO_GET_ENTRIES, sizeof(struct ip6t_entry), offsetof(struct ip6t_entry, target_offset),
	  offsetof(struct ip6t_entry, next_offset) },
};

enum { CHAINS_MAX = 256 };

/* A table while it is read. */
struct table {
	const struct family *family;
	struct ipt_getinfo   info;
	const char          *entries;
	char                 chain[XT_TABLE_MAXNAMELEN];
	unsigned             rule; /* of the chain */
	unsigned             fronts;   /* hooks that lead to the chain before our chains: bits, 1 << hook */
	unsigned             chains;   /* of those known by their place */
	struct {
		size_t   at; /* the first rule */
		unsigned fronts;
	} of[CHAINS_MAX];
	bool                 answers;  /* OUTPUT accepts packets by their connection's state */
	bool                 drops;    /* FORWARD, by its policy */
	unsigned             docker;   /* rules of DOCKER-USER, its end among them; 0: there is no such chain */
};

static uint16_t offset(const char *entry, size_t at)
{
	uint16_t v;

	memcpy(&v, entry + at, sizeof(v));
	return v;
}

/* Did nfqd 0.1.0 leave it? Its rules carry a comment. */
static bool is_ours(const char *entry, size_t from, size_t to)
{
	while (from + sizeof(struct xt_entry_match) <= to) {
		struct xt_entry_match m;

		memcpy(&m, entry + from, sizeof(m));
		if (m.u.match_size < sizeof(m) || m.u.match_size > to - from)
			return false;
		if (strcmp(m.u.user.name, "comment") == 0 && m.u.match_size > sizeof(m) + sizeof("nfqd") &&
		    memcmp(entry + from + sizeof(m), "nfqd", sizeof("nfqd")) == 0)
			return true;
		from += m.u.match_size;
	}
	return false;
}

/* Which chain begins at this entry? Built-in ones are known by their place, others by their ERROR target. */
static bool begins_chain(struct table *t, size_t at, const struct xt_entry_target *target)
{
	static const char *const hooks[NF_INET_NUMHOOKS] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
		                                             "POSTROUTING" };
	const struct xt_error_target *error = (const void *)target;

	for (unsigned h = 0; h < NF_INET_NUMHOOKS; h++)
		if (t->info.valid_hooks & 1U << h && t->info.hook_entry[h] == at) {
			snprintf(t->chain, sizeof(t->chain), "%s", hooks[h]);
			t->rule = 0;
		}
	if (strcmp(target->u.user.name, XT_ERROR_TARGET) != 0)
		return false;
	snprintf(t->chain, sizeof(t->chain), "%s", error->errorname);
	t->rule = 0;
	return true;
}

/* Of the chain whose first rule is at `at`; NULL: there is no room for it. */
static unsigned *fronts_of(struct table *t, size_t at)
{
	for (unsigned i = 0; i < t->chains; i++)
		if (t->of[i].at == at)
			return &t->of[i].fronts;
	if (t->chains == CHAINS_MAX)
		return NULL;
	t->of[t->chains].at = at;
	t->of[t->chains].fronts = 0;
	return &t->of[t->chains++].fronts;
}

/* What leads there is added to what is known. Returns whether that was news: for a chain without room it never is. */
static bool lead_to(struct table *t, size_t at)
{
	unsigned *fronts = fronts_of(t, at), before = fronts ? *fronts : 0;

	if (!fronts)
		return false;
	*fronts |= t->fronts;
	return *fronts != before;
}

/* Only the table raw is in front of ours. A chain of the user's begins behind its ERROR target. */
static void enter_chain(struct table *t, size_t at, size_t length, const struct xt_entry_target *target)
{
	if (strcmp(t->info.name, "raw") != 0)
		return;
	for (unsigned h = 0; h < NF_INET_NUMHOOKS; h++)
		if (t->info.valid_hooks & 1U << h && t->info.hook_entry[h] == at)
			t->fronts = 1U << h;
	if (strcmp(target->u.user.name, XT_ERROR_TARGET) == 0) {
		const unsigned *fronts = fronts_of(t, at + length);

		t->fronts = fronts ? *fronts : 0;
	}
}

/* Does it drop packets by what kind of address their sender has, as wg-quick's does? */
static bool drops_by_sender(const char *entry, size_t from, const struct xt_entry_target *target)
{
	const struct xt_standard_target *standard = (const void *)target;
	bool                             by_sender = false;
	struct xt_entry_match            m;
	uint16_t                         kinds;

	for (; entry + from + sizeof(m) + sizeof(kinds) <= (const char *)target; from += m.u.match_size) {
		memcpy(&m, entry + from, sizeof(m));
		if (m.u.match_size < sizeof(m))
			return false;
		memcpy(&kinds, entry + from + sizeof(m), sizeof(kinds)); /* the sender's, in every revision */
		by_sender |= strcmp(m.u.user.name, "addrtype") == 0 && kinds != 0;
	}
	return by_sender && target->u.user.name[0] == '\0' && standard->verdict == -NF_DROP - 1;
}

static bool is_policy(const struct table *t, unsigned hook, size_t at, int verdict,
                      const struct xt_entry_target *target)
{
	const struct xt_standard_target *standard = (const void *)target;

	return strcmp(t->info.name, "filter") == 0 && t->info.valid_hooks & 1U << hook &&
	       t->info.underflow[hook] == at && standard->verdict == -verdict - 1;
}

static void read_policies(struct facts *f, struct table *t, size_t at, const struct xt_entry_target *target)
{
	t->drops |= is_policy(t, NF_INET_FORWARD, at, NF_DROP, target);
	if (t->answers || !is_policy(t, NF_INET_LOCAL_OUT, at, NF_DROP, target))
		return;
	fact_add(f, FACT_OUTPUT, "%s: table filter, chain OUTPUT", t->family->name);
	fact_mend(f, "%s -I OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", t->family->name);
}

/* A rule of OUTPUT that accepts by state, a rule of docker's chain for the user. */
static void read_filter_rule(struct table *t, size_t at, size_t from, const struct xt_entry_target *target)
{
	const struct xt_standard_target *standard = (const void *)target;
	const struct xt_entry_match     *match = (const void *)(t->entries + at + from);

	t->docker += strcmp(t->chain, "DOCKER-USER") == 0;
	if (strcmp(t->chain, "OUTPUT") == 0 && target->u.user.name[0] == '\0' &&
	    standard->verdict == -NF_ACCEPT - 1 && (const char *)match + sizeof(*match) <= (const char *)target)
		t->answers |= strcmp(match->u.user.name, "conntrack") == 0 ||
		              strcmp(match->u.user.name, "state") == 0;
}

/* Returns the entry's length; 0: the entry is malformed. */
static size_t read_entry(struct facts *f, struct table *t, size_t at)
{
	const struct family    *fam = t->family;
	const char             *entry = t->entries + at;
	size_t                  room = t->info.size - at, target_at, next;
	struct xt_entry_target *target;
	char                    where[FACT_WHERE], remove[FACT_COMMAND], chain[FACT_COMMAND];

	if (room < fam->header)
		return 0;
	target_at = offset(entry, fam->target_at);
	next = offset(entry, fam->next_at);
	if (next > room || target_at < fam->header || target_at + sizeof(*target) > next)
		return 0;
	target = (struct xt_entry_target *)(uintptr_t)(entry + target_at);
	enter_chain(t, at, next, target);
	if (begins_chain(t, at, target))
		return next;
	t->rule++;
	read_filter_rule(t, at, fam->header, target);
	read_policies(f, t, at, target);
	if (is_ours(entry, fam->header, target_at))
		return next;
	snprintf(where, sizeof(where), "%s: table %s, chain %s, rule %u", fam->name, t->info.name,
	         t->chain, t->rule);
	snprintf(remove, sizeof(remove), "%s -t %s -D %s %u", fam->name, t->info.name,
	         shell_word(t->chain, chain, sizeof(chain)), t->rule);
	fact_of_xt(f, &(struct xt_rule){ .target = target->u.user.name, .where = where, .remove = remove,
	                                 .data = target->data,
	                                 .n = target->u.target_size - sizeof(*target),
	                                 .front = t->fronts != 0,
	                                 .output = t->fronts & 1U << NF_INET_LOCAL_OUT });
	if ((t->fronts & 1U << NF_INET_PRE_ROUTING || strcmp(t->chain, "OUTPUT") == 0) &&
	    drops_by_sender(entry, fam->header, target))
		fact_add(f, FACT_RAW_DROP, "%s", where);
	return next;
}

/* One look at every rule of a table of chains in front of ours: which chains do hooks lead to? Returns whether there
 * was any news. */
static bool follow_jumps(struct table *t)
{
	bool   news = false;
	size_t next;

	t->fronts = 0;
	for (size_t at = 0; at + t->family->header <= t->info.size; at += next) {
		size_t                           target_at = offset(t->entries + at, t->family->target_at);
		const struct xt_standard_target *target = (const void *)(t->entries + at + target_at);

		next = offset(t->entries + at, t->family->next_at);
		if (next > t->info.size - at || target_at + sizeof(*target) > next)
			return false;
		enter_chain(t, at, next, &target->target);
		if (target->target.u.user.name[0] == '\0' && target->verdict >= 0)
			news |= lead_to(t, (size_t)target->verdict);
	}
	return news;
}

static void read_entries(struct facts *f, struct table *t)
{
	while (strcmp(t->info.name, "raw") == 0 && follow_jumps(t))
		;
	t->fronts = 0;
	for (size_t at = 0, n; at < t->info.size && (n = read_entry(f, t, at)) > 0;)
		at += n;
}

static void read_table(struct facts *f, const struct family *fam, int fd, const char *name)
{
	struct table            t = { .family = fam };
	struct ipt_get_entries *get = NULL;
	socklen_t               len = sizeof(t.info);

	snprintf(t.info.name, sizeof(t.info.name), "%.31s", name);
	if (getsockopt(fd, fam->level, fam->get_info, &t.info, &len) == 0)
		get = calloc(1, sizeof(*get) + t.info.size);
	if (get) {
		snprintf(get->name, sizeof(get->name), "%.31s", name);
		get->size = t.info.size;
		len = (socklen_t)(sizeof(*get) + t.info.size);
		t.entries = (const char *)get->entrytable;
	}
	if (!get || getsockopt(fd, fam->level, fam->get_entries, get, &len) < 0)
		fact_add(f, FACT_UNREADABLE, "%s: table %s", fam->name, name);
	else
		read_entries(f, &t);
	if (t.drops && t.docker > 0 && t.docker <= 2) { /* docker's own RETURN, and the chain's end */
		fact_add(f, FACT_DOCKER, "%s: table filter, chain FORWARD", fam->name);
		fact_mend(f, DOCKER_COMMAND, fam->name);
	}
	free(get);
}

static void read_family(struct facts *f, const struct family *fam)
{
	FILE *names = fopen(fam->in_use, "re");
	char  name[XT_TABLE_MAXNAMELEN + 1];
	int   fd = names ? socket(fam->domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW) : -1;

	while (fd >= 0 && fgets(name, sizeof(name), names)) {
		name[strcspn(name, "\n")] = '\0';
		read_table(f, fam, fd, name);
	}
	if (fd >= 0)
		close(fd);
	if (names)
		fclose(names);
}

void facts_of_iptables(struct facts *f)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		read_family(f, &families[i]);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table `inet nfqd` as nft text: its frame, whose packets are judged, and the chains that hang in the
 * kernel's hooks. Nothing here talks to the kernel. A rule lists as it is written here, so that a saved
 * ruleset loads again: protocols are numbers (names would need /etc/protocols), one in a rule.
 */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "capture/steer_private.h"

/* ---- whose packets are judged ---- */

/* One index, or several as an anonymous set. */
static void write_indices(FILE *f, const uint32_t *index, unsigned n)
{
	fputs(n == 1 ? "" : "{ ", f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "%s%u", i ? ", " : "", index[i]);
	fputs(n == 1 ? "" : " }", f);
}

/* Comes (or goes) by an interface that is outside, and not back there. */
static void write_from_outside(FILE *f, const struct steer *s, const char *by, const char *not_by)
{
	fprintf(f, "\t\t%s ", by);
	write_indices(f, s->outside, s->n_outside);
	if (not_by) {
		fprintf(f, " %s != ", not_by);
		write_indices(f, s->outside, s->n_outside);
	} else if (strcmp(by, "iif") == 0) {
		fputs(" fib daddr type local", f);
	}
	fputs(" accept\n", f);
}

/* The only interface inside, where that is all the site has named; 0: there is none such. */
static uint32_t only_inside(const struct steer *s)
{
	return s->n_inside == 1 && s->conf.n_inside == 1 ? s->inside[0] : 0;
}

/*
 * With `auto`, all clients except those that come in from outside; in and out by the same side means a
 * router on a stick, or a choice of uplinks. Otherwise the clients that the site names.
 */
static void write_whom(FILE *f, const struct steer *s, bool routed)
{
	if (s->conf.inside_auto && s->n_outside)
		write_from_outside(f, s, "iif", routed ? "oif" : NULL);
	if (s->conf.inside_auto)
		return;
	if (only_inside(s))
		RULE(f, "iif != %u accept", only_inside(s));
	else
		RULE(f, "jump whom");
}

void write_whom_answered(FILE *f, const struct steer *s, bool routed)
{
	if (s->conf.inside_auto && s->n_outside)
		write_from_outside(f, s, "oif", routed ? "iif" : NULL);
	if (s->conf.inside_auto)
		return;
	if (only_inside(s))
		RULE(f, "oif != %u accept", only_inside(s));
	else
		RULE(f, "jump whom_answered");
}

static void write_inside(FILE *f, const struct steer *s, const char *iface, const char *addr)
{
	for (unsigned i = 0; i < s->n_inside; i++)
		RULE(f, "%s %u return", iface, s->inside[i]);
	for (unsigned i = 0; i < s->conf.n_inside; i++) {
		struct net net;

		if (net_parse(s->conf.inside[i], &net) == 0)
			RULE(f, "%s %s %s return", net.addr.len == 4 ? "ip" : "ip6", addr,
			     s->conf.inside[i]);
	}
	RULE(f, "accept");
}

static void write_whom_chains(FILE *f, const struct steer *s)
{
	if (s->conf.inside_auto || only_inside(s))
		return;
	fputs("\tchain whom {\n", f);
	write_inside(f, s, "iif", "saddr");
	fputs("\t}\n\tchain whom_answered {\n", f);
	write_inside(f, s, "oif", "daddr");
	fputs("\t}\n", f);
}

/* ---- hooks ---- */

static void begin_hook(FILE *f, const char *hook)
{
	fprintf(f, "\tchain steer_%s {\n\t\ttype filter hook %s priority mangle - 1; policy accept;\n",
	        hook, hook);
}

static void write_prerouting(FILE *f, const struct steer *s)
{
	uint32_t inside = only_inside(s);

	begin_hook(f, "prerouting");
	if (inside)
		RULE(f, "th dport 53 iif %u goto routed_dns", inside);
	else
		RULE(f, "th dport 53 iif != lo goto routed_dns");
	fputs("\t}\n\tchain routed_dns {\n", f);
	write_came_back(f, s);
	write_offer(f, s); /* what may pass unseen passes wherever it comes from: the cheapest way comes first */
	if (!inside) { /* once more, by the VRF's own device */
		RULE(f, "meta iifkind \"vrf\" accept");
		write_whom(f, s, false);
	}
	write_dns_split(f);
	fputs("\t}\n", f);
}

/* The end of a base chain: one chain for each protocol. */
static void write_split(FILE *f, const char *hook)
{
	RULE(f, "meta l4proto 17 goto %s_udp", hook);
	RULE(f, "meta l4proto 6 goto %s_tcp", hook);
	RULE(f, "goto %s_other", hook);
	fputs("\t}\n", f);
}

static void write_forward_chains(FILE *f, const struct steer *s)
{
	fputs("\tchain forward_udp {\n", f);
	write_decided(f, s);
	if (s->conf.answers)
		RULE(f, "th sport 53 jump routed_answer");
	write_whom(f, s, true);
	RULE(f, "goto rest_udp");
	fputs("\t}\n\tchain forward_tcp {\n", f);
	write_decided(f, s);
	if (steer_holds(s))
		RULE(f, "%s jump held_reply", state_is(s, LABEL_HELD));
	if (s->conf.answers)
		RULE(f, "th sport 53 jump routed_answer");
	write_whom(f, s, true);
	RULE(f, "goto rest_tcp");
	fputs("\t}\n\tchain forward_other {\n", f);
	write_decided(f, s);
	write_whom(f, s, true);
	RULE(f, "goto rest_other");
	fputs("\t}\n", f);
}

static void write_forward(FILE *f, const struct steer *s)
{
	begin_hook(f, "forward");
	write_came_back(f, s);
	write_allowed(f, s);
	RULE(f, "th dport 53 goto forward_dns");
	write_split(f, "forward");
	/* already judged at prerouting, unless destination NAT made it a question */
	fputs("\tchain forward_dns {\n", f);
	if (s->conf.answers)
		RULE(f, "th sport 53 jump routed_answers");
	RULE(f, "meta l4proto 17 ct original proto-dst 53 accept");
	RULE(f, "meta l4proto 6 ct original proto-dst 53 accept");
	write_decided(f, s); /* a server's reply to a client on port 53 */
	write_whom(f, s, true);
	RULE(f, "ct state invalid,untracked accept");
	write_offer(f, s);
	write_dns_split(f);
	fputs("\t}\n", f);
	write_forward_chains(f, s);
}

/* A tunnel's own packets, which count. Resets have the mark of what they end; and reports of IGMP and MLD have
 * some number for their mark (sk_buff's reserved_tailroom is its mark's neighbour in a union). */
static void write_marked(FILE *f)
{
	fputs("\tchain marked {\n", f);
	RULE(f, "tcp flags & rst == rst accept");
	RULE(f, "meta l4proto 2 accept");
	RULE(f, "meta l4proto 58 accept");
	RULE(f, "counter name marked_output accept");
	fputs("\t}\n", f);
}

/* What a local program sends: its decided connections come before its marks. */
static void begin_output(FILE *f, const struct steer *s, const char *chain)
{
	fprintf(f, "\tchain output_%s {\n", chain);
	write_decided(f, s);
	if (!s->conf.marked_output)
		RULE(f, "meta mark != 0 goto marked");
}

static void write_output_chains(FILE *f, const struct steer *s)
{
	static const char *const protocols[] = { "udp", "tcp" };

	begin_output(f, s, "dns");
	if (s->conf.answers)
		RULE(f, "th sport 53 oif != lo jump own_answers");
	write_offer(f, s);
	write_dns_split(f);
	fputs("\t}\n", f);
	for (unsigned i = 0; i < 2; i++) {
		begin_output(f, s, protocols[i]);
		if (s->conf.answers)
			RULE(f, "th sport 53 oif != lo jump own_answer");
		RULE(f, "goto rest_%s", protocols[i]);
		fputs("\t}\n", f);
	}
	begin_output(f, s, "other");
	RULE(f, "goto rest_other");
	fputs("\t}\n\tchain output_classed {\n", f);
	RULE(f, "meta priority 0x%08x accept", s->conf.tokens.forged);
	/* the daemon's own questions to resolvers: the answers pass, too */
	RULE(f, "meta priority 0x%08x goto own_question", s->conf.tokens.own);
	RULE(f, "goto came_back");
	fputs("\t}\n\tchain own_question {\n", f);
	RULE(f, "%s", state_set(s, LABEL_ALLOWED));
	RULE(f, "accept");
	fputs("\t}\n", f);
	if (!s->conf.marked_output)
		write_marked(f);
}

static void write_output(FILE *f, const struct steer *s)
{
	begin_hook(f, "output");
	write_classed(f, "output_classed");
	if (s->conf.means.mark_token)
		write_came_back(f, s);
	write_allowed(f, s);
	RULE(f, "th dport 53 goto output_dns");
	write_split(f, "output");
	write_output_chains(f, s);
}

static void write_input_chains(FILE *f, const struct steer *s)
{
	fputs("\tchain input_reply {\n", f);
	write_allowed(f, s);
	write_decided(f, s);
	fputs("\t}\n", f);
	if (!s->conf.answers)
		return;
	fputs("\tchain answers_in {\n", f);
	RULE(f, "meta l4proto 17 goto answer_in");
	RULE(f, "meta l4proto 6 goto answer_in");
	fputs("\t}\n\tchain answer_in {\n", f);
	RULE(f, "ct direction original return");
	RULE(f, "ct state invalid,untracked th dport 0-1023 return");
	RULE(f, "goto answers");
	fputs("\t}\n", f);
}

/* What clients ask a proxy of this machine for; what local programs ask it, the way out has judged. */
static void write_to_proxies(FILE *f, const struct steer *s)
{
	fputs("\t\tiif != lo ct direction original tcp dport { ", f);
	for (unsigned i = 0; i < s->conf.n_proxies; i++)
		fprintf(f, "%s%s", i ? ", " : "", s->conf.proxies[i]);
	fputs(" } goto to_proxy\n", f);
}

static void write_proxy_chain(FILE *f, const struct steer *s)
{
	fputs("\tchain to_proxy {\n", f);
	write_allowed(f, s);
	write_decided(f, s);
	write_whom(f, s, false);
	RULE(f, "goto rest_tcp");
	fputs("\t}\n", f);
}

/* All that is queued on the way in: requests to local proxies that the site names, and answers of servers and resolvers
 * to local programs. Our own answers are counted, so that it shows when a rule drops them in between. */
static void write_input(FILE *f, const struct steer *s)
{
	begin_hook(f, "input");
	write_came_back(f, s);
	if (s->conf.output) {
		RULE(f, "iif lo meta priority 0x%08x counter name own_arrived accept", s->conf.tokens.forged);
		RULE(f, "ct direction reply jump input_reply");
	}
	if (s->conf.n_proxies)
		write_to_proxies(f, s);
	if (s->conf.output && s->conf.answers)
		RULE(f, "th sport 53 iif != lo jump answers_in");
	fputs("\t}\n", f);
	if (s->conf.n_proxies)
		write_proxy_chain(f, s);
	if (s->conf.output)
		write_input_chains(f, s);
}

/* Our answers to clients would make connection entries of their own. */
static void write_forged(FILE *f, const struct steer *s)
{
	fputs("\tchain forged {\n"
	      "\t\ttype filter hook output priority raw; policy accept;\n",
	      f);
	if (s->conf.output)
		RULE(f, "oif lo meta priority 0x%08x counter name own_answers notrack accept", s->conf.tokens.forged);
	RULE(f, "meta priority 0x%08x notrack", s->conf.tokens.forged);
	fputs("\t}\n", f);
}

/* ---- all of it ---- */

static void write_flushes(FILE *f, const char *names)
{
	for (; *names; names = strchr(names, '\n') + 1)
		fprintf(f, "flush chain inet nfqd %.*s\n", (int)strcspn(names, "\n"), names);
}

static void write_table(FILE *f, const struct steer *s, bool anew)
{
	fputs("table inet nfqd {\n", f);
	if (s->asleep)
		fputs("\tflags dormant\n", f);
	fprintf(f, "\tcomment \"%s\"\n", s->conf.owner);
	write_inspect_sets(f);
	write_state_sets(f, s);
	fputs("\tcounter queued { }\n"
	      "\tcounter marked_output { }\n"
	      "\tcounter no_conntrack { }\n"
	      "\tcounter held { }\n"
	      "\tcounter uninspected { }\n"
	      "\tcounter own_answers { }\n"
	      "\tcounter own_arrived { }\n",
	      f);
	if (s->conf.prefilter)
		write_prefilter(f);
	if (anew || s->conf.means.nft_queue)
		write_queue_chains(f, s);
	write_state_chains(f, s);
	write_inspect_chains(f, s);
	write_whom_chains(f, s);
	write_forged(f, s);
	if (s->conf.forward) {
		write_prerouting(f, s);
		write_forward(f, s);
	}
	if (s->conf.output)
		write_output(f, s);
	if (s->conf.output || s->conf.n_proxies)
		write_input(f, s);
	fputs("}\n", f);
}

char *steer_table_text(const struct steer *s, const char *flush)
{
	char  *text = NULL;
	size_t size;
	FILE  *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	if (flush)
		write_flushes(f, flush);
	else
		fputs("add table inet nfqd\ndelete table inet nfqd\n", f);
	write_table(f, s, !flush);
	fclose(f);
	return text;
}

bool steer_has_text(const struct steer *s, const char *chain)
{
	return strncmp(chain, "p_", 2) != 0 && (s->conf.means.nft_queue || strncmp(chain, "q_", 2) != 0);
}

char *steer_chain_names(const struct steer *s, const char *text)
{
	static const char begin[] = "\n\tchain ";
	char  *names = NULL;
	size_t size;
	FILE  *f = open_memstream(&names, &size);

	if (!f)
		return NULL;
	while ((text = strstr(text, begin)) != NULL) {
		text += sizeof(begin) - 1;
		if (steer_has_text(s, text))
			fprintf(f, "%.*s\n", (int)strcspn(text, " "), text);
	}
	fclose(f);
	return names;
}

char *steer_own_chains(const struct steer *s)
{
	char *text = steer_table_text(s, NULL), *names = text ? steer_chain_names(s, text) : NULL;

	free(text);
	return names;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table `inet nfqd` as nft text, chain by chain; nothing here talks to the kernel. */
#include <stdio.h>
#include <stdlib.h>

#include "capture/steer_private.h"

/* Protocols stand as numbers (1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6): names would need /etc/protocols. */

/* What the rules compare marks with. */
struct marks {
	uint32_t mask, keep; /* our bits; everybody else's */
	uint32_t allowed, rejected, dropped, forged, queue, replies, stray;
};

static struct marks marks_of(uint32_t mask)
{
	return (struct marks){ .mask = mask, .keep = ~mask,
		               .allowed = steer_mark(mask, CODE_ALLOWED),
		               .rejected = steer_mark(mask, CODE_REJECTED),
		               .dropped = steer_mark(mask, CODE_DROPPED),
		               .forged = steer_mark(mask, CODE_FORGED),
		               .queue = steer_mark(mask, CODE_QUEUE),
		               .replies = steer_mark(mask, CODE_REPLIES),
		               .stray = steer_mark(mask, CODE_STRAY) };
}

/*
 * TCP segments without payload are exactly those whose IP length and data offset are one of these
 * pairs: a header with IP options or extension headers never looks like one.
 */
static void write_sets(FILE *f)
{
	const char *sep = "";

	fputs("\tset empty4 { typeof ip length . tcp doff; elements = { ", f);
	for (unsigned doff = 5; doff <= 15; doff++, sep = ", ")
		fprintf(f, "%s%u . %u", sep, 20 + 4 * doff, doff);
	sep = "";
	fputs(" }; }\n\tset empty6 { typeof ip6 length . tcp doff; elements = { ", f);
	for (unsigned doff = 5; doff <= 15; doff++, sep = ", ")
		fprintf(f, "%s%u . %u", sep, 4 * doff, doff);
	fputs(" }; }\n"
	      "\tset outside { type ifname; }\n"
	      "\tset inside { type ifname; }\n"
	      "\tset inside4 { type ipv4_addr; flags interval; auto-merge; }\n"
	      "\tset inside6 { type ipv6_addr; flags interval; auto-merge; }\n"
	      "\tset nets4 { type ipv4_addr; flags interval; auto-merge; }\n"
	      "\tset nets6 { type ipv6_addr; flags interval; auto-merge; }\n"
	      "\tset net_ports4 { type ipv4_addr . inet_service; flags interval; }\n"
	      "\tset net_ports6 { type ipv6_addr . inet_service; flags interval; }\n"
	      "\tset watched4 { type ipv4_addr; flags timeout; }\n"
	      "\tset watched6 { type ipv6_addr; flags timeout; }\n"
	      "\tcounter unmarked { }\n"
	      "\tcounter marked_output { }\n"
	      "\tcounter foreign_mark { }\n"
	      "\tcounter no_conntrack { }\n",
	      f);
}

/* How a blocked connection ends; used on its first packet and on all that follow. */
static void write_refuse(FILE *f)
{
	fputs("\tchain refuse {\n"
	      "\t\tmeta l4proto 6 reject with tcp reset\n"
	      "\t\treject with icmpx port-unreachable\n"
	      "\t}\n",
	      f);
}

/*
 * The first rules of every steering chain. The kernel's own resets and ICMP errors carry the
 * connection's mark and must pass before it is looked at. A SYN begins a connection: bits that an
 * earlier one on the same ports left are replaced by "SYN seen", which makes the direction that
 * conntrack reports trustworthy.
 */
static void write_first(FILE *f, const struct marks *m)
{
	fprintf(f,
	        "\tchain first {\n"
	        "\t\tmeta mark & 0x%08x == 0x%08x accept\n"
	        "\t\ttcp flags & rst == rst accept\n"
	        "\t\tmeta l4proto { 1, 58 } accept\n"
	        "\t\ttcp flags & (syn | ack) == syn ct mark set ct mark & 0x%08x | 0x%08x\n",
	        m->mask, m->forged, m->keep, m->queue);
	fprintf(f,
	        "\t\tct mark & 0x%08x == 0x%08x accept\n"
	        "\t\tct mark & 0x%08x == 0x%08x drop\n"
	        "\t\tct mark & 0x%08x == 0x%08x goto refuse\n"
	        "\t\tct mark & 0x%08x == 0x%08x goto replies\n"
	        "\t}\n",
	        m->mask, m->allowed, m->mask, m->dropped, m->mask, m->rejected, m->mask,
	        m->replies);
}

/* A connection whose server's answer decides: nothing of the client's is looked at any more. */
static void write_replies(FILE *f)
{
	fputs("\tchain replies {\n"
	      "\t\tmeta l4proto != 6 accept\n"
	      "\t\tct direction original accept\n"
	      "\t\tip length . tcp doff @empty4 accept\n"
	      "\t\tip6 length . tcp doff @empty6 accept\n"
	      "\t\tgoto to_queue\n"
	      "\t}\n",
	      f);
}

static void write_to_queue(FILE *f, const struct steer *s, const struct marks *m)
{
	const struct steer_conf *c = &s->conf;

	fprintf(f,
	        "\tchain to_queue {\n"
	        "\t\tmeta mark & 0x%08x != 0 counter name foreign_mark\n"
	        "\t\tmeta mark set meta mark & 0x%08x | 0x%08x\n",
	        m->mask, m->keep, m->queue);
	fprintf(f,
	        "\t\tct state invalid,untracked meta mark set meta mark & 0x%08x | 0x%08x\n"
	        "\t\tct mark & 0x%08x == 0x%08x meta mark set meta mark & 0x%08x | 0x%08x\n"
	        "\t\t",
	        m->keep, m->stray, m->mask, m->replies, m->keep, m->replies);
	if (s->backend == STEER_NFT && c->queues > 1)
		fprintf(f, "queue flags %s%u-%u", c->fail_open ? "bypass to " : "to ", c->queue_num,
		        c->queue_num + c->queues - 1U);
	else if (s->backend == STEER_NFT)
		fprintf(f, "queue%s %u", c->fail_open ? " flags bypass to" : " num", c->queue_num);
	fputs("\n\t}\n", f);
}

/*
 * Whose packets are judged. By itself: all but those that come in from outside, and in and out by
 * the same side is a router on a stick or a choice of uplinks. Told by the site: the named ones.
 */
static void write_whom(FILE *f, const struct steer *s, bool routed)
{
	if (!s->conf.inside_auto)
		fputs("\t\tjump whom\n", f);
	else if (routed)
		fputs("\t\tiifname @outside oifname != @outside accept\n", f);
	else
		fputs("\t\tiifname @outside fib daddr type local accept\n", f);
}

/* Likewise by whom an answer is waited for: the same seen from the other side. */
static void write_whom_answered(FILE *f, const struct steer *s, bool routed)
{
	if (!s->conf.inside_auto)
		fputs("\t\tjump whom_answered\n", f);
	else if (routed)
		fputs("\t\toifname @outside iifname != @outside accept\n", f);
	else
		fputs("\t\toifname @outside accept\n", f);
}

static void write_whom_chain(FILE *f)
{
	fputs("\tchain whom {\n"
	      "\t\tiifname @inside return\n"
	      "\t\tip saddr @inside4 return\n"
	      "\t\tip6 saddr @inside6 return\n"
	      "\t\taccept\n"
	      "\t}\n"
	      "\tchain whom_answered {\n"
	      "\t\toifname @inside return\n"
	      "\t\tip daddr @inside4 return\n"
	      "\t\tip6 daddr @inside6 return\n"
	      "\t\taccept\n"
	      "\t}\n",
	      f);
}

/*
 * Questions to a resolver, wherever it is: met before destination NAT, so that the client hears
 * from the address it asked. The client of a forged answer over TCP acknowledges bytes that
 * conntrack never saw; it is told at once that the connection is gone.
 */
static void write_dns(FILE *f)
{
	fputs("\tchain dns {\n"
	      "\t\ttcp dport 53 ct state invalid reject with tcp reset\n"
	      "\t\tmeta l4proto 6 ip length . tcp doff @empty4 accept\n"
	      "\t\tmeta l4proto 6 ip6 length . tcp doff @empty6 accept\n"
	      "\t\tct state untracked counter name no_conntrack\n"
	      "\t\tgoto to_queue\n"
	      "\t}\n",
	      f);
}

/* What a resolver says. Its connection is never decided by that. */
static void write_answers(FILE *f, const struct steer *s)
{
	static const struct {
		const char *chain;
		bool        routed;
	} ways[] = { { "routed", true }, { "own", false } };

	if (!s->conf.answers)
		return;
	fputs("\tchain answers {\n"
	      "\t\tjump first\n"
	      "\t\tmeta l4proto 6 ip length . tcp doff @empty4 accept\n"
	      "\t\tmeta l4proto 6 ip6 length . tcp doff @empty6 accept\n"
	      "\t\tct state untracked counter name no_conntrack\n"
	      "\t\tgoto to_queue\n"
	      "\t}\n",
	      f);
	for (unsigned i = 0; i < 2; i++) {
		fprintf(f, "\tchain %s_answers {\n", ways[i].chain);
		write_whom_answered(f, s, ways[i].routed);
		fputs("\t\tgoto answers\n\t}\n", f);
	}
}

/* Sends answers on: those that conntrack knows as such, and (when it knows nothing) those that look
 * like it. */
static void write_to_answers(FILE *f, const struct steer *s, const char *unless, const char *chain)
{
	if (!s->conf.answers)
		return;
	fprintf(f, "\t\t%smeta l4proto { 6, 17 } th sport 53 ct direction reply goto %s\n", unless,
	        chain);
	fprintf(f, "\t\t%smeta l4proto { 6, 17 } th sport 53 th dport 1024-65535 "
	           "ct state invalid,untracked goto %s\n", unless, chain);
}

/*
 * Questions and QUIC hellos on any other UDP port, told by what cannot well be something else: a DNS
 * header that asks one question (RFC 1035 4.1.1; not of neighbours, by NetBIOS, mDNS or LLMNR), a
 * long header of a QUIC version (RFC 8999 5.1) that can be read.
 */
static void write_any_port(FILE *f)
{
	fputs("\tchain any_port {\n"
	      "\t\tct direction != original return\n"
	      "\t\t@th,64,1 1 @th,72,32 { 0x00000001, 0x6b3343cf } goto to_queue\n"
	      "\t\t@th,64,1 1 @th,72,32 0xff000017-0xff000022 goto to_queue\n"
	      "\t\tudp dport != { 137, 5353, 5355 } @th,80,16 & 0xfecf == 0 @th,96,48 0x100000000 "
	      "goto to_queue\n"
	      "\t}\n",
	      f);
}

/*
 * Everything else: segments with data from the client's side. Which side that is conntrack knows
 * when it saw the SYN; after a restart the well-known port tells.
 */
static void write_rest(FILE *f, const struct marks *m)
{
	fprintf(f,
	        "\tchain rest {\n"
	        "\t\tudp dport { 443, 853 } ct state invalid,untracked counter name no_conntrack "
	        "goto to_queue\n"
	        "\t\tudp dport { 443, 853 } ct direction original goto to_queue\n"
	        "\t\tmeta l4proto 17 jump any_port\n"
	        "\t\tmeta l4proto != 6 ct direction reply accept\n"
	        "\t\tmeta l4proto != 6 ip daddr @nets4 goto to_queue\n"
	        "\t\tmeta l4proto != 6 ip6 daddr @nets6 goto to_queue\n"
	        "\t\tip daddr . udp dport @net_ports4 goto to_queue\n"
	        "\t\tip6 daddr . udp dport @net_ports6 goto to_queue\n"
	        "\t\tmeta l4proto != 6 ip daddr @watched4 goto to_queue\n"
	        "\t\tmeta l4proto != 6 ip6 daddr @watched6 goto to_queue\n"
	        "\t\tmeta l4proto != 6 accept\n"
	        "\t\tip length . tcp doff @empty4 accept\n"
	        "\t\tip6 length . tcp doff @empty6 accept\n"
	        "\t\tct state invalid,untracked tcp dport { 53, 80, 443 } counter name no_conntrack "
	        "goto to_queue\n"
	        "\t\tct state invalid,untracked accept\n"
	        "\t\tct mark & 0x%08x == 0x%08x ct direction reply accept\n",
	        m->mask, m->queue);
	fprintf(f,
	        "\t\tct mark & 0x%08x == 0 tcp sport 1-1023 tcp dport 1024-65535 accept\n"
	        "\t\tct mark & 0x%08x == 0 ct direction reply tcp dport 1024-65535 accept\n"
	        "\t\tgoto to_queue\n"
	        "\t}\n",
	        m->mask, m->mask);
}

static void write_routed(FILE *f, const struct steer *s, const struct marks *m)
{
	fputs("\tchain steer_prerouting {\n"
	      "\t\ttype filter hook prerouting priority mangle - 1; policy accept;\n"
	      "\t\tmeta l4proto { 6, 17 } th dport 53 iif != lo goto routed_dns\n"
	      "\t}\n"
	      "\tchain routed_dns {\n",
	      f);
	write_whom(f, s, false);
	fputs("\t\tjump first\n"
	      "\t\tgoto dns\n"
	      "\t}\n"
	      "\tchain steer_forward {\n"
	      "\t\ttype filter hook forward priority mangle - 1; policy accept;\n",
	      f);
	/* routed already: our bits, set by somebody else, decide nothing behind the queue */
	fprintf(f,
	        "\t\tmeta mark & 0x%08x != 0 counter name foreign_mark meta mark set meta mark & 0x%08x\n"
	        "\t\tct mark & 0x%08x == 0x%08x ct direction reply goto replies\n",
	        m->mask, m->keep, m->mask, m->replies);
	write_to_answers(f, s, "", "routed_answers");
	write_whom(f, s, true);
	fputs("\t\tjump first\n"
	      /* judged at prerouting, unless a translation made it a question */
	      "\t\tmeta l4proto { 6, 17 } ct original proto-dst 53 accept\n"
	      "\t\tmeta l4proto { 6, 17 } th dport 53 ct state invalid,untracked accept\n"
	      "\t\tmeta l4proto { 6, 17 } th dport 53 goto dns\n"
	      "\t\tgoto rest\n"
	      "\t}\n",
	      f);
}

static void write_local(FILE *f, const struct steer *s, const struct marks *m)
{
	fputs("\tchain steer_output {\n"
	      "\t\ttype filter hook output priority mangle - 1; policy accept;\n",
	      f);
	/* what the daemon itself asks resolvers: the answers pass, too */
	fprintf(f, "\t\tmeta mark & 0x%08x == 0x%08x ct mark set ct mark & 0x%08x | 0x%08x accept\n",
	        m->mask, m->allowed, m->keep, m->allowed);
	fputs("\t\tjump first\n", f);
	if (!s->conf.marked_output) /* a tunnel's own packets: a changed mark would re-route them */
		fputs("\t\tmeta mark != 0 counter name marked_output accept\n", f);
	write_to_answers(f, s, "oif != lo ", "own_answers");
	fputs("\t\tmeta l4proto { 6, 17 } th dport 53 goto dns\n"
	      "\t\tgoto rest\n"
	      "\t}\n",
	      f);
	/* all that is ever queued on the way in: what servers and resolvers answer local programs */
	fprintf(f,
	        "\tchain steer_input {\n"
	        "\t\ttype filter hook input priority mangle - 1; policy accept;\n"
	        "\t\tct mark & 0x%08x == 0x%08x ct direction reply goto replies\n",
	        m->mask, m->replies);
	write_to_answers(f, s, "iif != lo ", "answers");
	fputs("\t}\n", f);
}

/*
 * Behind the queue: the code that the verdict left on the packet becomes the connection's. A packet
 * that was already queued when its connection was decided meets the decision here.
 */
static void write_decided(FILE *f, const struct marks *m)
{
	fprintf(f,
	        "\tchain decided {\n"
	        "\t\tmeta mark & 0x%08x == { 0x%08x, 0x%08x } counter name unmarked\n"
	        "\t\tmeta mark & 0x%08x == 0x%08x ct mark set ct mark & 0x%08x | 0x%08x\n"
	        "\t\tmeta mark & 0x%08x == 0x%08x ct mark set ct mark & 0x%08x | 0x%08x\n",
	        m->mask, m->queue, m->stray, m->mask, m->allowed, m->keep, m->allowed, m->mask,
	        m->replies, m->keep, m->replies);
	fprintf(f,
	        "\t\tmeta mark & 0x%08x == 0x%08x ct mark set ct mark & 0x%08x | 0x%08x drop\n"
	        "\t\tmeta mark & 0x%08x == 0x%08x ct mark set ct mark & 0x%08x | 0x%08x "
	        "goto refuse\n",
	        m->mask, m->dropped, m->keep, m->dropped, m->mask, m->rejected, m->keep,
	        m->rejected);
	fprintf(f,
	        "\t\tmeta mark set meta mark & 0x%08x\n"
	        "\t\tct mark & 0x%08x == 0x%08x drop\n"
	        "\t\tct mark & 0x%08x == 0x%08x goto refuse\n"
	        "\t}\n",
	        m->keep, m->mask, m->dropped, m->mask, m->rejected);
}

static void write_deciding(FILE *f, const struct steer *s, const struct marks *m)
{
	const struct {
		const char *hook, *only[2]; /* packets that its queue rules can have seen */
		bool        used;
	} hooks[] = {
		{ "prerouting", { "meta l4proto { 6, 17 } th dport 53 " }, s->conf.forward },
		{ "forward", { "" }, s->conf.forward },
		{ "input", { "meta l4proto { 6, 17 } th sport 53 ", "meta l4proto 6 ct direction reply ct mark != 0 " },
		  s->conf.output },
		{ "output", { "" }, s->conf.output },
	};

	write_decided(f, m);
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		if (!hooks[i].used)
			continue;
		fprintf(f,
		        "\tchain decide_%s {\n"
		        "\t\ttype filter hook %s priority mangle + 1; policy accept;\n",
		        hooks[i].hook, hooks[i].hook);
		/* a foreign mark on output was never queued: its bits are not ours to read */
		if (strcmp(hooks[i].hook, "output") == 0 && !s->conf.marked_output)
			fprintf(f, "\t\tmeta mark & 0x%08x != 0 accept\n", m->keep);
		for (unsigned k = 0; k < 2 && hooks[i].only[k]; k++)
			fprintf(f, "\t\t%smeta mark & 0x%08x != 0 goto decided\n", hooks[i].only[k], m->mask);
		fputs("\t}\n", f);
	}
}

/* Answers of ours towards clients would make connection entries of their own. */
static void write_forged(FILE *f, const struct marks *m)
{
	fprintf(f,
	        "\tchain forged {\n"
	        "\t\ttype filter hook output priority raw; policy accept;\n"
	        "\t\tmeta mark & 0x%08x == 0x%08x notrack\n"
	        "\t}\n",
	        m->mask, m->forged);
}

char *steer_table_text(const struct steer *s)
{
	struct marks m = marks_of(s->conf.mark_mask);
	char        *text = NULL;
	size_t       size;
	FILE        *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs("add table inet nfqd\ndelete table inet nfqd\ntable inet nfqd {\n", f);
	write_sets(f);
	write_refuse(f);
	write_first(f, &m);
	write_replies(f);
	write_to_queue(f, s, &m);
	write_whom_chain(f);
	write_dns(f);
	write_any_port(f);
	write_answers(f, s);
	write_rest(f, &m);
	write_forged(f, &m);
	if (s->conf.forward)
		write_routed(f, s, &m);
	if (s->conf.output)
		write_local(f, s, &m);
	write_deciding(f, s, &m);
	fputs("}\n", f);
	fclose(f);
	return text;
}

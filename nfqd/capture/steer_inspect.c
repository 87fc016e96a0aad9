/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the table for undecided packets: which protocol is it, and is it to be judged? Text only.
 * Rules are ordered by their cost and by how often they end the walk. */
#include "base/steered.h"
#include "capture/steer_private.h"

/*
 * TCP segments without payload are exactly those whose IP length and data offset are one of these pairs; a
 * header with IP options or extension headers never matches.
 */
void write_inspect_sets(FILE *f)
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
	      "\tset nets4 { type ipv4_addr; flags interval; auto-merge; }\n"
	      "\tset nets6 { type ipv6_addr; flags interval; auto-merge; }\n"
	      "\tset net_ports4 { type ipv4_addr . inet_service; flags interval; }\n"
	      "\tset net_ports6 { type ipv6_addr . inet_service; flags interval; }\n"
	      "\tset watched4 { type ipv4_addr; flags timeout; }\n"
	      "\tset watched6 { type ipv6_addr; flags timeout; }\n"
	      "\tset held { typeof ct id; size 65536; flags dynamic,timeout; timeout 3s; }\n"
	      "\tset holders4 { type ipv4_addr; size 65536; flags dynamic,timeout; timeout 10s; }\n"
	      "\tset holders6 { type ipv6_addr; size 65536; flags dynamic,timeout; timeout 10s; }\n"
	      "\tset asked4 { type ipv4_addr . inet_service . ipv4_addr; size 65536; "
	      "flags dynamic,timeout; timeout 2m; }\n"
	      "\tset asked6 { type ipv6_addr . inet_service . ipv6_addr; size 65536; "
	      "flags dynamic,timeout; timeout 2m; }\n",
	      f);
}

static void write_empty(FILE *f)
{
	RULE(f, "ip length . tcp doff @empty4 accept");
	RULE(f, "ip6 length . tcp doff @empty6 accept");
}

/* ---- TCP ---- */

bool steer_holds(const struct steer *s)
{
	return s->flowtable[0] && s->conf.offload == OFFLOAD_HOLD;
}

/* When a server retransmits its SYN-ACK for the last time within seconds: after 1, 3, 7, 15 s (RFC 6298
 * 2.1, 5.5). */
static uint32_t last_repetition(uint32_t seconds)
{
	uint32_t at = 1;

	while (2 * at + 1 <= seconds)
		at = 2 * at + 1;
	return at;
}

/*
 * A flowtable takes a connection at the first packet that conntrack calls established, its bare handshake
 * ACK. That ACK is dropped until the hello comes, which carries the same acknowledgement, but not for long:
 * a server that speaks first waits for the ACK and retransmits its SYN-ACK. The hold ends a little before
 * the time is over, so that the last of those retransmissions is answered. The retransmissions would be
 * offloaded, too: they are dropped likewise. A source with too many held connections is not held any more.
 */
static void write_hold(FILE *f, const struct steer *s)
{
	uint32_t ms = last_repetition(s->conf.hold_seconds) * 900;

	if (!steer_holds(s))
		return;
	fputs("\tchain hold {\n", f);
	RULE(f, "ip length . tcp doff @empty4 goto held");
	RULE(f, "ip6 length . tcp doff @empty6 goto held");
	fputs("\t}\n\tchain held {\n", f);
	RULE(f, "%s accept", state_is(s, LABEL_RELEASED));
	RULE(f, "%s goto held_again", state_is(s, LABEL_HELD));
	RULE(f, "add @holders4 { ip saddr limit rate over 100/second burst 500 packets } goto released");
	RULE(f, "add @holders6 { ip6 saddr limit rate over 100/second burst 500 packets } goto released");
	RULE(f, "%s", state_set(s, LABEL_HELD));
	RULE(f, "add @held { ct id timeout %us%ums } counter name held drop", ms / 1000, ms % 1000);
	RULE(f, "goto released");
	fputs("\t}\n\tchain held_reply {\n", f);
	RULE(f, "ct direction original return");
	RULE(f, "tcp flags & rst == rst return");
	RULE(f, "%s return", state_is(s, LABEL_RELEASED));
	RULE(f, "ip length . tcp doff @empty4 goto held_again");
	RULE(f, "ip6 length . tcp doff @empty6 goto held_again");
	fputs("\t}\n\tchain held_again {\n", f);
	RULE(f, "ct id @held drop");
	RULE(f, "goto released");
	fputs("\t}\n\tchain released {\n", f);
	RULE(f, "%s", state_set(s, LABEL_RELEASED));
	RULE(f, "counter name uninspected");
	RULE(f, "%s", s->conf.fail_open ? "accept" : "goto refuse");
	fputs("\t}\n", f);
}

/*
 * Segments with data from the client. conntrack knows which side is the client if it saw the SYN; after a
 * restart the well-known port tells.
 */
static void write_tcp(FILE *f, const struct steer *s)
{
	fputs("\tchain rest_tcp {\n", f);
	RULE(f, "@th,96,32 & 0x%08x != 0 jump rest_syn", TH_SYN | TH_RST);
	RULE(f, "%s goto rest_seen", state_is(s, LABEL_SEEN));
	write_empty(f);
	RULE(f, "ct state invalid,untracked goto stray_tcp");
	RULE(f, "tcp sport 1-1023 tcp dport 1024-65535 accept");
	RULE(f, "ct direction reply tcp dport 1024-65535 accept");
	RULE(f, "goto to_queue");
	fputs("\t}\n\tchain rest_syn {\n", f);
	RULE(f, "@th,96,32 & 0x%08x != 0 accept", TH_RST);
	RULE(f, "@th,96,32 & 0x%08x == 0x%08x %s", TH_SYN | TH_ACK, TH_SYN, state_set(s, LABEL_SEEN));
	fputs("\t}\n\tchain rest_seen {\n", f);
	RULE(f, "ct direction reply accept");
	if (steer_holds(s))
		RULE(f, "ct state established tcp dport { 80, 443, 853 } "
		        "tcp flags & (fin | syn | rst | ack) == ack jump hold");
	write_empty(f);
	RULE(f, "goto q_main");
	fputs("\t}\n\tchain stray_tcp {\n", f);
	RULE(f, "tcp dport { 53, 80, 443 } counter name no_conntrack goto q_stray");
	RULE(f, "accept");
	fputs("\t}\n", f);
}

/* ---- UDP ---- */

/* Destinations that are never reached uninspected. Empty sets cost as much as full ones. */
static void write_addresses(FILE *f, const struct steer *s, bool ports)
{
	const struct steer_filled *in = &s->filled;

	for (unsigned six = 0; six < 2; six++) {
		const char *ip = six ? "ip6" : "ip";
		unsigned    v = six ? 6 : 4;

		if (in->nets[six])
			RULE(f, "%s daddr @nets%u goto to_queue", ip, v);
		if (ports && in->ports[six])
			RULE(f, "%s daddr . udp dport @net_ports%u goto to_queue", ip, v);
		if (in->watched[six])
			RULE(f, "%s daddr @watched%u goto to_queue", ip, v);
	}
}

static void write_version(FILE *f, uint32_t first, uint32_t last)
{
	if (first == last)
		RULE(f, "@th,72,32 0x%08x goto named", first);
	else
		RULE(f, "@th,72,32 0x%08x-0x%08x goto named", first, last);
}

/*
 * On any port, recognised by what can hardly be anything else: a QUIC long header (RFC 8999 5.1) of a
 * version that can be read, a DNS header that asks one question (RFC 1035 4.1.1; not of neighbours, by
 * NetBIOS, mDNS or LLMNR), a DTLS handshake record (RFC 6347 4.1). On QUIC's own ports any long header.
 */
static void write_udp(FILE *f, const struct steer *s)
{
	fputs("\tchain rest_udp {\n", f);
	RULE(f, "ct direction reply accept");
	RULE(f, "@th,64,1 1 jump long_header");
	RULE(f, "@th,96,32 0x00010000 @th,80,16 & 0xfecf == 0 @th,128,16 0 jump question");
	RULE(f, "@th,64,16 0x16fe goto named");
	write_addresses(f, s, true);
	RULE(f, "goto nameless");
	fputs("\t}\n\tchain long_header {\n", f);
#define X(first, last, secrets, traits) write_version(f, first, last);
	QUIC_VERSIONS(X)
#undef X
#define X(port) RULE(f, "udp dport %u goto named", port);
	QUIC_PORTS(X)
#undef X
	fputs("\t}\n\tchain question {\n", f);
#define X(port) RULE(f, "udp dport %u return", port);
	NEIGHBOUR_PORTS(X)
#undef X
	RULE(f, "goto named");
	fputs("\t}\n\tchain named {\n", f);
	RULE(f, "%s", state_set(s, LABEL_ASKED));
	RULE(f, "ct state invalid,untracked counter name no_conntrack goto q_stray");
	RULE(f, "goto to_queue");
	fputs("\t}\n", f);
}

/*
 * Datagrams without a name. After some of them their flow is let go, unless it had a name before. They are
 * counted in unary, since a rule can set a label but not a number.
 */
static void write_nameless(FILE *f, const struct steer *s, const char *chain, const char *end)
{
	fprintf(f, "\tchain %s {\n", chain);
	RULE(f, "%s %s", state_is(s, LABEL_ASKED), end);
	if (s->storage == STEER_SETS) {
		RULE(f, "ct state invalid,untracked %s", end);
		RULE(f, "add @s_count { ct id limit rate over 9/hour burst 9 packets } goto let_go");
	} else {
		for (unsigned bit = LABEL_COUNT_END; bit >= LABEL_COUNT; bit--)
			if (bit == LABEL_COUNT_END)
				RULE(f, "ct label %u goto let_go", bit);
			else
				RULE(f, "ct label %u ct label set %u %s", bit, bit + 1, end);
		RULE(f, "ct label set %u", LABEL_COUNT);
	}
	RULE(f, "%s", end);
	fputs("\t}\n", f);
}

static void write_let_go(FILE *f, const struct steer *s)
{
	fputs("\tchain let_go {\n", f);
	RULE(f, "%s", state_set(s, LABEL_AGED));
	RULE(f, "%s", state_set(s, LABEL_ALLOWED));
	RULE(f, "accept");
	fputs("\t}\n", f);
}

/* Neither TCP nor UDP: only the address can decide. */
static void write_other(FILE *f, const struct steer *s)
{
	fputs("\tchain rest_other {\n", f);
	RULE(f, "meta l4proto 1 accept");
	RULE(f, "meta l4proto 58 accept");
	RULE(f, "ct direction reply accept");
	write_addresses(f, s, false);
	RULE(f, "accept");
	fputs("\t}\n", f);
}

/* ---- DNS ---- */

/*
 * Questions to a resolver, wherever it is: met before destination NAT, so that the client hears
 * from the address it asked. A question is judged whatever became of its flow, so that nothing in front of it lets it
 * go; what is none counts towards letting the flow go (a VPN on port 53).
 */
static void write_dns_udp(FILE *f, const struct steer *s)
{
	fputs("\tchain dns_udp {\n", f);
	RULE(f, "ct state invalid,untracked counter name no_conntrack goto q_stray");
	RULE(f, "@th,96,16 1 @th,64,32 & 0x00008000 == 0 goto q_udp"); /* QDCOUNT, QR (RFC 1035 4.1.1) */
	write_allowed(f, s);
	write_decided(f, s);
	RULE(f, "goto dns_nameless");
	fputs("\t}\n", f);
}

/* What this machine's own resolver is asked is remembered until its answer comes. */
static void write_offered(FILE *f, const struct steer *s)
{
	fputs("\tchain dns_offered {\n", f);
	if (s->conf.output)
		RULE(f, "fib daddr type local return");
	RULE(f, "jump %s", prefilter_chains[PREFILTER_QUESTION]);
	fputs("\t}\n", f);
}

void write_offer(FILE *f, const struct steer *s)
{
	if (s->conf.prefilter)
		RULE(f, "meta l4proto 17 jump dns_offered"); /* the program itself knows what a question is */
}

void write_dns_split(FILE *f)
{
	RULE(f, "meta l4proto 17 goto dns_udp");
	RULE(f, "meta l4proto 6 goto dns_tcp");
	RULE(f, "accept");
}

/*
 * The client of a forged answer over TCP acknowledges bytes that
 * conntrack never saw; it is told at once that the connection is gone. That is so only where conntrack
 * knew the connection when it asked: elsewhere (answers that go past this host) all of it is invalid. Its
 * own reset would leave untranslated, and the resolver has had ours.
 */
static void write_dns(FILE *f, const struct steer *s)
{
	fputs("\tchain dns_tcp {\n", f);
	RULE(f, "ct direction reply %s accept", state_is(s, LABEL_SEEN)); /* of a server, to a client on port 53 */
	write_allowed(f, s);
	write_decided(f, s);
	RULE(f, "tcp flags & rst == rst ct state invalid ip saddr . tcp sport . ip daddr @asked4 drop");
	RULE(f, "tcp flags & rst == rst ct state invalid ip6 saddr . tcp sport . ip6 daddr @asked6 drop");
	RULE(f, "tcp flags & rst == rst accept");
	RULE(f, "tcp flags & (syn | ack) == syn %s", state_set(s, LABEL_SEEN));
	RULE(f, "ct state invalid ip saddr . tcp sport . ip daddr @asked4 reject with tcp reset");
	RULE(f, "ct state invalid ip6 saddr . tcp sport . ip6 daddr @asked6 reject with tcp reset");
	write_empty(f);
	RULE(f, "ct state invalid,untracked counter name no_conntrack goto q_stray");
	RULE(f, "update @asked4 { ip saddr . tcp sport . ip daddr }");
	RULE(f, "update @asked6 { ip6 saddr . tcp sport . ip6 daddr }");
	RULE(f, "goto to_queue");
	fputs("\t}\n", f);
	write_dns_udp(f, s);
	if (s->conf.prefilter)
		write_offered(f, s);
}

/* ---- answers ---- */

/* A resolver's answers or (where conntrack knows nothing) what looks like them. They never decide their
 * connection. */
static void write_answers(FILE *f, const struct steer *s)
{
	static const struct {
		const char *chain;
		bool        routed;
	} ways[] = { { "routed", true }, { "own", false } };

	if (!s->conf.answers)
		return;
	for (unsigned i = 0; i < 2; i++) {
		fprintf(f, "\tchain %s_answers {\n", ways[i].chain);
		RULE(f, "meta l4proto 17 goto %s_answer", ways[i].chain);
		RULE(f, "meta l4proto 6 goto %s_answer", ways[i].chain);
		fprintf(f, "\t}\n\tchain %s_answer {\n", ways[i].chain);
		RULE(f, "ct direction original return");
		RULE(f, "ct state invalid,untracked th dport 0-1023 return");
		write_whom_answered(f, s, ways[i].routed);
		RULE(f, "goto answers");
		fputs("\t}\n", f);
	}
	fputs("\tchain answers {\n", f);
	RULE(f, "tcp flags & rst == rst accept");
	write_empty(f);
	RULE(f, "ct state untracked counter name no_conntrack");
	RULE(f, "ct state invalid,untracked goto q_stray");
	if (s->conf.prefilter)
		RULE(f, "meta l4proto 17 jump %s", prefilter_chains[PREFILTER_ANSWER]);
	RULE(f, "meta l4proto 17 goto q_udp");
	RULE(f, "goto to_queue");
	fputs("\t}\n", f);
}

void write_inspect_chains(FILE *f, const struct steer *s)
{
	write_hold(f, s);
	write_tcp(f, s);
	write_udp(f, s);
	write_nameless(f, s, "nameless", "accept");
	write_nameless(f, s, "dns_nameless", "goto q_udp");
	write_let_go(f, s);
	write_other(f, s);
	write_dns(f, s);
	write_answers(f, s);
}

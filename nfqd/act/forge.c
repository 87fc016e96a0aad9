/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole IPv4 and IPv6 packets with TCP, UDP or ICMP inside, checksums computed (RFC 1071). */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include "act/act.h"

enum { HOP_LIMIT = 64, WINDOW = 65535 };

static uint32_t sum16(const void *data, size_t n, uint32_t sum)
{
	const uint8_t *p = data;

	for (; n > 1; n -= 2, p += 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	return n ? sum + (uint32_t)(p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* RFC 9293 3.1, RFC 8200 8.1: addresses, protocol and length belong to the checksum. */
static uint16_t checksum(const struct forge *f, uint8_t proto, const void *l4, size_t n)
{
	uint32_t sum = proto + (uint32_t)n;

	sum = sum16(f->src.b, f->src.len, sum);
	sum = sum16(f->dst.b, f->dst.len, sum);
	return fold(sum16(l4, n, sum));
}

static void ip4_header(const struct forge *f, uint8_t proto, size_t l4, uint8_t *out)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = HOP_LIMIT, .protocol = proto };

	ip.tot_len = htons((uint16_t)(sizeof(ip) + l4));
	ip.frag_off = htons(IP_DF);
	memcpy(&ip.saddr, f->src.b, 4);
	memcpy(&ip.daddr, f->dst.b, 4);
	ip.check = htons(fold(sum16(&ip, sizeof(ip), 0)));
	memcpy(out, &ip, sizeof(ip));
}

static void ip6_header(const struct forge *f, uint8_t proto, size_t l4, uint8_t *out)
{
	struct ip6_hdr ip = { .ip6_flow = htonl(6U << 28) };

	ip.ip6_plen = htons((uint16_t)l4);
	ip.ip6_nxt = proto;
	ip.ip6_hlim = HOP_LIMIT;
	memcpy(&ip.ip6_src, f->src.b, 16);
	memcpy(&ip.ip6_dst, f->dst.b, 16);
	memcpy(out, &ip, sizeof(ip));
}

static size_t ip_header_size(const struct forge *f)
{
	return f->src.len == 4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
}

/* IPv4 counts its header in its length, IPv6 does not. */
static bool fits(const struct forge *f, size_t l4, size_t room)
{
	size_t ip = ip_header_size(f), counted = f->src.len == 4 ? ip + l4 : l4;

	return ip + l4 <= room && counted <= UINT16_MAX;
}

static size_t finish(const struct forge *f, uint8_t proto, size_t l4, uint8_t *out)
{
	if (f->src.len == 4)
		ip4_header(f, proto, l4, out);
	else
		ip6_header(f, proto, l4, out);
	return ip_header_size(f) + l4;
}

size_t forge_udp(const struct forge *f, struct span payload, uint8_t *out, size_t room)
{
	size_t        ip = ip_header_size(f), l4 = sizeof(struct udphdr) + payload.n;
	struct udphdr udp = { .source = htons(f->sport), .dest = htons(f->dport) };
	uint16_t      sum;

	if (!fits(f, l4, room))
		return 0;
	udp.len = htons((uint16_t)l4);
	memcpy(out + ip, &udp, sizeof(udp));
	if (payload.n)
		memcpy(out + ip + sizeof(udp), payload.p, payload.n);
	sum = checksum(f, IPPROTO_UDP, out + ip, l4);
	udp.check = htons(sum ? sum : 0xffff); /* RFC 768: 0 means none */
	memcpy(out + ip, &udp, sizeof(udp));
	return finish(f, IPPROTO_UDP, l4, out);
}

size_t forge_tcp(const struct forge *f, struct span payload, uint8_t *out, size_t room)
{
	size_t        ip = ip_header_size(f), l4 = sizeof(struct tcphdr) + payload.n;
	struct tcphdr tcp = { .source = htons(f->sport), .dest = htons(f->dport) };

	if (!fits(f, l4, room))
		return 0;
	tcp.seq = htonl(f->seq);
	tcp.ack_seq = htonl(f->ack);
	tcp.doff = sizeof(tcp) / 4;
	tcp.fin = (f->tcp_flags & TCP_FIN) != 0;
	tcp.rst = (f->tcp_flags & TCP_RST) != 0;
	tcp.ack = (f->tcp_flags & TCP_ACK) != 0;
	tcp.psh = payload.n > 0;
	tcp.window = htons(f->tcp_flags & TCP_RST ? 0 : WINDOW);
	memcpy(out + ip, &tcp, sizeof(tcp));
	if (payload.n)
		memcpy(out + ip + sizeof(tcp), payload.p, payload.n);
	tcp.check = htons(checksum(f, IPPROTO_TCP, out + ip, l4));
	memcpy(out + ip, &tcp, sizeof(tcp));
	return finish(f, IPPROTO_TCP, l4, out);
}

/* RFC 1812 4.3.2.3: at most 576 bytes; RFC 4443 2.4 (c): at most the least MTU. */
size_t forge_icmp(const struct forge *f, struct span about, uint8_t *out, size_t room)
{
	enum { ICMP_HEADER = 8, MOST_V4 = 576, MOST_V6 = 1280 };
	bool    v4 = f->src.len == 4;
	uint8_t proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	size_t  ip = ip_header_size(f), most = (v4 ? MOST_V4 : MOST_V6) - ip - ICMP_HEADER;
	size_t  quoted = about.n < most ? about.n : most;
	uint8_t header[ICMP_HEADER] = { v4 ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH,
		                        v4 ? ICMP_PORT_UNREACH : ICMP6_DST_UNREACH_NOPORT };
	uint16_t sum;

	if (quoted == 0 || !fits(f, ICMP_HEADER + quoted, room))
		return 0;
	memcpy(out + ip, header, sizeof(header));
	memcpy(out + ip + ICMP_HEADER, about.p, quoted);
	sum = v4 ? fold(sum16(out + ip, ICMP_HEADER + quoted, 0))
	         : checksum(f, proto, out + ip, ICMP_HEADER + quoted);
	sum = htons(sum);
	memcpy(out + ip + 2, &sum, sizeof(sum));
	return finish(f, proto, ICMP_HEADER + quoted, out);
}

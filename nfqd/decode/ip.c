/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 (RFC 791) and IPv6 (RFC 8200) headers with options and extension headers, then TCP (RFC
 * 9293) and UDP (RFC 768). Checksums are not looked at: with the queue's GSO flag they may not be
 * ready, and lengths above the MTU are normal.
 */
#include <netinet/in.h>

#include "decode/tunnel.h"

enum {
	IP6_FRAGMENT = 44,
	IP6_AH = 51,
	TCP_MD5 = 19,
	MAX_EXTENSIONS = 16,
	MAX_DEPTH = 4 /* tunnels inside each other */
};

static enum decode_err decode_any(struct wire *w, struct packet *pkt, unsigned depth);

/* A tunnel's port but no tunnel header: the outer datagram is kept. */
static enum decode_err decode_tunnel(struct packet *pkt, unsigned depth)
{
	struct packet   inside = { .cut = pkt->cut };
	enum wire_err   err = WIRE_OK;
	struct span     ip;
	struct wire     w;
	enum decode_err e;

	if (!udp_tunnel_open(pkt->payload, pkt->sport, pkt->dport, &ip))
		return DECODE_OK;
	w = wire_of(ip, &err, false);
	e = decode_any(&w, &inside, depth);
	if (e != DECODE_OK && e != DECODE_FRAGMENT)
		return DECODE_OK;
	*pkt = inside;
	return e;
}

static enum decode_err decode_udp(struct wire *w, struct packet *pkt, unsigned depth)
{
	size_t   whole = wire_left(w);
	uint16_t len;

	pkt->sport = wire_u16(w);
	pkt->dport = wire_u16(w);
	len = wire_u16(w);
	wire_skip(w, 2);
	if (*w->err != WIRE_OK)
		return DECODE_BAD;
	/* 0: a jumbogram or a GSO packet; shorter than the packet: padding that is not payload */
	if (len >= 8 && len < whole)
		pkt->payload = wire_span(w, len - 8U);
	else
		pkt->payload = wire_span(w, wire_left(w));
	if (len > whole)
		pkt->cut = true;
	return decode_tunnel(pkt, depth + 1);
}

/* RFC 9293 3.1: kinds 0 (end) and 1 (nothing) are bytes alone. Damage ends the list. */
static bool has_option(struct wire list, uint8_t wanted)
{
	enum wire_err own = WIRE_OK;

	list.err = &own;
	while (wire_each(&list)) {
		uint8_t kind = wire_u8(&list), len = kind > 1 ? wire_u8(&list) : 1;

		if (kind == wanted)
			return true;
		if (kind == 0 || len == 0)
			return false;
		wire_skip(&list, kind > 1 && len > 2 ? len - 2U : 0);
	}
	return false;
}

static enum decode_err decode_tcp(struct wire *w, struct packet *pkt)
{
	uint8_t  header;
	uint16_t urgent;

	pkt->sport = wire_u16(w);
	pkt->dport = wire_u16(w);
	pkt->seq = wire_u32(w);
	pkt->ack = wire_u32(w);
	header = (uint8_t)(wire_u8(w) >> 4);
	pkt->tcp_flags = wire_u8(w);
	if (pkt->tcp_flags & TCP_SYN) /* it takes a number of its own (RFC 9293 3.4) */
		pkt->seq++;
	wire_skip(w, 4); /* window, checksum */
	urgent = wire_u16(w);
	if (*w->err != WIRE_OK || header < 5)
		return DECODE_BAD;
	pkt->urgent = pkt->tcp_flags & TCP_URG ? urgent : 0;
	pkt->tcp_md5 = has_option(wire_sub(w, header * 4U - 20), TCP_MD5);
	if (*w->err != WIRE_OK)
		return DECODE_BAD;
	pkt->payload = wire_span(w, wire_left(w));
	return DECODE_OK;
}

static enum decode_err decode_gre(struct wire *w, struct packet *pkt, unsigned depth)
{
	enum wire_err   err = WIRE_OK;
	struct span     ip;
	struct wire     inside;
	enum decode_err e = gre_open(w, &ip);

	if (e != DECODE_OK)
		return e;
	inside = wire_of(ip, &err, false);
	return decode_any(&inside, pkt, depth);
}

static enum decode_err decode_l4(struct wire *w, struct packet *pkt, unsigned depth)
{
	switch (pkt->proto) {
	case IPPROTO_UDP: return decode_udp(w, pkt, depth);
	case IPPROTO_TCP: return decode_tcp(w, pkt);
	case IPPROTO_IPIP:
	case IPPROTO_IPV6: return decode_any(w, pkt, depth + 1);
	case IPPROTO_GRE: return decode_gre(w, pkt, depth + 1);
	default: pkt->payload = wire_span(w, wire_left(w)); return DECODE_OK;
	}
}

static enum decode_err decode_ip4(struct wire *w, struct packet *pkt, unsigned depth)
{
	size_t         whole = wire_left(w);
	uint8_t        header = (uint8_t)((wire_u8(w) & 0x0f) * 4);
	uint16_t       total, fragment;
	const uint8_t *addrs;

	pkt->options = false; /* those of a tunnel around it */
	wire_skip(w, 1);
	total = wire_u16(w);
	pkt->fragment.id = wire_u16(w);
	fragment = wire_u16(w);
	pkt->hop_limit = wire_u8(w);
	pkt->proto = wire_u8(w);
	wire_skip(w, 2);
	addrs = wire_bytes(w, 8);
	if (!addrs || header < 20)
		return DECODE_BAD;
	pkt->src = addr_from(addrs, 4);
	pkt->dst = addr_from(addrs + 4, 4);
	wire_skip(w, header - 20U);
	if (*w->err != WIRE_OK || (total && total < header))
		return DECODE_BAD;
	if (total > whole)
		pkt->cut = true;
	else if (total) /* less than the frame: Ethernet padding */
		*w = wire_sub(w, (size_t)total - header);
	if (fragment & 0x3fff) { /* more fragments, or an offset */
		pkt->fragment.offset = (uint16_t)((fragment & 0x1fff) * 8);
		pkt->fragment.more = fragment & 0x2000;
		pkt->payload = wire_span(w, wire_left(w));
		return DECODE_FRAGMENT;
	}
	return decode_l4(w, pkt, depth);
}

static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS ||
	       proto == IP6_FRAGMENT || proto == IP6_AH;
}

/* RFC 8200 4, RFC 4302 2.2 (AH counts in words of four). An atomic fragment (RFC 6946) is whole. */
static enum decode_err skip_extensions(struct wire *w, struct packet *pkt)
{
	for (unsigned i = 0; i < MAX_EXTENSIONS && is_extension(pkt->proto); i++) {
		uint8_t  kind = pkt->proto, len;
		uint16_t fragment = 0;

		pkt->proto = wire_u8(w);
		len = wire_u8(w);
		pkt->options |= kind == IPPROTO_HOPOPTS || kind == IPPROTO_DSTOPTS;
		if (kind == IP6_FRAGMENT) {
			fragment = wire_u16(w);
			pkt->fragment.id = wire_u32(w);
		} else {
			wire_skip(w, kind == IP6_AH ? (len + 2U) * 4 - 2 : (len + 1U) * 8 - 2);
		}
		if (*w->err != WIRE_OK)
			return DECODE_BAD;
		if (fragment & 0xfff9) {
			pkt->fragment.offset = fragment & 0xfff8;
			pkt->fragment.more = fragment & 1;
			pkt->payload = wire_span(w, wire_left(w));
			return DECODE_FRAGMENT;
		}
	}
	return is_extension(pkt->proto) ? DECODE_BAD : DECODE_OK;
}

static enum decode_err decode_ip6(struct wire *w, struct packet *pkt, unsigned depth)
{
	uint16_t        len;
	const uint8_t  *addrs;
	enum decode_err e;

	pkt->options = false; /* those of a tunnel around it */
	wire_skip(w, 4);
	len = wire_u16(w);
	pkt->proto = wire_u8(w);
	pkt->hop_limit = wire_u8(w);
	addrs = wire_bytes(w, 32);
	if (!addrs)
		return DECODE_BAD;
	pkt->src = addr_from(addrs, 16);
	pkt->dst = addr_from(addrs + 16, 16);
	if (len > wire_left(w))
		pkt->cut = true;
	else if (len) /* 0: a jumbogram or a GSO packet */
		*w = wire_sub(w, len);
	e = skip_extensions(w, pkt);
	return e == DECODE_OK ? decode_l4(w, pkt, depth) : e;
}

static enum decode_err decode_any(struct wire *w, struct packet *pkt, unsigned depth)
{
	struct wire peek = *w;

	if (depth > MAX_DEPTH)
		return DECODE_BAD;
	switch (wire_u8(&peek) >> 4) {
	case 4: return decode_ip4(w, pkt, depth);
	case 6: return decode_ip6(w, pkt, depth);
	default: return DECODE_BAD;
	}
}

enum decode_err decode_ip(struct span ip, struct packet *pkt)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(ip, &err, false);

	*pkt = (struct packet){ 0 };
	return decode_any(&w, pkt, 0);
}

enum decode_err decode_transport(struct span l4, struct packet *pkt)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(l4, &err, false);

	if (pkt->src.len == 16 && skip_extensions(&w, pkt) != DECODE_OK)
		return DECODE_BAD;
	return decode_l4(&w, pkt, 0);
}

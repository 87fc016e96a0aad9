/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flood from spoofed addresses: each packet begins a connection of its own and says only the first bytes
 * of a message. TCP comes without a SYN, as conntrack picks connections up midstream: one packet makes one
 * flow. Says what it did as one JSON object.
 *
 *   flood tcp|udp|fragments ADDRESS PORT FILE RATE SECONDS FROM SOURCES
 *
 * Sends FILE, RATE times a second, from SOURCES addresses from FROM on; fragments: as the first part of a
 * datagram whose rest never comes. Needs a raw socket (CAP_NET_RAW).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "load.h"

enum { BATCH = 20, BYTES_MAX = 1400, PORTS_FROM = 10000, PORTS = 50000 };

struct flood {
	bool               tcp, fragments;
	struct sockaddr_in to;
	uint8_t            payload[BYTES_MAX];
	size_t             size;
	uint32_t           from, sources; /* host order */
	uint64_t           random;
};

struct packet {
	struct iphdr ip;
	union {
		struct tcphdr tcp;
		struct udphdr udp;
	};
	uint8_t payload[BYTES_MAX]; /* right after the header in use: see fill() */
};

/* xorshift64*: the same flood each time. */
static uint32_t next_random(struct flood *f)
{
	f->random ^= f->random >> 12;
	f->random ^= f->random << 25;
	f->random ^= f->random >> 27;
	return (uint32_t)(f->random * UINT64_C(2685821657736338717) >> 32);
}

static uint32_t sum(const void *bytes, size_t n, uint32_t s)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return s;
}

static uint16_t checksum(const struct packet *p, size_t n)
{
	uint32_t s = sum(&p->ip.saddr, 8, p->ip.protocol + (uint32_t)n);

	s = sum(&p->tcp, n, s);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons((uint16_t)~s);
}

/* The next packet; returns its length. */
static size_t fill(struct flood *f, struct packet *p)
{
	size_t   head = f->tcp ? sizeof(p->tcp) : sizeof(p->udp), n = head + f->size;
	uint16_t port = htons((uint16_t)(PORTS_FROM + next_random(f) % PORTS));

	memset(p, 0, sizeof(*p) - sizeof(p->payload));
	p->ip = (struct iphdr){ .version = 4, .ihl = 5, .tot_len = htons((uint16_t)(sizeof(p->ip) + n)), .ttl = 64,
		                .protocol = f->tcp ? IPPROTO_TCP : IPPROTO_UDP, .daddr = f->to.sin_addr.s_addr,
		                .saddr = htonl(f->from + next_random(f) % f->sources) };
	if (f->fragments) {
		p->ip.id = (uint16_t)next_random(f);
		p->ip.frag_off = htons(IP_MF);
	}
	memcpy((uint8_t *)&p->tcp + head, f->payload, f->size);
	if (!f->tcp) {
		p->udp = (struct udphdr){ .source = port, .dest = f->to.sin_port, .len = htons((uint16_t)n) };
		return sizeof(p->ip) + n;
	}
	p->tcp.source = port;
	p->tcp.dest = f->to.sin_port;
	p->tcp.seq = next_random(f);
	p->tcp.ack_seq = next_random(f);
	p->tcp.doff = 5;
	p->tcp.ack = p->tcp.psh = 1;
	p->tcp.window = htons(65535);
	p->tcp.check = checksum(p, n);
	return sizeof(p->ip) + n;
}

static unsigned send_batch(struct flood *f, int fd)
{
	static struct packet packets[BATCH];
	struct iovec         iov[BATCH];
	struct mmsghdr       msgs[BATCH] = { 0 };
	int                  sent;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ &packets[i], fill(f, &packets[i]) };
		msgs[i].msg_hdr = (struct msghdr){ .msg_name = &f->to, .msg_namelen = sizeof(f->to),
			                           .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	sent = sendmmsg(fd, msgs, BATCH, 0);
	if (sent < 0 && errno != ENOBUFS && errno != EAGAIN)
		fail("send");
	return sent < 0 ? 0 : (unsigned)sent;
}

int main(int argc, char **argv)
{
	static struct flood f = { .random = 42 };
	uint64_t            start = now(), rate, count, n = 0, sent = 0;
	struct in_addr      from;
	int                 fd;

	if (argc != 9)
		return fputs("usage: see the first lines of the source\n", stderr), 2;
	f.tcp = strcmp(argv[1], "tcp") == 0;
	f.fragments = strcmp(argv[1], "fragments") == 0;
	f.to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10)) };
	if (inet_pton(AF_INET, argv[2], &f.to.sin_addr) != 1 || inet_pton(AF_INET, argv[7], &from) != 1)
		fail("address");
	f.size = read_file(argv[4], f.payload, BYTES_MAX);
	f.from = ntohl(from.s_addr);
	f.sources = (uint32_t)strtoul(argv[8], NULL, 10);
	rate = strtoul(argv[5], NULL, 10);
	count = rate * strtoul(argv[6], NULL, 10);
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0 || f.sources == 0 || rate == 0)
		fail("socket");
	for (; n < count; n += BATCH) {
		wait_until(start + n * NS / rate);
		sent += send_batch(&f, fd);
	}
	printf("{\"sent\": %llu, \"seconds\": %.3f}\n", (unsigned long long)sent, (double)(now() - start) / NS);
	return 0;
}

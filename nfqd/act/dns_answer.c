/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer to a blocked question: the query's own ID and question bytes, an SOA with a short TTL so that
 * clients cache the refusal (RFC 2308), and, where the client speaks EDNS, our own OPT with an Extended DNS
 * Error 15 (RFC 8914). The client's OPT is not echoed: its cookie would be malformed in an answer (RFC 7873
 * 5.2). Never AD: nothing here is authenticated.
 */
#include "act/act.h"

enum {
	HEADER = 12,
	TYPE_A = 1,
	TYPE_SOA = 6,
	TYPE_AAAA = 28,
	TYPE_OPT = 41,
	CLASS_IN = 1,
	TTL = 60,
	UDP_SIZE = 1232,
	OPTION_EDE = 15,
	EDE_BLOCKED = 15,
	QNAME_POINTER = 0xc000 | HEADER
};

#define FLAG_QR 0x8000
#define FLAG_RD 0x0100
#define FLAG_RA 0x0080
#define FLAG_CD 0x0010

/* A growing message; what does not fit sets a flag and is not written. */
struct out {
	uint8_t *p;
	size_t   n, room;
	bool     full;
};

static void put(struct out *o, const void *bytes, size_t n)
{
	if (n > o->room - o->n) {
		o->full = true;
		return;
	}
	memcpy(o->p + o->n, bytes, n);
	o->n += n;
}

static void put16(struct out *o, unsigned v)
{
	put(o, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static void put32(struct out *o, uint32_t v)
{
	put16(o, v >> 16);
	put16(o, v & 0xffff);
}

static void put_record(struct out *o, unsigned type, const void *data, size_t n)
{
	put16(o, QNAME_POINTER);
	put16(o, type);
	put16(o, CLASS_IN);
	put32(o, TTL);
	put16(o, (unsigned)n);
	put(o, data, n);
}

static void put_soa(struct out *o)
{
	/* MNAME nfqd.invalid, RNAME hostmaster.nfqd.invalid, serial, refresh, retry, expire, minimum */
	static const uint8_t soa[] = "\4nfqd\7invalid\0"
				     "\12hostmaster\4nfqd\7invalid\0"
				     "\0\0\0\1"
				     "\0\0\16\20"
				     "\0\0\2\130"
				     "\0\1\121\200"
				     "\0\0\0\74";

	put_record(o, TYPE_SOA, soa, sizeof(soa) - 1);
}

static void put_opt(struct out *o, bool dnssec_ok, const char *why)
{
	size_t n = strnlen(why, 200);

	put(o, "", 1);
	put16(o, TYPE_OPT);
	put16(o, UDP_SIZE);
	put32(o, dnssec_ok ? 0x8000 : 0);
	put16(o, (unsigned)(6 + n));
	put16(o, OPTION_EDE);
	put16(o, (unsigned)(2 + n));
	put16(o, EDE_BLOCKED);
	put(o, why, n);
}

/* The unspecified address, which no client can connect to. */
static bool put_sinkhole(struct out *o, uint16_t type)
{
	static const uint8_t none[16] = { 0 };

	if (type != TYPE_A && type != TYPE_AAAA)
		return false;
	put_record(o, type, none, type == TYPE_A ? 4 : 16);
	return true;
}

size_t dns_answer(const struct dns_info *q, struct span query, enum dns_style style, const char *why,
                  uint8_t *out, size_t room)
{
	static const uint8_t rcodes[] = {
		[DNS_NXDOMAIN] = 3, [DNS_REFUSED] = 5, [DNS_NODATA] = 0, [DNS_SINKHOLE] = 0
	};
	struct out o = { .p = out, .room = room };
	bool       answer = false;

	if (q->question_len == 0 || query.n < (size_t)HEADER + q->question_len)
		return 0;
	put16(&o, q->id);
	put16(&o, FLAG_QR | FLAG_RA | (q->flags & (FLAG_RD | FLAG_CD)) | rcodes[style]);
	put(&o, query.p + 4, 2); /* QDCOUNT */
	put(&o, "\0\0\0\0\0", 6);
	put(&o, query.p + HEADER, q->question_len);
	if (style == DNS_SINKHOLE)
		answer = put_sinkhole(&o, q->qtype[0]);
	if (!answer && style != DNS_REFUSED)
		put_soa(&o);
	if (q->edns)
		put_opt(&o, q->edns_do, why);
	if (o.full)
		return 0;
	out[7] = answer;                              /* ANCOUNT */
	out[9] = !answer && style != DNS_REFUSED;     /* NSCOUNT */
	out[11] = q->edns;                            /* ARCOUNT */
	return o.n;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS questions (RFC 1035) over UDP and TCP. Only queries are read: a message with the QR bit or an
 * opcode other than QUERY is none of ours. Everything after the questions serves one purpose: to
 * know whether the client speaks EDNS (RFC 6891), so that an answer of ours may.
 */
#include <stdio.h>

#include "name/name.h"

enum { HEADER = 12, TYPE_OPT = 41, MAX_NAME = 255, MAX_JUMPS = 127, FEW_QUESTIONS = 16,
       CLASS_IN = 1 };

#define FLAG_QR 0x8000
#define OPCODE  0x7800
#define FLAG_RD 0x0100
#define FLAG_AD 0x0020
#define FLAG_CD 0x0010
#define OPT_DO  0x8000

/*
 * One name, decompressed (RFC 1035 4.1.4). What a pointer leads to must lie wholly before the labels
 * it is found in, so a loop cannot be; jumps and length are bounded all the same.
 * w is moved behind the name as it stands in the message; out may be NULL.
 */
static void read_name(struct wire *w, struct span msg, struct name *out)
{
	struct wire  at = *w, *cur = w;
	size_t       total = 0, start = (size_t)(w->pos - msg.p);
	unsigned     jumps = 0;

	for (;;) {
		uint8_t len = wire_u8(cur);

		if (*w->err != WIRE_OK || len == 0)
			return;
		if (len < 64) {
			struct span label = wire_span(cur, len);

			total += len + 1U;
			if (total >= MAX_NAME) /* the last zero counts, too */
				wire_fail(cur, WIRE_BAD);
			else if (out && label.n)
				name_push_label(out, label);
			continue;
		}
		size_t to = (size_t)(len & 0x3f) << 8 | wire_u8(cur);

		if (*w->err != WIRE_OK)
			return;
		if (len < 0xc0 || to < HEADER || to >= start || ++jumps > MAX_JUMPS) {
			wire_fail(cur, WIRE_BAD);
			return;
		}
		at = wire_of(span_of(msg.p + to, start - to), w->err, false);
		start = to;
		cur = &at;
	}
}

static void skip_record(struct wire *w, struct span msg, struct dns_info *info)
{
	uint16_t type;
	uint32_t ttl;

	read_name(w, msg, NULL);
	type = wire_u16(w);
	wire_skip(w, 2); /* class; of an OPT the payload size */
	ttl = wire_u32(w);
	wire_skip(w, wire_u16(w));
	if (*w->err == WIRE_OK && type == TYPE_OPT) {
		info->edns = true;
		info->edns_do = ttl & OPT_DO;
	}
}

static void read_questions(struct wire *w, struct span msg, unsigned n, struct names *out)
{
	for (unsigned i = 0; i < n; i++) {
		struct name name = { .seen_in = SEEN_DNS_QUERY };
		unsigned    had = out->n;
		uint16_t    type;

		if (i == NAMES_MAX) /* pointers make a question cost more than its bytes */
			wire_fail(w, WIRE_BAD);
		read_name(w, msg, &name);
		type = wire_u16(w);
		wire_skip(w, 2); /* class */
		if (*w->err != WIRE_OK)
			return;
		if (name.len && !names_add(out, &name)) {
			wire_fail(w, WIRE_BAD);
			return;
		}
		if (out->n > had)
			out->dns.qtype[had] = type;
	}
}

enum wire_err dns_names(struct wire *w, struct names *out)
{
	struct span msg = span_of(w->pos, wire_left(w));
	unsigned    questions, records;

	out->app = APP_DNS;
	out->dns = (struct dns_info){ .id = wire_u16(w), .flags = wire_u16(w) };
	questions = wire_u16(w);
	records = wire_u16(w);
	records += wire_u16(w);
	records += wire_u16(w);
	if (*w->err == WIRE_OK && (out->dns.flags & (FLAG_QR | OPCODE)))
		return WIRE_NONE;
	read_questions(w, msg, questions, out);
	if (*w->err != WIRE_OK)
		return *w->err;
	out->dns.question_len = (uint16_t)(w->pos - msg.p - HEADER);

	/* the questions stand: damage behind them must not hide them */
	enum wire_err tail = WIRE_OK;
	struct wire   rest = *w;

	rest.err = &tail;
	for (unsigned i = 0; i < records && tail == WIRE_OK; i++)
		skip_record(&rest, msg, &out->dns);
	return WIRE_OK;
}

enum wire_err dns_guess(struct wire w)
{
	return wire_left(&w) >= HEADER ? WIRE_OK : WIRE_NONE;
}

/* A label as host names have them; _service and *.wild too. */
static bool is_host_label(struct span label)
{
	for (size_t i = 0; i < label.n; i++) {
		uint8_t c = ascii_lower(label.p[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*'))
			return false;
	}
	return true;
}

/*
 * On a port that is not DNS's own only what can hardly be anything else: a standard query with one
 * question, nothing but perhaps an OPT and a signature behind it, and a host name in class IN.
 */
enum wire_err dns_guess_strict(struct wire w)
{
	size_t labels = 0;
	bool   fits;

	wire_skip(&w, 2); /* ID */
	fits = (wire_u16(&w) & ~(FLAG_RD | FLAG_AD | FLAG_CD)) == 0;
	for (unsigned count = 0; fits && count < 4; count++) {
		uint16_t n = wire_u16(&w);

		fits = *w.err != WIRE_OK || (count == 0 ? n == 1 : n <= (count == 3 ? 2 : 0));
	}
	for (uint8_t len = 1; fits && *w.err == WIRE_OK && len; labels++) {
		len = wire_u8(&w);
		fits = len < 64 && is_host_label(wire_span(&w, len));
	}
	if (fits && *w.err == WIRE_OK) { /* the root counts as a label */
		wire_skip(&w, 2);        /* type */
		fits = labels > 2 && (wire_u16(&w) == CLASS_IN || *w.err != WIRE_OK);
	}
	return fits && *w.err != WIRE_BAD ? *w.err : WIRE_NONE;
}

/* The same with the length that TCP puts in front. */
enum wire_err dns_tcp_guess_strict(struct wire w)
{
	struct wire message = wire_sub(&w, wire_u16(&w));

	return dns_guess_strict(message);
}

/* RFC 1035 4.2.2: every message has its length in front. Of one that is still coming the questions
 * that are there count. */
enum wire_err dns_tcp_names(struct wire *w, struct names *out)
{
	struct wire   m;
	enum wire_err r;

	out->app = APP_DNS;
	m = wire_sub(w, wire_u16(w));
	if (*w->err != WIRE_OK)
		return *w->err;
	r = dns_names(&m, out);
	return m.open ? WIRE_MORE : r;
}

/* A length that holds a header, then one with few questions. Whatever its flags: a query may follow a
 * message of another kind on the same connection. */
enum wire_err dns_tcp_guess(struct wire w)
{
	uint16_t len = wire_u16(&w), questions;

	if (*w.err == WIRE_OK && len < HEADER)
		return WIRE_NONE;
	wire_skip(&w, 4); /* ID, flags */
	questions = wire_u16(&w);
	if (*w.err == WIRE_OK && questions > FEW_QUESTIONS)
		return WIRE_NONE;
	return *w.err;
}

const char *dns_type_text(uint16_t type, char buf[static 12])
{
	static const struct {
		uint16_t    type;
		const char *text;
	} types[] = {
		{ 1, "A" },      { 2, "NS" },     { 5, "CNAME" },  { 6, "SOA" },   { 12, "PTR" },
		{ 15, "MX" },    { 16, "TXT" },   { 28, "AAAA" },  { 33, "SRV" },  { 35, "NAPTR" },
		{ 43, "DS" },    { 48, "DNSKEY" }, { 64, "SVCB" }, { 65, "HTTPS" }, { 255, "ANY" },
		{ 257, "CAA" },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return types[i].text;
	snprintf(buf, 12, "TYPE%u", type);
	return buf;
}

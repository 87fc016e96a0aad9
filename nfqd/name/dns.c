/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS questions and answers (RFC 1035) over UDP and TCP; messages with an opcode other than QUERY are not
 * read. From an answer the names that its question leads to are taken, and the addresses. Everything else
 * serves one purpose: to know whether the client speaks EDNS (RFC 6891), so that our own answer may.
 */
#include <stdio.h>

#include "name/parsers.h"

enum { HEADER = 12, MAX_NAME = 255, MAX_JUMPS = 127, FEW_QUESTIONS = 16, CLASS_IN = 1 };
enum { MAX_TARGETS = 4 * NAMES_MAX }; /* pointers make a name cost more than its bytes */

enum {
	TYPE_A = 1,
	TYPE_CNAME = 5,
	TYPE_MX = 15,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65
};

enum { OPTION_EDE = 15 };
enum { SVC_IPV4HINT = 4, SVC_ECH = 5, SVC_IPV6HINT = 6 }; /* RFC 9460 14.3.2, RFC 9848 */

#define FLAG_QR 0x8000
#define OPCODE  0x7800
#define FLAG_RD 0x0100
#define FLAG_AD 0x0020
#define FLAG_CD 0x0010
#define OPT_DO  0x8000

/*
 * One name, decompressed (RFC 1035 4.1.4). A pointer must lead to bytes that lie wholly before the labels
 * it is found in, so there can be no loop; jumps and length are bounded all the same. w is moved past the
 * name as it stands in the message.
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
			if (total >= MAX_NAME) /* the final zero counts, too */
				wire_fail(cur, WIRE_BAD);
			else if (label.n)
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

/* ---- records ------------------------------------------------------------------------------- */

/* Records that lead on, and what stands before the name in them. PTR and NS lead nowhere that a client
 * would connect to. */
static const struct target {
	uint16_t type;
	uint8_t  before, seen_in;
} targets[] = {
	{ TYPE_CNAME, 0, SEEN_DNS_CNAME }, { TYPE_DNAME, 0, SEEN_DNS_CNAME },
	{ TYPE_SVCB, 2, SEEN_DNS_SVCB },   { TYPE_HTTPS, 2, SEEN_DNS_SVCB },
	{ TYPE_SRV, 6, SEEN_DNS_SVCB },    { TYPE_MX, 2, SEEN_DNS_SVCB },
};

static void add_address(struct dns_info *info, struct span bytes, uint32_t ttl)
{
	if (info->n_addrs < DNS_ADDRS && bytes.n)
		info->addrs[info->n_addrs++] =
			(struct dns_address){ addr_from(bytes.p, (uint8_t)bytes.n), ttl };
}

/* Hints are addresses that a client may use without asking for them (RFC 9460 7.3). */
static void read_svc_params(struct wire *w, struct dns_info *info, uint32_t ttl)
{
	while (wire_each(w)) {
		uint16_t    key = wire_u16(w);
		struct wire value = wire_sub(w, wire_u16(w));

		info->ech |= key == SVC_ECH;
		while ((key == SVC_IPV4HINT || key == SVC_IPV6HINT) && wire_each(&value))
			add_address(info, wire_span(&value, key == SVC_IPV4HINT ? 4 : 16), ttl);
	}
}

/* One record of the answer section. A target that is the root stands for the owner (RFC 9460 2.5),
 * which something else has named. */
static void read_data(struct wire data, struct span msg, uint16_t type, uint32_t ttl, struct names *out)
{
	if (type == TYPE_A || type == TYPE_AAAA)
		add_address(&out->dns, wire_span(&data, type == TYPE_A ? 4 : 16), ttl);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct name name = { .seen_in = targets[i].seen_in };

		if (targets[i].type != type)
			continue;
		if (out->dns.n_targets == MAX_TARGETS) {
			wire_fail(&data, WIRE_BAD);
			return;
		}
		out->dns.n_targets++;
		wire_skip(&data, targets[i].before);
		read_name(&data, msg, &name);
		if (*data.err == WIRE_OK && name.len && !names_add(out, &name))
			wire_fail(&data, WIRE_BAD);
		if (type == TYPE_SVCB || type == TYPE_HTTPS)
			read_svc_params(&data, &out->dns, ttl);
	}
}

/* Skips a name whose text is not needed: a pointer ends it. */
static void skip_name(struct wire *w)
{
	uint8_t len;

	while ((len = wire_u8(w)) > 0 && len < 64)
		wire_skip(w, len);
	if (len >= 0xc0)
		wire_skip(w, 1);
	else if (len)
		wire_fail(w, WIRE_BAD);
}

/* answer: this is a record of the answer section; of other sections only an OPT matters. False: its data
 * is damaged, which must not hide the records after it. */
static bool read_record(struct wire *w, struct span msg, bool answer, struct names *out)
{
	enum wire_err err = WIRE_OK;
	struct wire   data;
	uint16_t      type;
	uint32_t      ttl;

	skip_name(w);
	type = wire_u16(w);
	wire_skip(w, 2); /* class; of an OPT the payload size */
	ttl = wire_u32(w);
	data = wire_sub(w, wire_u16(w));
	if (*w->err == WIRE_OK && type == TYPE_OPT) {
		out->dns.edns = true;
		out->dns.edns_do = ttl & OPT_DO;
	}
	if (*w->err != WIRE_OK || !answer)
		return true;
	data.err = &err;
	read_data(data, msg, type, ttl, out);
	return err == WIRE_OK;
}

/* RFC 8914: the first error among the options of an OPT. */
static bool read_error(struct wire options, struct dns_error *out)
{
	while (wire_each(&options)) {
		uint16_t    code = wire_u16(&options);
		struct wire value = wire_sub(&options, wire_u16(&options));

		if (code != OPTION_EDE)
			continue;
		out->code = wire_u16(&value);
		out->text = wire_span(&value, wire_left(&value));
		return *value.err == WIRE_OK;
	}
	return false;
}

bool dns_extended_error(struct span msg, struct dns_error *out)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(msg, &err, false);
	unsigned      questions, records;

	wire_skip(&w, 4); /* ID, flags */
	questions = wire_u16(&w);
	records = wire_u16(&w);
	records += wire_u16(&w);
	records += wire_u16(&w);
	for (; questions > 0 && err == WIRE_OK; questions--) {
		skip_name(&w);
		wire_skip(&w, 4); /* type, class */
	}
	for (; records > 0 && err == WIRE_OK; records--) {
		uint16_t type;

		skip_name(&w);
		type = wire_u16(&w);
		wire_skip(&w, 6); /* class, TTL */
		struct wire data = wire_sub(&w, wire_u16(&w));

		if (type == TYPE_OPT)
			return read_error(data, out);
	}
	return false;
}

/* ---- messages ------------------------------------------------------------------------------ */

/* A name that is asked for twice in one message: another type must not ride along with the first one's. */
static void add_type(struct names *out, const struct name *name, uint16_t type)
{
	for (unsigned i = 0; i < out->n; i++)
		if (out->v[i].len == name->len && memcmp(out->v[i].text, name->text, name->len) == 0 &&
		    out->dns.qtype[i] != type)
			out->dns.qtype[i] = DNS_TYPE_SEVERAL;
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
		else
			add_type(out, &name, type);
	}
}

/* Reads a message whose QR bit is qr. */
static enum wire_err read_message(struct wire *w, uint16_t qr, struct names *out)
{
	struct span msg = span_of(w->pos, wire_left(w));
	unsigned    questions, answers, others;
	bool        whole = true;

	out->app = APP_DNS;
	memset(&out->dns, 0, offsetof(struct dns_info, addrs));
	out->dns.id = wire_u16(w);
	out->dns.flags = wire_u16(w);
	questions = wire_u16(w);
	answers = wire_u16(w);
	others = wire_u16(w);
	others += wire_u16(w);
	if (*w->err == WIRE_OK && (out->dns.flags & (FLAG_QR | OPCODE)) != qr)
		return WIRE_NONE;
	read_questions(w, msg, questions, out);
	if (*w->err != WIRE_OK)
		return *w->err;
	out->dns.question_len = (uint16_t)(w->pos - msg.p - HEADER);

	/* the questions were read: damage after them must not hide them */
	enum wire_err tail = WIRE_OK;
	struct wire   rest = *w;

	rest.err = &tail;
	for (unsigned i = 0; i < answers + others && tail == WIRE_OK; i++)
		whole &= read_record(&rest, msg, qr && i < answers, out);
	return qr && !(whole && tail == WIRE_OK) ? WIRE_BAD : WIRE_OK;
}

enum wire_err dns_names(struct wire *w, struct names *out)
{
	return read_message(w, 0, out);
}

enum wire_err dns_answer_names(struct wire *w, struct names *out)
{
	return read_message(w, FLAG_QR, out);
}

bool dns_is_answer(const struct names *names)
{
	return names->app == APP_DNS && names->dns.flags & FLAG_QR;
}

uint16_t dns_question_type(const struct names *names, unsigned i)
{
	return names->app == APP_DNS ? names->dns.qtype[dns_is_answer(names) ? 0 : i] : 0;
}

bool dns_wants_signatures(const struct names *names)
{
	return names->n && names->app == APP_DNS && names->dns.edns_do;
}

bool dns_is_about_keys(const struct names *names, unsigned i)
{
	enum { TYPE_DS = 43, TYPE_DNSKEY = 48 };
	uint16_t type = dns_question_type(names, i);

	return names->v[i].seen_in == SEEN_DNS_QUERY && (type == TYPE_DS || type == TYPE_DNSKEY);
}

enum wire_err dns_guess(struct wire w)
{
	return wire_left(&w) >= HEADER ? WIRE_OK : WIRE_NONE;
}

enum wire_err dns_answer_guess(struct wire w)
{
	if (wire_left(&w) < HEADER)
		return WIRE_NONE;
	wire_skip(&w, 2);
	return (wire_u16(&w) & (FLAG_QR | OPCODE)) == FLAG_QR ? WIRE_OK : WIRE_NONE;
}

/* A label of a host name; _service and *.wild count, too. */
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
 * On a port that is not DNS's own, accepts only what can hardly be anything else: a standard query with one
 * question, followed by an OPT and a signature at most, for a host name in class IN.
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

/* The same with TCP's length in front. */
enum wire_err dns_tcp_guess_strict(struct wire w)
{
	struct wire message = wire_sub(&w, wire_u16(&w));

	return dns_guess_strict(message);
}

/* RFC 1035 4.2.2: every message has its length in front. Of a message that is still incomplete, what is
 * there counts. */
static enum wire_err read_tcp_message(struct wire *w, uint16_t qr, struct names *out)
{
	struct wire   m;
	enum wire_err r;

	out->app = APP_DNS;
	m = wire_sub(w, wire_u16(w));
	if (*w->err != WIRE_OK)
		return *w->err;
	r = read_message(&m, qr, out);
	return m.open ? WIRE_MORE : r;
}

enum wire_err dns_tcp_names(struct wire *w, struct names *out)
{
	return read_tcp_message(w, 0, out);
}

enum wire_err dns_tcp_answer_names(struct wire *w, struct names *out)
{
	return read_tcp_message(w, FLAG_QR, out);
}

size_t dns_tcp_length(struct span front)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(front, &err, false);

	return 2U + wire_u16(&w);
}

/* A length that holds a header, then a header with few questions. The flags do not matter: a query may
 * follow a message of another kind on the same connection. */
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

/* The flags tell an answer from a client's message whose source port happens to be a resolver's. */
enum wire_err dns_tcp_answer_guess(struct wire w)
{
	struct wire flags = w;

	wire_skip(&flags, 4); /* length, ID */
	if ((wire_u16(&flags) & (FLAG_QR | OPCODE)) != FLAG_QR && *w.err == WIRE_OK)
		return WIRE_NONE;
	return dns_tcp_guess(w);
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS messages, read by us and by ldns: whatever it finds in the question, or as the target or
 * address of an answer, we must find, too. Resolvers refuse pointers that lead forward and so do
 * we; ldns follows them, so what has pointers is compared only where we read it. After data that is
 * longer than its type's fields ldns reads on in the middle of it, where no client would: such a
 * message is not compared.
 */
#include <ldns/ldns.h>

#include "fuzz.h"

/* A name as ldns holds it (labels, no pointers), in our form. False: the root. */
static bool name_of(const ldns_rdf *rdf, struct name *out)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(span_of(ldns_rdf_data(rdf), ldns_rdf_size(rdf)), &err, false);
	uint8_t       n;

	*out = (struct name){.len = 0};
	while ((n = wire_u8(&w)) > 0)
		name_push_label(out, wire_span(&w, n));
	FUZZ_CHECK(err == WIRE_OK);
	return out->len > 0;
}

static void check_named(const ldns_rdf *rdf, const struct names *ours)
{
	struct name name;
	unsigned    i = 0;

	if (!name_of(rdf, &name))
		return;
	while (i < ours->n && strcmp(ours->v[i].text, name.text) != 0)
		i++;
	if (i == ours->n)
		fprintf(stderr, "only ldns sees '%s'\n", name.text);
	FUZZ_CHECK(i < ours->n);
}

static void check_address(const ldns_rr *rr, const struct names *ours)
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
	unsigned        i = 0;

	while (i < ours->dns.n_addrs &&
	       (ours->dns.addrs[i].addr.len != ldns_rdf_size(rdf) ||
		memcmp(ours->dns.addrs[i].addr.b, ldns_rdf_data(rdf), ldns_rdf_size(rdf)) != 0))
		i++;
	FUZZ_CHECK(i < ours->dns.n_addrs || i == DNS_ADDRS);
}

/* Where the name is among the fields of a record that leads on. */
static int target_of(ldns_rr_type type)
{
	return type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_DNAME ? 0
	       : type == LDNS_RR_TYPE_MX                                ? 1
	       : type == LDNS_RR_TYPE_SRV                               ? 3
									: -1;
}

static void check_sections(const ldns_pkt *pkt, const struct names *ours)
{
	const ldns_rr_list *questions = ldns_pkt_question(pkt), *answers = ldns_pkt_answer(pkt);

	for (size_t i = 0; i < ldns_rr_list_rr_count(questions); i++)
		check_named(ldns_rr_owner(ldns_rr_list_rr(questions, i)), ours);
	for (size_t i = 0; ldns_pkt_qr(pkt) && i < ldns_rr_list_rr_count(answers); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answers, i);
		ldns_rr_type   type = ldns_rr_get_type(rr);
		int            has = (int)ldns_rr_rd_count(rr); /* fields; a record may have none */

		if (has && (type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_AAAA))
			check_address(rr, ours);
		if (target_of(type) >= 0 && target_of(type) < has)
			check_named(ldns_rr_rdf(rr, (size_t)target_of(type)), ours);
	}
}

static bool has_pointers(struct span msg)
{
	for (size_t i = 12; i < msg.n; i++)
		if (msg.p[i] >= 0xc0)
			return true;
	return false;
}

/* Damage that ldns lets pass: a record that ends before its type's fields do (as updates have them, without any),
 * and parameters of a service, which it does not read. */
static bool may_be_damaged(const ldns_rr *rr)
{
	ldns_rr_type type = ldns_rr_get_type(rr);
	size_t       has = ldns_rr_rd_count(rr);

	return has == 0 || has < ldns_rr_descriptor_minimum(ldns_rr_descript(type)) ||
	       type == LDNS_RR_TYPE_SVCB || type == LDNS_RR_TYPE_HTTPS;
}

static bool has_unread_records(const ldns_pkt *pkt)
{
	const ldns_rr_list *answers = ldns_pkt_answer(pkt);

	for (size_t i = 0; i < ldns_rr_list_rr_count(answers); i++)
		if (may_be_damaged(ldns_rr_list_rr(answers, i)))
			return true;
	return false;
}

/* Where the record at pos ends by its RDLENGTH (RFC 1035 3.2.1); 0: nowhere in the message. */
static size_t record_end(struct span msg, size_t pos)
{
	ldns_rdf *owner = NULL;
	bool      named = ldns_wire2dname(&owner, msg.p, msg.n, &pos) == LDNS_STATUS_OK;

	ldns_rdf_deep_free(owner);
	return named && msg.n - pos >= 10 ? pos + 10 + ldns_read_uint16(msg.p + pos + 8) : 0;
}

/* Does ldns read every record up to where it ends, and no further? */
static bool keeps_lengths(struct span msg)
{
	unsigned questions = LDNS_QDCOUNT(msg.p);
	unsigned all = questions + LDNS_ANCOUNT(msg.p) + LDNS_NSCOUNT(msg.p) + LDNS_ARCOUNT(msg.p);
	size_t   pos = LDNS_HEADER_SIZE, end;
	bool     keeps = true;

	for (unsigned i = 0; i < all && keeps; i++) {
		bool     asks = i < questions;
		ldns_rr *rr = NULL;

		end = asks ? 0 : record_end(msg, pos);
		keeps = ldns_wire2rr(&rr, msg.p, msg.n, &pos,
				     asks ? LDNS_SECTION_QUESTION : LDNS_SECTION_ANSWER) ==
				LDNS_STATUS_OK &&
			(asks || pos == end);
		ldns_rr_free(rr);
	}
	return keeps;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span   msg = span_of(data, size);
	struct names  ours;
	ldns_pkt     *pkt = NULL;
	enum wire_err r;

	if (size > 65535 || ldns_wire2pkt(&pkt, data, size) != LDNS_STATUS_OK)
		return 0;
	if (ldns_pkt_get_opcode(pkt) == LDNS_PACKET_QUERY && keeps_lengths(msg)) {
		r = fuzz_parse(ldns_pkt_qr(pkt) ? dns_answer_names : dns_names, msg, false, &ours);
		if (r == WIRE_OK)
			check_sections(pkt, &ours);
		else /* more than we take, which is damage: it is counted and has a policy */
			FUZZ_CHECK(has_pointers(msg) || has_unread_records(pkt) ||
				   ours.n == NAMES_MAX ||
				   ldns_pkt_qdcount(pkt) + ldns_pkt_ancount(pkt) > NAMES_MAX);
	}
	ldns_pkt_free(pkt);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of protocols that carry names. To add a protocol: one file with a guess and an extractor, one row
 * here.
 */
#include "name/parsers.h"

#include "base/steered.h"

#define DNS_FRAMING { .prefix = 2, .length = dns_tcp_length }

static const struct name_proto protos[] = {
	/* answers first: some resolvers ask from port 53 */
	{ .transport = TRANSPORT_DATAGRAM, .follow = FOLLOW_SAME, .names_only = true, .from = PORT_DNS,
	  .guess = dns_answer_guess, .names = dns_answer_names },
	{ .transport = TRANSPORT_DATAGRAM, .follow = FOLLOW_SAME, .names_only = true, .port = PORT_DNS,
	  .guess = dns_guess, .names = dns_names },
	/* before DNS: the header of a record may look like one of a long query */
	{ .transport = TRANSPORT_STREAM, .guess = tls_guess, .names = tls_names, .ask_server = true,
	  .mark = { "\26\3", 2, false }, .begins = tls_begins_hello, .repeats = tls_begins_handshake,
	  .shrink = tls_shrink },
	{ .transport = TRANSPORT_STREAM, .follow = FOLLOW_SAME, .names_only = true, .port = PORT_DNS,
	  .guess = dns_tcp_guess, .names = dns_tcp_names, .framing = DNS_FRAMING },
	{ .transport = TRANSPORT_STREAM, .follow = FOLLOW_SAME, .names_only = true, .from = PORT_DNS,
	  .guess = dns_tcp_answer_guess, .names = dns_tcp_answer_names, .framing = DNS_FRAMING },
	{ .transport = TRANSPORT_STREAM, .follow = FOLLOW_ANY, .guess = http_guess, .names = http_names,
	  .framing = { .body = http_body, .skip = http_skip_chunks }, .mark = { " HTTP/", 6, true } },
	{ .transport = TRANSPORT_DATAGRAM, .follow = FOLLOW_SAME, .names_only = true, .guess = dns_guess_strict,
	  .names = dns_names },
	{ .transport = TRANSPORT_STREAM, .follow = FOLLOW_SAME, .names_only = true, .guess = dns_tcp_guess_strict,
	  .names = dns_tcp_names, .framing = DNS_FRAMING },
	{ .transport = TRANSPORT_STREAM, .guess = http2_guess, .names = http2_names },
	{ .transport = TRANSPORT_STREAM, .follow = FOLLOW_ANY, .weak = true, .guess = socks_guess,
	  .names = socks_names },
	{ .transport = TRANSPORT_STREAM, .content_follows = true, .guess = starttls_guess,
	  .names = starttls_names },
	/* found without a guess: their transport tells them */
	{ .transport = TRANSPORT_CRYPTO, .names = quic_tls_names, .shrink = quic_tls_shrink },
	{ .transport = TRANSPORT_DTLS, .names = dtls_names },
	{ .transport = TRANSPORT_SERVER, .names = tls_cert_names },
};

static const struct name_proto *const protos_end = protos + sizeof(protos) / sizeof(protos[0]);

enum wire_err name_proto_find(enum transport transport, uint16_t from, uint16_t port, struct span first,
                              bool open, const struct name_proto **row)
{
	enum wire_err best = WIRE_NONE;

	for (const struct name_proto *p = protos; p < protos_end; p++) {
		enum wire_err err = WIRE_OK, r;

		if (p->transport != transport || (p->port && p->port != port) || (p->from && p->from != from))
			continue;
		r = p->guess(wire_of(first, &err, open));
		if (r == WIRE_OK) {
			*row = p;
			return WIRE_OK;
		}
		if (r == WIRE_MORE)
			best = WIRE_MORE;
	}
	return best;
}

const struct name_proto *name_proto_of(enum transport transport, const struct name_proto *after)
{
	for (const struct name_proto *p = after ? after + 1 : protos; p < protos_end; p++)
		if (p->transport == transport)
			return p;
	return NULL;
}

const struct name_proto *name_proto_marked(const struct name_proto *after)
{
	for (const struct name_proto *p = after ? after + 1 : protos; p < protos_end; p++)
		if (p->mark.len)
			return p;
	return NULL;
}

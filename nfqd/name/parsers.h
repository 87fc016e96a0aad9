/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to name/ and its tests: the functions behind the rows of protocols.c. name.h says what guess() and
 * names() promise.
 */
#ifndef NFQD_NAME_PARSERS_H
#define NFQD_NAME_PARSERS_H

#include "name/name.h"

enum wire_err dns_guess(struct wire w);
enum wire_err dns_guess_strict(struct wire w); /* on any port */
enum wire_err dns_names(struct wire *w, struct names *out);
enum wire_err dns_tcp_guess(struct wire w);
enum wire_err dns_tcp_guess_strict(struct wire w);
enum wire_err dns_tcp_names(struct wire *w, struct names *out); /* one message with its length */
enum wire_err dns_answer_guess(struct wire w);
enum wire_err dns_tcp_answer_guess(struct wire w);
enum wire_err dns_tcp_answer_names(struct wire *w, struct names *out);
/* RFC 1035 4.2.2: what a message over TCP says of its length, and these two bytes. */
size_t dns_tcp_length(struct span front);

enum wire_err tls_guess(struct wire w);
enum wire_err tls_names(struct wire *w, struct names *out);
/* Does a ClientHello begin here, after bytes that may precede one? */
bool tls_begins_hello(struct span first);
/* Does a handshake record begin here? The first of two hellos may lie before the window. */
bool tls_begins_handshake(struct span bytes);
/* The handshake without records, as QUIC carries it. */
enum wire_err quic_tls_names(struct wire *w, struct names *out);
/* What stands for the beginning of either one, as name_proto.shrink says. */
size_t tls_shrink(struct span bytes, uint8_t *out, size_t room);
size_t quic_tls_shrink(struct span bytes, uint8_t *out, size_t room);
/* The handshake of DTLS, whose fragments were put together. */
enum wire_err dtls_names(struct wire *w, struct names *out);
/*
 * The names in the certificate that a TLS server sends: w is the start of the *server's* stream. Its common
 * name and then its alternative names, as many as fit. WIRE_NONE: the server shows no certificate (TLS 1.3,
 * a resumed session, no TLS at all).
 */
enum wire_err tls_cert_names(struct wire *w, struct names *out);

enum wire_err http_guess(struct wire w);
enum wire_err http_names(struct wire *w, struct names *out);
uint64_t      http_body(const struct names *names);
/* Chunks of a body (RFC 9112 7.1), as name_framing.skip says. */
enum wire_err http_skip_chunks(struct wire *w, uint64_t *beyond);
/* HTTP/2 without TLS: the authority of its first request. */
enum wire_err http2_guess(struct wire w);
enum wire_err http2_names(struct wire *w, struct names *out);

enum wire_err socks_guess(struct wire w);
enum wire_err socks_names(struct wire *w, struct names *out);

/* No names: the text before TLS. names.tunnel: a hello follows. */
enum wire_err starttls_guess(struct wire w);
enum wire_err starttls_names(struct wire *w, struct names *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to name/: what the readers of a client's and of a server's handshake share. */
#ifndef NFQD_NAME_TLS_PRIVATE_H
#define NFQD_NAME_TLS_PRIVATE_H

#include "name/parsers.h"

enum {
	TLS_CLIENT_HELLO = 1,
	TLS_SERVER_HELLO = 2,
	TLS_CERTIFICATE = 11,
	TLS_EXT_SERVER_NAME = 0,
	TLS_EXT_SIGNATURE_ALGORITHMS = 13,
	TLS_EXT_ALPN = 16,
	TLS_EXT_SUPPORTED_VERSIONS = 43,
	TLS_EXT_ECH = 0xfe0d,
	TLS_HANDSHAKE_MAX = 16384 /* handshake bytes that are looked at */
};

enum tls_side { TLS_CLIENT, TLS_SERVER };

/*
 * The handshake bytes of the records at w, in one piece. One record that holds a client's whole
 * message is read in place; otherwise the fragments are gathered into room. *open: more may follow.
 */
struct span tls_gather(struct wire *w, enum tls_side side, uint8_t room[static TLS_HANDSHAKE_MAX],
                       bool *open);

/* What fills the room and is not complete will never be. */
static inline enum wire_err tls_bounded(enum wire_err r, struct span gathered)
{
	return r == WIRE_MORE && gathered.n == TLS_HANDSHAKE_MAX ? WIRE_BAD : r;
}

/* The CHLO of Google's QUIC. */
enum wire_err gquic_names(struct wire *w, struct names *out);

#endif

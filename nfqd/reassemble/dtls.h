/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The handshake bytes in a client's DTLS datagrams (RFC 6347, RFC 4347), in order, whatever records and
 * fragments carry them. */
#ifndef NFQD_REASSEMBLE_DTLS_H
#define NFQD_REASSEMBLE_DTLS_H

#include "reassemble/stream.h"

/* Does the datagram begin with a record that holds a fragment of a ClientHello, DTLS 1.0 or 1.2? DTLS 1.3
 * (RFC 9147) writes its hello as 1.2. */
bool dtls_is(struct span datagram);

/* Puts the fragments of the ClientHello into s, which must be anchored at 0: the handshake header of TLS
 * first. True when bytes are new. */
bool dtls_datagram(struct stream *s, struct span datagram);

#endif

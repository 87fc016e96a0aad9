/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLS handshake bytes in a client's QUIC Initial packets (RFC 9000, RFC 9001, RFC 9369), in
 * order, whatever frames, packets and datagrams they came in.
 */
#ifndef NFQD_REASSEMBLE_QUIC_H
#define NFQD_REASSEMBLE_QUIC_H

#include "reassemble/flow.h"

/* A long header of a version whose Initials can be opened. */
bool quic_is(struct span datagram, uint32_t *version);

enum quic_result {
	QUIC_NEW,     /* handshake bytes came into the flow's stream */
	QUIC_NOTHING, /* opened, or no Initial: nothing new */
	QUIC_CLOSED,  /* an Initial that could not be opened, or is damaged */
};

/* Is there an Initial of another connection than the one that f holds keys of? */
bool quic_is_another(const struct flow *f, struct span datagram);

/* Reads every packet of one datagram. f->stream must be there, anchored at 0; its conflict says of
 * this datagram whether it contradicts itself or those before. */
enum quic_result quic_datagram(struct flow *f, struct span datagram);

#endif

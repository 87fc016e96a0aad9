/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLS handshake bytes in a client's QUIC Initial packets (RFC 9000, RFC 9001, RFC 9369), in
 * order, whatever frames, packets and datagrams they came in.
 */
#ifndef NFQD_REASSEMBLE_QUIC_H
#define NFQD_REASSEMBLE_QUIC_H

#include "reassemble/stream.h"

/* A long header of a version whose Initials can be opened. */
bool quic_is(struct span datagram, uint32_t *version);

enum quic_result {
	QUIC_NEW,     /* handshake bytes came into the stream */
	QUIC_NOTHING, /* opened, or no Initial: nothing new */
	QUIC_CLOSED,  /* an Initial that could not be opened, or is damaged */
};

/* The connection ID that the keys of a connection came from; all zero: none so far. */
struct quic_id {
	uint8_t dcid_len, dcid[20];
};

/* Does the datagram hold an Initial of another connection than that of these keys? */
bool quic_is_another(const struct quic_id *keys, struct span datagram);

/* Reads every packet of one datagram. s must be anchored at 0; its conflict says of this datagram whether
 * it contradicts itself or those before. */
enum quic_result quic_datagram(struct quic_id *keys, struct stream *s, struct span datagram);

#endif

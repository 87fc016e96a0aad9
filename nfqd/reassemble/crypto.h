/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to reassemble/: opening QUIC Initial packets (RFC 9001 5). Ciphers come from nettle. */
#ifndef NFQD_REASSEMBLE_CRYPTO_H
#define NFQD_REASSEMBLE_CRYPTO_H

#include "base/span.h"

/* What a QUIC version derives its Initial keys with. */
struct initial_secrets {
	uint8_t     salt[20];
	const char *key, *iv, *hp; /* HKDF labels, without "tls13 " */
};

/* Longest packet that is opened: a UDP datagram on an Ethernet with jumbo frames. */
#define INITIAL_MAX 9216

/* Exempts a buffer of that size, which is written before it is read, from the compiler's
 * -ftrivial-auto-var-init: filling it costs as much as decrypting a packet. */
#define NOT_ZEROED __attribute__((uninitialized))

/*
 * Removes header protection and decrypts one Initial that a client sent. packet is the whole packet,
 * number_at the offset of its packet number; dcid what the keys are derived from. On success the
 * frames are in out. Returns their length, 0 when the packet was not made with these keys.
 */
size_t crypto_open_initial(const struct initial_secrets *s, struct span dcid, struct span packet,
                           size_t number_at, uint8_t out[static INITIAL_MAX]);

#endif

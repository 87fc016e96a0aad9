/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protected QUIC Initial packets built to order (RFC 9000 17.2.2, RFC 9001 5, RFC 9369), and the
 * frames that stand in them. The sender's side, written from the RFCs and not from what it tests.
 */
#ifndef TESTS_LIB_QUIC_H
#define TESTS_LIB_QUIC_H

#include <stdio.h>

#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hmac.h>

#include "bytes.h"

enum { QUIC_KEY = 16, QUIC_IV = 12, QUIC_TAG = 16 };

struct quic_keys {
	uint8_t key[QUIC_KEY], iv[QUIC_IV], hp[QUIC_KEY];
};

/* Packet types as version 1 numbers them; version 2 numbers them one higher. */
enum quic_type { QUIC_INITIAL, QUIC_0RTT, QUIC_HANDSHAKE, QUIC_RETRY };

struct quic_packet {
	uint32_t    version; /* 0: version 1 */
	struct span dcid, scid, token;
	struct span keys_of;    /* the connection ID that the keys come from; p == NULL: dcid */
	unsigned    number_len; /* of the packet number: 1 to 4; 0: 4 */
	uint32_t    number;
	bool        server;                 /* sealed as a server does it */
	const struct quic_keys *keys;       /* these instead of any derived */
};

/* A number as RFC 9000 16 writes it, in the fewest bytes. */
static inline void quic_varint(struct bytes *b, uint64_t v)
{
	if (v < 1 << 6)
		bytes_num(b, 1, v);
	else if (v < 1 << 14)
		bytes_num(b, 2, v | 1 << 14);
	else if (v < 1 << 30)
		bytes_num(b, 4, v | UINT64_C(2) << 30);
	else
		bytes_num(b, 8, v | UINT64_C(3) << 62);
}

/* ---- frames ---- */

static inline void quic_padding(struct bytes *b, size_t n)
{
	bytes_fill(b, 0, n);
}

static inline void quic_ping(struct bytes *b)
{
	bytes_num(b, 1, 1);
}

/* Two ranges; with the three counters of ECN behind them. */
static inline void quic_ack(struct bytes *b, bool ecn)
{
	bytes_num(b, 1, ecn ? 3 : 2);
	quic_varint(b, 70000);
	quic_varint(b, 100);
	quic_varint(b, 1);
	quic_varint(b, 6); /* a CRYPTO frame to whoever loses count */
	quic_varint(b, 6);
	quic_varint(b, 6);
	for (unsigned i = 0; ecn && i < 3; i++)
		quic_varint(b, 6);
}

static inline void quic_crypto(struct bytes *b, uint64_t offset, struct span data)
{
	bytes_num(b, 1, 6);
	quic_varint(b, offset);
	quic_varint(b, data.n);
	bytes_add(b, data);
}

/* The same of Google's QUIC. */
static inline void quic_crypto_google(struct bytes *b, uint64_t offset, struct span data)
{
	size_t at = b->n;

	quic_crypto(b, offset, data);
	b->p[at] = 8;
}

static inline void quic_close(struct bytes *b)
{
	bytes_num(b, 1, 0x1c);
	quic_varint(b, 0x100 + 40);
	quic_varint(b, 6);
	quic_varint(b, 4);
	bytes_text(b, "over");
}

/* ---- keys ---- */

static inline void quic_hmac(struct span key, struct span data, uint8_t out[32])
{
	struct hmac_sha256_ctx h;

	hmac_sha256_set_key(&h, key.n, key.p);
	hmac_sha256_update(&h, data.n, data.p);
	hmac_sha256_digest(&h, 32, out);
}

/* RFC 8446 7.1: one block of HKDF is enough for all that is asked for here. */
static inline void quic_label(const uint8_t secret[32], const char *label, uint8_t *out, size_t n)
{
	uint8_t info[64] = { 0, (uint8_t)n, (uint8_t)(6 + strlen(label)) }, block[32];
	int     len = snprintf((char *)info + 3, sizeof(info) - 3, "tls13 %s", label);

	info[3 + len + 1] = 1; /* behind the empty context's length: the block's number */
	quic_hmac(span_of(secret, 32), span_of(info, (size_t)len + 5), block);
	memcpy(out, block, n);
}

#define QUIC_V2   0x6b3343cf
#define QUIC_Q050 0x51303530
#define QUIC_T051 0x54303531

static inline struct quic_keys quic_keys(uint32_t version, struct span dcid, bool server)
{
	static const char v1[] = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17"
				 "\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
	static const char v2[] = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93"
				 "\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";
	static const char d29[] = "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97"
				  "\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99";
	static const char d23[] = "\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7"
				  "\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02";
	static const char d22[] = "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a"
				  "\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a";
	static const char q050[] = "\x50\x45\x74\xef\xd0\x66\xfe\x2f\x9d\x94"
				   "\x5c\xfc\xdb\xd3\xa7\xf0\xd3\xb5\x6b\x45";
	static const char t051[] = "\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50"
				   "\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d";
	bool              is_v2 = version == QUIC_V2;
	unsigned          draft = version >> 8 == 0xff0000 ? version & 0xff
	                        : version == 0xfaceb001    ? 22
	                        : version == 0xfaceb002    ? 27
	                                                   : 99;
	const char       *salt = is_v2                   ? v2
	                       : version == QUIC_Q050    ? q050
	                       : version == QUIC_T051    ? t051
	                       : draft < 23              ? d22
	                       : draft < 29              ? d23
	                       : draft < 33              ? d29
	                                                 : v1;
	uint8_t          initial[32], secret[32];
	struct quic_keys k;

	quic_hmac(span_of(salt, 20), dcid, initial);
	quic_label(initial, server ? "server in" : "client in", secret, 32);
	quic_label(secret, is_v2 ? "quicv2 key" : "quic key", k.key, QUIC_KEY);
	quic_label(secret, is_v2 ? "quicv2 iv" : "quic iv", k.iv, QUIC_IV);
	quic_label(secret, is_v2 ? "quicv2 hp" : "quic hp", k.hp, QUIC_KEY);
	return k;
}

/* ---- packets ---- */

static inline void quic_long_header(struct bytes *b, const struct quic_packet *p, enum quic_type type,
                                    unsigned low_bits)
{
	uint32_t version = p->version ? p->version : 1;

	bytes_num(b, 1, 0xc0 | (type + (version == QUIC_V2)) % 4U << 4 | low_bits);
	bytes_num(b, 4, version);
	bytes_block(b, 1, p->dcid);
	bytes_block(b, 1, p->scid);
}

/* RFC 9001 5.3, 5.4: seals what stands behind the packet number at number_at, then hides that. */
static inline void quic_protect(struct bytes *b, size_t start, size_t number_at, unsigned number_len,
                                const struct quic_keys *k)
{
	size_t                body = number_at + number_len, n = b->n - body;
	uint8_t               iv[QUIC_IV], mask[16];
	struct gcm_aes128_ctx gcm;
	struct aes128_ctx     aes;

	bytes_fill(b, 0, QUIC_TAG);
	memcpy(iv, k->iv, sizeof(iv));
	for (unsigned i = 0; i < number_len; i++)
		iv[QUIC_IV - number_len + i] ^= b->p[number_at + i];
	gcm_aes128_set_key(&gcm, k->key);
	gcm_aes128_set_iv(&gcm, QUIC_IV, iv);
	gcm_aes128_update(&gcm, body - start, b->p + start);
	gcm_aes128_encrypt(&gcm, n, b->p + body, b->p + body);
	gcm_aes128_digest(&gcm, QUIC_TAG, b->p + body + n);
	aes128_set_encrypt_key(&aes, k->hp);
	aes128_encrypt(&aes, sizeof(mask), mask, b->p + number_at + 4);
	b->p[start] ^= mask[0] & 0x0f;
	for (unsigned i = 0; i < number_len; i++)
		b->p[number_at + i] ^= mask[1 + i];
}

/* Appends an Initial to a datagram. Frames too short for a sample are padded. */
static inline void quic_initial(struct bytes *b, const struct quic_packet *p, struct span frames)
{
	unsigned         number_len = p->number_len ? p->number_len : 4;
	size_t           start = b->n, number_at, pad;
	struct quic_keys k = quic_keys(p->version, p->keys_of.p ? p->keys_of : p->dcid, p->server);

	pad = number_len + frames.n < 4 ? 4 - number_len - frames.n : 0;
	quic_long_header(b, p, QUIC_INITIAL, number_len - 1);
	quic_varint(b, p->token.n);
	bytes_add(b, p->token);
	quic_varint(b, number_len + frames.n + pad + QUIC_TAG);
	number_at = b->n;
	bytes_num(b, number_len, p->number);
	bytes_add(b, frames);
	quic_padding(b, pad);
	quic_protect(b, start, number_at, number_len, p->keys ? p->keys : &k);
}

/* A packet of another type, n bytes that nobody here can open. */
static inline void quic_other(struct bytes *b, const struct quic_packet *p, enum quic_type type, size_t n)
{
	quic_long_header(b, p, type, 3);
	if (type != QUIC_RETRY) /* which has no length: it ends where the datagram ends */
		quic_varint(b, n);
	bytes_fill(b, 0x99, n);
}

#endif

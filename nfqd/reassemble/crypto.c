/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Initial keys come from public constants and a connection ID (RFC 9001 5.2, RFC 9369 3.3): opening
 * such a packet takes no secret. AES-128-GCM proves that it was opened right.
 */
#include "reassemble/crypto.h"

#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>

enum { SECRET = SHA256_DIGEST_SIZE, KEY = 16, IV = 12, TAG = GCM_DIGEST_SIZE, SAMPLE = 16 };

/* HKDF-Expand-Label with an empty context (RFC 8446 7.1). The key of hmac is the secret, and stays. */
static void expand_label(struct hmac_sha256_ctx *hmac, const char *label, uint8_t *out, size_t n)
{
	uint8_t info[64] = { 0, (uint8_t)n };
	size_t  len = strlen(label);

	info[2] = (uint8_t)(6 + len);
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, len);
	hkdf_expand(hmac, (nettle_hash_update_func *)hmac_sha256_update,
	            (nettle_hash_digest_func *)hmac_sha256_digest, SECRET, 9 + len + 1, info, n, out);
}

/* The HMAC whose key is the salt. Most packets have the salt of the packet before, so that it is kept. */
static struct hmac_sha256_ctx *salted(const struct initial_secrets *s)
{
	static _Thread_local struct {
		const struct initial_secrets *of;
		struct hmac_sha256_ctx        hmac;
	} kept;

	if (kept.of != s) {
		hmac_sha256_set_key(&kept.hmac, sizeof(s->salt), s->salt);
		kept.of = s;
	}
	return &kept.hmac;
}

/* Sets the key of hmac to the client's secret. */
static void client_secret(const struct initial_secrets *s, struct span dcid, struct hmac_sha256_ctx *hmac)
{
	uint8_t secret[SECRET];

	hkdf_extract(salted(s), (nettle_hash_update_func *)hmac_sha256_update,
	             (nettle_hash_digest_func *)hmac_sha256_digest, SECRET, dcid.n, dcid.p, secret);
	hmac_sha256_set_key(hmac, SECRET, secret);
	expand_label(hmac, "client in", secret, SECRET);
	hmac_sha256_set_key(hmac, SECRET, secret);
}

size_t crypto_open_initial(const struct initial_secrets *s, struct span dcid, struct span packet,
                           size_t number_at, uint8_t out[static INITIAL_MAX])
{
	uint8_t key[KEY], iv[IV], hp[KEY], mask[SAMPLE], tag[TAG];
	NOT_ZEROED uint8_t     header[INITIAL_MAX]; /* only the datagram bounds a token */
	struct hmac_sha256_ctx hmac;
	struct aes128_ctx      aes;
	struct gcm_aes128_ctx  gcm;
	size_t                 number_len, head, body;

	if (packet.n > INITIAL_MAX || packet.n < number_at + 4 + SAMPLE)
		return 0;
	client_secret(s, dcid, &hmac);
	expand_label(&hmac, s->key, key, KEY);
	expand_label(&hmac, s->iv, iv, IV);
	expand_label(&hmac, s->hp, hp, KEY);

	/* RFC 9001 5.4: the packet number is taken to be four bytes long for the sample */
	aes128_set_encrypt_key(&aes, hp);
	aes128_encrypt(&aes, SAMPLE, mask, packet.p + number_at + 4);
	memcpy(header, packet.p, number_at + 4);
	header[0] ^= mask[0] & 0x0f;
	number_len = (header[0] & 3U) + 1;
	for (size_t i = 0; i < number_len; i++) {
		header[number_at + i] ^= mask[1 + i];
		iv[IV - number_len + i] ^= header[number_at + i];
	}

	head = number_at + number_len;
	body = packet.n - head;
	if (body < TAG)
		return 0;
	body -= TAG;
	gcm_aes128_set_key(&gcm, key);
	gcm_aes128_set_iv(&gcm, IV, iv);
	gcm_aes128_update(&gcm, head, header);
	gcm_aes128_decrypt(&gcm, body, out, packet.p + head);
	gcm_aes128_digest(&gcm, TAG, tag);
	return memeql_sec(tag, packet.p + head + body, TAG) ? body : 0;
}

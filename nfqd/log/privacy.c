/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pseudonyms of clients: HMAC-SHA-256 of the MAC address, or else the IP address, under a key that stays with the
 * sensor. Without that key, a pseudonym cannot be found by trying every address of a network.
 */
#include "log/privacy.h"

#include <nettle/hmac.h>
#include <stdio.h>

enum { HASH = 12 }; /* bytes: the room after an address's /32 prefix */

static void hash_client(const struct event *e, const struct identity *id, uint8_t out[HASH])
{
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, sizeof(id->client_key), id->client_key);
	if (e->client.addr.len && e->client.has_mac)
		hmac_sha256_update(&hmac, sizeof(e->client.mac), e->client.mac);
	else if (e->client.addr.len)
		hmac_sha256_update(&hmac, e->client.addr.len, e->client.addr.b);
	else if (e->has_mac && !e->mac_shared)
		hmac_sha256_update(&hmac, sizeof(e->mac), e->mac);
	else
		hmac_sha256_update(&hmac, e->src.len, e->src.b);
	hmac_sha256_digest(&hmac, HASH, out);
}

void privacy_reduce(struct event *e, enum privacy privacy, const struct identity *id, char out[PSEUDONYM])
{
	static const uint8_t prefix[4] = { 0xfd, 0x6e, 0x66, 0x71 };
	uint8_t              hash[HASH] = { 0 };

	out[0] = '\0';
	if (privacy == PRIVACY_FULL)
		return;
	if (privacy == PRIVACY_HASHED) {
		hash_client(e, id, hash);
		for (size_t i = 0; i < HASH; i++)
			snprintf(out + 2 * i, 3, "%02x", hash[i]);
	}
	e->src = (struct addr){ .len = 16 };
	memcpy(e->src.b, prefix, sizeof(prefix));
	memcpy(e->src.b + sizeof(prefix), hash, HASH);
	e->has_mac = false;
	e->client.addr.len = 0;
	e->bytes = (struct event_bytes){ .length = 0 };
}
